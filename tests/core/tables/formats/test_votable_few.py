"""A few rows of TABLEDATA are the same text as they are among many."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from awe.core.tables import Schema
from awe.core.tables.formats import _votable_few
from awe.core.tables.formats._votable_cells import table_cells, table_rows

_TYPES = (pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.float32(), pa.float64(), pa.string(), pa.bool_())
_LISTS = (pa.list_(pa.float64()), pa.list_(pa.int32(), 2))


def _values(kind: pa.DataType) -> st.SearchStrategy[object]:
    if pa.types.is_string(kind):
        return st.text(alphabet=st.characters(codec="utf-8"), max_size=5)
    if pa.types.is_boolean(kind):
        return st.booleans()
    if pa.types.is_integer(kind):
        low, high = (
            (0, 255)
            if kind == pa.uint8()
            else (-(1 << (kind.bit_width - 1)), (1 << (kind.bit_width - 1)) - 1)
        )
        return st.integers(low, high)
    return st.floats(width=kind.bit_width)


@st.composite
def _columns(draw: st.DrawFn) -> list[pa.Array]:
    rows = draw(st.integers(1, 5))
    columns = []
    for kind in draw(st.lists(st.sampled_from(_TYPES + _LISTS), min_size=1, max_size=5)):
        one: st.SearchStrategy[object]
        if pa.types.is_fixed_size_list(kind):
            one = st.lists(_values(kind.value_type), min_size=2, max_size=2)
        elif pa.types.is_list(kind):
            one = st.lists(_values(kind.value_type), max_size=3)
        else:
            one = _values(kind)
        cells = draw(st.lists(st.none() | one if draw(st.booleans()) else one, min_size=rows, max_size=rows))
        columns.append(pa.array(cells, kind))
    return columns


def rows_of(columns: list[pa.Array], schema: Schema) -> bytes:
    return table_rows(table_cells(columns, schema))


@given(_columns())
def test_few_rows_are_written_as_many_are(columns: list[pa.Array]) -> None:
    """The other way of writing is taken for the same rows many times."""
    schema = Schema.from_arrow(pa.schema([(f"c{i}", column.type) for i, column in enumerate(columns)]))
    times = _votable_few.FEW // len(columns[0]) + 1
    many = rows_of([pa.concat_arrays([column] * times) for column in columns], schema)
    assert rows_of(columns, schema) * times == many


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        ([1.5, None], ["1.5", ""]),
        ([1.5, float("nan")], ["1.5", "NaN"]),
        ([None, float("nan")], ["", "NaN"]),
        ([float("inf"), float("-inf")], ["+Inf", "-Inf"]),
        ([None, None], ["", ""]),
    ],
)
def test_what_is_no_number_is_said(values: list[float | None], cells: list[str]) -> None:
    """VOTable 1.5 sections 2.2 and 5.1."""
    schema = Schema.from_arrow(pa.schema([("x", pa.float64())]))
    rows = rows_of([pa.array(values, pa.float64())], schema)
    assert rows == "".join(f"<TR><TD>{cell}</TD></TR>\n" for cell in cells).encode()
