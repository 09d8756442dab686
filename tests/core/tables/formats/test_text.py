"""Values as text, beside numpy's dates and Python's own readers of CSV and JSON."""

import csv
import io
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from awe.core.tables import TableStream
from awe.core.tables.formats import FORMATS
from awe.core.tables.formats._arrow import iso_text

LISTS = {
    "doubles": pa.array([[1.5, 1e-300], None, [], [float("nan"), 2.0]], pa.list_(pa.float64())),
    "nulls": pa.array([[1.5, None], None, [], [2.0]], pa.list_(pa.float32())),
    "infinite": pa.array([[1.5, float("inf")], None, [], [2.0]], pa.list_(pa.float64())),
    "longs": pa.array([[2**63 - 1, -(2**63)], None, [], [0]], pa.list_(pa.int64())),
    "pairs": pa.array([[1.5, 2.5], None, [3.5, 4.5], [5.5, 6.5]], pa.list_(pa.float32(), 2)),
    "flags": pa.array([[True, False], None, [], [True]], pa.list_(pa.bool_())),
}


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@given(seconds=st.lists(st.integers(-(2**32), 2**32)), part=st.integers(0, 999_999_999))
def test_times_are_those_of_numpy(unit: str, seconds: list[int], part: int) -> None:
    moments = (np.array(seconds, "M8[s]").astype("M8[ns]") + np.timedelta64(part, "ns")).astype(f"M8[{unit}]")
    found = iso_text(pa.array(moments, pa.timestamp(unit, "Europe/Paris")))
    assert found.to_pylist() == np.datetime_as_string(moments).tolist()


@pytest.mark.parametrize("name", ["csv", "tsv"])
def test_lists_of_numbers_are_one_cell_each(name: str) -> None:
    document = b"".join(FORMATS[name].write(TableStream.from_table(pa.table(LISTS)))).decode()
    header, *rows = csv.reader(io.StringIO(document), delimiter={"csv": ",", "tsv": "\t"}[name])
    assert header == list(LISTS)
    assert name == "csv" or '"' not in document
    for place, column in enumerate(LISTS.values()):
        back = [json.loads(row[place]) if row[place] else None for row in rows]
        assert back == [_finite(value) for value in column.to_pylist()]


def _finite(values: list[float | None] | None) -> list[float | None] | None:
    return None if values is None else [v if v is not None and np.isfinite(v) else None for v in values]
