"""The rows around many positions at once: each row group is looked at once, whatever number of positions is near it.

A position's *listing* is a HEALPix cell in its reach; those of all positions are sorted, so that a group finds the ones that
it may hold in one step. What stands in these cells are *candidates*, which are then tested exactly.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from awe.core.sky import (
    MAX_ORDER,
    MAX_REACH,
    Circle,
    Sought,
    cells_in_reach,
    half_chord_squared,
    healpix_index,
)
from awe.core.sql import Around, Inside, LookUp
from awe.services.catalogs.interface import RowFilter
from awe.services.catalogs.sky_index.groups import Group, IntArray, Version
from awe.services.catalogs.sky_index.reading import Reading
from awe.services.catalogs.sky_index.rows import Found, SkyIndex

__all__ = ["MOST_VALUES", "WIDEST_DEG", "AroundMany"]

FloatArray = npt.NDArray[np.float64]

WIDEST_DEG = min(1.0, MAX_REACH)
"""The largest radius: around wider circles there is more to be read than to be shared."""
MOST_VALUES = 12_000_000
"""Rows times columns that are put in order together (100 MB): beyond, positions are halved."""
_AT_ONCE = 1 << 15
"""Candidates that are tested at once: what is computed of them stays in the processor's cache."""
_MARGIN_DEG = 1e-9
_TOGETHER = 32
"""Row groups whose decoded columns are held at once where they are not kept."""


@dataclass(frozen=True, slots=True)
class _Listings:
    """The cells in reach of positions, sorted: ranges of indices, shape ``(L, 2)``, and whose each is."""

    ranges: IntArray
    position: IntArray
    merged: IntArray

    @classmethod
    def of(cls, around: Around) -> "_Listings":
        reach = cells_in_reach(healpix_index(around.ra, around.dec), around.radius_deg)
        cells = np.concatenate([cells for cells, _ in reach.lists])
        position = np.concatenate([numbers for _, numbers in reach.lists])
        order = np.argsort(cells, kind="stable")
        first = cells[order] << 2 * (MAX_ORDER - reach.order)
        width = 1 << 2 * (MAX_ORDER - reach.order)
        return cls(np.stack([first, first + width], axis=1), position[order], reach.ranges)

    def meeting(self, index: IntArray) -> tuple[IntArray, IntArray]:
        """Return which rows of a sorted index stand in the cells, and whose these are; in the order of the cells."""
        begin = int(self.ranges[:, 1].searchsorted(index[0], side="right"))
        end = int(self.ranges[:, 0].searchsorted(index[-1], side="right"))
        first, last = index.searchsorted(self.ranges[begin:end]).T
        count = last - first
        ends = np.cumsum(count)
        total = int(ends[-1]) if ends.size else 0
        rows = np.arange(total) + np.repeat(first - ends + count, count)
        return rows, np.repeat(self.position[begin:end], count)


@dataclass(frozen=True, slots=True)
class _Near:
    """Rows of a group with where they are (degrees), and the numbers of the positions that they are near."""

    reading: Reading
    rows: IntArray
    position: IntArray
    ra: FloatArray
    dec: FloatArray

    def of(self, held: npt.NDArray[np.bool_]) -> "_Near":
        """Return some of them."""
        return _Near(self.reading, self.rows[held], self.position[held], self.ra[held], self.dec[held])


_Taken = tuple[IntArray, pa.RecordBatch]
"""Rows of a group with all columns wanted, and the numbers of the positions that they are near."""


