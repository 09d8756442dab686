"""Sky joins whose radius both rows decide, or one of several conditions does, against brute force."""

from collections.abc import Callable

import numpy as np
import pytest
from tests.services.catalogs.test_sky_join_kinds import blocks, with_lonely
from tests.services.catalogs.test_sky_joins import COLUMNS, Two, all_pairs, opened, two

from awe.core.sky import separation
from awe.core.sql import compile_query
from awe.core.tables import Schema
from awe.errors import QueryError
from awe.services.catalogs import StoredTable, TableRecord
from awe.services.catalogs._names import ReadableNames

__all__ = ["blocks", "opened", "two"]

pytestmark = pytest.mark.slow

D = "DISTANCE(a.ra, a.dec, b.ra, b.dec)"
A, B = "((CAST(a.mag AS DOUBLE PRECISION) - 18) / 30)", "((CAST(b.mag AS DOUBLE PRECISION) - 18) / 40)"


def radii(two: Two) -> tuple[np.ndarray, np.ndarray]:
    """Return what `A` and `B` are, as a column and as a row: some of them are negative."""
    mags = [two.rows[name]["mag"].to_numpy().astype(float) for name in ("s.a", "s.b")]
    return ((mags[0] - 18) / 30)[:, None], ((mags[1] - 18) / 40)[None]


def reached(two: Two, most: np.ndarray) -> np.ndarray:
    apart = two.near(two.rows["s.a"], two.rows["s.b"], radius=1)
    return np.where(apart < most, apart, np.nan)


def root(values: np.ndarray) -> np.ndarray:
    return np.sqrt(np.where(values < 0, np.nan, values))


BOTH: dict[str, tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]] = {
    "sum": (f"{A} + {B}", lambda a, b: a + b),
    "difference": (f"0.2 + {A} - {B}", lambda a, b: 0.2 + a - b),
    "errors": (f"2 * SQRT({A} * {A} + POWER({B}, 2))", lambda a, b: 2 * np.hypot(a, b)),
    "root": (f"SQRT({A} + {B}) / 4", lambda a, b: root(a + b) / 4),
    "square": (f"POWER({A} - {B}, 2) * 10", lambda a, b: (a - b) ** 2 * 10),
    "larger": (f"CASE WHEN {A} > {B} THEN {A} ELSE {B} END", np.maximum),
    "smaller": (f"CASE WHEN {A} < {B} THEN {A} ELSE {B} END", np.minimum),
    "turned": (f"-(0.1 - {A} - 2 * {B})", lambda a, b: -(0.1 - a - 2 * b)),
}


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("name", BOTH)
def test_both_rows_decide_how_far_they_reach(two: Two, name: str) -> None:
    said, most = BOTH[name]
    wanted = all_pairs(reached(two, most(*radii(two))))
    assert two.pairs(f"SELECT a.id, b.id FROM s.a AS a, s.b AS b WHERE {D} < {said}") == wanted
    assert two.pairs(f"SELECT a.id, b.id FROM s.b AS b JOIN s.a AS a ON {said} > {D}") == wanted
    assert len(wanted) > 100


@pytest.mark.parametrize(("kind", "left", "right"), [("LEFT", 1, 0), ("RIGHT", 0, 1), ("FULL", 1, 1)])
def test_rows_are_alone_where_nothing_reaches_them(two: Two, kind: str, left: bool, right: bool) -> None:
    a, b = radii(two)
    bright = two.rows["s.b"]["mag"].to_numpy() < 21
    apart = np.where(bright[None], reached(two, a + b), np.nan)
    text = f"SELECT a.id, b.id FROM s.a AS a {kind} JOIN s.b AS b ON {D} < {A} + {B} AND b.mag < 21"
    assert two.pairs(text) == with_lonely(apart, left=left, right=right)


def test_circles_that_meet_the_nearest_and_those_that_have_one(two: Two) -> None:
    a, b = radii(two)
    circles = "INTERSECTS(CIRCLE(a.ra, a.dec, ABS(a.mag) / 100), CIRCLE(b.ra, b.dec, ABS(b.mag) / 200))"
    mags = [two.rows[name]["mag"].to_numpy().astype(float) for name in ("s.a", "s.b")]
    meet = reached(two, np.abs(mags[0])[:, None] / 100 + np.abs(mags[1])[None] / 200)
    assert two.pairs(f"SELECT a.id, b.id FROM s.a AS a, s.b AS b WHERE 1 = {circles}") == all_pairs(meet)
    apart = reached(two, a + b)
    has = ~np.isnan(apart).all(axis=1)
    some = f"SELECT a.id FROM s.a AS a WHERE {{}} EXISTS (SELECT 1 FROM s.b AS b WHERE {D} < {A} + {B})"
    assert two.pairs(some.format("")) == sorted(((int(i),) for i in np.flatnonzero(has)), key=str)
    assert two.pairs(some.format("NOT")) == sorted(((int(i),) for i in np.flatnonzero(~has)), key=str)
    near = f"q3c_dist(a.ra, a.dec, b.ra, b.dec) < {A} + {B}".lower()
    nearest = two.pairs(
        f"select a.id, n.id from s.a as a join lateral (select b.id from s.b as b where {near}"
        " order by q3c_dist(a.ra, a.dec, b.ra, b.dec) limit 1) as n on true",
        "postgres",
    )
    assert sorted(i for i, _ in nearest) == np.flatnonzero(has).tolist()
    assert all(apart[i, j] == np.nanmin(apart[i]) for i, j in nearest)


