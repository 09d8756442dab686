"""The half of an engine that keeps tables: Parquet files in the HATS layout, below one folder."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa

from awe.core.progress import Progress
from awe.core.sky import Moc
from awe.core.sql import Query
from awe.core.tables import TableStream
from awe.core.waiting import waits
from awe.errors import NotOfferedError, UsageError
from awe.services.catalogs._files import CatalogFiles
from awe.services.catalogs.estimates import Estimate
from awe.services.catalogs.interface import Features, Limits, StoredTable, WriteSpec
from awe.settings import LimitSettings

__all__ = ["FileEngine"]


class FileEngine(ABC):
    """Keep tables as files; who inherits this answers queries over them.

    Parameters
    ----------
    folder
        Where the tables are; made if it is not there. What killed writers left in it is removed.
    limits
        What is kept of decoded rows.
    pattern
        The characters that would make a pattern of a path.

    Raises
    ------
    UsageError
        If the folder's path cannot be used.
    """

    def __init__(self, folder: Path, limits: LimitSettings, pattern: str) -> None:
        if set(pattern) & set(str(folder)):
            raise UsageError(f"{folder}: the data folder's path may not contain any of {' '.join(pattern)}")
        self._files = CatalogFiles(folder, limits.decoded_bytes)

    @property
    @abstractmethod
    def features(self) -> Features:
        """What this engine can do."""

    def query(
        self,
        query: Query,
        stored: Mapping[str, StoredTable],
        limits: Limits,
        memory: Mapping[str, pa.Table] = MappingProxyType({}),
    ) -> TableStream:
        """Run a compiled query, see `Engine.query`; what only looks rows up by their place is answered from the files.

        Raises
        ------
        NotOfferedError
            Of a look-up around many positions that cannot be answered from them.
        """
        looked = None if memory else self._files.look_up(query, stored, limits)
        if looked is not None:
            return looked
        if query.look_up is not None and query.look_up.around is not None:
            raise NotOfferedError("rows around many positions are looked up of tables with a sky index only")
        waits()
        return self._run(query, stored, limits, memory)

    @abstractmethod
    def _run(
        self,
        query: Query,
        stored: Mapping[str, StoredTable],
        limits: Limits,
        memory: Mapping[str, pa.Table],
    ) -> TableStream:
        """Run a query that needs more than the files."""

    def tables(self) -> tuple[str, ...]:
        """Return the locations of all that is stored, wanted or left over."""
        return self._files.locations()

    def estimate(self, query: Query, stored: Mapping[str, StoredTable]) -> Estimate:
        """Return what a query would read of stored tables."""
        return self._files.estimate(self.features.name, query, stored)

    def write(self, spec: WriteSpec, stream: TableStream, progress: Progress | None = None) -> StoredTable:
        """Write a new version, whole or not at all."""
        return self._files.write(spec, stream, progress)

    def coverage(self, stored: StoredTable) -> Moc | None:
        """Return the cells of the sky that hold rows of a version; None where it has no positions."""
        return self._files.coverage(stored.location)

    def drop(self, stored: StoredTable) -> None:
        """Remove a version; a version that is gone already is no error."""
        self._files.drop(stored.location)
