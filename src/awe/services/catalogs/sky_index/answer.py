"""A look-up carried out: rows found, compared, ordered and cut, as a stream."""

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from awe.core.sky import Region, Sought, separation
from awe.core.sql import Inside, LookUp, Query
from awe.core.tables import Schema, TableStream
from awe.core.waiting import waits
from awe.errors import TimeLimitError
from awe.services.catalogs.interface import Limits, RowFilter
from awe.services.catalogs.sky_index.around import WIDEST_DEG, AroundMany
from awe.services.catalogs.sky_index.groups import Group, Version
from awe.services.catalogs.sky_index.rows import Found, SkyIndex

__all__ = ["answer", "candidates"]

_MOST_GROUPS = 128
"""Row groups of a look-up at the most: beyond, an engine that reads with all cores is quicker."""
_MOST_GATHERED = 48
"""The same of rows that are gathered for an engine."""
_GROUPS_AT_ONCE = 8
_CELLS_AT_ONCE = 20_000
"""More of an answer counts as waiting: so many become bytes in a millisecond."""


def answer(
    index: SkyIndex, version: Version, query: Query, only: RowFilter | None, limits: Limits
) -> TableStream | None:
    """Return the rows of a query that looks rows up; None where it is one for an engine.

    Raises
    ------
    TimeLimitError
        From the stream.
    """
    wanted = query.look_up
    if wanted is None:
        return None
    arrow = query.columns.to_arrow()
    if wanted.around is not None:
        if wanted.around.radius_deg > WIDEST_DEG:
            return None
        waits()
        return _Looked(query.columns, AroundMany(index, version, wanted, only, arrow), limits)
    inside = sorted(wanted.inside, key=lambda test: test.region.area)
    sought, groups = index.sought(version, inside[0].region)
    if len(groups) > _MOST_GROUPS:
        return None
    if len(groups) > _GROUPS_AT_ONCE or only is not None:
        waits()
    looking = _LookingUp(index, version, wanted, inside, sought, groups, only, arrow)
    return _Looked(query.columns, looking, limits)


def candidates(
    index: SkyIndex, version: Version, region: Region, columns: Sequence[str]
) -> list[pa.RecordBatch] | None:
    """Return the rows in the cells of a region, at least all that are inside; None where they are many."""
    sought, groups = index.sought(version, region)
    if len(groups) > _MOST_GATHERED:
        return None
    found = index.find(version, (), sought, groups, columns)
    return [index.columns(version, some, columns) for some in found]


class _LookingUp:
    """One look-up: what it reads and how."""

    def __init__(
        self,
        index: SkyIndex,
        version: Version,
        wanted: LookUp,
        inside: Sequence[Inside],
        sought: Sought,
        groups: Sequence[Group],
        only: RowFilter | None,
        arrow: pa.Schema,
    ) -> None:
        self._index, self._version, self._wanted, self._only = index, version, wanted, only
        self._arrow = arrow
        self._found = index.find(version, inside, sought, groups, wanted.columns)

    def batches(self, check: Callable[[], None]) -> Iterator[pa.RecordBatch]:
        """Yield the rows wanted; `check` raises when it is time to stop."""
        wanted = self._wanted
        if wanted.nearest is not None:
            yield from self._nearest(list(self._held(check)), wanted.nearest.ra, wanted.nearest.dec)
            return
        left = wanted.most
        for found in self._held(check):
            rows = found.rows if left is None else found.rows[:left]
            yield self._index.columns(self._version, found, wanted.columns, rows, self._arrow)
            left = None if left is None else left - rows.size
            if left == 0:
                return

    def _held(self, check: Callable[[], None]) -> Iterator[Found]:
        cells = 0
        for found in self._found:
            check()
            cells += found.rows.size * len(self._wanted.columns)
            if cells > _CELLS_AT_ONCE:
                waits()
            held = self._index.holds(self._version, found, self._wanted.comparisons, self._only)
            if held.rows.size:
                yield held

    def _nearest(self, found: Sequence[Found], ra: float, dec: float) -> Iterator[pa.RecordBatch]:
        if not found or self._wanted.most == 0:
            return
        away = separation(ra, dec, *(np.concatenate([getattr(f, k) for f in found]) for k in ("ra", "dec")))
        descending = self._wanted.nearest is not None and self._wanted.nearest.descending
        order = np.argsort(-away if descending else away, kind="stable")[: self._wanted.most]
        before = np.cumsum([0, *(f.rows.size for f in found)])
        kept, places = [], np.empty(order.size, np.int64)
        done = 0
        for i, some in enumerate(found):
            mine = np.flatnonzero((order >= before[i]) & (order < before[i + 1]))
            if mine.size:
                rows = some.rows[order[mine] - before[i]]
                inner = np.argsort(rows)
                kept.append(
                    self._index.columns(self._version, some, self._wanted.columns, rows[inner], self._arrow)
                )
                places[mine[inner]] = done + np.arange(mine.size)
                done += mine.size
        table = pa.Table.from_batches(kept).take(pa.array(places)).combine_chunks()
        yield from table.to_batches()


class _Looked(TableStream):
    """The rows of a look-up, in the types of the query, within its limits."""

    def __init__(self, columns: Schema, looking: _LookingUp | AroundMany, limits: Limits) -> None:
        super().__init__(columns, self._within(looking, limits))
        self.prompt = True

    def _within(self, looking: _LookingUp | AroundMany, limits: Limits) -> Iterator[pa.RecordBatch]:
        until = time.monotonic() + limits.seconds

        def check() -> None:
            if time.monotonic() > until:
                raise TimeLimitError(
                    "the query took longer than it may", hint="ask for less, or in several parts"
                )

        left = limits.rows
        for batch in looking.batches(check):
            self.overflow = batch.num_rows > left
            if left and batch.num_rows:
                yield batch if batch.num_rows <= left else batch.slice(0, left)
            left -= batch.num_rows
            if self.overflow:
                return
