"""The Engine seam: what every backend does, whatever it is made of.

A backend is added to `ENGINES`; what it cannot do it says in its `Features`, and only that is skipped.
"""

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import awe
from awe import plugins
from awe.core.sky import separation
from awe.core.sql import Around, compile_query, look_ups_query
from awe.core.tables import Column, Schema, TableStream
from awe.errors import (
    AweError,
    CancelledError,
    InputFileError,
    LimitError,
    NotOfferedError,
    QueryError,
    TimeLimitError,
)
from awe.services.catalogs import (
    Engine,
    Estimate,
    Limits,
    RoutingEngine,
    RowFilter,
    StoredTable,
    TableRecord,
    WriteSpec,
)
from awe.services.catalogs._names import ReadableNames
from awe.services.catalogs.backends.duckdb import DuckDBEngine
from awe.services.catalogs.backends.spark import SparkEngine
from awe.settings import LimitSettings, SparkSettings


def _routing(folder: Path, limits: LimitSettings) -> Engine:
    """Return two engines as one: most scans of the tables here are the second one's."""
    return RoutingEngine(DuckDBEngine(folder, limits), DuckDBEngine(folder, limits), most_bytes=5000)


ENGINES: dict[str, Callable[[Path, LimitSettings, SparkSettings], Engine]] = {
    "duckdb": lambda folder, limits, _: DuckDBEngine(folder, limits),
    "routing": lambda folder, limits, _: _routing(folder, limits),
    "spark": SparkEngine,
}
NAMED = ["duckdb", *(pytest.param(name, marks=pytest.mark.slow) for name in ("routing", "spark"))]
PACE = {"spark": 30}
"""How many times as long as on one machine a small query may take, where a test waits for its end."""
NO_CLUSTER = SparkSettings(url="spark://127.0.0.1:1")
"""For what needs none."""

SCHEMA = Schema(
    (
        Column("id", pa.int64(), ucd="meta.id;meta.main", description="number"),
        Column("ra", pa.float64(), unit="deg", ucd="pos.eq.ra;meta.main"),
        Column("dec", pa.float64(), unit="deg", ucd="pos.eq.dec;meta.main"),
        Column("mag", pa.float32(), unit="mag"),
        Column("name", pa.string()),
    ),
    "s.t",
)
LIMITS = Limits(rows=1_000_000, seconds=300)
SLOW = (
    "SELECT COUNT(*) AS n FROM s.t AS a, s.t AS b, s.t AS c WHERE a.mag + b.mag + c.mag > 3.5 AND a.id < {}"
)
HUGE = "SELECT a.id, b.name FROM s.t AS a, s.t AS b"


def make_rows(count: int, seed: int = 1) -> pa.Table:
    """Return a table over the whole sky, with a clump, rows at the poles and at RA 0."""
    rng = np.random.default_rng(seed)
    ra = rng.uniform(0, 360, count)
    dec = np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    clump = count // 3
    ra[:clump], dec[:clump] = 187.7 + rng.normal(0, 0.2, clump), 12.4 + rng.normal(0, 0.2, clump)
    edges = [(0, 0), (360, 0), (0, 90), (10, -90), (359.999999, 1), (180, 89.999)]
    for i, (a, d) in enumerate(edges):
        ra[-1 - i], dec[-1 - i] = a, d
    mag = rng.normal(20, 1, count).astype(np.float32)
    mag_null = rng.random(count) < 0.1
    names = [None if i % 7 == 0 else f"Söurce {i}" for i in range(count)]
    return pa.table(
        [
            pa.array(np.arange(count)),
            pa.array(ra),
            pa.array(dec),
            pa.array(mag, mask=mag_null),
            pa.array(names),
        ],
        names=list(SCHEMA.names),
    )


def stream_of(table: pa.Table, batch: int = 1000) -> TableStream:
    return TableStream(SCHEMA, table.to_batches(max_chunksize=batch))


