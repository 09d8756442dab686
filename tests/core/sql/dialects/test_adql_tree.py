"""The conventions of the tree that the compiler relies on, as the package's docstring states them."""

import pytest
from sqlglot import exp

from awe.core.sql.dialects import adql
from awe.core.sql.dialects.adql import RESERVED_WORDS, parse_adql
from awe.errors import NotOfferedError, QuerySyntaxError


def select_item(value: str) -> exp.Expr:
    item: exp.Expr = parse_adql(f"SELECT {value} FROM t").expressions[0]
    return item


def where(condition: str) -> exp.Expr:
    found: exp.Expr = parse_adql(f"SELECT a FROM t WHERE {condition}").args["where"].this
    return found


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SELECT a FROM t", exp.Select),
        ("(SELECT a FROM t)", exp.Select),
        ("SELECT a FROM t UNION SELECT a FROM u", exp.Union),
        ("SELECT a FROM t EXCEPT SELECT a FROM u", exp.Except),
        ("SELECT a FROM t INTERSECT SELECT a FROM u", exp.Intersect),
        ("WITH q AS (SELECT a FROM t) SELECT a FROM q UNION ALL SELECT a FROM q", exp.Union),
        ("(SELECT TOP 5 a FROM t) OFFSET 3", exp.Select),
    ],
)
def test_outermost_query_is_no_parenthesis(text: str, kind: type[exp.Expr]) -> None:
    assert type(parse_adql(text)) is kind


def test_set_operators_group_to_the_left_and_intersect_first() -> None:
    a, b, c = ("SELECT a FROM t", "SELECT b FROM u", "SELECT c FROM v")
    left = parse_adql(f"{a} EXCEPT {b} UNION ALL {c}")
    assert isinstance(left, exp.Union)
    assert isinstance(left.this, exp.Except)
    assert (left.args["distinct"], left.this.args["distinct"]) == (False, True)
    tight = parse_adql(f"{a} EXCEPT {b} INTERSECT {c}")
    assert isinstance(tight, exp.Except)
    assert isinstance(tight.expression, exp.Subquery)
    assert isinstance(tight.expression.this, exp.Intersect)


def test_limits_of_operands_stay_with_them() -> None:
    union = parse_adql("SELECT TOP 3 a FROM t UNION SELECT a FROM u ORDER BY a OFFSET 2")
    assert isinstance(union.this, exp.Subquery)
    assert union.this.this.args["limit"].expression == exp.Literal.number(3)
    assert isinstance(union.expression, exp.Select)
    assert union.args["offset"].expression == exp.Literal.number(2)
    assert union.args["order"] is not None


def test_names_keep_their_spelling() -> None:
    column = select_item('Cat.sch."My ""T""".MatchRA')
    assert isinstance(column, exp.Column)
    assert [p.name for p in column.parts] == ["Cat", "sch", 'My "T"', "MatchRA"]
    assert [p.args["quoted"] for p in column.parts] == [False, False, True, False]


def test_numbers_keep_their_digits() -> None:
    for text in ("9223372036854775807", "0.1000000000000000055511151231257827", "1E-3", ".5"):
        assert select_item(text) == exp.Literal.number(text)
    assert select_item("0xFFFFFFFFFFFFFFFF") == exp.Literal.number("18446744073709551615")


@pytest.mark.parametrize("name", ["LOG", "LOG10", "MOD", "TRUNCATE", "RAND", "PI", "DISTANCE", "IN_UNIT"])
def test_own_functions_are_anonymous_in_upper_case(name: str) -> None:
    arguments = {"MOD": "a, 2", "PI": "", "DISTANCE": "a, b", "IN_UNIT": "a, 'm'"}.get(name, "7")
    node = select_item(f"{name.lower()}({arguments})")
    assert type(node) is exp.Anonymous
    assert node.this == name


def test_user_functions_are_anonymous_as_written() -> None:
    node = select_item("Ivo_Healpix_Index(10, ra, dec)")
    assert type(node) is exp.Anonymous
    assert node.this == "Ivo_Healpix_Index"


