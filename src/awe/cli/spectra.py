"""``awe spectra``."""

import click

from awe.cli._common import at_option, json_option, print_table
from awe.client import connect

__all__ = ["command"]

_SHOWN = (
    "obs_publisher_did", "target_name", "instrument_name", "em_min", "em_max", "em_res_power", "redshift", "snr",
    "t_exptime", "s_ra", "s_dec",
)  # fmt: skip


@click.command("spectra", context_settings={"ignore_unknown_options": True})
@click.argument("position", required=False)
@click.argument("radius", default="1 arcmin")
@click.option("--target", multiple=True, help="Keep this target, case ignored (may be repeated).")
@click.option("--instrument", multiple=True, help="Keep this instrument (may be repeated).")
@click.option("--collection", multiple=True, help="Keep this collection (may be repeated).")
@click.option(
    "--band", nargs=2, type=float, metavar="LOW HIGH", help="Keep what covers some of these metres."
)
@click.option("--redshift", nargs=2, type=float, metavar="LOW HIGH", help="Keep targets of these redshifts.")
@click.option("--max-rows", type=click.IntRange(0), help="Rows at the most.")
@at_option
@json_option
def command(
    position: str | None,
    radius: str,
    target: tuple[str, ...],
    instrument: tuple[str, ...],
    collection: tuple[str, ...],
    band: tuple[float, float] | None,
    redshift: tuple[float, float] | None,
    max_rows: int | None,
    at: str | None,
    as_json: bool,
) -> None:
    """Print the spectra taken within RADIUS of POSITION, the nearest first; all of them without a position.

    \b
      awe spectra M87 "2 arcmin"
      awe spectra --band 4e-7 7e-7 --collection sdss
    """
    with connect(at) as archive:
        table = archive.spectra(
            position,
            radius,
            target=list(target) or None,
            instrument=list(instrument) or None,
            collection=list(collection) or None,
            band_m=band,
            redshift=redshift,
            max_rows=max_rows,
        )
    print_table(table if as_json else table[[n for n in _SHOWN if n in table.colnames]], as_json=as_json)