class Bench:
    """An engine with one table in it, and queries over it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.pace = PACE.get(engine.features.name, 1)
        # where a loop that was stopped ends by itself only, it is to end soon
        self.slow = SLOW.format(3000 // self.pace)
        self.rows = make_rows(3000)
        self.stored = engine.write(WriteSpec("t1", "ra", "dec", rows_per_partition=500), stream_of(self.rows))

    def stream(
        self,
        text: str,
        limits: Limits = LIMITS,
        stored: StoredTable | None = None,
        memory: dict[str, pa.Table] | None = None,
    ) -> TableStream:
        record = TableRecord("s", "t", SCHEMA, stored or self.stored, ra="ra", dec="dec")
        query = compile_query(text, ReadableNames([record]))
        stream: TableStream = self.engine.query(query, {"s.t": record.stored}, limits, memory or {})
        return stream

    def table(self, text: str, **options: Any) -> pa.Table:
        return self.stream(text, **options).to_table()

    def ids(self, text: str, **options: Any) -> list[int]:
        return sorted(self.table(text, **options).column("id").to_pylist())


def cluster_of(request: pytest.FixtureRequest) -> SparkSettings:
    """Return the cluster of the test session, where the engine of a test needs one."""
    if request.param != "spark":
        return NO_CLUSTER
    cluster: SparkSettings = request.getfixturevalue("spark_cluster")
    return cluster


@pytest.fixture(params=NAMED)
def make_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Engine]]:
    made = []
    cluster = cluster_of(request)

    def make(folder: Path = tmp_path / "tables", **limits: Limits) -> Engine:
        engine = ENGINES[request.param](folder, LimitSettings(**limits), cluster)
        made.append(engine)
        return engine

    yield make
    for engine in made:
        engine.close()


@pytest.fixture(params=NAMED, scope="module")
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("tables")
    engine = ENGINES[request.param](folder, LimitSettings(), cluster_of(request))
    yield Bench(engine)
    engine.close()


def test_every_registered_engine_stands_here() -> None:
    assert set(plugins.names("awe.engines")) == set(ENGINES) - {"routing"}


# Rows go in and come out


def test_what_was_written_comes_back(bench: Bench) -> None:
    found = bench.table("SELECT * FROM s.t ORDER BY id")
    assert found.column_names == list(SCHEMA.names)
    assert found.to_pylist() == bench.rows.to_pylist()
    assert bench.stored.rows == 3000
    assert bench.stored.bytes > 10_000


def test_units_ucds_and_descriptions_come_back(bench: Bench) -> None:
    schema = bench.stream("SELECT id, ra, mag AS m FROM s.t").schema
    assert [(c.name, c.unit, c.ucd, c.description) for c in schema] == [
        ("id", "", "meta.id;meta.main", "number"),
        ("ra", "deg", "pos.eq.ra;meta.main", ""),
        ("m", "mag", "", ""),
    ]


def test_what_a_query_reads_is_told_before(bench: Bench) -> None:
    def told(text: str) -> Estimate:
        record = TableRecord("s", "t", SCHEMA, bench.stored, ra="ra", dec="dec")
        return bench.engine.estimate(compile_query(text, ReadableNames([record])), {"s.t": bench.stored})

    whole, narrow = told("SELECT * FROM s.t"), told("SELECT mag FROM s.t")
    assert whole.engine in bench.engine.features.name.split(", ")
    assert (whole.rows, narrow.rows) == (3000, 3000)
    assert 0 < narrow.bytes < whole.bytes <= bench.stored.bytes
    cone = told("SELECT * FROM s.t WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(10, -89.9, 0.5))")
    assert 1 <= cone.rows < 3000
    assert 1 <= cone.partitions < whole.partitions


def test_no_rows_still_have_columns(bench: Bench) -> None:
    found = bench.table("SELECT id, name FROM s.t WHERE id < 0")
    assert found.num_rows == 0
    assert found.schema.types == [pa.int64(), pa.string()]


def test_a_table_without_rows(make_engine: Callable[..., Engine]) -> None:
    engine = make_engine()
    for ra, dec, location in (("ra", "dec", "e1"), (None, None, "e2")):
        stored = engine.write(WriteSpec(location, ra, dec), stream_of(make_rows(10).slice(0, 0)))
        assert stored.rows == 0
        record = TableRecord("s", "t", SCHEMA, stored, ra=ra, dec=dec)
        query = compile_query("SELECT * FROM s.t", ReadableNames([record]))
        assert engine.query(query, {"s.t": stored}, LIMITS).to_table().num_rows == 0


def test_a_table_without_positions_keeps_its_order(make_engine: Callable[..., Engine]) -> None:
    engine = make_engine()
    rows = make_rows(2500)
    stored = engine.write(WriteSpec("plain", rows_per_partition=1000), stream_of(rows, batch=333))
    record = TableRecord("s", "t", SCHEMA, stored)
    query = compile_query("SELECT * FROM s.t", ReadableNames([record]))
    assert engine.query(query, {"s.t": stored}, LIMITS).to_table().to_pylist() == rows.to_pylist()


@pytest.mark.slow
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    values=st.lists(
        st.tuples(
            st.floats(0, 360),
            st.floats(-90, 90),
            st.one_of(st.none(), st.floats(allow_infinity=True, allow_nan=False, width=32)),
            st.one_of(st.none(), st.text(max_size=5).filter(lambda text: "\x00" not in text)),
        ),
        min_size=1,
        max_size=60,
    )
)
def test_any_values_survive(make_engine: Callable[..., Engine], values: list[tuple[Any, ...]]) -> None:
    engine = make_engine()
    columns = [range(len(values)), *zip(*values, strict=True)]
    rows = pa.table(
        [pa.array(v, c.type) for v, c in zip(columns, SCHEMA, strict=True)], names=list(SCHEMA.names)
    )
    spec = WriteSpec(f"h{time.monotonic_ns()}", "ra", "dec", rows_per_partition=7)
    stored = engine.write(spec, stream_of(rows, batch=11))
    record = TableRecord("s", "t", SCHEMA, stored, ra="ra", dec="dec")
    query = compile_query("SELECT * FROM s.t ORDER BY id", ReadableNames([record]))
    assert engine.query(query, {"s.t": stored}, LIMITS).to_table().to_pylist() == rows.to_pylist()
    engine.drop(stored)


# Regions


def brute_cone(rows: pa.Table, ra: float, dec: float, radius: float) -> list[int]:
    distance = separation(rows["ra"].to_numpy(), rows["dec"].to_numpy(), ra, dec)
    return sorted(rows["id"].to_numpy()[distance <= radius].tolist())


CONES = [
    (187.7, 12.4, 0.1),
    (187.7, 12.4, 2.0),
    (0, 0, 5),
    (359.9999999, 0.5, 1),
    (123, 90, 3),
    (77, -90, 10),
    (180, 89.9, 0.5),
    (45, 41.8, 20),  # around a corner of the base cells
    (10, 10, 120),
    (200, -30, 179.9),
    (200, -30, 180),
]


@pytest.mark.parametrize("cone", CONES)
def test_a_cone_is_the_brute_force_answer(bench: Bench, cone: tuple[float, float, float]) -> None:
    ra, dec, radius = (repr(float(v)) for v in cone)
    text = f"SELECT id FROM s.t WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE({ra}, {dec}, {radius}))"
    assert bench.ids(text) == brute_cone(bench.rows, *cone)


@pytest.mark.parametrize("radius", [0.0, 0.4, 1.0, 20.0])
@pytest.mark.parametrize("names", [None, frozenset({"Söurce 1", "Söurce 2998", "nobody"})])
def test_around_many_positions_is_the_brute_force_answer_or_not_offered(
    bench: Bench, radius: float, names: frozenset[str] | None
) -> None:
    places = [
        *zip(bench.rows["ra"].to_numpy()[::600] % 360, bench.rows["dec"].to_numpy()[::600], strict=True),
        *((ra, dec) for ra, dec, _ in CONES),
        (0.0, 0.0),
    ]
    ra, dec = np.array(places, float).T
    stored = bench.stored if names is None else replace(bench.stored, only=RowFilter("name", names))
    table = TableRecord("s", "t", SCHEMA, stored, ra="ra", dec="dec").to_definition()
    query = look_ups_query(table, SCHEMA, Column("number", pa.int32()), Around(ra, dec, radius))
    try:
        found = bench.engine.query(query, {"s.t": stored}, LIMITS).to_table()
    except NotOfferedError:
        assert radius > 1
        return
    rows = bench.rows
    if names is not None:
        rows = rows.filter(pc.is_in(rows["name"], value_set=pa.array(sorted(names))))
    expected = [(i, row) for i, place in enumerate(places) for row in brute_cone(rows, *place, radius)]
    assert sorted(zip(found["number"].to_pylist(), found["id"].to_pylist(), strict=True)) == expected
    assert found["number"].to_pylist() == sorted(found["number"].to_pylist())
    assert found.schema.names == ["number", *SCHEMA.names]


def test_a_radius_of_zero_finds_the_very_place(bench: Bench) -> None:
    row = bench.rows.slice(1234, 1).to_pylist()[0]
    place = f"{row['ra']!r}, {row['dec']!r}"
    text = f"SELECT id FROM s.t WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE({place}, 0.0))"
    assert bench.ids(text) == [1234]


@pytest.mark.slow
def test_random_cones_are_the_brute_force_answer(bench: Bench) -> None:
    rng = np.random.default_rng(7)
    for _ in range(40):
        ra, dec = rng.uniform(0, 360), math.degrees(math.asin(rng.uniform(-1, 1)))
        radius = 10 ** rng.uniform(-1, 2)
        text = (
            "SELECT id FROM s.t WHERE "
            f"1 = CONTAINS(POINT(ra, dec), CIRCLE({float(ra)!r}, {float(dec)!r}, {float(radius)!r}))"
        )
        assert bench.ids(text) == brute_cone(bench.rows, ra, dec, radius)


# Limits


def test_more_rows_than_allowed_are_cut_and_said(bench: Bench) -> None:
    stream = bench.stream("SELECT id FROM s.t", Limits(10, 30))
    assert sum(batch.num_rows for batch in stream) == 10
    assert stream.overflow


def test_exactly_as_many_rows_as_allowed_are_no_overflow(bench: Bench) -> None:
    stream = bench.stream("SELECT id FROM s.t", Limits(3000, 30))
    assert sum(batch.num_rows for batch in stream) == 3000
    assert not stream.overflow


def test_no_rows_allowed(bench: Bench) -> None:
    stream = bench.stream("SELECT id FROM s.t", Limits(0, 30))
    assert sum(batch.num_rows for batch in stream) == 0
    assert stream.overflow


def test_the_time_limit_stops_a_query(bench: Bench) -> None:
    begin = time.monotonic()
    with pytest.raises(TimeLimitError):
        bench.table(bench.slow, limits=Limits(10, 0.3))
    assert time.monotonic() - begin < 20


def test_the_time_limit_stops_a_stream_that_is_read_slowly(bench: Bench) -> None:
    assert bench.ids("SELECT id FROM s.t WHERE id < 1") == [0]  # a cluster's first query takes longer
    seconds = 0.5 * bench.pace
    stream = bench.stream(HUGE, Limits(1_000_000, seconds))
    next(stream)
    time.sleep(seconds + 0.1)
    with pytest.raises(TimeLimitError):
        for _ in stream:
            pass


@pytest.mark.slow
def test_the_memory_limit_stops_a_query(make_engine: Callable[..., Engine]) -> None:
    engine = make_engine(memory="60MB")
    if not engine.features.limits_memory:
        pytest.skip("this engine does not limit memory")
    bench = Bench(engine)
    text = "SELECT a.id, b.id AS j, COUNT(DISTINCT a.name || b.name) AS n FROM s.t AS a, s.t AS b GROUP BY a.id, b.id"
    with pytest.raises(LimitError, match="memory"):
        bench.table(text)
    assert bench.ids("SELECT id FROM s.t WHERE id < 3") == [0, 1, 2]


def test_a_value_that_cannot_be_converted_is_the_querys_fault(bench: Bench) -> None:
    with pytest.raises(QueryError) as caught:
        bench.table("SELECT CAST(name AS INTEGER) AS n FROM s.t")
    assert str(bench.stored.location) not in str(caught.value)


def test_a_primed_stream_has_all_rows_and_its_errors_came_before(bench: Bench) -> None:
    stream = bench.stream("SELECT id FROM s.t").primed()
    assert sum(batch.num_rows for batch in stream) == 3000
    assert list(bench.stream("SELECT id FROM s.t WHERE id < 0").primed()) == []
    with pytest.raises(QueryError):
        bench.stream("SELECT CAST(name AS INTEGER) AS n FROM s.t").primed()


# Cancel


def test_closing_a_stream_stops_the_query(bench: Bench) -> None:
    stream = bench.stream(HUGE)
    next(stream)
    begin = time.monotonic()
    stream.close()
    stream.close()
    assert time.monotonic() - begin < 20
    assert list(stream) == []


def test_another_thread_can_close_a_running_query(bench: Bench) -> None:
    stream = bench.stream(bench.slow)
    threading.Timer(0.2, stream.close).start()
    begin = time.monotonic()
    with pytest.raises(CancelledError):
        next(stream)
    assert time.monotonic() - begin < 20


def test_closing_the_engine_stops_everything(make_engine: Callable[..., Engine]) -> None:
    bench = Bench(make_engine())
    stream = bench.stream(bench.slow)
    threading.Timer(0.2, bench.engine.close).start()
    with pytest.raises(AweError):
        next(stream)


# Many at once


@pytest.mark.slow
def test_a_hundred_threads(bench: Bench) -> None:
    queries = 200 if bench.pace == 1 else 100

    def ask(i: int) -> list[int]:
        return bench.ids(f"SELECT id FROM s.t WHERE id >= {i} AND id < {i + 3}")

    with ThreadPoolExecutor(100) as pool:
        found = list(pool.map(ask, range(queries)))
    assert found == [[i, i + 1, i + 2] for i in range(queries)]


@pytest.mark.parametrize(
    "names",
    [
        frozenset({"Söurce 1", "Söurce 2999", "nobody"}),
        frozenset({"O'Neill\\", "') OR 1=1 --", "Söurce 2"}),
        frozenset(),
    ],
)
def test_of_a_filtered_table_only_these_rows_are_there(bench: Bench, names: frozenset[str]) -> None:
    """Whatever a query does with the table, also where it names it twice or looks for what is missing."""
    seen = [i for i, name in enumerate(bench.rows.column("name").to_pylist()) if name in names]
    stored = replace(bench.stored, only=RowFilter("name", names))
    assert bench.ids("SELECT id FROM s.t", stored=stored) == seen
    assert bench.ids("SELECT id FROM s.t WHERE 1 = 1 OR name IS NULL", stored=stored) == seen
    assert bench.table("SELECT COUNT(*) AS n FROM s.t", stored=stored).column("n").to_pylist() == [len(seen)]
    pairs = "SELECT a.id, b.id AS other FROM s.t AS a LEFT JOIN s.t AS b ON a.id <> b.id OR b.name IS NULL"
    found = bench.table(pairs, stored=stored)
    assert set(found.column("id").to_pylist() + found.column("other").to_pylist()) - {None} == set(seen)
    cone = "SELECT id FROM s.t WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(0, 0, 180))"
    assert bench.ids(cone, stored=stored) == seen
    nested = "SELECT id FROM s.t WHERE NOT EXISTS (SELECT 1 FROM s.t AS b WHERE b.name IS NULL)"
    assert bench.ids(nested, stored=stored) == seen


def test_memory_tables_belong_to_their_query(bench: Bench) -> None:
    held = pa.table({"id": [7], "ra": [1.0], "dec": [2.0], "mag": pa.array([3], pa.float32()), "name": ["x"]})
    assert bench.ids("SELECT id FROM s.t", memory={"s.t": held}) == [7]
    assert len(bench.ids("SELECT id FROM s.t")) == 3000


# Whole or not at all


def kept(folder: Path) -> list[str]:
    """Return what is in the tables' folder, but for the place that an open engine has for its own."""
    return [path.name for path in (folder / "tables").iterdir() if "-scratch-" not in path.name]


