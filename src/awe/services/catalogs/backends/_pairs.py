"""The pairs of a sky join as a stream: one side in memory, the other one past it, piece by piece.

Words: a *piece* is a part of a side that is read at once; those of a table with an index say where on the sky they are,
so that only those are read that something is near. The held side is taken in *blocks* of bounded size, so that neither
side need fit into memory. *Workers* are threads: what they do, reading and arithmetic on arrays, lets others run.

Whoever reads rows is given: an engine makes `SideRows` of its own tables.
"""

import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from awe.core.science.crossmatch import Match, Pairs, nearest
from awe.core.sky import merge_ranges
from awe.core.sql import DEC, INDEX, RA, SEPARATION, SkyMatch
from awe.errors import AweError

__all__ = ["PairStream", "Piece", "SideRows"]

IntArray = npt.NDArray[np.int64]
T = TypeVar("T")

_BLOCK_ROWS = 2_000_000
_BLOCK_BYTES = 256 << 20
_OUT_ROWS = 65_536
_MOST_RANGES = 8
_TOO_MANY = 1000
_WORTH_IT = 0.5
"""Ranges of a piece are told an engine where they are few and less than this share of it: to test rows costs, too."""
_WAIT_S = 0.05
_OWN = frozenset({RA, DEC, INDEX})


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


