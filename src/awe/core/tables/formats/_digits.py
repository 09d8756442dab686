"""Columns of numbers that stand side by side, as text: all their digits at once, already with what stands between them.

A table has many more digits than anything else, and to make a text of each number by itself, and join them, takes
longer than the digits. So the numbers of a run of columns are put row behind row, made text in one go by orjson, which
writes a list of numbers with commas between them, and cut where the rows end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["Numbers", "number_cells", "number_lists", "number_runs"]

_COMMA, _END = b",;"
_WORD = 4
_NONE = b"null"
"""How orjson writes what is no finite number."""
_FLOATS = frozenset({pa.float32(), pa.float64()})


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """Neighbouring columns of numbers of one type.

    Attributes
    ----------
    columns
        All of one type and length; what is null in floating-point numbers is NaN here.
    missing
        What NaN says: ``null``, ``NaN``, or nothing where there is none.
    """

    columns: Sequence[np.ndarray]
    missing: str

    def text(self, between: str, end: str, null: str, nan: str) -> pa.Array:
        """Return for each row its numbers, with something behind each: `between`, or behind the last one `end`.

        Integers have all their digits, floating-point numbers the fewest that read back exactly in their own precision.
        What orjson wrote is not copied where commas are all that is wanted.

        Parameters
        ----------
        between, end
            ASCII; `between` has no semicolon.
        null, nan
            What stands for no value, and for NaN.
        """
        count, rows = len(self.columns), len(self.columns[0])
        written = self.listed(null if self.missing == "null" else nan)
        ends = _every(count, written, rows * count)
        offsets = np.zeros(rows + 1, np.int32)
        offsets[1:] = ends
        offsets += 1  # behind the bracket, and behind the commas
        growth = (count - 1) * (len(between) - 1) + len(end) - 1
        if growth:
            offsets += np.arange(rows + 1, dtype=np.int32) * growth
        in_place = between == "," and len(end) == 1
        if end != between:
            written = bytearray(written)
            np.frombuffer(written, np.uint8)[ends] = ord(end) if in_place else _END
        if between != ",":
            written = written.replace(b",", between.encode())
        if end != between and not in_place:
            written = written.replace(b";", end.encode())
        return pa.Array.from_buffers(pa.string(), rows, [None, pa.py_buffer(offsets), pa.py_buffer(written)])

    def listed(self, nothing: str) -> bytes | bytearray:
        """Return the numbers in brackets, and a zero behind them, so that each of them has a comma behind it."""
        count = len(self.columns)
        numbers = np.empty(len(self.columns[0]) * count + 1, self.columns[0].dtype)
        numbers[-1] = 0
        for place, column in enumerate(self.columns):
            numbers[place:-1:count] = column
        written = orjson.dumps(numbers, option=orjson.OPT_SERIALIZE_NUMPY)
        return written.replace(_NONE, nothing.encode()) if self.missing else written


def _every(nth: int, written: bytes | bytearray, numbers: int) -> np.ndarray:
    """Return where each nth comma stands, one being behind each of so many numbers.

    With two commas in no four bytes, as where three characters stand between them, words are looked through instead of bytes.
    """
    commas = np.empty(-(-len(written) // _WORD) * _WORD, bool)
    commas[len(written) :] = False
    np.equal(np.frombuffer(written, np.uint8), _COMMA, out=commas[: len(written)])
    words = commas.view("<u4")
    found = np.flatnonzero(words != 0)
    if len(found) < numbers:
        return np.flatnonzero(commas)[nth - 1 :: nth]
    found = found[nth - 1 :: nth]
    return found * _WORD + (np.bitwise_count(words[found] - np.uint32(1)) >> 3)


def number_runs(columns: Sequence[pa.Array]) -> Iterator[Numbers | int]:
    """Yield neighbouring columns of numbers, and the places of columns that cannot be written so.

    Those are what is no number, infinity, NaN beside null, integers beside null, and columns of no rows.
    """
    waiting: list[np.ndarray] = []
    missing = ""
    for place, column in enumerate(columns):
        found = _numbers(column)
        if waiting and (found is None or not _together(waiting[0], missing, *found)):
            yield Numbers(tuple(waiting), missing)
            waiting, missing = [], ""
        if found is None:
            yield place
        else:
            waiting.append(found[0])
            missing = missing or found[1]
    if waiting:
        yield Numbers(tuple(waiting), missing)


def number_cells(column: pa.Array) -> list[bytes] | None:
    """Return the text of each number of a short column, nothing where there is none, by the same rules.

    None where they cannot be written so: what is no number, infinity, NaN beside null, integers beside null.
    """
    kind = column.type
    floating = kind in _FLOATS
    if not floating and (column.null_count or not pa.types.is_integer(kind)):
        return None
    values = column.to_numpy(zero_copy_only=False)
    cells = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
    missing = cells.count(_NONE) if floating else 0
    if not missing:
        return cells
    if column.null_count not in {0, missing} or np.isinf(values).any():
        return None
    said = b"" if column.null_count else b"NaN"
    return [said if cell == _NONE else cell for cell in cells]


def number_lists(flat: pa.Array, offsets: np.ndarray, between: str, nothing: str) -> pa.Array | None:
    """Return for each row of an array of lists its numbers as text, by the same rules.

    None where they cannot be written so: what is no number, infinity, NaN beside null, integers beside null, no numbers.

    Parameters
    ----------
    flat, offsets
        The numbers of all rows, and where those of each row begin (rows + 1).
    between
        One ASCII character.
    nothing
        What stands for NaN, or for null.
    """
    found = _numbers(flat)
    if found is None:
        return None
    written = Numbers(found[:1], found[1]).listed(nothing)
    begins = np.ones(len(flat) + 1, np.int32)  # behind the bracket
    begins[1:] += np.flatnonzero(np.frombuffer(written, np.uint8) == _COMMA)
    text = pa.py_buffer(written.replace(b",", between.encode()))
    buffers = [None, pa.py_buffer(begins[offsets]), text]
    return pc.ascii_rtrim(pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers), characters=between)


def _together(first: np.ndarray, missing: str, other: np.ndarray, missing_too: str) -> bool:
    return first.dtype == other.dtype and (not missing or not missing_too or missing == missing_too)


def _numbers(column: pa.Array) -> tuple[np.ndarray, str] | None:
    """Return the numbers of a column and what NaN says among them; None where they cannot be written together."""
    kind = column.type
    if not len(column):
        return None
    if pa.types.is_integer(kind):
        if column.null_count:
            return None
        values = column.to_numpy(zero_copy_only=False)
        return values if kind == pa.uint64() else values.astype(np.int64, copy=False), ""
    if kind not in _FLOATS:
        return None
    values = column.to_numpy(zero_copy_only=False)
    finite = int(np.count_nonzero(np.isfinite(values)))
    if finite == len(values):
        return values, ""
    if column.null_count in {0, len(values) - finite} and not np.isinf(values).any():
        return values, "null" if column.null_count else "NaN"
    return None
