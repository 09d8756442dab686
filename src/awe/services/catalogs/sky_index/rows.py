"""The rows of a region: groups that it touches, cells by binary search, the exact test, and then the columns wanted."""

import itertools
import operator
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from awe.core.sky import Circle, Region, Sought, half_chord_squared, seek
from awe.core.sql import Comparison, Inside
from awe.core.waiting import waits
from awe.services.catalogs.interface import RowFilter
from awe.services.catalogs.sky_index.groups import Group, Groups, IntArray, Version, touched
from awe.services.catalogs.sky_index.parcels import Parcel, Parcels
from awe.services.catalogs.sky_index.reading import TOGETHER, Reading

__all__ = ["Found", "SkyIndex"]

FloatArray = npt.NDArray[np.float64]

_PLACES = "places"
_MOST_SHAPES = 500
_numbers = itertools.count()
_MANY = 4_096
"""Rows that are tested rather than the cells divided once more."""
_AT_ONCE = 8_192
"""Rows of a group that may be tested by who must not wait."""
_SOME = 512
"""Rows of which those at other declinations are left out before the test: it takes longer than that."""
_MARGIN_DEG = 1e-9
_NO_ROWS = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of one group: their numbers there, sorted, and where they are (degrees)."""

    reading: Reading
    rows: IntArray
    ra: FloatArray
    dec: FloatArray


class Places(NamedTuple):
    """The cells of the rows of a group, sorted, and their positions (degrees), as numbers."""

    cells: IntArray
    ra: FloatArray
    dec: FloatArray


class _Chosen(NamedTuple):
    """Columns put together of the parts of a group: of the first one, and of others."""

    columns: pa.RecordBatch
    others: Sequence[pa.RecordBatch]


@dataclass(frozen=True, slots=True)
class _Shape:
    """How columns of a version are put together of its parts.

    Attributes
    ----------
    number
        Its own for ever.
    parts
        The numbers of the parts that it needs.
    at
        For each column the place of its part among these, and its place in there.
    """

    number: int
    parts: tuple[int, ...]
    at: tuple[tuple[int, int], ...]
    names: tuple[str, ...]
    schema: pa.Schema | None

    def of(self, parts: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
        """Return the columns."""
        arrays = [parts[part].column(column) for part, column in self.at]
        if self.schema is None:
            return pa.RecordBatch.from_arrays(arrays, names=list(self.names))
        try:
            return pa.RecordBatch.from_arrays(arrays, schema=self.schema)
        except (pa.ArrowInvalid, TypeError):  # stored in another type of the same values
            cast = [array.cast(kind) for array, kind in zip(arrays, self.schema.types, strict=True)]
            return pa.RecordBatch.from_arrays(cast, schema=self.schema)


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
        self._shapes: dict[tuple[object, ...], _Shape] = {}
        self._lock = threading.Lock()

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
            waits()
            sought = seek(region, closely=True)  # what need not be decoded is worth more than a closer look
            groups = self.groups(version, sought)
        return sought, groups

    def reading(self, version: Version, group: Group, wanted: Sequence[str]) -> Reading:
        """Return what reads a group; `wanted` are the columns that will be asked for of the rows found."""
        return Reading(self._groups, version, group, wanted)

    def find(
        self,
        version: Version,
        inside: Sequence[Inside],
        sought: Sought,
        groups: Sequence[Group],
        wanted: Sequence[str],
    ) -> Iterator[Found]:
        """Yield the rows that lie inside all of the regions, a group at a time.

        Parameters
        ----------
        inside
            The exact tests, of the first one's region `sought` are the cells; none: all rows of these cells.
        wanted
            The columns that will be asked for of the rows found.
        """
        for group in groups:
            reading = self.reading(version, group, wanted)
            index, ra, dec = self.places(reading)
            spans = _spans(index, sought)
            if inside and not sought.close and _count(spans) > _MANY:
                sought = seek(inside[0].region, closely=True)
                spans = _spans(index, sought)
            if _count(spans) > _AT_ONCE:
                waits()
            rows, ra, dec, sure = _listed(spans, sought, ra, dec)
            if not rows.size:
                continue
            if not inside:
                yield Found(reading, rows, ra, dec)
                continue
            good = _within(inside, ra, dec, sure)
            if good.size:
                yield Found(reading, rows[good], ra[good], dec[good])

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
        wanted = self.group(version, found.reading, names, schema)
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
        return Found(found.reading, found.rows[good], found.ra[good], found.dec[good])

    def places(self, reading: Reading) -> Places:
        """Return the cells and the positions of a group."""
        parcel = self._parcels.get(reading.group.name, _PLACES, reading.places)
        places = parcel.made(_PLACES)
        if not isinstance(places, Places):
            places = Places(*(parcel.batch.column(i).to_numpy() for i in range(3)))
            parcel.keep(_PLACES, places)
        return places

    def group(
        self, version: Version, reading: Reading, names: Sequence[str], schema: pa.Schema | None = None
    ) -> pa.RecordBatch:
        """Return columns of all rows of a group; see `columns`."""
        shape = self._shape(version, tuple(names), schema)
        first, *others = [self._part(reading, part) for part in shape.parts]
        batches = [part.batch for part in others]
        known = first.made(shape.number)
        if isinstance(known, _Chosen) and all(map(operator.is_, known.others, batches)):
            return known.columns
        columns = shape.of([first.batch, *batches])
        first.keep(shape.number, _Chosen(columns, batches))
        return columns

    def _shape(self, version: Version, names: tuple[str, ...], schema: pa.Schema | None) -> _Shape:
        """Return how columns are put together; a schema is known by its identity, and kept for it."""
        key = (version.location, names, id(schema))
        known = self._shapes.get(key)
        if known is None:
            with self._lock:
                if len(self._shapes) >= _MOST_SHAPES:
                    self._shapes.clear()
                places = [divmod(version.columns.index(name), TOGETHER) for name in names]
                parts = tuple(dict.fromkeys(part for part, _ in places))
                at = tuple((parts.index(part), column) for part, column in places)
                known = self._shapes[key] = _Shape(next(_numbers), parts, at, names, schema)
        return known

    def _part(self, reading: Reading, part: int) -> Parcel:
        return self._parcels.get(reading.group.name, str(part), lambda: reading.part(part))


def _spans(index: IntArray, sought: Sought) -> list[tuple[int, int, int]]:
    """Return the intervals of rows that lie in the ranges, and the number of the range of each."""
    found = index.searchsorted(sought.ranges).tolist()
    return [(low, high, i) for i, (low, high) in enumerate(found) if high > low]


def _count(spans: Sequence[tuple[int, int, int]]) -> int:
    return sum(high - low for low, high, _ in spans)


def _listed(
    spans: Sequence[tuple[int, int, int]], sought: Sought, ra: FloatArray, dec: FloatArray
) -> tuple[IntArray, FloatArray, FloatArray, npt.NDArray[np.bool_] | None]:
    """Return the rows in the intervals with their positions, and which are inside for sure; None: nobody knows."""
    if not spans:
        return _NO_ROWS, ra[:0], dec[:0], None
    if len(spans) == 1:
        ((low, high, _),) = spans
        rows, ra, dec = np.arange(low, high), ra[low:high], dec[low:high]
    else:
        rows = np.concatenate([np.arange(low, high) for low, high, _ in spans])
        ra, dec = ra[rows], dec[rows]
    if sought.inside is None:
        return rows, ra, dec, None
    held = [i for _, _, i in spans]
    return rows, ra, dec, np.repeat(sought.inside[held], [high - low for low, high, _ in spans])


def _within(
    inside: Sequence[Inside], ra: FloatArray, dec: FloatArray, sure: npt.NDArray[np.bool_] | None
) -> IntArray:
    """Return which positions lie inside all of the regions, by their numbers."""
    if sure is None:
        good = _inside(inside[0], ra, dec)
    else:
        held = sure & np.isfinite(ra)  # rows without a position stand in cell 0
        doubtful = np.flatnonzero(~sure)
        held[doubtful[_inside(inside[0], ra[doubtful], dec[doubtful])]] = True
        good = held.nonzero()[0]
    for other in inside[1:]:
        good = good[_inside(other, ra[good], dec[good])]
    return good


def _inside(test: Inside, ra: FloatArray, dec: FloatArray) -> IntArray:
    """Return which positions pass a test, by their numbers."""
    region = test.region
    if not isinstance(region, Circle):
        return np.asarray(region.contains(ra, dec)).nonzero()[0]
    near: IntArray | None = None
    if dec.size > _SOME:
        near = (np.abs(dec - region.dec) <= region.radius + _MARGIN_DEG).nonzero()[0]
        ra, dec = ra[near], dec[near]
    with np.errstate(invalid="ignore"):
        away = half_chord_squared(region.ra, region.dec, ra, dec)
        held = away < region.half_chord_limit if test.strict else away <= region.half_chord_limit
    good = np.asarray(held).nonzero()[0]
    return good if near is None else near[good]


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
