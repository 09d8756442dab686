"""``awe hips``: sky maps in tiles, an operator command over the platform."""

import json
from pathlib import Path

import click

from awe.cli._archive import data_option, open_archive
from awe.cli._common import json_option
from awe.cli._progress import Progress
from awe.services.identity import MACHINE

__all__ = ["command"]


@click.group("hips")
def command() -> None:
    """Make HiPS (sky maps in tiles) from the images of the archive of a data folder.

    Aladin and other programs find them at /hipslist of the running service.
    """


@command.command("make")
@click.argument("collection")
@click.option("--filter", "filters", multiple=True, help="Only images of this filter (may be repeated).")
@click.option("--name", help="Name of the HiPS [default: COLLECTION-FILTER].")
@click.option(
    "--order", type=click.IntRange(0, 20), help="Deepest order of tiles [default: keeps the images' pixels]."
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(["png", "jpeg", "fits"]),
    default=("png", "fits"),
    show_default=True,
    help="Of the tiles (may be repeated); the first one is what clients shall prefer.",
)
@click.option("--blank", type=float, help="Value of pixels without data, besides NaN: 0 in many mosaics.")
@click.option("--workers", type=click.IntRange(1), help="Processes [default: one for each processor].")
@data_option
@json_option
def make(
    collection: str,
    filters: tuple[str, ...],
    name: str | None,
    order: int | None,
    formats: tuple[str, ...],
    blank: float | None,
    workers: int | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Make a HiPS of the images of COLLECTION, or make it anew.

    \b
      awe hips make hla --filter F814W
      awe hips make survey --order 9 --blank 0 --format jpeg --format fits

    Where images overlap their mean is taken. A running service shows the HiPS as soon as all of it is there.
    Stopped in the middle, the same command goes on where it was.
    """
    with open_archive(data) as platform, Progress(quiet=as_json) as progress:
        made = platform.hips.make(
            collection, name=name, filters=filters, order=order, formats=formats, blank=blank,
            workers=workers, progress=progress,
        )  # fmt: skip
    about = made.properties
    if as_json:
        print(json.dumps({"name": made.name, **about}))
    else:
        click.echo(
            f"made {made.name}: {about['obs_title']}, to order {about['hips_order']}, "
            f"{int(about['hips_estsize']):,} kB, {about['hips_tile_format']}; served at /hips/{made.name}"
        )


@command.command("list")
@data_option
@json_option
def list_all(data: Path | None, as_json: bool) -> None:
    """Print the HiPS of the archive."""
    with open_archive(data) as platform:
        every = platform.hips.all(MACHINE)
    if as_json:
        print(json.dumps([{"name": one.name, **one.properties} for one in every]))
        return
    for one in every:
        about = one.properties
        click.echo(
            f"{one.name}  {about['obs_title']}, to order {about['hips_order']}, {about['hips_tile_format']}"
        )


@command.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@data_option
def remove(name: str, yes: bool, data: Path | None) -> None:
    """Remove the HiPS NAME; the images it was made from stay."""
    with open_archive(data) as platform:
        platform.hips.get(name, MACHINE)
        if not yes:
            click.confirm(f"Remove the HiPS {name}?", abort=True)
        platform.hips.drop(name)
    click.echo(f"removed {name}")
