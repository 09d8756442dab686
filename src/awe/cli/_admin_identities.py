"""``awe admin identity``: who users are at other account systems."""

from pathlib import Path

import click

from awe.cli._archive import data_option, here, open_archive
from awe.cli._common import json_option, print_table, text_table

__all__ = ["identity"]


@click.group("identity")
def identity() -> None:
    """Who users are at other account systems."""


@identity.command("ls")
@click.argument("name")
@data_option
@json_option
def ls(name: str, data: Path | None, as_json: bool) -> None:
    """List who NAME is at other account systems."""
    with open_archive(data) as platform:
        found = platform.federation.links(platform.identity.account(name).name)
    rows = [
        (
            one.provider,
            one.subject,
            one.name,
            f"{one.last_login:%Y-%m-%d %H:%M}" if one.last_login else "never",
        )
        for one in found
    ]
    print_table(text_table(("provider", "subject", "name", "last login"), rows), as_json=as_json, most=None)


@identity.command("link")
@click.argument("name")
@click.argument("provider")
@click.argument("subject")
@data_option
def link(name: str, provider: str, subject: str, data: Path | None) -> None:
    """Let SUBJECT of PROVIDER log in as NAME, too."""
    with open_archive(data) as platform:
        platform.federation.link_for(name, provider, subject, by=here())
    click.echo(f"{subject} of {provider} is {name} now")


@identity.command("unlink")
@click.argument("name")
@click.argument("provider")
@click.argument("subject")
@data_option
def unlink(name: str, provider: str, subject: str, data: Path | None) -> None:
    """Let SUBJECT of PROVIDER log in as NAME no longer; what came by it ends."""
    with open_archive(data) as platform:
        platform.federation.unlink(name, provider, subject, by=here())
    click.echo(f"{subject} of {provider} is {name} no longer")