def failing_stream(error: BaseException) -> TableStream:
    def batches() -> Iterator[pa.RecordBatch]:
        yield from make_rows(100).to_batches()
        raise error

    return TableStream(SCHEMA, batches())


@pytest.mark.parametrize("error", [RuntimeError("disk"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("positions", [("ra", "dec"), (None, None)])
def test_a_failed_write_leaves_nothing(
    make_engine: Callable[..., Engine],
    tmp_path: Path,
    error: BaseException,
    positions: tuple[str | None, str | None],
) -> None:
    engine = make_engine()
    with pytest.raises(type(error)):
        engine.write(WriteSpec("x", *positions), failing_stream(error))
    assert engine.tables() == ()
    assert kept(tmp_path) == []


@pytest.mark.parametrize(
    ("ra", "dec"), [(400.0, 0.0), (-181.0, 0.0), (0.0, 90.1), (math.nan, 0.0), (0.0, math.inf), (None, 0.0)]
)
def test_a_place_that_is_not_on_the_sky_is_named(
    make_engine: Callable[..., Engine], ra: float | None, dec: float | None
) -> None:
    engine = make_engine()
    rows = make_rows(50).to_pylist()
    rows[41] |= {"ra": ra, "dec": dec}
    bad = pa.Table.from_pylist(rows, pa.schema([(c.name, c.type) for c in SCHEMA]))
    with pytest.raises(InputFileError, match="row 42"):
        engine.write(WriteSpec("x", "ra", "dec"), stream_of(bad, batch=10))
    assert engine.tables() == ()


def test_drop_removes_and_may_be_repeated(make_engine: Callable[..., Engine], tmp_path: Path) -> None:
    engine = make_engine()
    stored = engine.write(WriteSpec("x", "ra", "dec"), stream_of(make_rows(10)))
    assert engine.tables() == ("x",)
    engine.drop(stored)
    engine.drop(stored)
    engine.drop(StoredTable("never", 0, 0))
    assert engine.tables() == ()
    assert kept(tmp_path) == []


WRITER = """
import importlib, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from awe.settings import LimitSettings
from awe.services.catalogs import WriteSpec
import test_engine
engine = test_engine.ENGINES[sys.argv[1]](Path(sys.argv[2]), LimitSettings(), test_engine.NO_CLUSTER)
def batches():
    yield from test_engine.make_rows(2000).to_batches()
    print("writing", flush=True)
    time.sleep(60)
engine.write(WriteSpec("half", "ra", "dec"), test_engine.TableStream(test_engine.SCHEMA, batches()))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ENGINES)
def test_a_killed_writer_leaves_nothing_visible_and_the_next_start_cleans(
    name: str, make_engine: Callable[..., Engine], tmp_path: Path
) -> None:
    folder = tmp_path / "tables"
    environment = {**os.environ, "PYTHONPATH": str(Path(awe.__file__).parents[1])}
    command = [sys.executable, "-c", WRITER, name, str(folder), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        beside = make_engine(folder)  # starting beside a living writer leaves its work alone
        assert beside.tables() == ()
        assert kept(tmp_path) != []
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    assert beside.tables() == ()
    assert make_engine(folder).tables() == ()
    assert kept(tmp_path) == []


def test_the_coverage_holds_every_row_and_is_kept(make_engine: Callable[..., Engine]) -> None:
    engine = make_engine()
    rows = make_rows(3000)
    stored = engine.write(WriteSpec("placed", "ra", "dec"), stream_of(rows))
    covered = engine.coverage(stored)
    assert covered is not None
    assert covered.contains(rows["ra"].to_numpy(), rows["dec"].to_numpy()).all()
    plain = engine.write(WriteSpec("plain"), stream_of(rows))
    assert engine.coverage(plain) is None
