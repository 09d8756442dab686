"""``awe admin``: accounts and the audit log."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from awe.cli._archive import data_option, open_archive
from awe.cli._common import json_option, print_table, text_table

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


@command.command("audit")
@click.option("--user", "who", help="Only what this user did.")
@click.option("--action", help="Only this, such as login, or token for all that is done to tokens.")
@click.option("--target", help="Only what was done to this, such as user:ann.")
@click.option("--since", type=click.DateTime(), help="Only from this moment on (UTC).")
@click.option("--until", type=click.DateTime(), help="Only before this moment (UTC).")
@click.option(
    "--last", type=click.IntRange(1, 100_000), default=100, show_default=True, help="So many at most."
)
@data_option
@json_option
def audit(
    who: str | None,
    action: str | None,
    target: str | None,
    since: datetime | None,
    until: datetime | None,
    last: int,
    data: Path | None,
    as_json: bool,
) -> None:
    """Print who did what, the newest first."""
    with open_archive(data) as platform:
        found = platform.audit.entries(
            user=who, action=action, target=target, since=_utc(since), until=_utc(until), last=last
        )
    rows = [
        (f"{e.at:%Y-%m-%d %H:%M:%S}", e.user, e.address, e.request, e.action, e.target, e.outcome,
         " ".join(f"{name}={text}" for name, text in e.details.items()))
        for e in found
    ]  # fmt: skip
    names = ("at", "user", "address", "request", "action", "target", "outcome", "details")
    print_table(text_table(names, rows), as_json=as_json, most=None)


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None else None
