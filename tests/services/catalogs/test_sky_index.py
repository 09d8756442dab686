"""Look-ups by position beside brute force over the rows, and what is kept of them."""

import gc
import os
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from awe.core.sky import Box, Circle, Polygon, Region, healpix_index, seek, separation
from awe.core.sql import Query, compile_query
from awe.core.tables import Column, Schema, TableStream
from awe.errors import TimeLimitError
from awe.services.catalogs import Limits, RowFilter, StoredTable, TableRecord, WriteSpec, hats
from awe.services.catalogs._files import DECODED
from awe.services.catalogs._names import ReadableNames
from awe.services.catalogs.backends.duckdb import DuckDBEngine
from awe.services.catalogs.sky_index import parcels
from awe.services.catalogs.sky_index.groups import Groups, touched
from awe.services.catalogs.sky_index.parcels import Parcel
from awe.settings import LimitSettings

_ROWS = 6_000
_SCHEMA = Schema(
    (
        Column("id", pa.int64()),
        Column("ra", pa.float64(), ucd="pos.eq.ra;meta.main"),
        Column("dec", pa.float64(), ucd="pos.eq.dec;meta.main"),
        Column("mag", pa.float32()),
        Column("n", pa.int32()),
        Column("name", pa.string()),
        *(Column(f"c{i}", pa.float64()) for i in range(20)),
    ),
    "s.t",
)
_LIMITS = Limits(1_000_000, 30.0)


def _rows() -> pa.Table:
    rng = np.random.default_rng(4)
    ra, dec = rng.uniform(0, 360, _ROWS), np.degrees(np.arcsin(rng.uniform(-1, 1, _ROWS)))
    half = _ROWS // 2
    ra[:half], dec[:half] = 187.7 + rng.normal(0, 0.3, half), 12.4 + rng.normal(0, 0.3, half)
    for i, (a, d) in enumerate([(0, 0), (360, 0), (0, 90), (10, -90), (359.999999, 1), (45, 41.81031489)]):
        ra[-1 - i], dec[-1 - i] = a, d
    mag = rng.normal(20, 1, _ROWS).astype(np.float32)
    mag[::11] = np.nan
    columns = {
        "id": pa.array(np.arange(_ROWS)),
        "ra": pa.array(ra),
        "dec": pa.array(dec),
        "mag": pa.array(mag, mask=rng.random(_ROWS) < 0.1),
        "n": pa.array(rng.integers(0, 9, _ROWS).astype(np.int32), mask=rng.random(_ROWS) < 0.1),
        "name": pa.array([None if i % 7 == 0 else f"group {i % 3}" for i in range(_ROWS)]),
    }
    return pa.table(columns | {f"c{i}": pa.array(rng.random(_ROWS)) for i in range(20)})


ROWS = _rows()
RA, DEC = ROWS["ra"].to_numpy(), ROWS["dec"].to_numpy()


class Table:
    """A table in an engine of its own."""

    def __init__(self, folder: Path, decoded_bytes: int = 10**9, rows: pa.Table = ROWS) -> None:
        self.engine = DuckDBEngine(folder, LimitSettings(decoded_bytes=decoded_bytes))
        stream = TableStream(_SCHEMA, rows.to_batches(max_chunksize=1000))
        spec = WriteSpec("t-1", "ra", "dec", rows_per_partition=50_000)
        there = "t-1" in self.engine.tables()
        self.stored = StoredTable("t-1", rows.num_rows, 0) if there else self.engine.write(spec, stream)
        self.record = TableRecord("s", "t", _SCHEMA, self.stored, ra="ra", dec="dec")

    def close(self) -> None:
        self.engine.close()

    def query(self, text: str, dialect: str = "adql") -> Query:
        return compile_query(text, ReadableNames((self.record,)), dialect=dialect)

    def ask(self, query: Query | str, limits: Limits = _LIMITS, only: RowFilter | None = None) -> pa.Table:
        compiled = self.query(query) if isinstance(query, str) else query
        stored = StoredTable("t-1", _ROWS, 0, only)
        return self.engine.query(compiled, {"s.t": stored}, limits).to_table()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    made = Table(tmp_path_factory.mktemp("tables"))
    yield made
    made.engine.close()


def _ids(found: pa.Table) -> list[int]:
    ids: list[int] = sorted(found["id"].to_pylist())
    return ids


def _same(one: pa.Table, other: pa.Table) -> bool:
    return repr(one.to_pylist()) == repr(other.to_pylist())  # NaN is the same as NaN


