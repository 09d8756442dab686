"""Many cones at once: the same rows as one after the other, in the order asked for, within the same limits."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from astropy.coordinates import SkyCoord

from awe.client import connect
from awe.core.sky import separation
from awe.core.sql import Around, look_ups_query
from awe.core.tables import Column, Schema, TableStream
from awe.errors import (
    LimitError,
    NotFoundError,
    NotOfferedError,
    ParameterError,
    PositionError,
    TimeLimitError,
)
from awe.platform import Platform
from awe.services.catalogs import Limits, RowFilter, TableRecord, WriteSpec
from awe.services.catalogs.backends.duckdb import DuckDBEngine
from awe.services.catalogs.sky_index import around
from awe.settings import LimitSettings, Settings

TABLE = "many.sources"
_FILTERED = {"id": pa.int64(), "ra": pa.float64(), "dec": pa.float64(), "of": pa.string()}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    rng = np.random.default_rng(7)
    n = 4000
    ra = np.concatenate([rng.normal(0, 0.5, n) % 360, rng.uniform(0, 360, n)])
    dec = np.concatenate([rng.normal(10, 0.5, n), 90 - np.abs(rng.normal(0, 1, n))])
    schema = Schema(
        (
            Column("target", pa.int64()),
            Column("ra", pa.float64(), unit="deg", ucd="pos.eq.ra;meta.main"),
            Column("dec", pa.float64(), unit="deg", ucd="pos.eq.dec;meta.main"),
        )
    )
    rows = pa.table({"target": np.arange(2 * n), "ra": ra, "dec": dec}, schema=schema.to_arrow())
    with Platform.open(Settings(data=tmp_path_factory.mktemp("sky"), limits={"rows": 10**6})) as platform:
        platform.catalogs.publish_stream(TABLE, TableStream.from_table(rows, schema), ra="ra", dec="dec")
        yield platform


def targets() -> list[tuple[float, float]]:
    rng = np.random.default_rng(8)
    near = np.stack([rng.normal(0, 0.5, 60) % 360, rng.normal(10, 0.5, 60)], axis=1)
    pole = np.stack([rng.uniform(0, 360, 40), rng.uniform(88, 90, 40)], axis=1)
    places = rng.permutation(np.concatenate([near, pole, [[200.0, -60.0], [0.0, 90.0], [360.0, 10.0]]]))
    return [(float(ra), float(dec)) for ra, dec in places]


def test_the_rows_are_those_of_single_cones_in_the_order_of_the_targets(archive: Platform) -> None:
    found = archive.catalogs.cones(TABLE, targets(), 0.1).to_table()
    assert found.column_names == ["target_", "target", "ra", "dec"]
    one_by_one = [
        (i, row["target"])
        for i, (ra, dec) in enumerate(targets())
        for row in archive.catalogs.cone(TABLE, ra, dec, 0.1).to_table().to_pylist()
    ]
    assert len(one_by_one) > 500
    pairs = list(zip(found["target_"].to_pylist(), found["target"].to_pylist(), strict=True))
    assert pairs == one_by_one


def _rows(table: pa.Table) -> list[tuple[int, int]]:
    return list(zip(table["target_"].to_pylist(), table["target"].to_pylist(), strict=True))


@pytest.fixture(scope="module")
def whole(archive: Platform) -> pa.Table:
    """All rows, in the order of the sky in which they are stored."""
    return archive.catalogs.cone(TABLE, 0.0, 0.0, 180.0, max_rows=8000).to_table()


@pytest.mark.parametrize("radius", [0.0, 1e-7, 0.003, 0.2, 1.0, 1.5, 40.0, 180.0])
@pytest.mark.parametrize("most_rows", [around.MOST_VALUES // 3, 300])
def test_the_rows_are_those_of_brute_force(
    archive: Platform, whole: pa.Table, monkeypatch: pytest.MonkeyPatch, radius: float, most_rows: int
) -> None:
    monkeypatch.setattr(around, "MOST_VALUES", 3 * most_rows)  # beyond it positions are halved, down to one
    monkeypatch.setattr(around, "_AT_ONCE", most_rows // 3)
    ra, dec = whole["ra"].to_numpy(), whole["dec"].to_numpy()
    stars = list(zip(ra[::900].tolist(), dec[::900].tolist(), strict=True))
    asked = [
        *stars,
        *targets()[:6],
        stars[0],
        stars[0],
        (-0.1, 10.0),
        (359.9, 10.0),
        (12.0, 90.0),
        (0.0, -90.0),
    ]
    if radius > 1:
        asked = asked[-4:]
    found = archive.catalogs.cones(TABLE, asked, radius, max_rows=10**6)
    expected = [
        (i, row)
        for i, (a, d) in enumerate(asked)
        for row in whole["target"].filter(pa.array(separation(a, d, ra, dec) <= radius)).to_pylist()
    ]
    got = _rows(found.to_table())
    assert sorted(got) == sorted(expected)
    assert [target for target, _ in got] == sorted(target for target, _ in got)
    assert len(expected) >= len(stars) or radius > 1
    assert not found.overflow


def test_who_may_read_some_rows_only_finds_no_others(tmp_path: Path) -> None:
    schema = Schema(tuple(Column(name, kind) for name, kind in _FILTERED.items()))
    rows = pa.table(
        {"id": range(500), "ra": [10 + i % 7 * 1e-4 for i in range(500)], "dec": [5.0] * 500,
         "of": [None if i % 5 == 0 else "ab"[i % 2] for i in range(500)]},
        schema=schema.to_arrow(),
    )  # fmt: skip
    with closing(DuckDBEngine(tmp_path, LimitSettings())) as engine:
        spec = WriteSpec("t-1", "ra", "dec")
        stored = engine.write(spec, TableStream.from_table(rows, schema))
        table = TableRecord("s", "t", schema, stored, ra="ra", dec="dec").to_definition()
        asked = Around(np.array([10.0, 200.0, 10.0]), np.array([5.0, 5.0, 5.0]), 0.01)
        query = look_ups_query(table, schema, Column("target", pa.int32()), asked)
        some = replace(stored, only=RowFilter("of", frozenset({"b"})))
        found = engine.query(query, {"s.t": some}, Limits(10_000, 30.0)).to_table()
        nobody = replace(stored, only=RowFilter("of", frozenset()))
        assert engine.query(query, {"s.t": nobody}, Limits(10, 30.0)).to_table().num_rows == 0
        with pytest.raises(TimeLimitError):
            engine.query(query, {"s.t": stored}, Limits(10_000, -1.0)).to_table()
        wide = look_ups_query(table, schema, Column("target", pa.int32()), replace(asked, radius_deg=3.0))
        with pytest.raises(NotOfferedError):
            engine.query(wide, {"s.t": stored}, Limits(10_000, 30.0))
    expected = [i for i in range(500) if i % 5 and i % 2]
    assert sorted(zip(found["target"].to_pylist(), found["id"].to_pylist(), strict=True)) == [
        (target, i) for target in (0, 2) for i in expected
    ]


@pytest.mark.slow
def test_more_cones_than_are_put_in_order_together(archive: Platform) -> None:
    some = targets()[:25]
    found = archive.catalogs.cones(TABLE, some * 90, 0.01, max_rows=5000)
    table = found.to_table()
    once = archive.catalogs.cones(TABLE, some, 0.01).to_table()
    assert table["target_"].to_pylist() == [
        int(i) + 25 * turn for turn in range(90) for i in once["target_"].to_pylist()
    ]
    assert not found.overflow


@pytest.mark.parametrize("most", [0, 1, 7, 499, 5000])
def test_the_limit_is_one_of_all_together_and_what_is_cut_says_so(archive: Platform, most: int) -> None:
    whole = archive.catalogs.cones(TABLE, targets(), 0.1).to_table()
    stream = archive.catalogs.cones(TABLE, targets(), 0.1, max_rows=most)
    assert stream.to_table().equals(whole.slice(0, most))
    assert stream.overflow == (most < whole.num_rows)


def test_what_cannot_be_asked_is_refused(archive: Platform) -> None:
    catalogs = archive.catalogs
    with pytest.raises(PositionError, match="position 1"):
        catalogs.cones(TABLE, [(1.0, 2.0), (1.0, 91.0), (4.0, 95.0)], 0.1)
    with pytest.raises(PositionError, match="position 0"):
        catalogs.cones(TABLE, [(float("nan"), 2.0)], 0.1)
    with pytest.raises(PositionError):
        catalogs.cones(TABLE, [(1.0, 2.0)], 181.0)
    with pytest.raises(ParameterError):
        catalogs.cones(TABLE, [], 0.1)
    with pytest.raises(LimitError):
        catalogs.cones(TABLE, [(1.0, 2.0)] * 10_001, 0.1)
    with pytest.raises(NotFoundError):
        catalogs.cones("many.none", [(1.0, 2.0)], 0.1)


def test_the_client_asks_for_many_at_once(archive: Platform) -> None:
    with connect(archive.settings.folder) as client:
        some = client.cones(TABLE, [*targets(), "0 10"], "6 arcmin")
        single = client.cone(TABLE, "0 10", "6 arcmin")
        ra, dec = np.array(targets()).T
        same = client.cones(TABLE, SkyCoord(ra, dec, unit="deg"), 0.1)
    assert list(some["target"][some["target_"] == len(targets())]) == list(single["target"])
    assert len(some) > 500
    assert list(same["target"]) == list(some["target"][some["target_"] < len(targets())])
