"""``awe tables``: the tables of an archive, and your own."""

import json
from pathlib import Path
from typing import Any, Literal

import click

from awe.cli._common import at_option, json_option, print_table, value_table
from awe.client import TableInfo, connect

__all__ = ["command"]

_FACTS = ("ucd", "unit", "utype", "description")


@click.group("tables")
def command() -> None:
    """The tables of the archive, and your own, which are called mydb.NAME.

    \b
      awe tables ls
      awe tables show hsc.SumCat
      awe tables load candidates.csv mydb.candidates
      awe tables export mydb.candidates candidates.fits
    """


_name = click.argument("name", metavar="TABLE")


@command.command("ls")
@click.option("--own", "of", flag_value="own", help="Only yours.")
@click.option("--shared", "of", flag_value="shared", help="Only those that others shared with you.")
@click.option("--published", "of", flag_value="published", help="Only those of the archive.")
@click.option("--dropped", "of", flag_value="dropped", help="Yours that were dropped and can be restored.")
@at_option
@json_option
def ls(of: Literal["own", "shared", "published", "dropped"] | None, at: str | None, as_json: bool) -> None:
    """List the tables that you may read."""
    with connect(at) as archive:
        if of == "dropped":
            gone: list[tuple[Any, ...]] = [
                (v.name, str(v.version), v.rows, _moment(v.ended), v.origin) for v in archive.tables.dropped()
            ]
            _print(("table", "version", "rows", "dropped", "origin"), gone, as_json=as_json)
            return
        found = archive.tables.list(of)
    rows = [(t.name, t.owner, t.rows, t.ra, t.dec, t.title or t.description) for t in found]
    _print(("table", "owner", "rows", "ra", "dec", "title"), rows, as_json=as_json)


@command.command("show")
@_name
@at_option
@json_option
def show(name: str, at: str | None, as_json: bool) -> None:
    """Print the columns of TABLE, with units and UCDs."""
    with connect(at) as archive:
        found = archive.tables.show(name)
    if not as_json:
        _about(found)
    print_table(found.columns, as_json=as_json, most=None)


@command.command("statistics")
@_name
@at_option
@json_option
def statistics(name: str, at: str | None, as_json: bool) -> None:
    """Print what the values of TABLE are like, column by column."""
    with connect(at) as archive:
        found = archive.tables.statistics(name)
    rows = [
        (one.name, _word(one.minimum), _word(one.maximum), one.nulls, _word(one.distinct)) for one in found
    ]
    _print(("column", "least", "greatest", "missing", "different"), rows, as_json=as_json)


@command.command("load")
@click.argument("file")
@_name
@click.option("--append", "mode", flag_value="append", help="Add the rows to the table of that name.")
@click.option("--replace", "mode", flag_value="replace", help="Let the file be a new version of the table.")
@click.option("--ra", help="Column of right ascensions, degrees; recognised without it, none if empty.")
@click.option("--dec", help="Column of declinations; likewise.")
@click.option("--title", default="", help="What it is, in a few words.")
@click.option("--description", default="", help="What it is.")
@at_option
@json_option
def load(
    file: str,
    name: str,
    mode: Literal["append", "replace"] | None,
    ra: str | None,
    dec: str | None,
    title: str,
    description: str,
    at: str | None,
    as_json: bool,
) -> None:
    """Make FILE a table of yours: CSV, ECSV, FITS, VOTable, Parquet; file.fits[EVENTS] names one table of several.

    When it breaks off, the same command goes on where it stopped.
    """
    with connect(at) as archive:
        made = archive.tables.load(
            file, name, mode=mode or "create", ra=ra, dec=dec, title=title, description=description
        )
    _made(made, as_json=as_json)


@command.command("export")
@_name
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--format", "fmt", help="votable, fits, csv, ecsv, parquet ... [default: by the name].")
@at_option
def export(name: str, file: Path, fmt: str | None, at: str | None) -> None:
    """Write TABLE, whole, to FILE."""
    with connect(at) as archive:
        path = archive.tables.export(name, file, format=fmt)
    click.echo(f"{path}: {path.stat().st_size:,} bytes")


@command.command("index")
@_name
@click.option("--ra", help="Column of right ascensions, degrees, ICRS.")
@click.option("--dec", help="Column of declinations.")
@at_option
@json_option
def index(name: str, ra: str | None, dec: str | None, at: str | None, as_json: bool) -> None:
    """Say which columns of TABLE are positions, for searches on the sky; without them, that none are."""
    with connect(at) as archive:
        _made(archive.tables.index(name, ra, dec), as_json=as_json)


@command.command("extend")
@_name
@click.argument("columns", nargs=-1, metavar="[COLUMN]...")
@at_option
@json_option
def extend(name: str, columns: tuple[str, ...], at: str | None, as_json: bool) -> None:
    """Add columns computed from the positions of TABLE: htm9 ring256 nest4096 random_id glon glat elon elat."""
    with connect(at) as archive:
        _made(archive.tables.extend(name, columns), as_json=as_json)