def _inside(region: Region) -> list[int]:
    return np.flatnonzero(region.contains(RA, DEC)).tolist()


def _circles() -> st.SearchStrategy[Circle]:
    row = st.integers(0, _ROWS - 1).map(lambda i: (RA[i] % 360, DEC[i]))
    anywhere = st.tuples(st.floats(0, 359.999), st.floats(-90, 90))
    edges = st.sampled_from([(0.0, 90.0), (0.0, -90.0), (0.0, 0.0), (359.9999, 1.0), (45.0, 41.81)])
    radius = st.one_of(st.floats(0, 180), st.floats(-7, 2).map(lambda power: 10**power))
    return st.builds(lambda at, r: Circle(at[0], at[1], r), st.one_of(row, anywhere, edges), radius)


@given(_circles())
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_cones_are_what_brute_force_finds(table: Table, circle: Circle) -> None:
    query = table.query(
        f"SELECT id FROM s.t WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE({circle.ra!r}, {circle.dec!r}, {circle.radius!r}))"
    )
    assert query.look_up is not None
    assert _ids(table.ask(query)) == _inside(circle)


@given(_circles(), st.booleans())
@settings(deadline=None, max_examples=150)
def test_the_cells_sought_hold_the_circle_and_those_inside_nothing_else(
    circle: Circle, closely: bool
) -> None:
    sought = seek(circle, closely=closely)
    rng = np.random.default_rng(1)
    north = circle.dec + rng.uniform(-1.1, 1.1, 400) * circle.radius
    ra, dec = (circle.ra + rng.uniform(-180, 180, 400)) % 360, np.clip(north, -90, 90)
    ra, dec = np.concatenate([ra, RA[:500] % 360]), np.concatenate([dec, DEC[:500]])
    cells = healpix_index(ra, dec)
    place = np.searchsorted(sought.ranges[:, 0], cells, side="right") - 1
    held = (place >= 0) & (cells < sought.ranges[place, 1])
    inside = circle.contains(ra, dec)
    assert not (inside & ~held).any()
    assert sought.inside is None or inside[held & sought.inside[place]].all()
    assert (sought.ranges[1:, 0] >= sought.ranges[:-1, 1]).all()


@pytest.mark.parametrize(
    "region",
    [
        Polygon(((187, 12), (188.5, 12), (187.7, 13))),
        Polygon(((350, -5), (10, -5), (10, 5), (350, 5))),
        Box(187.7, 12.4, 0.5, 0.4),
    ],
)
def test_other_regions(table: Table, region: Region) -> None:
    shape = (
        f"POLYGON({', '.join(f'{a!r}, {d!r}' for a, d in region.vertices)})"
        if isinstance(region, Polygon)
        else "BOX(187.7, 12.4, 0.5, 0.4)"
    )
    query = table.query(f"SELECT id FROM s.t WHERE 1 = CONTAINS(POINT(ra, dec), {shape})")
    assert query.look_up is not None
    assert _ids(table.ask(query)) == _inside(region)
    assert _inside(region)


def _number(name: str) -> np.ndarray:
    column = ROWS[name].combine_chunks()
    return np.ma.array(column.fill_null(0).to_numpy(), mask=column.is_null().to_numpy(zero_copy_only=False))


CONE = "1 = CONTAINS(POINT(ra, dec), CIRCLE(187.7, 12.4, 0.5))"
AROUND = Circle(187.7, 12.4, 0.5)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("mag < 19.5", lambda m, _: m < 19.5),
        ("mag <= 20", lambda m, _: m <= 20),
        # as engines of SQL have it, NaN is greater than every number
        ("mag > 20.5", lambda m, _: (m > 20.5) | np.isnan(m)),
        ("19 < mag", lambda m, _: (m > 19) | np.isnan(m)),
        ("mag BETWEEN 19 AND 20", lambda m, _: (m >= 19) & (m <= 20)),
        ("n = 3", lambda _, n: n == 3),
        ("n <> 3 AND n >= 2", lambda _, n: (n != 3) & (n >= 2)),
        ("n < 4.5 AND mag > 1e0", lambda m, n: (n < 4.5) & ((m > 1) | np.isnan(m))),
    ],
)
def test_comparisons_hold_as_the_engine_has_them(
    table: Table, condition: str, expected: Callable[..., np.ndarray]
) -> None:
    query = table.query(f"SELECT id, n FROM s.t WHERE {CONE} AND {condition}")
    assert query.look_up is not None
    held = np.ma.filled(expected(_number("mag"), _number("n")), fill_value=False)
    wanted = np.flatnonzero(held & AROUND.contains(RA, DEC)).tolist()
    assert wanted
    assert _ids(table.ask(query)) == wanted
    slower = table.query(f"SELECT id, n + 0 AS n FROM s.t WHERE {CONE} AND {condition}")
    assert slower.look_up is None
    assert _ids(table.ask(slower)) == wanted


