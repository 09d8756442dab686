"""Batches: several statements, what each gives, and what stays."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from tests.services.catalogs.batches.conftest import ADA, BOB, Run
from tests.services.catalogs.batches.world import World

from awe.errors import (
    AuthenticationError,
    AweError,
    CancelledError,
    ConflictError,
    NotFoundError,
    NotOfferedError,
    QueryError,
    QuerySyntaxError,
    TimeLimitError,
    UnknownNameError,
)
from awe.platform import Platform
from awe.services.catalogs import ROWS_AFFECTED
from awe.services.identity import ANONYMOUS

One = Callable[..., pd.DataFrame]


def test_statements_need_no_semicolon(run: Run, world: World) -> None:
    first, second = run("select count(*) as n from Star\nselect min(ra), max(ra) from Galaxy")
    assert first["n"].tolist() == [len(world.star)]
    assert second.iloc[0].tolist() == [world.galaxy["ra"].min(), world.galaxy["ra"].max()]


def test_results_come_lazily_and_say_where_they_come_from(archive: Platform) -> None:
    text = "select 1 as a\n\nselect 2 as b into mydb.lazy;\nselect nothing from nowhere"
    with archive.batches.run(text, identity=ADA) as results:
        one = next(results)
        assert (one.name, one.line, one.statement, one.affected) == ("Table1", 1, "select 1 as a", None)
        with pytest.raises(NotFoundError):
            archive.tables.table("mydb.lazy", ADA)
        two = next(results)
        assert (two.name, two.line, two.affected) == ("Table2", 3, 1)
        assert two.stream.to_table().to_pydict() == {ROWS_AFFECTED: [1]}
        with pytest.raises(UnknownNameError, match="line 4, column 21"):
            next(results)
    assert archive.tables.table("mydb.lazy", ADA).rows == 1
    archive.tables.drop("mydb.lazy", ADA)


def test_a_stream_outlives_the_iterator_that_gave_it(archive: Platform) -> None:
    stream = next(archive.batches.run("select 1 as a into #t; select a from #t", identity=ADA)).stream
    assert stream.to_table().to_pydict() == {"a": [1]}
    assert archive.engine.tables()  # the published ones
    assert not [t for t in archive.engine.tables() if t.startswith("tap_upload")]


def test_a_result_that_the_batch_passed_by_says_so(archive: Platform) -> None:
    first, second = archive.batches.run("select objID from sdss.Star; select 2 as b", identity=ADA)
    assert first.stream.schema.names == ("objID",)
    for result in (first, second):
        with pytest.raises(CancelledError, match="read each result in turn"):
            result.stream.to_table()


def test_a_batch_without_rows_gives_one_empty_result(one: One) -> None:
    for text in ("create table mydb.t (a int); drop table mydb.t", "print 'hello'"):
        assert one(text).to_dict("list") == {ROWS_AFFECTED: []}


def test_create_insert_update_delete(run: Run) -> None:
    found = run(
        "create table mydb.t(id bigint not null primary key, ra float, tag varchar(12))\n"
        "insert into mydb.t values (9007199254740993, 1.5, 'a'), (2, NULL, 'b')\n"
        "insert into t (tag, id) select 'c', 3\n"
        "update t set tag = tag + '!', ra = 7 where tag in ('A', 'c')\n"
        "delete from mydb.t where id = 2\n"
        "select * from mydb.t"
    )
    assert [f.iloc[0, 0] for f in found[:-1]] == [2, 1, 2, 1]
    assert found[-1].to_dict("list") == {"id": [9007199254740993, 3], "ra": [7.0, 7.0], "tag": ["a!", "c!"]}


def test_update_from_another_table(run: Run, world: World) -> None:
    run(
        "select top 50 bestObjID, z, class into mydb.mine from SpecObj order by bestObjID; update mydb.mine set z = -1"
    )
    run(
        "update m set m.z = s.z, class = lower(s.class) from mydb.mine m join SpecObj s on s.bestObjID = m.bestObjID where s.class <> 'STAR'"
    )
    (found,) = run("select * from mydb.mine order by bestObjID")
    known = world.spec.sort_values("bestObjID").head(50)
    star = (known["class"] == "STAR").to_numpy()
    assert found["z"][star].tolist() == [-1.0] * star.sum()
    np.testing.assert_array_equal(found["z"][~star].to_numpy(float), known["z"].to_numpy()[~star])
    assert found["class"][~star].tolist() == known["class"].str.lower()[~star].tolist()


def test_delete_from_another_table(run: Run, world: World) -> None:
    run("select bestObjID into mydb.mine from SpecObj")
    (affected,) = run(
        "delete m from mydb.mine m, SpecObj s where s.bestObjID = m.bestObjID and s.class = 'QSO'"
    )
    assert affected.iloc[0, 0] == (world.spec["class"] == "QSO").sum()


def test_alter(run: Run) -> None:
    run("select 1 as a, 2.5 as b into mydb.t")
    run(
        "alter table mydb.t add c varchar(3), d int; alter table t drop column a; exec sp_rename 'mydb.t.b', 'x', 'column'"
    )
    run("alter table t alter column x int; update t set c = 'new'; exec sp_rename 'mydb.t', 'u'")
    (found,) = run("select * from mydb.u")
    assert found.to_dict("list") == {"x": [2], "c": ["new"], "d": [None]}
    run("truncate table u")
    assert len(run("select * from u")[0]) == 0


def test_variables(run: Run, world: World) -> None:
    (found,) = run(
        "declare @w float = 0.5, @n int\nset @n = 3\nset @n += 4\nselect @w = max(r) from Galaxy\n"
        "select @n as n, @w as w, @n / 2 as half, cast(@n as float) / 2 as exact"
    )
    assert found.iloc[0].tolist() == [7, world.galaxy["r"].max(), 3, 3.5]
    with pytest.raises(UnknownNameError, match="no variable @n"):
        run("declare @n int = 1\ngo\nselect @n")
    with pytest.raises(UnknownNameError, match="line 2, column 8"):
        run("declare @width int = 1\nselect @widht")


def test_variables_stand_wherever_a_value_may(run: Run, world: World) -> None:
    found = run(
        "declare @n int = 3, @most float, @name varchar(10) = 'x', @when datetime = '2026-01-02'\n"
        "set @most = (select max(r) from Galaxy)\n"
        "declare @t table (a int, b varchar(5))\n"
        "insert into @t values (@n, @name), (@n * 2, 'y')\n"
        "update @t set b = @name + '!' where a = @n\n"
        "select top (@n) objID from Galaxy where r <= @most\n"
        "select t.a, t.b from @t as t order by t.a\n"
        "if (select count(*) from @t) > 1 and @when > '2025-12-31' select @most as most"
    )
    assert len(found[0]) == 3
    assert found[1].to_dict("list") == {"a": [3, 6], "b": ["x!", "y"]}
    assert found[2]["most"].tolist() == [world.galaxy["r"].max()]


def test_temporary_tables_live_as_long_as_the_batch(run: Run, archive: Platform) -> None:
    found = run(
        "select top 5 objID into #near from Star\ninsert into #near values (1)\ndelete from #near where objID <> 1\ngo\nselect * from #near drop table #near"
    )
    assert [f.to_dict("list") for f in found] == [{"objID": [1]}]
    with pytest.raises(UnknownNameError, match="#near"):
        run("select * from #near")
    with pytest.raises(ConflictError, match="There is already an object named '#a'"):
        run("select 1 as a into #a; select 1 as a into #a")
    assert not [t for t in archive.engine.tables() if t.startswith("tap_upload")]


def test_if_and_object_id(run: Run) -> None:
    text = "if object_id('old', 'U') is not null drop table old\ncreate table old (a int)\nif object_id('mydb.old') is null select 'gone' as x else begin select 'there' as x; select 2 as y end"
    for _ in range(2):
        found = run(text)
        assert [f.iloc[0, 0] for f in found] == ["there", 2]
    assert [
        f.iloc[0, 0]
        for f in run("if exists (select * from Star where r < 0) select 1 as a else select 2 as a")
    ] == [2]
    assert [
        f.iloc[0, 0]
        for f in run("declare @x int = 4 if @x > 3 and not exists (select * from mydb.old) select 1 as a")
    ] == [1]


def test_into_is_where_a_single_query_goes(run: Run, archive: Platform) -> None:
    (affected,) = run("select 1 as a", into="mydb.x")
    assert affected.to_dict("list") == {ROWS_AFFECTED: [1]}
    with pytest.raises(ConflictError, match="There is already an object named 'x' in the database"):
        run("select 2 as a", into="mydb.x")
    run("select 2 as a", into="mydb://x", replace=True)
    assert run("select a from mydb.x")[0]["a"].tolist() == [2]
    run("SELECT TOP 1 3 AS a FROM sdss.Star", into="mydb.y", dialect="adql", context=None)
    assert run("select a from mydb.y")[0]["a"].tolist() == [3]
    for text in ("select 1 as a; select 2 as b", "drop table x", "select 1 as a into mydb.z"):
        with pytest.raises(QueryError, match="one query"):
            run(text, into="mydb.z")
    assert archive.batches.check(
        "select 1 as a into mydb.z; drop table mydb.x, y; select 1 as a into #t"
    ) == ("mydb.z", "mydb.x", "y")


def test_what_makes_a_table_is_never_cut(run: Run, world: World) -> None:
    run("select objID into mydb.every from PhotoObj", max_rows=10)
    assert run("select count(*) as n from mydb.every")[0]["n"].tolist() == [len(world.photo)]
    assert len(run("select objID from PhotoObj", max_rows=10)[0]) == 10


def test_nobody_reaches_what_is_not_his(run: Run) -> None:
    run("select 1 as a into mydb.secret", identity=ADA)
    for text in (
        "select * from user_ada.secret",
        "update user_ada.secret set a = 2",
        "drop table user_ada.secret",
        "insert into user_ada.secret values (2)",
        "truncate table user_ada.secret",
        "alter table user_ada.secret add b int",
        "exec sp_rename 'user_ada.secret', 'x'",
        "if object_id('user_ada.secret') is not null select * from nothing.there",
    ):
        if "object_id" in text:
            assert run(text, identity=BOB)[0].empty
            continue
        with pytest.raises((NotFoundError, UnknownNameError), match="no table"):
            run(text, identity=BOB)
    with pytest.raises(AuthenticationError):
        run("select 1 as a into mydb.t", identity=ANONYMOUS)
    assert run("select a from mydb.secret", identity=ADA)[0]["a"].tolist() == [1]


@pytest.mark.parametrize(
    "text",
    [
        "delete from sdss.Star",
        "update sdss.Star set ra = 0",
        "drop table sdss.Star",
        "insert into sdss.Star (ra) values (1)",
        "truncate table sdss.Star",
    ],
)
def test_published_tables_do_not_change(run: Run, text: str) -> None:
    with pytest.raises(NotOfferedError, match=r"line 1, column \d+: sdss.Star is published"):
        run(text)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        (
            "select MatchID from hsc.SumCat where CI > 1 into m87",
            QuerySyntaxError,
            r"column 45: INTO .*SELECT MatchID INTO m87 FROM",
        ),
        ("while 1 = 1 select 1", NotOfferedError, "column 1: WHILE is not offered"),
        ("insert into mydb.t values (1), (1, 2)", QuerySyntaxError, "not the same length"),
        ("create table mydb.t (a flot)", QuerySyntaxError, "column 24: there is no type flot .*float"),
        ("create view v as select 1", NotOfferedError, "CREATE VIEW is not offered"),
        ("exec xp_cmdshell 'ls'", NotOfferedError, "column 1: there is no procedure xp_cmdshell"),
        ("select 1 as a\nselct 2", QuerySyntaxError, "line 2"),
        ("grant select on t to bob", NotOfferedError, "share a table"),
        ("select @@version", NotOfferedError, "@@version is not offered"),
        ("begin select 1", QuerySyntaxError, "BEGIN has no END"),
    ],
)
def test_refusals_say_where_and_why(run: Run, text: str, error: type[AweError], said: str) -> None:
    with pytest.raises(error, match=said):
        run(text)


def test_values_that_do_not_fit(run: Run) -> None:
    run("create table mydb.t (a tinyint, b bigint, c varchar(5), d bit, e datetime, f numeric(20))")
    run("insert into t values ('7', 3.9, 12, 'true', '2026-01-02 03:04:05', 18446744073709551615)")
    (found,) = run("select * from t")
    assert found.astype(object).iloc[0].tolist() == [
        7,
        3,
        "12",
        True,
        pd.Timestamp("2026-01-02 03:04:05"),
        18446744073709551615,
    ]
    with pytest.raises(QueryError, match=r"column a.*overflow"):
        run("insert into t (a) values (300)")
    with pytest.raises(QueryError, match=r"column b.*Conversion failed"):
        run("insert into t (b) values ('x')")
    with pytest.raises(QueryError, match="2 values for 1 columns"):
        run("insert into t (a) select 1, 2")
    with pytest.raises(UnknownNameError, match="no column g"):
        run("update t set g = 1")
    assert len(run("select * from t")[0]) == 1


def test_time_is_that_of_the_whole_batch(run: Run) -> None:
    slow = "select count(*) as n from PhotoObj a, PhotoObj b, PhotoObj c where a.ra + b.dec > c.r"
    with pytest.raises(TimeLimitError):
        run(f"select 1 as a; {slow}; select 2 as b", seconds=0.5)


def test_data_labs_statements_stand_between_semicolons(run: Run) -> None:
    found = run(
        "create table mydb://x (a double precision, b varchar(3)); insert into mydb://x values (1, 'q'), (2, NULL);"
        " update mydb.x as m set a = s.k from (select 5 as k) as s where m.b = 'q'; select a from mydb://x order by a;",
        dialect="postgres",
    )
    assert found[-1]["a"].tolist() == [2.0, 5.0]
    with pytest.raises(NotOfferedError, match="a second statement begins here"):
        run("select 1 select 2", dialect="postgres")
