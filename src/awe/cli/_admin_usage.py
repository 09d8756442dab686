"""``awe admin usage``: how much an archive is used."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from awe.cli._archive import data_option, open_archive
from awe.cli._common import json_option, print_table, text_table
from awe.services.identity import Amounts

__all__ = ["usage"]

_COLUMNS = ("queries", "refused", "rows", "bytes", "query seconds", "jobs", "job seconds", "file bytes")


@click.command("usage")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="First day [default: 30 days in all].")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Last day [default: today].")
@click.option("--by", type=click.Choice(["day", "caller"]), default="day", show_default=True,
              help="A line for each day, or for each caller.")  # fmt: skip
@data_option
@json_option
def usage(since: datetime | None, until: datetime | None, by: str, data: Path | None, as_json: bool) -> None:
    """Print how many people, logins, queries, rows, bytes and jobs there were (days in UTC)."""
    last = until.date() if until else datetime.now(UTC).date()
    first = since.date() if since else last - timedelta(days=29)
    with open_archive(data) as platform:
        if by == "day":
            names: tuple[str, ...] = ("day", "people", "logins", *_COLUMNS)
            rows = [
                (one.day.isoformat(), str(one.people), str(one.logins), *_cells(one.amounts))
                for one in platform.figures.days(first, last)
            ]
        else:
            names = ("caller", *_COLUMNS)
            rows = [(name, *_cells(amounts)) for name, amounts in platform.figures.callers(first, last)]
    print_table(text_table(names, rows), as_json=as_json, most=None)


def _cells(amounts: Amounts) -> tuple[str, ...]:
    counts = (amounts.queries, amounts.refused, amounts.rows, amounts.bytes)
    return (
        *(f"{one:,}" for one in counts),
        f"{amounts.query_s:,.1f}",
        f"{amounts.jobs:,}",
        f"{amounts.job_s:,.1f}",
        f"{amounts.file_bytes:,}",
    )