@dataclass(slots=True)
class _Block:
    """Rows of the held side, what has been found near them, and which of them have been found."""

    rows: pa.Table
    match: Match
    seen: npt.NDArray[np.bool_]
    kept: list[tuple[Pairs, pa.Table]] = field(default_factory=list)
    kept_rows: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class PairStream:
    """The pairs; an engine reads it as it reads any Arrow stream, as often as it likes.

    Parameters
    ----------
    match
        What is to be found.
    held, other
        Its sides.
    workers
        Threads; as many as there are processors when 0.
    check
        Raises when it is time to stop; asked all the time.
    """

    def __init__(
        self, match: SkyMatch, held: SideRows, other: SideRows, workers: int, check: Callable[[], None]
    ) -> None:
        self._match, self._held, self._other = match, held, other
        self._workers = workers or os.cpu_count() or 1
        self._check = check
        self.error: Exception | None = None
        """Why it broke off: whoever reads is told no more than that it did."""
        fields = [f for side in (held, other) for f in side.schema if f.name not in _OWN]
        self.schema = pa.schema([*fields, pa.field(SEPARATION, pa.float64())])

    def __arrow_c_schema__(self) -> object:
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        reader = pa.RecordBatchReader.from_batches(self.schema, self._batches())
        return reader.__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            for block in self._blocks():
                yield from self._found(block)
                yield from self._left(block)
        except Exception as error:
            self.error = error
            raise

    def _blocks(self) -> Iterator[_Block]:
        """Yield the rows of the held side, as many at once as may be."""
        waiting: list[pa.Table] = []
        for table in self._parallel([partial(piece.read, None) for piece in self._held.pieces]):
            waiting.append(table)
            if (
                sum(t.num_rows for t in waiting) >= _BLOCK_ROWS
                or sum(t.nbytes for t in waiting) >= _BLOCK_BYTES
            ):
                yield self._block(waiting)
                waiting = []
        if waiting:
            yield self._block(waiting)

    def _block(self, tables: list[pa.Table]) -> _Block:
        rows = pa.concat_tables(tables).combine_chunks()
        match = Match(
            _floats(rows, RA), _floats(rows, DEC), self._match.radius_deg, strict=self._match.strict
        )
        return _Block(
            rows.drop_columns([n for n in rows.column_names if n in _OWN]),
            match,
            np.zeros(rows.num_rows, bool),
        )

    def _found(self, block: _Block) -> Iterator[pa.RecordBatch]:
        """Yield what the rows of the other side are near; what is to be the nearest is kept in the block."""
        work: list[Callable[[], Iterable[pa.RecordBatch]]] = []
        for piece in self._other.pieces:
            if piece.span is None:
                shared = _Shared(piece.read(None))
                work += [partial(self._compared, block, shared)] * self._workers
            else:
                ranges = block.match.within(piece.span[0], piece.span[1] - 1)
                if len(ranges):
                    wanted = _few(ranges, piece.span[1] - piece.span[0])
                    work.append(partial(self._read, block, piece, wanted))
        yield from self._parallel(work)

    def _read(self, block: _Block, piece: Piece, ranges: IntArray | None) -> Iterator[pa.RecordBatch]:
        return self._compared(block, piece.read(ranges))

    def _compared(self, block: _Block, tables: Iterable[pa.Table]) -> Iterator[pa.RecordBatch]:
        for table in tables:
            index = table.column(INDEX).to_numpy() if INDEX in table.column_names else None
            rows = table.drop_columns([n for n in table.column_names if n in _OWN])
            for pairs in block.match.pairs(_floats(table, RA), _floats(table, DEC), index):
                if self._match.nearest is not None:
                    self._keep(block, pairs, rows)
                else:
                    if self._match.outer:
                        block.seen[pairs.held] = True
                    yield from self._made(block, pairs, rows.take(pa.array(pairs.other)))

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
        if self._match.outer:
            lonely = np.flatnonzero(~block.seen)
            none = [pa.nulls(lonely.size, f.type) for f in self._other.schema if f.name not in _OWN]
            alone = block.rows.take(pa.array(lonely))
            yield from self._batched([*alone.columns, *none, pa.nulls(lonely.size, pa.float64())])

    def _made(self, block: _Block, pairs: Pairs, others: pa.Table) -> Iterator[pa.RecordBatch]:
        held = block.rows.take(pa.array(pairs.held))
        return self._batched([*held.columns, *others.columns, pa.array(pairs.separation)])

    def _batched(self, columns: Sequence[pa.Array | pa.ChunkedArray]) -> Iterator[pa.RecordBatch]:
        table = pa.Table.from_arrays(list(columns), schema=self.schema)
        return iter(table.to_batches(max_chunksize=_OUT_ROWS))

    def _parallel(self, work: Sequence[Callable[[], Iterable[T]]]) -> Iterator[T]:
        """Yield what all of `work` gives, in any order, while the workers are at it."""
        out: queue.Queue[object] = queue.Queue(2 * self._workers)
        left = _Shared(work)
        over = threading.Event()

        def put(thing: object) -> None:
            waiting = True
            while waiting and not over.is_set():
                try:
                    out.put(thing, timeout=_WAIT_S)
                    waiting = False
                except queue.Full:
                    self._check()

        def run() -> None:
            try:
                for part in left:
                    for thing in part():
                        put(thing)
                        if over.is_set():
                            return
                put(_END)
            except BaseException as error:  # noqa: BLE001  # it is raised where the pairs are read
                with suppress(AweError):
                    put(_Failed(error))

        threads = [
            threading.Thread(target=run, name=f"sky-join-{i}", daemon=True)
            for i in range(min(self._workers, len(work)))
        ]
        for thread in threads:
            thread.start()
        running = len(threads)
        try:
            while running:
                self._check()
                try:
                    thing = out.get(timeout=_WAIT_S)
                except queue.Empty:
                    continue
                if thing is _END:
                    running -= 1
                elif isinstance(thing, _Failed):
                    raise thing.error
                else:
                    yield cast("T", thing)
        finally:
            over.set()


_END = object()


@dataclass(frozen=True, slots=True)
class _Failed:
    error: BaseException


class _Shared(Generic[T]):
    """An iterator that several threads take from."""

    def __init__(self, things: Iterable[T]) -> None:
        self._things = iter(things)
        self._lock = threading.Lock()

    def __iter__(self) -> "_Shared[T]":
        return self

    def __next__(self) -> T:
        with self._lock:
            return next(self._things)


def _floats(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    """Return a column of numbers; NaN for NULL."""
    found: npt.NDArray[np.float64] = table.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False)
    return found


def _few(ranges: IntArray, span: int) -> IntArray | None:
    """Return few ranges that hold all of some, those between which there is most room; None where it is not worth it."""
    if len(ranges) > _TOO_MANY:
        return None
    merged = merge_ranges([ranges])
    if len(merged) > _MOST_RANGES:
        gaps = merged[1:, 0] - merged[:-1, 1]
        cuts = np.sort(np.argpartition(gaps, 1 - _MOST_RANGES)[1 - _MOST_RANGES :])
        merged = np.stack(
            [merged[np.append(0, cuts + 1), 0], merged[np.append(cuts, len(merged) - 1), 1]], axis=-1
        )
    return merged if np.diff(merged).sum() < _WORTH_IT * span else None
