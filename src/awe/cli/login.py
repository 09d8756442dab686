"""``awe login``."""

import json

import click

from awe.cli._common import at_option, json_option
from awe.client import connect
from awe.client.identity import EVERYTHING
from awe.errors import UsageError

__all__ = ["command"]


@click.command("login")
@click.argument("user", required=False)
@click.option("--password", help="Of USER; asked for when not given.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(EVERYTHING),
              help="What the login shall allow (may be repeated) [default: everything].")  # fmt: skip
@at_option
@json_option
def command(
    user: str | None, password: str | None, scopes: tuple[str, ...], at: str | None, as_json: bool
) -> None:
    """Log in with a browser, on this machine or another; later commands, and `awe.connect`, find the login.

    Prints an address and a code to enter there, waits, and keeps the login in a file that only you can read, until
    `awe logout`. AWE_TOKEN wins over it.

    \b
    With USER it asks for a password instead, keeps nothing, and prints a token that is good for a day:
      export AWE_TOKEN=$(awe login USER)
    """
    if user is None:
        with connect(at, token="") as archive:  # nobody known, whatever is kept
            if archive.is_local:
                raise UsageError("a login by browser needs a service", hint="awe login USER --at FOLDER")
            archive.login(scopes=scopes or EVERYTHING)
            name = archive.whoami()
        print(json.dumps({"user": name}) if as_json else f"{name} is logged in at {archive.url}")
        return
    if scopes:
        raise click.UsageError("--scope is for a login by browser; `awe token new` makes tokens")
    if password is None:  # asked on standard error: standard output is the token's alone
        password = str(click.prompt("Password", hide_input=True, err=True))
    with connect(at, token="") as archive:  # nobody known, whatever is kept
        token = archive.login(user, password)
    print(json.dumps({"token": token}) if as_json else token)
