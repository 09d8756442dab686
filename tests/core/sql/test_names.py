"""Names, types and units: what a query gives is known before it runs."""

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pytest

from awe.core.sql import Query, compile_query
from awe.core.sql.functions import AGGREGATE, DERIVED, FUNCTIONS, GEOMETRY, WINDOW
from awe.errors import ParameterError, QueryError

Answer = Callable[..., list[tuple[Any, ...]]]
Compile = Callable[..., Query]

FOUNDING = """SELECT
  MatchRA, MatchDEC, MatchID, CI, W2_F606W, W2_F814W, V_I=W2_F606W - W2_F814W
FROM
  SearchSumCatalog(187.706, 12.351, 500.0, 1)
where CI > 1.05 and CI < 1.5
and (W2_F606W - W2_F814W) > 0.0 and (W2_F606W - W2_F814W) < 1.0
and numimages > 50
ORDER BY matchID
"""


def test_the_founding_query(compiled: Compile, rows: Mapping[str, pa.Table]) -> None:
    query = compiled(FOUNDING)
    assert query.columns.names == ("MatchRA", "MatchDEC", "MatchID", "CI", "W2_F606W", "W2_F814W", "V_I")
    assert [c.unit for c in query.columns] == ["deg", "deg", "", "", "mag", "mag", "mag"]
    (use,) = query.uses
    assert (use.table.full_name, use.region and use.region.to_dali()) == (
        "hsc.SumCat",
        f"CIRCLE 187.706 12.351 {500 / 3600!r}",
    )


def test_the_founding_query_gives_its_rows(answer: Answer, rows: Mapping[str, pa.Table]) -> None:
    wide = FOUNDING.replace("500.0", "500000.0")
    found = answer(wide)
    ids = [row[2] for row in found]
    assert len(ids) > 20
    assert ids == sorted(ids)
    assert all(
        1.05 < r[3] < 1.5 and 0 < r[6] < 1 and r[6] == pytest.approx(r[4] - r[5], abs=1e-6) for r in found
    )


@pytest.mark.parametrize(
    ("dialect", "text", "names"),
    [
        (
            "tsql",
            "select count(*), CI = max(CI), min(CI), 1 from SumCat",
            ("Column1", "CI", "Column2", "Column3"),
        ),
        ("tsql", "select count(*) as 'all', sum(1) [the sum] from SumCat", ("all", "the sum")),
        (
            "postgres",
            "select count(*), count(*), max(CI), 1 from SumCat",
            ("count", "count_2", "max", "?column?"),
        ),
        (
            "postgres",
            (
                "select CI::int, 1::bigint, CI + 1, (avg(CI)), case when CI > 1 then 2 else 3 end, case when CI > 1 then 2 "
                "else CI end, (select max(z) from Spec), (select z as q from Spec limit 1), row_number() over () from SumCat group by CI"
            ),
            ("CI", "int8", "?column?", "avg", "case", "CI_6", "max", "q", "row_number"),
        ),  # what PostgreSQL 15 answers, but for the number
        ("adql", "select count(*), max(CI), 1+1 from SumCat", ("count_1", "max_2", "column_3")),
        ("adql", 'select a.MATCHID, b."MatchID" from SumCat a, SumCat b', ("MATCHID", "MatchID")),
        ("adql", "select a.CI, b.CI, b.CI as CI_2 from SumCat a, SumCat b", ("CI", "CI_3", "CI_2")),
        ("postgres", "select a.CI, b.CI from SumCat a, SumCat b", ("CI", "CI")),
        ("postgres", "select t.* from (select ci, z as q from sumcat natural join spec) t", ("ci", "q")),
        ("tsql", "with x(a, b) as (select CI, 2 from SumCat) select B, A from X", ("B", "A")),
        ("postgres", "select x.* from (select 1, 2) as x(a, b)", ("a", "b")),
    ],
)
def test_output_names(compiled: Compile, dialect: str, text: str, names: tuple[str, ...]) -> None:
    assert compiled(text, dialect).columns.names == names


def test_merged_columns_appear_once(compiled: Compile) -> None:
    names = compiled("select * from SumCat s join Spec p using (MatchID)", "postgres").columns.names
    assert [n for n in names if n == "MatchID"] == ["MatchID"]
    assert [n for n in names if n == "Class"] == ["Class", "Class"]
    natural = compiled("select * from SumCat natural join Spec", "adql").columns.names
    assert natural.count("Class") == natural.count("MatchID") == 1


def test_plain_columns_keep_all_that_is_said_of_them(compiled: Compile) -> None:
    query = compiled("select w2_f606w as blue, max(W2_F606W), abs(W2_F606W) from SumCat group by W2_F606W")
    blue, largest, absolute = query.columns
    assert (blue.name, blue.unit, blue.description, blue.type) == (
        "blue",
        "mag",
        "W2_F606W of SumCat",
        pa.float32(),
    )
    assert (largest.unit, absolute.unit, largest.description) == ("mag", "mag", "")


