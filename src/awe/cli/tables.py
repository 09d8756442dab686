"""``awe tables``."""

import click

from awe.cli._common import at_option, json_option, print_table
from awe.client import connect

__all__ = ["command"]


@click.command("tables")
@click.argument("table", required=False)
@at_option
@json_option
def command(table: str | None, at: str | None, as_json: bool) -> None:
    """Print what is published, or the columns of TABLE with units and UCDs."""
    with connect(at) as archive:
        print_table(archive.columns(table) if table else archive.tables(), as_json=as_json, most=None)
