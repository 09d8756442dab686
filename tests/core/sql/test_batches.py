"""Where statements begin and end, what each says, and that nothing but an error of ours comes of nonsense."""

import random

import pyarrow as pa
import pytest

from awe.core.sql.batches import (
    AddColumns,
    Assign,
    Call,
    ChangeColumn,
    Counting,
    CreateTable,
    CreateTableAs,
    Declare,
    Delete,
    Drop,
    DropColumns,
    Go,
    If,
    Index,
    Insert,
    Place,
    Print,
    RenameColumn,
    RenameTable,
    Select,
    Statement,
    Truncate,
    Update,
    Use,
    object_number,
    read_batch,
    read_table_name,
)
from awe.errors import AweError, LimitError, NotOfferedError, ParameterError, QuerySyntaxError

SEPARATE = [
    ("select 1 select 2", 2),
    ("select 1\nselect 2;;select 3", 3),
    ("select a from t union all select b from u except select c from v select 4", 2),
    ("select (select max(a) from t) as m from u where exists (select 1 from v) select 2", 2),
    ("select case when a = 1 then 2 else 3 end as x from t select case a when 1 then 2 end from t", 2),
    ("with q as (select 1 as a), r as (select 2 as b) select * from q, r with s as (select 1 as a) select * from s", 2),
    ("insert into t select 1 select 2", 2),
    ("insert into t with q as (select 1 as a) select a from q select 2", 2),
    ("insert into t (a, b) values (1, 'select 2; go'), (2, 'x') select 3", 2),
    ("insert into t exec SQLxMatch 'a', 'b' select 3", 2),
    ("select 'it''s; select' as s, [select] from [drop table] where \"update\" = 1 select 2", 2),
    ("select 1 -- select 2; select 3\nselect 4 /* select 5\n go */ select 6", 3),
    ("select a from t with (nolock) where a in (1, 2) select 2", 2),
    ("create table t (a int) drop table t create table t (b int)", 3),
    ("drop table if exists t create table t (a int)", 2),
    ("alter table t drop column a alter table t alter column b int alter table t add c int alter table t add d int", 4),
    ("declare @x int = 3 set @x = 4 set nocount on set @x += 1 select @x print 'a' print @x", 7),
    ("if object_id('t') is not null drop table t select 1", 2),
    ("if 1 = 1 begin select 1 select 2 end else begin select 3 end select 4", 2),
    ("if 1 = 1 if 2 = 2 select 1 else select 2 else select 3 select 4", 2),
    ("begin select 1; select 2; end select 3", 3),
    ("update t set a = 1 where b = 2 update t set c = d update t set e = 1 from u where u.a = t.a delete from t", 4),
    ("use dr18 select 1 truncate table t exec p 1, @x = 2", 4),
    ("select 1 as go\ngo\nselect 2\nGo\n", 4),
    ("select top 3 a into #t from u order by a desc select * from #t", 2),
]  # fmt: skip


@pytest.mark.parametrize(("text", "count"), SEPARATE)
def test_statements_are_told_apart(text: str, count: int) -> None:
    found = read_batch(text)
    assert len(found) == count, [s.text for s in found]
    places = [s.place.start for s in found]
    assert places == sorted(places)
    assert all(text[s.place.start :].startswith(s.text) for s in found)


def only(text: str, dialect: str = "tsql") -> Statement:
    (found,) = read_batch(text, dialect=dialect)
    return found


def test_lines_are_those_of_the_batch() -> None:
    assert [s.line for s in read_batch("select 1\n\n  select\n2 as b;\nselect 3")] == [1, 3, 5]