def test_exceptions_have_sqlglot_nodes() -> None:
    assert select_item("COUNT(*)") == exp.Count(this=exp.Star(), big_int=True)
    assert select_item("SUM(DISTINCT a)") == exp.Sum(this=exp.Distinct(expressions=[exp.column("a")]))
    assert select_item("Coalesce(a, 1)") == exp.Coalesce(
        this=exp.column("a"), expressions=[exp.Literal.number(1)]
    )
    assert select_item("LOWER(a)") == exp.Lower(this=exp.column("a"))
    assert select_item("UPPER(a)") == exp.Upper(this=exp.column("a"))


def test_geometry_types_are_user_defined() -> None:
    target = select_item("CAST('1 2' AS point)").args["to"]
    assert target.this is exp.DType.USERDEFINED
    assert target.args["kind"] == "POINT"


@pytest.mark.parametrize(
    "condition",
    ["a NOT IN (1)", "a NOT BETWEEN 1 AND 2", "a NOT LIKE 'x'", "a NOT ILIKE 'x'", "a IS NOT NULL"],
)
def test_negative_predicates_are_not_of_the_positive(condition: str) -> None:
    node = where(condition)
    assert type(node) is exp.Not
    assert node.this == where(condition.replace("NOT ", ""))


def test_sub_query_of_in_is_a_subquery_and_of_exists_is_not() -> None:
    assert isinstance(where("a IN (SELECT b FROM u)").args["query"], exp.Subquery)
    assert isinstance(where("EXISTS (SELECT b FROM u)").this, exp.Select)


def test_table_function_in_from() -> None:
    table = parse_adql("SELECT a FROM dbo.SearchSumCatalog(1, 2) AS s").args["from_"].this
    assert isinstance(table, exp.Table)
    assert (table.this.this, table.db, table.alias) == ("SearchSumCatalog", "dbo", "s")
    assert len(table.this.expressions) == 2


@pytest.mark.parametrize("frame", ["ICRS", "icrs", " ICRS  GEOCENTER ", "FK5", "J2000", ""])
def test_frames_that_mean_icrs_are_dropped(frame: str) -> None:
    assert select_item(f"POINT('{frame}', ra, dec)") == select_item("POINT(ra, dec)")


@pytest.mark.parametrize("frame", ["FK4", "GALACTIC", "B1950", "Ecliptic", "QUARK"])
def test_other_frames_are_not_offered(frame: str) -> None:
    with pytest.raises(NotOfferedError) as caught:
        parse_adql(f"SELECT POINT('{frame}', ra, dec) FROM t")
    assert caught.value.fields == {"line": 1, "column": 14}
    assert "ICRS" in str(caught.value.hint)


def test_polygon_of_columns_is_left_to_the_compiler() -> None:
    assert len(select_item("POLYGON(a, b, c, d, e, f)").expressions) == 6


def test_parameters_stand_only_where_declared() -> None:
    text = "SELECT a FROM t WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(:ra, :dec, :radius / 3600.0))"
    tree = parse_adql(text, parameters={"ra", "dec", "radius"})
    assert {p.name for p in tree.find_all(exp.Placeholder)} == {"ra", "dec", "radius"}
    with pytest.raises(QuerySyntaxError, match=":radius"):
        parse_adql(text, parameters={"ra", "dec"})


def test_operators_carry_no_flags() -> None:
    division = select_item("a / 2")
    assert division.args == {"this": exp.column("a"), "expression": exp.Literal.number(2)}


def test_reserved_words_need_quotes() -> None:
    assert {"SIZE", "DATE", "TOP", "DISTANCE", "IN_UNIT", "END"} <= RESERVED_WORDS
    for word in sorted(RESERVED_WORDS):
        with pytest.raises(QuerySyntaxError, match=f'"{word.lower()}"'):
            parse_adql(f"SELECT a AS {word.lower()} FROM t")
        alias = parse_adql(f'SELECT a AS "{word}" FROM t').expressions[0].args["alias"]
        assert alias == exp.Identifier(this=word, quoted=True)


def test_public_names() -> None:
    assert adql.__all__ == ["RESERVED_WORDS", "parse_adql", "parse_value", "to_adql"]
