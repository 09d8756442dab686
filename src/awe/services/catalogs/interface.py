"""The Engine seam: who keeps the rows of a table and answers a compiled query.

A backend passes ``tests/conformance/test_engine.py``. Closing the stream that `Engine.query` returns
cancels the query.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import pyarrow as pa

from awe.core.progress import Progress
from awe.core.sky import Moc
from awe.core.sql import Query
from awe.core.tables import TableStream
from awe.services.catalogs.estimates import Estimate

__all__ = ["Engine", "Features", "Limits", "RowFilter", "StoredTable", "WriteSpec"]


@dataclass(frozen=True, slots=True)
class Features:
    """What an engine can do, asked before the work."""

    name: str
    dialect: str
    """The target that `Query.lower` is asked for."""
    cancels: bool
    limits_memory: bool
    folder: Path | None = None
    """Where the locations of tables with positions are HATS catalogues; None where it keeps them in another way."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may use. `rows`: more are cut and the stream says `overflow`."""

    rows: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RowFilter:
    """The rows of a table that somebody may read: those with one of these values in a column of text."""

    column: str
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class StoredTable:
    """One immutable version of a table as its engine keeps it.

    Attributes
    ----------
    location
        Where, in the engine's own terms (the folder of a HATS catalogue, relative to the engine's root).
    rows, bytes
        Its size.
    only
        The rows that may be read of it; all when None.
    """

    location: str
    rows: int
    bytes: int
    only: RowFilter | None = None


@dataclass(frozen=True, slots=True)
class WriteSpec:
    """How a table is to be written.

    Attributes
    ----------
    location
        A new one.
    ra, dec
        The position columns.
    rows_per_partition
        The largest partition.
    unplaced
        Whether rows may have no position.
    anywhere
        Whether rows may have positions that are not on the sky; whoever writes knows that it is not to be searched
        by position then.
    """

    location: str
    ra: str | None = None
    dec: str | None = None
    rows_per_partition: int = 1_000_000
    unplaced: bool = False
    anywhere: bool = False


class Engine(Protocol):
    """Keep immutable tables and answer compiled queries over them."""

    @property
    def features(self) -> Features:
        """What this engine can do."""

    def tables(self) -> tuple[str, ...]:
        """Return the locations of all that is stored, wanted or left over."""

    def query(
        self,
        query: Query,
        stored: Mapping[str, StoredTable],
        limits: Limits,
        memory: Mapping[str, pa.Table] = MappingProxyType({}),
    ) -> TableStream:
        """Run a compiled query.

        Parameters
        ----------
        query
            What to run; it begins when the stream's first batch is asked for.
        stored
            The version of each table it reads, by full name; of one with a `RowFilter` only these rows are there.
        limits
            What it may use.
        memory
            Small tables that are not stored (TAP_SCHEMA), by full name.

        Raises
        ------
        NotOfferedError
            Of what the engine cannot do; of rows around many positions (`LookUp.around`), if it keeps none by position.
        TimeLimitError, LimitError, CancelledError
            From the stream while it is read. It may be closed from another thread.
        """

    def estimate(self, query: Query, stored: Mapping[str, StoredTable]) -> Estimate:
        """Return what a query would read of stored tables, from what is known of them without reading rows.

        Parameters
        ----------
        query, stored
            As `query` takes them; what is not among `stored` costs nothing.
        """

    def write(self, spec: WriteSpec, stream: TableStream, progress: Progress | None = None) -> StoredTable:
        """Write a new version, whole or not at all.

        Raises
        ------
        InputFileError
            If a position is not on the sky: with the row.
        """

    def coverage(self, stored: StoredTable) -> Moc | None:
        """Return the cells of the sky that hold rows of a version; None where it has no positions."""

    def drop(self, stored: StoredTable) -> None:
        """Remove a version; a version that is gone already is no error."""

    def close(self) -> None:
        """Cancel what runs and let go of everything."""
