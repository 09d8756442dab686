"""Queries on a cluster against the same queries on one machine, over the same files, and against brute force."""

import math
import os
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from tests.services.catalogs.test_sky_joins import COLUMNS, Two, all_pairs

import awe
from awe.core.progress import heard_by
from awe.core.sky import separation
from awe.core.sql import FUNCTIONS, compile_query
from awe.core.tables import Schema
from awe.errors import AweError, MissingExtraError, UsageError
from awe.services.catalogs import Limits, RowFilter, StoredTable, TableRecord
from awe.services.catalogs._names import ReadableNames
from awe.services.catalogs.backends import spark, spark_session
from awe.services.catalogs.backends.spark import SparkEngine
from awe.services.catalogs.backends.spark_errors import translated
from awe.settings import LimitSettings, Settings, SparkSettings

slow = pytest.mark.slow
LIMITS = Limits(rows=1_000_000, seconds=300)
NEAR = "DISTANCE(a.ra, a.dec, b.ra, b.dec) < 0.2"


class Both(Two):
    """The tables of sky joins under a second engine over the same folder."""

    def __init__(self, folder: Path, cluster: SparkSettings) -> None:
        super().__init__(folder)
        self.folder = folder
        self.spark = SparkEngine(folder, LimitSettings(), cluster)

    def found(self, text: str, dialect: str = "adql") -> list[tuple[Any, ...]]:
        """Return the rows that the cluster gives, sorted."""
        columns = self.stream(text, dialect, LIMITS, self.spark).to_table().columns
        return sorted(zip(*(c.to_pylist() for c in columns), strict=True), key=str)

    def agree(self, text: str, dialect: str = "adql") -> pa.Table:
        """Check that both engines give the same rows, in their order where the query says one."""
        one, other = (self.stream(text, dialect, LIMITS, e).to_table() for e in (self.engine, self.spark))
        assert other.schema == one.schema
        if "ORDER BY" not in text:
            one, other = (t.sort_by([(n, "ascending") for n in t.column_names]) for t in (one, other))
        wrong = {
            name: different(mine, theirs)
            for name, mine, theirs in zip(one.column_names, one.columns, other.columns, strict=True)
            if not same(mine.to_pylist(), theirs.to_pylist())
        }
        assert not wrong, text
        return one


def apart(one: pa.Table, other: pa.Table, radius: float = 0.2) -> np.ndarray:
    """Return the separation of each row from each, NaN where it is not below a radius: no index, no cells."""
    a, b = ([t[n].to_numpy() for n in ("ra", "dec")] for t in (one, other))
    found = separation(a[0][:, None], a[1][:, None], b[0][None], b[1][None])
    return np.where(found < radius, found, np.nan)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or math.isclose(
            one, other, rel_tol=1e-11, abs_tol=1e-11
        )
    return bool(one == other)


def different(one: pa.ChunkedArray, other: pa.ChunkedArray) -> list[tuple[Any, Any]]:
    return [(a, b) for a, b in zip(one.to_pylist(), other.to_pylist(), strict=False) if not same(a, b)][:5]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, spark_cluster: SparkSettings) -> Iterator[Both]:
    made = Both(tmp_path_factory.mktemp("sky") / "tables", spark_cluster)
    yield made
    made.spark.close()
    made.engine.close()


@pytest.fixture
def both(opened: Both, monkeypatch: pytest.MonkeyPatch) -> Both:
    monkeypatch.setattr(opened, "only", None)
    return opened


# Functions


