"""Options and output that commands share."""

import json
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click
from astropy.table import Table
from rich.console import Console
from rich.table import Table as RichTable

__all__ = ["at_option", "json_option", "print_table", "rows_of"]

F = TypeVar("F", bound=Callable[..., Any])


def at_option(function: F) -> F:
    """Add ``--at``: the service or the data folder to ask."""
    return click.option(
        "--at", metavar="URL|FOLDER", help="Service or data folder to ask [default: AWE_URL]."
    )(function)


def json_option(function: F) -> F:
    """Add ``--json``: output for programs."""
    return click.option("--json", "as_json", is_flag=True, help="Write JSON, for programs.")(function)


def rows_of(table: Table) -> list[dict[str, Any]]:
    """Return a table's rows as JSON values; masked values are None."""
    columns = {name: _json_values(table[name]) for name in table.colnames}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _json_values(column: Any) -> list[Any]:
    values = column.tolist()
    return [None if isinstance(v, float) and v != v else v for v in values]  # noqa: PLR0124  # NaN


def print_table(table: Table, *, as_json: bool, most: int | None = 50) -> None:
    """Print a table for people (at most `most` rows, and it says so) or as JSON (all of it)."""
    if as_json:
        print(json.dumps({"rows": rows_of(table), "overflow": bool(table.meta.get("overflow"))}))
        return
    shown = table if most is None else table[:most]
    console = Console(width=None if sys.stdout.isatty() else 200)
    drawn = RichTable(box=None, pad_edge=False, header_style="bold")
    for name in table.colnames:
        unit = table[name].unit
        number = table[name].dtype.kind in "iuf"
        drawn.add_column(
            f"{name} [{unit}]".replace("[", r"\[") if unit else name, justify="right" if number else "left"
        )
    for row in zip(*(_json_values(shown[name]) for name in table.colnames), strict=True):
        drawn.add_row(*("" if v is None else _text(v) for v in row))
    console.print(drawn)
    left = len(table) - len(shown)
    if left:
        click.echo(f"... and {left:,} rows more (--save FILE writes all of them)", err=True)
    if table.meta.get("overflow"):
        click.echo("the answer was cut at the row limit (--max-rows asks for more)", err=True)
    click.echo(f"{len(table):,} row{'' if len(table) == 1 else 's'}", err=True)


def _text(value: Any) -> str:
    return f"{value:.9g}" if isinstance(value, float) else str(value).replace("[", r"\[")
