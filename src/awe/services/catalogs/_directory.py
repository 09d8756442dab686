"""What is known of the files of a version without reading rows: the directory that look-ups and estimates ask."""

import os
import threading
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from awe.core.sky import MAX_ORDER, Region
from awe.core.sql import TableUse
from awe.errors import ServiceError
from awe.services.catalogs._partitions import Partition
from awe.services.catalogs.estimates import SKY_DEG2, Reading
from awe.services.catalogs.hats import EMPTY, PARTITION_INFO
from awe.services.catalogs.interface import StoredTable
from awe.services.catalogs.sky_index.groups import Groups, touched

__all__ = ["Directory", "Listing", "PartitionPaths", "read_listing"]

IntArray = npt.NDArray[np.int64]

_MOST_FOOTERS = 64
"""So many files are asked for their row groups; of more, rows are taken to lie evenly in each."""
_KEPT_PATHS = 20_000
_TAIL = 8
_SKY_CELLS = 12 * 4**MAX_ORDER


class PartitionPaths(Sequence[Path]):
    """The files of partitions: a path takes twenty times the memory of a cell, so only those that are read have one.

    Parameters
    ----------
    dataset
        The folder that they are in.
    order, pixel
        Their cells.
    """

    def __init__(self, dataset: Path, order: IntArray, pixel: IntArray) -> None:
        self._dataset = dataset
        self._order, self._pixel = order, pixel
        self._made: dict[int, Path] = {}

    def __len__(self) -> int:
        return len(self._pixel)

    @overload
    def __getitem__(self, number: int) -> Path: ...

    @overload
    def __getitem__(self, number: slice) -> Sequence[Path]: ...

    def __getitem__(self, number: int | slice) -> Path | Sequence[Path]:
        if isinstance(number, slice):
            return PartitionPaths(self._dataset, self._order[number], self._pixel[number])
        found = self._made.get(number)
        if found is None:
            cell = Partition(int(self._order[number]), int(self._pixel[number]), 0)
            found = self._dataset / cell.path
            if len(self._made) >= _KEPT_PATHS:
                self._made.clear()
            self._made[int(number)] = found
        return found


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of one version; `spans` are their cells at order 29, None without positions; `rows` what they hold."""

    paths: Sequence[Path]
    spans: IntArray | None
    rows: IntArray
    empty: Path
    columns: tuple[str, ...]

    def needed(self, region: Region | None) -> IntArray:
        """Return the numbers of the files that hold the rows inside a region; all when None."""
        if self.spans is None or region is None:
            return np.arange(len(self.paths))
        return np.array(touched(self.spans, region.covering()), np.int64)


class Directory:
    """The listings of versions, remembered: a version is immutable.

    Parameters
    ----------
    root
        One folder below it for each version.
    groups
        Where the row groups of files are remembered.
    """

    def __init__(self, root: Path, groups: Groups) -> None:
        self._root = root
        self._groups = groups
        self._listings: dict[str, Listing] = {}
        self._sizes: dict[str, dict[str, float]] = {}
        self._footers: dict[str, int] = {}
        self._values: dict[str, dict[str, float]] = {}
        self._lock = threading.Lock()

    def of(self, location: str) -> Listing:
        """Return the files of a version.

        Raises
        ------
        ServiceError
            If they are missing.
        """
        with self._lock:
            found = self._listings.get(location)
        if found is None:
            found = read_listing(self._root / location)
            with self._lock:
                self._listings[location] = found
        return found

    def forget(self, location: str) -> None:
        """Forget a version that is dropped."""
        with self._lock:
            self._listings.pop(location, None)
            self._sizes.pop(location, None)
            self._footers.pop(location, None)
            self._values.pop(location, None)

    def reading(self, use: TableUse, version: StoredTable, columns: AbstractSet[str]) -> Reading:
        """Return what is read of a version where a query reads some columns of the rows in a region."""
        listing = self.of(version.location)
        rows, files, area = version.rows, len(listing.paths), SKY_DEG2
        if listing.spans is not None:
            rows, files, cells = self._inside(version.location, listing, use.region)
            area = SKY_DEG2 * cells / _SKY_CELLS
        size = sum(self._row_sizes(version.location, listing).get(name, 0.0) for name in columns)
        values = self._values_of(version.location, listing)
        return Reading(use.table.full_name, rows, round(rows * size), files, len(listing.paths), area, values)

    def footers(self, location: str) -> int:
        """Return how many bytes the footers of the files of a version have together, as one in the middle has them."""
        found = self._footers.get(location)
        if found is None:
            paths = self.of(location).paths
            found = len(paths) * _footer_size(paths[len(paths) // 2]) if paths else 0
            with self._lock:
                self._footers[location] = found
        return found

    def _inside(self, location: str, listing: Listing, region: Region | None) -> tuple[int, int, int]:
        """Return how many rows are read, of how many files, and in how many cells they lie."""
        assert listing.spans is not None  # noqa: S101  # whoever asks has looked
        if region is None:
            whole = int((listing.spans[:, 1] - listing.spans[:, 0]).sum())
            return int(listing.rows.sum()), len(listing.paths), whole
        needed = listing.needed(region)
        spans, rows = listing.spans[needed], listing.rows[needed]
        widths = spans[:, 1] - spans[:, 0]
        ranges = region.covering()
        covered = _covered(ranges, spans)
        partly = np.flatnonzero(covered < widths)
        if partly.size > _MOST_FOOTERS:
            even = np.ceil(rows * (covered / widths))
            return int(even.sum()), needed.size, int(covered.sum())
        within = np.setdiff1d(np.arange(needed.size), partly)
        count, cells = int(rows[within].sum()), int(widths[within].sum())
        for i in partly:
            read = self._groups.touched(location, listing.paths[needed[i]], ranges)
            count += sum(group.rows for group in read)
            cells += int(widths[i] * (sum(group.rows for group in read) / max(1, rows[i])))
        return count, needed.size, cells

    def _values_of(self, location: str, listing: Listing) -> dict[str, float]:
        """Return how many different values whole numbers can have between the lowest and the highest of the version."""
        found = self._values.get(location)
        if found is None:
            few = len(listing.paths) <= _MOST_FOOTERS
            found = _values([pq.read_metadata(path) for path in listing.paths]) if few else {}
            with self._lock:
                self._values[location] = found
        return found

    def _row_sizes(self, location: str, listing: Listing) -> dict[str, float]:
        """Return the compressed bytes of each column in a row, as one file in the middle has them."""
        found = self._sizes.get(location)
        if found is None:
            paths = listing.paths
            found = _sizes(pq.read_metadata(paths[len(paths) // 2])) if paths else {}
            with self._lock:
                self._sizes[location] = found
        return found


def _footer_size(path: Path) -> int:
    """Return the length of a Parquet file's footer, which stands before the last four bytes (its format's "File format")."""
    with path.open("rb") as file:
        file.seek(-_TAIL, os.SEEK_END)
        return int.from_bytes(file.read(4), "little")


def _covered(ranges: IntArray, spans: IntArray) -> IntArray:
    """Return how many cells of each span lie in ranges, which are sorted and apart; all half-open."""
    lengths = ranges[:, 1] - ranges[:, 0]
    before = np.concatenate([[0], np.cumsum(lengths)])

    def up_to(cells: IntArray) -> IntArray:
        nth = ranges[:, 0].searchsorted(cells, side="right")
        last = np.maximum(nth - 1, 0)
        inside = np.clip(cells - ranges[last, 0], 0, lengths[last])
        return np.where(nth > 0, before[last] + inside, 0)

    if not len(ranges):
        return np.zeros(len(spans), np.int64)
    return up_to(spans[:, 1]) - up_to(spans[:, 0])


def _sizes(footer: pq.FileMetaData) -> dict[str, float]:
    """Return the bytes of each column in a row; of a nested column, those of its parts together."""
    found = dict.fromkeys(footer.schema.to_arrow_schema().names, 0.0)
    for group in _groups(footer):
        for i in range(group.num_columns):
            chunk = group.column(i)
            path = chunk.path_in_schema
            found[path if path in found else path.partition(".")[0]] += chunk.total_compressed_size
    return {name: size / max(1, footer.num_rows) for name, size in found.items()}


def _values(footers: Sequence[pq.FileMetaData]) -> dict[str, float]:
    """Return how many different values columns of whole numbers and truths can have at the most, NULL counted."""
    spans: dict[str, list[tuple[int, int]]] = {}
    chunks = [
        group.column(i) for footer in footers for group in _groups(footer) for i in range(group.num_columns)
    ]
    known = {chunk.path_in_schema for chunk in chunks}
    for chunk in chunks:
        said = chunk.statistics if chunk.is_stats_set else None
        if said is not None and said.has_min_max and isinstance(said.min, int):
            spans.setdefault(chunk.path_in_schema, []).append((said.min, said.max))
        elif said is None or said.num_values:
            known.discard(chunk.path_in_schema)
    return {
        name: max(high for _, high in each) - min(low for low, _ in each) + 2.0
        for name, each in spans.items()
        if name in known
    }


def _groups(footer: pq.FileMetaData) -> Iterable[pq.RowGroupMetaData]:
    return (footer.row_group(i) for i in range(footer.num_row_groups))


def read_listing(folder: Path) -> Listing:
    """Read which files a version has; `ServiceError` where they are missing."""
    if not folder.is_dir():
        raise ServiceError("the files of a published table are missing", hint="publish it again")
    dataset, empty = folder / "dataset", folder / EMPTY
    info = folder / PARTITION_INFO
    if not info.exists():
        parts = tuple(sorted(dataset.glob("part-*.parquet")))
        return Listing(parts, None, np.zeros(len(parts), np.int64), empty, ())
    listed = pa_csv.read_csv(info)
    order, pixel, rows = (
        np.asarray(listed.column(name).to_numpy(), np.int64) for name in ("Norder", "Npix", "num_rows")
    )
    shift = 2 * (MAX_ORDER - order)
    spans = np.asfortranarray(np.stack([pixel << shift, (pixel + 1) << shift], axis=1))
    columns = tuple(pq.read_schema(empty).names)
    return Listing(PartitionPaths(dataset, order, pixel), spans, rows, empty, columns)
