"""What a general SQL translator gets wrong without saying so: each has its test here."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from awe.core.sql import Query
from awe.errors import NotOfferedError, QuerySyntaxError, UnknownNameError

Answer = Callable[..., list[tuple[Any, ...]]]
Compile = Callable[..., Query]


def test_tsql_float_is_double_precision(answer: Answer) -> None:
    assert answer("select cast('187.7059304' as float), convert(float, '0.1')") == [(187.7059304, 0.1)]


@pytest.mark.parametrize(
    ("type_", "exact"), [("float(53)", True), ("float(25)", True), ("float(24)", False), ("real", False)]
)
def test_tsql_float_of_few_digits_is_single(answer: Answer, type_: str, exact: bool) -> None:
    ((value,),) = answer(f"select cast(0.1 as {type_})")
    assert (value == 0.1) is exact


def test_minus_null_is_null_of_any_type(answer: Answer) -> None:
    # an engine takes it for a number, and then refuses to compare it with a text
    text = "SELECT COUNT(*) AS n FROM hsc.SumCat WHERE Class BETWEEN -(NULL) AND -(NULL)"
    assert answer(text, "adql") == [(0,)]


def test_integer_division_is_exact_for_64_bits(answer: Answer) -> None:
    big = 1237648720693755543
    assert answer(f"select {big} / 2, -7 / 2, 7 / 2") == [(big // 2, -3, 3)]
    assert answer(f"select {big} / 2, -7 / 2", "postgres") == [(big // 2, -3)]
    assert answer("select TOP 1 MatchID / 2 from hsc.SumCat order by MatchID", "adql") == [((1 << 60) // 2,)]


def test_division_of_other_numbers_is_not_whole(answer: Answer) -> None:
    assert answer("select 1 / 2.0, 1.0 / 2, 1. / 3") == [(0.5, 0.5, 1 / 3)]


def test_tsql_plus_joins_texts(answer: Answer) -> None:
    assert answer("select distinct Class + '_x' from SumCat where Class = 'Star'") == [("Star_x",)]
    assert answer("select 'a' + 'b' + 'c'") == [("abc",)]


def test_apply_runs(answer: Answer) -> None:
    text = "select top 3 s.SpecID, n.MatchID from Spec s cross apply dbo.SearchSumCatalog(s.z + 10, s.z, 36000, 1) n order by 1"
    assert len(answer(text)) == 3
    text = "select count(*) from Spec s outer apply dbo.SearchSumCatalog(s.z + 10, 89.0, 1, 1) n"
    assert answer(text) == [(500,)]


def test_convert_does_not_forgive(answer: Answer, compiled: Compile, engine: Any) -> None:
    query = compiled("select convert(int, Class) from SumCat")
    assert "TRY_CAST" not in query.lower("duckdb", {"t1": "x"})


@pytest.mark.parametrize(
    "text", ["declare @x int = 1 select @x", "select @x", "select @a = max(CI) from SumCat"]
)
def test_variables_mean_nothing_outside_a_batch(compiled: Compile, text: str) -> None:
    with pytest.raises((NotOfferedError, UnknownNameError)):
        compiled(text)


def test_log_means_what_the_dialect_says(answer: Answer) -> None:
    top = "select top 1 {} from SumCat"
    assert answer(top.format("log(10.0), log10(100.0), log(8, 2)"))[0] == pytest.approx((math.log(10), 2, 3))
    assert answer(top.format("log(10.0), log10(100.0)"), "adql")[0] == pytest.approx((math.log(10), 2))
    assert answer("select log(100.0), ln(10.0), log(2, 8)", "postgres")[0] == pytest.approx(
        (2, math.log(10), 3)
    )


def test_top_percent_is_refused(compiled: Compile) -> None:
    with pytest.raises(NotOfferedError, match="PERCENT"):
        compiled("select top 10 percent MatchID from SumCat")


def test_names_keep_the_callers_spelling(compiled: Compile) -> None:
    query = compiled("select MATCHRA, s.matchDEC, CI as Concentration, * from SumCat s")
    assert query.columns.names[:3] == ("MATCHRA", "matchDEC", "Concentration")
    assert query.columns.names[3:6] == ("MatchID", "MatchRA", "MatchDec")


@pytest.mark.parametrize(
    "text",
    [
        "if 1 = 1 select 1",
        "while 1 = 1 select 1",
        "exec sp_help",
        "execute sp_who",
        "print 'x'",
        "use master",
    ],
)
def test_procedural_sql_is_never_silently_nothing(compiled: Compile, text: str) -> None:
    with pytest.raises(NotOfferedError, match="line 1, column 1"):
        compiled(text)


def test_tsql_comparisons_of_text_ignore_case(answer: Answer) -> None:
    (count,) = answer("select count(*) from SumCat where Class = 'QSO'")[0]
    assert count > 100
    for condition in ("Class = 'qso'", "Class in ('qso', 'x')", "Class like 'qS%'", "not Class <> 'qso'",
                      "Class between 'qso' and 'QSO'"):  # fmt: skip
        assert answer(f"select count(*) from SumCat where {condition}") == [(count,)]
    assert answer("select count(*) from SumCat where Class = 'qso'", "postgres") == [(0,)]


def test_str_is_right_justified(answer: Answer) -> None:
    assert answer("select str(3.14159, 8, 2), str(2.5e0, 4), str(42)") == [("    3.14", "   2", "        42")]


def test_hexadecimal_numbers_are_integers(answer: Answer) -> None:
    assert answer("select 0xFF, 0x10 & 0x11, 0x0 | 4") == [(255, 16, 4)]
    text = "select flags & 0x00000000FFFFFFFF, (flags / power(cast(2 as bigint), 32)) from Detailed where MatchID = 5"
    assert answer(text)[0][0] == 3
    assert answer("select count(*) from Detailed where (flags & 0x10) <> 0") == [(3,)]


def test_nulls_come_first_in_tsql_and_last_in_postgresql(answer: Answer) -> None:
    assert answer("select top 1 Class from Spec order by Class") == [(None,)]
    assert answer("select Class from Spec order by Class limit 1", "postgres") == [("QSO",)]
    assert answer("select Class from Spec order by Class desc limit 1", "postgres") == [(None,)]
    assert answer("select top 1 Class from Spec order by Class desc") == [("QSO",)]


def test_undefined_is_null_and_no_error(answer: Answer) -> None:
    text = "select log10(flux), sqrt(flux), flux / 0, flags / 0, flags % 0 from Detailed where MatchID = 0"
    assert answer(text) == [(None, None, None, None, None)]
    assert answer("select count(*) from Detailed where log10(flux) > -5 and flux > 0 and flux < 1000") == [
        (3,)
    ]


def test_nan_is_found_as_a_text(answer: Answer) -> None:
    assert answer("select count(*) from Detailed where flux != 'NaN'", "postgres") == [(5,)]
    assert answer("select count(*) from Detailed where flux = 'NaN'", "postgres") == [(1,)]


def test_hints_and_prefixes_are_dropped(answer: Answer) -> None:
    assert answer("select count(*) from dbo.SumCat with (nolock)") == answer(
        "select count(*) from HSC..[SumCat]"
    )
    assert answer("select count(*) from hsc.dbo.SumCat as [a b] where [a b].[MatchID] > 0") == [(3009,)]


def test_contains_is_geometry_not_text(compiled: Compile) -> None:
    with pytest.raises(QuerySyntaxError):
        compiled("select MatchID from SumCat where contains(Class, 'x') = 1", "adql")


def test_casts_cut_and_round_as_the_dialect_does(answer: Answer) -> None:
    assert answer("select cast(2.7 as int), cast(-2.7 as int), convert(int, 2.2)") == [(2, -2, 2)]
    assert answer("select 2.7::int, (-2.7)::int", "postgres") == [(3, -3)]
    assert answer(
        "select cast(2.756 as decimal(5, 2)), cast(2.756 as decimal), cast('abcdef' as varchar(3))"
    ) == [(2.76, 3.0, "abc")]
    assert answer("select cast(2.756 as numeric(5, 1)), 2.756::numeric", "postgres") == [(2.8, 2.756)]


def test_round_with_a_third_argument_cuts(answer: Answer) -> None:
    assert answer("select round(2.757, 2), round(2.757, 2, 1), round(2.757, 2, 0)") == [(2.76, 2.75, 2.76)]


def test_str_says_when_a_number_does_not_fit(answer: Answer) -> None:
    assert answer("select str(123456, 3), str(1.5, 6, 20)") == [("***", "*" * 6)]


def test_large_numbers_are_exact_or_double(answer: Answer, compiled: Compile) -> None:
    text = "select 9223372036854775807, 18446744073709551615, 18446744073709551616, 1e308"
    assert answer(text) == [(9223372036854775807, 18446744073709551615, 2.0**64, 1e308)]
    with pytest.raises(QuerySyntaxError, match="too large"):
        compiled("select 1e400")
