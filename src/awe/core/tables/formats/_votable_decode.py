"""Rows of BINARY and BINARY2 streams to Arrow arrays (VOTable 1.5 sections 5.3 and 5.4).

When every cell has a fixed width the rows are numpy records. Otherwise a walk over the counts finds where
each cell begins, and columns are gathered from there. BINARY has no nulls of its own: NaN, a blank truth
value, a text of no characters and the magic null of an integer stand for them.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from awe.core.tables.formats._votable_fields import Cell
from awe.core.tables.formats._votable_text import CellError

__all__ = ["BinaryDecoder"]

_WIDTHS = {"boolean": 1, "char": 1, "unicodeChar": 2}
_COUNT = struct.Struct(">i")


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the cells of a column stand in the bytes (starts), how many bytes each has, and what it counts."""

    starts: np.ndarray
    sizes: np.ndarray
    counts: np.ndarray | None = None


class BinaryDecoder:
    """Decode rows as their bytes arrive.

    Parameters
    ----------
    cells
        The columns.
    masked
        True for BINARY2, where a null mask begins each row.
    """

    def __init__(self, cells: list[Cell], *, masked: bool) -> None:
        self._cells = cells
        self._mask_bytes = (len(cells) + 7) // 8 if masked else 0
        self._sizes = [_fixed_size(cell) for cell in cells]

    def decode(self, data: bytes) -> tuple[list[pa.Array], int]:
        """Return the columns of the whole rows in `data`, and the number of bytes they took.

        Raises
        ------
        CellError
            With the index of the row that is damaged.
        """
        places, used = self._places(data)
        rows = len(places[0].starts)
        if not rows:
            return [pa.array([], cell.column.type) for cell in self._cells], 0
        raw = np.frombuffer(data, np.uint8)
        nulls = self._nulls(raw, places[0].starts, rows)
        arrays = [
            _column(cell, raw, place, None if nulls is None else nulls[:, index])
            for index, (cell, place) in enumerate(zip(self._cells, places[1:], strict=True))
        ]
        return arrays, used

    def _places(self, data: bytes) -> tuple[list[_Places], int]:
        """Return the places of the mask and of each column."""
        widths = [self._mask_bytes, *self._sizes]
        fixed = [width for width in widths if width is not None]
        if len(fixed) == len(widths):
            row = sum(fixed)
            starts = np.arange(len(data) // row if row else 0, dtype=np.int64) * row
            offsets = np.concatenate([[0], np.cumsum(fixed)[:-1]])
            places = [
                _Places(starts + o, np.full(len(starts), w)) for o, w in zip(offsets, fixed, strict=True)
            ]
            return places, len(starts) * row
        return self._walk(data, widths)

    def _walk(self, data: bytes, widths: list[int | None]) -> tuple[list[_Places], int]:
        """Follow the counts from cell to cell of varying size, then place the fixed cells between them."""
        plan, tail = self._plan(widths)
        found: list[int] = []
        position, end, row_start, rows = 0, len(data), 0, 0
        unpack = _COUNT.unpack_from
        while row_start < end:
            for skip, factor, bits in plan:
                position += skip
                if position > end:
                    break
                (count,) = unpack(data, position - 4)
                if count < 0:
                    raise CellError(rows, f"a cell has {count} elements")
                size = (count + 7) // 8 if bits else count * factor
                found += (position, size, count)
                position += size
            position += tail
            if position > end:
                break
            row_start = position
            rows += 1
        table = np.array(found[: rows * len(plan) * 3], np.int64).reshape(rows, len(plan), 3)
        return list(self._spread(table, widths)), row_start

    def _plan(self, widths: list[int | None]) -> tuple[list[tuple[int, int, bool]], int]:
        """Return (bytes up to behind the count, bytes an element, whether bits) of each such cell, and the rest."""
        plan = []
        skip = self._mask_bytes
        for width, cell in zip(widths[1:], self._cells, strict=True):
            if width is None:
                plan.append((skip + 4, _width(cell) * cell.numbers, cell.datatype == "bit"))
                skip = 0
            else:
                skip += width
        return plan, skip

    def _spread(self, table: np.ndarray, widths: list[int | None]) -> Iterator[_Places]:
        position = table[:, 0, 0] - 4 - sum(w for w in widths[: widths.index(None)] if w is not None)
        variable = 0
        for width in widths:
            if width is None:
                position = table[:, variable, 0]
                sizes, counts = table[:, variable, 1], table[:, variable, 2]
                variable += 1
                yield _Places(position, sizes, counts)
                position = position + sizes
            else:
                yield _Places(position, np.full(len(position), width))
                position = position + width

    def _nulls(self, raw: np.ndarray, starts: np.ndarray, rows: int) -> np.ndarray | None:
        if not self._mask_bytes:
            return None
        masks = raw[starts[:, None] + np.arange(self._mask_bytes)]
        return np.unpackbits(masks.reshape(rows, -1), axis=1).astype(bool)


def _fixed_size(cell: Cell) -> int | None:
    if cell.count is None:
        return None
    if cell.datatype == "bit":
        return (cell.count + 7) // 8
    return cell.count * _width(cell)


def _width(cell: Cell) -> int:
    known = _WIDTHS.get(cell.datatype)
    return known if known is not None else max(1, cell.item.bit_width // 8)


def _column(cell: Cell, raw: np.ndarray, place: _Places, null: np.ndarray | None) -> pa.Array:
    data = _gather(raw, place)
    if cell.is_text:
        return _text(cell, data, place.sizes, null)
    values, none = _values(cell, data, place)
    if null is None:
        none = none if none is not None else _nan(values)
    if cell.is_scalar:
        return pa.array(values, cell.item, mask=_either(none, null))
    items = pa.array(values, cell.item, mask=none)
    mask = None if null is None else pa.array(null)
    if cell.count is not None:
        return pa.FixedSizeListArray.from_arrays(items, type=cell.column.type, mask=mask)
    counts = place.sizes // _width(cell)
    if cell.datatype == "bit" and place.counts is not None:
        counts = place.counts
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), items, mask=mask)


