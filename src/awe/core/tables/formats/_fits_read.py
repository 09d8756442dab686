"""A FITS binary table as a stream (FITS 4.0 section 7.3), a few thousand rows at a time.

Nulls are TNULL of integers, NaN of floats, blank texts and undefined truth values. Scaled columns become
doubles, unsigned ones (TZERO = 2ⁿ⁻¹) their own type; arrays of several dimensions become flat, complex numbers
arrays of pairs, bits truth values. astropy reads the headers, numpy the rows.
"""

import itertools
import re
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from astropy.io import fits

from awe.core.tables._schema import Column, Schema
from awe.core.tables._stream import TableStream
from awe.core.tables.formats._files import first_bytes, open_file, read_some, split_part
from awe.core.tables.formats._parallel import ahead
from awe.errors import InputFileError

__all__ = ["read_fits"]

_FORM = re.compile(r"\s*(\d*)([LXBIJKAEDCMPQ])([LXBIJKAEDCM]?)")
_PIECE_BYTES = 1 << 22
"""Worked on at once: so many that threads seldom wait for each other."""
_HEAP_BYTES = (1 << 31) - 1  # of one piece of rows: what Arrow's offsets can count
_ITEMS: dict[str, tuple[str, pa.DataType, int]] = {
    "L": ("u1", pa.bool_(), 1),
    "B": ("u1", pa.uint8(), 1),
    "I": (">i2", pa.int16(), 1),
    "J": (">i4", pa.int32(), 1),
    "K": (">i8", pa.int64(), 1),
    "E": (">f4", pa.float32(), 1),
    "D": (">f8", pa.float64(), 1),
    "C": (">f4", pa.float32(), 2),
    "M": (">f8", pa.float64(), 2),
}
_OFFSETS: dict[tuple[str, float], pa.DataType] = {
    ("B", -128): pa.int8(),
    ("I", 1 << 15): pa.uint16(),
    ("J", 1 << 31): pa.uint32(),
    ("K", 1 << 63): pa.uint64(),
}