EXPRESSIONS = {
    "adql": """
        ABS(mag - 20) | CEILING(mag) | FLOOR(mag - 25) | CEILING(id) | EXP(dec / 10) | LOG(mag - 20) | LOG10(mag - 20)
        POWER(mag - 20, 0.5) | POWER(id, 2) | SQRT(mag - 20) | MOD(id, 7) | MOD(id - 700, 7) | MOD(id, 0) | PI()
        ROUND(mag) | ROUND(mag, 1) | ROUND(ra, -1) | ROUND(ra, 3) | ROUND(-2.5) | TRUNCATE(mag - 20)
        TRUNCATE(mag - 20, 1) | TRUNCATE(dec, -1)
        SIN(ra) | COS(ra) | TAN(ra) | COT(ra + 1) | ASIN(dec / 50) | ACOS(dec / 50) | ATAN(dec) | ATAN2(dec, ra)
        RADIANS(ra) | DEGREES(dec) | LOWER(kind) | UPPER(kind) | COALESCE(kind, 'none')
        id / 7 | id / 7.0 | (id - 700) / 7 | 7 / MOD(id, 3) | mag / 0 | -id | id - 3 * id
        CASE WHEN mag > 20 THEN 1 WHEN mag > 19 THEN 2 END
        CAST(mag AS INTEGER) | CAST(mag - 19.5 AS BIGINT) | CAST(mag AS VARCHAR(40)) | CAST(ra AS VARCHAR(40))
        CAST(ra * 1e10 AS VARCHAR(40)) | CAST(dec / 1e6 AS VARCHAR(40)) | CAST(id AS VARCHAR(10))
        CAST(id * 1e15 AS VARCHAR(40)) | CAST('2020-02-03T04:05:06.5' AS TIMESTAMP)
        CAST(CAST('2020-02-03 04:05:06.25' AS TIMESTAMP) AS VARCHAR(40)) | CAST(CAST(id AS VARCHAR(9)) AS INTEGER)
        IN_UNIT(ra, 'arcmin') | kind || '-x' | DISTANCE(ra, dec, 187.7, 12.4) | DISTANCE(ra, dec, 7.7, -12.4)
        POINT(ra, dec) | CIRCLE(ra, dec, 0.5) | POLYGON(ra, dec, ra + 1, dec / 2, ra, dec / 2 + 1) | BOX(ra, dec / 2, 1, 2)
        COORD1(POINT(ra, dec)) | COORD2(POINT(ra, dec)) | AREA(CIRCLE(ra, dec, 0.5))
        CENTROID(CIRCLE(ra, dec, 0.5)) | COORDSYS(POINT(ra, dec))
        CONTAINS(POINT(ra, dec), CIRCLE(187.7, 12.4, 1)) | CONTAINS(POINT(ra, dec), CIRCLE(ra, dec / 2, mag))
        CONTAINS(POINT(ra, dec), BOX(187.7, 12.4, 2, 2))
        CONTAINS(POINT(ra, dec), POLYGON(186, 11, 189, 11, 189, 14, 188, 12, 186, 13))
        CONTAINS(POINT(ra, dec), POLYGON(180, 5, 190, 5, 195, 9, 194, 14, 190, 10, 188, 20, 186, 10, 182, 16, 181, 9))
        INTERSECTS(CIRCLE(ra, dec, 2), BOX(187.7, 12.4, 2, 2)) | INTERSECTS(CIRCLE(ra, dec, 2), CIRCLE(ra, dec / 2, 1))
        ivo_healpix_index(9, ra, dec) | ivo_healpix_index(29, ra, dec / 2) | ivo_healpix_center(5, MOD(id, 12))
        ivo_epoch_prop(ra, dec, 3.0, 10.0, -5.0, 20.0, 2000, 2016) | ivo_epoch_prop_pos(ra, dec, 3.0, 10.0, -5.0, 0, 2000, 2050)
        ivo_apply_pm(ra, dec, 0.01, 0.02, 10) | ivo_geom_transform('ICRS', 'GALACTIC', POINT(ra, dec))
        ivo_to_jd('2000-01-02T12:00:00') | ivo_to_mjd(CAST('1910-12-31T06:00:00' AS TIMESTAMP))
        ivo_nocasematch(kind, 'A%') | ivo_hasword('Miller and Urey', 'urey') | ivo_hasword(kind, 'b')
        ivo_hashlist_has('foo#bar', kind) | ivo_hashlist_has('a#B', kind) | ivo_interval_overlaps(id, id + 9, 100, 200)
        ivo_hms_to_degrees('3:34:45.4') | ivo_hms_to_degrees('3h34m45.4s') | ivo_hms_to_degrees(kind)
        ivo_dms_to_degrees('-42:9:6.8') | ivo_dms_to_degrees('-420906.8') | ivo_dms_to_degrees('42d70m6s')
        gavo_match('[ab]', kind) | gavo_specconv(mag, 'nm', 'Angstrom')
        CASE WHEN kind LIKE 'a%' OR kind = 'b' THEN 1 ELSE 0 END
        CASE WHEN kind || '\\' LIKE '_\\' THEN 1 ELSE 0 END | CASE WHEN kind IN ('a', 'c') THEN 1 ELSE 0 END
        'it''s ${env:HOME} \\n "quoted" `back` -- ö €' || kind | 12345678901234567890.0 | 1e-300 | 9007199254740993
    """,
    "tsql": r"""
        LEN(kind + '  ') | SUBSTRING('abcdef', 2, 3) | SUBSTRING('abcdef', 0, 3) | SUBSTRING('abcdef', id % 9 - 2, 3)
        SUBSTRING('abcdef', 3, id % 5) | LEFT('abcdef', id % 9) | RIGHT('abcdef', id % 9) | LTRIM('  x ') | RTRIM(' x  ')
        REPLACE('a.b.c', '.', kind) | REPLACE('abc', '', 'x') | CHARINDEX('C', 'abcabc') | CHARINDEX('x', 'abc')
        CONCAT(kind, '-', id) | CONCAT(kind, ra, mag) | STR(mag) | STR(mag, 8, 3) | STR(ra, 3, 1)
        ISNULL(kind, 'none') | NULLIF(kind, 'a') | IIF(mag > 20, 'faint', 'bright') | SQUARE(mag) | SIGN(mag - 20)
        SIGN(id - 700) | ROUND(mag, 2) | ROUND(mag - 20, 1, 1) | POWER(id % 9, 3) | POWER(2.5, id % 3) | LOG(mag, 2)
        CAST(mag AS int) | CAST(mag AS varchar(20)) | CAST(id AS numeric(20)) | id / 7 | id % 7 | id & 12 | id | 3 ^ id
        ~ id | CASE WHEN kind = 'A' THEN 1 ELSE 0 END | CASE WHEN kind LIKE 'A%' THEN 1 ELSE 0 END
        CASE WHEN '50%' LIKE '50!%' ESCAPE '!' THEN 1 ELSE 0 END
        ATN2(dec, ra) | dbo.fDistanceArcMinEq(ra, dec, 187.7, 12.4) | PI()
    """,
    "postgres": r"""
        strpos('abcabc', 'c') | length('söurce') | trunc(mag - 20) | trunc(mag - 20, 1) | greatest(mag, 20) | least(mag, 20, 19)
        log(2, 8) | log(100) | ln(mag - 20) | mod(id, 7) | left('abcdef', -2) | right('abcdef', -2) | substr('abcdef', 3)
        btrim(' x ') | concat(kind, NULL, 'x') | q3c_dist(ra, dec, 187.7, 12.4) | kind || 'x' | sign(mag - 20) | id / 7
        CASE WHEN q3c_radial_query(ra, dec, 187.7, 12.4, 1) THEN 1 ELSE 0 END
        CASE WHEN q3c_ellipse_query(ra, dec, 187.7, 12.4, 2, 0.5, 30) THEN 1 ELSE 0 END
        CASE WHEN q3c_poly_query(ra, dec, ARRAY[186, 11, 189, 11, 189, 14]) THEN 1 ELSE 0 END
        CASE WHEN kind ILIKE 'A%' THEN 1 ELSE 0 END
    """,
}


