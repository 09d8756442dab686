import math
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from awe.core.tables.formats._digits import Numbers, number_lists, number_runs

DOUBLES = st.one_of(st.floats(), st.none())
BETWEEN, END = "</TD><TD>", "</TD></TR>\n"


def texts(columns: list[pa.Array], between: str = "|", end: str = ";") -> list[str]:
    """The rows of columns that are one run."""
    (run,) = number_runs(columns)
    assert isinstance(run, Numbers)
    found: list[str] = run.text(between, end, "", "NaN").to_pylist()
    return found


@given(st.lists(st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 3), min_size=1))
def test_doubles_read_back_exactly(rows: list[tuple[float, ...]]) -> None:
    found = texts([pa.array(column, pa.float64()) for column in zip(*rows, strict=True)])
    assert all(re.fullmatch(r"[^|;]*\|[^|;]*\|[^|;]*;", text) for text in found)
    assert [tuple(map(float, text[:-1].split("|"))) for text in found] == rows


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_floats_have_the_digits_of_their_own_precision(values: list[float]) -> None:
    found = texts([pa.array(values, pa.float32())])
    assert [np.float32(text[:-1]) for text in found] == [np.float32(value) for value in values]
    digits = [re.sub(r"e.*|[-.;]", "", text).strip("0") for text in found]
    assert all(len(some) <= 9 for some in digits)


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1),
    st.sampled_from(["|", ",", BETWEEN]),
    st.sampled_from([",", "],", BETWEEN, END]),
)
def test_integers_have_all_their_digits_whatever_stands_between(
    values: list[int], between: str, end: str
) -> None:
    column = pa.array(values, pa.int64())
    found = texts([column, column], between, end)
    assert found == [f"{value}{between}{value}{end}" for value in values]


def test_integers_of_all_widths_are_one_run_and_large_ones_their_own() -> None:
    small, large = pa.array([-5], pa.int8()), pa.array([2**64 - 1], pa.uint64())
    one, other = number_runs([small, pa.array([7], pa.uint32()), large])
    assert isinstance(one, Numbers)
    assert isinstance(other, Numbers)
    assert one.text(",", "\n", "", "").to_pylist() == ["-5,7\n"]
    assert other.text(",", "\n", "", "").to_pylist() == ["18446744073709551615\n"]


@given(st.lists(st.tuples(DOUBLES, DOUBLES, DOUBLES), min_size=1))
def test_what_is_no_number_is_said_or_left_to_others(rows: list[tuple[float | None, ...]]) -> None:
    columns = [pa.array(column, pa.float64(), from_pandas=False) for column in zip(*rows, strict=True)]
    place = 0
    for run in number_runs(columns):
        if isinstance(run, int):
            assert run == place
            values = [row[place] for row in rows]
            assert any(v is not None and math.isinf(v) for v in values) or (
                None in values and any(v is not None and math.isnan(v) for v in values)
            )
            place += 1
            continue
        found = [text[:-1].split("|") for text in run.text("|", ";", "", "NaN").to_pylist()]
        for row, cells in zip(rows, found, strict=True):
            for value, cell in zip(row[place : place + len(run.columns)], cells, strict=True):
                assert cell == "" if value is None else float(cell) == value or cell == "NaN" != str(value)
        place += len(run.columns)
    assert place == 3


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a"]),
        pa.array([True]),
        pa.array([1, None], pa.int32()),
        pa.array([], pa.float64()),
        pa.array([[1.0]]),
        pa.array([1.5], pa.float16()),
        pa.array([math.inf]),
    ],
    ids=lambda column: str(column.type),
)
def test_what_cannot_be_written_so_is_named_by_its_place(column: pa.Array) -> None:
    assert list(number_runs([column])) == [0]


@pytest.mark.parametrize("kind", ["f8", "f4", "i8"])
@pytest.mark.parametrize("longest", [1, 3, 9])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_rows_end_where_they_do_however_long_their_numbers_are(kind: str, longest: int, count: int) -> None:
    rng = np.random.default_rng(longest)
    digits = rng.integers(1, longest + 1, (count, 3001))
    values = (rng.random(digits.shape) * 10.0**digits).astype("i8")
    if kind != "i8":
        values = (values / 10.0 ** rng.integers(0, 4, digits.shape)).astype(kind)
    found = texts([pa.array(column) for column in values])
    assert all(text.endswith(";") for text in found)
    np.testing.assert_array_equal(np.array([text[:-1].split("|") for text in found], kind), values.T)


def test_slices_are_written_from_where_they_begin() -> None:
    whole = pa.array([1.5, 2.5, None, 4.5])
    assert texts([whole.slice(1, 2)]) == ["2.5;", ";"]


@given(st.lists(st.none() | st.lists(st.floats(allow_infinity=False), max_size=4)), st.sampled_from(",| "))
def test_lists_read_back_exactly(rows: list[list[float] | None], between: str) -> None:
    flat = [value for row in rows for value in row or []]
    offsets = np.cumsum([0, *(len(row or []) for row in rows)])
    found = number_lists(pa.array(flat, pa.float64(), from_pandas=False), offsets, between, "NaN")
    if found is None:
        assert not flat
        return
    back = [[float(cell) for cell in text.split(between)] if text else [] for text in found.to_pylist()]
    assert str(back) == str([row or [] for row in rows])


@pytest.mark.parametrize(
    "values", [[1.5, math.inf], [1, None], ["1"], [True], [1.5, None, math.nan]], ids=str
)
def test_lists_of_what_cannot_be_written_so_are_left_to_others(values: list[object]) -> None:
    column = pa.array(values, pa.float64() if 1.5 in values else None, from_pandas=False)
    assert number_lists(column, np.array([0, len(values)]), ",", "null") is None
