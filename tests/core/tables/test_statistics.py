"""Statistics of columns, against numpy's."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa

from awe.core.tables import ColumnStatistics, TableStream, statistics_of


def _of(values: Iterable[object], kind: pa.DataType | None = None) -> ColumnStatistics:
    table = pa.table({"x": pa.array(values, kind)})
    (found,) = statistics_of(TableStream.from_table(table))
    return found


def test_numbers_texts_and_moments() -> None:
    assert _of([3, None, -1, 3]) == ColumnStatistics("x", -1, 3, 1, 2)
    assert _of([1.5, float("nan"), None, -0.0, 0.0]) == ColumnStatistics("x", 0.0, 1.5, 2, 2)
    assert _of(["b", "a", None]) == ColumnStatistics("x", "a", "b", 1, 2)
    assert _of([True, False, True]) == ColumnStatistics("x", False, True, 0, 2)  # values
    assert _of([date(2020, 1, 2), date(2019, 1, 1)]) == ColumnStatistics(
        "x", "2019-01-01", "2020-01-02", 0, 2
    )
    moment = datetime(2020, 1, 2, 3, 4, 5)  # noqa: DTZ001  # as files have them
    assert _of([moment]).maximum == "2020-01-02T03:04:05"


def test_large_numbers_are_exact() -> None:
    assert _of([2**64 - 1, 2**63], pa.uint64()) == ColumnStatistics("x", 2**63, 2**64 - 1, 0, 2)
    assert _of([2**53, 2**53 + 1]).distinct == 2
    assert _of([Decimal(10**20 - 1)], pa.decimal128(20, 0)).maximum == 10**20 - 1


def test_what_has_no_order_has_no_ends() -> None:
    assert _of([[1, 2], None]) == ColumnStatistics("x", None, None, 1, None)
    assert _of([b"a", b"b"]) == ColumnStatistics("x", None, None, 0, 2)
    assert _of([], pa.int64()) == ColumnStatistics("x", None, None, 0, 0)
    assert _of([None, None], pa.float32()) == ColumnStatistics("x", None, None, 2, 0)


def test_different_values_are_counted_within_a_few_per_cent() -> None:
    rng = np.random.default_rng(3)
    for values in (
        rng.integers(0, 200_000, 300_000),
        rng.normal(size=100_000),
        np.arange(50_000).astype(str),
    ):
        exact = np.unique(values).size
        assert abs(_of(values).distinct / exact - 1) < 0.06  # type: ignore[operator]  # of no array
    few = rng.integers(0, 4000, 100_000)
    table = pa.table({"x": few})
    (found,) = statistics_of(
        TableStream(TableStream.from_table(table).schema, table.to_batches(max_chunksize=999))
    )
    assert found == ColumnStatistics("x", int(few.min()), int(few.max()), 0, np.unique(few).size)
