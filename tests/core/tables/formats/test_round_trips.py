"""What is written is read back: every type in every format, and peers read the same."""

import io
import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.io.votable import parse_single_table
from astropy.table import Table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from awe.core.tables import Column, Schema, TableStream
from awe.core.tables.formats import FORMATS, VOTABLE_TD, VOTableOptions
from awe.errors import UsageError

SETTINGS = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
READABLE = [name for name in FORMATS if name != "hdf5"]  # which is written only
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=8)
ASCII = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)
FLOATS = st.floats(allow_nan=False)
FLOATS32 = st.floats(width=32, allow_nan=False)


def ints(bits: int, *, signed: bool = True) -> st.SearchStrategy[int]:
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return st.integers(low, high) | st.sampled_from([low, high, 0])


NUMBERS: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.bool_(): st.booleans(),
    pa.int8(): ints(8),
    pa.int16(): ints(16),
    pa.int32(): ints(32),
    pa.int64(): ints(64),
    pa.uint8(): ints(8, signed=False),
    pa.uint16(): ints(16, signed=False),
    pa.uint32(): ints(32, signed=False),
    pa.float32(): FLOATS32,
    pa.float64(): FLOATS,
}
LISTS: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.list_(pa.int32()): st.lists(ints(32), min_size=1, max_size=3),
    pa.list_(pa.float64()): st.lists(FLOATS, min_size=1, max_size=3),
    pa.list_(pa.bool_()): st.lists(st.booleans(), min_size=1, max_size=3),
    pa.list_(pa.float32(), 2): st.lists(FLOATS32, min_size=2, max_size=2),
}


def round_trip(tmp_path: Path, name: str, table: pa.Table, schema: Schema | None = None) -> pa.Table:
    path = tmp_path / f"t{FORMATS[name].extensions[0]}"
    with path.open("wb") as out:
        for chunk in FORMATS[name].write(TableStream.from_table(table, schema)):
            out.write(chunk)
    return FORMATS[name].read(path).to_table()


def tables(kinds: dict[pa.DataType, st.SearchStrategy[Any]], *, nulls: bool) -> st.SearchStrategy[pa.Table]:
    """Return tables with a column of every kind."""

    def columns(rows: int) -> st.SearchStrategy[pa.Table]:
        cells = {
            str(kind): st.lists(st.none() | items if nulls else items, min_size=rows, max_size=rows)
            for kind, items in kinds.items()
        }
        made = {str(kind): kind for kind in kinds}
        return st.fixed_dictionaries(cells).map(
            lambda drawn: pa.table({name: pa.array(values, made[name]) for name, values in drawn.items()})
        )

    return st.integers(1, 9).flatmap(columns)


def expected(name: str, column: pa.ChunkedArray) -> list[Any]:
    """Return what comes back: JSON has no infinity, FITS needs an integer of its own to mean null."""
    values: list[Any] = column.to_pylist()
    if name == "json":
        return [None if isinstance(v, float) and math.isinf(v) else v for v in values]
    return values


def _is_no_lowest(kind: pa.DataType) -> Callable[[Any], bool]:
    lowest = -(1 << (kind.bit_width - 1)) if pa.types.is_signed_integer(kind) else None
    return lambda value: value is None or value != lowest


@pytest.mark.parametrize("name", READABLE)
@given(data=st.data())
@SETTINGS
def test_numbers(tmp_path: Path, name: str, data: st.DataObject) -> None:
    kinds = dict(NUMBERS)
    if name.endswith("fits"):  # a column of both extremes and nulls is refused there
        kinds[pa.int64()] = st.integers(-(1 << 63) + 1, (1 << 63) - 1)
    if name == "votable/b":  # there a value of each signed type means null, and none of a byte does
        kinds = {
            kind: items.filter(_is_no_lowest(kind)) for kind, items in kinds.items() if kind != pa.uint8()
        }
    table = data.draw(tables(kinds, nulls=True))
    back = round_trip(tmp_path, name, table)
    for column in table.column_names:
        found = back[column]
        if name in {"csv", "tsv"} and column == "float":
            found = found.cast(pa.float64()).cast(pa.float32())
        assert found.to_pylist() == expected(name, table[column]), column


