"""Column types as text in the system database, and the few types that a published table has.

What arrives in other shapes (dictionaries, large or view strings, seconds and nanoseconds, half
floats) is brought to these, so that engines and formats meet nothing unexpected.
"""

import re

import pyarrow as pa

__all__ = ["storable", "type_from_text", "type_to_text"]

_PLAIN: dict[str, pa.DataType] = {
    str(kind): kind
    for kind in (
        pa.bool_(),
        pa.int8(),
        pa.int16(),
        pa.int32(),
        pa.int64(),
        pa.uint8(),
        pa.uint16(),
        pa.uint32(),
        pa.uint64(),
        pa.float32(),
        pa.float64(),
        pa.string(),
        pa.binary(),
        pa.date32(),
        pa.timestamp("us"),
        pa.timestamp("us", tz="UTC"),
    )
}
_LIST = re.compile(r"list<(?P<item>.+)>(?:\[(?P<size>\d+)\])?")
_DECIMAL = re.compile(r"decimal128\((\d+), (-?\d+)\)")


def type_to_text(kind: pa.DataType) -> str:
    """Return a type's name; `type_from_text` reads it back."""
    if pa.types.is_fixed_size_list(kind):
        return f"list<{type_to_text(kind.value_type)}>[{kind.list_size}]"
    if pa.types.is_list(kind):
        return f"list<{type_to_text(kind.value_type)}>"
    return str(kind)


def type_from_text(text: str) -> pa.DataType:
    """Return the type of that name."""
    if found := _LIST.fullmatch(text):
        item = type_from_text(found["item"])
        return pa.list_(item, int(found["size"])) if found["size"] else pa.list_(item)
    if found := _DECIMAL.fullmatch(text):
        return pa.decimal128(int(found[1]), int(found[2]))
    return _PLAIN[text]


def storable(kind: pa.DataType) -> pa.DataType | None:
    """Return the type in which values of `kind` are stored, or None if they cannot be."""
    if str(kind) in _PLAIN or pa.types.is_decimal128(kind):
        return kind
    if pa.types.is_dictionary(kind):
        return storable(kind.value_type)
    for is_kind, stored in _CHANGED:
        if is_kind(kind):
            return stored
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", tz="UTC" if kind.tz else None)
    if pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        item = storable(kind.value_type)
        if item is None:
            return None
        return pa.list_(item, kind.list_size) if pa.types.is_fixed_size_list(kind) else pa.list_(item)
    return None


_CHANGED = (
    (pa.types.is_null, pa.string()),
    (pa.types.is_float16, pa.float32()),
    (pa.types.is_large_string, pa.string()),
    (pa.types.is_string_view, pa.string()),
    (pa.types.is_large_binary, pa.binary()),
    (pa.types.is_binary_view, pa.binary()),
    (pa.types.is_fixed_size_binary, pa.binary()),
    (pa.types.is_date64, pa.date32()),
)
