"""``awe status``."""

import json

import click

from awe.cli._common import at_option, json_option
from awe.client import connect

__all__ = ["command"]


@click.command("status")
@at_option
@json_option
def command(at: str | None, as_json: bool) -> None:
    """Print what the service says of itself."""
    with connect(at) as archive:
        status = archive.status()
        if as_json:
            print(json.dumps(status))
            return
        click.echo(f"{archive.url}")
        for name, value in status.items():
            click.echo(f"  {name:<16} {_words(value)}".rstrip())


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)
