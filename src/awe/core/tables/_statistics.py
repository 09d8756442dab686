"""What the values of columns are like: least, greatest, missing, and about how many different ones there are.

Different values are counted by the k least of their hashes (Bar-Yossef et al., "Counting Distinct Elements in a Data
Stream", RANDOM 2002): exactly up to k of them, with a relative error of about ``1 / sqrt(k)`` beyond.
"""

import hashlib
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from awe.core.tables._stream import TableStream

__all__ = ["ColumnStatistics", "statistics_of"]

Hashes = npt.NDArray[np.uint64]
Value = bool | int | float | str
"""Of other types: their text; moments as in ISO 8601."""

_KEPT = 4096
_ALL = 2.0**64


@dataclass(frozen=True, slots=True)
class ColumnStatistics:
    """What the values of a column are like.

    Attributes
    ----------
    minimum, maximum
        None where there is no value, or values are in no order (arrays, bytes).
    nulls
        How many values are missing; NaN is missing too.
    distinct
        How many different values there are: exactly up to 4096, within a few per cent beyond; None of arrays.
    """

    name: str
    minimum: Value | None
    maximum: Value | None
    nulls: int
    distinct: int | None


def statistics_of(stream: TableStream) -> tuple[ColumnStatistics, ...]:
    """Return what the values of each column are like; the stream is read to its end."""
    columns = [_Summary(column.name, column.type) for column in stream.schema]
    with stream:
        for batch in stream:
            for summary, values in zip(columns, batch.columns, strict=True):
                summary.add(values)
    return tuple(summary.result() for summary in columns)


class _Summary:
    """The values of one column, as far as they were seen."""

    def __init__(self, name: str, kind: pa.DataType) -> None:
        self._name = name
        self._nested = pa.types.is_nested(kind)
        self._ordered = not (self._nested or pa.types.is_binary(kind))
        self._ends: list[pa.Scalar] = []
        self._nulls = 0
        self._least: Hashes = np.empty(0, np.uint64)

    def add(self, values: pa.Array) -> None:
        if pa.types.is_floating(values.type):
            values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
        self._nulls += values.null_count
        present = values.drop_null()
        if self._nested or not len(present):
            return
        if self._ordered:
            ends = pa.array([*self._ends, *pc.min_max(present).values()], present.type)
            self._ends = list(pc.min_max(ends).values())
        self._least = np.unique(np.concatenate([self._least, _hashes(present)]))[:_KEPT]

    def result(self) -> ColumnStatistics:
        low, high = (_plain(end) for end in self._ends) if self._ends else (None, None)
        return ColumnStatistics(
            self._name, low, high, self._nulls, None if self._nested else self._distinct()
        )

    def _distinct(self) -> int:
        if self._least.size < _KEPT:
            return int(self._least.size)
        return round((_KEPT - 1) * _ALL / (float(self._least[-1]) + 1.0))


def _hashes(values: pa.Array) -> Hashes:
    """Return well mixed numbers of 64 bits; equal values have equal ones."""
    kind = values.type
    if pa.types.is_floating(kind):
        bits: Hashes = (pc.cast(values, pa.float64()).to_numpy() + 0.0).view(np.uint64)  # -0.0 equals 0.0
    elif pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        bits = values.to_numpy(zero_copy_only=False).astype(np.uint64)
    else:
        digests = b"".join(_digest(value) for value in values.unique().to_pylist())
        bits = np.frombuffer(digests, np.uint64)
    return _mixed(bits)


def _mixed(bits: Hashes) -> Hashes:
    """Mix the bits of numbers (the finalizer of SplitMix64: Steele, Lea and Flood 2014)."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _digest(value: object) -> bytes:
    text = value if isinstance(value, bytes) else str(value).encode()
    return hashlib.blake2b(text, digest_size=8).digest()


def _plain(end: pa.Scalar) -> Value:
    value = end.as_py()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    if isinstance(value, bool | int | float | str):
        return value
    return str(value.isoformat())