class AroundMany:
    """One look-up around many positions.

    Parameters
    ----------
    wanted
        With `LookUp.around`.
    only
        The rows that may be read.
    arrow
        Of the rows given: the number of the position, and the columns.
    """

    def __init__(
        self, index: SkyIndex, version: Version, wanted: LookUp, only: RowFilter | None, arrow: pa.Schema
    ) -> None:
        self._index, self._version, self._wanted, self._only = index, version, wanted, only
        self._arrow = arrow

    def batches(self, check: Callable[[], None]) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the order of the positions, and of the sky for each; `check` raises when it is time to stop."""
        around = self._wanted.around
        if around is not None and around.ra.size:
            yield from self._part(around, 0, check)

    def _part(self, around: Around, number: int, check: Callable[[], None]) -> Iterator[pa.RecordBatch]:
        """Yield the rows around some positions, the first of which has a number; in halves where they are many."""
        near = self._near(around, check)
        half = around.ra.size // 2
        if near is not None:
            yield from self._rows(near, number)
        elif not half:
            yield from self._alone(Circle(around.ra[0], around.dec[0], around.radius_deg), number, check)
        else:
            for part in (slice(0, half), slice(half, None)):
                some = Around(around.ra[part], around.dec[part], around.radius_deg)
                yield from self._part(some, number + (part.start or 0), check)

    def _near(self, around: Around, check: Callable[[], None]) -> list[_Taken] | None:
        """Return the rows near positions, group by group; None where they are too many for one answer."""
        listings = _Listings.of(around)
        groups = self._index.groups(self._version, Sought(listings.merged, None, close=True))
        taken: list[_Taken] = []
        waiting: list[_Near] = []
        kept = candidates = 0
        most = MOST_VALUES // max(1, len(self._wanted.columns))
        for group in groups:
            check()
            near = self._candidates(listings, group)
            if near.rows.size > most:
                return None
            waiting.append(near)
            candidates += near.rows.size
            if candidates > _AT_ONCE or len(waiting) == _TOGETHER or group is groups[-1]:
                tested = _tested(around, waiting)
                kept += sum(some.rows.size for some in tested)
                if kept > most:
                    return None
                taken += map(self._taken, tested)
                waiting, candidates = [], 0
        return taken

    def _candidates(self, listings: _Listings, group: Group) -> _Near:
        reading = self._index.reading(self._version, group, self._wanted.columns)
        index, ra, dec = self._index.places(reading)
        rows, position = listings.meeting(index)
        return _Near(reading, rows, position, ra[rows], dec[rows])

    def _taken(self, near: _Near) -> _Taken:
        """Return the columns of what may be read of some rows."""
        if self._only is not None:
            rows, first = np.unique(near.rows, return_index=True)
            found = Found(near.reading, rows, near.ra[first], near.dec[first])
            held = self._index.holds(self._version, found, (), self._only)
            near = near.of(np.isin(near.rows, held.rows))
        columns = self._index.group(self._version, near.reading, self._wanted.columns)
        return near.position, columns.take(pa.array(near.rows))

    def _rows(self, taken: Sequence[_Taken], number: int) -> Iterator[pa.RecordBatch]:
        """Yield rows in the order of the positions; for each they are in the order of the sky already."""
        if not taken:
            return
        position = np.concatenate([position for position, _ in taken])
        order = np.argsort(position, kind="stable")
        together = pa.Table.from_batches([batch for _, batch in taken]).combine_chunks().take(pa.array(order))
        numbers = position[order] + number
        for batch in together.to_batches():
            yield self._numbered(numbers[: batch.num_rows], batch)
            numbers = numbers[batch.num_rows :]

    def _alone(self, circle: Circle, number: int, check: Callable[[], None]) -> Iterator[pa.RecordBatch]:
        """Yield the rows around one position, group by group."""
        columns = self._wanted.columns
        sought, groups = self._index.sought(self._version, circle)
        for found in self._index.find(self._version, (Inside(circle),), sought, groups, columns):
            check()
            held = self._index.holds(self._version, found, (), self._only)
            yield self._numbered(
                np.full(held.rows.size, number), self._index.columns(self._version, held, columns)
            )

    def _numbered(self, position: IntArray, batch: pa.RecordBatch) -> pa.RecordBatch:
        numbers = pa.array(position, self._arrow.field(0).type)
        columns = [
            column if column.type == kind else column.cast(kind)
            for column, kind in zip(batch.columns, self._arrow.types[1:], strict=True)
        ]
        return pa.RecordBatch.from_arrays([numbers, *columns], schema=self._arrow)


def _tested(around: Around, candidates: Sequence[_Near]) -> list[_Near]:
    """Return what is within the radius of the candidates: by declination first, which takes less, then exactly."""
    near = [
        some.of(np.abs(around.dec[some.position] - some.dec) <= around.radius_deg + _MARGIN_DEG)
        for some in candidates
    ]
    if not near:
        return []
    position, ra, dec = (
        np.concatenate([getattr(some, k) for some in near]) for k in ("position", "ra", "dec")
    )
    away = half_chord_squared(around.ra[position], around.dec[position], ra, dec)
    good = away <= Circle(0, 0, around.radius_deg).half_chord_limit
    ends = np.cumsum([some.rows.size for some in near])[:-1]
    tested = [some.of(held) for some, held in zip(near, np.split(good, ends), strict=True)]
    return [some for some in tested if some.rows.size]
