"""``awe images``."""

import click

from awe.cli._common import at_option, json_option, print_table
from awe.client import Client, connect

__all__ = ["command"]

_SHOWN = (
    "obs_id",
    "obs_collection",
    "instrument_name",
    "spectral_elt",
    "calib_level",
    "t_exptime",
    "s_ra",
    "s_dec",
    "target_name",
)


@click.command("images", context_settings={"ignore_unknown_options": True})
@click.argument("position", required=False)
@click.argument("size", default="0")
@click.option("--instrument", multiple=True, help="Keep this instrument (may be repeated).")
@click.option("--collection", multiple=True, help="Keep this collection (may be repeated).")
@click.option(
    "--level", multiple=True, type=click.IntRange(0, 4), help="Keep this calibration level (may be repeated)."
)
@click.option("--min-exposure", type=float, help="Seconds.")
@click.option("--max-rows", type=click.IntRange(0), help="Rows at the most.")
@at_option
@json_option
def command(
    position: str | None,
    size: str,
    instrument: tuple[str, ...],
    collection: tuple[str, ...],
    level: tuple[int, ...],
    min_exposure: float | None,
    max_rows: int | None,
    at: str | None,
    as_json: bool,
) -> None:
    """Print the images that touch a circle of radius SIZE around POSITION; all of them without a position.

    \b
      awe images M87
      awe images "12:30:49.4 +12:23:28"
      awe images "187.7059 12.3911" "2 arcmin" --instrument ACS/WFC --min-exposure 1000
    """
    with connect(at) as archive:
        table = archive.images(
            position,
            size,
            instrument=instrument or None,
            collection=collection or None,
            calib_level=level or None,
            exposure_s=None if min_exposure is None else (min_exposure, float("inf")),
            max_rows=max_rows,
        )
        others = "" if len(table) else _others(archive, instrument, collection)
    print_table(table if as_json else table[[n for n in _SHOWN if n in table.colnames]], as_json=as_json)
    if others and not as_json:
        click.echo(f"hint: {others}", err=True)


def _others(archive: Client, instrument: tuple[str, ...], collection: tuple[str, ...]) -> str:
    """Say which instruments or collections there are, of what was asked for."""
    asked = {"instrument_name": instrument, "obs_collection": collection}
    every = archive.images()
    known = {column: sorted(set(map(str, every[column]))) for column, values in asked.items() if values}
    return "; ".join(
        f"{column} is {', '.join(values)}, written just so" for column, values in known.items() if values
    )
