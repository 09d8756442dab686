"""Rows as VOTable TABLEDATA: column by column to text, then joined, with no Python per row.

Cells are those of VOTable 1.5 section 5.1: an empty cell is null, numbers are the shortest text that reads
back exactly, arrays are separated by blanks. A text of no characters cannot be told from null here.
Characters that XML 1.0 section 2.2 forbids become U+FFFD.
"""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from awe.core.tables._datatypes import is_list
from awe.core.tables._schema import Column, Schema
from awe.core.tables.formats._arrow import elements, text_bytes
from awe.core.tables.formats._digits import Numbers, number_lists, number_runs
from awe.core.tables.formats._text import Cells, joined
from awe.core.tables.formats._votable_few import FEW, few_rows

__all__ = ["table_cells", "table_rows"]

_ROW_BEGIN, _BETWEEN, _ROW_END = "<TR><TD>", "</TD><TD>", "</TD></TR>\n"
_SPECIAL = re.compile(rb"[&<>\x00-\x08\x0b-\x1f]|\xef\xbf[\xbe\xbf]")
_SUSPECTS = b"&<>\xef"
_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;"))
_FORBIDDEN = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x{FFFE}\x{FFFF}]"


def table_rows(cells: Cells | bytes) -> bytes:
    """Return the TR elements that `table_cells` were made for."""
    return cells if isinstance(cells, bytes) else joined(cells)


def table_cells(columns: list[pa.Array], schema: Schema) -> Cells | bytes:
    """Return what the TR elements of some rows of basic columns are joined from; of a few rows, the elements."""
    if 0 < len(columns[0]) <= FEW:
        return few_rows(columns, schema, _cell_text)
    cells: list[pa.Array | str] = [_ROW_BEGIN]
    *runs, last = number_runs(columns)
    for run, end in (*((run, _BETWEEN) for run in runs), (last, _ROW_END)):
        if isinstance(run, Numbers):
            cells.append(run.text(_BETWEEN, end, "", "NaN"))
        else:
            cells += [_cell_text(columns[run], schema.columns[run]), end]
    return cells


def _cell_text(array: pa.Array, column: Column) -> pa.Array:
    bits = column.datatype == "bit"
    if is_list(array.type):
        return _array_text(array, column.name, bits=bits)
    if pa.types.is_string(array.type):
        return _escaped(array)
    return _number_text(array, bits=bits)


def _number_text(array: pa.Array, *, bits: bool = False) -> pa.Array:
    if bits and pa.types.is_boolean(array.type):
        return pc.if_else(array, "1", "0")
    text = array.cast(pa.string())
    if pa.types.is_floating(array.type) and not pc.all(pc.is_finite(array)).as_py():
        for value, spelled in (("nan", "NaN"), ("inf", "+Inf"), ("-inf", "-Inf")):
            if pc.any(pc.equal(text, value)).as_py():
                text = pc.if_else(pc.equal(text, value), spelled, text)
    return text


def _array_text(array: pa.Array, name: str, *, bits: bool) -> pa.Array:
    flat, offsets = elements(array, name)
    joined = number_lists(flat, offsets, " ", "NaN")
    if joined is None:
        text = _number_text(flat, bits=bits).fill_null("?")  # only booleans have null elements here
        joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), text), " ")
    if not array.null_count:
        return joined
    # a fixed array of no elements is refused by validators: NaN says null where there is one
    fixed = pa.types.is_fixed_size_list(array.type) and pa.types.is_floating(flat.type)
    null = " ".join(["NaN"] * array.type.list_size) if fixed else None
    return pc.if_else(array.is_null(), pa.scalar(null, pa.string()), joined)


def _escaped(array: pa.Array) -> pa.Array:
    data = text_bytes(array)
    suspect = data.min(initial=255) < 32 or any((data == code).any() for code in _SUSPECTS)
    if not suspect or not _SPECIAL.search(data.data):
        return array
    for character, escape in _ESCAPES:
        array = pc.replace_substring(array, character, escape)
    return pc.replace_substring_regex(array, _FORBIDDEN, "\N{REPLACEMENT CHARACTER}")
