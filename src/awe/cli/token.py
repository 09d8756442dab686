"""``awe token``: what programs log in with."""

import json

import click

from awe.cli._common import at_option, json_option, print_table, text_table
from awe.client import connect

__all__ = ["command"]


@click.group("token")
def command() -> None:
    """Your tokens, for programs. Log in first, with `awe login`."""


@command.command("new")
@click.argument("label")
@click.option("--scope", "scopes", multiple=True, default=("read",), show_default=True,
              help="read, write, share, run, publish or admin (may be repeated).")  # fmt: skip
@click.option("--days", type=float, default=90.0, show_default=True, help="Its life.")
@click.option("--datalab", is_flag=True, help="Print it in the form of the Data Lab's client.")
@at_option
@json_option
def new(
    label: str, scopes: tuple[str, ...], days: float, datalab: bool, at: str | None, as_json: bool
) -> None:
    """Make a token that you call LABEL, and print it: this once."""
    with connect(at) as archive:
        made = archive.new_token(label, scopes, days=days)
    secret = made.datalab if datalab else made.secret
    if as_json:
        print(json.dumps({"id": made.id, "token": secret, "expires": made.expires.isoformat()}))
    else:
        print(secret)


@command.command("ls")
@at_option
@json_option
def ls(at: str | None, as_json: bool) -> None:
    """List your tokens that are good."""
    with connect(at) as archive:
        found = archive.tokens()
    rows = [
        (t.id, t.kind, t.label, " ".join(t.scopes), f"{t.expires:%Y-%m-%d %H:%M}", _moment(t.last_used))
        for t in found
    ]
    print_table(text_table(("id", "kind", "label", "scopes", "expires", "last used"), rows), as_json=as_json)


@command.command("revoke")
@click.argument("token_id", metavar="ID")
@at_option
def revoke(token_id: str, at: str | None) -> None:
    """End the token with this ID (see `awe token ls`) at once."""
    with connect(at) as archive:
        archive.revoke_token(token_id)
    click.echo(f"{token_id} is revoked")


def _moment(at: object) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else "never"
