"""``awe group``: people to share with."""

import click

from awe.cli._common import at_option, json_option, print_table, text_table
from awe.client import connect

__all__ = ["command"]


@click.group("group")
def command() -> None:
    """Groups of people to share with. Log in first: `awe login`."""


@command.command("ls")
@at_option
@json_option
def ls(at: str | None, as_json: bool) -> None:
    """List the groups that you belong to."""
    with connect(at) as archive:
        found = archive.groups()
    rows = [(g.name, g.role or "", g.owner, str(len(g.members)), g.title) for g in found]
    print_table(text_table(("name", "role", "owner", "members", "title"), rows), as_json=as_json)


@command.command("new")
@click.argument("name")
@click.option("--title", default="", help="What it is, for people.")
@at_option
def new(name: str, title: str, at: str | None) -> None:
    """Make a group called NAME, and own it."""
    with connect(at) as archive:
        archive.new_group(name, title)
    click.echo(f"{name} is there; you own it")


@command.command("show")
@click.argument("name")
@at_option
@json_option
def show(name: str, at: str | None, as_json: bool) -> None:
    """List who belongs to the group NAME."""
    with connect(at) as archive:
        found = archive.group(name)
    print_table(text_table(("user", "role"), sorted(found.members.items())), as_json=as_json, most=None)


@command.command("invite")
@click.argument("name")
@click.argument("user", required=False, default="")
@click.option("--role", type=click.Choice(["member", "administrator"]), default="member", show_default=True,
              help="What they may do in the group.")  # fmt: skip
@click.option("--days", type=float, default=14.0, show_default=True, help="Life of the invitation.")
@at_option
def invite(name: str, user: str, role: str, days: float, at: str | None) -> None:
    """Invite USER to the group NAME; without USER print a key by which one person can join."""
    with connect(at) as archive:
        made = archive.invite(name, user, role=role, days=days)
    click.echo(made.key or f"{user} is invited to {name}")


@command.command("invitations")
@click.option("--group", default="", help="Instead, those of a group that you look after.")
@at_option
@json_option
def invitations(group: str, at: str | None, as_json: bool) -> None:
    """List the invitations to you."""
    with connect(at) as archive:
        found = archive.invitations(group)
    rows = [(i.id, i.group, i.user, i.role, i.by, f"{i.expires:%Y-%m-%d %H:%M}") for i in found]
    print_table(text_table(("id", "group", "user", "role", "by", "expires"), rows), as_json=as_json)


@command.command("join")
@click.argument("invitation", metavar="ID|KEY")
@at_option
def join(invitation: str, at: str | None) -> None:
    """Join a group by the ID of an invitation to you, or by the KEY of one."""
    with connect(at) as archive:
        found = archive.join(invitation)
    click.echo(f"you belong to {found.name}")


@command.command("decline")
@click.argument("invitation_id", metavar="ID")
@at_option
def decline(invitation_id: str, at: str | None) -> None:
    """Decline an invitation, or take one of a group back that you look after."""
    with connect(at) as archive:
        archive.decline(invitation_id)
    click.echo(f"{invitation_id} is declined")


@command.command("role")
@click.argument("name")
@click.argument("user")
@click.argument("role", type=click.Choice(["member", "administrator", "owner"]))
@at_option
def role(name: str, user: str, role: str, at: str | None) -> None:
    """Let a member USER of the group NAME have another ROLE in it; only its owner can give it away."""
    with connect(at) as archive:
        if role == "owner":
            archive.give_group(name, user)
        else:
            archive.set_member_role(name, user, role)
    click.echo(f"{user} is {role} of {name}")


@command.command("leave")
@click.argument("name")
@click.option("--user", help="Somebody else, if you look after the group.")
@at_option
def leave(name: str, user: str | None, at: str | None) -> None:
    """End your membership of the group NAME."""
    with connect(at) as archive:
        who = user or archive.whoami()
        archive.remove_member(name, who)
    click.echo(f"{who} does not belong to {name} any more")


@command.command("remove")
@click.argument("name")
@click.confirmation_option(prompt="Remove the group for good?")
@at_option
def remove(name: str, at: str | None) -> None:
    """Remove the group NAME for good; its name stays taken, and what was shared with it is nobody's."""
    with connect(at) as archive:
        archive.remove_group(name)
    click.echo(f"{name} is removed")
