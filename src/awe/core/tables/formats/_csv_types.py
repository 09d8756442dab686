"""Which type each column of a CSV file has, found by looking at all of its values.

A column is integer, floating-point, boolean or text; integers beyond 64 bits become decimals, and digits are
never lost: numbers with leading zeros, and long integers among fractions, stay text.
"""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Evidence", "as_type"]

_NULL = r"^(null|NULL)?$"
_BOOLEAN = r"^(?i:true|false)$"
_LEADING_ZERO = r"^[+-]?0[0-9]"
_INTEGER = r"^[+-]?[0-9]{1,38}$"
_LONG_INTEGER = r"^[+-]?[0-9]{16,}$"
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$|^[+-]?(?i:nan|inf|infinity)$"
_WIDER = {
    frozenset({"integer", "float"}): "float",
    frozenset({"integer", "decimal"}): "decimal",
}
_TYPES = {
    "integer": pa.int64(),
    "decimal": pa.decimal128(38, 0),
    "float": pa.float64(),
    "boolean": pa.bool_(),
    "text": pa.string(),
    "": pa.string(),
}


@dataclass(slots=True)
class Evidence:
    """What has been seen of a column so far."""

    kind: str = ""
    long_integers: bool = False

    def see(self, text: pa.Array) -> None:
        """Take further values into account."""
        if self.kind == "text":
            return
        values = text.filter(pc.invert(pc.match_substring_regex(text, _NULL))).drop_null()
        if not len(values):
            return
        kind = _kind(values)
        if kind != self.kind and self.kind:
            kind = _WIDER.get(frozenset({kind, self.kind}), "text")
        self.kind = kind
        if kind != "text" and not self.long_integers:
            self.long_integers = bool(pc.any(pc.match_substring_regex(values, _LONG_INTEGER)).as_py())

    @property
    def type(self) -> pa.DataType:
        """The type that holds every value seen exactly."""
        return _TYPES["text" if self.kind == "float" and self.long_integers else self.kind]


def _kind(values: pa.Array) -> str:
    if pc.any(pc.match_substring_regex(values, _LEADING_ZERO)).as_py():
        zeros = values.filter(pc.match_substring_regex(values, _LEADING_ZERO))
        return "float" if _all(zeros, r"\.|[eE]") and _all(values, _NUMBER) else "text"
    if _all(values, _INTEGER):
        return "integer" if _casts(values, pa.int64()) else "decimal"
    if _all(values, _NUMBER):
        return "float"
    return "boolean" if _all(values, _BOOLEAN) else "text"


def _all(values: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())


def _casts(values: pa.Array, target: pa.DataType) -> bool:
    try:
        _without_plus(values).cast(target)
    except pa.ArrowInvalid:
        return False
    return True


def _without_plus(text: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(text, r"^\+", "")


def as_type(text: pa.Array, target: pa.DataType) -> pa.Array:
    """Return the values as the type found for their column.

    Raises
    ------
    pyarrow.ArrowInvalid
        If a value is not of that type: the file has changed since it was looked at.
    """
    if pa.types.is_string(target):
        return text
    text = pc.if_else(pc.match_substring_regex(text, _NULL), None, text)
    try:
        return text.cast(target)
    except pa.ArrowInvalid:
        plain = pc.utf8_lower(_without_plus(text))
        return pc.replace_substring(plain, "infinity", "inf").cast(target)
