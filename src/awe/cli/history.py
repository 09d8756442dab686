"""``awe history``: what you asked, and what became of it."""

import json

import click

from awe.cli._common import at_option, json_option, print_table, print_tables, text_table
from awe.cli._jobs import watch
from awe.client import PastQuery, connect

__all__ = ["command"]

_LAST = 50


@click.group("history")
def command() -> None:
    """Your queries, whichever client asked them, failed ones too. Log in first: `awe login`.

    \b
      awe history ls                    the newest
      awe history ls "FROM hsc.SumCat"  those with this in them
      awe history name ID "compact"     then the name stands for it

    A QUERY is named by its ID or by the name that you gave it.
    """


_query = click.argument("which", metavar="QUERY")


@command.command("ls")
@click.argument("text", default="")
@click.option("--phase", help="Only queries in this phase, e.g. ERROR.")
@click.option("--last", type=click.IntRange(1), default=_LAST, show_default=True, help="So many at the most.")
@click.option("--shared", is_flag=True, help="Those that others let you see, instead of yours.")
@at_option
@json_option
def ls(text: str, phase: str | None, last: int, shared: bool, at: str | None, as_json: bool) -> None:
    """List queries, the newest first: those with TEXT in the query, its name, its table or what went wrong."""
    with connect(at) as archive:
        found = archive.history.find(text, phase=phase, last=last, shared=shared)
    names = ("id", "begun", "phase", "rows", "seconds", "name", "query")
    rows = [
        (
            q.id,
            f"{q.begun:%Y-%m-%d %H:%M:%S}",
            q.phase,
            _number(q.rows),
            _number(q.seconds),
            q.name,
            _line(q.query),
        )
        for q in found
    ]
    print_table(text_table(names, rows), as_json=as_json, most=None)


@command.command("show")
@_query
@at_option
@json_option
def show(which: str, at: str | None, as_json: bool) -> None:
    """Print a query, and what became of it."""
    with connect(at) as archive:
        found = archive.history.get(which)
    _print(found, as_json=as_json)


@command.command("rerun")
@_query
@click.option("--into", metavar="MYDB.NAME", help="Make the rows a table of yours, all of them.")
@click.option("--replace", is_flag=True, help="Replace the table that the rows go to if it is there.")
@click.option("--long", is_flag=True, help="Put it into the queue, and wait for it.")
@at_option
@json_option
def rerun(which: str, into: str | None, replace: bool, long: bool, at: str | None, as_json: bool) -> None:
    """Run a query again."""
    with connect(at) as archive:
        if long:
            job = archive.history.resubmit(which, into=into, replace=replace)
            watch(job, quiet=as_json)
            print_tables(job.results(), as_json=as_json)
        else:
            print_tables(archive.history.rerun(which, into=into, replace=replace), as_json=as_json)


@command.command("name")
@_query
@click.argument("name")
@at_option
def name(which: str, name: str, at: str | None) -> None:
    """Give a query a NAME; an empty one takes it away."""
    with connect(at) as archive:
        done = archive.history.name(which, name)
    click.echo(f"{done.id} is called {done.name}" if done.name else f"{done.id} has no name")


@command.command("share")
@_query
@click.argument("principal", metavar="WHO")
@click.option("--days", type=float, help="So long; for good without it.")
@at_option
def share(which: str, principal: str, days: float | None, at: str | None) -> None:
    """Let WHO read a query, and not its rows: user:NAME, group:NAME, role:NAME or everybody."""
    with connect(at) as archive:
        made = archive.history.share(which, principal, days=days)
    click.echo(f"{made.principal} may read {made.thing} ({made.id})")


@command.command("forget")
@click.argument("queries", metavar="QUERY...", nargs=-1, required=True)
@at_option
def forget(queries: tuple[str, ...], at: str | None) -> None:
    """Remove queries from the history; jobs stay."""
    with connect(at) as archive:
        for which in queries:
            archive.history.forget(which)
            click.echo(f"forgot {which}")


def _line(text: str) -> str:
    return " ".join(text.split())[:60]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}" if isinstance(value, float) else str(value)


def _print(found: PastQuery, *, as_json: bool) -> None:
    said = {
        "id": found.id,
        "name": found.name,
        "phase": found.phase,
        "begun": found.begun.isoformat(),
        "seconds": found.seconds,
        "rows": found.rows,
        "bytes": found.bytes,
        "engine": found.engine,
        "language": found.lang,
        "context": found.context,
        "into": found.into,
        "face": found.face,
        "job": found.job,
        "message": found.message,
        "query": found.query,
    }
    if as_json:
        print(json.dumps(said))
        return
    for title, value in said.items():
        if value not in {None, ""}:
            click.echo(f"{title:<9} {value}")