@pytest.mark.parametrize("name", ["votable", "votable/b2", "fits", "json", "parquet"])
@given(data=st.data())
@SETTINGS
def test_arrays(tmp_path: Path, name: str, data: st.DataObject) -> None:
    finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
    kinds = {
        kind: st.lists(finite, min_size=2, max_size=2) if name == "json" and "float" in str(kind) else items
        for kind, items in LISTS.items()
        if not (name == "json" and "double" in str(kind))
    }
    table = data.draw(tables(kinds, nulls=name in {"votable/b2", "json", "parquet"}))
    back = round_trip(tmp_path, name, table.append_column("s", pa.array(["é"] * table.num_rows)))
    for column in table.column_names:
        assert back[column].to_pylist() == table[column].to_pylist(), column
        fixed = pa.types.is_fixed_size_list(table[column].type)
        assert pa.types.is_fixed_size_list(back[column].type) == fixed


@pytest.mark.parametrize("name", ["votable/b2", "json", "parquet", "csv", "tsv"])
@given(values=st.lists(st.none() | TEXT, min_size=1, max_size=9))
@SETTINGS
def test_text(tmp_path: Path, name: str, values: list[str | None]) -> None:
    values.append("a letter")  # keeps delimited text from looking like numbers
    back = round_trip(
        tmp_path, name, pa.table({"s": pa.array(values, pa.string()), "t": ["x"] * len(values)})
    )
    assert back["s"].to_pylist() == values


@given(values=st.lists(st.none() | TEXT.filter(bool), min_size=1, max_size=9))
@SETTINGS
def test_text_in_tabledata(tmp_path: Path, values: list[str | None]) -> None:
    back = round_trip(tmp_path, "votable", pa.table({"s": pa.array(values, pa.string())}))
    assert back["s"].to_pylist() == values


@pytest.mark.parametrize("name", ["fits", "ecsv"])
@given(values=st.lists(st.none() | ASCII, min_size=1, max_size=9))
@SETTINGS
def test_ascii_text(tmp_path: Path, name: str, values: list[str | None]) -> None:
    back = round_trip(
        tmp_path, name, pa.table({"s": pa.array(values, pa.string()), "t": ["x"] * len(values)})
    )
    assert back["s"].to_pylist() == values


def test_control_characters(tmp_path: Path) -> None:
    table = pa.table({"s": ['a\r\nb\t"c"', "x\x01y", "\ufffe"]})
    assert round_trip(tmp_path, "votable", table)["s"].to_pylist() == ['a\r\nb\t"c"', "x\ufffdy", "\ufffd"]
    for name in ("votable/b2", "json", "csv"):
        assert round_trip(tmp_path, name, table)["s"].to_pylist() == table["s"].to_pylist()


SPECIAL = pa.table(
    {
        "time": pa.array(
            [datetime(2021, 2, 3, 4, 5, 6, 700000, tzinfo=UTC), None], pa.timestamp("us", "UTC")
        ),
        "day": pa.array([date(2021, 2, 3), None]),
        "decimal": pa.array([Decimal("12.50"), None]),
        "whole": pa.array([Decimal(12), None], pa.decimal128(12, 0)),
        "word": pa.array(["a", None]).dictionary_encode(),
        "large": pa.array(["b", None], pa.large_string()),
        "bytes": pa.array([b"\x00\xff", None]),
        "nothing": pa.nulls(2),
        "texts": pa.array([["p", "q"], None]),
        "half": pa.array([np.float16(1.5), None], pa.float16()),
    }
)
PLAIN = {
    "time": "2021-02-03T04:05:06.700000",
    "day": "2021-02-03",
    "decimal": 12.5,
    "whole": 12,
    "word": "a",
    "large": "b",
    "bytes": [0, 255],
    "nothing": None,
    "texts": '["p", "q"]',
    "half": 1.5,
}


