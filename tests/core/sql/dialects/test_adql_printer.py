"""A tree printed and read again is itself; so is every text of the fixtures."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from sqlglot import exp
from tests.core.sql.dialects.adql_trees import conditions, queries, values

from awe.core.sql.dialects.adql import parse_adql, to_adql

_CASE = re.compile(r"^--\? (.*)\n((?:.*\n)*?)--([>!]) (.*)\n", re.MULTILINE)
_FOLDERS = (Path(__file__).parent / "fixtures", Path(__file__).parent.parent / "fixtures" / "pairs")
_TEXTS = [
    pytest.param(text, id=f"{path.stem}: {title}")
    for folder in _FOLDERS
    for path in sorted(folder.glob("*adql*"))
    for title, text, sign, _ in _CASE.findall(path.read_text(encoding="utf-8"))
    if sign == ">"
]
_SETTINGS = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def first_value(text: str) -> exp.Expr:
    found: exp.Expr = parse_adql(f"SELECT {text} AS v FROM t").expressions[0].this
    return found


@pytest.mark.parametrize("text", _TEXTS)
def test_fixtures_survive(text: str) -> None:
    tree = parse_adql(text)
    printed = to_adql(tree)
    assert parse_adql(printed) == tree
    assert to_adql(parse_adql(printed)) == printed


@pytest.mark.slow
@settings(_SETTINGS, max_examples=25)
@given(queries())
def test_random_queries_survive(tree: exp.Expr) -> None:
    assert parse_adql(to_adql(tree)) == tree


@_SETTINGS
@given(values)
def test_random_values_survive(tree: exp.Expr) -> None:
    assert first_value(to_adql(tree)) == tree


@_SETTINGS
@given(conditions)
def test_random_conditions_survive(tree: exp.Expr) -> None:
    parsed = parse_adql(f"SELECT a FROM t WHERE {to_adql(tree)}")
    assert parsed.args["where"].this == tree


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(queries())
def test_many_random_queries_survive(tree: exp.Expr) -> None:
    assert parse_adql(to_adql(tree)) == tree


@pytest.mark.parametrize("word", ["AND", "OR"])
def test_long_runs_are_printed_without_recursion(word: str) -> None:
    text = f"SELECT a FROM t WHERE {f' {word} '.join(f'a = {i}' for i in range(3000))}"
    assert to_adql(parse_adql(text)) == text


def test_what_is_no_adql_is_refused() -> None:
    with pytest.raises(TypeError, match="no node of ADQL"):
        to_adql(exp.Window(this=exp.column("a")))


def test_people_can_read_it() -> None:
    text = "select t.a from t where not (a not in (1,2)) and b is not null order by 1 desc, 2 asc offset 3"
    assert to_adql(parse_adql(text)) == (
        "SELECT t.a FROM t WHERE NOT (a NOT IN (1, 2)) AND b IS NOT NULL ORDER BY 1 DESC, 2 OFFSET 3"
    )
