"""What a query reads, as DuckDB's SQL: the files of its tables, tables in memory, and the pairs of its sky joins."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from awe.core.progress import listener
from awe.core.sky import IntArray
from awe.core.sql import Query, Side, SkyMatch, TableUse
from awe.services.catalogs._files import CatalogFiles
from awe.services.catalogs.backends._pair_blocks import Chosen, Piece, SideRows
from awe.services.catalogs.backends._pairs import PairStream
from awe.services.catalogs.backends.duckdb_session import Session
from awe.services.catalogs.interface import StoredTable

__all__ = ["Relations", "quoted"]

_PIECE_ROWS = 300_000
"""Of a side of a sky join that are read at once: small files are read together."""


class Relations:
    """The relations of one query.

    Parameters
    ----------
    query
        The query.
    files
        Where the tables are.
    stored, memory
        As `Engine.query` takes them.
    session
        The query's cursors; they are told of what is in memory.
    workers
        Threads of a sky join; as many as there are processors when 0.
    """

    def __init__(
        self,
        query: Query,
        files: CatalogFiles,
        stored: Mapping[str, StoredTable],
        memory: Mapping[str, pa.Table],
        session: Session,
        workers: int,
    ) -> None:
        self._query, self._files, self._stored, self._session = query, files, stored, session
        self._in_files: dict[str, TableUse] = {}
        self.sql: dict[str, str] = {}
        """For `Query.lower`."""
        reads = query.reads if any(use.region is not None for use in query.uses) else {}
        for use in query.uses:
            held = memory.get(use.table.full_name)
            if held is not None:
                self.sql[use.key] = self._named(use.key, held)
            else:
                self.sql[use.key] = self._stored_rows(use, reads.get(use.key, frozenset()))
        self.pairs: list[PairStream] = []
        for match in query.matches:
            held, other = self._side(match.held), self._side(match.other)
            self.pairs.append(
                PairStream(match, held, other, workers, session.check, self._chosen(match), listener())
            )
            self.sql[match.key] = self._named(match.key, self.pairs[-1])

    def _named(self, key: str, thing: object) -> str:
        self._session.register(f"memory_{key}", thing)
        return f'"memory_{key}"'

    def _stored_rows(self, use: TableUse, reads: frozenset[str]) -> str:
        """Return the rows of a table that this use may need; `reads` are the columns it needs of them."""
        version = self._stored[use.table.full_name]
        more = {version.only.column} if version.only is not None else set()
        found = self._files.candidates(use, version.location, reads | more)
        if found is None:
            self._in_files[use.key] = use
            return self._files_of(use)
        return _chosen(self._named(use.key, found), version, [])

    def _files_of(
        self, use: TableUse, paths: Sequence[Path] | None = None, ranges: IntArray | None = None
    ) -> str:
        """Return the rows of a table's files that this use may need: those of some files, in some ranges."""
        version = self._stored[use.table.full_name]
        if paths is None:
            paths = self._files.paths(version.location, use.region)
        listed = ", ".join(quoted(str(path)) for path in paths)
        rows = f"read_parquet([{listed}], hive_partitioning = false)"
        wanted = [] if ranges is None else [_in_ranges(str(use.table.healpix), ranges)]
        return _chosen(rows, version, wanted)

    def _side(self, side: Side) -> SideRows:
        use = self._in_files.get(side.indexed or "")
        whole = self._query.lower("duckdb", self.sql, side)
        schema = self._session.schema(whole)
        if use is None:
            return SideRows(schema, [Piece(lambda _ranges: self._session.tables(whole))])
        version = self._stored[use.table.full_name]
        parts = self._files.parts(version.location, use.region, _PIECE_ROWS)
        return SideRows(schema, [self._piece(side, use, part.paths, part.span) for part in parts])

    def _chosen(self, match: SkyMatch) -> Chosen | None:
        """Return what lets those pairs through that are what a match asks of them."""
        if match.asked is None:
            return None
        sql = self._query.lower("duckdb", {**self.sql, match.key: '"pairs"'}, match.asked)

        def chosen(pairs: pa.Table) -> IntArray:
            found: IntArray = self._session.table(sql, {"pairs": pairs}).column(0).to_numpy()
            return found

        return chosen

    def _piece(self, side: Side, use: TableUse, paths: Sequence[Path], span: tuple[int, int] | None) -> Piece:
        plain = side.plain if self._stored[use.table.full_name].only is None else None

        def read(ranges: IntArray | None) -> Iterable[pa.Table]:
            if ranges is None and plain is not None:
                yield from _as_they_are(paths, plain, self._session.check)
                return
            relation = self._files_of(use, paths, ranges)
            yield self._session.table(self._query.lower("duckdb", {**self.sql, use.key: relation}, side))

        return Piece(read, span)


def _as_they_are(
    paths: Sequence[Path], columns: Sequence[tuple[str, str]], check: Callable[[], None]
) -> Iterator[pa.Table]:
    """Yield columns of files under other names: whole files are read in half the time that a query of them takes."""
    stored = list(dict.fromkeys(name for _, name in columns))
    for path in paths:
        check()
        # without what is made for files that are far away: it takes as long again as reading a local one
        with pq.ParquetFile(path, pre_buffer=False) as file:
            table = file.read(columns=stored, use_threads=False)
        yield pa.table([table.column(name) for _, name in columns], names=[name for name, _ in columns])


def _chosen(rows: str, version: StoredTable, wanted: list[str]) -> str:
    """Return the rows that are wanted and may be read."""
    if version.only is not None:
        values = ", ".join(quoted(value) for value in sorted(version.only.values)) or "NULL"
        wanted = [*wanted, f"{_column(version.only.column)} IN ({values})"]
    return f"(SELECT * FROM {rows} WHERE {' AND '.join(wanted)})" if wanted else rows


def quoted(text: str) -> str:
    """Return a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def _column(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _in_ranges(name: str, ranges: IntArray) -> str:
    index = _column(name)
    return "(" + " OR ".join(f"{index} BETWEEN {low} AND {high - 1}" for low, high in ranges.tolist()) + ")"
