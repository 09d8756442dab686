"""``awe admin tables``: help somebody with tables of his own."""

from pathlib import Path

import click

from awe.cli._archive import data_option, here, open_archive
from awe.cli._common import json_option, print_table, text_table
from awe.services.identity import MACHINE

__all__ = ["tables"]


@click.group("tables")
def tables() -> None:
    """Tables of users: list them, drop them, bring back what was dropped. Each is written down in the audit log."""


@tables.command("ls")
@click.argument("user")
@click.option("--dropped", is_flag=True, help="Those that were dropped and can be restored.")
@data_option
@json_option
def ls(user: str, dropped: bool, data: Path | None, as_json: bool) -> None:
    """List the tables of USER."""
    with open_archive(data) as platform:
        found = platform.versions.of_user(user, MACHINE, dropped=dropped, by=here())
    rows = [
        (
            version.record.full_name,
            f"{version.record.rows:,}",
            f"{version.record.bytes:,}",
            str(version.number),
            f"{version.created:%Y-%m-%d %H:%M}",
            f"{version.ended:%Y-%m-%d %H:%M}" if version.ended else "",
        )
        for version in found
    ]
    names = ("table", "rows", "bytes", "version", "written", "dropped")
    print_table(text_table(names, rows), as_json=as_json, most=None)


@tables.command("drop")
@click.argument("table")
@data_option
def drop(table: str, data: Path | None) -> None:
    """Drop TABLE, such as user_ada.stars; it can be restored for a while."""
    with open_archive(data) as platform:
        platform.tables.drop(table, MACHINE, by=here())
    click.echo(f"{table} is dropped")


@tables.command("restore")
@click.argument("table")
@click.option("--version", type=int, help="This version; the newest that is not current when left out.")
@data_option
def restore(table: str, version: int | None, data: Path | None) -> None:
    """Bring back TABLE, such as user_ada.stars, as it was before it was dropped or replaced."""
    with open_archive(data) as platform:
        record = platform.versions.restore(table, MACHINE, version, by=here())
    click.echo(f"{record.full_name} is version {record.version} again: {record.rows:,} rows")
