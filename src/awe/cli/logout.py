"""``awe logout``."""

import click

from awe.cli._common import at_option
from awe.client import connect

__all__ = ["command"]


@click.command("logout")
@at_option
def command(at: str | None) -> None:
    """End the login that `awe login` keeps on this machine, here and at the service.

    A token in AWE_TOKEN is not ended: `awe token revoke` does that.
    """
    with connect(at, token="") as archive:  # nobody known: what is kept is ended by itself
        ended = archive.logout()
        click.echo("logged out" if ended else f"no login at {archive.url} is kept here")