def expressions(dialect: str) -> list[str]:
    lines = EXPRESSIONS[dialect].strip().splitlines()
    return [part.strip() for line in lines for part in line.split(" | ") if part.strip()]


@slow
@pytest.mark.parametrize("dialect", EXPRESSIONS)
def test_every_expression_has_the_same_values(both: Both, dialect: str) -> None:
    asked = expressions(dialect)
    first, last = ("", " LIMIT 400") if dialect == "postgres" else ("TOP 400 ", "")
    for start in range(0, len(asked), 40):
        selected = ", ".join(f"{text} AS c{i}" for i, text in enumerate(asked[start : start + 40], start))
        both.agree(f"SELECT {first}id, {selected} FROM s.a WHERE id >= 300 ORDER BY id{last}", dialect)


def test_each_function_is_written_for_the_cluster() -> None:
    assert not {n for n, f in FUNCTIONS.items() if "duckdb" in f.lowering and "spark" not in f.lowering}
    counts = {
        n: (len(f.lowering["duckdb"]), len(f.lowering["spark"]))
        for n, f in FUNCTIONS.items()
        if "spark" in f.lowering
    }
    assert all(one == other for one, other in counts.values())


# Queries


QUERIES = {
    "adql": [
        (
            "SELECT kind, COUNT(*) AS n, COUNT(DISTINCT MOD(id, 7)) AS d, AVG(mag) AS m, MIN(mag) AS lo, MAX(ra) AS hi,"
            " SUM(id) AS s FROM s.a GROUP BY kind HAVING COUNT(*) > 3 ORDER BY kind"
        ),
        "SELECT TOP 7 id, mag FROM s.b WHERE mag < 20 ORDER BY mag DESC, id",
        "SELECT DISTINCT kind FROM s.a",
        "SELECT FLOOR(mag * 2) AS bin, COUNT(*) AS n FROM s.b GROUP BY FLOOR(mag * 2) ORDER BY bin",
        "SELECT ivo_histogram(mag, 18, 22, 4) AS h, ivo_histogram(id, -1, 900.5, 50) AS i, COUNT(*) AS n FROM s.a ORDER BY n",
        "SELECT kind, AVG(mag) AS m, ivo_histogram(mag, 19, 21, 7) AS h FROM s.a GROUP BY kind ORDER BY kind",
        "SELECT COUNT(*) AS n, ivo_histogram(mag, 19, 21, 2) AS h FROM s.a WHERE id < 0 ORDER BY n",
        "SELECT MOD(id, 3) AS g, ivo_histogram(ra, 0, 360, 3000) AS h FROM s.b GROUP BY MOD(id, 3) ORDER BY g",
        "SELECT id FROM s.a WHERE id IN (SELECT id FROM s.b WHERE mag < 19)",
        "SELECT id FROM s.a WHERE id NOT IN (SELECT id FROM s.b WHERE mag < 19) AND id < 100",
        "SELECT id FROM s.a WHERE EXISTS (SELECT 1 FROM s.b WHERE s.b.id = s.a.id AND s.b.mag > s.a.mag)",
        "SELECT a.id, b.mag FROM s.a AS a LEFT JOIN s.b AS b ON a.id = b.id AND b.mag < 20",
        "SELECT a.id, b.id AS j FROM s.a AS a FULL JOIN s.b AS b ON a.id = b.id + 2000",
        "SELECT id FROM s.a WHERE id < 9 UNION ALL SELECT id FROM s.b WHERE id < 9",
        "SELECT id FROM s.a UNION SELECT id FROM s.mine",
        "SELECT id FROM s.a EXCEPT SELECT id FROM s.mine",
        "SELECT id FROM s.a INTERSECT SELECT id FROM s.mine",
        "WITH w AS (SELECT id, mag FROM s.a WHERE mag > 21) SELECT w.id, b.mag FROM w, s.b AS b WHERE w.id = b.id",
        "SELECT id FROM s.a ORDER BY id OFFSET 1490",
        "SELECT COUNT(*) AS n, AVG(mag) AS m FROM s.b WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(187.7, 12.4, 0.7))",
        "SELECT COUNT(*) AS n FROM s.b WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(10, -89.5, 2.5))",
        "SELECT COUNT(*) AS n FROM s.b WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(200, 80, 0.0001))",
        "SELECT COUNT(*) AS n FROM s.b WHERE 1 = CONTAINS(POINT(ra, dec), POLYGON(186, 11, 189, 11, 189, 14))",
    ],
    "tsql": [
        (
            "SELECT TOP 5 id, ROW_NUMBER() OVER (PARTITION BY kind ORDER BY mag, id) AS r, LAG(id) OVER (ORDER BY id) AS l"
            " FROM s.a ORDER BY id"
        ),
        "SELECT kind, STDEV(mag) AS s, VARP(mag) AS v FROM s.a GROUP BY kind ORDER BY kind",
        "SELECT id FROM s.a WHERE kind IN (SELECT UPPER(kind) FROM s.b) AND id < 30",
        (
            "SELECT a.id, n.top FROM s.a AS a CROSS APPLY (SELECT MAX(b.mag) AS top FROM s.b AS b WHERE b.id = a.id) AS n"
            " WHERE a.id < 20"
        ),
    ],
    "postgres": [
        "SELECT kind, count(*) AS n FROM s.a WHERE q3c_radial_query(ra, dec, 187.7, 12.4, 1) GROUP BY kind ORDER BY kind",
        "SELECT id, mag FROM s.a WHERE mag BETWEEN 19 AND 20 ORDER BY mag, id LIMIT 10 OFFSET 3",
        "SELECT max(n) AS most FROM (SELECT kind, count(*) AS n FROM s.b GROUP BY kind) AS q",
    ],
}


