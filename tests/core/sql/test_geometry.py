"""Geometry as values, in columns and in every pair, run against the regions that ``awe.core.sky`` makes one by one.

What each form becomes stands in ``fixtures/pairs/adql_shapes.sql``.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from awe.core.sky import Box, Circle, Polygon, Range, Region, encloses, parse_stcs, separation
from awe.core.sql import Query
from awe.errors import QueryError

Answer = Callable[..., list[tuple[Any, ...]]]
Compile = Callable[..., Query]
Rows = Mapping[str, pa.Table]


def lowered(compiled: Compile, text: str) -> str:
    query = compiled(text, "adql")
    return query.lower("duckdb", {use.key: f'"{use.table.full_name}"' for use in query.uses})


@pytest.fixture(scope="session")
def table(rows: Rows) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = rows["ivoa.obs"].to_pydict()
    return found


def polygon(numbers: list[float]) -> Polygon:
    return Polygon(tuple(zip(numbers[::2], numbers[1::2], strict=True)))


def regions(table: Mapping[str, list[Any]], name: str) -> list[Region | None]:
    """What each row of a column of shapes covers."""
    if name == "s_region":
        return [None if s is None or s.startswith("not") else parse_stcs(s) for s in table["s_region"]]
    make: dict[str, Callable[[list[float]], Region]] = {
        "disc": lambda d: Circle(d[0], d[1], d[2]), "poly": polygon, "pos": lambda p: Circle(p[0], p[1], 0),
    }  # fmt: skip
    if name == "shape":
        return regions(table, "poly")
    return [None if numbers is None else make[name](numbers) for numbers in table[name]]


CONSTANTS: dict[str, Region] = {
    "CIRCLE(10, 80, 25)": Circle(10, 80, 25),
    "CIRCLE(0, 0, 100)": Circle(0, 0, 100),
    "POLYGON(350, -30, 60, -30, 60, 40, 350, 40)": Polygon(((350, -30), (60, -30), (60, 40), (350, 40))),
    "POLYGON(0, 0, 60, 0, 60, 60, 50, 50, 50, 5, 0, 5)": Polygon(
        ((0, 0), (60, 0), (60, 60), (50, 50), (50, 5), (0, 5))
    ),
    "BOX(200, -85, 40, 20)": Box(200, -85, 40, 20),
    "REGION('PositionInterval ICRS 340 -20 30 50')": Range(340, 30, -20, 50),
    "POINT(123, 90)": Circle(123, 90, 0),
    "CAST('150 -60 210 -60 180 0' AS POLYGON)": Polygon(((150, -60), (210, -60), (180, 0))),
}


def expected(test: Callable[[Region], bool], shapes: list[Region | None]) -> list[int | None]:
    return [None if shape is None else int(test(shape)) for shape in shapes]


@pytest.mark.parametrize("column", ["pos", "disc", "poly", "s_region", "shape"])
@pytest.mark.parametrize("constant", CONSTANTS)
def test_columns_against_constants(answer: Answer, table: Any, column: str, constant: str) -> None:
    region, shapes = CONSTANTS[constant], regions(table, column)
    if isinstance(region, Range) and column in {"poly", "shape", "s_region"}:
        pytest.skip("ranges go one by one, slowly, and are compared with polygons in tests/core/sky")
    text = (
        f"SELECT INTERSECTS({column}, {constant}) AS a, INTERSECTS({constant}, {column}) AS b,"
        f" CONTAINS({column}, {constant}) AS c, CONTAINS({constant}, {column}) AS d FROM ivoa.obs ORDER BY id"
    )
    met, again, inside, around = (list(values) for values in zip(*answer(text, "adql"), strict=True))
    assert met == again == expected(region.intersects, shapes)
    assert inside == expected(lambda shape: encloses(region, shape), shapes)
    assert around == expected(lambda shape: encloses(shape, region), shapes)
    for function, values in (("INTERSECTS", met), ("CONTAINS", inside)):
        for flag in (0, 1):
            query = f"SELECT id FROM ivoa.obs WHERE {flag} = {function}({column}, {constant}) ORDER BY id"
            assert [i for (i,) in answer(query, "adql")] == [i for i, v in enumerate(values) if v == flag]


PAIRS = [("disc", "poly"), ("poly", "s_region"), ("s_region", "s_region"), ("pos", "shape"), ("disc", "disc")]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_columns_against_columns(answer: Answer, table: Any, one: str, other: str) -> None:
    left, right = regions(table, one), regions(table, other)
    for function, test in (("INTERSECTS", Region.intersects), ("CONTAINS", lambda a, b: encloses(b, a))):
        query = (
            f"SELECT a.id AS i, b.id AS j FROM ivoa.obs AS a, ivoa.obs AS b WHERE 1 = {function}(a.{one}, b.{other})"
            " AND MOD(a.id, 3) = 0"
        )
        found = set(answer(query, "adql"))
        for i, a in list(enumerate(left))[::3]:
            for j, b in enumerate(right):
                if a is None or b is None:
                    assert (i, j) not in found
                    continue
                near = (
                    separation(table["s_ra"][i], table["s_dec"][i], table["s_ra"][j], table["s_dec"][j]) < 25
                )
                if near:
                    wanted = a.intersects(b) if function == "INTERSECTS" else test(a, b)
                    assert ((i, j) in found) == wanted, (i, j)
                else:
                    assert (i, j) not in found


def test_what_reach_leaves_out_is_nothing(answer: Answer, compiled: Compile) -> None:
    """A row whose reach is unknown is tested as well, and the exact test has the last word."""
    for constant in CONSTANTS:
        narrowed = f"SELECT id FROM ivoa.obs WHERE 1 = INTERSECTS(s_region, {constant}) ORDER BY id"
        plain = f"SELECT id FROM ivoa.obs WHERE NOT (0 = INTERSECTS(s_region, {constant})) ORDER BY id"
        assert answer(narrowed, "adql") == answer(plain, "adql")
    assert '"s_fov"' in lowered(compiled, "SELECT id FROM ivoa.obs WHERE 1 = CONTAINS(POINT(1, 2), s_region)")


def test_measures(answer: Answer, table: Any) -> None:
    for column in ("pos", "disc", "poly", "s_region", "shape"):
        shapes = regions(table, column)
        text = f"SELECT AREA({column}), COORD1(CENTROID({column})), COORD2(CENTROID({column})), COORDSYS({column})"
        rows = answer(text + " FROM ivoa.obs ORDER BY id", "adql")
        for (area, ra, dec, frame), shape in zip(rows, shapes, strict=True):
            if shape is None:
                assert (area, ra, dec, frame) == (None,) * 4
                continue
            assert area == pytest.approx(shape.area, rel=1e-7, abs=1e-15)
            assert frame == "ICRS"
            circle = shape.bounding_circle()
            assert separation(ra, dec, circle.ra, circle.dec) <= circle.radius + 1e-9


def test_points_of_columns_join_on_the_sky(answer: Answer, compiled: Compile) -> None:
    forms = (
        "DISTANCE(a.pos, b.pos) < 7", "7 > DISTANCE(a.pos, POINT(b.s_ra, b.s_dec))",
        "1 = CONTAINS(a.pos, CIRCLE(b.pos, 7))", "CONTAINS(POINT(b.s_ra, b.s_dec), CIRCLE(a.pos, 7)) = 1",
        "1 = INTERSECTS(CIRCLE(a.pos, 3), CIRCLE(b.s_ra, b.s_dec, 4))",
        "DISTANCE(a.s_ra, a.s_dec, COORD1(b.pos), COORD2(b.pos)) <= 7",
    )  # fmt: skip
    found = []
    for form in forms:
        text = f"SELECT a.id AS i, b.id AS j FROM ivoa.obs AS a JOIN ivoa.obs AS b ON {form} ORDER BY i, j"
        assert compiled(text, "adql").matches
        found.append(answer(text, "adql"))
    assert all(pairs == found[0] for pairs in found)
    assert len(found[0]) > 120


def test_values_come_with_their_types(compiled: Compile) -> None:
    query = compiled(
        "SELECT POINT(s_ra, s_dec), CIRCLE(pos, 0.1) AS c, POLYGON(pos, pos, pos) AS p, BOX(pos, 1, 1) AS b,"
        " CENTROID(poly) AS m, AREA(poly) AS a, COORD1(pos) AS x, COORD2(pos) AS y, DISTANCE(pos, pos) AS d,"
        " REGION('CIRCLE 1 2 3') AS r, CONTAINS(pos, poly) AS i, COORDSYS(pos) AS f, poly FROM ivoa.obs",
        "adql",
    )
    double = pa.float64()
    assert [(c.name, c.type, c.unit, c.ucd, c.xtype) for c in query.columns] == [
        ("point_1", pa.list_(double, 2), "deg", "pos.eq", "point"),
        ("c", pa.list_(double, 3), "deg", "pos.outline", "circle"),
        ("p", pa.list_(double), "deg", "pos.outline", "polygon"),
        ("b", pa.list_(double), "deg", "pos.outline", "polygon"),
        ("m", pa.list_(double, 2), "deg", "pos.eq", "point"),
        ("a", double, "deg2", "phys.angArea", ""),
        ("x", double, "deg", "pos.eq.ra", ""),
        ("y", double, "deg", "pos.eq.dec", ""),
        ("d", double, "deg", "pos.angDistance", ""),
        ("r", pa.string(), "", "pos.outline", "adql:REGION"),
        ("i", pa.int32(), "", "", ""),
        ("f", pa.string(), "", "", ""),
        ("poly", pa.list_(double), "deg", "", "polygon"),
    ]


def test_values_that_are_off_the_sky_are_null(answer: Answer) -> None:
    text = (
        "SELECT POINT(s_ra, s_dec + 200), CIRCLE(pos, -id - 1), POLYGON(s_ra, s_dec + 200, 1, 2, 3, 4),"
        " BOX(pos, 180 + id, 1), POINT(s_ra - 720, 5) FROM ivoa.obs WHERE id = 1"
    )
    ((point, circle, ring, box, turned),) = answer(text, "adql")
    assert (point, circle, ring, box) == (None,) * 4
    assert 0 <= turned[0] <= 360


def test_a_text_that_is_no_shape_is_the_querys_fault_when_it_is_cast(answer: Answer) -> None:
    (first, *_) = answer(
        "SELECT CAST(note AS POINT), CAST(shape AS POLYGON) FROM ivoa.obs ORDER BY id", "adql"
    )
    (wanted, *_) = answer("SELECT pos, poly FROM ivoa.obs ORDER BY id", "adql")
    assert (list(first[0]), first[1]) == (wanted[0], wanted[1])
    with pytest.raises(Exception, match="not a CIRCLE"):
        answer("SELECT CAST(note AS CIRCLE) FROM ivoa.obs", "adql")


def test_geometry_groups_counts_and_sorts(answer: Answer) -> None:
    text = (
        "SELECT CONTAINS(pos, CIRCLE(0, 90, 60)) AS north, COUNT(*) AS n, MAX(AREA(poly)) AS largest FROM ivoa.obs"
        " GROUP BY CONTAINS(pos, CIRCLE(0, 90, 60)) HAVING MIN(DISTANCE(pos, POINT(0, 90))) < 170 ORDER BY north"
    )
    (south, north) = answer(text, "adql")
    assert (south[0], north[0]) == (0, 1)
    assert south[1] + north[1] == 99
    nearest = answer("SELECT TOP 5 id FROM ivoa.obs ORDER BY DISTANCE(pos, POINT(10, 20))", "adql")
    every = answer("SELECT id, DISTANCE(pos, POINT(10, 20)) FROM ivoa.obs", "adql")
    assert [i for (i,) in nearest] == [i for i, _ in sorted(every, key=lambda row: row[1])[:5]]
    assert np.isfinite([d for _, d in every]).all()


@pytest.mark.parametrize("dialect", ["tsql", "postgres"])
def test_other_dialects_have_no_shapes(compiled: Compile, dialect: str) -> None:
    with pytest.raises(QueryError):
        compiled("SELECT CAST(note AS POINT) FROM ivoa.obs", dialect)
