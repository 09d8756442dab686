"""Hostile and malformed statements: each is refused with its class and its place."""

from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from awe.core.sql import Query, compile_query
from awe.errors import LimitError, NotOfferedError, QueryError, QuerySyntaxError, UnknownNameError

Answer = Callable[..., list[tuple[Any, ...]]]
Compile = Callable[..., Query]

S, U, N, Q = QuerySyntaxError, UnknownNameError, NotOfferedError, QueryError

# dialect, text, class, line, column
STATEMENTS = [
    # files, settings, the engine's own tables and functions
    ("postgres", "select * from read_csv('/etc/passwd')", U, 1, 15),
    ("postgres", "select * from read_parquet('s3://b/x')", U, 1, 15),
    ("postgres", "select * from read_text('/etc/passwd') as t", U, 1, 15),
    ("postgres", "select * from glob('/*')", U, 1, 15),
    ("postgres", "select * from sniff_csv('/etc/passwd')", U, 1, 15),
    ("postgres", "select * from '/etc/passwd'", Q, 1, 15),
    ("postgres", 'select * from "/etc/passwd"', U, 1, 15),
    ("postgres", 'select * from "data.parquet"', U, 1, 15),
    ("tsql", "select * from [/etc/passwd]", U, 1, 15),
    ("adql", 'select * from "/etc/passwd"', U, 1, 15),
    ("adql", "select * from read_csv('/etc/passwd')", U, 1, 15),
    ("adql", "select * from '/etc/passwd'", S, 1, 15),
    ("tsql", "select * from openrowset('x', 'y')", U, 1, 15),
    ("tsql", "select * from read_csv('/etc/passwd')", U, 1, 15),
    ("postgres", "select * from duckdb_settings()", U, 1, 15),
    ("postgres", "select * from duckdb_databases()", U, 1, 15),
    ("postgres", "select * from pragma_database_list", U, 1, 15),
    ("postgres", "select * from sqlite_master", U, 1, 15),
    ("postgres", "select * from information_schema.tables", U, 1, 15),
    ("postgres", "select * from pg_catalog.pg_tables", U, 1, 15),
    ("tsql", "select * from sys.objects", U, 1, 15),
    ("tsql", "select * from other.SumCat", U, 1, 15),
    ("postgres", "select getenv('HOME')", U, 1, 8),
    ("postgres", "select current_setting('x')", U, 1, 8),
    ("postgres", "select pg_read_file('/etc/passwd')", U, 1, 8),
    ("postgres", "select system('ls')", U, 1, 8),
    ("postgres", "select repeat('x', 1000000000)", U, 1, 8),
    ("postgres", "select query('drop table x')", U, 1, 8),
    ("tsql", "select xp_cmdshell('ls')", U, 1, 8),
    ("adql", "select getvariable('x') from SumCat", U, 1, 8),
    ("adql", "select sky_cell(1, 2, 3) from SumCat", U, 1, 8),
    ("postgres", "select sky_ranges(1)", U, 1, 8),
    # other statements
    ("postgres", "drop table SumCat", N, 1, 1),
    ("postgres", "  insert into SumCat values (1)", N, 1, 3),
    ("postgres", "copy SumCat to '/tmp/x'", N, 1, 1),
    ("postgres", "attach '/tmp/x' as x", N, 1, 1),
    ("postgres", "pragma database_list", N, 1, 1),
    ("postgres", "set memory_limit = '1TB'", N, 1, 1),
    ("postgres", "install httpfs", N, 1, 1),
    ("postgres", "load httpfs", N, 1, 1),
    ("postgres", "explain select 1", N, 1, 1),
    ("postgres", "call pragma_version()", N, 1, 1),
    ("tsql", "update SumCat set CI = 1", N, 1, 1),
    ("tsql", "delete from SumCat", N, 1, 1),
    ("tsql", "truncate table SumCat", N, 1, 1),
    ("tsql", "create table x (a int)", N, 1, 1),
    ("tsql", "declare @x int = 1", N, 1, 1),
    ("tsql", "select MatchID into mydb.x from SumCat", N, 1, None),
    ("tsql", "select MatchID into #x from SumCat", N, 1, None),
    ("tsql", "select * from #near", U, 1, 15),
    ("postgres", "select 1; drop table SumCat", N, 1, 11),
    ("tsql", "select top 1 CI from SumCat\nselect 2", N, 2, 1),
    ("adql", "drop table SumCat", S, 1, 1),
    ("adql", "select CI from SumCat; select CI from SumCat", S, 1, None),
    ("postgres", "with x as (delete from SumCat returning *) select * from x", Q, 1, None),
    ("postgres", "values (1)", N, 1, 1),
    # names
    ("tsql", "select MatchRAA from SumCat", U, 1, 8),
    ("tsql", "select s.nope from SumCat s", U, 1, 8),
    ("tsql", "select x.CI from SumCat s", U, 1, 8),
    ("tsql", "select CI\nfrom SumKat", U, 2, 6),
    ("tsql", "select * from SearchSumCatalogue(1, 2, 3, 1)", U, 1, 15),
    ("tsql", "select _healpix_29 from SumCat", U, 1, 8),
    ("tsql", "select _cell from SumCat", U, 1, 8),
    ("postgres", "select t1.CI from SumCat", U, 1, 8),
    ("adql", 'select "matchra" from SumCat', U, 1, 8),
    ("tsql", "select Class from SumCat s, Spec t", Q, 1, 8),
    ("tsql", "select a.CI from SumCat a, SumCat a", S, 1, None),
    ("postgres", "select rownum from SumCat", U, 1, 8),
    # calls
    ("tsql", "select squareroot(CI) from SumCat", U, 1, 8),
    ("tsql", "select sqrt(CI, 2) from SumCat", S, 1, 8),
    ("tsql", "select sqrt(Class) from SumCat", S, 1, 13),
    ("tsql", "select * from SearchSumCatalog(1, 2)", S, 1, 15),
    ("tsql", "select * from SearchSumCatalog(1, 2, 'x', 1)", S, 1, 38),
    ("tsql", "select n.CI from SumCat s join dbo.SearchSumCatalog(s.MatchRA, 2, 3, 1) n on 1 = 1", S, 1, None),
    ("tsql", "select rank() from SumCat", S, 1, 8),
    ("tsql", "select sum(*) from SumCat", S, 1, 8),
    ("tsql", "select try_cast(CI as int) from SumCat", N, 1, None),
    ("tsql", "select convert(varchar(10), CI, 2) from SumCat", N, 1, None),
    ("tsql", "select a.method(1) from SumCat a", U, 1, 10),
    # grouping and types
    ("tsql", "select CI, count(*) from SumCat", S, 1, 8),
    ("tsql", "select Class from SumCat group by CI", S, 1, 8),
    ("tsql", "select CI from SumCat where count(*) > 1", S, 1, 29),
    ("tsql", "select max(min(CI)) from SumCat", S, 1, 12),
    ("tsql", "select CI from SumCat where CI", S, 1, 29),
    ("tsql", "select CI from SumCat where CI = 'abc'", S, 1, 34),
    ("tsql", "select CI from SumCat where Class > 1", S, 1, None),
    ("tsql", "select CI & 1 from SumCat", S, 1, 8),
    ("postgres", "select Class + 1 from SumCat", S, 1, 8),
    ("tsql", "select 1, 2 union select 1", S, 1, None),
    ("tsql", "select CI from SumCat order by 2", S, 1, 32),
    # not offered, and said so
    ("tsql", "select top 5 with ties CI from SumCat order by CI", N, 1, None),
    ("postgres", "select distinct on (CI) CI from SumCat", N, 1, None),
    ("postgres", "select CI from SumCat tablesample bernoulli (1)", N, 1, None),
    ("postgres", "with recursive x as (select 1 as a union all select a + 1 from x) select * from x", N, 1, None),
    ("postgres", "select CI from SumCat for update", N, 1, None),
    ("postgres", "select sum(CI) over (order by CI rows between 1 preceding and current row) from SumCat", N, 1, None),
    ("postgres", "select CI ~ 'x' from SumCat", N, 1, None),
    ("postgres", "select $1", N, 1, None),
    ("postgres", "select * from mydb://t", U, 1, 15),
    ("postgres", "select * from vos://t", N, 1, 15),
    ("postgres", "select interval '1 day'", N, 1, None),
    ("postgres", "select current_user", Q, 1, None),
    ("postgres", "select (select CI, z from SumCat, Spec) from SumCat", S, 1, None),
    ("tsql", "select CI from SumCat option (maxdop 1)", N, 1, None),
    ("tsql", "select CI from SumCat for xml path('')", Q, 1, None),
    ("tsql", "select CI from SumCat where Class like '[a-c]%'", N, 1, 29),
    ("postgres", "select CI from SumCat where Class like 'a\\_%'", N, 1, 29),
    ("tsql", 'select CI from SumCat where Class = "QSO"', U, 1, 37),
    ("tsql", "select CI from SumCat s left join Spec p", S, 1, None),
    ("postgres", "select CI from SumCat s left semi join Spec p on true", Q, 1, None),
    ("postgres", "select CI from SumCat s asof join Spec p on s.MatchID > p.MatchID", Q, 1, None),
    ("tsql", "select CI from SumCat where CI is 5", Q, 1, None),
    ("tsql", "select max(select z) from Spec", Q, 1, None),
    ("tsql", "select CI from SumCat where * > 1", S, 1, None),
    # broken text
    ("tsql", "", S, 1, 1),
    ("tsql", "   \n ", S, 1, 1),
    ("tsql", "DUFF QUERY", S, 1, 1),
    ("tsql", "select", Q, 1, None),
    ("tsql", "select CI from", S, 1, None),
    ("tsql", "select CI from SumCat where", S, 1, None),
    ("tsql", "select (CI from SumCat", S, 1, None),
    ("tsql", "select CI from SumCat where Class = 'x", S, 1, None),
    ("tsql", "select CI from SumCat where CI > 1 into m87", Q, 1, None),
    ("postgres", "select CI from SumCat limit -1", S, 1, None),
    ("postgres", "select CI from SumCat limit CI", S, 1, None),
    ("postgres", "select CI\x00 from SumCat", S, 1, 10),
    ("adql", "select CI from SumCat limit 5", S, 1, None),
    ("adql", "select CI,, Class from SumCat", S, 1, 11),
    ("tsql", "select " + "(" * 5000 + "1" + ")" * 5000, Q, 1, None),
    ("postgres", "select " + "-" * 3 + "1", S, 1, None),
    ("postgres", "select " + "+".join(["CI"] * 3000) + " from SumCat", Q, 1, None),
    ("postgres", "select " + "not " * 3000 + "true", Q, 1, None),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "text", "kind", "line", "column"), STATEMENTS)
