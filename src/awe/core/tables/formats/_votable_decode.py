"""Rows of BINARY and BINARY2 streams to Arrow arrays (VOTable 1.5 sections 5.3 and 5.4).

When every cell has a fixed width the rows are numpy records. Otherwise a walk over the counts finds where
each cell begins, and columns are gathered from there. BINARY has no nulls of its own: NaN, a blank truth
value, a text of no characters and the magic null of an integer stand for them.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from awe.core.tables.formats._votable_fields import Cell
from awe.core.tables.formats._votable_strings import texts
from awe.core.tables.formats._votable_text import CellError

__all__ = ["BinaryDecoder", "CutRows"]

_COUNT = struct.Struct(">I")
_MOST_ELEMENTS = (1 << 31) - 1
_NOTHING = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class _Segment:
    """Fixed columns in a row (by index, with their record type), then perhaps a cell of varying size."""

    fixed: tuple[int, ...]
    dtype: np.dtype
    variable: int | None


@dataclass(frozen=True, slots=True)
class _Stored:
    """The elements of a column as they are stored, and of cells of varying size the count of each."""

    elements: np.ndarray
    counts: np.ndarray | None = None


class CutRows(NamedTuple):
    """Whole rows, and what begins behind them.

    Attributes
    ----------
    data
        Begins with the rows.
    rows
        How many there are.
    rest
        The bytes behind them.
    places, counts
        Where cells of varying size are; see `BinaryDecoder`.
    """

    data: bytes
    rows: int
    rest: bytes
    places: np.ndarray
    counts: np.ndarray


class BinaryDecoder:
    """Decode rows as their bytes arrive: one after another they are cut, and at once they become columns.

    Parameters
    ----------
    cells
        The columns.
    masked
        True for BINARY2, where a null mask begins each row.
    """

    def __init__(self, cells: list[Cell], *, masked: bool) -> None:
        self._cells = cells
        self._masked = masked
        self._segments = tuple(_planned(cells, (len(cells) + 7) // 8 if masked else 0))

    def cut(self, data: bytes) -> CutRows:
        """Find the whole rows at the begin of `data`.

        Raises
        ------
        CellError
            With the index of the row that is damaged.
        """
        if len(self._segments) > 1:
            places, counts = self._walk(data)
            rows, used = len(counts), int(places[-1])
        else:
            width, places, counts = self._segments[0].dtype.itemsize, _NOTHING, _NOTHING
            rows = len(data) // width if width else 0
            used = rows * width
        return CutRows(data, rows, data[used:], places, counts)

    def columns(self, cut: CutRows) -> list[pa.Array]:
        """Return the columns of rows.

        Raises
        ------
        CellError
            With the index of the row that is damaged.
        """
        if len(self._segments) > 1:
            segments, found = self._gathered(cut)
        else:
            segments, found = [np.frombuffer(cut.data, self._segments[0].dtype, cut.rows)], {}
        for segment, records in zip(self._segments, segments, strict=True):
            found |= {index: _Stored(records[f"c{index}"]) for index in segment.fixed}
        nulls = np.unpackbits(segments[0]["mask"], axis=1).astype(bool) if self._masked else None
        return [
            _column(cell, found[index], None if nulls is None else nulls[:, index])
            for index, cell in enumerate(self._cells)
        ]

    def _walk(self, data: bytes) -> tuple[np.ndarray, np.ndarray]:
        """Follow the counts from cell to cell.

        Returns
        -------
        places
            Where each segment and each cell between them begins, row after row, and where the last row ends.
        counts
            Elements of the cells, rows x cells.
        """
        cells = [self._cells[s.variable] for s in self._segments if s.variable is not None]
        sizes = [
            (_element(cell), 7, 3) if cell.datatype == "bit" else (_element(cell), 0, 0) for cell in cells
        ]
        widths = [segment.dtype.itemsize for segment in self._segments]
        found = _begins(
            data, [(width, *size) for width, size in zip(widths, sizes, strict=False)], widths[-1]
        )
        starts = np.array(found[: len(found) // len(cells) * len(cells)], np.int64).reshape(-1, len(cells))
        counts = np.ndarray((max(0, len(data) - 3),), ">u4", data, 0, (1,))[starts - 4].astype(np.int64)
        _check_counts(counts)
        ends = starts + np.stack(
            [(counts[:, i] * size + more) >> shift for i, (size, more, shift) in enumerate(sizes)], axis=1
        )
        rows = int(np.searchsorted(ends[:, -1] + widths[-1], len(data), side="right"))
        places = np.empty(rows * (2 * len(cells) + 1) + 1, np.int64)
        table = places[:-1].reshape(rows, 2 * len(cells) + 1)
        table[:, 1::2], table[:, 2::2] = starts[:rows], ends[:rows]
        table[:1, 0] = 0
        table[1:, 0] = ends[: max(0, rows - 1), -1] + widths[-1]
        places[-1] = ends[rows - 1, -1] + widths[-1] if rows else 0
        return places, counts[:rows]

    def _gathered(self, cut: CutRows) -> tuple[list[np.ndarray], dict[int, _Stored]]:
        """Return the records of each segment, and what is stored of each cell of varying size."""
        (data, rows, _, places, counts), parts = cut, 2 * len(self._segments) - 1
        pieces = pa.Array.from_buffers(
            pa.large_binary(), rows * parts, [None, pa.py_buffer(places), pa.py_buffer(data)]
        )
        taken = [_content(pieces.take(pa.array(np.arange(rows) * parts + part))) for part in range(parts)]
        records = [
            np.frombuffer(content, segment.dtype, rows)
            if segment.dtype.itemsize
            else np.empty(rows, segment.dtype)
            for content, segment in zip(taken[::2], self._segments, strict=True)
        ]
        found = {
            segment.variable: _Stored(
                np.frombuffer(content, _code(self._cells[segment.variable])), counts[:, place]
            )
            for place, (content, segment) in enumerate(zip(taken[1::2], self._segments, strict=False))
            if segment.variable is not None
        }
        return records, found


def _begins(data: bytes, steps: list[tuple[int, int, int, int]], tail: int) -> list[int]:
    """Return where each cell of varying size begins, and perhaps where one would behind the end of the data.

    Parameters
    ----------
    steps
        Of each cell: bytes between it and the one before, and its bytes as (count * size + more) >> shift.
    tail
        Bytes of a row behind its last cell.
    """
    found: list[int] = []
    add, unpack = found.append, _COUNT.unpack_from
    position = -tail
    widths = [steps[0][0] + tail, *(width for width, *_ in steps[1:])]
    with suppress(struct.error):  # the end of the data
        if not any(shift for *_, shift in steps):  # the same as below, in three quarters of the time
            for width, size in cycle(zip(widths, (size for _, size, *_ in steps), strict=True)):
                position += width
                count = unpack(data, position - 4)[0]
                add(position)
                position += count * size
        for width, (_, size, more, shift) in cycle(zip(widths, steps, strict=True)):
            position += width
            count = unpack(data, position - 4)[0]
            add(position)
            position += (count * size + more) >> shift
    return found


def _planned(cells: list[Cell], mask_bytes: int) -> Iterator[_Segment]:
    fields: list[tuple[str, str, tuple[int, ...]]] = [("mask", "u1", (mask_bytes,))] if mask_bytes else []
    fixed: list[int] = []
    for index, cell in enumerate(cells):
        if cell.count is not None:
            count = (cell.count + 7) // 8 if cell.datatype == "bit" else cell.count
            width = 2 if cell.datatype == "unicodeChar" else 1
            fields.append((f"c{index}", _code(cell), () if cell.is_scalar else (count * width,)))
            fixed.append(index)
            continue
        yield _Segment(tuple(fixed), np.dtype([*fields, ("count", ">i4")]), index)
        fields, fixed = [], []
    yield _Segment(tuple(fixed), np.dtype(fields), None)


def _code(cell: Cell) -> str:
    """Return the record type of an element; characters are bytes."""
    if cell.is_text or cell.datatype in {"bit", "boolean"}:
        return "u1"
    return str(np.dtype(cell.item.to_pandas_dtype()).newbyteorder(">").str)


def _element(cell: Cell) -> int:
    """Return the bytes of what a cell of varying size counts; of bits, the bits."""
    width = 2 if cell.datatype == "unicodeChar" else np.dtype(_code(cell)).itemsize
    return width * cell.numbers


def _check_counts(counts: np.ndarray) -> None:
    wrong = np.argwhere(counts > _MOST_ELEMENTS)
    if len(wrong):
        row, cell = wrong[0]
        raise CellError(int(row), f"a cell has {int(counts[row, cell]) - (1 << 32)} elements")


def _content(array: pa.Array) -> memoryview:
    _, offsets, data = array.buffers()
    end = int(np.frombuffer(offsets, np.int64)[array.offset + len(array)])
    return memoryview(b"" if data is None else data)[:end]


def _column(cell: Cell, stored: _Stored, null: np.ndarray | None) -> pa.Array:
    if cell.is_text:
        return texts(cell, np.ascontiguousarray(stored.elements), stored.counts, null)
    values, none = _values(cell, stored)
    if null is None:
        none = none if none is not None else _nan(values)
    if cell.is_scalar:
        return pa.array(values, cell.item, mask=_either(none, null))
    items = pa.array(values, cell.item, mask=none)
    mask = None if null is None else pa.array(null)
    if stored.counts is None:
        return pa.FixedSizeListArray.from_arrays(items, type=cell.column.type, mask=mask)
    offsets = np.concatenate([[0], np.cumsum(stored.counts * cell.numbers)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), items, mask=mask)


def _values(cell: Cell, stored: _Stored) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the elements and which of them are null by their own value."""
    data = stored.elements
    if cell.datatype == "bit":
        return _bits(cell, stored), None
    if cell.datatype == "boolean":
        data = data.reshape(-1)
        true = np.isin(data, np.frombuffer(b"Tt1", np.uint8))
        return true, ~true & ~np.isin(data, np.frombuffer(b"Ff0", np.uint8))
    values = data.astype(data.dtype.newbyteorder("=")).reshape(-1)
    null = cell.column.null
    return values, None if null is None else values == null


def _bits(cell: Cell, stored: _Stored) -> np.ndarray:
    """Return the bits of cells, without those that fill up the last byte of each."""
    data = stored.elements
    if stored.counts is None:
        return np.unpackbits(data.reshape(len(data), -1), axis=1)[:, : cell.count].astype(bool).reshape(-1)
    counts, sizes = stored.counts, (stored.counts + 7) // 8
    ends = np.cumsum(counts)
    starts = (np.cumsum(sizes) - sizes) * 8
    places = np.repeat(starts - (ends - counts), counts) + np.arange(int(ends[-1]) if len(ends) else 0)
    return np.unpackbits(data).astype(bool)[places]


def _nan(values: np.ndarray) -> np.ndarray | None:
    return np.isnan(values) if values.dtype.kind == "f" else None


def _either(first: np.ndarray | None, second: np.ndarray | None) -> np.ndarray | None:
    if first is None or second is None:
        return first if second is None else second
    both: np.ndarray = first | second
    return both
