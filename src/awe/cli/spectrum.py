"""``awe spectrum``."""

import json
from pathlib import Path

import click

from awe.cli._common import at_option, json_option
from awe.client import connect

__all__ = ["command"]


@click.command("spectrum")
@click.argument("dataset")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@at_option
@json_option
def command(dataset: str, file: Path, at: str | None, as_json: bool) -> None:
    """Write the spectrum DATASET as a table into FILE: wavelength, flux, error, in the units of the published file.

    \b
      awe spectrum spec-0266-51602-0013 galaxy.fits
      awe spectrum 'ivo://example.awe/sdss?spec-0266-51602-0013' galaxy.vot

    The name's ending says how: .vot, .fits, .csv, .ecsv.
    """
    with connect(at) as archive:
        saved = archive.save_spectrum(dataset, file)
    if as_json:
        print(json.dumps({"file": str(saved), "bytes": saved.stat().st_size}))
    else:
        click.echo(f"{saved}: {saved.stat().st_size:,} bytes")
