"""What a query reads, as Spark SQL: the files of its tables, tables in memory, and the pairs of its sky joins.

Of the sides of a sky join (`spark_pairs`), of the larger one only those files are read that have something of the other
one in reach.
"""

import shutil
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from awe.core.sky import MAX_ORDER, MAX_REACH, Moc, surrounded
from awe.core.sql import DEC, RA, Query, Side, SkyMatch, TableUse
from awe.core.sql.lower.spark import called, quoted, spark_type, text
from awe.errors import NotOfferedError
from awe.services.catalogs._files import CatalogFiles
from awe.services.catalogs.backends.spark_pairs import SparkSide, pairs_sql
from awe.services.catalogs.interface import RowFilter, StoredTable

__all__ = ["QueryWork", "SparkRelations", "SparkTables"]

_IN_ORDER = 64
"""Files of a table without positions that are read in their order: each is a part of the plan."""
_KEPT = 256
_FEW_ROWS = 100_000
"""Of a side of a sky join that is asked where on the sky it is, before the other one is read."""
_FINE = 10
_CELL = "cell"


class SparkTables:
    """Tables as views of a session: what Spark has listed of their files is kept with them.

    Parameters
    ----------
    session
        Of Spark.
    files
        Where the tables are.
    name
        What the names of this engine's views begin with.
    """

    def __init__(self, session: Any, files: CatalogFiles, name: str) -> None:
        self._session, self._files, self._name = session, files, name
        self._views: OrderedDict[tuple[str, tuple[Path, ...]], str] = OrderedDict()
        self._made = 0
        self._lock = threading.Lock()

    def stored(self, use: TableUse, location: str, near: Moc | None = None) -> str:
        """Return the rows of a version that a use of it may need: those of the files that all its regions touch."""
        schema = self._files.schema(location)
        paths = self._files.paths(location, use.region, near)
        if not self._files.holds(paths):
            return _no_rows(schema)
        return self._view(location, paths, schema, in_order=use.table.healpix is None)

    def coverage(self, use: TableUse, location: str) -> Moc | None:
        """Return where a use of a version has rows; None where nobody knows."""
        return None if use.table.healpix is None else self._files.coverage(location)

    def held(self, table: pa.Table, path: Path) -> str:
        """Return the rows of a table in memory, which go to the cluster as a file; `forget` it by its path."""
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)
        return self._view(str(path), (path,), table.schema, in_order=True)

    def forget(self, location: str) -> None:
        """Let go of the views of a version, or of a file."""
        with self._lock:
            for key in [key for key in self._views if key[0] == location]:
                self._session.catalog.dropTempView(self._views.pop(key))

    def close(self) -> None:
        """Let go of all views."""
        with self._lock:
            for name in self._views.values():
                self._session.catalog.dropTempView(name)
            self._views.clear()

    def _view(self, location: str, paths: tuple[Path, ...], schema: pa.Schema, *, in_order: bool) -> str:
        with self._lock:
            name = self._views.get((location, paths))
            if name is not None:
                self._views.move_to_end((location, paths))
                return name
            self._made += 1
            name = f"{self._name}_{self._made}"
            self._frame(paths, schema, in_order=in_order).createOrReplaceTempView(name)
            self._views[location, paths] = name
            if len(self._views) > _KEPT:
                _, oldest = self._views.popitem(last=False)
                self._session.catalog.dropTempView(oldest)
            return name

    def _frame(self, paths: tuple[Path, ...], schema: pa.Schema, *, in_order: bool) -> Any:
        reader = self._session.read.schema(_columns(schema))
        named = [f"file:{path}" for path in paths]
        if in_order and 1 < len(named) <= _IN_ORDER:
            return reduce(lambda one, other: one.unionAll(other), [reader.parquet(name) for name in named])
        return reader.parquet(*named)


@dataclass(slots=True)
class QueryWork:
    """What one query has of its own: a folder that the cluster sees, and views of files in it."""

    folder: Path
    tables: SparkTables
    views: list[str] = field(default_factory=list)

    def held(self, key: str, table: pa.Table) -> str:
        """Return the rows of a table in memory, which go to the cluster as a file."""
        path = self.folder / f"{key}.parquet"
        self.views.append(str(path))
        return self.tables.held(table, path)

    def clean(self) -> None:
        """Let go of it."""
        for view in self.views:
            self.tables.forget(view)
        shutil.rmtree(self.folder, ignore_errors=True)


