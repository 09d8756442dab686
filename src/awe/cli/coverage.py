"""``awe coverage``."""

import json
from pathlib import Path
from typing import Any

import click

from awe.cli._common import at_option, json_option
from awe.client import connect

__all__ = ["command"]

_FORMATS = {".fits": "fits", ".json": "json", ".txt": "ascii"}


@click.command("coverage")
@click.argument("name")
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the MOC to this file: .fits, .json or .txt.",
)
@at_option
@json_option
def command(name: str, save: Path | None, at: str | None, as_json: bool) -> None:
    """Print how much of the sky the table or collection NAME covers; save its MOC.

    \b
      awe coverage hsc.SumCat
      awe coverage hla --save hla.moc.fits
    """
    if save is not None and save.suffix.lower() not in _FORMATS:
        raise click.BadParameter(f"{save}: a name that ends in {', '.join(_FORMATS)}", param_hint="--save")
    with connect(at) as archive:
        about: Any = archive.transport.get_json("/api/coverage", {"of": name})
        if save is not None:
            params = {"format": _FORMATS[save.suffix.lower()]}
            archive.transport.save("GET", about["moc"], save, params=params)
    if as_json:
        print(json.dumps(about))
        return
    around = about["around"]
    click.echo(
        f"{about['of']}: {about['area_deg2']:.4g} square degrees, {about['sky_fraction']:.3%} of the sky, "
        f"within {around['radius_deg']:.4g} degrees of {around['ra']:.4f} {around['dec']:+.4f}"
    )
    click.echo(f"{save}: {save.stat().st_size:,} bytes" if save else f"its MOC is at {about['moc']}")
