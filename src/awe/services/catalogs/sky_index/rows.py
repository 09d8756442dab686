"""The rows of a region: groups that it touches, cells by binary search, the exact test, and then the columns wanted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from awe.core.sky import Circle, Region, Sought, half_chord_squared, seek
from awe.core.sql import Comparison, Inside
from awe.services.catalogs.interface import RowFilter
from awe.services.catalogs.model import HEALPIX
from awe.services.catalogs.sky_index.groups import Group, Groups, touched
from awe.services.catalogs.sky_index.parcels import Parcels

__all__ = ["Found", "SkyIndex", "Version"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

_PLACES = "places"
_TOGETHER = 16
"""Columns that are decoded together."""
_MANY = 2048
"""Rows that are tested rather than the cells divided once more."""


@dataclass(frozen=True, slots=True)
class Version:
    """The files of a version of a table with positions.

    Attributes
    ----------
    location
        Its name.
    paths
        Its files, in the order of their cells.
    spans
        The cells of each, half-open, at order 29; shape ``(P, 2)``.
    columns
        What the files hold, in order.
    ra, dec
        The position columns.
    """

    location: str
    paths: Sequence[Path]
    spans: IntArray
    columns: Sequence[str]
    ra: str
    dec: str


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of one group: their numbers there, sorted, and where they are (degrees)."""

    group: Group
    rows: IntArray
    ra: FloatArray
    dec: FloatArray


class SkyIndex:
    """Look rows up by their place.

    Parameters
    ----------
    groups, parcels
        What is remembered of files.
    """

    def __init__(self, groups: Groups, parcels: Parcels) -> None:
        self._groups = groups
        self._parcels = parcels

    def groups(self, version: Version, sought: Sought) -> list[Group]:
        """Return the groups that ranges of cells touch, in the order of their cells."""
        return [
            group
            for i in touched(version.spans, sought.ranges)
            for group in self._groups.touched(version.location, version.paths[i], sought.ranges)
        ]

    def sought(self, version: Version, region: Region) -> tuple[Sought, list[Group]]:
        """Return the cells to read for a region, and the groups that hold them."""
        sought = seek(region)
        groups = self.groups(version, sought)
        if not sought.close and not all(self._parcels.has(group.name, _PLACES) for group in groups):
            sought = seek(region, closely=True)  # what need not be decoded is worth more than a closer look
            groups = self.groups(version, sought)
        return sought, groups

    def find(
        self, version: Version, inside: Sequence[Inside], sought: Sought, groups: Sequence[Group]
    ) -> Iterator[Found]:
        """Yield the rows that lie inside all of the regions, a group at a time.

        Parameters
        ----------
        inside
            The exact tests, of the first one's region `sought` are the cells; none: all rows of these cells.
        """
        for group in groups:
            places = self._places(version, group)
            index = places.column(0).to_numpy()
            low, high = index.searchsorted(sought.ranges).T
            if inside and not sought.close and (high - low).sum() > _MANY:
                sought = seek(inside[0].region, closely=True)
                low, high = index.searchsorted(sought.ranges).T
            rows, sure = _listed(low, high, sought)
            if not rows.size:
                continue
            ra, dec = places.column(1).to_numpy()[rows], places.column(2).to_numpy()[rows]
            good = _within(inside, ra, dec, sure)
            if good.all():
                yield Found(group, rows, ra, dec)
            elif good.any():
                yield Found(group, rows[good], ra[good], dec[good])

    def columns(
        self,
        version: Version,
        found: Found,
        names: Sequence[str],
        rows: IntArray | None = None,
        schema: pa.Schema | None = None,
    ) -> pa.RecordBatch:
        """Return columns of the rows found, or of some of them given by their numbers in the group.

        Parameters
        ----------
        schema
            What they are called and which types they have in the answer; as they are stored when None.
        """
        chosen = found.rows if rows is None else rows
        wanted = self._wanted(version, found.group, names, schema)
        first, count = int(chosen[0]) if chosen.size else 0, chosen.size
        if count and int(chosen[-1]) - first + 1 == count:
            return wanted.slice(first, count)
        return wanted.take(pa.array(chosen))

    def holds(
        self,
        version: Version,
        found: Found,
        comparisons: Sequence[Comparison],
        only: RowFilter | None,
    ) -> Found:
        """Return those of the rows for which the comparisons hold, and which may be read."""
        names = [*(c.column for c in comparisons), *((only.column,) if only is not None else ())]
        if not names:
            return found
        batch = self.columns(version, found, list(dict.fromkeys(names)))
        good = np.ones(batch.num_rows, np.bool_)
        for comparison in comparisons:
            good &= _compared(batch.column(comparison.column), comparison)
        if only is not None:
            column = batch.column(only.column)
            values = pa.array(sorted(only.values), column.type)
            good &= pc.is_in(column, value_set=values).to_numpy(zero_copy_only=False)
        return Found(found.group, found.rows[good], found.ra[good], found.dec[good])

    def _places(self, version: Version, group: Group) -> pa.RecordBatch:
        return self._parcels.get(group.name, _PLACES, lambda: _read_places(version, group))

    def _wanted(
        self, version: Version, group: Group, names: Sequence[str], schema: pa.Schema | None
    ) -> pa.RecordBatch:
        parts: dict[int, pa.RecordBatch] = {}
        arrays = []
        for name in names:
            part, column = divmod(version.columns.index(name), _TOGETHER)
            batch = parts.get(part)
            if batch is None:
                batch = parts[part] = self._part(version, group, part)
            arrays.append(batch.column(column))
        if schema is None:
            return pa.RecordBatch.from_arrays(arrays, names=list(names))
        try:
            return pa.RecordBatch.from_arrays(arrays, schema=schema)
        except (pa.ArrowInvalid, TypeError):  # stored in another type of the same values
            cast = [array.cast(kind) for array, kind in zip(arrays, schema.types, strict=True)]
            return pa.RecordBatch.from_arrays(cast, schema=schema)

    def _part(self, version: Version, group: Group, part: int) -> pa.RecordBatch:
        names = version.columns[part * _TOGETHER : (part + 1) * _TOGETHER]
        return self._parcels.get(group.name, str(part), lambda: _read(group, names))


