"""``awe resolve``."""

import json

import click

from awe.cli._common import at_option, json_option
from awe.client import connect

__all__ = ["command"]


@click.command("resolve")
@click.argument("name")
@at_option
@json_option
def command(name: str, at: str | None, as_json: bool) -> None:
    """Print where the object NAME is: ICRS, degrees and sexagesimal.

    \b
      awe resolve M87
      awe resolve "alpha Virginis"
    """
    with connect(at) as archive:
        found = archive.resolve(name)
    ra, dec = float(found.position.ra.deg), float(found.position.dec.deg)
    if as_json:
        about = {"name": found.name, "ra": ra, "dec": dec, "kind": found.kind}
        print(json.dumps({**about, "aliases": found.aliases, "source": found.source}))
        return
    sexagesimal = found.position.to_string("hmsdms", sep=":", precision=2)
    click.echo(f"{found.name}  {ra:.6f} {dec:+.6f}  {sexagesimal}  {found.kind} ({found.source})")
    if found.aliases:
        click.echo(f"also {', '.join(found.aliases)}")