@pytest.mark.parametrize(
    ("text", "kind", "targets"),
    [
        ("select 1 into mydb.t", Select, ["mydb.t"]),
        ("select 1 into [myscratch:default].t", Select, ["mydb.t"]),
        ("select 1 into mydb..t", Select, ["mydb.t"]),
        ("select 1 into mydb.dbo.[t]", Select, ["mydb.t"]),
        ("select 1 into dbo.t", Select, ["t"]),
        ("select 1 into tempdb..#t", Select, ["#t"]),
        ("create table t as select 1 as a", CreateTableAs, ["t"]),
        ("drop table a, mydb.b", Drop, ["a", "mydb.b"]),
        ("truncate table t", Truncate, ["t"]),
        ("delete t where a = 1", Delete, ["t"]),
        ("delete x from mydb.t as x join u on u.a = x.a", Delete, ["mydb.t"]),
        ("update x set a = 1 from mydb.t x", Update, ["mydb.t"]),
        ("insert t values (1)", Insert, ["t"]),
        ("alter table t add a int", AddColumns, ["t"]),
        ("alter table t drop column a, b", DropColumns, ["t"]),
        ("alter table t alter column a bigint", ChangeColumn, ["t"]),
        ("alter table t rename column a to b", RenameColumn, ["t"]),
        ("alter table t rename to u", RenameTable, ["t", "u"]),
        ("exec sp_rename 'mydb.t.a', 'b', 'COLUMN'", RenameColumn, ["mydb.t"]),
        ("exec sp_rename @objname = '[dbo].[t]', @newname = 'u'", RenameTable, ["t", "u"]),
        ("create unique clustered index i on t (ra, dec)", Index, ["t"]),
        ("exec SQLxMatch 'a', 'b', @radius = 3", Call, []),
        ("if exists (select 1 as a) drop table t else select 1 into u", If, ["t", "u"]),
        ("declare @t table (a int)", Declare, []),
        ("select @x = 1, @y = max(a) from t", Assign, []),
        ("print 'x'", Print, []),
        ("use [dr18]", Use, []),
        ("set nocount off", Counting, []),
        ("go", Go, []),
    ],
)
def test_what_a_statement_touches(text: str, kind: type[Statement], targets: list[str]) -> None:
    found = only(text)
    assert type(found) is kind
    assert [str(target) for target in found.targets] == targets


def test_types() -> None:
    found = only(
        "create table if not exists mydb.t (a tinyint not null, b smallint, c int primary key, d bigint, e real, f float,"
        " g float(24), h varchar(max), i nchar(3) null, j bit, k datetime, l date, m numeric(20), n decimal(9, 0),"
        " o numeric(7, 3), p double precision, q character varying(3), r timestamp with time zone, [my col] text,"
        " constraint pk primary key clustered (a asc), unique (b))"
    )
    assert isinstance(found, CreateTable)
    assert found.if_missing
    text, time = pa.string(), pa.timestamp("us")
    assert [(c.name, c.type) for c in found.columns] == [
        ("a", pa.uint8()), ("b", pa.int16()), ("c", pa.int32()), ("d", pa.int64()), ("e", pa.float32()),
        ("f", pa.float64()), ("g", pa.float32()), ("h", text), ("i", text), ("j", pa.bool_()), ("k", time),
        ("l", pa.date32()), ("m", pa.uint64()), ("n", pa.int64()), ("o", pa.float64()), ("p", pa.float64()),
        ("q", text), ("r", time), ("my col", text),
    ]  # fmt: skip


def test_constants_are_read_exactly() -> None:
    found = only(
        "insert into t values (9007199254740993, -2, 1.5e3, 'it''s', N'x', NULL, 18446744073709551615)"
    )
    assert isinstance(found, Insert)
    assert found.rows == ((9007199254740993, -2, 1500.0, "it's", "x", None, 18446744073709551615),)
    assert only("insert into t values (1 + 1)").rows == ()  # type: ignore[attr-defined]


def test_data_lab_has_semicolons() -> None:
    found = read_batch(
        "create table mydb://x (a int); insert into mydb://x values (1);; select a from mydb://x",
        dialect="postgres",
    )
    assert [type(s) for s in found] == [CreateTable, Insert, Select]
    assert found[1].text == "insert into mydb://x values (1)"
    assert [str(t) for s in found for t in s.targets] == ["mydb.x", "mydb.x"]
    with pytest.raises(QuerySyntaxError, match="a semicolon stands between two statements"):
        read_batch("drop table x drop table y", dialect="postgres")


