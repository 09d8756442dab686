"""``awe crossmatch``."""

from pathlib import Path
from typing import Literal, cast

import click

from awe.cli._common import at_option, json_option, print_answer
from awe.cli._jobs import watch
from awe.client import connect
from awe.client.catalogs import format_of
from awe.client.crossmatch import Find, Matching
from awe.core.tables.formats import FORMATS, split_part
from awe.errors import ParameterError

__all__ = ["command"]

_WORDS = ("nearest", "all", "mutual")


class _Finds(click.ParamType[Find]):
    """``nearest``, ``all``, ``mutual``, or how many nearest rows."""

    name = "nearest|all|mutual|N"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Find:
        """Return what is to be found."""
        if value in _WORDS:
            return cast("Literal['nearest', 'all', 'mutual']", value)
        if value.isdecimal() and int(value) > 0:
            return int(value)
        return self.fail(f"{value!r} is not nearest, all, mutual or a number of nearest rows", param, ctx)


@click.command("crossmatch")
@click.argument("left")
@click.argument("right")
@click.argument("radius", default="1 arcsec")
@click.option(
    "--find",
    type=_Finds(),
    default="nearest",
    show_default=True,
    help="The nearest row of RIGHT, so many nearest ones, all of them, or each other's nearest.",
)
@click.option("--keep", is_flag=True, help="Keep the rows of LEFT that nothing is near.")
@click.option("--column", "columns", multiple=True, help="Of RIGHT; may be repeated [default: all].")
@click.option("--position", nargs=2, metavar="RA DEC", help="The position columns of LEFT, degrees.")
@click.option("--right-position", nargs=2, metavar="RA DEC", help="Those of RIGHT.")
@click.option("--motion", nargs=2, metavar="PMRA PMDEC", help="Proper motions of LEFT, columns in mas/yr.")
@click.option("--right-motion", nargs=2, metavar="PMRA PMDEC", help="Those of RIGHT, where LEFT has none.")
@click.option("--epoch", metavar="YEAR|COLUMN", help="Of the positions of LEFT.")
@click.option("--right-epoch", metavar="YEAR|COLUMN", help="Of those of RIGHT.")
@click.option("--error", metavar="ANGLE|COLUMN", help="How exact the positions of LEFT are (one sigma).")
@click.option("--right-error", metavar="ANGLE|COLUMN", help="Those of RIGHT.")
@click.option("--sigmas", type=float, default=3.0, show_default=True, help="Largest separation in errors.")
@click.option(
    "--magnitudes",
    type=(str, str, float),
    metavar="COLUMN COLUMN MOST",
    help="A column of each side that differ by no more than MOST.",
)
@click.option("--max-rows", type=click.IntRange(0), help="Rows at the most.")
@click.option(
    "--save", type=click.Path(dir_okay=False, path_type=Path), help="Write the answer to this file."
)
@click.option(
    "--format", "fmt", help="With --save: votable, fits, csv, json or parquet [default: by the name]."
)
@click.option("--into", metavar="MYDB.NAME", help="Make the rows a table of yours, all of them; queued.")
@click.option("--replace", is_flag=True, help="With --into: replace that table if it is there.")
@click.option("--long", is_flag=True, help="Put it into the queue, for large tables, and wait for it.")
@at_option
@json_option
def command(
    left: str,
    right: str,
    radius: str,
    find: Find,
    keep: bool,
    columns: tuple[str, ...],
    position: tuple[str, str] | None,
    right_position: tuple[str, str] | None,
    motion: tuple[str, str] | None,
    right_motion: tuple[str, str] | None,
    epoch: str | None,
    right_epoch: str | None,
    error: str | None,
    right_error: str | None,
    sigmas: float,
    magnitudes: tuple[str, str, float] | None,
    max_rows: int | None,
    save: Path | None,
    fmt: str | None,
    into: str | None,
    replace: bool,
    long: bool,
    at: str | None,
    as_json: bool,
) -> None:
    """Print the rows of LEFT with the rows of RIGHT within RADIUS of them (1 arcsec), and their separations.

    LEFT is a file (VOTable, FITS, CSV, Parquet ...; file.fits[EVENTS] names one table of several) or a table of the
    archive; RIGHT is a table of the archive, where they are matched.

    \b
      awe crossmatch candidates.vot hsc.SumCat
      awe crossmatch candidates.vot hsc.SumCat "2 arcsec" --find all --save pairs.fits
      awe crossmatch candidates.vot hsc.SumCat --column MatchID --column CI --keep
      awe crossmatch hsc.SumCat sdss.PhotoObj "1 arcsec" --find mutual --into mydb.both
      awe crossmatch stars.fits gaia.source --motion pmra pmdec --epoch 2000 --right-epoch 2016

    With --long and --into it may take longer (an hour, unless the operator says otherwise), tells how many parts of
    the sky it has been through, and goes on when you stop waiting for it (Ctrl-C).
    """
    if save and into:
        raise click.UsageError("--save and --into: the rows go to one place")
    how: Matching = {
        "find": find,
        "keep": keep,
        "columns": columns or None,
        "position": position,
        "right_position": right_position,
        "motion": motion,
        "right_motion": right_motion,
        "epoch": _year(epoch),
        "right_epoch": _year(right_epoch),
        "error": error,
        "right_error": right_error,
        "sigmas": sigmas,
        "magnitudes": magnitudes,
    }
    fmt = fmt or (format_of(save) if save else None)
    table = _table(left)
    with connect(at) as archive:
        if long or into:
            job = archive.submit_crossmatch(
                table, right, radius, max_rows=max_rows, into=into, replace=replace, format=fmt, **how
            )
            watch(job, quiet=as_json)
            print_answer(job.result(save) if save else job.results(), as_json=as_json)
        else:
            found = archive.crossmatch(table, right, radius, max_rows=max_rows, save=save, format=fmt, **how)
            print_answer(found, as_json=as_json)


def _table(left: str) -> str | Path:
    """Return the file that is there, or else the name of a table of the archive.

    Raises
    ------
    ParameterError
        If it can only be meant as a file, and there is none.
    """
    path = split_part(Path(left).expanduser())[0]
    if path.exists():
        return Path(left)
    endings = tuple(ending for one in FORMATS.values() for ending in one.extensions)
    if path.name.lower().endswith(endings) or len(path.parts) > 1:
        raise ParameterError("left", left, "there is no such file")
    return left


def _year(said: str | None) -> float | str | None:
    """Return a Julian year as a number, and the name of a column as it is."""
    try:
        return said if said is None else float(said)
    except ValueError:
        return said
