"""Estimates: what they say is what the files hold, computed here from the files themselves."""

import math
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from awe.core.sky import Circle
from awe.core.sql import Query, compile_query
from awe.core.tables import Column, Schema, TableStream
from awe.services.catalogs import Estimate, Limits, StoredTable, TableRecord, WriteSpec
from awe.services.catalogs._names import ReadableNames
from awe.services.catalogs.backends.duckdb import DuckDBEngine
from awe.settings import LimitSettings

ROWS = 20_000
COLUMNS = (
    Column("id", pa.int64()),
    Column("ra", pa.float64()),
    Column("dec", pa.float64()),
    Column("a.name", pa.string()),
)


class Bench:
    """An engine with a table over the whole sky, a small one, and one without positions."""

    def __init__(self, folder: Path) -> None:
        self.engine = DuckDBEngine(folder, LimitSettings())
        self.folder = folder
        self.random = np.random.default_rng(3)
        self.records: list[TableRecord] = []
        self.add("big.sky", ROWS, WriteSpec("sky", "ra", "dec", 500))
        self.add("b.few", 40, WriteSpec("few", "ra", "dec"))
        self.add("un.placed", 5000, WriteSpec("parts", rows_per_partition=1000))

    def add(self, name: str, count: int, spec: WriteSpec) -> None:
        rows = pa.table(
            [
                np.arange(count),
                self.random.uniform(0, 360, count),
                np.degrees(np.arcsin(self.random.uniform(-1, 1, count))),
                pa.array([f"name {i}" * 3 for i in range(count)]),
            ],
            names=[column.name for column in COLUMNS],
        )
        stored = self.engine.write(spec, TableStream(Schema(COLUMNS), rows.to_batches()))
        schema, table = name.split(".")
        record = TableRecord(schema, table, Schema(COLUMNS), stored, ra=spec.ra, dec=spec.dec)
        self.records.append(record)

    def compiled(self, text: str) -> Query:
        return compile_query(text, ReadableNames(self.records))

    def estimate(self, text: str) -> Estimate:
        return self.engine.estimate(self.compiled(text), self.stored)

    @property
    def stored(self) -> dict[str, StoredTable]:
        return {record.full_name: record.stored for record in self.records}

    def footers(self, location: str = "sky") -> list[pq.FileMetaData]:
        paths = sorted((self.folder / location / "dataset").rglob("*.parquet"))
        return [pq.read_metadata(path) for path in paths]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("engine"))
    yield made
    made.engine.close()


def spans(footer: pq.FileMetaData) -> list[tuple[int, int, int]]:
    """Return the lowest and highest cell, and the rows, of each row group."""
    groups = [footer.row_group(i) for i in range(footer.num_row_groups)]
    return [(g.column(0).statistics.min, g.column(0).statistics.max, g.num_rows) for g in groups]


def test_a_scan_reads_its_columns_of_every_file(bench: Bench) -> None:
    found = bench.estimate('SELECT id, "a.name" FROM big.sky')
    footers = bench.footers()
    assert (found.engine, found.rows, found.partitions) == ("duckdb", ROWS, len(footers))
    sizes = [f.row_group(0).column(i).total_compressed_size for f in footers for i in (1, 4)]
    assert found.bytes == pytest.approx(sum(sizes), rel=0.05)  # told by one file for all
    assert found.readings[0].area_deg2 == pytest.approx(41252.96, rel=1e-6)
    assert (found.pairs, found.why) == (0, "")


def test_a_region_reads_the_row_groups_that_it_touches(bench: Bench) -> None:
    cone = Circle(120.0, -30.0, 8.0)
    found = bench.estimate("SELECT id FROM big.sky WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(120, -30, 8))")
    ranges = cone.covering()
    touched = [
        sum(
            rows for low, high, rows in spans(footer) if ((ranges[:, 0] <= high) & (ranges[:, 1] > low)).any()
        )
        for footer in bench.footers()
    ]
    assert found.rows == sum(touched)
    assert found.readings[0].of_files == len(touched)
    assert np.count_nonzero(touched) <= found.partitions < len(touched) / 4
    small = bench.estimate(
        "SELECT * FROM big.sky WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(120, -30, 0.001))"
    )
    assert small.partitions == 1
    assert small.rows <= 500