def test_adql_is_one_query() -> None:
    assert isinstance(only("SELECT TOP 1 a FROM s.t", "adql"), Select)
    with pytest.raises(AweError):
        read_batch("SELECT a FROM s.t; SELECT b FROM s.t", dialect="adql")
    with pytest.raises(ParameterError, match="dialect"):
        read_batch("select 1", dialect="mysql")


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("", QuerySyntaxError, "line 1, column 1: the query is empty"),
        (" ;; -- nothing\n", QuerySyntaxError, "the query is empty"),
        ("select 1\nfoo bar", QuerySyntaxError, "line 2"),
        ("select 1;\nfoo bar", QuerySyntaxError, "line 2, column 1: a statement does not begin with 'foo'"),
        ("updte t set a = 1", QuerySyntaxError, "did you mean UPDATE"),
        ("update t set a = 1, A = 2", QuerySyntaxError, "a is set twice|A is set twice"),
        ("update top (3) t set a = 1", NotOfferedError, "choose the rows with WHERE"),
        ("update t set a = 1 from t left join u on u.a = t.a", NotOfferedError, "outer join|USING"),
        ("delete t whre a = 1", QuerySyntaxError, "expected WHERE"),
        ("insert into t", QuerySyntaxError, "expected VALUES or SELECT"),
        ("insert into t (a) values (1), (1, 2)", QuerySyntaxError, "not the same length"),
        ("insert into t default values", NotOfferedError, "DEFAULT VALUES"),
        ("create table t (a int identity)", NotOfferedError, "identity"),
        ("create table t (a int, foreign key (a) references u (a))", NotOfferedError, "rules for the rows"),
        ("create table t ()", QuerySyntaxError, "expected the name of a column|has columns"),
        ("create procedure p as select 1", NotOfferedError, "send the statements as a batch"),
        ("drop view v", NotOfferedError, "DROP VIEW is not offered"),
        ("drop table a.b.c.d", QuerySyntaxError, "is not the name of a table"),
        ("alter table t add", QuerySyntaxError, "column 18: expected"),
        ("if 1 = 1", QuerySyntaxError, "IF has no statement"),
        ("begin select 1", QuerySyntaxError, "BEGIN has no END"),
        ("declare x int", QuerySyntaxError, "expected @"),
        ("declare @x cursor", QuerySyntaxError, "there is no type cursor"),
        ("set x = 1", NotOfferedError, "only variables and NOCOUNT"),
        ("select a into b from t union select c into d from u", QuerySyntaxError, "INTO"),
        ("if object_id(3) is null select 1", QuerySyntaxError, "the name of a table in quotes"),
        ("merge t using u on t.a = u.a", NotOfferedError, "INSERT ... SELECT"),
        ("go 5", QuerySyntaxError, "GO n runs what stands before it"),
        ("select 1\ngo 0", QuerySyntaxError, "GO n runs what stands before it"),
        ("select 1\ngo 2\ngo 2", QuerySyntaxError, "GO n runs what stands before it"),
        ("begin select 1\ngo 2\nend", QuerySyntaxError, "GO does not stand between BEGIN and END"),
        ("select 1\ngo 20000", QuerySyntaxError, "a batch may have 2,000 statements"),
        ("exec sp_rename 'a'", AweError, "two names"),
        ("exec ('select 1')", NotOfferedError, "write the statements themselves"),
    ],
)
def test_refusals(text: str, error: type[AweError], said: str) -> None:
    with pytest.raises(error, match=said):
        read_batch(text)


def test_a_batch_has_limits() -> None:
    with pytest.raises(LimitError):
        read_batch("select 1;" * 200_000)
    with pytest.raises(QuerySyntaxError, match="2,000 statements"):
        read_batch("print 1;" * 2_001)
    with pytest.raises(QuerySyntaxError, match="nested too deeply"):
        read_batch("if 1 = 1 " * 50 + "select 1")


def test_names_in_texts() -> None:
    place = only("select 1").place
    assert [
        str(read_table_name(text, place))
        for text in ("[dbo].[t]", "mydb.t", "#x", "DR14..Star", "tempdb..#x")
    ] == ["t", "mydb.t", "#x", "DR14.Star", "#x"]
    with pytest.raises(QuerySyntaxError):
        read_table_name("t; drop table u", place)
    assert isinstance(place, Place)
    assert object_number("user_ada.T") == object_number("USER_ada.t") != object_number("user_ada.u")


def test_nonsense_is_refused_by_errors_of_ours() -> None:
    chance = random.Random(1)  # the same nonsense each time
    samples = [text.split() for text, _ in SEPARATE]
    words = sorted({word for sample in samples for word in sample} | set("();,@#.'[]"))
    understood = 0
    for _ in range(1500):
        tokens = list(chance.choice(samples))
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(tokens))
            action = chance.randrange(3)
            tokens[place : place + (action != 0)] = [] if action == 1 else [chance.choice(words)]
            tokens = tokens or ["select"]
        try:
            understood += bool(read_batch(" ".join(tokens), dialect=chance.choice(["tsql", "postgres"])))
        except AweError:
            continue
    assert 50 < understood < 1450


def test_go_with_a_number_runs_what_stands_before_it_so_often() -> None:
    found = read_batch("select 1\ngo\nselect 2\nselect 3\ngo 3\nselect 4")
    said = [one.text if isinstance(one, Select) else "go" for one in found]
    again = ["select 2", "select 3", "go"]
    assert said == ["select 1", "go", *again, *again, *again, "select 4"]