def test_identifiers_of_all_their_digits_compare(tmp_path: Path) -> None:
    first = 2**62 + 1
    rows = ROWS.set_column(0, "id", pa.array(np.arange(_ROWS) + first))
    with closing(Table(tmp_path, rows=rows).engine) as engine:
        record = TableRecord("s", "t", _SCHEMA, StoredTable("t-1", _ROWS, 0), ra="ra", dec="dec")
        for condition in ("id > 0", "id <> 5 AND id >= 1e3", "id < 1e300"):
            text = f"SELECT id FROM s.t WHERE {CONE} AND {condition}"
            query = compile_query(text, ReadableNames((record,)))
            assert query.look_up is not None
            found = engine.query(query, {"s.t": record.stored}, _LIMITS).to_table()
            assert _ids(found) == [first + i for i in _inside(AROUND)]


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("adql", "SELECT TOP 7 * FROM s.t WHERE DISTANCE(ra, dec, 187.7, 12.4) < 0.5 ORDER BY DISTANCE(ra, dec, 187.7, 12.4)"),
        ("postgres", "SELECT * FROM s.t WHERE q3c_radial_query(ra, dec, 187.7, 12.4, 0.5) ORDER BY q3c_dist(ra, dec, 187.7, 12.4) LIMIT 7"),
    ],
)  # fmt: skip
def test_the_nearest_come_first_in_every_dialect(table: Table, dialect: str, text: str) -> None:
    query = table.query(text, dialect)
    assert query.look_up is not None
    away = separation(187.7, 12.4, RA, DEC)
    found = table.ask(query)
    assert found["id"].to_pylist() == np.argsort(away, kind="stable")[:7].tolist()
    for name in ("mag", "n", "name", "c19"):
        assert repr(found[name].to_pylist()) == repr(ROWS[name].take(found["id"]).to_pylist())
    farthest = table.query(
        text.replace(" LIMIT", " DESC LIMIT") if "LIMIT" in text else f"{text} DESC", dialect
    )
    inside = np.flatnonzero(AROUND.contains(RA, DEC))
    assert table.ask(farthest)["id"].to_pylist() == inside[np.argsort(-away[inside])][:7].tolist()
    none = table.query(text.replace("TOP 7", "TOP 0").replace("LIMIT 7", "LIMIT 0"), dialect)
    assert none.look_up is not None
    assert table.ask(none).num_rows == 0


@pytest.mark.parametrize(
    "text",
    [
        "SELECT COUNT(*) AS id FROM s.t WHERE {}",
        "SELECT DISTINCT id FROM s.t WHERE {}",
        "SELECT id FROM s.t WHERE {} AND name = 'group 1'",
        "SELECT id FROM s.t WHERE {} AND mag + 1 < 20",
        "SELECT id FROM s.t WHERE {} AND mag < n",
        "SELECT id FROM s.t WHERE {} OR n = 3",
        "SELECT id FROM s.t WHERE NOT {}",
        "SELECT id FROM s.t WHERE {} ORDER BY mag",
        "SELECT id FROM s.t WHERE {} AND id IN (SELECT id FROM s.t WHERE n = 2)",
        "SELECT a.id FROM s.t AS a JOIN s.t AS b ON a.id = b.id WHERE 1 = CONTAINS(POINT(a.ra, a.dec), CIRCLE(187.7, 12.4, 0.5))",
        "SELECT id FROM s.t WHERE {} ORDER BY id OFFSET 3",
        "SELECT id FROM (SELECT * FROM s.t) AS t WHERE {}",
    ],
)
def test_whatever_else_is_wanted_goes_to_the_engine(table: Table, text: str) -> None:
    query = table.query(text.format(CONE))
    assert query.look_up is None
    inside = AROUND.contains(RA, DEC)
    found = table.ask(query)["id"].to_pylist()
    n, mag, name = _number("n"), _number("mag"), np.array(ROWS["name"].to_pylist(), object)
    expected = {
        "COUNT": [int(inside.sum())],
        "name =": np.flatnonzero(inside & (name == "group 1")).tolist(),
        "mag + 1": np.flatnonzero(inside & np.ma.filled(mag + 1 < 20, fill_value=False)).tolist(),
        "OR n": np.flatnonzero(inside | np.ma.filled(n == 3, fill_value=False)).tolist(),
        "NOT": np.flatnonzero(~inside).tolist(),
        "n = 2": np.flatnonzero(inside & np.ma.filled(n == 2, fill_value=False)).tolist(),
        "OFFSET": np.flatnonzero(inside)[3:].tolist(),
        "mag < n": [],
    }
    wanted = next((ids for part, ids in expected.items() if part in text), np.flatnonzero(inside).tolist())
    assert sorted(found) == wanted