@pytest.mark.parametrize("name", ["votable", "votable/b2", "fits"])
def test_types_that_a_format_lacks(tmp_path: Path, name: str) -> None:
    back = round_trip(tmp_path, name, SPECIAL).to_pylist()
    assert back[0] == PLAIN
    assert {k: v or None for k, v in back[1].items()} == dict.fromkeys(PLAIN)


def test_parquet_keeps_every_type(tmp_path: Path) -> None:
    assert round_trip(tmp_path, "parquet", SPECIAL).to_pylist() == SPECIAL.to_pylist()


@pytest.mark.parametrize("name", ["csv", "json", "ecsv"])
def test_types_as_text(tmp_path: Path, name: str) -> None:
    first = round_trip(tmp_path, name, SPECIAL).to_pylist()[0]
    assert (first["time"], first["day"], first["large"]) == (PLAIN["time"], PLAIN["day"], "b")
    assert float(first["decimal"]) == 12.5


def test_large_unsigned_integers(tmp_path: Path) -> None:
    table = pa.table({"x": pa.array([(1 << 64) - 1, None, 0], pa.uint64())})
    for name in ("json", "parquet", "ecsv"):
        assert round_trip(tmp_path, name, table)["x"].to_pylist() == [(1 << 64) - 1, None, 0]
    assert round_trip(tmp_path, "csv", table)["x"].to_pylist() == [(1 << 64) - 1, None, 0]
    with pytest.raises(UsageError, match="no 64-bit integer is left to mean null"):
        round_trip(tmp_path, "fits", table)
    for name in ("votable", "votable/b", "votable/b2", "votable/fits"):
        again = round_trip(tmp_path, name, table)["x"]
        assert (again.type, again.to_pylist()) == (pa.uint64(), [(1 << 64) - 1, None, 0])
    document = b"".join(VOTABLE_TD.write(TableStream.from_table(table), VOTableOptions(on_error="raise")))
    assert b'datatype="char" arraysize="*" xtype="awe:unsignedLong"' in document
    assert parse_single_table(io.BytesIO(document)).array["x"][0] == str((1 << 64) - 1)
    assert round_trip(tmp_path, "fits", table.slice(0, 2))["x"].to_pylist() == [(1 << 64) - 1, None]


METADATA = Schema(
    (
        Column("ra", pa.float64(), "deg", "pos.eq.ra;meta.main", "u:ra", "", 'Right <ascension> & "more"'),
        Column("n", pa.int32(), "", "meta.number", "", "", "count", null=-99),
    ),
    "stars",
    "Some stars",
)


@pytest.mark.parametrize("name", ["votable", "votable/b2", "fits", "parquet", "ecsv"])
def test_metadata(tmp_path: Path, name: str) -> None:
    table = pa.table({"ra": [1.5, None], "n": pa.array([None, 2], pa.int32())})
    path = tmp_path / f"t{FORMATS[name].extensions[0]}"
    path.write_bytes(b"".join(FORMATS[name].write(TableStream.from_table(table, METADATA))))
    stream = FORMATS[name].read(path)
    for wanted, found in zip(METADATA, stream.schema, strict=True):
        assert (found.name, found.type, found.unit, found.ucd, found.utype, found.description) == (
            wanted.name, wanted.type, wanted.unit, wanted.ucd, wanted.utype, wanted.description,
        )  # fmt: skip
    assert stream.schema.name == "stars"
    assert stream.to_table().to_pylist() == table.to_pylist()


# -- peers


def peers_table(rows: int = 100) -> pa.Table:
    rng = np.random.default_rng(5)
    some = rng.random(rows) < 0.2
    return pa.table(
        {
            "ra": pa.array(rng.random(rows) * 360, mask=some),
            "f": rng.random(rows).astype("f4"),
            "i": pa.array(rng.integers(-9, 9, rows).astype("i4"), mask=some),
            "k": rng.integers(-(1 << 62), 1 << 62, rows),
            "b": rng.random(rows) < 0.5,
            "s": pa.array([f"star <{i}> & 'co'" for i in range(rows)], mask=some),
            "v": [[float(i)] * (1 + i % 3) for i in range(rows)],
            "p": pa.array([[i, i + 1] for i in range(rows)], pa.list_(pa.int16(), 2)),
        }
    )