def test_refused_with_class_and_place(
    world: Any, dialect: str, text: str, kind: type[QueryError], line: int, column: int | None
) -> None:
    with pytest.raises(kind) as caught:
        compile_query(text, world, dialect=dialect, context="hsc")
    error = caught.value
    assert isinstance(error, QueryError)
    assert error.fields.get("line") == line, error
    if column is not None:
        assert error.fields["column"] == column, error
    assert error.message
    assert "sqlglot" not in str(error)


def test_there_are_enough_of_them() -> None:
    assert len(STATEMENTS) >= 100


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("select MatchRAA from SumCat", "MatchRA"),
        ("select * from SumKat", "SumCat"),
        ("select * from SearchSumCatalogg(1, 2, 3, 4)", "SearchSumCatalog"),
        ("select sqrrt(CI) from SumCat", "SQRT"),
        ("select summ.CI from SumCat sums", "sums"),
    ],
)
def test_did_you_mean(compiled: Compile, text: str, hint: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        compiled(text)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize("dialect", ["adql", "tsql", "postgres"])
def test_text_stays_text(answer: Answer, dialect: str) -> None:
    evil = "x'' OR 1=1; DROP TABLE \"hsc.SumCat\"; --"
    assert answer(f"select count(*) from SumCat where Class = '{evil}'", dialect) == [(0,)]
    assert answer(
        'select count(*) as "a""; drop table x; --" from SumCat where Class = \'Q\\\'', dialect
    ) == [(0,)]


@pytest.mark.slow
def test_a_long_list_and_a_long_chain_are_fine(answer: Answer) -> None:
    ids = ", ".join(str((1 << 60) + i) for i in range(2000))
    assert answer(f"select count(*) from SumCat where MatchID in ({ids})") == [(2000,)]
    chain = " or ".join(f"MatchID = {(1 << 60) + i}" for i in range(2000))
    assert answer(f"select count(*) from SumCat where {chain}") == [(2000,)]


def nested(call: str, inner: str, depth: int) -> str:
    for _ in range(depth):
        inner = call.format(inner)
    return inner


_DOUBLED = ", ".join(f"c{i} AS (SELECT * FROM c{i - 1} a, c{i - 1} b)" for i in range(1, 30))


@pytest.mark.parametrize(
    ("dialect", "text", "says"),
    [
        ("postgres", "select " + "1," * 60_000 + "1", "words"),
        ("postgres", "select '" + "x" * 1_100_000 + "'", "characters"),
        ("adql", "select " + ",".join(f"CI as c{i}" for i in range(6000)) + " from SumCat", "columns"),
        ("postgres", f"with c0 as (select * from SumCat), {_DOUBLED} select count(*) from c29", "columns"),
    ],
)
def test_what_takes_too_long_to_understand_is_refused(
    compiled: Compile, dialect: str, text: str, says: str
) -> None:
    with pytest.raises(LimitError, match=f"too large.*{says}"):
        compiled(text, dialect)


def test_calls_inside_calls_do_not_grow_without_bound(answer: Answer) -> None:
    assert answer(f"select {nested('round({}, 1, 1)', '1.5', 4)} as n", "tsql") == [(1.5,)]
    with pytest.raises(LimitError, match="ROUND"):
        answer(f"select {nested('round({}, 1, 1)', '1.5', 20)} as n", "tsql")


def test_half_a_character_is_refused(compiled: Compile) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        compiled("select\n '\ud800' as x", "postgres")
    assert (caught.value.fields["line"], caught.value.fields["column"]) == (2, 3)


@pytest.mark.slow
def test_replacing_cannot_make_texts_without_bound(answer: Answer) -> None:
    grow = "replace({}, 'a', 'aaaaaaaaaa')"
    assert answer(f"select len({nested(grow, chr(39) + 'a' + chr(39), 3)}) as n", "tsql") == [(1000,)]
    with pytest.raises(duckdb.Error, match="16 million"):
        answer(f"select len({nested(grow, chr(39) + 'a' + chr(39), 9)}) as n", "tsql")
