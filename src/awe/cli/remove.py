"""``awe remove table`` and ``awe remove images``: operator commands over the platform."""

from pathlib import Path

import click

from awe.cli._archive import data_option, open_archive
from awe.errors import ParameterError

__all__ = ["command"]

_INDEX = "ivoa.obscore"


@click.group("remove")
def command() -> None:
    """Remove what is published in the archive of a data folder.

    A running service stops showing it at once. The files that it was published from stay where they are.
    """


_yes = click.option("--yes", is_flag=True, help="Do not ask.")


@command.command("table")
@click.argument("name")
@_yes
@data_option
def remove_table(name: str, yes: bool, data: Path | None) -> None:
    """Remove the table NAME (schema.table).

    \b
      awe remove table gaia.m87
    """
    if name.casefold() == _INDEX:
        raise ParameterError(
            "table", name, "is the index of the observations", hint="see `awe remove observations`"
        )
    with open_archive(data) as platform:
        record = platform.catalogs.table(name)
        full_name = f"{record.schema}.{record.name}"
        if not yes:
            click.confirm(f"Remove {full_name} (rows: {record.rows:,})?", abort=True)
        platform.catalogs.drop(full_name)
    click.echo(f"removed {full_name}")


@command.command("observations")
@click.argument("name")
@_yes
@data_option
def remove_observations(name: str, yes: bool, data: Path | None) -> None:
    """Remove the collection NAME of images, spectra or time series; the files stay where they are.

    \b
      awe remove observations hla

    "remove images" and "remove spectra" are other names of this command.
    """
    with open_archive(data) as platform:
        if not yes:
            click.confirm(f"Remove the collection {name}?", abort=True)
        platform.observations.drop(name)
    click.echo(f"removed {name}")


for _word in ("images", "spectra"):
    command.add_command(remove_observations, _word)
