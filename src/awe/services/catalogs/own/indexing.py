"""Indexes of users' tables as jobs: they write the whole table anew."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from awe.errors import ConflictError
from awe.services.catalogs.own.describing import ColumnChange
from awe.services.catalogs.own.service import TableService
from awe.services.catalogs.own.writing import recognised
from awe.services.catalogs.service import CatalogService
from awe.services.identity import WRITE, Identity
from awe.services.jobs import Kind, Result, Work

__all__ = ["INDEX", "IndexOrder", "index_kind"]

INDEX = "index"
"""The kind's name."""


@dataclass(frozen=True, slots=True)
class IndexOrder:
    """Which column of which table; `unique` where no value may stand twice in it."""

    table: str
    column: str
    unique: bool = False

    def to_json(self) -> dict[str, object]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, order: Mapping[str, object]) -> "IndexOrder":
        """Rebuild what `to_json` wrote."""
        return cls(**order)  # type: ignore[arg-type]  # written by `to_json`


def index_kind(tables: TableService, catalogs: CatalogService) -> Kind:
    """Return the kind of job that indexes a column.

    A position is indexed with the other half of it, and the rows are written anew in the order of the sky. Other columns need no
    index of their own, since every piece of a table knows its least and largest value: they are marked only.

    Parameters
    ----------
    tables
        Who keeps the tables.
    catalogs
        Who counts the values.
    """

    def run(work: Work) -> Sequence[Result]:
        order = IndexOrder.from_json(work.order)
        record = tables.table(order.table, work.identity, action=WRITE)
        column = record.columns[order.column].name
        if order.unique:
            _check_unique(catalogs, record.full_name, column, work.identity)
        places = recognised(record.columns)
        if record.ra is None and column in (places.ra, places.dec):
            tables.index(order.table, work.identity, places.ra, places.dec)
        marked = {column: ColumnChange(indexed=True)}
        tables.describe(order.table, work.identity, columns=marked)
        return ()

    return run


def _check_unique(catalogs: CatalogService, table: str, column: str, identity: Identity) -> None:
    text = f'SELECT COUNT("{column}") AS rows_, COUNT(DISTINCT "{column}") AS values_ FROM {table}'
    found = catalogs.query(text, identity=identity, asked=False).to_table().to_pylist()[0]
    if found["rows_"] != found["values_"]:
        more = found["rows_"] - found["values_"]
        raise ConflictError(
            f"{column} cannot be unique: {more:,} rows of {table} repeat a value", hint="make a plain index"
        )
