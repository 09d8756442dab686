"""``awe query``."""

import json
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import click

from awe.cli._common import at_option, json_option, print_answer
from awe.cli._jobs import watch
from awe.client import Client, connect
from awe.client.catalogs import format_of
from awe.errors import AweError

__all__ = ["command"]


def _uploads(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for one in given:
        name, equals, file = one.partition("=")
        if not (name and equals and file):
            raise click.BadParameter(f"{one!r} is not NAME=FILE")
        if name in found:
            raise click.BadParameter(f"{name} is given twice")
        found[name] = file
    return found


@click.command("query")
@click.argument("sql")
@click.option(
    "--lang",
    type=click.Choice(["adql", "tsql", "postgres"]),
    default="adql",
    show_default=True,
    help="adql: the VO's SQL; tsql: as in CasJobs; postgres: as in Data Lab, with q3c.",
)
@click.option("--into", metavar="MYDB.NAME", help="Make the rows a table of yours, all of them.")
@click.option("--replace", is_flag=True, help="With --into: replace that table if it is there.")
@click.option("--context", help="Schema in which unqualified names are looked up, e.g. HSC.")
@click.option("--max-rows", type=click.IntRange(0), help="Rows at the most.")
@click.option(
    "--save", type=click.Path(dir_okay=False, path_type=Path), help="Write the answer to this file."
)
@click.option(
    "--format", "fmt", help="With --save: votable, fits, csv, json or parquet [default: by the name]."
)
@click.option(
    "--upload",
    "uploads",
    multiple=True,
    metavar="NAME=FILE",
    callback=_uploads,
    help="A table that the query reads as TAP_UPLOAD.NAME; may be repeated.",
)
@click.option(
    "--long", is_flag=True, help="Put it into the queue, for queries that take minutes, and wait for it."
)
@click.option("--estimate", is_flag=True, help="Say what the query would read, and do not run it.")
@at_option
@json_option
def command(
    sql: str,
    lang: Literal["adql", "tsql", "postgres"],
    context: str | None,
    into: str | None,
    replace: bool,
    max_rows: int | None,
    save: Path | None,
    fmt: str | None,
    uploads: dict[str, str],
    long: bool,
    estimate: bool,
    at: str | None,
    as_json: bool,
) -> None:
    """Run SQL next to the data; "-" reads it from standard input.

    \b
      awe query "SELECT TOP 5 * FROM hsc.SumCat WHERE CI > 1.05"
      awe query "SELECT COUNT(*) FROM hsc.SumCat
                 WHERE 1 = CONTAINS(POINT(MatchRA, MatchDec), CIRCLE(187.706, 12.391, 0.05))"
      awe query --lang tsql --context HSC \\
                "SELECT TOP 5 MatchID FROM SearchSumCatalog(187.706, 12.351, 500.0, 1)"
      awe query "SELECT * FROM hsc.SumCat" --max-rows 1000000 --save sumcat.parquet
      awe query --upload mine=candidates.vot "SELECT m.*, s.MatchID FROM TAP_UPLOAD.mine AS m
                JOIN hsc.SumCat AS s ON DISTANCE(m.ra, m.dec, s.MatchRA, s.MatchDec) < 0.001"

    In T-SQL and PostgreSQL it may be several statements, which make and change tables of yours, too.

    \b
      awe query --into mydb.bright "SELECT * FROM hsc.SumCat WHERE A_F814W < 20"
      awe query --lang tsql --context HSC "SELECT MatchID INTO mydb.ids FROM SumCat; SELECT COUNT(*) FROM mydb.ids"

    With --estimate nothing is run: it says how many rows, bytes and files the query would read, and where.

    With --long the query may take longer (an hour, unless the operator says otherwise), and goes on when you
    stop waiting for it (Ctrl-C). What it will read is said first.
    """
    if save and into:
        raise click.UsageError("--save and --into: the rows go to one place")
    if estimate and (save or into or long):
        raise click.UsageError("--estimate does not run the query")
    text = sys.stdin.read() if sql == "-" else sql
    with connect(at) as archive:
        if estimate:
            told = archive.estimate(text, lang=lang, context=context, uploads=uploads)
            click.echo(json.dumps(asdict(told)) if as_json else str(told))
        elif long:
            if not (as_json or uploads):
                _foresee(archive, text, lang, context)
            fmt = fmt or (format_of(save) if save else None)
            job = archive.submit(
                text,
                lang=lang,
                context=context,
                into=into,
                replace=replace,
                max_rows=max_rows,
                format=fmt,
                uploads=uploads,
            )
            watch(job, quiet=as_json)
            print_answer(job.result(save) if save else job.results(), as_json=as_json)
        elif save:
            saved = archive.query(
                text, lang=lang, context=context, max_rows=max_rows, save=save, format=fmt, uploads=uploads
            )
            print_answer(saved, as_json=as_json)
        else:
            found = archive.sql(
                text,
                lang=lang,
                context=context,
                into=into,
                replace=replace,
                max_rows=max_rows,
                uploads=uploads,
            )
            print_answer(found, as_json=as_json)


def _foresee(
    archive: Client, text: str, lang: Literal["adql", "tsql", "postgres"], context: str | None
) -> None:
    """Say what a job is going to read; nothing of several statements, and of what is wrong the job says it."""
    with suppress(AweError):
        click.echo(archive.estimate(text, lang=lang, context=context), err=True)
