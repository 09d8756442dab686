"""``awe admin``: accounts."""

import json
from pathlib import Path

import click

from awe.cli._archive import data_option, open_archive
from awe.cli._common import json_option

__all__ = ["command"]


@click.group("admin")
def command() -> None:
    """Look after the archive of a data folder."""


@command.group("user")
def user() -> None:
    """Accounts."""


@user.command("add")
@click.argument("name")
@click.password_option(help="Asked for when not given.")
@click.option("--role", "roles", multiple=True, help="Such as administrator (may be repeated).")
@data_option
def add_user(name: str, password: str, roles: tuple[str, ...], data: Path | None) -> None:
    """Make an account for NAME."""
    with open_archive(data) as platform:
        platform.identity.add_user(name, password, roles=roles)
    click.echo(f"{name} can log in now")


@user.command("password")
@click.argument("name")
@click.password_option(help="Asked for when not given.")
@data_option
def set_password(name: str, password: str, data: Path | None) -> None:
    """Set the password of NAME."""
    with open_archive(data) as platform:
        platform.identity.set_password(name, password)
    click.echo(f"the password of {name} is changed")


@user.command("list")
@data_option
@json_option
def list_users(data: Path | None, as_json: bool) -> None:
    """Print the accounts."""
    with open_archive(data) as platform:
        users = [{"name": u.name, "roles": sorted(u.roles)} for u in platform.identity.users()]
    if as_json:
        print(json.dumps(users))
        return
    for account in users:
        click.echo(f"{account['name']}  {', '.join(account['roles'])}")
