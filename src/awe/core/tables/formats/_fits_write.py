"""A stream as a FITS binary table (FITS 4.0 section 7.3).

The header must state what only the last row tells: the number of rows, the longest text, a value that no
integer has. So the rows are spooled as Arrow first and measured; then header, rows and heap follow from there
with vectorised conversion to big-endian records. Nothing is yielded before the stream has ended well.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from astropy.io import fits

from awe.core.tables._datatypes import is_list
from awe.core.tables._schema import Column, Schema
from awe.core.tables._stream import TableStream
from awe.core.tables.formats._arrow import basic_schema, elements, pieces, text_bytes, to_numpy
from awe.core.tables.formats._spool import Spool
from awe.errors import UsageError

__all__ = ["write_fits"]

_NUMBERS = {pa.int8(): pa.int16(), pa.float16(): pa.float32()}
_CODES = {
    pa.bool_(): "L",
    pa.uint8(): "B",
    pa.int16(): "I",
    pa.uint16(): "I",
    pa.int32(): "J",
    pa.uint32(): "J",
    pa.int64(): "K",
    pa.uint64(): "K",
    pa.float32(): "E",
    pa.float64(): "D",
}
_UNSIGNED = {pa.uint16(): 1 << 15, pa.uint32(): 1 << 31, pa.uint64(): 1 << 63}
_WIDER = {pa.uint8(): pa.int16(), pa.int16(): pa.int32(), pa.uint16(): pa.int32(), pa.int32(): pa.int64()}
_WIDER[pa.uint32()] = pa.int64()
_BLOCK = 2880
_PIECE_ROWS = 65_536
_BLOCK_BYTES = 1 << 19
"""Of records that are filled column by column, and leave, while they are in a processor's cache."""
_FIRST, _LAST = 0x20, 0x7E
"""The characters that FITS knows (FITS 4.0 section 3.3.1)."""


@dataclass(slots=True)
class _Measure:
    """What the rows of one column tell once all are seen."""

    nulls: int = 0
    low: int | None = None
    high: int | None = None
    longest: int = 0
    heap: int = 0
    not_ascii: int = 0

    def see(self, array: pa.Array, name: str) -> None:
        self.nulls += array.null_count
        if (
            array.null_count
            and pa.types.is_fixed_size_list(array.type)
            and pa.types.is_integer(array.type.value_type)
        ):
            raise UsageError(
                f"column {name}: a missing integer array has no place in FITS", hint="use parquet"
            )
        if pa.types.is_string(array.type):
            length = pc.utf8_length
            if text_bytes(array).max(initial=0) < 128:  # as most are: bytes are characters
                length = pc.binary_length
            else:
                self.not_ascii += pc.sum(pc.invert(pc.string_is_ascii(array))).as_py() or 0
            self.longest = max(self.longest, pc.max(length(array)).as_py() or 0)
        elif pa.types.is_list(array.type):
            flat, offsets = elements(array, name)
            self.longest = max(self.longest, int(np.diff(offsets).max(initial=0)))
            self.heap += len(flat) * _item_size(array.type.value_type)
        elif pa.types.is_integer(array.type) and array.null_count < len(array):
            ends = pc.min_max(array).as_py()
            self.low = ends["min"] if self.low is None else min(self.low, ends["min"])
            self.high = ends["max"] if self.high is None else max(self.high, ends["max"])


@dataclass(slots=True)
class _Plan:
    """A column as it is written: its Arrow type, TFORM, the value that means null, its place in a record."""

    column: Column
    type: pa.DataType
    form: str
    null: int | None
    not_ascii: int
    item: np.dtype = field(default_factory=lambda: np.dtype("u1"))
    shape: tuple[int, ...] = ()


def write_fits(stream: TableStream, shortest_text: int = 1) -> Iterator[bytes]:
    """Yield the file: an empty primary HDU and the table.

    Parameters
    ----------
    stream
        The rows.
    shortest_text
        Characters of a text column at the least: some readers take one character for another type than text.

    Raises
    ------
    UsageError
        If an integer column holds both the least and the greatest 64-bit number, and nulls.
    """
    schema = basic_schema(stream.schema.distinct(), _NUMBERS)
    in_memory = stream.complete and all(b.type == c.type for b, c in zip(schema, stream.schema, strict=True))
    with stream, closing(Spool([f"c{i}" for i in range(len(schema))], in_memory=in_memory)) as spool:
        measures, rows = _measured(stream, schema, spool)
        heap = sum(measure.heap for measure in measures)
        plans = [_plan(c, m, heap, shortest_text) for c, m in zip(schema, measures, strict=True)]
        yield _primary()
        yield _header(schema, plans, rows, heap, overflow=stream.overflow)
        written = 0
        offset = 0
        # one after another: several threads would wait for each other longer than a column takes
        for batch in spool:
            fields, offset = _fields(batch, plans, offset)
            for data in _records(fields, plans):
                written += len(data)
                yield data
        if heap:
            for batch in spool:
                for data in _heap(batch, plans):
                    written += len(data)
                    yield data
        yield bytes(-written % _BLOCK)


