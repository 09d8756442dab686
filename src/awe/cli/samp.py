"""``awe samp``."""

from pathlib import Path

import click

from awe.cli._common import at_option
from awe.client import connect
from awe.client.samp import wait_for_listeners
from awe.errors import NotFoundError

__all__ = ["command"]


@click.command("samp")
@click.argument("results", nargs=-1, required=True, metavar="RESULT...")
@click.option("--to", metavar="PROGRAM", help="Only to programs whose name holds this, such as topcat.")
@click.option(
    "--wait", type=click.FloatRange(0), default=60.0, show_default=True,
    help="Seconds to wait for a program to be there.",
)  # fmt: skip
@at_option
def command(results: tuple[str, ...], to: str | None, wait: float, at: str | None) -> None:
    """Show each RESULT in TOPCAT, Aladin or DS9 on this computer: a file, an image or spectrum by its name, or a query.

    \b
      awe samp sumcat.parquet
      awe samp hst_9401_02_acs_wfc_total --to aladin
      awe samp "SELECT TOP 1000 * FROM hsc.SumCat" --to topcat

    Tables go as VOTable, images and spectra as FITS. Where no hub is running one is started here, and the
    command waits for a program to connect to it.
    """
    if not wait_for_listeners(0):
        click.echo(f"nobody is there yet: start TOPCAT, Aladin or DS9 (waiting {wait:g} s)", err=True)
        if not wait_for_listeners(wait):
            raise NotFoundError("no program came", hint="start TOPCAT, Aladin or DS9 and try again")
    with connect(at) as archive:
        for result in results:
            if result.lstrip().upper().startswith(("SELECT", "WITH")):
                took = archive.broadcast(archive.query(result), to, name="query")
            else:
                took = archive.broadcast(result, to, name=Path(result).name)
            click.echo(f"{result}: {', '.join(took)}")
