"""The files of stored tables: where they are, which of them a region needs, how they come and go."""

import errno
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from awe.core.progress import Progress, silent
from awe.core.sky import Moc, Region
from awe.core.sql import Query, TableUse
from awe.core.tables import TableStream
from awe.errors import UnavailableError
from awe.services.catalogs._directory import Directory
from awe.services.catalogs._folders import remove, staged, sweep
from awe.services.catalogs.estimates import Estimate, estimated
from awe.services.catalogs.hats import COVERAGE, EMPTY, coverage, write_hats, write_parts
from awe.services.catalogs.interface import Limits, StoredTable, WriteSpec
from awe.services.catalogs.margins import MARGINS
from awe.services.catalogs.model import HEALPIX
from awe.services.catalogs.sky_index import Groups, Parcels, SkyIndex, Version, answer, candidates

__all__ = ["CatalogFiles", "FilePart"]

DECODED = ".decoded"
"""The folder, beside the versions, of what was decoded of them."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class FilePart:
    """Some files of a version; `span` is the range of HEALPix indices (order 29) they lie in, None without positions."""

    paths: tuple[Path, ...]
    span: tuple[int, int] | None


class CatalogFiles:
    """The folder that engines over Parquet files share.

    Parameters
    ----------
    root
        One folder below it for each version of a table.
    decoded_bytes
        Size of what is kept of decoded rows for the next look-up.
    """

    def __init__(self, root: Path, decoded_bytes: int) -> None:
        root.mkdir(parents=True, exist_ok=True)
        sweep(root)
        sweep(root / MARGINS)
        self._root = root
        self._parcels = Parcels(root / DECODED, decoded_bytes)
        groups = Groups()
        self._index = SkyIndex(groups, self._parcels)
        self._directory = Directory(root, groups)

    @property
    def root(self) -> Path:
        """Where the versions are."""
        return self._root

    def locations(self) -> tuple[str, ...]:
        """Return the names of all versions that are there."""
        return tuple(sorted(p.name for p in self._root.iterdir() if p.is_dir() and p.name[0] != "."))

    def write(self, spec: WriteSpec, stream: TableStream, progress: Progress | None) -> StoredTable:
        """Write a version, whole or not at all; the stream is closed in any case.

        Raises
        ------
        UnavailableError
            If the disk is full.
        """
        told = progress or silent
        write = write_hats if spec.ra and spec.dec else write_parts
        try:
            with stream, staged(self._root, spec.location) as folder:
                rows = write(folder, spec, stream, told)
                size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise UnavailableError(
                "there is no room left on the disk: nothing was written",
                hint="what was there before is as it was; tell who runs this service",
            ) from None
        return StoredTable(spec.location, rows, size)

    def drop(self, location: str) -> None:
        """Remove a version."""
        self._directory.forget(location)
        remove(self._root / location)
        remove(self._root / MARGINS / location)
        self._parcels.drop(location)

    def look_up(self, query: Query, stored: Mapping[str, StoredTable], limits: Limits) -> TableStream | None:
        """Return the rows of a query that only looks up rows of one table; None where it is one for an engine."""
        if query.look_up is None:
            return None
        (use,) = query.uses
        version = self._version(use, stored[use.table.full_name].location)
        only = stored[use.table.full_name].only
        return None if version is None else answer(self._index, version, query, only, limits)

    def candidates(self, use: TableUse, location: str, columns: AbstractSet[str]) -> pa.Table | None:
        """Return the rows that lie in the cells of a use's region; None where they are many, or no region is known."""
        version = self._version(use, location) if use.region is not None else None
        if version is None or use.region is None or not columns <= set(version.columns):
            return None
        names = sorted(columns)
        found = candidates(self._index, version, use.region, names)
        if not found:
            return (
                found if found is None else pq.read_table(self._directory.of(location).empty, columns=names)
            )
        return pa.Table.from_batches(found)

    def _version(self, use: TableUse, location: str) -> Version | None:
        table, listing = use.table, self._directory.of(location)
        if listing.spans is None or table.ra is None or table.dec is None:
            return None
        if HEALPIX not in listing.columns:
            return None
        return Version(location, listing.paths, listing.spans, listing.columns, table.ra, table.dec)

    def schema(self, location: str) -> pa.Schema:
        """Return the columns of a version's files."""
        schema: pa.Schema = pq.read_schema(self._directory.of(location).empty)
        return schema

    def footers(self, location: str) -> tuple[int, int]:
        """Return how many files a version has, and about how many bytes their footers."""
        return self._directory.footers(location)

    def paths(self, location: str, *regions: Region | None) -> tuple[Path, ...]:
        """Return the files that hold the rows inside of all regions; one without rows where none does."""
        listing = self._directory.of(location)
        needed = [listing.needed(region) for region in regions]
        both = reduce(np.intersect1d, needed)
        return tuple(listing.paths[i] for i in both) or (listing.empty,)

    @staticmethod
    def holds(paths: Sequence[Path]) -> bool:
        """Say whether files hold rows: the one that stands for none does not."""
        return not (len(paths) == 1 and paths[0].name == Path(EMPTY).name)

    def parts(self, location: str, region: Region | None, rows: int) -> tuple[FilePart, ...]:
        """Return the files that hold the rows inside `region` in parts of some `rows`, along the sky index.

        Those of a table without positions are one part. There is always one.
        """
        listing = self._directory.of(location)
        found: list[FilePart] = []
        held = rows
        for i in listing.needed(region):
            span = None if listing.spans is None else (int(listing.spans[i, 0]), int(listing.spans[i, 1]))
            if found and (span is None or held < rows):
                last = found[-1]
                held += int(listing.rows[i])
                both = None if span is None or last.span is None else (last.span[0], span[1])
                found[-1] = FilePart((*last.paths, listing.paths[i]), both)
            else:
                held = int(listing.rows[i])
                found.append(FilePart((listing.paths[i],), span))
        return tuple(found) or (FilePart((listing.empty,), None),)

    def estimate(self, engine: str, query: Query, stored: Mapping[str, StoredTable]) -> Estimate:
        """Return what a query reads; `engine` is who would run it."""
        reads = query.reads
        readings = {
            use.key: self._directory.reading(
                use, stored[use.table.full_name], reads.get(use.key, frozenset())
            )
            for use in query.uses
            if use.table.full_name in stored
        }
        return estimated(engine, query, readings)

    def coverage(self, location: str) -> Moc | None:
        """Return the cells that hold rows of a version; None where it has no positions."""
        listing = self._directory.of(location)
        if listing.spans is None:
            return None
        kept = self._root / location / COVERAGE
        if kept.exists():
            return Moc.from_json(kept.read_bytes())
        return coverage(listing.paths)  # written by an awe that did not keep it
