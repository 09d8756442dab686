"""Two engines over the same files as one: a query goes to the large one when it would read much.

The first answers at once and costs nothing to ask; the large one (a cluster) takes seconds to begin, and reads more at
the same time. The estimate of the first decides, which is made of directories alone.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pyarrow as pa

from awe.core.progress import Progress
from awe.core.sky import Moc
from awe.core.sql import Query
from awe.core.tables import TableStream
from awe.errors import NotOfferedError
from awe.services.catalogs.estimates import Estimate
from awe.services.catalogs.interface import Engine, Features, Limits, StoredTable, WriteSpec

__all__ = ["ENGINE", "RoutingEngine"]

ENGINE = "engine"
"""What rows say of the engine that made them, among the metadata of their schema."""


class RoutingEngine:
    """Send each query to one of two engines.

    Parameters
    ----------
    first
        Keeps the tables, and answers what reads little.
    large
        Reads the files that `first` writes. What it does not offer, `first` does.
    most_bytes
        A query that would read more than this is the large engine's.
    """

    def __init__(self, first: Engine, large: Engine, most_bytes: int) -> None:
        self._first = first
        self._large = large
        self._most_bytes = most_bytes

    @property
    def features(self) -> Features:
        """What both can do, and where the first keeps its tables."""
        first, large = self._first.features, self._large.features
        return replace(
            first,
            name=f"{first.name}, {large.name}",
            cancels=first.cancels and large.cancels,
            limits_memory=first.limits_memory and large.limits_memory,
        )

    def tables(self) -> tuple[str, ...]:
        """Return the locations of all that is stored."""
        return self._first.tables()

    def estimate(self, query: Query, stored: Mapping[str, StoredTable]) -> Estimate:
        """Return what a query would read, which engine would run it, and why."""
        found = self._first.estimate(query, stored)
        if query.look_up is not None:
            return replace(found, why="rows are looked up by their position")
        gigabytes = f"{self._most_bytes / 1e9:.3g} GB"
        if found.bytes > self._most_bytes:
            return replace(found, engine=self._large.features.name, why=f"it reads more than {gigabytes}")
        return replace(found, why=f"it reads no more than {gigabytes}")

    def query(
        self,
        query: Query,
        stored: Mapping[str, StoredTable],
        limits: Limits,
        memory: Mapping[str, pa.Table] = MappingProxyType({}),
    ) -> TableStream:
        """Run a compiled query on the engine that the estimate names.

        Raises
        ------
        UnavailableError
            If that is the large one, and it cannot be reached: a query of this size would only fail elsewhere, later.
        """
        if query.look_up is None and self._first.estimate(query, stored).bytes > self._most_bytes:
            try:
                return _named(self._large, self._large.query(query, stored, limits, memory))
            except NotOfferedError:  # a function that the large engine lacks: the first has them all
                pass
        return _named(self._first, self._first.query(query, stored, limits, memory))

    def write(self, spec: WriteSpec, stream: TableStream, progress: Progress | None = None) -> StoredTable:
        """Write a new version with the first."""
        return self._first.write(spec, stream, progress)

    def coverage(self, stored: StoredTable) -> Moc | None:
        """Return the cells of the sky that hold rows of a version."""
        return self._first.coverage(stored)

    def drop(self, stored: StoredTable) -> None:
        """Remove a version; the large one forgets what it knew of it."""
        self._first.drop(stored)
        self._large.drop(stored)

    def close(self) -> None:
        """Close both."""
        try:
            self._large.close()
        finally:
            self._first.close()


def _named(engine: Engine, stream: TableStream) -> TableStream:
    """Let the rows say which engine makes them."""
    schema = stream.schema
    stream.schema = replace(schema, metadata={**schema.metadata, ENGINE: engine.features.name})
    return stream