def _read(group: Group, names: Sequence[str]) -> pa.RecordBatch:
    with pq.ParquetFile(group.path) as file:
        table = file.read_row_group(group.number, columns=list(names), use_threads=False).select(list(names))
    return table.combine_chunks().to_batches(max_chunksize=max(1, group.rows))[0]


def _read_places(version: Version, group: Group) -> pa.RecordBatch:
    read = _read(group, list(dict.fromkeys((HEALPIX, version.ra, version.dec))))
    arrays = [read.column(HEALPIX), *(_degrees(read.column(name)) for name in (version.ra, version.dec))]
    return pa.RecordBatch.from_arrays(arrays, names=["index", "ra", "dec"])


def _degrees(column: pa.Array) -> pa.Array:
    return pc.fill_null(pc.cast(column, pa.float64()), float("nan"))


def _listed(low: IntArray, high: IntArray, sought: Sought) -> tuple[IntArray, npt.NDArray[np.bool_] | None]:
    """Return the rows in the intervals, and which of them are inside the region for sure; None: nobody knows."""
    held = high > low
    low, count = low[held], (high - low)[held]
    if low.size == 1:
        rows = np.arange(low[0], low[0] + count[0])
    else:
        ends = count.cumsum()
        rows = np.arange(ends[-1] if ends.size else 0) + np.repeat(low - ends + count, count)
    return rows, np.repeat(sought.inside[held], count) if sought.inside.any() else None


def _within(
    inside: Sequence[Inside], ra: FloatArray, dec: FloatArray, sure: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.bool_]:
    if not inside:
        return np.ones(ra.size, np.bool_)
    if sure is None:
        good = _inside(inside[0], ra, dec)
    else:
        good = sure & np.isfinite(ra)  # rows without a position stand in cell 0
        doubtful = np.flatnonzero(~sure)
        good[doubtful] = _inside(inside[0], ra[doubtful], dec[doubtful])
    for other in inside[1:]:
        good &= _inside(other, ra, dec)
    return good


def _inside(test: Inside, ra: FloatArray, dec: FloatArray) -> npt.NDArray[np.bool_]:
    region = test.region
    if not isinstance(region, Circle):
        return region.contains(ra, dec)
    with np.errstate(invalid="ignore"):
        away = half_chord_squared(region.ra, region.dec, ra, dec)
        return np.asarray(away < region.half_chord_limit if test.strict else away <= region.half_chord_limit)


_OPERATIONS = {
    "<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal, "=": pc.equal, "<>": pc.not_equal,
}  # fmt: skip


def _compared(column: pa.Array, comparison: Comparison) -> npt.NDArray[np.bool_]:
    if pa.types.is_integer(column.type):  # as SQL compares them; beyond 2**53 no other cast allows it
        column = column.cast(pa.float64(), safe=False)
    held = _OPERATIONS[comparison.operator](column, pa.scalar(comparison.number, pa.float64()))
    if pa.types.is_floating(column.type) and comparison.operator in {">", ">="}:
        held = pc.or_(held, pc.is_nan(column))
    found: npt.NDArray[np.bool_] = pc.fill_null(held, fill_value=False).to_numpy(zero_copy_only=False)
    return found