@slow
@pytest.mark.parametrize("dialect", QUERIES)
def test_queries_have_the_same_rows(both: Both, dialect: str) -> None:
    for text in QUERIES[dialect]:
        assert both.agree(text, dialect).num_columns, text


@slow
def test_a_large_sorted_answer_keeps_its_order(both: Both) -> None:
    text = "SELECT a.id, b.id AS j FROM s.a AS a, s.b AS b WHERE a.id < 100 ORDER BY a.id, j"
    found = both.stream(text, "adql", Limits(200_000, 300), both.spark).to_table()
    assert found["id"].to_pylist() == [i for i in range(100) for _ in range(2500)][:200_000]
    assert found["j"].to_pylist() == (list(range(2500)) * 100)[:200_000]


@slow
def test_what_the_cluster_cannot_run_is_refused_in_words(both: Both) -> None:
    kept = "SELECT a.id, (SELECT b.id FROM s.b AS b WHERE b.mag > a.mag ORDER BY b.mag OFFSET 0 ROWS FETCH NEXT 1 ROWS ONLY)"
    with pytest.raises(AweError) as caught:
        both.found(f"{kept} AS n FROM s.a AS a", "tsql")
    assert "s.a" not in str(caught.value)
    assert "`" not in str(caught.value)


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what is written by queries from now on, as Spark has planned it."""
    made: list[Any] = []
    first = SparkEngine._first

    def noted(rows: Any, *args: Any, **options: Any) -> Any:
        made.append(first(rows, *args, **options))
        return made[-1]

    monkeypatch.setattr(SparkEngine, "_first", staticmethod(noted))
    return made


def read_files(plan: Any) -> set[Path]:
    return {Path(urllib.parse.urlparse(name).path) for name in plan.inputFiles()}


def near_files(
    both: Both, table: str, ra: np.ndarray, dec: np.ndarray, radius: float
) -> tuple[set[Path], set[Path]]:
    """Return the files of a table with rows near positions, and all of them: every row is looked at."""
    files = set((both.folder / table / "dataset").rglob("*.parquet"))
    near = set()
    for path in files:
        rows = pq.read_table(path, columns=["ra", "dec"], partitioning=None)
        lon, lat = (rows[name].to_numpy()[:, None] for name in ("ra", "dec"))
        if (separation(lon, lat, ra[None], dec[None]) <= radius).any():
            near.add(path)
    return near, files


@slow
@pytest.mark.parametrize(
    ("ra", "dec", "radius"), [(187.7, 12.4, 0.05), (10.0, -89.5, 2.5), (359.9, 0.0, 3.0)]
)
def test_spark_opens_the_files_that_the_region_touches_and_no_other(
    both: Both, planned: list[Any], ra: float, dec: float, radius: float
) -> None:
    both.found(f"SELECT AVG(mag) AS m FROM s.b WHERE DISTANCE(ra, dec, {ra}, {dec}) <= {radius}")
    near, every = near_files(both, "s.b", np.array([ra]), np.array([dec]), radius)
    assert near <= read_files(planned[0]) < every
    assert len(read_files(planned[0])) <= len(near) + 3  # whose cells touch the circle, though no row does


@slow
def test_spark_opens_the_files_in_reach_of_few_positions_and_no_other(both: Both, planned: list[Any]) -> None:
    radius = 0.02
    found = both.found(
        "SELECT m.id, b.id FROM s.mine AS m, s.b AS b"
        f" WHERE m.id < 2 AND DISTANCE(m.ra, m.dec, b.ra, b.dec) < {radius}"
    )
    few = both.held.filter(pc.less(both.held["id"], 2))
    assert found == all_pairs(apart(few, both.rows["s.b"], radius))
    near, every = near_files(both, "s.b", few["ra"].to_numpy(), few["dec"].to_numpy(), radius)
    tables = {path for path in read_files(planned[0]) if path in every}
    assert near <= tables < every
    assert len(tables) <= len(near) + 4


@slow
def test_an_answer_without_an_order_is_cut_where_it_is_read(both: Both) -> None:
    rows = both.stream(
        "SELECT a.id, b.id AS j FROM s.a AS a, s.b AS b", "adql", Limits(150_000, 300), both.spark
    )
    found = rows.to_table()
    assert found.num_rows == 150_000
    assert rows.overflow
    assert len(set(zip(found["id"].to_pylist(), found["j"].to_pylist(), strict=True))) == 150_000


@slow
@pytest.mark.parametrize(
    "text",
    ["SELECT id, mag FROM s.b WHERE id >= 0", f"SELECT a.id, b.id AS j FROM s.a AS a, s.b AS b WHERE {NEAR}"],
)
def test_each_task_gives_as_many_as_are_wanted(
    both: Both, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(spark, "_FEW_ROWS", 10)
    monkeypatch.setattr(spark, "_NEAR_DEG", 0.2)
    rows = both.stream(text, "adql", Limits(1000, 300), both.spark)
    found = rows.to_table()
    assert found.num_rows == 1000
    assert rows.overflow
    every = both.stream(text, "adql", LIMITS, both.engine).to_table()
    assert set(map(tuple, map(dict.values, found.to_pylist()))) <= set(
        map(tuple, map(dict.values, every.to_pylist()))
    )
    assert len(set(map(str, found.to_pylist()))) == 1000


@slow
def test_a_query_that_runs_tells_how_many_of_its_tasks_are_done(both: Both) -> None:
    heard: list[tuple[str, int, int | None]] = []
    with heard_by(lambda *told: heard.append(told)):
        rows = both.stream("SELECT kind, COUNT(*) AS n FROM s.b GROUP BY kind", engine=both.spark)
    assert sum(rows.to_table()["n"].to_pylist()) == 2500
    assert {what for what, _, _ in heard} == {"tasks"}
    _, done, every = heard[-1]
    assert every == done > 0


@slow
def test_nothing_is_left_of_a_query(both: Both) -> None:
    both.found("SELECT COUNT(*) AS n FROM s.mine AS m, s.a AS a WHERE a.id = m.id")
    assert not list(both.spark._scratch.glob("*"))
    assert not both.spark._running


# Sky joins


@slow
def test_all_pairs_within_a_radius(both: Both) -> None:
    wanted = all_pairs(apart(both.rows["s.a"], both.rows["s.b"]))
    assert both.found(f"SELECT a.id, b.id FROM s.a AS a JOIN s.b AS b ON {NEAR}") == wanted
    assert len(wanted) > 1000
    both.agree(
        f"SELECT a.id, b.id AS j, DISTANCE(a.ra, a.dec, b.ra, b.dec) AS d FROM s.a AS a, s.b AS b WHERE {NEAR}"
    )


@slow
@pytest.mark.parametrize("radius", [1e-7, 0.003, 1.0, 9.0])
def test_radii_from_the_smallest_to_degrees(both: Both, radius: float) -> None:
    near = NEAR.replace("0.2", repr(radius))
    wanted = all_pairs(apart(both.held, both.rows["s.b"], radius))
    assert (
        both.found(f"SELECT m.id, b.id FROM s.mine AS m, s.b AS b WHERE {near.replace('a.', 'm.')}") == wanted
    )


@slow
def test_rows_without_a_partner_stay_once(both: Both) -> None:
    text = (
        f"SELECT a.id, b.id AS j FROM s.a AS a LEFT JOIN s.b AS b ON {NEAR} AND b.mag < 20 WHERE a.id < 900"
    )
    found = both.agree(text)
    assert found["j"].null_count > 100


@slow
@pytest.mark.parametrize(("side", "count"), [("left", 1), ("left", 2), ("", 3)])
def test_the_nearest_of_each(both: Both, side: str, count: int) -> None:
    text = (
        f"select a.id, n.id as j, n.d from s.a as a {side} join lateral (select b.id, q3c_dist(a.ra, a.dec, b.ra, b.dec)"
        f" as d from s.b as b where q3c_join(a.ra, a.dec, b.ra, b.dec, 0.2) order by d limit {count}) as n on true"
    )
    both.agree(text, "postgres")


@slow
def test_only_the_rows_that_may_be_read_are_matched(both: Both) -> None:
    both.only = RowFilter("kind", frozenset({"a", "b"}))
    mine = np.isin(np.array(both.rows["s.b"]["kind"].to_pylist(), object), ["a", "b"])
    wanted = np.where(mine[None], apart(both.rows["s.a"], both.rows["s.b"]), np.nan)
    assert both.found(f"SELECT a.id, b.id FROM s.a AS a, s.b AS b WHERE {NEAR}") == all_pairs(wanted)


@slow
def test_a_region_besides_and_groups(both: Both) -> None:
    b = both.rows["s.b"]
    inside = separation(b["ra"].to_numpy(), b["dec"].to_numpy(), 187.7, 12.4) <= 0.5
    pairs = apart(both.held, both.rows["s.b"])
    near = f"FROM s.mine AS a, s.b AS b WHERE {NEAR} AND DISTANCE(b.ra, b.dec, 187.7, 12.4) <= 0.5"
    assert both.found(f"SELECT a.id, b.id {near}") == all_pairs(np.where(inside[None], pairs, np.nan))
    both.agree(f"SELECT a.id, COUNT(*) AS n {near} GROUP BY a.id")


@slow
@pytest.mark.parametrize(
    "text",
    [
        "SELECT a.id FROM s.a AS a WHERE EXISTS (SELECT 1 FROM s.b AS b WHERE {near})",
        "SELECT a.id FROM s.a AS a WHERE NOT EXISTS (SELECT 1 FROM s.b AS b WHERE {near} AND b.mag > a.mag)",
        "SELECT a.id, b.id AS j FROM s.a AS a FULL JOIN s.b AS b ON {near}",
        "SELECT a.id, b.id AS j FROM s.a AS a RIGHT JOIN s.b AS b ON {near}",
        "SELECT a.id, b.id AS j FROM s.a AS a LEFT JOIN s.b AS b ON {near} AND a.mag < b.mag",
        "SELECT a.id, b.id AS j FROM s.a AS a FULL JOIN s.b AS b ON {near} AND a.mag < b.mag",
        "SELECT a.id, b.id AS j FROM s.a AS a, s.b AS b WHERE DISTANCE(a.ra, a.dec, b.ra, b.dec) < (a.mag - 19.5) / 50",
        (
            "SELECT a.id, b.id AS j FROM s.a AS a JOIN s.mine AS b"
            " ON DISTANCE(a.ra, a.dec, b.ra, b.dec) < (b.mag - 19.5) * (b.mag - 19.5) * 5"
        ),
        "SELECT m.id, b.id AS j FROM s.mine AS m, s.b AS b WHERE DISTANCE(m.ra, m.dec, b.ra, b.dec) < 60 AND m.id < 9",
        (
            "SELECT a.id, b.id AS j FROM s.a AS a LEFT JOIN s.b AS b"
            " ON DISTANCE(a.ra, a.dec, b.ra, b.dec) < SQRT(a.mag * a.mag + b.mag * b.mag) / 100"
        ),
        "SELECT a.id, b.id AS j FROM s.a AS a, s.b AS b WHERE DISTANCE(a.ra, a.dec, b.ra, b.dec) < a.mag / 150 OR {near}",
    ],
)
def test_every_kind_of_join(both: Both, text: str) -> None:
    assert both.agree(text.format(near=NEAR)).num_rows > 100


# Connecting


def test_no_text_of_a_user_is_read_as_sql() -> None:
    """Neither a quote nor a backslash nor what Spark would put a variable in for."""
    record = TableRecord("s", "a", Schema(COLUMNS), StoredTable("", 1, 1), ra="ra", dec="dec")
    text = "SELECT id FROM s.a WHERE kind = 'it''s \\ ${env:HOME}' OR kind LIKE '_\\' AND mag > 1.5"
    query = compile_query(text, ReadableNames([record]))
    said = query.lower("spark", {use.key: "x" for use in query.uses})
    assert r"'it\u0027s\u0020\u005c\u0020\u0024\u007benv\u003aHOME\u007d'" in said
    assert r"LIKE '\u005f\u005c' ESCAPE '\u0000'" in said
    assert "1.5D" in said


def test_a_cluster_has_to_be_configured_and_its_library_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="no cluster"):
        SparkEngine(tmp_path, LimitSettings(), SparkSettings())
    with pytest.raises(UsageError, match="may not contain"):
        SparkEngine(tmp_path / "a[b]", LimitSettings(), SparkSettings(url="local"))
    monkeypatch.setattr(spark_session, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match="pyspark"):
        SparkEngine(tmp_path, LimitSettings(), SparkSettings(url="local"))


@pytest.mark.parametrize(
    ("said", "kind", "told"),
    [
        (('[CAST_INVALID_INPUT] The value \'x\' of the type "STRING" cannot be cast to "INT" because it is malformed.'
         " Correct the value as per the syntax."), "bad_query", "The value 'x' of the type"),
        ("java.lang.OutOfMemoryError: Java heap space", "limit", "more memory"),
        ("[INTERNAL] file:/data/x.parquet", "internal", "the engine failed at this query"),
        ("StatusCode.UNAVAILABLE", "unavailable", "cannot be reached"),
    ],
)  # fmt: skip
def test_errors_are_told_without_paths(said: str, kind: str, told: str) -> None:
    error = translated(RuntimeError(said))
    assert error.code == kind
    assert told in error.message
    assert "/" not in error.message


def test_the_page_sets_what_there_is(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "howto" / "spark.md").read_text()
    (tmp_path / "awe.toml").write_text(page.partition("```toml\n")[2].partition("```")[0])
    found = Settings(data=tmp_path)
    assert found.engine == "spark"
    assert found.spark.url.startswith("spark://")


CONNECT = """
import sys
from pathlib import Path
import numpy as np
from tests.services.catalogs.test_spark import Both, NEAR, all_pairs, apart
from awe.core.progress import heard_by
from awe.settings import SparkSettings
both = Both(Path(sys.argv[2]), SparkSettings(url=sys.argv[1]))
both.agree("SELECT kind, COUNT(*) AS n, AVG(mag) AS m FROM s.a GROUP BY kind ORDER BY kind")
both.agree("SELECT COUNT(*) AS n FROM s.b WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(187.7, 12.4, 0.7))")
heard = []
with heard_by(lambda *told: heard.append(told)):
    found = both.found(f"SELECT a.id, b.id FROM s.mine AS a, s.b AS b WHERE {NEAR}")
assert heard and all(0 <= done <= total for _, done, total in heard), heard
assert found == all_pairs(apart(both.held, both.rows["s.b"])), len(found)
stream = both.stream("SELECT COUNT(*) AS n FROM s.b AS a, s.b AS b, s.b AS c WHERE a.mag + b.mag + c.mag > 3", engine=both.spark)
import threading
threading.Timer(1, stream.close).start()
try:
    next(stream)
except Exception as error:
    assert type(error).__name__ == "CancelledError", error
both.spark.close()
print("as on one machine")
"""


@slow
def test_spark_connect_gives_the_same(spark_connect: SparkSettings, tmp_path: Path) -> None:
    """In a process of its own: one process has one kind of session."""
    root = Path(__file__).parents[3]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(awe.__file__).parents[1]), str(root)]),
    }
    command = [sys.executable, "-c", CONNECT, spark_connect.url, str(tmp_path / "tables")]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.stdout.endswith("as on one machine\n"), ran.stderr[-3000:]
