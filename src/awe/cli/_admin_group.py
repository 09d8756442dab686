"""``awe admin group``: all groups of an archive here."""

from pathlib import Path

import click

from awe.cli._archive import data_option, here, open_archive
from awe.cli._common import json_option, print_table, text_table
from awe.services.identity import MACHINE, GroupRole

__all__ = ["group"]


@click.group("group")
def group() -> None:
    """Groups; those without an owner are looked after here."""


@group.command("ls")
@data_option
@json_option
def ls(data: Path | None, as_json: bool) -> None:
    """List the groups."""
    with open_archive(data) as platform:
        found = platform.groups.all()
    rows = [(g.name, g.owner, str(len({m.user for m in g.members})), g.title) for g in found]
    print_table(text_table(("name", "owner", "members", "title"), rows), as_json=as_json, most=None)


@group.command("new")
@click.argument("name")
@click.option("--title", default="", help="What it is, for people.")
@click.option("--owner", help="Who owns it; nobody without it.")
@data_option
def new(name: str, title: str, owner: str | None, data: Path | None) -> None:
    """Make a group called NAME."""
    with open_archive(data) as platform:
        if owner is not None:
            platform.identity.known(owner)
        platform.groups.add(MACHINE, name, title, by=here())
        if owner is not None:
            platform.groups.give(MACHINE, name, owner, by=here())
    click.echo(f"{name} is there")


@group.command("show")
@click.argument("name")
@data_option
@json_option
def show(name: str, data: Path | None, as_json: bool) -> None:
    """List who belongs to the group NAME, and who says so."""
    with open_archive(data) as platform:
        found = platform.groups.group(MACHINE, name)
    rows = [(m.user, m.role.value, m.source or "by hand", f"{m.since:%Y-%m-%d}") for m in found.members]
    print_table(text_table(("user", "role", "source", "since"), rows), as_json=as_json, most=None)


@group.command("add")
@click.argument("name")
@click.argument("user")
@click.option("--role", type=click.Choice([str(role) for role in GroupRole]), default="member",
              show_default=True, help="What USER may do in it.")  # fmt: skip
@data_option
def add(name: str, user: str, role: str, data: Path | None) -> None:
    """Let USER belong to the group NAME, or have another role in it."""
    with open_archive(data) as platform:
        if role == GroupRole.OWNER:
            platform.groups.give(MACHINE, name, user, by=here())
        else:
            platform.groups.set_role(MACHINE, name, user, GroupRole(role), by=here())
    click.echo(f"{user} is {role} of {name}")


@group.command("drop")
@click.argument("name")
@click.argument("user")
@data_option
def drop(name: str, user: str, data: Path | None) -> None:
    """End the membership of USER in the group NAME."""
    with open_archive(data) as platform:
        platform.groups.remove_member(MACHINE, name, user, by=here())
    click.echo(f"{user} does not belong to {name} any more")


@group.command("remove")
@click.argument("name")
@click.confirmation_option(prompt="Remove the group for good?")
@data_option
def remove(name: str, data: Path | None) -> None:
    """Remove the group NAME for good; its name stays taken, and what was shared with it is nobody's."""
    with open_archive(data) as platform:
        platform.groups.remove(MACHINE, name, by=here())
    click.echo(f"{name} is removed")
