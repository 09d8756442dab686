"""One side of a sky join in memory, block by block, and the other one past it, piece by piece.

Words: a *piece* is a part of a side that is read at once; those of a table with an index say where on the sky they are,
so that only those are read that something is near. The held side is taken in *blocks* of bounded size, so that neither
side need fit into memory. Of a block and a piece, the *listed* one is that whose rows stand under the cells in their
reach: the one with fewer rows, or that whose rows have a radius each.

Whoever reads rows is given: an engine makes `SideRows` of its own tables.
"""

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from awe.core.progress import Progress, silent
from awe.core.science.crossmatch import Match, Pairs, Positions, nearest
from awe.core.sky import MAX_ORDER, cell_radius, healpix_center, merge_ranges
from awe.core.sql import DEC, INDEX, RA, RADIUS, ROW, SEPARATION, SkyMatch
from awe.services.catalogs.backends._workers import Shared, side_by_side

__all__ = ["Blocks", "Chosen", "Piece", "SideRows", "Work"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
T = TypeVar("T")

_BLOCK_ROWS = 2_000_000
_BLOCK_BYTES = 256 << 20
_OUT_ROWS = 65_536
_MOST_RANGES = 8
_TOO_MANY = 1000
_WORTH_IT = 0.5
"""Ranges of a piece are told an engine where they are few and less than this share of it: to test rows costs, too."""
_OWN = frozenset({RA, DEC, INDEX, RADIUS})
_COARSE = 8
"""The order of the cells that say where a block lies whose own rows are not listed."""

Chosen = Callable[[pa.Table], IntArray]
"""From pairs with their numbers, `ROW`, to the numbers of those that are let through; asked by several threads."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a side.

    Attributes
    ----------
    read
        Gives its rows; of a piece with a span those whose index is in some ranges (shape ``(N, 2)``), and perhaps more.
    span
        The range of HEALPix indices (order 29) that it lies in, its end excluded; None where nobody knows.
    """

    read: Callable[[IntArray | None], Iterable[pa.Table]]
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class SideRows:
    """A side as an engine reads it."""

    schema: pa.Schema
    pieces: Sequence[Piece]

    @property
    def columns(self) -> list[pa.Field]:
        """The columns that pairs have of it."""
        return [column for column in self.schema if column.name not in _OWN]


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done, and by whom.

    Attributes
    ----------
    match
        What is to be found.
    schema
        Of what is given.
    workers
        How many threads.
    check
        Raises when it is time to stop; asked all the time.
    progress
        Is told how many parts of the sky have been gone through, from any thread.
    chosen
        What else makes a pair; None where nothing is asked.
    turned
        Whether the sides are those of `match` the other way round, and only the rows are wanted that nothing is near.
    """

    match: SkyMatch
    schema: pa.Schema
    workers: int
    check: Callable[[], None]
    progress: Progress = silent
    chosen: Chosen | None = None
    turned: bool = False


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of the held side that were read together: listed under cells where there is a `match`."""

    table: pa.Table
    places: Positions
    match: Match | None


@dataclass(slots=True)
class _Block:
    """Rows of the held side, what has been found near them, and which of them have been found.

    Its `parts` begin at some numbers of its rows. `reach` knows where something may be near, of each of them; it is empty
    where nobody does.
    """

    rows: pa.Table
    parts: Sequence[tuple[int, _Rows]]
    reach: Sequence[Match]
    seen: npt.NDArray[np.bool_]
    kept: list[tuple[Pairs, pa.Table]] = field(default_factory=list)
    kept_rows: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def within(self, first: int, last: int) -> IntArray | None:
        """Return where something may be near in a range of indices, its end included; None where that is in many places."""
        found = [reach.within(first, last, _TOO_MANY) for reach in self.reach]
        some = [ranges for ranges in found if ranges is not None]
        return merge_ranges(some) if found and len(some) == len(found) else None


class Blocks:
    """The blocks of one side, each beside all of the other side.

    Iterating gives the rows of the stream, as Arrow batches in no order.
    """

    def __init__(self, work: Work, held: SideRows, other: SideRows) -> None:
        self._work, self._match, self._held, self._other = work, work.match, held, other
        ours, theirs = (RADIUS in side.schema.names for side in (held, other))
        sizes = work.match.held.rows, work.match.other.rows
        self._others = _ratio(*(sizes if work.turned else reversed(sizes)))
        fewer = (sizes[0] <= sizes[1]) is not work.turned
        self._listed, self._far = ours or (fewer and not theirs), theirs
        self._done = self._todo = 0
        self._counting = threading.Lock()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for block in self._blocks():
            yield from self._found(block)
            yield from self._left(block)

    def _blocks(self) -> Iterator[_Block]:
        """Yield the rows of the held side, as many at once as may be."""
        waiting: list[_Rows] = []
        for rows in self._parallel([partial(self._held_rows, piece) for piece in self._held.pieces]):
            waiting.append(rows)
            tables = [one.table for one in waiting]
            if (
                sum(t.num_rows for t in tables) >= _BLOCK_ROWS
                or sum(t.nbytes for t in tables) >= _BLOCK_BYTES
            ):
                yield self._block(waiting)
                waiting = []
        if waiting:
            yield self._block(waiting)

    def _held_rows(self, piece: Piece) -> Iterator[_Rows]:
        """Yield what is read of the held side, listed where it is to be."""
        for table in piece.read(None):
            if self._listed:
                match = self._match_of(table, self._others)
                yield _Rows(_without_own(table), _NOWHERE, match)
            else:
                yield _Rows(_without_own(table), Positions.of(*_places(table)), None)

    def _match_of(self, table: pa.Table, others: float) -> Match:
        ra, dec, index = _places(table)
        radius = _floats(table, RADIUS) if self._match.radius_deg is None else self._match.radius_deg
        return Match(ra, dec, radius, strict=self._match.strict, index=index, others=others)

    def _block(self, parts: list[_Rows]) -> _Block:
        counts = [part.table.num_rows for part in parts]
        begins = np.cumsum([0, *counts]).tolist()
        rows = pa.concat_tables(part.table for part in parts).combine_chunks()
        if self._listed:
            reach = [part.match for part in parts if part.match is not None]
        else:
            radius = self._match.radius_deg or 0.0
            reach = [] if self._far else [_around(part.places.index, radius) for part in parts]
        parted = list(zip(begins, parts, strict=False))
        return _Block(rows, parted, reach, np.zeros(begins[-1], bool))

    def _found(self, block: _Block) -> Iterator[pa.RecordBatch]:
        """Yield what the rows of the other side are near; what is to be the nearest is kept in the block."""
        work: list[Callable[[], Iterable[pa.RecordBatch]]] = []
        for piece in self._other.pieces:
            if piece.span is None:
                shared = Shared(piece.read(None))
                work += [partial(self._compared, block, shared)] * self._work.workers
            else:
                ranges = block.within(piece.span[0], piece.span[1] - 1)
                if ranges is None or len(ranges):
                    wanted = None if ranges is None else _few(ranges, piece.span[1] - piece.span[0])
                    work.append(partial(self._read, block, piece, wanted))
        with self._counting:
            self._todo += len(work)
        yield from self._parallel([partial(self._told, part) for part in work])

    def _told(self, part: Callable[[], Iterable[pa.RecordBatch]]) -> Iterator[pa.RecordBatch]:
        """Yield what a part gives, and tell when it is done."""
        yield from part()
        total = self._todo if self._match.held.rows <= _BLOCK_ROWS else None  # of blocks to come nobody knows
        with self._counting:
            self._done += 1
            self._work.progress("matching", self._done, total)

    def _read(self, block: _Block, piece: Piece, ranges: IntArray | None) -> Iterator[pa.RecordBatch]:
        return self._compared(block, piece.read(ranges))

    def _compared(self, block: _Block, tables: Iterable[pa.Table]) -> Iterator[pa.RecordBatch]:
        for table in tables:
            rows = _without_own(table)
            for pairs in self._pairs(block, table):
                self._work.check()
                yield from self._seen(block, pairs, rows)

    def _pairs(self, block: _Block, table: pa.Table) -> Iterator[Pairs]:
        """Yield the pairs of a block's rows with rows of the other side."""
        if self._listed:
            places = Positions.of(*_places(table))
            for begin, part in block.parts:
                for found in part.match.pairs(places) if part.match is not None else ():
                    yield Pairs(found.held + begin, found.other, found.separation)
            return
        listed = self._match_of(table, 1 / self._others)
        for begin, part in block.parts:
            for found in listed.pairs(part.places):
                yield Pairs(found.other + begin, found.held, found.separation)

    def _seen(self, block: _Block, found: Pairs, rows: pa.Table) -> Iterator[pa.RecordBatch]:
        """Take note of pairs, and yield them where all are wanted."""
        pairs = found if self._work.chosen is None else found[self._chosen(block, found, rows)]
        if self._match.nearest is not None:
            self._keep(block, pairs, rows)
            return
        if self._match.outer or self._match.exists is not None:
            block.seen[pairs.held] = True
        if self._match.exists is None and not self._work.turned:
            yield from self._made(block, pairs, rows.take(pa.array(pairs.other)))

    def _chosen(self, block: _Block, pairs: Pairs, rows: pa.Table) -> IntArray:
        """Return the places of the pairs that are let through by what else is asked of them."""
        if self._work.chosen is None:
            return np.arange(len(pairs))
        sides = block.rows.take(pa.array(pairs.held)), rows.take(pa.array(pairs.other))
        made = [column for side in sides for column in side.columns]
        names = [name for side in sides for name in side.column_names]
        own = [pa.array(pairs.separation), pa.array(np.arange(len(pairs)))]
        return self._work.chosen(pa.table([*made, *own], names=[*names, SEPARATION, ROW]))

    def _keep(self, block: _Block, pairs: Pairs, rows: pa.Table) -> None:
        """Keep the nearest of some pairs, and forget those that are too many together."""
        count = self._match.nearest or 0
        near = pairs[nearest(pairs, count)]
        taken = rows.take(pa.array(near.other))
        with block.lock:
            block.kept.append((near, taken))
            block.kept_rows += len(near)
            if block.kept_rows > 2 * count * block.rows.num_rows + _BLOCK_ROWS:
                block.kept = [self._nearest(block)]
                block.kept_rows = len(block.kept[0][0])

    def _nearest(self, block: _Block) -> tuple[Pairs, pa.Table]:
        pairs = Pairs(
            *(np.concatenate([getattr(p, n) for p, _ in block.kept]) for n in ("held", "other", "separation"))
        )
        chosen = nearest(pairs, self._match.nearest or 0)
        return pairs[chosen], pa.concat_tables(rows for _, rows in block.kept).take(pa.array(chosen))

    def _left(self, block: _Block) -> Iterator[pa.RecordBatch]:
        """Yield what is known only when all of the other side has been seen."""
        if block.kept:
            pairs, rows = self._nearest(block)
            block.seen[pairs.held] = True
            yield from self._made(block, pairs, rows)
        if self._match.exists is not None:
            yield from self._alone(block, np.flatnonzero(block.seen == self._match.exists), [])
        elif self._match.outer:
            yield from self._alone(block, np.flatnonzero(~block.seen), self._other.columns)

    def _alone(self, block: _Block, rows: IntArray, without: Sequence[pa.Field]) -> Iterator[pa.RecordBatch]:
        """Yield rows without a partner, or without what it is."""
        none = [pa.nulls(rows.size, column.type) for column in without]
        alone = block.rows.take(pa.array(rows)).columns
        sides = [*none, *alone] if self._work.turned else [*alone, *none]
        return self._batched([*sides, pa.nulls(rows.size, pa.float64())])

    def _made(self, block: _Block, pairs: Pairs, others: pa.Table) -> Iterator[pa.RecordBatch]:
        held = block.rows.take(pa.array(pairs.held))
        return self._batched([*held.columns, *others.columns, pa.array(pairs.separation)])

    def _batched(self, columns: Sequence[pa.Array | pa.ChunkedArray]) -> Iterator[pa.RecordBatch]:
        table = pa.Table.from_arrays(list(columns), schema=self._work.schema)
        return iter(table.to_batches(max_chunksize=_OUT_ROWS))

    def _parallel(self, work: Sequence[Callable[[], Iterable[T]]]) -> Iterator[T]:
        return side_by_side(work, self._work.workers, self._work.check)


_NOWHERE = Positions(np.empty(0), np.empty(0), np.empty(0, np.int64))


def _without_own(table: pa.Table) -> pa.Table:
    return table.drop_columns([name for name in table.column_names if name in _OWN])


def _floats(table: pa.Table, name: str) -> FloatArray:
    """Return a column of numbers; NaN for NULL."""
    found: FloatArray = table.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False)
    return found


