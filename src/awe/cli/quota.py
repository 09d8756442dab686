"""``awe quota``: what you may use."""

import click

from awe.cli._common import at_option, json_option, print_table, text_table
from awe.client import connect

__all__ = ["command"]


@click.command("quota")
@at_option
@json_option
def command(at: str | None, as_json: bool) -> None:
    """Print what you may use, and how much of it you use."""
    with connect(at) as archive:
        found = archive.usage()
    rows = [
        (
            one.measure,
            "" if one.used is None else f"{one.used:,}",
            "no limit" if one.limit is None else f"{one.limit:,}",
            f"{one.resets:%Y-%m-%d %H:%M} UTC" if one.resets else "",
            one.what,
        )
        for one in found
    ]
    print_table(
        text_table(("measure", "used", "limit", "begins anew", "what it is"), rows),
        as_json=as_json,
        most=None,
    )
