"""Which type each column of a CSV file has, found by looking at all of its values.

A column is integer, floating-point, boolean or text; integers beyond 64 bits become decimals, and digits are
never lost: numbers with leading zeros, and long integers among fractions, stay text. Blanks around numbers are not
theirs. Words among numbers make a column text, and it is remembered which row had the first one; numbers with a comma
for a decimal point are refused, since a column of text is not what their sender means.
"""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["DecimalCommaError", "Evidence", "as_type"]

_NULL = r"^(null|NULL)?$"
_BOOLEAN = r"^(?i:true|false)$"
_LEADING_ZERO = r"^[+-]?0[0-9]"
_INTEGER = r"^[+-]?[0-9]{1,38}$"
_LONG_INTEGER = r"^[+-]?[0-9]{16,}$"
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$|^[+-]?(?i:nan|inf|infinity)$"
_DECIMAL_COMMA = r"^[+-]?[0-9]+,[0-9]+([eE][+-]?[0-9]+)?$"
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


class DecimalCommaError(ValueError):
    """A column of numbers with decimal commas; its arguments are the row, counted from zero, and the value."""


@dataclass(slots=True)
class Evidence:
    """What has been seen of a column so far.

    Attributes
    ----------
    row
        Rows seen.
    odd
        The row, counted from zero, and the value of the first word in a column that is mostly numbers.
    """

    kind: str = ""
    long_integers: bool = False
    row: int = 0
    odd: tuple[int, str] | None = None

    def see(self, text: pa.Array) -> None:
        """Take further values into account.

        Raises
        ------
        DecimalCommaError
            If these are numbers with decimal commas.
        """
        begin, self.row = self.row, self.row + len(text)
        if self.kind == "text":
            return
        trimmed = pc.utf8_trim_whitespace(text)
        values = trimmed.filter(pc.invert(pc.match_substring_regex(trimmed, _NULL))).drop_null()
        if not len(values):
            return
        kind = _kind(values)
        if kind == "text":
            _refuse_commas(values, trimmed, begin)
        if kind != self.kind and self.kind:
            kind = _WIDER.get(frozenset({kind, self.kind}), "text")
        if kind == "text":
            self._note(trimmed, values, begin)
        self.kind = kind
        if kind != "text" and not self.long_integers:
            self.long_integers = bool(pc.any(pc.match_substring_regex(values, _LONG_INTEGER)).as_py())

    @property
    def type(self) -> pa.DataType:
        """The type that holds every value seen exactly."""
        return _TYPES["text" if self.kind == "float" and self.long_integers else self.kind]

    def _note(self, text: pa.Array, values: pa.Array, begin: int) -> None:
        """Remember the first word of a column that has been numbers, or is so but for a few."""
        numbers = pc.match_substring_regex(values, _NUMBER)
        count = pc.sum(numbers).as_py()
        if self.kind in {"", "boolean"} and count <= len(values) - count:
            return
        words = pc.invert(pc.match_substring_regex(text, f"{_NUMBER}|{_NULL}")).fill_null(False)
        place = pc.index(words, True).as_py()
        if place >= 0:
            self.odd = (begin + place, text[place].as_py())


def _refuse_commas(values: pa.Array, text: pa.Array, begin: int) -> None:
    commas = pc.match_substring_regex(text, _DECIMAL_COMMA).fill_null(False)
    place = pc.index(commas, True).as_py()
    if place >= 0 and _all(values, f"{_NUMBER}|{_DECIMAL_COMMA}"):
        raise DecimalCommaError(begin + place, text[place].as_py())


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
    text = pc.utf8_trim_whitespace(text)
    text = pc.if_else(pc.match_substring_regex(text, _NULL), None, text)
    try:
        return text.cast(target)
    except pa.ArrowInvalid:
        plain = pc.utf8_lower(_without_plus(text))
        return pc.replace_substring(plain, "infinity", "inf").cast(target)
