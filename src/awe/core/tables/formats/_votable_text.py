"""Cells of TABLEDATA, a column at a time, to Arrow arrays.

An empty cell is null (VOTable 1.5 section 5.1). Whole columns are cast at once; only a column that does not
cast is looked at value by value, to find who is wrong.
"""

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from awe.core.tables.formats._arrow import cast_text
from awe.core.tables.formats._votable_fields import Cell

__all__ = ["CellError", "parse_cells", "without_null"]

_TRUE = r"^(?i:t|true|1)$"
_FALSE = r"^(?i:f|false|0)$"
_UNKNOWN = r"^\??$"


class CellError(Exception):
    """A value of a column cannot be used: its index, and why."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(reason)
        self.index = index
        self.reason = reason


def parse_cells(cell: Cell, values: Sequence[str | None] | pa.Array) -> pa.Array:
    """Return the values of a column, of texts in Python or in Arrow.

    Raises
    ------
    CellError
        With the index of the first value that is not of the column's type.
    """
    text = values if isinstance(values, pa.Array) else pa.array(values, pa.string())
    if cell.is_text:
        return text
    if cell.is_scalar:
        return without_null(_scalars(text, cell.item), cell.column.null)
    return _arrays(text, cell)


def without_null(array: pa.Array, null: int | None) -> pa.Array:
    """Return the numbers with nulls where they are the column's magic null."""
    if null is None:
        return array
    try:
        magic = pa.scalar(null, array.type)
    except (pa.ArrowInvalid, OverflowError):  # a null that no value can be
        return array
    return pc.if_else(pc.equal(array, magic), None, array)


def _scalars(text: pa.Array, item: pa.DataType) -> pa.Array:
    if pa.types.is_boolean(item):
        return _booleans(text)
    with suppress(pa.ArrowInvalid):
        return cast_text(text, item)
    with suppress(pa.ArrowInvalid):
        return cast_text(_without_empty(pc.ascii_trim(text, characters=" \t\n\r")), item)
    return _numbers(text, item)


def _without_empty(text: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(text, ""), None, text)


def _numbers(text: pa.Array, item: pa.DataType) -> pa.Array:
    """Cast numbers with blanks, signs, hexadecimal digits and the spellings of infinity."""
    plain = pc.utf8_lower(pc.utf8_trim_whitespace(text))
    plain = pc.replace_substring_regex(plain, r"^\+", "")
    plain = _without_empty(plain)
    try:
        return plain.cast(item)
    except pa.ArrowInvalid:
        return pa.array([_number(i, v, item) for i, v in enumerate(plain.to_pylist())], item)


def _number(index: int, text: str | None, item: pa.DataType) -> object:
    if text is None:
        return None
    try:
        base = 16 if text.startswith(("0x", "-0x")) else 10
        value = float(text) if pa.types.is_floating(item) else int(text, base)
        return pa.scalar(value, item).as_py()
    except (ValueError, OverflowError):
        raise CellError(index, f"{text!r} is not a value of type {item}") from None


def _says(text: pa.Array, pattern: str) -> pa.Array:
    """Say where a text matches; a null never does."""
    return pc.fill_null(pc.match_substring_regex(text, pattern), False)


def _booleans(text: pa.Array) -> pa.Array:
    plain = pc.utf8_lower(pc.utf8_trim_whitespace(text))
    true = _says(plain, _TRUE)
    known = pc.or_(true, _says(plain, _FALSE))
    wrong = pc.invert(pc.or_(known, pc.or_(plain.is_null(), _says(plain, _UNKNOWN))))
    if pc.any(wrong).as_py():
        index = pc.index(wrong, True).as_py()
        raise CellError(index, f"{text[index].as_py()!r} is not a truth value")
    return pc.if_else(known, true, None)


def _arrays(text: pa.Array, cell: Cell) -> pa.Array:
    plain = _without_empty(pc.utf8_trim_whitespace(text))
    if cell.datatype == "bit":  # may stand without blanks between them
        plain = pc.replace_substring_regex(pc.replace_substring_regex(plain, r"\s", ""), "(.)", r"\1 ")
        plain = pc.utf8_trim_whitespace(plain)
    lists = pc.utf8_split_whitespace(plain)
    counts = pc.list_value_length(lists)
    if cell.count is not None:
        _check_counts(counts, cell.count)
    offsets = np.concatenate([[0], np.cumsum(counts.fill_null(0).to_numpy(zero_copy_only=False))])
    try:
        values = without_null(_scalars(lists.flatten(), cell.item), cell.column.null)
    except CellError as error:
        row = int(np.searchsorted(offsets, error.index, side="right")) - 1
        raise CellError(row, error.reason) from None
    mask = lists.is_null()
    made = pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), values, mask=mask)
    return made.cast(cell.column.type)


def _check_counts(counts: pa.Array, wanted: int) -> None:
    wrong = pc.not_equal(counts, wanted).fill_null(False)
    if pc.any(wrong).as_py():
        index = pc.index(wrong, True).as_py()
        raise CellError(index, f"{counts[index].as_py()} elements where the arraysize says {wanted}")
