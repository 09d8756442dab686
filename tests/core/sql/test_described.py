"""Functions and views that a collection declares: values with parameters, and views that narrow what they read."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pytest
from tests.core.sql.sky_pairs import lowered

from awe.core.sky import separation
from awe.core.sql import Parameter, ScalarFunction, TableDef, compile_query
from awe.core.tables import Schema
from awe.errors import LimitError, QuerySyntaxError, ServiceError, UnknownNameError

from .conftest import SPEC, STARS, SUMCAT, World

TWICE = ScalarFunction("hsc", "fTwice", (Parameter("x", kind="integer"),), ":x + :x")
HALF = ScalarFunction("hsc", "fHalf", (Parameter("x"),), ":x / 2")
ARCMIN = ScalarFunction(
    "gaia", "fArcmin", tuple(Parameter(n, "deg") for n in ("ra1", "dec1", "ra2", "dec2")),
    "60 * DISTANCE(POINT(:ra1, :dec1), POINT(:ra2, :dec2))", unit="arcmin",
)  # fmt: skip
CLASSES = ScalarFunction(
    "hsc", "fCount", (Parameter("class", kind="text"),),
    "SELECT COUNT(*) FROM hsc.SumCat WHERE LOWER(Class) = LOWER(:class)",
)  # fmt: skip
NEAREST_ID = ScalarFunction(
    "gaia", "fNearestId", (Parameter("ra"), Parameter("dec"), Parameter("r", "arcmin")),
    "SELECT TOP 1 id FROM gaia.stars WHERE DISTANCE(ra, dec, :ra, :dec) <= :r / 60.0"
    " ORDER BY DISTANCE(ra, dec, :ra, :dec)",
)  # fmt: skip
LOOP = ScalarFunction("hsc", "fLoop", (Parameter("x"),), "fLoop(:x)")


def view(base: TableDef, name: str, sql: str) -> TableDef:
    return TableDef(base.schema, name, base.columns, sql=sql)


BRIGHT = view(STARS, "bright", "SELECT * FROM gaia.stars WHERE g < 15")
NORTH = view(STARS, "north", "SELECT * FROM gaia.bright WHERE dec > 0")
COUNTS = TableDef(
    "hsc", "counts", Schema((SPEC.columns["Class"], SPEC.columns["z"])),
    sql="SELECT Class, MAX(z) AS z FROM hsc.Spec GROUP BY Class",
)  # fmt: skip
STALE = TableDef("hsc", "stale", Schema((SPEC.columns["z"],)), sql="SELECT * FROM hsc.Spec")


class Described(World):
    """A world with functions and views."""

    def __init__(self) -> None:
        super().__init__()
        self.all = (*self.all, BRIGHT, NORTH, COUNTS, STALE)
        self.values = (TWICE, HALF, ARCMIN, CLASSES, NEAREST_ID, LOOP)

    def spellings(self) -> Iterable[str]:
        return [*super().spellings(), *(value.name for value in self.values)]


@pytest.fixture(scope="module")
def compiled() -> Any:
    return lambda text, dialect="tsql": compile_query(text, Described(), dialect=dialect, context="hsc")


@pytest.fixture(scope="module")
def answer(compiled: Any, engine: Any) -> Any:
    def run(text: str, dialect: str = "tsql") -> Any:
        query = compiled(text, dialect)
        relations = {use.key: f'"{use.table.full_name}"' for use in query.uses}
        return engine.sql(lowered(query, engine, relations)).fetchall()

    return run


def test_a_value_with_parameters_stands_wherever_a_value_may(answer: Any, rows: Any) -> None:
    ids = rows["hsc.SumCat"]["NumImages"].to_pylist()
    found = answer(
        "select dbo.fTwice(NumImages) + 1 from SumCat where ftwice(NumImages) > 100 order by fTwice(NumImages)"
    )
    assert [n for (n,) in found] == sorted(2 * n + 1 for n in ids if 2 * n > 100)
    sums = answer("SELECT fTwice(SUM(NumImages)) FROM hsc.SumCat", "adql")
    assert sums == [(2 * sum(ids),)]
    groups = answer("select fTwice(NumImages) k, count(*) from SumCat group by fTwice(NumImages)")
    assert dict(groups) == {2 * n: ids.count(n) for n in set(ids)}


@pytest.mark.parametrize("dialect", ["adql", "tsql", "postgres"])
def test_it_means_the_same_in_every_dialect(answer: Any, dialect: str) -> None:
    # the arguments keep the meaning of the caller's dialect, the text is ADQL
    assert answer("SELECT fTwice(7 / 2) FROM gaia.stars WHERE id = 3", dialect) == [(6,)]


def test_a_number_is_a_real_one(answer: Any) -> None:
    assert answer("select top 1 fHalf(7), fHalf(7.5), fTwice(4503599627370497) from SumCat") == [
        (3.5, 3.75, 9007199254740994)
    ]


def test_it_computes_on_the_sphere_and_has_a_unit(answer: Any, compiled: Any, rows: Any) -> None:
    stars = rows["gaia.stars"]
    text = "select fArcmin(ra, dec, 10, 20) as d from gaia.stars order by id"
    (column,) = compiled(text).columns
    assert (column.unit, column.type) == ("arcmin", pa.float64())
    truth = 60 * separation(stars["ra"].to_numpy(), stars["dec"].to_numpy(), 10.0, 20.0)
    assert [d for (d,) in answer(text)] == pytest.approx(list(truth), rel=1e-9)


def test_it_may_be_looked_up_in_a_table(answer: Any, rows: Any) -> None:
    classes = [c.casefold() for c in rows["hsc.SumCat"]["Class"].to_pylist()]
    (found,) = answer(
        "select dbo.fCount('GALAXY') + fCount('nothing'), fCount('qso') from gaia.stars where id = 1"
    )
    assert found == (classes.count("galaxy"), classes.count("qso"))
    per_row = answer("select distinct Class, fCount(Class) from SumCat")
    assert dict(per_row) == {
        c: classes.count(c.casefold()) for c in set(rows["hsc.SumCat"]["Class"].to_pylist())
    }


def test_it_may_search_around_each_row(answer: Any, rows: Any) -> None:
    stars, cat = rows["gaia.stars"], rows["hsc.SumCat"]
    found = dict(answer("select MatchID, fNearestId(MatchRA, MatchDec, 90) from SumCat where NumImages < 5"))
    ra, dec = stars["ra"].to_numpy(), stars["dec"].to_numpy()
    assert any(v is not None for v in found.values())
    assert len(found) == sum(n < 5 for n in cat["NumImages"].to_pylist())
    for row in cat.to_pylist():
        if row["NumImages"] < 5:
            away = separation(ra, dec, row["MatchRA"], row["MatchDec"])
            nearest = int(away.argmin())
            expected = stars["id"][nearest].as_py() if away[nearest] <= 1.5 else None
            assert found[row["MatchID"]] == expected


@pytest.mark.parametrize(
    ("call", "error", "message", "hint"),
    [
        ("fTwice()", QuerySyntaxError, "fTwice takes 1 argument, not 0", "fTwice(x)"),
        ("fTwice('a')", QuerySyntaxError, "x of fTwice is a whole number", None),
        ("fHalf('a')", QuerySyntaxError, "x of fHalf is a number", None),
        ("fCount(3)", QuerySyntaxError, "class of fCount is a text", None),
        ("fArcmin(1, 2)", QuerySyntaxError, "takes 4 arguments", "ra1 [deg]"),
        ("fTwic(1)", UnknownNameError, "there is no function fTwic", "did you mean fTwice?"),
        ("fLoop(1)", ServiceError, "fLoop is defined by itself", None),
    ],
)
def test_wrong_calls_are_refused_with_their_place(
    compiled: Any, call: str, error: type[Exception], message: str, hint: str | None
) -> None:
    with pytest.raises(error) as caught:
        compiled(f"select {call} from SumCat")
    assert message in str(caught.value)
    assert hint is None or hint in str(caught.value.hint)  # type: ignore[attr-defined]


@pytest.mark.slow
def test_calls_in_calls_do_not_grow_without_bound(compiled: Any) -> None:
    nested = "NumImages"
    for _ in range(30):
        nested = f"fTwice({nested})"
    with pytest.raises(LimitError, match="too large"):
        compiled(f"select {nested} from SumCat")


@pytest.mark.parametrize("dialect", ["adql", "tsql"])
def test_a_view_gives_the_rows_it_stands_for(answer: Any, rows: Any, dialect: str) -> None:
    stars = rows["gaia.stars"].to_pylist()
    found = answer("SELECT id FROM gaia.north AS n WHERE n.ra < 180 ORDER BY id", dialect)
    assert [i for (i,) in found] == [s["id"] for s in stars if s["g"] < 15 and s["dec"] > 0 and s["ra"] < 180]
    joined = answer("SELECT a.id FROM gaia.north a JOIN gaia.bright b ON a.id = b.id WHERE b.g < 10", dialect)
    assert len(joined) == sum(s["g"] < 10 and s["dec"] > 0 for s in stars)
    outer = answer("SELECT s.id, n.g FROM gaia.stars s LEFT JOIN gaia.north n ON s.id = n.id", dialect)
    assert len(outer) == len(stars)
    assert sum(g is not None for _, g in outer) == sum(s["g"] < 15 and s["dec"] > 0 for s in stars)


def test_a_cone_on_a_view_narrows_the_table_that_it_reads(compiled: Any, answer: Any, rows: Any) -> None:
    text = "SELECT id FROM gaia.north WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(40, 30, 12)) ORDER BY id"
    query = compiled(text, "adql")
    (use,) = query.uses
    assert use.table.full_name == "gaia.stars"
    assert use.region is not None
    assert use.region.area < 500
    assert "_healpix_29" in query.lower("duckdb", {use.key: "x"})
    stars = rows["gaia.stars"].to_pylist()
    near = [
        s["id"] for s in stars
        if s["g"] < 15 and s["dec"] > 0 and separation(s["ra"], s["dec"], 40.0, 30.0) <= 12
    ]  # fmt: skip
    assert near
    assert [i for (i,) in answer(text, "adql")] == near


def test_a_cone_on_the_outer_side_of_a_join_narrows_nothing(compiled: Any) -> None:
    text = (
        "SELECT s.id FROM gaia.stars s LEFT JOIN gaia.north n"
        " ON s.id = n.id AND 1 = CONTAINS(POINT(s.ra, s.dec), CIRCLE(40, 30, 12))"
    )
    assert [use.region for use in compiled(text, "adql").uses] == [None, None]


def test_a_match_with_a_view_is_right(answer: Any, rows: Any) -> None:
    text = (
        "SELECT c.MatchID, n.id FROM hsc.SumCat AS c JOIN gaia.north AS n"
        " ON DISTANCE(POINT(c.MatchRA, c.MatchDec), POINT(n.ra, n.dec)) < 2"
    )
    cat, stars = rows["hsc.SumCat"], rows["gaia.stars"].to_pylist()
    ra, dec, ids = cat["MatchRA"].to_numpy(), cat["MatchDec"].to_numpy(), cat["MatchID"].to_pylist()
    truth = {
        (ids[i], s["id"])
        for s in stars if s["g"] < 15 and s["dec"] > 0
        for i in (separation(ra, dec, s["ra"], s["dec"]) < 2).nonzero()[0]
    }  # fmt: skip
    assert truth
    assert set(answer(text, "adql")) == truth


def test_a_view_that_counts_stands_once_for_all_its_uses(compiled: Any, answer: Any) -> None:
    text = "select a.Class from counts a join counts b on a.z = b.z"
    assert len(compiled(text).uses) == 1
    assert {c for (c,) in answer(text)} == {"QSO", None}


def test_a_view_that_no_longer_fits_says_so(compiled: Any) -> None:
    with pytest.raises(UnknownNameError, match=r"hsc\.stale has other columns") as caught:
        compiled("select z from stale")
    assert "published again" in str(caught.value.hint)


def test_columns_of_a_view_keep_their_units(compiled: Any) -> None:
    (ra,) = compiled("select MatchRA from SumCat").columns
    assert ra.unit == SUMCAT.columns["MatchRA"].unit == "deg"
    (ra,) = compiled("select ra from gaia.bright").columns
    assert ra.unit == "deg"