def test_limits_and_filters_hold(table: Table) -> None:
    query = table.query(f"SELECT id FROM s.t WHERE {CONE}")
    stream = table.engine.query(query, {"s.t": table.stored}, Limits(10, 30.0))
    assert stream.to_table().num_rows == 10
    assert stream.overflow
    exact = table.engine.query(query, {"s.t": table.stored}, Limits(len(_inside(AROUND)), 30.0))
    assert exact.to_table().num_rows == len(_inside(AROUND))
    assert not exact.overflow
    only = RowFilter("name", frozenset({"group 1"}))
    names = ROWS["name"].to_pylist()
    allowed = [i for i in _inside(AROUND) if names[i] == "group 1"]
    assert _ids(table.ask(query, only=only)) == allowed
    assert _ids(table.ask(query, only=RowFilter("name", frozenset()))) == []
    counted = table.query(f"SELECT COUNT(*) AS id FROM s.t WHERE {CONE}")
    assert table.ask(counted, only=only)["id"].to_pylist() == [len(allowed)]


def test_time_is_limited(table: Table) -> None:
    with pytest.raises(TimeLimitError):
        table.ask(f"SELECT id FROM s.t WHERE {CONE}", Limits(10, -1.0))


def test_a_stream_that_is_closed_gives_no_more_rows(table: Table) -> None:
    stream = table.engine.query(
        table.query(f"SELECT * FROM s.t WHERE {CONE}"), {"s.t": table.stored}, _LIMITS
    )
    stream.close()
    assert list(stream) == []


def test_types_nulls_and_texts_come_as_they_were_written(table: Table) -> None:
    found = table.ask(f"SELECT * FROM s.t WHERE {CONE}").sort_by("id")
    expected = ROWS.take(pa.array(_inside(AROUND)))
    assert found.schema.types == expected.schema.types
    for name in expected.column_names:
        assert repr(found[name].to_pylist()) == repr(expected[name].to_pylist())


@pytest.mark.slow
@pytest.mark.parametrize("decoded_bytes", [0, 50_000, 10**9])
def test_what_is_kept_stays_within_its_bound_and_changes_no_answer(
    tmp_path: Path, decoded_bytes: int
) -> None:
    table = Table(tmp_path, decoded_bytes)
    rng = np.random.default_rng(8)
    with ThreadPoolExecutor(4) as pool:
        circles = [
            Circle(rng.uniform(0, 360), rng.uniform(-80, 80), 10 ** rng.uniform(0, 2)) for _ in range(40)
        ]
        text = (
            "SELECT id FROM s.t WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE({0.ra!r}, {0.dec!r}, {0.radius!r}))"
        )
        found = list(pool.map(lambda c: _ids(table.ask(text.format(c))), circles))
    assert found == [_inside(circle) for circle in circles]
    kept = list((tmp_path / DECODED).rglob("*.arrow")) if (tmp_path / DECODED).exists() else []
    largest = max((path.stat().st_size for path in kept), default=0)
    assert sum(path.stat().st_size for path in kept) <= decoded_bytes + 4 * largest
    assert bool(kept) == (decoded_bytes > 0)
    table.engine.close()


