"""Files that come with a query: staged for it alone, gone behind it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from awe.core.tables import Column, Schema, TableStream
from awe.core.tables.formats import FORMATS
from awe.errors import LimitError, UnknownNameError
from awe.services.catalogs import CatalogService, WriteSpec
from awe.services.catalogs._locations import new_location
from awe.settings import UploadSettings


def upload(folder: Path, columns: dict[str, pa.Array], *described: Column) -> Path:
    table = pa.table(columns)
    schema = Schema(described or Schema.from_arrow(table.schema).columns)
    file = folder / "mine.parquet"
    file.write_bytes(b"".join(FORMATS["parquet"].write(TableStream.from_table(table, schema))))
    return file


def engine_of(service: CatalogService) -> list[str]:
    return [place for place in service._engine.tables() if place.startswith("tap_upload.")]


def test_it_is_there_while_its_stream_is_open(hsc: CatalogService, tmp_path: Path) -> None:
    file = upload(tmp_path, {"n": pa.array(np.arange(300_000))})
    stream = hsc.query("SELECT n FROM TAP_UPLOAD.mine", uploads={"mine": file}, max_rows=300_000)
    file.unlink()
    first = next(stream)
    hsc.clean(0)  # another process could be doing this
    assert len(engine_of(hsc)) == 1
    assert first.num_rows + sum(batch.num_rows for batch in stream) == 300_000
    assert engine_of(hsc) == []


def test_closing_early_removes_it(hsc: CatalogService, tmp_path: Path) -> None:
    file = upload(tmp_path, {"n": pa.array(np.arange(10))})
    with hsc.query("SELECT n FROM TAP_UPLOAD.mine", uploads={"mine": file}):
        assert len(engine_of(hsc)) == 1
    assert engine_of(hsc) == []


def test_overflow_is_still_said(hsc: CatalogService, tmp_path: Path) -> None:
    file = upload(tmp_path, {"n": pa.array(np.arange(10))})
    stream = hsc.query("SELECT n FROM TAP_UPLOAD.mine", uploads={"mine": file}, max_rows=3)
    assert stream.to_table().num_rows == 3
    assert stream.overflow


def test_what_a_killed_process_left_is_swept(
    hsc: CatalogService, make_stream: Callable[..., TableStream], tmp_path: Path
) -> None:
    left = new_location("TAP_UPLOAD", "mine")
    hsc._engine.write(WriteSpec(left), make_stream())
    locks = tmp_path / "publishing" / "uploads"
    locks.mkdir(parents=True)
    (locks / f"{left}.lock").touch()
    hsc.clean()
    assert engine_of(hsc) == []
    assert list(locks.iterdir()) == []
    assert [record.full_name for record in hsc.tables()] == ["hsc.SumCat"]


def test_a_small_file_may_not_hold_a_large_table(
    make_service: Callable[..., CatalogService], tmp_path: Path
) -> None:
    file = upload(tmp_path, {"n": pa.array(np.zeros(1_000_000))})
    assert file.stat().st_size < 100_000
    for most in ({"rows": 999_999}, {"unpacked_bytes": 7_999_999}):
        service = make_service(uploads=UploadSettings.model_validate(most))
        with pytest.raises(LimitError, match="mine has more than"):
            service.query("SELECT n FROM TAP_UPLOAD.mine", uploads={"mine": file})
        assert engine_of(service) == []


def test_what_is_said_of_a_column_comes_back(hsc: CatalogService, tmp_path: Path) -> None:
    columns = (
        Column("RA", pa.float64(), "deg", "pos.eq.ra", description="a place"),
        Column("when", pa.string(), xtype="timestamp", utype="x:y.z"),
        Column("select * from", pa.int32(), null=-99),
        Column("_healpix_29", pa.string()),
        Column("v", pa.list_(pa.float32(), 2), "mag"),
    )
    arrays = {
        "RA": pa.array([1.0, None]),
        "when": pa.array(["2020-01-01T00:00:00", None]),
        "select * from": pa.array([1, None], pa.int32()),
        "_healpix_29": pa.array(["x", ""]),
        "v": pa.array([[1, 2], [3, 4]], pa.list_(pa.float32(), 2)),
    }
    stream = hsc.query("SELECT * FROM tap_upload.m", uploads={"M": upload(tmp_path, arrays, *columns)})
    assert stream.schema.columns == columns
    assert stream.to_table().to_pydict() == pa.table(arrays).to_pydict()
    file = tmp_path / "mine.parquet"
    found = hsc.query('SELECT "select * from" AS n FROM TAP_UPLOAD.m', uploads={"M": file}).to_table()
    assert found["n"].to_pylist() == [1, None]


def test_an_upload_changes_no_other_name(hsc: CatalogService, tmp_path: Path) -> None:
    uploads = {"SumCat": upload(tmp_path, {"n": pa.array([1])})}
    assert hsc.query("SELECT COUNT(*) AS n FROM SumCat", uploads=uploads).to_table()["n"][0].as_py() == 2000
    with pytest.raises(UnknownNameError):
        hsc.query("SELECT * FROM hsc.mine", uploads=uploads)
    stream = hsc.query(
        "SELECT MatchID FROM SumCat WHERE MatchID IN (SELECT n FROM TAP_UPLOAD.SumCat)", dialect="tsql",
        context="hsc", uploads=uploads,
    )  # fmt: skip
    assert stream.to_table().num_rows == 1


def test_positions_that_are_none_match_nothing(hsc: CatalogService, tmp_path: Path) -> None:
    arrays = {
        "ra": pa.array([187.706, None, float("nan"), float("inf"), 1e300, 187.706]),
        "dec": pa.array([12.391, 12.391, 12.391, 12.391, 12.391, float("-inf")]),
    }
    query = "SELECT u.ra, t.MatchID FROM {} JOIN {} ON DISTANCE(u.ra, u.dec, t.MatchRA, t.MatchDec) < 0.02"
    for pair in (("TAP_UPLOAD.u AS u", "hsc.SumCat AS t"), ("hsc.SumCat AS t", "TAP_UPLOAD.u AS u")):
        found = hsc.query(query.format(*pair), uploads={"u": upload(tmp_path, arrays)}).to_table()
        assert set(found["ra"].to_pylist()) == {187.706}


def test_a_position_in_hours_is_no_position_and_no_error(hsc: CatalogService, tmp_path: Path) -> None:
    arrays = {"ra": pa.array(["12:30:49"]), "dec": pa.array(["+12:23:28"])}
    found = hsc.query("SELECT * FROM TAP_UPLOAD.u", uploads={"u": upload(tmp_path, arrays)})
    assert found.to_table().to_pydict() == {"ra": ["12:30:49"], "dec": ["+12:23:28"]}
