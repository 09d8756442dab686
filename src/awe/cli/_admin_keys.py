"""``awe admin keys``: the keys that sign logins at other tools."""

from pathlib import Path

import click

from awe.cli._archive import data_option, here, open_archive
from awe.cli._common import json_option, print_table, text_table

__all__ = ["keys"]


@click.group("keys")
def keys() -> None:
    """The keys that logins at other tools of the site are signed with."""


@keys.command("ls")
@data_option
@json_option
def ls(data: Path | None, as_json: bool) -> None:
    """List the keys; the newest one signs, the others can still be looked up."""
    with open_archive(data) as platform:
        found = platform.provider.keys.known()
    rows = [(key, f"{created:%Y-%m-%d %H:%M}") for key, created in found]
    print_table(text_table(("key", "made"), rows), as_json=as_json)


@keys.command("rotate")
@click.option("--forget", is_flag=True, help="Forget all earlier keys: somebody else may know them.")
@data_option
def rotate(forget: bool, data: Path | None) -> None:
    """Sign with a new key from now on, also while the service runs.

    This happens by itself after provider.key_days.
    """
    with open_archive(data) as platform:
        made = platform.provider.keys.rotate(forget=forget)
        forgotten = "all earlier" if forget else "none"
        platform.audit.record("keys.rotated", user=here(), target=f"key:{made}", forgotten=forgotten)
    click.echo(f"logins are signed with {made} now")