def test_a_large_region_is_told_without_looking_at_each_file(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "SELECT id FROM big.sky WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(200, 60, 40))"
    counted = bench.estimate(text)
    monkeypatch.setattr("awe.services.catalogs._directory._MOST_FOOTERS", 0)
    told = bench.estimate(text)
    share = (1 - math.cos(math.radians(40))) / 2
    assert ROWS * share <= told.rows <= 1.2 * ROWS * share  # cells reach beyond the circle
    assert told.rows <= counted.rows
    assert share <= told.readings[0].area_deg2 / 41252.96 <= 1.2 * share


def test_no_position_no_pruning(bench: Bench) -> None:
    found = bench.estimate("SELECT id FROM un.placed")
    assert (found.rows, found.partitions) == (5000, 5)
    assert found.bytes > 5000


def test_what_is_not_stored_costs_nothing(bench: Bench) -> None:
    stored = {name: one for name, one in bench.stored.items() if name != "b.few"}
    query = bench.compiled("SELECT f.id FROM b.few AS f, un.placed AS p")
    found = bench.engine.estimate(query, stored)
    assert [one.table for one in found.readings] == ["un.placed"]


@pytest.mark.parametrize("radius", [0.01, 1.0, 5.0])
def test_a_match_with_few_reads_the_files_near_them(bench: Bench, radius: float) -> None:
    found = bench.estimate(
        "SELECT f.id, s.id FROM b.few AS f JOIN big.sky AS s "
        f"ON DISTANCE(f.ra, f.dec, s.ra, s.dec) < {radius}"
    )
    by_table = {one.table: one for one in found.readings}
    assert by_table["b.few"].rows == 40
    near = by_table["big.sky"]
    assert 1 <= near.files <= 40 < near.of_files
    chance = 40 * ROWS * (1 - math.cos(math.radians(radius))) / 2
    assert found.pairs == pytest.approx(40 + chance, rel=0.05)


def test_nearest_and_outer_matches_make_so_many_rows(bench: Bench) -> None:
    one = bench.estimate(
        "SELECT f.id, s.id FROM b.few AS f LEFT JOIN big.sky AS s ON DISTANCE(f.ra, f.dec, s.ra, s.dec) < 5"
    )
    assert one.pairs > 40
    query = (
        "SELECT f.id, n.id FROM b.few AS f LEFT JOIN LATERAL (SELECT s.id FROM big.sky AS s WHERE "
        "q3c_join(f.ra, f.dec, s.ra, s.dec, 5) ORDER BY q3c_dist(f.ra, f.dec, s.ra, s.dec) LIMIT 1) AS n ON TRUE"
    )
    nearest = compile_query(query, ReadableNames(bench.records), dialect="postgres")
    assert bench.engine.estimate(nearest, bench.stored).pairs == 40


# Rows of the answer


COUNTED = [
    ("SELECT id FROM big.sky", ROWS, ROWS),
    ("SELECT TOP 7 id FROM big.sky", 7, 7),
    ("SELECT COUNT(*) AS n, MAX(id) AS m FROM big.sky WHERE id < 0", 1, 1),
    ("SELECT MOD(id, 3) AS g, COUNT(*) AS n FROM un.placed GROUP BY MOD(id, 3)", 5000, 5000),
    ("SELECT id, COUNT(*) AS n FROM b.few GROUP BY id", 40, 40),
    ("SELECT f.id, COUNT(*) AS n FROM b.few AS f, big.sky AS s WHERE f.ra < s.ra GROUP BY f.id", 41, 41),
    ("SELECT ivo_healpix_index(1, ra, dec) AS c, COUNT(*) AS n FROM big.sky GROUP BY ivo_healpix_index(1, ra, dec)", 49, 49),
    ("SELECT DISTINCT id FROM un.placed UNION ALL SELECT id FROM b.few", 5040, 5040),
    ("SELECT id FROM un.placed INTERSECT SELECT id FROM b.few", 40, 40),
    ("SELECT id FROM un.placed EXCEPT SELECT id FROM b.few", 5000, 5000),
    ("SELECT f.id FROM b.few AS f JOIN big.sky AS s ON f.id = s.id", 40, 40 * ROWS),
    ("SELECT f.id FROM b.few AS f, big.sky AS s, un.placed AS p WHERE f.id = s.id AND s.id = p.id AND f.id = p.id", 40, 40 * 5000 * ROWS),
    ("SELECT s.id FROM big.sky AS s LEFT JOIN b.few AS f ON f.id = s.id", ROWS, 41 * ROWS + 40),
    ("WITH w AS (SELECT id FROM b.few) SELECT w.id FROM w JOIN un.placed AS p ON p.id = w.id", 40, 200_000),
    ("SELECT q.n FROM (SELECT id, COUNT(*) AS n FROM b.few GROUP BY id) AS q JOIN un.placed AS p ON p.id = q.id", 40, 200_000),
    ("SELECT f.id FROM b.few AS f, un.placed AS p WHERE f.id < p.id", 200_000, 200_000),
    ("SELECT RAND() AS r, COUNT(*) AS n FROM b.few GROUP BY RAND()", 40, 40),
]  # fmt: skip


@pytest.mark.parametrize(("text", "about", "most"), COUNTED)
def test_how_many_rows_come_out(bench: Bench, text: str, about: int, most: int) -> None:
    found = bench.estimate(text)
    assert (found.gives, found.gives_most) == (about, most)
    rows = bench.engine.query(bench.compiled(text), bench.stored, Limits(1_000_000, 300)).to_table().num_rows
    assert rows <= found.gives_most
    if " = s.id" in text or " = w.id" in text or " = q.id" in text:
        assert rows == found.gives  # numbers that occur once


def test_pairs_on_the_sky_are_counted_like_rows(bench: Bench) -> None:
    join = "FROM b.few AS f JOIN big.sky AS s ON DISTANCE(f.ra, f.dec, s.ra, s.dec) < 5"
    every = bench.estimate(f"SELECT f.id, s.id AS j {join}")
    assert (every.gives, every.gives_most) == (every.pairs, 40 * ROWS)
    grouped = bench.estimate(f"SELECT f.id, COUNT(*) AS n {join} GROUP BY f.id")
    assert (grouped.gives, grouped.gives_most) == (41, 41)
    near = bench.estimate(
        "SELECT f.id FROM b.few AS f WHERE EXISTS (SELECT 1 FROM big.sky AS s WHERE DISTANCE(f.ra, f.dec, s.ra, s.dec) < 5)"
    )
    assert near.gives_most == 40


def test_what_nobody_knows_is_not_told(bench: Bench) -> None:
    stored = {name: one for name, one in bench.stored.items() if name != "b.few"}
    found = bench.engine.estimate(bench.compiled("SELECT id FROM b.few"), stored)
    assert (found.gives, found.gives_most) == (None, None)
    counted = bench.engine.estimate(bench.compiled("SELECT COUNT(*) AS n FROM b.few"), stored)
    assert (counted.gives, counted.gives_most) == (1, 1)


def test_of_many_files_no_values_are_known(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("awe.services.catalogs._directory._MOST_FOOTERS", 0)
    bench.engine._files._directory._values.clear()
    found = bench.estimate(
        "SELECT f.id, COUNT(*) AS n FROM b.few AS f, big.sky AS s WHERE f.ra < s.ra GROUP BY f.id"
    )
    bench.engine._files._directory._values.clear()
    assert found.gives_most == 41  # a table of 40 rows has no more values, and NULL


@pytest.mark.slow
def test_joins_with_a_table_without_rows_are_estimated(tmp_path: Path) -> None:
    """Its rows lie nowhere: no share of an area of zero is asked for."""
    bench = Bench(tmp_path)
    bench.add("z.none", 0, WriteSpec("none", "ra", "dec"))
    sizes = {"big.sky": ROWS, "b.few": 40, "z.none": 0}
    tables = [("big.sky", "z.none"), ("z.none", "b.few"), ("z.none", "z.none")]
    for (one, other), join, radius in product(
        tables, ["JOIN", "LEFT JOIN", "FULL JOIN"], ["0", "0.5", "180"]
    ):
        text = f"SELECT a.id FROM {one} AS a {join} {other} AS b ON DISTANCE(a.ra, a.dec, b.ra, b.dec) <= {radius}"
        found = bench.estimate(text)
        with bench.engine.query(bench.compiled(text), bench.stored, Limits(10**6, 60)) as stream:
            rows = stream.to_table().num_rows
        kept = [sizes[one] if join != "JOIN" else 0, sizes[other] if join == "FULL JOIN" else 0]
        assert rows == sum(kept)
        assert found.gives_most is not None
        assert found.gives_most >= rows
    bench.engine.close()
