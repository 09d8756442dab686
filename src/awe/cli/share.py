"""``awe share``: let others read what is yours."""

import click

from awe.cli._common import at_option, json_option, print_table, text_table
from awe.client import connect

__all__ = ["command"]


@click.group("share")
def command() -> None:
    """Let others read a table, a collection, a job or a query. Log in first: `awe login`.

    A THING is table:SCHEMA.NAME (also without `table:`), collection:NAME, job:ID, or query:ID of your history.
    """


@command.command("add")
@click.argument("thing")
@click.argument("principal", metavar="WHO")
@click.option("--days", type=float, help="So long; for good without it.")
@at_option
def add(thing: str, principal: str, days: float | None, at: str | None) -> None:
    """Let WHO read THING: user:NAME, group:NAME, role:NAME or everybody."""
    with connect(at) as archive:
        made = archive.share(thing, principal, days=days)
    click.echo(f"{made.principal} may read {made.thing} ({made.id})")


@command.command("link")
@click.argument("thing")
@click.option("--days", type=float, default=30.0, show_default=True, help="Life of the link.")
@click.option("--label", default="", help="What you call it.")
@at_option
def link(thing: str, days: float, label: str, at: str | None) -> None:
    """Print an address where whoever has it may read THING: this once."""
    with connect(at) as archive:
        made = archive.share_link(thing, days=days, label=label)
    click.echo(made.address)


@command.command("ls")
@click.argument("thing", required=False)
@at_option
@json_option
def ls(thing: str | None, at: str | None, as_json: bool) -> None:
    """List what you shared and what people shared with you; or who may read THING, if it is yours to share."""
    with connect(at) as archive:
        if thing:
            found = [("", one) for one in archive.shares_of(thing)]
        else:
            both = archive.shares()
            found = [("given", one) for one in both.given] + [("received", one) for one in both.received]
    rows = [
        (s.id, side, s.thing, s.action, s.principal, s.by or "its description", s.label,
         f"{s.expires:%Y-%m-%d %H:%M}" if s.expires else "")
        for side, s in found
    ]  # fmt: skip
    names = ("id", "side", "thing", "action", "who", "by", "label", "expires")
    print_table(text_table(names, rows), as_json=as_json)


@command.command("rm")
@click.argument("share_id", metavar="ID")
@at_option
def rm(share_id: str, at: str | None) -> None:
    """Take back what was shared, by its ID (see `awe share ls`), at once."""
    with connect(at) as archive:
        archive.unshare(share_id)
    click.echo(f"{share_id} is taken back")
