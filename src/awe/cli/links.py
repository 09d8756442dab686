"""``awe links``."""

import click

from awe.cli._common import at_option, json_option, print_table
from awe.client import connect

__all__ = ["command"]

_SHOWN = ("semantics", "content_type", "content_length", "description", "access_url")


@click.command("links")
@click.argument("dataset")
@at_option
@json_option
def command(dataset: str, at: str | None, as_json: bool) -> None:
    """Print what belongs to DATASET: its file, pictures, cutouts, what it was made of and into.

    \b
      awe links hst_9401_02_acs_wfc_total
    """
    with connect(at) as archive:
        found = archive.links(dataset)
    print_table(found if as_json else found[list(_SHOWN)], as_json=as_json)