def values_of(table: Table, name: str) -> list[object]:
    return [
        None if v is np.ma.masked else np.ma.getdata(v).tolist() if np.ndim(v) else v for v in table[name]
    ]


@pytest.mark.parametrize("name", ["votable", "votable/b2", "fits"])
def test_astropy_reads_the_same(tmp_path: Path, name: str) -> None:
    table = peers_table()
    path = tmp_path / f"t{FORMATS[name].extensions[0]}"
    path.write_bytes(b"".join(FORMATS[name].write(TableStream.from_table(table))))
    read = Table.read(path) if name == "fits" else parse_single_table(path).to_table()
    for column in table.column_names:
        wanted = table[column].to_pylist()
        found = values_of(read, column)
        if column == "s":
            found = [str(v) if v is not None and str(v) else None for v in found]
        assert found == [None if v is None else np.float32(v) if column == "f" else v for v in wanted], column


def test_astropy_reads_ecsv(tmp_path: Path) -> None:
    table = peers_table().drop_columns(["v"])
    text = b"".join(FORMATS["ecsv"].write(TableStream.from_table(table))).decode()
    read = Table.read(text, format="ascii.ecsv")
    assert values_of(read, "ra") == table["ra"].to_pylist()
    assert values_of(read, "p") == table["p"].to_pylist()
    assert [bool(v) for v in read["b"]] == table["b"].to_pylist()


def test_pandas_reads_csv() -> None:
    table = peers_table().drop_columns(["v", "p"])
    frame = pd.read_csv(io.BytesIO(b"".join(FORMATS["csv"].write(TableStream.from_table(table)))))
    assert frame["k"].tolist() == table["k"].to_pylist()
    assert [None if pd.isna(v) else v for v in frame["s"]] == table["s"].to_pylist()
    np.testing.assert_array_equal(frame["ra"], table["ra"].to_numpy())


def test_pandas_reads_parquet(tmp_path: Path) -> None:
    table = peers_table()
    path = tmp_path / "t.parquet"
    path.write_bytes(b"".join(FORMATS["parquet"].write(TableStream.from_table(table))))
    frame = pd.read_parquet(path)
    assert frame["k"].tolist() == table["k"].to_pylist()
    assert frame["v"].map(list).tolist() == table["v"].to_pylist()


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "hdf5"])
def test_identifiers_of_twenty_digits_keep_them(name: str, tmp_path: Path) -> None:
    digits = [10**20 - 1, 2**64 - 1, None]
    table = pa.table({"id": pa.array(digits, pa.decimal128(20, 0)), "n": pa.array([2**63 - 1, 1, 2])})
    file = tmp_path / f"t{FORMATS[name].extensions[0]}"
    file.write_bytes(b"".join(FORMATS[name].write(TableStream.from_table(table))))
    found = FORMATS[name].read(file).to_table()
    assert [None if v in (None, "") else int(v) for v in found["id"].to_pylist()] == digits
    assert [int(v) for v in found["n"].to_pylist()] == [2**63 - 1, 1, 2]


@pytest.mark.parametrize("name", ["fits", "ecsv"])
def test_columns_of_one_name_are_read_by_astropy(tmp_path: Path, name: str) -> None:
    """Of ``SELECT a.*, b.*`` nothing may be lost: astropy opens no FITS file with two columns of one name."""
    schema = Schema((Column("id", pa.int64()), Column("id", pa.float64()), Column("ID", pa.int32())))
    batch = pa.RecordBatch.from_arrays(
        [pa.array([1, 2]), pa.array([0.5, 1.5]), pa.array([7, 8], pa.int32())], schema=schema.to_arrow()
    )
    path = tmp_path / f"t.{name}"
    path.write_bytes(b"".join(FORMATS[name].write(TableStream(schema, [batch]))))
    found = Table.read(path, format={"ecsv": "ascii.ecsv"}.get(name, name))
    assert [found[column].tolist() for column in ("id", "id_2", "ID")] == [[1, 2], [0.5, 1.5], [7, 8]]
