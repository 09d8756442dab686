"""``awe login``."""

import json

import click

from awe.cli._common import at_option, json_option
from awe.client import connect

__all__ = ["command"]


@click.command("login")
@click.argument("user")
@click.option("--password", help="Asked for when not given.")
@at_option
@json_option
def command(user: str, password: str | None, at: str | None, as_json: bool) -> None:
    """Log in as USER and print a token: `export AWE_TOKEN=$(awe login USER)`."""
    if password is None:  # asked on standard error: standard output is the token's alone
        password = str(click.prompt("Password", hide_input=True, err=True))
    with connect(at) as archive:
        token = archive.login(user, password)
    print(json.dumps({"token": token}) if as_json else token)