def test_declared_types_are_the_engines_types(compiled: Compile, engine: Any) -> None:
    values = {
        "tsql": "CI/2, CI+1, MatchID/2, NumImages*2, NumImages/7, MatchID & 3, 1, 3000000000, 1.5, Class+'x', len(Class),"
        " isnull(CI, 0), log(CI), square(CI), round(CI, 1), floor(CI), case when CI > 1 then 1 else 2.5 end, null,"
        " cast(CI as int), convert(varchar(5), CI), str(CI, 5, 2), iif(CI > 1, 'a', 'b'), charindex('s', Class), -CI,"
        " row_number() over (order by CI), sign(CI), ceiling(CI), abs(NumImages), coalesce(CI, MatchRA), newid()",
        "postgres": "MatchID % 3, CI::float8, 2^3, random(), q3c_dist(MatchRA, MatchDec, 1, 2), trunc(CI), length(Class),"
        " CI > 1, mod(NumImages, 2), greatest(CI, 2), concat(Class, 1), lag(CI) over (order by CI), nullif(CI, 1)",
        "adql": "truncate(MatchRA, 2), mod(NumImages, 2), lower(Class), CAST(CI as smallint), coalesce(CI, 1), pi(),"
        " contains(point(1, 2), circle(1, 2, 3)), ivo_nocasematch(Class, 'q%'), Class || 'x', atan2(CI, 2)",
    }  # fmt: skip
    aggregates = (
        "count(*), sum(NumImages), sum(CI), avg(NumImages), min(Class), max(CI), count(distinct Class)"
    )
    for dialect, expressions in values.items():
        for text in (f"select {expressions} from SumCat", f"select {aggregates} from SumCat"):
            query = compiled(text, dialect)
            made = engine.sql(query.lower("duckdb", {"t1": '"hsc.SumCat"'})).to_arrow_table()
            assert [str(f.type) for f in made.schema] == [str(c.type) for c in query.columns]


def test_set_operations_agree_on_types_and_order(answer: Answer, compiled: Compile) -> None:
    text = "select NumImages from SumCat union all select CI from SumCat union select 0.5 order by 1 desc"
    assert [str(c.type) for c in compiled(text, "postgres").columns] == ["double"]
    found = [v for (v,) in answer(text, "postgres")]
    assert found == sorted(found, reverse=True)
    text = "select 1 as a from SumCat intersect select 1 from Spec except select 2 from Spec"
    assert answer(text, "adql") == [(1,)]


@pytest.mark.parametrize(
    ("dialect", "text", "most"),
    [
        ("tsql", "select top 7 MatchID from SumCat", 7),
        ("tsql", "select top (0) MatchID from SumCat", 0),
        ("postgres", "select MatchID from SumCat limit 5 offset 2", 5),
        ("adql", "select top 3 MatchID from SumCat offset 2", 3),
        ("adql", "select MatchID from SumCat", None),
        ("tsql", "select MatchID from (select top 7 MatchID from SumCat) x", None),
    ],
)
def test_max_rows(compiled: Compile, answer: Answer, dialect: str, text: str, most: int | None) -> None:
    assert compiled(text, dialect).max_rows == most
    if most is not None:
        assert len(answer(text, dialect)) == most


def test_order_by_what(answer: Answer) -> None:
    ids = [i for (i,) in answer("select MatchID from SumCat order by CI desc, MatchID")]
    assert ids == [i for i, _ in answer("select MatchID, c = CI from SumCat order by c desc, 1")]
    assert ids == [i for (i,) in answer("select MatchID from SumCat s order by -s.CI, MatchID")]


def test_scopes(answer: Answer) -> None:
    inner = (
        "select count(*) from SumCat s where exists (select 1 from Spec where MatchID = s.MatchID and z > 0)"
    )
    joined = "select count(distinct s.MatchID) from SumCat s join Spec p on p.MatchID = s.MatchID where z > 0"
    assert answer(inner) == answer(joined)
    assert answer("select count(*) from SumCat where MatchID in (select MatchID from Spec)") == [(500,)]
    assert answer("select count(*) from Spec where Class in (select 'qso')") == answer(
        "select count(Class) from Spec"
    )


def test_same_query_same_sql(compiled: Compile) -> None:
    lowered = {compiled(FOUNDING).lower("duckdb", {"t1": "x"}) for _ in range(3)}
    assert len(lowered) == 1


def test_unknown_dialects_and_targets(world: Any, compiled: Compile) -> None:
    with pytest.raises(ParameterError, match="adql"):
        compile_query("select 1", world, dialect="adlq")
    with pytest.raises(ParameterError, match="duckdb"):
        compiled("select 1").lower("oracle", {})


def test_a_view_that_is_wrong_is_no_place_in_the_callers_text(compiled: Compile) -> None:
    with pytest.raises(QueryError) as caught:
        compiled("select * from SearchSumCatalog(1, 2, 3600000, 1)")
    assert "radius" in str(caught.value)


def test_every_function_is_described_and_written() -> None:
    for function in FUNCTIONS.values():
        assert function.doc.endswith((".", ")")), function.name
        assert bool(function.lowering) is (function.kind not in {GEOMETRY, DERIVED}), function.name
        assert function.kind in {"scalar", AGGREGATE, WINDOW, GEOMETRY, DERIVED}
