"""``awe admin token``: tokens of everybody."""

from pathlib import Path

import click

from awe.cli._archive import data_option, here, open_archive
from awe.cli._common import json_option, print_table, text_table

__all__ = ["token"]


@click.group("token")
def token() -> None:
    """Tokens of users."""


@token.command("ls")
@click.argument("name")
@data_option
@json_option
def ls(name: str, data: Path | None, as_json: bool) -> None:
    """List the tokens of NAME that are good."""
    with open_archive(data) as platform:
        platform.identity.account(name)
        found = platform.identity.tokens(name)
    rows = [
        (
            t.id,
            t.kind.value,
            t.label,
            " ".join(sorted(t.scopes)),
            f"{t.expires:%Y-%m-%d %H:%M}",
            f"{t.last_used:%Y-%m-%d %H:%M}" if t.last_used else "never",
        )
        for t in found
    ]
    names = ("id", "kind", "label", "scopes", "expires", "last used")
    print_table(text_table(names, rows), as_json=as_json, most=None)


@token.command("new")
@click.argument("name")
@click.argument("label")
@click.option("--scope", "scopes", multiple=True, default=("read",), show_default=True,
              help="read, write, share, run, publish or admin (may be repeated).")  # fmt: skip
@click.option("--days", type=float, default=90.0, show_default=True, help="Its life.")
@data_option
def new(name: str, label: str, scopes: tuple[str, ...], days: float, data: Path | None) -> None:
    """Make a token for NAME, called LABEL, and print it: this once."""
    with open_archive(data) as platform:
        secret, _ = platform.accounts.new_token(name, label, frozenset(scopes), days=days, by=here())
    click.echo(secret)


@token.command("revoke")
@click.argument("token_id", metavar="ID")
@data_option
def revoke(token_id: str, data: Path | None) -> None:
    """End the token with this ID at once."""
    with open_archive(data) as platform:
        platform.accounts.revoke_token(token_id, by=here())
    click.echo(f"{token_id} is revoked")