def _places(table: pa.Table) -> tuple[FloatArray, FloatArray, IntArray | None]:
    """Return positions, and their indices where they are known."""
    index = table.column(INDEX).to_numpy() if INDEX in table.column_names else None
    return _floats(table, RA), _floats(table, DEC), index


def _ratio(one: float, other: float) -> float:
    """Return how many rows there are of one side for each of the other; 1 where nobody knows."""
    known = math.isfinite(one) and math.isfinite(other)
    return max(one, 1) / max(other, 1) if known else 1.0


def _around(index: IntArray, radius_deg: float) -> Match:
    """Return what knows the cells around sorted indices, coarsely."""
    cells = index[index >= 0] >> (2 * (MAX_ORDER - _COARSE))
    cells = cells[np.diff(cells, prepend=-1) != 0]
    return Match(*healpix_center(cells, _COARSE), np.degrees(cell_radius(_COARSE)) + radius_deg)


def _few(ranges: IntArray, span: int) -> IntArray | None:
    """Return few ranges that hold all of some, those between which there is most room; None where it is not worth it."""
    if len(ranges) > _MOST_RANGES:
        gaps = ranges[1:, 0] - ranges[:-1, 1]
        cuts = np.sort(np.argpartition(gaps, 1 - _MOST_RANGES)[1 - _MOST_RANGES :])
        ranges = np.stack(
            [ranges[np.append(0, cuts + 1), 0], ranges[np.append(cuts, len(ranges) - 1), 1]], axis=-1
        )
    return ranges if np.diff(ranges).sum() < _WORTH_IT * span else None
