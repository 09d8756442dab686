"""``awe cutout``."""

import json
from pathlib import Path

import click

from awe.cli._common import at_option, json_option
from awe.client import connect

__all__ = ["command"]


@click.command("cutout", context_settings={"ignore_unknown_options": True})
@click.argument("dataset")
@click.argument("position")
@click.argument("size")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--band", nargs=2, type=float, help="Shortest and longest wavelength, metres.")
@click.option("--time", nargs=2, type=float, help="First and last time, MJD.")
@click.option("--pol", multiple=True, help="Polarisation state (may be repeated).")
@at_option
@json_option
def command(
    dataset: str,
    position: str,
    size: str,
    file: Path,
    band: tuple[float, float] | None,
    time: tuple[float, float] | None,
    pol: tuple[str, ...],
    at: str | None,
    as_json: bool,
) -> None:
    """Cut a circle of radius SIZE around POSITION out of the image DATASET, into FILE.

    \b
      awe cutout hst_9401_02_acs_wfc_total M87 "20 arcsec" core.fits
      awe cutout hst_9401_02_acs_wfc_total "12:30:49.4 +12:23:28" "20 arcsec" core.fits
      awe cutout ngc4486_hi M87 "2 arcmin" line.fits --band 0.2110 0.2115 --pol I
    """
    with (
        connect(at) as archive,
        archive.cutout(dataset, position, size, band=band, time=time, pol=pol or None, save=file) as hdus,
    ):
        shapes = {hdu.name or str(n): list(hdu.shape) for n, hdu in enumerate(hdus) if hdu.shape}
    if as_json:
        print(json.dumps({"file": str(file), "hdus": shapes}))
    else:
        click.echo(f"{file}: " + ", ".join(f"{n} {'x'.join(map(str, s[::-1]))}" for n, s in shapes.items()))
