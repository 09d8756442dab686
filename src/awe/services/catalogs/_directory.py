"""What is known of the files of a version without reading rows: the directory that look-ups and estimates ask."""

import math
import threading
from collections.abc import Iterable, Mapping, Sequence
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
from awe.core.waiting import waits
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
        self._footers: dict[str, _Footer] = {}
        self._values: dict[str, Mapping[str, float]] = {}
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
            waits()
            found = read_listing(self._root / location)
            with self._lock:
                self._listings[location] = found
        return found

    def forget(self, location: str) -> None:
        """Forget a version that is dropped."""
        with self._lock:
            self._listings.pop(location, None)
            self._footers.pop(location, None)
            self._values.pop(location, None)

    def reading(self, use: TableUse, version: StoredTable, columns: AbstractSet[str]) -> Reading:
        """Return what is read of a version where a query reads some columns of the rows in a region."""
        listing = self.of(version.location)
        rows, files, area = version.rows, len(listing.paths), SKY_DEG2
        if listing.spans is not None:
            rows, files, cells = self._inside(version.location, listing, use.region)
            area = SKY_DEG2 * cells / _SKY_CELLS
        sizes = self._footer(version.location, listing).row_sizes
        size = sum(sizes.get(name, 0.0) for name in columns)
        values = self._values_of(version.location, listing, columns)
        return Reading(use.table.full_name, rows, round(rows * size), files, len(listing.paths), area, values)

    def footers(self, location: str) -> tuple[int, int]:
        """Return how many files a version has, and about how many bytes their footers."""
        listing = self.of(location)
        files = len(listing.paths)
        return files, files * self._footer(location, listing).size

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

    def _values_of(self, location: str, listing: Listing, columns: AbstractSet[str]) -> Mapping[str, float]:
        """Return how many different values whole numbers can have between the lowest and the highest of the version."""
        with self._lock:
            known = self._values.get(location, {})
        new = columns - known.keys()
        if new:
            paths = listing.paths if len(listing.paths) <= _MOST_FOOTERS else ()
            known = {**known, **_values([pq.read_metadata(path) for path in paths], new)}
            with self._lock:
                self._values[location] = known
        return known

    def _footer(self, location: str, listing: Listing) -> "_Footer":
        """Return what the footer of one file in the middle says."""
        found = self._footers.get(location)
        if found is None:
            paths = listing.paths
            found = _Footer.of(pq.read_metadata(paths[len(paths) // 2])) if paths else _Footer({}, 0)
            with self._lock:
                self._footers[location] = found
        return found


@dataclass(frozen=True, slots=True)
class _Footer:
    """What the footer of a file says of those beside it.

    Attributes
    ----------
    row_sizes
        The compressed bytes of each column in a row; of a nested column, those of its parts together.
    size
        Its own bytes.
    """

    row_sizes: Mapping[str, float]
    size: int

    @classmethod
    def of(cls, footer: pq.FileMetaData) -> "_Footer":
        """Add up what a footer says."""
        found = dict.fromkeys(footer.schema.to_arrow_schema().names, 0.0)
        for group in _groups(footer):
            for i in range(group.num_columns):
                chunk = group.column(i)
                path = chunk.path_in_schema
                found[path if path in found else path.partition(".")[0]] += chunk.total_compressed_size
        rows = max(1, footer.num_rows)
        return cls({name: size / rows for name, size in found.items()}, footer.serialized_size)


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


def _values(footers: Sequence[pq.FileMetaData], names: AbstractSet[str]) -> dict[str, float]:
    """Return how many different values columns can have at the most, NULL counted: infinitely many where nobody knows."""
    ends: dict[str, list[int]] = {name: [] for name in names}
    unknown = set() if footers else set(names)
    for footer in footers:
        for i in range(footer.num_columns):
            name = footer.schema.column(i).path
            if name not in names or name in unknown:
                continue
            for group in _groups(footer):
                said = group.column(i).statistics
                if said is not None and said.has_min_max and isinstance(said.min, int):
                    ends[name] += (said.min, said.max)
                elif said is None or said.num_values:
                    unknown.add(name)
                    break
    return {
        name: max(found) - min(found) + 2.0 if found and name not in unknown else math.inf
        for name, found in ends.items()
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
