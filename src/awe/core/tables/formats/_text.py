"""Values as text, a column at a time: what CSV, ECSV and JSON share.

Integers and decimals are written with all their digits, floating-point numbers with the fewest that read back
exactly, dates and times as ISO 8601, binary as hexadecimal digits, arrays and structures as JSON.
"""

import json
import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from awe.core.tables._datatypes import is_list
from awe.core.tables.formats._arrow import iso_text, string_bytes, text_bytes
from awe.core.tables.formats._digits import number_lists

__all__ = ["Cells", "is_textual", "joined", "json_cells", "plain_text", "quoted_cells"]

Cells = Sequence[pa.Array | str]
"""What rows are joined from: texts of a column, or of neighbouring ones, and what is the same in all rows."""

_BLANK = ord(" ")
_JSON_SPECIAL = re.compile(rb'["\\\x00-\x1f\x7f]')


def joined(cells: Cells, without: int = 0) -> bytes:
    """Return all rows, one after the other; null is no text. So many bytes at the end are left out."""
    rows = pc.binary_join_element_wise(*cells, "", null_handling="replace", null_replacement="")
    data, offsets = string_bytes(rows)
    return bytes(data[: int(offsets[-1]) - without])


def is_textual(arrow: pa.DataType) -> bool:
    """Tell whether values of this type are text in JSON, and quoted in CSV where they must be."""
    if pa.types.is_dictionary(arrow):
        return is_textual(arrow.value_type)
    number = pa.types.is_integer(arrow) or pa.types.is_floating(arrow) or pa.types.is_decimal(arrow)
    return not (number or pa.types.is_boolean(arrow) or pa.types.is_duration(arrow))


def plain_text(array: pa.Array) -> pa.Array:
    """Return the values as text, without quotes; nulls stay nulls."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return plain_text(array.dictionary_decode())
    if pa.types.is_duration(kind):
        return array.cast(pa.int64()).cast(pa.string())
    if pa.types.is_temporal(kind):
        return iso_text(array)
    if pa.types.is_floating(kind):
        return array.cast(pa.float32() if pa.types.is_float16(kind) else kind).cast(pa.string())
    if is_list(kind) and not is_textual(kind.value_type):
        return _number_lists(array)
    if pa.types.is_nested(kind):
        return pa.array([None if v is None else _dumps(v) for v in array.to_pylist()], pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.array([None if v is None else v.hex() for v in array.to_pylist()], pa.string())
    return array.cast(pa.string())


def _number_lists(array: pa.Array) -> pa.Array:
    plain = array.cast(pa.list_(array.type.value_type))
    counts = pc.list_value_length(plain).fill_null(0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    flat = plain.flatten()
    inside = number_lists(flat, offsets, ",", "null")
    if inside is None:
        inside = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), json_cells(flat)), ",")
    text = pc.binary_join_element_wise("[", inside, "]", "")
    return pc.if_else(plain.is_valid(), text, None)


def _dumps(value: object) -> str:
    return json.dumps(_finite(value), default=str, separators=(",", ":"))


def _finite(value: object) -> object:
    """Return the value with null where JSON has no number."""
    if isinstance(value, float) and (value != value or value in {float("inf"), float("-inf")}):  # noqa: PLR0124
        return None
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return value


def quoted_cells(array: pa.Array, delimiter: str, null: str = "") -> pa.Array:
    """Return the cells of a column of delimited text (RFC 4180): quoted where needed, so `""` is no null."""
    text = plain_text(array)
    if is_list(array.type) and not is_textual(array.type.value_type):
        several = pc.match_substring(text, delimiter)  # nothing else in lists of numbers needs quotes
        text = pc.if_else(several, pc.binary_join_element_wise('"', text, '"', ""), text)
    elif is_textual(array.type):
        pattern = f'^$|[{re.escape(delimiter)}"\r\n]|^\\s|\\s$|^#|^(?i:null)$'
        special = pc.match_substring_regex(text, pattern) if _may_need_quotes(text, delimiter) else None
        if special is not None and pc.any(special).as_py():
            quoted = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
            text = pc.if_else(special, quoted, text)
    return text.fill_null(null) if text.null_count else text


def _may_need_quotes(text: pa.Array, delimiter: str) -> bool:
    """Tell whether some text may have to be quoted, which is rare, by the bytes of all texts at once."""
    data, offsets = string_bytes(text)
    used = text_bytes(text)
    if not len(used) or any((used == code).any() for code in f'{delimiter}"\r\n'.encode()):
        return True
    begins, sizes = offsets[:-1], np.diff(offsets)
    empty = np.count_nonzero(sizes == 0)
    if empty != text.null_count:
        return True
    if empty:
        begins, sizes = begins[sizes > 0], sizes[sizes > 0]
    raw = np.frombuffer(data, np.uint8)
    first, last = raw[begins], raw[begins + (sizes - 1)]
    nulls = (sizes == len("null")) & ((first | 32) == ord("n"))
    return bool((first <= _BLANK).any() or (last <= _BLANK).any() or (first == ord("#")).any() or nulls.any())


def json_cells(array: pa.Array) -> pa.Array:
    """Return the values as JSON text; null, NaN and the infinities as ``null``."""
    text = plain_text(array)
    if pa.types.is_floating(array.type):
        text = pc.if_else(pc.is_finite(array), text, None)
    elif is_list(array.type) or pa.types.is_nested(array.type):
        pass  # JSON already
    elif is_textual(array.type):
        text = _json_strings(text)
    return text.fill_null("null") if text.null_count else text


def _json_strings(text: pa.Array) -> pa.Array:
    data, offsets = string_bytes(text)
    if _JSON_SPECIAL.search(data[int(offsets[0]) : int(offsets[-1])]):
        return pa.array([None if v is None else json.dumps(v, ensure_ascii=False) for v in text.to_pylist()])
    return pc.binary_join_element_wise('"', text, '"', "")