@pytest.mark.parametrize(
    "said", ["SQRT(0.01 + 0.03)", "POWER(0.5, 3) + DEGREES(0.001)", "GREATEST(0.1, 0.15)"]
)
def test_a_radius_that_is_computed_of_no_row(two: Two, said: str) -> None:
    most = {"S": 0.2, "P": 0.125 + np.degrees(0.001), "G": 0.15}[said[0]]
    a, _ = radii(two)
    apart = two.near(two.rows["s.a"], two.rows["s.b"], radius=1)
    text = f"SELECT a.id, b.id FROM s.a AS a FULL JOIN s.b AS b ON {D} < {said}"
    text = text.lower().replace("distance", "q3c_dist")
    wanted = np.where(apart < most, apart, np.nan)
    assert two.pairs(text, "postgres") == with_lonely(wanted, left=True, right=True)
    either = text.replace("full join", "join") + f" or {D} < {A}".lower().replace("distance", "q3c_dist")
    wanted = np.where((apart < most) | (apart < a), apart, np.nan)
    assert two.pairs(either, "postgres") == all_pairs(wanted)


def test_one_of_several_conditions(two: Two) -> None:
    a, b = radii(two)
    mags = [two.rows[name]["mag"].to_numpy() for name in ("s.a", "s.b")]
    alike = np.abs(mags[0][:, None] - mags[1][None]) < 0.2
    apart = two.near(two.rows["s.a"], two.rows["s.b"], radius=1)
    choices = f"{D} < 0.05 OR ({D} < 0.3 AND ABS(a.mag - b.mag) < 0.2)"
    wanted = np.where((apart < 0.05) | ((apart < 0.3) & alike), apart, np.nan)
    assert two.pairs(f"SELECT a.id, b.id FROM s.a AS a, s.b AS b WHERE {choices}") == all_pairs(wanted)
    text = f"SELECT a.id, b.id FROM s.a AS a LEFT JOIN s.b AS b ON ({choices})"
    assert two.pairs(text) == with_lonely(wanted, left=True, right=False)
    three = f"{D} < 0.05 OR {A} > DISTANCE(b.ra, b.dec, a.ra, a.dec) OR {D} <= {A} + {B} OR {D} < {B}"
    wanted = np.where((apart < 0.05) | (apart < a) | (apart <= a + b) | (apart < b), apart, np.nan)
    assert two.pairs(f"SELECT a.id, b.id FROM s.a AS a, s.b AS b WHERE {three}") == all_pairs(wanted)
    q3c = (
        "q3c_join(a.ra, a.dec, b.ra, b.dec, 0.05) or (q3c_join(a.ra, a.dec, b.ra, b.dec, 0.1) and a.mag < 20)"
    )
    wanted = np.where((apart <= 0.05) | ((apart <= 0.1) & (mags[0] < 20)[:, None]), apart, np.nan)
    found = two.pairs(f"select a.id, b.id from s.a as a join s.b as b on {q3c}", "postgres")
    assert found == all_pairs(wanted)
    assert len(found) > 100


def test_what_has_no_bound_is_still_right_where_there_are_few_rows(two: Two) -> None:
    apart = two.near(two.rows["s.a"], two.rows["s.b"])
    text = f"SELECT a.id, b.id FROM s.a AS a, s.b AS b WHERE {D} < 0.2 OR (a.id = 7 AND b.id < 9)"
    wanted = apart.copy()
    wanted[7, :9] = 0
    assert two.pairs(text) == all_pairs(wanted)


@pytest.mark.parametrize("unknown", ["CAST('NaN' AS DOUBLE PRECISION)", "SQRT(-1.0 - b.id)"])
def test_what_is_no_number_is_no_radius(two: Two, unknown: str) -> None:
    a, b = radii(two)
    numbered = two.rows["s.b"]["id"].to_numpy() % 3 > 0
    said = f"CASE WHEN MOD(b.id, 3) > 0 THEN {B} ELSE {unknown} END"
    text = f"SELECT a.id, b.id FROM s.a AS a, s.b AS b WHERE {D} < {{}}"
    apart = np.where(numbered[None], reached(two, a + b), np.nan)
    assert two.pairs(text.format(f"{A} + {said}")) == all_pairs(apart)
    apart = two.near(two.rows["s.a"], two.rows["s.b"], radius=1)
    wanted = np.where((apart < a) | ((apart < a + b) & numbered[None]), apart, np.nan)
    assert two.pairs(text.format(f"{A} OR {D} < {A} + {said}")) == all_pairs(wanted)


