"""What expressions of T-SQL come to: the values that SQL Server's reference states."""

from collections.abc import Callable
from typing import Any

import pytest

from awe.core.sql import compile_query
from awe.errors import UnknownNameError

Answer = Callable[..., list[tuple[Any, ...]]]

VALUES = [
    # integer division and remainder, with the sign of the dividend
    ("7 / 2", 3), ("-7 / 2", -3), ("7 % 3", 1), ("-7 % 3", -1), ("7 / 2.0", 3.5), ("7. / 2", 3.5),
    ("9007199254740993 / 1", 9007199254740993), ("9223372036854775807 - 1", 9223372036854775806),
    # texts: + joins them, comparison ignores case, a number in quotes is one beside a number
    ("'a' + 'b'", "ab"), ("'a' + NULL", None), ("'3' + 4", 7), ("case when 'qso' = 'QSO' then 1 else 0 end", 1),
    ("case when 'A' in ('b', 'a') then 1 else 0 end", 1), ("case when 'M87' like 'm8%' then 1 else 0 end", 1),
    ("case when 'b' > 'A' then 1 else 0 end", 1), ("N'caf\u00e9'", "caf\u00e9"),
    # hexadecimal numbers are integers, as SDSS's flags are written
    ("0x10", 16), ("0x00000000FFFFFFFF", 4294967295), ("255 & 0x0F", 15), ("1 | 0x8", 9), ("5 ^ 1", 4), ("~0", -1),
    # POWER keeps the type of what is raised
    ("power(2, 10)", 1024), ("power(cast(2 as bigint), 40)", 1099511627776), ("power(2, -1)", 0), ("power(2.0, -1)", 0.5),
    ("power(10., 0.5) * power(10., 0.5)", pytest.approx(10)),
    # conversions
    ("cast(3.9 as int)", 3), ("cast(-3.9 as int)", -3), ("convert(int, '42')", 42), ("convert(varchar(3), 12345)", "123"),
    ("cast('1.5' as float) + 1", 2.5),
    ("cast(9223372036854775807 as numeric(20))", 9223372036854775807),
    ("cast('18446744073709551615' as numeric(20, 0))", 18446744073709551615),
    ("cast(2.567 as numeric(5, 2))", pytest.approx(2.57)), ("cast(1 as bit)", True), ("convert(float, 1) / 2", 0.5),
    # functions whose meaning is T-SQL's own
    ("isnull(NULL, 5)", 5), ("coalesce(NULL, NULL, 'x')", "x"), ("nullif(3, 3)", None), ("iif(1 > 2, 'a', 'b')", "b"),
    ("str(3.14159, 8, 3)", "   3.142"), ("str(12)", "        12"), ("str(123456, 4)", "****"), ("ltrim(str(2.5, 5, 1))", "2.5"),
    ("len('abc  ')", 3), ("charindex('B', 'abc')", 2), ("charindex('z', 'abc')", 0), ("substring('abcdef', 2, 3)", "bcd"),
    ("left('abc', 2) + right('abc', 1)", "abc"), ("replace('a-b', '-', '+')", "a+b"), ("square(3)", 9.0),
    ("log(10)", pytest.approx(2.302585092994046)), ("log10(1000)", pytest.approx(3)), ("log(8, 2)", pytest.approx(3)),
    ("atn2(1, 1) * 4", pytest.approx(3.141592653589793)), ("round(2.567, 1)", pytest.approx(2.6)), ("round(2.567, 1, 1)", pytest.approx(2.5)),
    ("ceiling(-1.5)", -1.0), ("floor(-1.5)", -2.0), ("sign(-3)", -1), ("abs(-3)", 3), ("concat('a', NULL, 1)", "a1"),
    # what is not defined is NULL, since an engine evaluates conditions in any order
    ("1 / 0", None), ("sqrt(-1.0)", None), ("log(0)", None),
    ("dbo.fDistanceArcMinEq(10, 0, 10, 1)", pytest.approx(60)), ("dbo.fDistanceArcMinEq(0.001, 90, 180, 90)", pytest.approx(0, abs=1e-9)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_values(answer: Answer, text: str, value: object) -> None:
    ((found,),) = answer(f"select {text} as x")
    assert found == value
    assert type(found) is type(value) or not isinstance(value, int | str)


def test_null_comes_first(answer: Answer) -> None:
    text = "select x from (select 1 as x union all select NULL union all select 2) t order by x"
    assert [row[0] for row in answer(text)] == [None, 1, 2]
    assert [row[0] for row in answer(f"{text} desc")] == [2, 1, None]


def test_nameless_columns_are_counted(compiled: Callable[..., Any]) -> None:
    query = compiled(
        "select MatchID, max(CI), Class, 1 + 1, 'x' as named, count(*) from SumCat group by MatchID, Class"
    )
    assert list(query.columns.names) == ["MatchID", "Column1", "Class", "Column2", "named", "Column3"]


def test_names_are_spelled_as_in_the_query(compiled: Callable[..., Any]) -> None:
    assert list(
        compiled("select s.matchid, s.CI as [my ci], dec = MatchDEC from SumCat s").columns.names
    ) == ["matchid", "my ci", "dec"]
    assert list(compiled("select top 1 * from Spec").columns.names)[:2] == ["SpecID", "MatchID"]


def test_sql_servers_words_are_in_the_message(world: Any) -> None:
    for text, said in (
        ("select a from Nowhere", "Invalid object name 'Nowhere'."),
        ("select nothing from SumCat", "Invalid column name 'nothing'."),
    ):
        with pytest.raises(UnknownNameError) as caught:
            compile_query(text, world, dialect="tsql", context="hsc")
        assert said in str(caught.value)
        with pytest.raises(UnknownNameError) as caught:
            compile_query(text, world, dialect="postgres", context="hsc")
        assert "Invalid" not in str(caught.value)
