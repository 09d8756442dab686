"""Every spatial predicate against brute force, in every dialect: poles, RA 0/360, radius 0 and 180."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from awe.core.sky import Box, Circle, Polygon
from awe.core.sql import Query
from awe.errors import QueryError, QuerySyntaxError

Answer = Callable[..., list[tuple[Any, ...]]]
Compile = Callable[..., Query]
Rows = Mapping[str, pa.Table]

CONES = {
    "adql": "select MatchID from SumCat where 1 = contains(point(MatchRA, MatchDec), circle({ra}, {dec}, {r}))",
    "postgres": "select MatchID from hsc.SumCat where q3c_radial_query(MatchRA, MatchDec, {ra}, {dec}, {r})",
    "tsql": "select MatchID from SearchSumCatalog({ra}, {dec}, {r} * 3600, 1)",
}


def vectors(ra: Any, dec: Any) -> Any:
    """Independent of the project: plain unit vectors in extended precision."""
    ra, dec = np.radians(np.longdouble(ra)), np.radians(np.longdouble(dec))
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def apart(one: Any, other: Any) -> Any:
    """Angles in degrees by the chord and its complement, good at every distance."""
    chord, rest = (np.sqrt(np.sum((one + sign * other) ** 2, axis=-1)).astype(float) for sign in (-1, 1))
    return np.degrees(2 * np.arctan2(chord, rest))


@pytest.fixture(scope="session")
def matrix(rows: Rows) -> Any:
    """The distance of each object from each star; extended precision where they are close."""
    one, other = rows["hsc.SumCat"].to_pydict(), rows["gaia.stars"].to_pydict()
    left, right = vectors(one["MatchRA"], one["MatchDec"]), vectors(other["ra"], other["dec"])
    cosine = left.astype(float) @ right.astype(float).T
    distance = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    i, j = np.nonzero(distance < 12)
    distance[i, j] = apart(left[i], right[j])
    return distance


def cones(count: int) -> Any:
    rng = np.random.default_rng(11)
    for i in range(count):
        ra, dec = rng.uniform(0, 360), math.degrees(math.asin(rng.uniform(-1, 1)))
        r = 10 ** rng.uniform(-3, 2)
        special = {
            0: (ra, 90, r), 1: (ra, -90, r), 2: (0, dec, r), 3: (359.99999, dec, r), 4: (ra, dec, 180),
            5: (0, 90, 0), 6: (0, 10, 0), 7: (180, -10, 179.99), 8: (ra, 89.9, 0.5), 9: (360, 10, 0.0001),
        }  # fmt: skip
        yield special.get(i % 40, (float(ra), float(dec), float(r)))


def check_cones(answer: Answer, rows: Rows, dialect: str, count: int) -> None:
    table = rows["hsc.SumCat"].to_pydict()
    points, ids = vectors(table["MatchRA"], table["MatchDec"]), np.array(table["MatchID"])
    for ra, dec, r in cones(count):
        found = {i for (i,) in answer(CONES[dialect].format(ra=ra, dec=dec, r=r), dialect)}
        distance = apart(points, vectors(ra, dec))
        sure, unsure = set(ids[distance < r - 1e-9]), set(ids[abs(distance - r) <= 1e-9])
        assert sure <= found <= sure | unsure, (ra, dec, r)
        if r == 0:
            assert found >= set(ids[(distance == 0)])


@pytest.mark.parametrize("dialect", CONES)
def test_cones_agree_with_brute_force(answer: Answer, rows: Rows, dialect: str) -> None:
    check_cones(answer, rows, dialect, 40)


@pytest.mark.slow
@pytest.mark.parametrize("dialect", CONES)
def test_a_thousand_cones_agree_with_brute_force(answer: Answer, rows: Rows, dialect: str) -> None:
    check_cones(answer, rows, dialect, 1000)


FORMS = [
    ("adql", "1 = contains(point(MatchRA, MatchDec), circle(10, 20, 30))"),
    ("adql", "contains(point('ICRS', MatchRA, MatchDec), circle('ICRS', 10, 20, 30)) = 1"),
    ("adql", "0 <> contains(point(MatchRA, MatchDec), circle(point(10, 20), 30))"),
    ("adql", "contains(point(MatchRA, MatchDec), circle(10, 20, 30)) != 0"),
    ("adql", "not 0 = contains(point(MatchRA, MatchDec), circle(10, 20, 30))"),
    ("adql", "1 = contains(point(10, 20), circle(MatchRA, MatchDec, 30))"),
    ("adql", "1 = intersects(point(MatchRA, MatchDec), circle(10, 20, 30))"),
    ("adql", "1 = intersects(circle(10, 20, 30), point(MatchRA, MatchDec))"),
    ("adql", "1 = intersects(circle(10, 20, 10), circle(MatchRA, MatchDec, 20))"),
    ("adql", "1 = contains(circle(MatchRA, MatchDec, 5), circle(10, 20, 35))"),
    ("adql", "distance(point(MatchRA, MatchDec), point(10, 20)) <= 30"),
    ("adql", "30 >= distance(MatchRA, MatchDec, 10, 20)"),
    ("adql", "distance(10, 20, MatchRA, MatchDec) < 30"),
    ("adql", "distance(10, 20, MatchRA, MatchDec) * 60 < 1800"),
    ("adql", "distance(10, 20, MatchRA + 0, MatchDec) < 30 + 0 * MatchDec"),
    ("adql", "distance(10, 20, MatchRA, MatchDec) between 0 and 30"),
    ("adql", "1 = 2 - contains(point(MatchRA, MatchDec), circle(10, 20, 30))"),
    ("postgres", "q3c_radial_query(MatchRA, MatchDec, 10, 20, 30)"),
    ("postgres", "Q3C_JOIN(10, 20, MatchRA, MatchDec, 60 / 2.0)"),
    ("postgres", "q3c_dist(MatchRA, MatchDec, 10, 20) < 30"),
    ("postgres", "not q3c_dist(MatchRA, MatchDec, 10, 20) > 30"),
    ("postgres", "q3c_dist(MatchRA, MatchDec, 10, 20) * 3600 < 108000"),
    ("tsql", "dbo.fDistanceArcMinEq(MatchRA, MatchDec, 10, 20) < 1800"),
]


@pytest.mark.parametrize(("dialect", "condition"), FORMS)
def test_every_way_to_write_a_cone(answer: Answer, rows: Rows, dialect: str, condition: str) -> None:
    table = rows["hsc.SumCat"].to_pydict()
    distance = apart(vectors(table["MatchRA"], table["MatchDec"]), vectors(10, 20))
    ((count,),) = answer(f"select count(*) from SumCat where {condition}", dialect)
    assert count == (distance < 30).sum()


@pytest.mark.parametrize(
    ("condition", "region"),
    [
        ("1 = contains(point(MatchRA, MatchDec), circle(10, 20, 30))", Circle(10, 20, 30)),
        ("CI > 1 and 1 = contains(point(MatchRA, MatchDec), box(10, 20, 30, 5))", Box(10, 20, 30, 5)),
        (
            "distance(MatchRA, MatchDec, 10, 20) < 3 and distance(MatchRA, MatchDec, 10, 20) < 1",
            Circle(10, 20, 1),
        ),
        ("0 = contains(point(MatchRA, MatchDec), circle(10, 20, 30))", None),
        ("CI > 1 or 1 = contains(point(MatchRA, MatchDec), circle(10, 20, 30))", None),
        ("1 = contains(point(MatchDec, MatchRA), circle(10, 20, 30))", None),
    ],
)
def test_a_conjunct_bounds_what_is_read(compiled: Compile, condition: str, region: Any) -> None:
    query = compiled(f"select MatchID from SumCat where {condition}", "adql")
    assert query.uses[0].region == region
    assert ("_healpix_29" in query.lower("duckdb", {"t1": "x"})) is (region is not None)


def test_an_outer_join_bounds_only_what_it_may(compiled: Compile, answer: Answer) -> None:
    text = (
        "select count(*) from SumCat s left join gaia.stars g on s.MatchID = g.id"
        " and distance(s.MatchRA, s.MatchDec, 10, 20) < 5 and distance(g.ra, g.dec, 10, 20) < 5"
    )
    assert [use.region for use in compiled(text, "adql").uses] == [None, Circle(10, 20, 5)]
    assert answer(text, "adql") == [(3009,)]


@pytest.mark.parametrize(
    "region",
    [
        Polygon(((10, 10), (40, 10), (25, 50))), Polygon(((350, -10), (20, -10), (20, 20), (350, 20))),
        Polygon(((0, 60), (90, 60), (180, 60), (270, 60))), Polygon(((0, 0), (0, 40), (40, 40), (20, 20), (40, 0))),
        Polygon(tuple((180 + (60 + 20 * (i % 2)) * math.cos(math.radians(i)), 40 * math.sin(math.radians(i)))
                      for i in range(360))),
        Box(1, 1, 40, 21), Box(123, 89, 30, 30), Box(359, -40, 10, 100),
    ],
)  # fmt: skip
def test_polygons_and_boxes_test_what_sky_tests(answer: Answer, rows: Rows, region: Any) -> None:
    table = rows["hsc.SumCat"].to_pydict()
    inside = region.contains(table["MatchRA"], table["MatchDec"])
    if isinstance(region, Box):
        shape = f"box({region.ra}, {region.dec}, {region.width}, {region.height})"
    else:
        corners = ", ".join(f"{ra}, {dec}" for ra, dec in region.vertices)
        shape = f"polygon({corners})"
        text = f"select count(*) from SumCat where q3c_poly_query(MatchRA, MatchDec, ARRAY[{corners}])"
        assert answer(text, "postgres") == [(inside.sum(),)]
    text = f"select count(*) from SumCat where 1 = contains(point(MatchRA, MatchDec), {shape})"
    assert answer(text, "adql") == [(inside.sum(),)]
    text = f"select count(*) from SumCat where 0 = contains(point(MatchRA, MatchDec), {shape})"
    assert answer(text, "adql") == [((~inside).sum(),)]


@pytest.mark.parametrize(
    ("ra", "dec", "axis", "ratio", "angle"),
    [
        (10, 20, 5, 0.4, 30),
        (359.9, -60, 20, 0.3, 110),
        (100, 85, 40, 0.5, 0),
        (50, 0, 80, 0.9, 77),
        (0, -90, 30, 1, 0),
    ],
)
def test_ellipses_are_those_of_the_tangent_plane(
    answer: Answer,
    compiled: Compile,
    rows: Rows,
    ra: float,
    dec: float,
    axis: float,
    ratio: float,
    angle: float,
) -> None:
    table = rows["hsc.SumCat"].to_pydict()
    centre = SkyCoord(ra, dec, unit="deg")
    offsets = SkyCoord(table["MatchRA"], table["MatchDec"], unit="deg").transform_to(
        centre.skyoffset_frame(rotation=angle * u.deg)
    )
    x, y, z = offsets.cartesian.xyz.value  # to the centre, along the minor axis, along the major axis
    with np.errstate(divide="ignore"):
        inside = (x > 0) & (np.hypot(z / x, y / x / ratio) <= np.tan(np.radians(axis)))
    assert 0 < inside.sum() < len(inside)
    text = f"select count(*) from SumCat where q3c_ellipse_query(MatchRA, MatchDec, {ra}, {dec}, {axis}, {ratio}, {angle})"
    assert answer(text, "postgres") == [(inside.sum(),)]
    assert answer(text.replace("where", "where not"), "postgres") == [((~inside).sum(),)]
    [use] = compiled(text, "postgres").uses
    assert use.region == Circle(ra, dec, axis)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("10, 20, 95, 0.5, 0", "below 90"),
        ("10, 20, -1, 0.5, 0", "below 90"),
        ("10, 20, 5, 1.5, 0", "axis ratio"),
        ("10, 20, 5, 0, 0", "axis ratio"),
    ],
)
def test_what_is_no_ellipse_is_refused(compiled: Compile, given: str, said: str) -> None:
    with pytest.raises(QuerySyntaxError, match=said):
        compiled(f"select * from SumCat where q3c_ellipse_query(MatchRA, MatchDec, {given})", "postgres")


def test_less_is_not_less_or_equal(answer: Answer) -> None:
    text = "select count(*) from SumCat where distance(MatchRA, MatchDec, 0, 0) {} 0"
    assert answer(text.format("<="), "adql") == [(1,)]
    assert answer(text.format("<"), "adql") == [(0,)]
    assert answer(text.format(">="), "adql") == [(3009,)]
    assert answer(text.format("> -1 +"), "adql") == [(3009,)]
    assert answer("select count(*) from SumCat where distance(MatchRA, MatchDec, 0, 0) <= 180", "adql") == [
        (3009,)
    ]
    assert answer("select count(*) from SumCat where distance(MatchRA, MatchDec, 0, 0) < 180", "adql") == [
        (3008,)
    ]


JOINS = [
    ("adql", "select s.MatchID, g.id from SumCat s join gaia.stars g on distance(s.MatchRA, s.MatchDec, g.ra, g.dec) < {r}"),
    ("adql", "select s.MatchID, g.id from SumCat s, gaia.stars g where 1 = contains(point(g.ra, g.dec), circle(s.MatchRA, s.MatchDec, {r}))"),
    ("postgres", "select s.MatchID, g.id from SumCat s, gaia.stars g where q3c_join(s.MatchRA, s.MatchDec, g.ra, g.dec, {r})"),
    ("postgres", "select s.MatchID, x.id from SumCat s, lateral (select id from gaia.stars g where q3c_dist(s.MatchRA, s.MatchDec, g.ra, g.dec) < {r}) x"),
    ("tsql", "select n.MatchID, g.id from gaia.stars g cross apply dbo.SearchSumCatalog(g.ra, g.dec, {r} * 3600, 1) n"),
    ("tsql", "select s.MatchID, g.id from SumCat s join gaia.stars g on dbo.fDistanceArcMinEq(s.MatchRA, s.MatchDec, g.ra, g.dec) < {r} * 60"),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "text"), JOINS)
@pytest.mark.parametrize("radius", [0.001, 0.7, 9.5])
def test_sky_joins_find_every_pair_once(
    answer: Answer, matrix: Any, dialect: str, text: str, radius: float
) -> None:
    wanted = {(i + (1 << 60), j) for i, j in np.argwhere(matrix < radius).tolist()}
    found = answer(text.format(r=radius), dialect)
    assert len(found) == len(set(found))
    assert {p for p in set(found) ^ wanted if abs(matrix[p[0] - (1 << 60), p[1]] - radius) > 1e-9} == set()
    assert len(wanted) > (5 if radius < 0.01 else 100)


def test_an_outer_sky_join_keeps_unmatched_rows_once(answer: Answer, compiled: Compile) -> None:
    text = "select s.MatchID, g.id from SumCat s left join gaia.stars g on distance(s.MatchRA, s.MatchDec, g.ra, g.dec) < 0.5"
    assert [match.outer for match in compiled(text, "adql").matches] == [True]
    inner = answer(text.replace("left join", "join"), "adql")
    outer = answer(text, "adql")
    assert sorted(p for p in outer if p[1] is not None) == sorted(inner)
    assert len(outer) == len(inner) + 3009 - len({p[0] for p in inner})


def test_a_full_sky_join_keeps_both_sides(answer: Answer) -> None:
    near = "distance(s.MatchRA, s.MatchDec, g.ra, g.dec) < 0.5"
    text = "select s.MatchID, g.id from (select top 300 * from SumCat) s {} join (select top 300 * from gaia.stars) g on "
    inner, full = (answer(text.format(kind) + near, "adql") for kind in ("inner", "full"))
    lonely = 600 - len({p[0] for p in inner}) - len({p[1] for p in inner})
    assert len(full) == len(inner) + lonely


def test_the_nearest_of_each_row(answer: Answer, matrix: Any) -> None:
    nearest = np.where(matrix.min(axis=1) < 2, matrix.min(axis=1), np.nan)
    text = (
        "select s.MatchID, x.d from SumCat s left join lateral (select g.id, q3c_dist(s.MatchRA, s.MatchDec, g.ra, g.dec) as d"
        " from gaia.stars g where q3c_join(s.MatchRA, s.MatchDec, g.ra, g.dec, 2.0) order by d limit 1) as x on true order by 1"
    )
    found = np.array([np.nan if d is None else d for _, d in answer(text, "postgres")])
    np.testing.assert_allclose(found, nearest, atol=1e-12)
    text = "select s.MatchID, n.sep from SumCat s outer apply gaia.fGetNearestStar(s.MatchRA, s.MatchDec, 120) n order by 1"
    found = np.array([np.nan if d is None else d for _, d in answer(text)])
    np.testing.assert_allclose(found, nearest * 60, atol=1e-9)


def test_values(answer: Answer, rows: Rows) -> None:
    table = rows["hsc.SumCat"].to_pydict()
    distance = apart(vectors(table["MatchRA"], table["MatchDec"]), vectors(180, 1e-7))
    text = (
        "select distance(MatchRA, MatchDec, 180, 1e-7), coord1(point(MatchRA, 1)), area(circle(1, 2, 90)),"
        " contains(point(MatchRA, MatchDec), circle(180, 0, 90.1)) from SumCat order by MatchID"
    )
    found = np.array(answer(text, "adql"), float)
    np.testing.assert_allclose(found[:, 0], distance, atol=1e-12)
    np.testing.assert_allclose(found[:, 1], table["MatchRA"])
    np.testing.assert_allclose(found[:, 2], 2 * math.pi * (180 / math.pi) ** 2)
    np.testing.assert_array_equal(
        found[:, 3], apart(vectors(table["MatchRA"], table["MatchDec"]), vectors(180, 0)) < 90.1
    )


@pytest.mark.parametrize(
    ("condition", "error", "said"),
    [
        ("1 = contains(point(MatchRA, MatchDec), circle(10, 95, 1))", QueryError, "95"),
        ("1 = contains(point(MatchRA, MatchDec), circle(10, 5, -1))", QueryError, "-1"),
        ("1 = contains(point(MatchRA, MatchDec), circle(10, 5, 181))", QueryError, "181"),
        ("1 = contains(point(MatchRA, MatchDec), polygon(0, 0, 1, 0, 2, 0))", QueryError, "polygon"),
        ("2 = contains(point(MatchRA, MatchDec), circle(10, 5, 1))", QuerySyntaxError, "1 or 0"),
        ("1 = contains(point(MatchRA, 91), circle(10, 5, 1))", QueryError, "91"),
        ("1 = contains(point(MatchRA, MatchDec), box(10, 5, 0, 2))", QueryError, "width"),
    ],
)
def test_impossible_geometry_is_refused_with_its_place(
    compiled: Compile, condition: str, error: type[QueryError], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        compiled(f"select MatchID\nfrom SumCat\nwhere {condition}", "adql")
    assert caught.value.fields["line"] == 3