def _words(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, Any]:
    columns: dict[str, dict[str, str]] = {}
    for one in given:
        place, equals, value = one.partition("=")
        column, _, fact = place.rpartition(".")
        if not (equals and column and fact in _FACTS):
            hint = f"COLUMN.FACT=VALUE, such as flux.unit=mJy; a fact is one of {', '.join(sorted(_FACTS))}"
            raise click.BadParameter(f"{one}: {hint}")
        columns.setdefault(column, {})[fact] = value
    return columns


@command.command("describe")
@_name
@click.option("--title", help="What it is, in a few words.")
@click.option("--description", help="What it is.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="COLUMN.FACT=VALUE",
    callback=_words,
    help="unit, ucd, utype or description of a column, such as flux.unit=mJy; may be repeated.",
)
@at_option
@json_option
def describe(
    name: str,
    title: str | None,
    description: str | None,
    columns: dict[str, dict[str, str]],
    at: str | None,
    as_json: bool,
) -> None:
    """Say what TABLE and its columns are; what is left out stays."""
    with connect(at) as archive:
        found = archive.tables.describe(name, title=title, description=description, columns=columns)
    _made(found, as_json=as_json)


@command.command("rename")
@_name
@click.argument("to")
@at_option
@json_option
def rename(name: str, to: str, at: str | None, as_json: bool) -> None:
    """Give TABLE the name TO; those whom you let read it still may."""
    with connect(at) as archive:
        _made(archive.tables.rename(name, to), as_json=as_json)


@command.command("copy")
@_name
@click.argument("to")
@at_option
@json_option
def copy(name: str, to: str, at: str | None, as_json: bool) -> None:
    """Copy TABLE, of whomever, into TO, which is yours."""
    with connect(at) as archive:
        _made(archive.tables.copy(name, to), as_json=as_json)


@command.command("drop")
@click.argument("names", metavar="TABLE...", nargs=-1, required=True)
@at_option
def drop(names: tuple[str, ...], at: str | None) -> None:
    """Drop tables of yours; `awe tables restore` brings them back for some time."""
    with connect(at) as archive:
        for name in names:
            archive.tables.drop(name)
            click.echo(f"dropped {name}")


@command.command("versions")
@_name
@at_option
@json_option
def versions(name: str, at: str | None, as_json: bool) -> None:
    """List the versions of TABLE that are kept, the oldest first."""
    with connect(at) as archive:
        found = archive.tables.versions(name)
    rows = [
        (str(v.version), v.rows, v.bytes, _moment(v.created), _moment(v.ended) or "current", v.origin)
        for v in found
    ]
    _print(("version", "rows", "bytes", "made", "until", "origin"), rows, as_json=as_json)


@command.command("restore")
@_name
@click.option(
    "--version", type=click.IntRange(1), help="Its number [default: the newest that is not current]."
)
@at_option
@json_option
def restore(name: str, version: int | None, at: str | None, as_json: bool) -> None:
    """Bring back TABLE, which was dropped, or an earlier version of it."""
    with connect(at) as archive:
        _made(archive.tables.restore(name, version), as_json=as_json)


@command.command("share")
@_name
@click.argument("principal", metavar="WHO")
@click.option("--write", is_flag=True, help="WHO may change it, too.")
@click.option("--days", type=float, help="So long; for good without it.")
@at_option
def share(name: str, principal: str, write: bool, days: float | None, at: str | None) -> None:
    """Let WHO read TABLE: user:NAME, group:NAME, role:NAME or everybody."""
    with connect(at) as archive:
        made = archive.tables.share(name, principal, days=days)
        if write:
            made = archive.tables.share(name, principal, days=days, action="write")
    click.echo(f"{made.principal} may {made.action} {name} ({made.id})")


def _moment(when: Any) -> str:
    return f"{when:%Y-%m-%d %H:%M}" if when else ""


def _print(names: tuple[str, ...], rows: list[tuple[Any, ...]], *, as_json: bool) -> None:
    print_table(value_table(names, rows), as_json=as_json, most=None)


def _about(found: TableInfo) -> None:
    for line in (found.title, found.description):
        if line:
            click.echo(line)
    facts = [f"{found.rows:,} rows", f"{found.bytes:,} bytes", f"version {found.version}"]
    if found.ra:
        facts.append(f"positions in {found.ra} and {found.dec}")
    click.echo(f"{found.name}: {', '.join(facts)}")


def _made(found: TableInfo, *, as_json: bool) -> None:
    if as_json:
        said = {
            "table": found.name, "owner": found.owner, "rows": found.rows, "bytes": found.bytes,
            "ra": found.ra, "dec": found.dec, "version": found.version, "title": found.title,
        }  # fmt: skip
        print(json.dumps(said))
        return
    _about(found)


def _word(value: object) -> str:
    return "" if value is None else str(value)
