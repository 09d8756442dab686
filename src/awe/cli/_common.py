"""Options and output that commands share."""

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar

import click
from astropy.table import Table

__all__ = ["at_option", "json_option", "print_answer", "print_table", "print_tables", "text_table"]

F = TypeVar("F", bound=Callable[..., Any])


def at_option(function: F) -> F:
    """Add ``--at``: the service or the data folder to ask."""
    return click.option(
        "--at",
        metavar="URL|FOLDER",
        help="Service or data folder to ask [default: AWE_URL, else http://127.0.0.1:8765].",
    )(function)


def json_option(function: F) -> F:
    """Add ``--json``: output for programs."""
    return click.option("--json", "as_json", is_flag=True, help="Write JSON, for programs.")(function)


def _rows_of(table: Table) -> list[dict[str, Any]]:
    """Return a table's rows as JSON values; masked values are None."""
    columns = {name: _json_values(table[name]) for name in table.colnames}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _json_values(column: Any) -> list[Any]:
    values = column.tolist()
    return [None if isinstance(v, float) and v != v else v for v in values]  # noqa: PLR0124  # NaN


def text_table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Return a table of texts, for `print_table`."""
    return Table(rows=rows or None, names=names, dtype=(str,) * len(names))


def value_table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """Return a table of numbers and texts, for `print_table`."""
    return Table(rows=[tuple(row) for row in rows], names=names) if rows else text_table(names, ())


def print_table(table: Table, *, as_json: bool, most: int | None = 50) -> None:
    """Print a table for people or as JSON.

    For people: at most `most` rows, and in a terminal as many columns as fit; what is left out is said.
    """
    if as_json:
        print(json.dumps({"rows": _rows_of(table), "overflow": bool(table.meta.get("overflow"))}))
        return
    shown = table if most is None else table[:most]
    columns = [_cells(shown, name) for name in table.colnames]
    fitting = _fitting(columns) if sys.stdout.isatty() else len(columns)
    for line in zip(*columns[:fitting], strict=True):
        print("  ".join(line).rstrip())
    notes = [
        f"{len(table):,} row{'' if len(table) == 1 else 's'}",
        f"{len(table) - len(shown):,} of them not shown" if len(shown) < len(table) else "",
        f"{len(columns) - fitting} columns do not fit" if fitting < len(columns) else "",
        "cut at the row limit: --max-rows asks for more" if table.meta.get("overflow") else "",
    ]
    click.echo("; ".join(note for note in notes if note), err=True)


def print_tables(tables: Table | list[Table], *, as_json: bool) -> None:
    """Print one table after the other; as JSON one a line."""
    for table in tables if isinstance(tables, list) else [tables]:
        print_table(table, as_json=as_json)


def print_answer(found: Path | Table | list[Table], *, as_json: bool) -> None:
    """Print the tables that a query gave, or which file holds them and how large it is."""
    if isinstance(found, Path):
        size = found.stat().st_size
        click.echo(json.dumps({"file": str(found), "bytes": size}) if as_json else f"{found}: {size:,} bytes")
    else:
        print_tables(found, as_json=as_json)


def _cells(table: Table, name: str) -> list[str]:
    """Return a column as text, its heading first, all of one width."""
    column = table[name]
    heading = f"{name} [{column.unit}]" if column.unit else name
    words = [heading, *("" if v is None else _text(v) for v in _json_values(column))]
    width = max(map(len, words))
    return [w.rjust(width) if column.dtype.kind in "iuf" else w.ljust(width) for w in words]


def _fitting(columns: list[list[str]]) -> int:
    """Return how many columns a line of the terminal holds; one at least."""
    room = shutil.get_terminal_size().columns
    ends = accumulate(len(column[0]) + 2 for column in columns)
    return max(1, sum(end - 2 <= room for end in ends))


def _text(value: Any) -> str:
    return f"{value:.9g}" if isinstance(value, float) else str(value)