class SparkRelations:
    """The relations of one query.

    Parameters
    ----------
    query
        The query.
    tables
        Where its tables are found.
    stored, memory
        As `Engine.query` takes them.
    work
        Where its tables in memory go.
    session
        Of Spark.
    """

    def __init__(
        self,
        query: Query,
        tables: SparkTables,
        stored: Mapping[str, StoredTable],
        memory: Mapping[str, pa.Table],
        work: QueryWork,
        session: Any,
    ) -> None:
        self._query, self._session, self._tables, self._stored = query, session, tables, stored
        self._in_files: dict[str, TableUse] = {}
        self.sql: dict[str, str] = {}
        """For `Query.lower`."""
        for use in query.uses:
            held = memory.get(use.table.full_name)
            if held is not None:
                self.sql[use.key] = work.held(use.key, held)
            else:
                self._in_files[use.key] = use
                self.sql[use.key] = self._rows(use)
        for match in query.matches:
            self.sql[match.key] = self._pairs(match)

    def _rows(self, use: TableUse, near: Moc | None = None) -> str:
        version = self._stored[use.table.full_name]
        return _readable(self._tables.stored(use, version.location, near), version.only)

    def _pairs(self, match: SkyMatch) -> str:
        held = self._side(match.held, "h")
        use = self._in_files.get(match.other.indexed or "")
        if use is not None and not match.full:
            self.sql[use.key] = self._rows(use, self._in_reach(match, held.sql))
        side = match.asked

        def asked(pairs: str) -> str:
            return self._query.lower("spark", {**self.sql, match.key: pairs}, side)

        other = self._side(match.other, "o")
        return f"({pairs_sql(match, held, other, None if side is None else asked)})"

    def _in_reach(self, match: SkyMatch, held: str) -> Moc | None:
        """Return what is within reach of the held side; None where that is not found out quickly."""
        if match.radius_deg is None or match.radius_deg > MAX_REACH:
            return None
        use = self._in_files.get(match.held.indexed or "")
        covered = (
            None if use is None else self._tables.coverage(use, self._stored[use.table.full_name].location)
        )
        if match.held.rows <= _FEW_ROWS:
            cell = called("HEALPIX_CELL", str(_FINE), quoted(RA), quoted(DEC))
            cells = self._session.sql(f"SELECT DISTINCT {cell} AS {quoted(_CELL)} FROM ({held})").collect()
            covered = Moc.of_cells(np.array([row[0] for row in cells if row[0] is not None], np.int64), _FINE)
        return None if covered is None else Moc(surrounded(covered.ranges, match.radius_deg), MAX_ORDER)

    def _side(self, side: Side, key: str) -> SparkSide:
        sql = self._query.lower("spark", self.sql, side)
        return SparkSide(sql, tuple(self._session.sql(sql).columns), key)


def _readable(rows: str, only: RowFilter | None) -> str:
    """Return the rows that may be read."""
    if only is None:
        return rows
    values = ", ".join(text(value) for value in sorted(only.values)) or "NULL"
    return f"(SELECT * FROM {rows} WHERE {quoted(only.column)} IN ({values}))"


def _columns(schema: pa.Schema) -> str:
    """Return the columns of files as Spark declares them.

    Raises
    ------
    NotOfferedError
        For a type that Spark does not read.
    """
    return ", ".join(f"{quoted(field.name)} {_type(field)}" for field in schema)


def _type(field: pa.Field) -> str:
    found = spark_type(field.type)
    if found is None:
        raise NotOfferedError(
            f"the cluster does not read columns such as {field.name}, of the type {field.type}"
        )
    return found


def _no_rows(schema: pa.Schema) -> str:
    columns = ", ".join(f"CAST(NULL AS {_type(field)}) AS {quoted(field.name)}" for field in schema)
    return f"(SELECT {columns} WHERE FALSE)"