@dataclass(frozen=True, slots=True)
class _Field:
    """A column as the header describes it; `count` is the repeat count, `pointer` P or Q for the heap."""

    column: Column
    code: str
    count: int
    pointer: str
    dtype: np.dtype
    scale: float
    zero: float
    null: int | None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the table stands in the file: bytes of its rows and heap, number and size of rows, its end."""

    start: int
    rows: int
    width: int
    heap: int
    end: int


class _Piece(NamedTuple):
    """Some rows as they are stored, the number of the first, and of columns with a heap the bytes of their arrays."""

    first: int
    records: np.ndarray
    arrays: list[bytes | None]


def read_fits(path: Path, hdu: str | None = None) -> TableStream:
    """Return the rows of the first binary table of a file, or of the HDU named in brackets.

    Parameters
    ----------
    path
        The file.
    hdu
        Number or name of the HDU; then the path names none.

    Raises
    ------
    InputFileError
        If it is no FITS file, has no such table, or is damaged: with the HDU, column or row.
    """
    path, wanted = (path, hdu) if hdu is not None else split_part(path)
    if not first_bytes(path, 80).startswith(b"SIMPLE  ="):
        raise InputFileError(path.name, "it is not a FITS file: it does not begin with SIMPLE")
    header, number, start = _find(path, wanted)
    where = f"HDU {number}"
    try:
        fields = [_field(header, n, path.name, where) for n in range(1, int(header["TFIELDS"]) + 1)]
        width, rows = int(header["NAXIS1"]), int(header["NAXIS2"])
        heap, more = int(header.get("THEAP", width * rows)), int(header.get("PCOUNT", 0))
    except (KeyError, ValueError, TypeError, OverflowError, MemoryError) as error:
        raise InputFileError(path.name, f"the table's header is damaged: {error}", where=where) from None
    if min(width, rows, heap, more) < 0:
        raise InputFileError(path.name, "a negative size in the table's header", where=where)
    dtype = np.dtype([(f"c{i}", f.dtype) for i, f in enumerate(fields)])
    if dtype.itemsize != width or not fields:
        reason = f"the TFORMs make rows of {dtype.itemsize} bytes, NAXIS1 says {width}"
        raise InputFileError(path.name, reason, where=where)
    place = _Place(start, rows, width, start + heap, start + width * rows + more)
    schema = Schema(tuple(f.column for f in fields), str(header.get("EXTNAME", "")))
    content = open_file(path)
    return TableStream(schema, _batches(path, content, fields, dtype, place, schema), content.close)


def _find(path: Path, wanted: str | None) -> tuple[fits.Header, int, int]:
    """Return header, number and data position of the table."""
    seen = []
    try:
        with warnings.catch_warnings(), fits.open(path, memmap=False, disable_image_compression=True) as hdus:
            warnings.simplefilter("ignore")
            for number, hdu in enumerate(hdus):
                name = hdu.name or "no name"
                seen.append(f"{number} ({name})")
                if wanted is None:
                    match = isinstance(hdu, fits.BinTableHDU) and not hdu.header.get("ZIMAGE", False)
                else:
                    match = wanted in {str(number), hdu.name} or wanted.upper() == hdu.name
                if match:
                    _check_kind(hdu, path, number)
                    return hdu.header.copy(), number, int(hdu.fileinfo()["datLoc"])
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise InputFileError(path.name, f"it cannot be read as FITS: {error}") from None
    what = "no binary table in it" if wanted is None else f"no HDU {wanted}"
    raise InputFileError(path.name, what, hint=f"its HDUs: {', '.join(seen)}")


def _check_kind(hdu: object, path: Path, number: int) -> None:
    if not isinstance(hdu, fits.BinTableHDU):
        raise InputFileError(path.name, "not a binary table", where=f"HDU {number}", hint="name another HDU")


def _field(header: fits.Header, number: int, file: str, where: str) -> _Field:
    form = str(header[f"TFORM{number}"])
    name = str(header.get(f"TTYPE{number}", f"col{number}")).strip()
    match = _FORM.match(form)
    if match is None or (match[2] in "PQ") != bool(match[3] and match[2] in "PQ"):
        raise InputFileError(
            file, f"TFORM{number}={form!r} is not a column format", where=f"{where}, column {name}"
        )
    count, code, pointer = int(match[1] or 1), match[2], ""
    if code in "PQ":
        pointer, code = code, match[3]
        if code == "X":
            raise InputFileError(
                file, "variable arrays of bits are not read", where=f"{where}, column {name}"
            )
    scale, zero = header.get(f"TSCAL{number}", 1), header.get(f"TZERO{number}", 0)
    null = header.get(f"TNULL{number}")
    column = Column(
        name,
        _arrow(code, count, pointer, scale, zero),
        str(header.get(f"TUNIT{number}", "")).strip(),
        str(header.get(f"TUCD{number}", "")),
        str(header.get(f"TUTYP{number}", "")),
        str(header.get(f"TXTYP{number}", "")),
        str(header.get(f"TCOMM{number}", "")),
    )
    return _Field(column, code, count, pointer, _dtype(code, count, pointer), scale, zero, null)


def _dtype(code: str, count: int, pointer: str) -> np.dtype:
    if pointer:
        return np.dtype((">i4" if pointer == "P" else ">i8", (2,)))
    if code == "A":
        return np.dtype((np.void, count))
    if code == "X":
        return np.dtype(("u1", ((count + 7) // 8,)))
    item, _, pair = _ITEMS[code]
    return np.dtype((item, (count * pair,)))


def _item_type(code: str, scale: float, zero: float) -> pa.DataType:
    if code == "X":
        return pa.bool_()
    if scale == 1 and zero == 0:
        return _ITEMS[code][1]
    return _OFFSETS.get((code, zero), pa.float64()) if scale == 1 else pa.float64()


def _arrow(code: str, count: int, pointer: str, scale: float, zero: float) -> pa.DataType:
    if code == "A":
        return pa.string()
    item = _item_type(code, scale, zero)
    if pointer:
        return pa.list_(item)
    if count == 0:
        return pa.null()
    width = count if code == "X" else count * _ITEMS[code][2]
    return item if width == 1 else pa.list_(item, width)


def _batches(
    path: Path, content: BinaryIO, fields: list[_Field], dtype: np.dtype, place: _Place, schema: Schema
) -> Iterator[pa.RecordBatch]:
    arrow = schema.to_arrow()

    def made(piece: _Piece) -> pa.RecordBatch:
        columns = []
        for index, (field, arrays) in enumerate(zip(fields, piece.arrays, strict=True)):
            raw = piece.records[f"c{index}"]
            try:
                columns.append(_column(field, raw) if arrays is None else _heap_column(field, raw, arrays))
            except UnicodeDecodeError:
                rows = f"rows {piece.first + 1} to {piece.first + len(piece.records)}"
                where = f"{rows}, column {field.column.name}"
                raise InputFileError(path.name, "text that is neither ASCII nor UTF-8", where=where) from None
        return pa.RecordBatch.from_arrays(columns, schema=arrow)

    with closing(ahead(made, _pieces(path, content, fields, dtype, place))) as batches:
        yield from batches


def _pieces(
    path: Path, content: BinaryIO, fields: list[_Field], dtype: np.dtype, place: _Place
) -> Iterator[_Piece]:
    step = max(1, _PIECE_BYTES // place.width)
    for first in range(0, place.rows, step):
        rows = min(step, place.rows - first)
        data = _bytes_at(path, content, place.start + first * place.width, rows * place.width)
        if len(data) < rows * place.width:
            where = f"row {first + len(data) // place.width + 1}"
            raise InputFileError(path.name, f"the file ends, {place.rows} rows were announced", where=where)
        records = np.frombuffer(data, dtype)
        arrays = [
            _heap_bytes(field, records[f"c{index}"], path, content, place) if field.pointer else None
            for index, field in enumerate(fields)
        ]
        yield _Piece(first, records, arrays)


def _bytes_at(path: Path, content: BinaryIO, position: int, size: int) -> bytes:
    content.seek(position)
    return read_some(content, path, size)


def _column(field: _Field, raw: np.ndarray) -> pa.Array:
    rows = len(raw)
    if field.code == "A":
        return _fixed_texts(raw, field.count) if field.count else pa.nulls(rows, pa.string())
    if field.count == 0:
        return pa.nulls(rows)
    scalar = not pa.types.is_fixed_size_list(field.column.type)
    if field.code == "X":
        raw = np.unpackbits(raw, axis=1)[:, : field.count]
    items = _items(field, raw.reshape(-1) if scalar else raw, nan_is_null=scalar)
    return items if scalar else pa.FixedSizeListArray.from_arrays(items, type=field.column.type)


def _items(field: _Field, stored: np.ndarray, *, nan_is_null: bool) -> pa.Array:
    """Return stored values as what they mean."""
    arrow = _item_type(field.code, field.scale, field.zero)
    if field.code == "X":
        return pa.array(stored.astype(bool).reshape(-1))
    if field.code == "L":
        stored = stored.reshape(-1)
        true = stored == ord("T")
        return pa.array(true, mask=~true & (stored != ord("F")))
    native = stored.astype(stored.dtype.newbyteorder("="), order="C").reshape(-1)
    mask = native == field.null if field.null is not None and native.dtype.kind in "iu" else None
    target = np.dtype(arrow.to_pandas_dtype())
    if (field.scale, field.zero) != (1, 0):
        if target.kind == "f":
            native = native * float(field.scale) + float(field.zero)
        else:  # adding 2ⁿ⁻¹ is turning the sign bit over
            native = native.view(target) ^ np.array(1 << (8 * target.itemsize - 1), np.uint64).astype(target)
    if native.dtype.kind == "f" and nan_is_null and (missing := np.isnan(native)).any():
        mask = missing if mask is None else mask | missing
    return pa.array(native.astype(target, copy=False), arrow, mask=mask)


def _fixed_texts(raw: np.ndarray, width: int) -> pa.Array:
    """Return what `_texts` does of fields of one width, all at once."""
    fields = np.ascontiguousarray(raw).view(np.uint8).reshape(-1, width)
    ended = fields == 0
    if (ended[:, :-1] & ~ended[:, 1:]).any():  # something behind a NUL
        fields = np.where(np.logical_or.accumulate(ended, axis=1), ord(" "), fields).astype(np.uint8)
    bounds = np.arange(len(fields) + 1, dtype=np.int32) * np.int32(width)
    made = pa.Array.from_buffers(pa.binary(), len(fields), [None, pa.py_buffer(bounds), pa.py_buffer(fields)])
    try:
        texts = pc.ascii_rtrim(made.cast(pa.string()), characters=" \0")
    except pa.ArrowInvalid:
        return _texts([value.tobytes() for value in raw])
    sizes = np.diff(np.frombuffer(texts.buffers()[1], np.int32, len(texts) + 1))
    if sizes.all():
        return texts
    known = pa.py_buffer(np.packbits(sizes > 0, bitorder="little"))
    return pa.Array.from_buffers(pa.string(), len(texts), [known, *texts.buffers()[1:]])


def _texts(values: list[bytes]) -> pa.Array:
    """Return texts up to their first NUL, without the blanks at their end; a blank one is null."""
    plain = (value.partition(b"\0")[0].rstrip(b" ").decode("utf-8") for value in values)
    return pa.array([text or None for text in plain], pa.string())


def _heap_bytes(field: _Field, raw: np.ndarray, path: Path, content: BinaryIO, place: _Place) -> bytes:
    """Return the bytes of the arrays of some rows, in the order of the rows."""
    if (raw < 0).any():
        raise InputFileError(path.name, "a negative array descriptor", where=f"column {field.column.name}")
    beyond = InputFileError(path.name, "its arrays go beyond the heap", where=f"column {field.column.name}")
    if (raw > place.end).any():
        raise beyond
    starts, sizes = raw[:, 1].astype(np.int64), _heap_sizes(field, raw)
    used = sizes > 0
    starts, sizes = starts[used], sizes[used]
    low = int(starts.min(initial=np.iinfo(np.int64).max)) if len(starts) else 0
    high = int((starts + sizes).max(initial=0))
    # Checked before memory is asked for: a damaged descriptor may say anything.
    if place.heap + high > place.end or int(sizes.sum()) > _HEAP_BYTES:
        raise beyond
    heap = _bytes_at(path, content, place.heap + low, high - low)
    if len(heap) < high - low:
        raise InputFileError(path.name, "the file ends inside the heap", where=f"column {field.column.name}")
    if (starts[:-1] + sizes[:-1] == starts[1:]).all():  # as nearly all files have it
        return heap
    starts -= low
    return b"".join(
        heap[start : start + size] for start, size in zip(starts.tolist(), sizes.tolist(), strict=True)
    )


def _heap_sizes(field: _Field, raw: np.ndarray) -> np.ndarray:
    """Return the bytes of the array of each row."""
    item, _, pair = ("u1", None, 1) if field.code == "A" else _ITEMS[field.code]
    sizes: np.ndarray = raw[:, 0].astype(np.int64) * (pair * np.dtype(item).itemsize)
    return sizes


def _heap_column(field: _Field, raw: np.ndarray, arrays: bytes) -> pa.Array:
    bounds = np.concatenate([[0], np.cumsum(_heap_sizes(field, raw))])
    if field.code == "A":
        return _texts([arrays[begin:end] for begin, end in itertools.pairwise(bounds.tolist())])
    item = _ITEMS[field.code][0]
    items = _items(field, np.frombuffer(arrays, item), nan_is_null=False)
    offsets = (bounds // np.dtype(item).itemsize).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), items)