def _gather(raw: np.ndarray, place: _Places) -> np.ndarray:
    """Return the bytes of the cells, one after the other."""
    sizes = place.sizes
    if len(sizes) and (sizes == sizes[0]).all():
        where = (place.starts[:, None] + np.arange(sizes[0])).reshape(-1)
    else:
        ends = np.cumsum(sizes)
        where = np.repeat(place.starts - (ends - sizes), sizes) + np.arange(ends[-1] if len(ends) else 0)
    return raw.take(where)


def _values(cell: Cell, data: np.ndarray, place: _Places) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the elements and which of them are null by their own value."""
    if cell.datatype == "bit":
        bits = np.unpackbits(data).astype(bool)
        return bits[_used_bits(cell, place)], None
    if cell.datatype == "boolean":
        true = np.isin(data, np.frombuffer(b"Tt1", np.uint8))
        return true, ~true & ~np.isin(data, np.frombuffer(b"Ff0", np.uint8))
    native = np.dtype(cell.item.to_pandas_dtype())
    values = np.ascontiguousarray(data).view(native.newbyteorder(">")).astype(native)
    null = cell.column.null
    return values, None if null is None else values == null


def _used_bits(cell: Cell, place: _Places) -> np.ndarray:
    """Return where the bits of cells stand among all bits: the last byte of a cell may be longer than its bits."""
    counts = np.full(len(place.sizes), cell.count) if place.counts is None else place.counts
    ends = np.cumsum(counts)
    starts = (np.cumsum(place.sizes) - place.sizes) * 8
    return np.repeat(starts - (ends - counts), counts) + np.arange(int(ends[-1]) if len(ends) else 0)


def _nan(values: np.ndarray) -> np.ndarray | None:
    return np.isnan(values) if values.dtype.kind == "f" else None


def _either(first: np.ndarray | None, second: np.ndarray | None) -> np.ndarray | None:
    if first is None or second is None:
        return first if second is None else second
    both: np.ndarray = first | second
    return both


def _text(cell: Cell, data: np.ndarray, sizes: np.ndarray, null: np.ndarray | None) -> pa.Array:
    if cell.datatype == "unicodeChar" or cell.count is not None or cell.width:
        return pa.array(list(_strings(cell, data.tobytes(), sizes, null)), pa.string())
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    mask = sizes == 0 if null is None else null
    validity = pa.py_buffer(np.packbits(~mask, bitorder="little").tobytes())
    buffers = [validity, pa.py_buffer(offsets), pa.py_buffer(data.tobytes())]
    array = pa.Array.from_buffers(pa.binary(), len(sizes), buffers)
    try:
        return array.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array(list(_strings(cell, data.tobytes(), sizes, null)), pa.string())


def _joined(text: str, width: int) -> str:
    """Return a text up to its first NUL; several texts of a fixed width with blanks up to that width."""
    if not width or len(text) <= width:
        return text.partition("\0")[0]
    parts = (text[start : start + width].partition("\0")[0] for start in range(0, len(text), width))
    return "".join(part.ljust(width) for part in parts)


def _strings(cell: Cell, data: bytes, sizes: np.ndarray, null: np.ndarray | None) -> Iterator[str | None]:
    """Yield texts that end at their first NUL (VOTable 1.5 section 5.3)."""
    encoding = "utf-16-be" if cell.datatype == "unicodeChar" else "utf-8"
    position = 0
    for row, size in enumerate(sizes.tolist()):
        piece = data[position : position + size]
        position += size
        try:
            text = _joined(piece.decode(encoding), cell.width)
        except UnicodeDecodeError:
            raise CellError(row, f"{piece!r} is not {encoding} text") from None
        missing = text == "" if null is None else bool(null[row])
        yield None if missing else text
