"""``awe cone``."""

import click

from awe.cli._common import at_option, json_option, print_table
from awe.client import connect

__all__ = ["command"]


@click.command("cone", context_settings={"ignore_unknown_options": True})
@click.argument("table")
@click.argument("position")
@click.argument("radius")
@click.option("--max-rows", type=click.IntRange(0), help="Rows at the most.")
@at_option
@json_option
def command(
    table: str, position: str, radius: str, max_rows: int | None, at: str | None, as_json: bool
) -> None:
    """Print the objects of TABLE within RADIUS of POSITION, which may be an object's name.

    \b
      awe cone hsc.SumCat M87 "30 arcsec"
      awe cone hsc.SumCat "12:30:49.4 +12:23:28" "30 arcsec"
      awe cone hsc.SumCat "187.7059 12.3911" 0.01          (degrees)
    """
    with connect(at) as archive:
        print_table(archive.cone(table, position, radius, max_rows=max_rows), as_json=as_json)
