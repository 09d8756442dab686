"""``awe admin``: accounts, the audit log, and the system database."""

from datetime import UTC, datetime
from pathlib import Path

import click

from awe.cli._admin_group import group
from awe.cli._admin_identities import identity
from awe.cli._admin_keys import keys
from awe.cli._admin_quota import quota
from awe.cli._admin_system import backup_archive, migrate, restore_archive, show_system
from awe.cli._admin_tables import tables
from awe.cli._admin_tokens import token
from awe.cli._admin_usage import usage
from awe.cli._archive import data_option, here, open_archive
from awe.cli._common import json_option, print_table, text_table
from awe.platform import Platform

__all__ = ["command"]


@click.group("admin")
def command() -> None:
    """Look after the archive of a data folder."""


@command.group("user")
def user() -> None:
    """Accounts."""


@user.command("add")
@click.argument("name")
@click.option("--password", help="Asked for when not given.")
@click.option(
    "--link",
    "by_link",
    is_flag=True,
    help="No password: print a link where NAME sets one, once, within a day.",
)
@click.option("--role", "roles", multiple=True, help="Such as administrator (may be repeated).")
@data_option
def add_user(
    name: str, password: str | None, by_link: bool, roles: tuple[str, ...], data: Path | None
) -> None:
    """Make an account for NAME."""
    if password is not None and by_link:
        raise click.UsageError("--password and --link exclude each other")
    if password is None and not by_link:
        password = str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    with open_archive(data) as platform:
        platform.accounts.add(name, roles, by=here(), password=password)
        if by_link:
            click.echo(_link(platform, name, 24.0))
        else:
            click.echo(f"{name} can log in now")


def _link(platform: Platform, name: str, hours: float) -> str:
    """Return a link where a user sets a password."""
    key, settings = platform.accounts.link(name, by=here(), hours=hours), platform.settings
    address = settings.base_url or f"http://{settings.host}:{settings.port}"
    return f"{address.rstrip('/')}/auth/password#{key}"


@user.command("password")
@click.argument("name")
@click.password_option(help="Asked for when not given.")
@data_option
def set_password(name: str, password: str, data: Path | None) -> None:
    """Set the password of NAME."""
    with open_archive(data) as platform:
        platform.accounts.set_password(name, password, by=here())
    click.echo(f"the password of {name} is changed")


@user.command("ls")
@data_option
@json_option
def ls(data: Path | None, as_json: bool) -> None:
    """List the accounts."""
    with open_archive(data) as platform:
        found = platform.identity.users()
    rows = [
        (
            u.name,
            u.state.value,
            " ".join(sorted(u.roles)),
            u.email,
            f"{u.last_login:%Y-%m-%d %H:%M}" if u.last_login else "never",
        )
        for u in found
    ]
    print_table(
        text_table(("name", "state", "roles", "email", "last login"), rows), as_json=as_json, most=None
    )


@user.command("show")
@click.argument("name")
@data_option
@json_option
def show(name: str, data: Path | None, as_json: bool) -> None:
    """Print what is known of NAME: the account, and when it was used."""
    with open_archive(data) as platform:
        account = platform.identity.account(name)
        tokens = platform.identity.tokens(name)
    facts = {
        "name": account.name,
        "state": account.state.value,
        "display name": account.display_name,
        "email": account.email,
        "roles": " ".join(account.roles),
        "groups": " ".join(account.groups),
        "password": "yes" if account.has_password else "no",
        "created": f"{account.created:%Y-%m-%d %H:%M}",
        "last login": f"{account.last_login:%Y-%m-%d %H:%M}" if account.last_login else "never",
        "tokens": str(len(tokens)),
    }
    print_table(text_table(("what", "value"), list(facts.items())), as_json=as_json, most=None)


@user.command("set")
@click.argument("name")
@click.option("--role", "roles", multiple=True, help="These roles and no others (may be repeated).")
@click.option("--no-roles", is_flag=True, help="No role.")
@click.option("--display-name", help="The name for people.")
@click.option("--email", help="The address for electronic mail.")
@data_option
def set_user(
    name: str,
    roles: tuple[str, ...],
    no_roles: bool,
    display_name: str | None,
    email: str | None,
    data: Path | None,
) -> None:
    """Change the roles of NAME, or what is told of them."""
    if roles and no_roles:
        raise click.UsageError("--role and --no-roles exclude each other")
    with open_archive(data) as platform:
        platform.accounts.change(
            name,
            by=here(),
            roles=roles if roles or no_roles else None,
            display_name=display_name,
            email=email,
        )
    click.echo(f"{name} is changed")


@user.command("reset")
@click.argument("name")
@click.option(
    "--hours",
    type=click.FloatRange(0, 24 * 30, min_open=True),
    default=24.0,
    show_default=True,
    help="Life of the link.",
)
@data_option
def reset(name: str, hours: float, data: Path | None) -> None:
    """Print a link where NAME sets a new password, once."""
    with open_archive(data) as platform:
        click.echo(_link(platform, name, hours))


@user.command("approve")
@click.argument("name")
@data_option
def approve(name: str, data: Path | None) -> None:
    """Let NAME, who registered and waits, log in."""
    with open_archive(data) as platform:
        platform.registration.approve(name, by=here())
    click.echo(f"{name} can log in now")


@user.command("decline")
@click.argument("name")
@data_option
def decline(name: str, data: Path | None) -> None:
    """Forget NAME, who registered and waits; the name is free again."""
    with open_archive(data) as platform:
        platform.registration.decline(name, by=here())
    click.echo(f"{name} is declined")


@user.command("disable")
@click.argument("name")
@data_option
def disable(name: str, data: Path | None) -> None:
    """Close the account of NAME: logins and tokens end, everything else is kept."""
    with open_archive(data) as platform:
        platform.accounts.disable(name, by=here())
    click.echo(f"{name} is disabled")


@user.command("enable")
@click.argument("name")
@data_option
def enable(name: str, data: Path | None) -> None:
    """Open the account of NAME again."""
    with open_archive(data) as platform:
        platform.accounts.enable(name, by=here())
    click.echo(f"{name} is enabled")


@user.command("remove")
@click.argument("name")
@click.confirmation_option(prompt="Remove the account for good?")
@data_option
def remove(name: str, data: Path | None) -> None:
    """Remove the account of NAME for good; its name stays taken, and what belonged to it stays."""
    with open_archive(data) as platform:
        platform.accounts.remove(name, by=here())
    click.echo(f"{name} is removed")


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


for _part in (
    token,
    identity,
    group,
    quota,
    tables,
    usage,
    keys,
    show_system,
    migrate,
    backup_archive,
    restore_archive,
):
    command.add_command(_part)