@pytest.mark.parametrize("said", [said for said, _ in BOTH.values()])
def test_they_go_along_the_index(said: str) -> None:
    assert len(large(f"SELECT a.id FROM s.a AS a JOIN s.b AS b ON {D} < {said}")) == 1


def large(text: str) -> list[str]:
    """Compile a query on two tables of a hundred million rows; return the keys of the pairs."""
    records = [
        TableRecord("s", name, Schema(COLUMNS), StoredTable("", 100_000_000, 0), ra="ra", dec="dec")
        for name in "ab"
    ]
    return [match.key for match in compile_query(text, ReadableNames(records)).matches]


@pytest.mark.parametrize("near", [f"{D} < 0.001 OR a.id = b.id", f"{D} < a.mag / b.mag"])
def test_what_would_compare_everything_with_everything_is_refused(near: str) -> None:
    with pytest.raises(QueryError, match="each of 100,000,000 rows") as caught:
        large(f"SELECT a.id FROM s.a AS a JOIN s.b AS b ON {near}")
    assert "largest distance" in str(caught.value.hint)
    assert large(f"SELECT a.id FROM s.a AS a JOIN s.b AS b ON {near} WHERE a.id = b.id") == []
    assert len(large(f"SELECT a.id FROM s.a AS a JOIN s.b AS b ON {D} < 0.1 WHERE {near}")) == 1


def test_a_radius_that_is_no_number_is_none_however_the_rows_are_joined(two: Two) -> None:
    """Engines of SQL sort NaN above all numbers; nothing is near a row whose radius is unknown."""
    radius = "CASE WHEN a.id > 60 THEN CAST('NaN' AS DOUBLE PRECISION) ELSE 0.2 END"
    wanted = [p for p in all_pairs(two.near(two.rows["s.a"], two.rows["s.b"])) if p[0] <= 60]
    assert two.pairs(f"SELECT a.id, b.id FROM s.a AS a JOIN s.b AS b ON {D} < {radius}") == wanted
    found = two.pairs(
        f"SELECT a.id, b.id FROM s.b AS c LEFT JOIN s.a AS a ON c.id = a.id JOIN s.b AS b ON {D} < {radius}"
    )
    assert found == wanted
    assert wanted


@pytest.mark.parametrize(
    ("condition", "low", "high"),
    [
        (f"{D} BETWEEN 0.05 AND 0.2", 0.05, 0.2),
        (f"{D} * 3600 BETWEEN 180 AND 720", 0.05, 0.2),
        (f"NOT {D} > 0.2", 0.0, 0.2),
        (f"NOT (0.05 > {D}) AND NOT ({D} > 0.2)", 0.05, 0.2),
    ],
)
def test_intervals_of_distances_are_sky_joins(two: Two, condition: str, low: float, high: float) -> None:
    apart = two.near(two.rows["s.a"], two.rows["s.b"], radius=0.2)
    text = f"SELECT a.id, b.id FROM s.a AS a JOIN s.b AS b ON {condition}"
    records = [
        TableRecord("s", name[2:], Schema(COLUMNS), table, ra="ra", dec="dec")
        for name, table in two.stored.items()
    ]
    assert [match.radius_deg for match in compile_query(text, ReadableNames(records)).matches] == [high]
    wanted = all_pairs(np.where(apart >= low, apart, np.nan))
    assert two.pairs(text) == wanted
    assert len(wanted) > 500
    everything = len(two.rows["s.a"]) * len(two.rows["s.b"])
    (others,) = two.pairs(f"SELECT COUNT(*) AS n FROM s.a AS a, s.b AS b WHERE NOT ({condition})")
    assert others[0] == everything - len(wanted)


def test_a_ring_is_looked_for_in_its_circle(two: Two) -> None:
    text = "SELECT id FROM s.a WHERE DISTANCE(ra, dec, 187.7, 12.4) BETWEEN 0.3 AND 0.9"
    records = [TableRecord("s", "a", Schema(COLUMNS), two.stored["s.a"], ra="ra", dec="dec")]
    (use,) = compile_query(text, ReadableNames(records)).uses
    assert use.region is not None
    assert use.region.bounding_circle().radius == 0.9
    a = two.rows["s.a"]
    away = separation(187.7, 12.4, a["ra"].to_numpy(), a["dec"].to_numpy())
    wanted = np.flatnonzero((away >= 0.3) & (away <= 0.9)).tolist()
    assert sorted(row[0] for row in two.pairs(text)) == wanted
    assert len(wanted) > 50
