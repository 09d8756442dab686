"""``awe publish table``, ``observations`` and ``margins``: operator commands over the platform."""

import json
from pathlib import Path
from typing import Any

import click

from awe.cli._archive import data_option, open_archive
from awe.cli._common import json_option
from awe.cli._progress import Progress
from awe.services.identity import MACHINE

__all__ = ["command"]


class _Folder(click.Path):
    """A folder of this machine, or the address of one in an object store."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return Path(value) if "://" in str(value) else super().convert(value, param, ctx)


@click.group("publish")
def command() -> None:
    """Publish tables, images, spectra and time series in the archive of a data folder.

    What is published is visible at once in a running service, whole or not at all.
    """


@command.command("table")
@click.argument("name")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--ra", help="Column of right ascension, ICRS degrees [default: by UCD or name].")
@click.option("--dec", help="Column of declination, ICRS degrees [default: by UCD or name].")
@click.option(
    "--describe",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TOML file that completes units, UCDs, descriptions, and declares functions.",
)
@click.option("--replace", is_flag=True, help="Put a new version in place of a published table.")
@data_option
@json_option
def publish_table(
    name: str,
    files: tuple[Path, ...],
    ra: str | None,
    dec: str | None,
    describe: Path | None,
    replace: bool,
    data: Path | None,
    as_json: bool,
) -> None:
    """Publish FILES (Parquet, FITS, VOTable, ECSV, CSV; gzip too) as the table NAME (schema.table).

    \b
      awe publish table gaia.dr3_m87 part1.parquet part2.parquet
      awe publish table hsc.SumCat sumcat.csv.gz --ra MatchRA --dec MatchDec --describe sumcat.toml

    Of a FITS file the first binary table is taken, or the one that file.fits[2] or 'file.fits[EVENTS]' names; of a
    VOTable with several tables 'file.vot[stars]' or file.vot[2] names one.
    Stopped in the middle, the same command goes on where it was.
    """
    with open_archive(data) as platform, Progress(quiet=as_json) as progress:
        record = platform.catalogs.publish(
            name, files, ra=ra, dec=dec, describe=describe, replace=replace, progress=progress
        )
    about = {
        "table": f"{record.schema}.{record.name}",
        "rows": record.rows,
        "columns": len(record.columns),
        "bytes": record.bytes,
        "ra": record.ra,
        "dec": record.dec,
    }
    if as_json:
        print(json.dumps(about))
    else:
        where = (
            f"positions in {record.ra}, {record.dec}"
            if record.ra
            else "no positions (--ra and --dec name them)"
        )
        rows = f"{record.rows:,} row{'' if record.rows == 1 else 's'}"
        click.echo(f"published {about['table']}: {rows}, {len(record.columns)} columns, {where}")


@command.command("observations")
@click.argument("name")
@click.argument("folder", type=_Folder(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--describe",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TOML file with what the headers do not say.",
)
@click.option("--replace", is_flag=True, help="Forget what the collection held before.")
@data_option
@json_option
def publish_observations(
    name: str, folder: Path, describe: Path | None, replace: bool, data: Path | None, as_json: bool
) -> None:
    """Publish the data in FOLDER, or of an object store, as the collection NAME; the files stay where they are.

    \b
      awe publish observations hla /data/hla --describe hla.toml
      awe publish observations sdss /data/sdss/spectra
      awe publish observations survey s3://survey/dr1

    What is there is found out file by file: images and cubes with a celestial WCS, spectra (SDSS, DESI, HST and
    many others; FITS, VOTable, text), light curves. A file that cannot be used is named with its HDU and the
    reason; the others are published. "publish images" and "publish spectra" are other names of this command.
    """
    with open_archive(data) as platform, Progress(quiet=as_json) as progress:
        report = platform.observations.publish(
            name, folder, describe=describe, replace=replace, progress=progress
        )
    rejected = [{"file": str(file), "hdu": hdu, "reason": reason} for file, hdu, reason in report.rejected]
    if as_json:
        print(json.dumps({"collection": name, "published": report.published, "rejected": rejected}))
        return
    for item in rejected:
        where = f", HDU {item['hdu']}" if item["hdu"] is not None else ""
        click.secho(f"rejected {item['file']}{where}: {item['reason']}", fg="yellow", err=True)
    datasets = f"{report.published:,} dataset{'' if report.published == 1 else 's'}"
    click.echo(f"published {name}: {datasets} of {report.found:,} files")


@command.command("margins")
@click.argument("names", metavar="TABLE...", nargs=-1, required=True)
@data_option
def make_margins(names: tuple[str, ...], data: Path | None) -> None:
    """Make the margins of each TABLE, so that nobody waits for them who opens it in place for a cross-match.

    \b
      awe publish margins gaia.source hsc.SumCat

    Without this they are made when somebody first asks for them. A new version of a table has new ones.
    """
    with open_archive(data) as platform:
        for name in names:
            with Progress() as progress:
                made = platform.catalogs.make_margins(name, MACHINE, progress)
            size = sum(path.stat().st_size for path in made.root.rglob("*.parquet"))
            click.echo(f"{made.record.full_name}: {size:,} bytes of margins")


# people look for the word of what they have
for _word in ("images", "spectra"):
    command.add_command(publish_observations, _word)