def _measured(stream: TableStream, schema: Schema, spool: Spool) -> tuple[list[_Measure], int]:
    measures = [_Measure() for _ in schema]
    rows = 0
    for columns in pieces(stream, schema, _PIECE_ROWS):
        for column, measure, array in zip(schema, measures, columns, strict=True):
            measure.see(array, column.name)
        rows += len(columns[0])
        spool.add(columns)
    return measures, rows


def _item_size(arrow: pa.DataType) -> int:
    return 1 if pa.types.is_boolean(arrow) else int(arrow.bit_width // 8)


def _plan(column: Column, measure: _Measure, heap: int, shortest_text: int) -> _Plan:
    arrow = column.type
    if pa.types.is_string(arrow):
        width = max(1 if column.arraysize == "1" else shortest_text, measure.longest)
        return _Plan(column, arrow, f"{width}A", None, measure.not_ascii, np.dtype(f"S{width}"))
    if is_list(arrow):
        item, code = _stored(arrow.value_type), _CODES[arrow.value_type]
        if pa.types.is_fixed_size_list(arrow):
            return _Plan(column, arrow, f"{arrow.list_size}{code}", None, 0, item, (arrow.list_size,))
        long = heap >= 1 << 31
        descriptor = np.dtype(">i8" if long else ">i4")
        return _Plan(
            column, arrow, f"1{'Q' if long else 'P'}{code}({measure.longest})", None, 0, descriptor, (2,)
        )
    null = None
    if pa.types.is_integer(arrow) and measure.nulls:
        arrow, null = _free_value(column, measure)
    return _Plan(column, arrow, f"1{_CODES[arrow]}", null, 0, _stored(arrow))


def _stored(arrow: pa.DataType) -> np.dtype:
    if pa.types.is_boolean(arrow):
        return np.dtype("u1")
    name = np.dtype(arrow.to_pandas_dtype()).str[1:].replace("u", "i")
    return np.dtype("u1") if arrow == pa.uint8() else np.dtype(f">{name}")


def _free_value(column: Column, measure: _Measure) -> tuple[pa.DataType, int]:
    """Return a type and a value of it that no row has, to mean null (TNULL)."""
    arrow = column.type
    while True:
        limits = np.iinfo(arrow.to_pandas_dtype())
        least, greatest = int(limits.min), int(limits.max)
        if measure.low is None or measure.low > least:
            return arrow, least
        if measure.high is not None and measure.high < greatest:
            return arrow, greatest
        if arrow not in _WIDER:
            raise UsageError(
                f"column {column.name}: no 64-bit integer is left to mean null in FITS", hint="use parquet"
            )
        arrow = _WIDER[arrow]


def _primary() -> bytes:
    return str(fits.PrimaryHDU().header.tostring()).encode("ascii")


def _header(schema: Schema, plans: list[_Plan], rows: int, heap: int, *, overflow: bool) -> bytes:
    width = _dtype(plans).itemsize
    header = fits.Header()
    header["XTENSION"] = ("BINTABLE", "binary table")
    header["BITPIX"], header["NAXIS"] = 8, 2
    header["NAXIS1"] = (width, "bytes in a row")
    header["NAXIS2"] = (rows, "rows")
    header["PCOUNT"] = (heap, "bytes in the heap")
    header["GCOUNT"] = 1
    header["TFIELDS"] = (len(plans), "columns")
    if schema.name:
        header["EXTNAME"] = _ascii(schema.name)
    for number, plan in enumerate(plans, 1):
        for key, value in _cards(plan).items():
            header[f"{key}{number}"] = value
    header["DATE"] = (datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"), "written, UTC")
    header["ORIGIN"] = "awe"
    if overflow:
        header["OVERFLOW"] = (True, "rows were left out because of a limit")
    for number, plan in enumerate(plans, 1):
        if plan.not_ascii:
            header["COMMENT"] = f"column {number}: in {plan.not_ascii} texts '?' stands for what is not ASCII"
    return str(header.tostring()).encode("ascii")


def _cards(plan: _Plan) -> dict[str, str | int]:
    column = plan.column
    item = plan.type.value_type if is_list(plan.type) else plan.type
    zero = _UNSIGNED.get(item)
    cards: dict[str, str | int | None] = {
        "TTYPE": _ascii(column.name),
        "TFORM": plan.form,
        "TUNIT": _ascii(column.unit),
        "TSCAL": None if zero is None else 1,
        "TZERO": zero,
        "TNULL": None if plan.null is None else plan.null - (zero or 0),
        "TUCD": _ascii(column.ucd),
        "TUTYP": _ascii(column.utype),
        "TXTYP": _ascii(column.xtype),
        "TCOMM": _ascii(column.description),
    }
    return {key: value for key, value in cards.items() if value is not None and value != ""}


def _ascii(text: str) -> str:
    plain = " ".join(text.split()).encode("ascii", "replace").decode("ascii")
    return "".join(c if c.isprintable() else "?" for c in plain)


def _dtype(plans: list[_Plan]) -> np.dtype:
    return np.dtype([(f"c{i}", plan.item, plan.shape) for i, plan in enumerate(plans)])


def _fields(batch: pa.RecordBatch, plans: list[_Plan], offset: int) -> tuple[list[np.ndarray], int]:
    """Return what stands in the records, by column, and where the heap goes on behind these rows."""
    fields = []
    for array, plan in zip(batch.columns, plans, strict=True):
        if pa.types.is_list(plan.type):
            cells, offset = _descriptors(array, plan, offset)
        else:
            cells = _cells(array, plan)
        fields.append(cells)
    return fields, offset


def _records(fields: list[np.ndarray], plans: list[_Plan]) -> Iterator[bytes]:
    """Yield the records, some at a time."""
    record = _dtype(plans)  # with no byte between its fields
    rows = len(fields[0])
    step = max(1, _BLOCK_BYTES // record.itemsize)
    block = np.empty(min(step, rows), record)
    places = [block[name] for name in block.dtype.names or ()]
    for begin in range(0, rows, step):
        size = min(step, rows - begin)
        for place, cells in zip(places, fields, strict=True):
            place[:size] = cells[begin : begin + size]
        yield block[:size].tobytes()


def _descriptors(array: pa.Array, plan: _Plan, offset: int) -> tuple[np.ndarray, int]:
    """Return how many elements each row has and where they begin in the heap, and where those of the next rows do."""
    counts, size = np.diff(elements(array, plan.column.name)[1]), _item_size(plan.type.value_type)
    ends = offset + np.cumsum(counts) * size
    return np.stack((counts, ends - counts * size), axis=1), offset + int(counts.sum()) * size


def _cells(array: pa.Array, plan: _Plan) -> np.ndarray:
    if pa.types.is_string(plan.type):
        return _padded(array, plan.item.itemsize)
    if is_list(plan.type):
        return _fixed_arrays(array, plan)
    if array.type != plan.type:
        array = array.cast(plan.type)
    return _stored_values(array, plan.null or 0)


def _fixed_arrays(array: pa.Array, plan: _Plan) -> np.ndarray:
    values = _stored_values(elements(array, plan.column.name)[0], 0).reshape(len(array), -1)
    if not array.null_count or not pa.types.is_floating(plan.type.value_type):
        return values
    missing = array.is_null().to_numpy(zero_copy_only=False)
    return np.where(missing[:, None], values.dtype.type("nan"), values)


def _stored_values(array: pa.Array, null: int) -> np.ndarray:
    if pa.types.is_boolean(array.type):
        codes: np.ndarray = array.cast(pa.uint8()).fill_null(2).to_numpy(zero_copy_only=False)
        return np.frombuffer(b"FT\0", np.uint8).take(codes)
    if pa.types.is_floating(array.type):
        return to_numpy(array, float("nan"))
    values = to_numpy(array, null)
    zero = _UNSIGNED.get(array.type)
    if zero is None:
        return values
    # subtracting 2ⁿ⁻¹ is turning the sign bit over
    turned: np.ndarray = values ^ values.dtype.type(zero)
    return turned.view(values.dtype.str.replace("u", "i"))


def _padded(array: pa.Array, width: int) -> np.ndarray:
    """Return texts as fixed fields, blank where null; what is not printable ASCII becomes a question mark."""
    data, plain = text_bytes(array), array.fill_null("") if array.null_count else array
    if data.min(initial=_FIRST) < _FIRST or data.max(initial=_LAST) > _LAST:
        plain = pc.replace_substring_regex(plain, r"[^\x20-\x7e]", "?")
    padded = pc.ascii_rpad(plain, width)
    return np.frombuffer(padded.buffers()[2], f"S{width}", len(padded), padded.offset * width)


def _heap(batch: pa.RecordBatch, plans: list[_Plan]) -> Iterator[bytes]:
    for index, plan in enumerate(plans):
        if pa.types.is_list(plan.type):
            values = _stored_values(elements(batch.column(index), plan.column.name)[0], 0)
            yield values.astype(_stored(plan.type.value_type), copy=False).tobytes()