@pytest.mark.parametrize(
    ("columns", "read"),
    [
        ("*", [{"_healpix_29", *_SCHEMA.names[:15]}, {*_SCHEMA.names[15:]}]),
        ("id, name", [{"_healpix_29", *_SCHEMA.names[:15]}]),
        ("c19", [{"_healpix_29", "ra", "dec"}, {*_SCHEMA.names[15:]}]),
    ],
)
def test_each_column_of_a_group_is_decoded_once_and_footers_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: str, read: list[set[str]]
) -> None:
    calls: list[list[str]] = []
    footers: list[object] = []
    decode = pq.ParquetFile.read_row_group

    def read_(file: pq.ParquetFile, number: int, columns: list[str]) -> pa.Table:
        calls.append(columns)
        return decode(file, number, columns=columns)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", read_)
    opened = pq.ParquetFile.__init__

    def open_(file: pq.ParquetFile, source: object, *, metadata: object = None, **others: object) -> None:
        footers.append(metadata)
        opened(file, source, metadata=metadata, **others)

    with closing(Table(tmp_path, decoded_bytes=0)) as table:
        text = f"SELECT {columns} FROM s.t WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(187.7, 12.4, 0.01))"
        table.ask(text)
        calls.clear()
        monkeypatch.setattr(pq.ParquetFile, "__init__", open_)
        found = table.ask(text)
        names = found.column_names
        expected = ROWS.take(pa.array(_inside(Circle(187.7, 12.4, 0.01)))).select(names)
        assert found.num_rows
        assert sorted(map(repr, found.to_pylist())) == sorted(map(repr, expected.to_pylist()))
    assert [set(call) for call in calls] == read
    assert all(len(call) == len(set(call)) for call in calls)
    assert len(footers) == len(read)
    assert footers[0] is not None
    assert all(footer is footers[0] for footer in footers)


def test_footers_that_are_remembered_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / f"{i}.parquet" for i in range(3)]
    for path in paths:
        pq.write_table(pa.table({"_healpix_29": [1, 2]}), path)
    size = pq.read_metadata(paths[0]).serialized_size
    groups = Groups(most_footer_bytes=2 * size)
    first = [groups.footer(path) for path in paths[:2]]
    assert [groups.footer(path) for path in paths[:2]] == first
    monkeypatch.setattr(pq, "read_metadata", lambda path: pytest.fail(f"{path} is read again"))
    assert groups.footer(paths[0]) is first[0]
    monkeypatch.undo()
    groups.footer(paths[2])
    assert groups.footer(paths[0]) is first[0]
    assert groups.footer(paths[1]) is not first[1]


@pytest.mark.parametrize("decoded_bytes", [0, 500_000])
def test_what_is_not_kept_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decoded_bytes: int
) -> None:
    monkeypatch.setattr(hats, "_GROUP_ROWS", 500)
    decoded: list[weakref.ref[pa.RecordBatch]] = []

    class Watched(Parcel):
        def __init__(self, batch: pa.RecordBatch, seen: float) -> None:
            super().__init__(batch, seen)
            decoded.append(weakref.ref(batch))

    monkeypatch.setattr(parcels, "Parcel", Watched)
    with closing(Table(tmp_path, decoded_bytes)) as table:
        for ra in range(0, 360, 30):
            found = table.ask(f"SELECT * FROM s.t WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE({ra}, 10, 5))")
            assert found.num_rows == len(_inside(Circle(ra, 10, 5)))
        del found
        gc.collect()
        alive = [batch for ref in decoded if (batch := ref()) is not None]
        assert len(decoded) > 20
        assert sum(batch.nbytes for batch in alive) <= decoded_bytes


def test_processes_share_what_is_kept_and_stand_its_loss(tmp_path: Path) -> None:
    one, other = Table(tmp_path), Table(tmp_path)
    query = one.query(f"SELECT * FROM s.t WHERE {CONE}")
    first = one.ask(query)
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / DECODED).rglob("*.arrow")}
    assert files
    assert _same(other.ask(query), first)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / DECODED).rglob("*.arrow")} == files
    for path in files:
        path.unlink()
    assert _same(one.ask(query), first)
    third = Table(tmp_path)
    assert _same(third.ask(query), first)
    third.engine.drop(third.stored)
    assert not list((tmp_path / DECODED).rglob("*.arrow"))
    for table in (one, other, third):
        table.engine.close()


def test_what_another_start_of_the_machine_left_goes(tmp_path: Path) -> None:
    left = tmp_path / DECODED / "another-start"
    left.mkdir(parents=True)
    long_ago = time.time() - 3 * 86_400
    os.utime(left, (long_ago, long_ago))
    Table(tmp_path).engine.close()
    assert not left.exists()


def test_touched_spans_are_those_that_meet_a_range() -> None:
    spans = np.array([[0, 4], [4, 8], [8, 12], [20, 21]])
    assert touched(spans, np.array([[3, 5], [11, 12], [12, 20]])) == [0, 1, 2]
    assert touched(spans, np.array([[20, 30]])) == [3]
    assert touched(spans, np.empty((0, 2), np.int64)) == []
