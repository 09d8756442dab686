"""Which type each column of a CSV file has, found by looking at all of its values.

A column is integer, floating-point, boolean or text; integers beyond 64 bits become decimals, and digits are
never lost: numbers with leading zeros, and long integers among fractions, stay text. Blanks around numbers are not
theirs. Words among numbers make a column text, and it is remembered which row had the first one; numbers with a comma
for a decimal point are refused, since a column of text is not what their sender means.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from awe.core.tables.formats._arrow import cast_text, string_bytes, text_bytes

__all__ = ["DecimalCommaError", "Evidence", "as_type"]

_NULL = r"^(null|NULL)?$"
_BOOLEAN = r"^(?i:true|false)$"
_LEADING_ZERO = r"^[+-]?0[0-9]"
_INTEGER = r"^[+-]?[0-9]{1,38}$"
_LONG_INTEGER = r"^[+-]?[0-9]{16,}$"
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$|^[+-]?(?i:nan|inf|infinity)$"
_DECIMAL_COMMA = r"^[+-]?[0-9]+,[0-9]+([eE][+-]?[0-9]+)?$"
_LONG_DIGITS = 16
_LOWER = np.uint8(32)
"""The bit that makes a letter a small one."""
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
    has_numbers
        Some values were returned as numbers.
    odd
        The row, counted from zero, and the value of the first word in a column that is mostly numbers.
    """

    kind: str = ""
    long_integers: bool = False
    row: int = 0
    has_numbers: bool = False
    odd: tuple[int, str] | None = None

    def see(self, text: pa.Array) -> pa.Array:
        """Take further values into account; return them, as numbers where they are of the plainest spelling.

        Raises
        ------
        DecimalCommaError
            If these are numbers with decimal commas.
        """
        begin, self.row = self.row, self.row + len(text)
        if self.kind == "text":
            return text
        plain = _plain_numbers(text) if self.kind in {"", "integer", "float"} else None
        if plain is not None:
            self.kind = "float" if "float" in {plain.kind, self.kind} else "integer"
            self.long_integers |= plain.long_integers
            self.has_numbers = True
            return plain.values
        self._look_at_each(text, begin)
        return text

    def _look_at_each(self, text: pa.Array, begin: int) -> None:
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

    @property
    def stands(self) -> bool:
        """Whether all that `see` returned can become that type: no numbers that were to be text."""
        return not (self.has_numbers and pa.types.is_string(self.type))

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


class _Plain(NamedTuple):
    kind: str
    long_integers: bool
    values: pa.Array


def _plain_numbers(text: pa.Array) -> _Plain | None:
    """Return what `see` would find where all values are numbers of the plainest spelling, as they mostly are.

    Arrow reads them all, and of what it takes for numbers little has to be looked for besides, by the bytes of all
    values together; None where each value has to be looked at.
    """
    data, offsets = string_bytes(text)
    begins, ends = offsets[:-1], offsets[1:]
    written = ends > begins
    if not written.any() or np.count_nonzero(written) != len(text) - text.null_count:
        return None
    if text.null_count:
        begins, ends = begins[written], ends[written]
    raw, used = np.frombuffer(data, np.uint8), text_bytes(text)
    whole = not ((used == ord(".")).any() or ((used | _LOWER) == ord("e")).any())
    try:
        values = cast_text(text, pa.int64() if whole else pa.float64())
    except pa.ArrowInvalid:
        return None
    odd = ((used | _LOWER) == ord("x")).any() if whole else not pc.all(pc.is_finite(values)).as_py()
    begins = begins + (raw[begins] == ord("-"))
    first, digits = raw[begins], ends - begins
    second = raw[begins[(first == ord("0")) & (digits > 1)] + 1] - ord(
        "0"
    )  # of no digit, more than nine: it is unsigned
    if odd or (first == ord("+")).any() or (second <= 9).any():
        return None
    long = bool((digits >= _LONG_DIGITS).any())
    if long and not whole:
        fractions = int(np.count_nonzero(used == ord(".")))  # as many as values: each has one
        long = fractions < len(ends) and bool(pc.any(pc.match_substring_regex(text, _LONG_INTEGER)).as_py())
    return _Plain("integer" if whole else "float", long, values)


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


def as_type(values: pa.Array, target: pa.DataType) -> pa.Array:
    """Return values, as text or as `Evidence.see` returned them, in the type found for their column.

    Raises
    ------
    pyarrow.ArrowInvalid
        If a value is not of that type: the file has changed since it was looked at.
    """
    if values.type == target:
        return values
    if not pa.types.is_string(values.type):  # fewer digits than a long integer's: no number changes
        return values.cast(target, safe=False)
    with suppress(pa.ArrowInvalid):  # as it mostly is
        return cast_text(values, target)
    text = pc.utf8_trim_whitespace(values)
    text = pc.if_else(pc.match_substring_regex(text, _NULL), None, text)
    try:
        return text.cast(target)
    except pa.ArrowInvalid:
        plain = pc.utf8_lower(_without_plus(text))
        return pc.replace_substring(plain, "infinity", "inf").cast(target)
