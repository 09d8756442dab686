"""HDF5 tables as astropy, h5py and pandas read them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.table import Table

from awe.core.tables import Column, Schema, TableStream
from awe.core.tables.formats import FORMATS, format_of
from awe.errors import InputFileError

HDF5 = FORMATS["hdf5"]
BIG = (1 << 63) - 1
SCHEMA = Schema(
    (
        Column("id", pa.int64(), ucd="meta.id;meta.main"),
        Column("ra", pa.float64(), unit="deg", description="Right ascension"),
        Column("name", pa.string()),
        Column("good", pa.bool_()),
        Column("pair", pa.list_(pa.float32(), 2)),
        Column("few", pa.list_(pa.int32())),
        Column("when", pa.timestamp("us", "UTC")),
        Column("count", pa.uint8()),
    ),
    name="stars",
    description="Made-up stars",
)
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ROWS: list[dict[str, Any]] = [
    {
        "id": BIG,
        "ra": 1.5,
        "name": "é",
        "good": True,
        "pair": [1, 2],
        "few": [1],
        "when": MOMENT,
        "count": 255,
    },
    {
        "id": -BIG,
        "ra": None,
        "name": None,
        "good": None,
        "pair": [3, 4],
        "few": [],
        "when": None,
        "count": None,
    },
    {
        "id": 3,
        "ra": float("inf"),
        "name": "M 31",
        "good": False,
        "pair": [5, 6],
        "few": [2, 3],
        "when": MOMENT,
        "count": 0,
    },
]


def written(folder: Path, batches: list[list[dict[str, Any]]], schema: Schema = SCHEMA) -> Path:
    arrow = schema.to_arrow()
    stream = TableStream(schema, (pa.RecordBatch.from_pylist(rows, arrow) for rows in batches))
    path = folder / "t.h5"
    path.write_bytes(b"".join(HDF5.write(stream)))
    return path


def test_astropy_reads_all_of_it(tmp_path: Path) -> None:
    found = Table.read(written(tmp_path, [ROWS[:1], ROWS[1:]]), character_as_bytes=False)
    assert found.colnames == list(SCHEMA.names)
    assert found.meta == {"name": "stars", "description": "Made-up stars"}
    assert found["id"].tolist() == [BIG, -BIG, 3]
    assert found["id"].meta == {"ucd": "meta.id;meta.main"}
    assert (str(found["ra"].unit), found["ra"].description) == ("deg", "Right ascension")
    np.testing.assert_array_equal(found["ra"], [1.5, np.nan, np.inf])
    assert found["name"].filled("-").tolist() == ["é", "-", "M 31"]
    assert found["good"].mask.tolist() == [False, True, False]
    assert found["good"][[0, 2]].tolist() == [True, False]
    assert found["pair"].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert [list(value) for value in found["few"]] == [[1], [], [2, 3]]
    assert found["when"].filled("-")[1] == "-"
    assert found["when"][0] == "2026-01-02T03:04:05.000000"
    assert (found["count"].mask.tolist(), found["count"][0]) == ([False, True, False], 255)


def test_h5py_and_pandas_read_records(tmp_path: Path) -> None:
    schema = SCHEMA.with_columns(SCHEMA.columns[:3])
    rows = [{key: row[key] for key in schema.names} for row in ROWS if row["name"]]
    with h5py.File(written(tmp_path, [rows], schema)) as file:
        records = file["stars"][:]
    assert pd.DataFrame(records)["id"].tolist() == [BIG, 3]
    assert records.dtype.names == ("id", "ra", "name")
    assert [name.decode() for name in records["name"]] == ["é", "M 31"]


def test_a_table_without_rows_and_names_that_stand_twice(tmp_path: Path) -> None:
    schema = Schema((Column("a/b", pa.int32()), Column("a/b", pa.string()), Column("s", pa.string())))
    found = Table.read(written(tmp_path, [], schema))
    assert (len(found), len(found.colnames), len(set(found.colnames))) == (0, 3, 3)


def test_overflow_is_stated(tmp_path: Path) -> None:
    stream = TableStream.from_table(pa.table({"n": [1, 2, 3]})).limit(2)
    path = tmp_path / "t.h5"
    path.write_bytes(b"".join(HDF5.write(stream)))
    with h5py.File(path) as file:
        assert "OVERFLOW" in file["table"].attrs
        assert file["table"]["n"].tolist() == [1, 2]


def test_files_of_others_are_not_opened(tmp_path: Path) -> None:
    path = written(tmp_path, [ROWS])
    assert format_of(path) is HDF5
    with pytest.raises(InputFileError, match=r"cannot be read here.*Parquet"):
        HDF5.read(path)
