"""Precedence and grouping against independent readers of the same text: Python, DuckDB, sqlglot."""

import operator
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import duckdb
import pytest
import sqlglot
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlglot import exp

from awe.core.sql.dialects.adql import parse_adql

BINARY: dict[type[exp.Expr], Callable[[Any, Any], object]] = {
    exp.Add: operator.add,
    exp.Sub: operator.sub,
    exp.Mul: operator.mul,
    exp.Div: operator.truediv,
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
    exp.And: lambda a, b: a and b,
    exp.Or: lambda a, b: a or b,
}
IN_PYTHON = {"=": "==", "<>": "!=", "AND": "and", "OR": "or", "NOT": "not"}
SETTINGS = settings(max_examples=50, deadline=None, derandomize=True)

numbers = st.integers(1, 9).map(str)


def joined(operands: st.SearchStrategy[str], operators: str) -> st.SearchStrategy[str]:
    tails = st.lists(st.tuples(st.sampled_from(operators.split()), operands), max_size=4)
    return st.builds(lambda head, tail: head + "".join(f" {o} {x}" for o, x in tail), operands, tails)


arithmetic = st.recursive(
    numbers,
    lambda inner: joined(st.one_of(numbers, inner.map("({})".format), inner.map("-({})".format)), "+ - * /"),
    max_leaves=12,
)
comparisons = st.builds(
    "{} {} {}".format,
    joined(numbers, "+ - *"),
    st.sampled_from(["=", "<>", "<", "<=", ">", ">="]),
    joined(numbers, "+ -"),
)
conditions = st.recursive(
    comparisons,
    lambda inner: joined(
        st.one_of(
            comparisons,
            comparisons.map("NOT {}".format),
            inner.map("NOT ({})".format),
            inner.map("({})".format),
        ),
        "AND OR",
    ),
    max_leaves=10,
)
predicates = st.one_of(
    comparisons,
    st.builds(
        "{}{} BETWEEN {} AND {}".format,
        numbers,
        st.sampled_from(["", " NOT"]),
        numbers,
        joined(numbers, "+ -"),
    ),
    st.builds(
        "{}{} IN ({}, {})".format, numbers, st.sampled_from(["", " NOT"]), numbers, joined(numbers, "* +")
    ),
    st.builds("'{}' || '{}'{} LIKE '{}%'".format, numbers, numbers, st.sampled_from(["", " NOT"]), numbers),
    st.sampled_from(["NULL IS NULL", "1 IS NOT NULL"]),
)


def value(node: exp.Expr) -> object:
    match node:
        case exp.Paren():
            return value(node.this)
        case exp.Neg():
            return operator.neg(value(node.this))  # type: ignore[arg-type]
        case exp.Not():
            return not value(node.this)
        case exp.Literal():
            return Fraction(node.this)
        case _:
            return BINARY[type(node)](value(node.args["this"]), value(node.args["expression"]))


def in_python(text: str) -> object:
    text = re.sub(r"[0-9]+", r"Fraction(\g<0>)", text)
    text = re.sub(
        r"(?<![<>])=|<>|AND|OR|NOT", lambda m: IN_PYTHON[m.group()], re.sub(r"([<>])=", r"\1@", text)
    )
    return eval(text.replace("@", "="), {"Fraction": Fraction})


@SETTINGS
@given(arithmetic)
def test_arithmetic_groups_as_in_python(text: str) -> None:
    tree = parse_adql(f"SELECT {text} FROM t").expressions[0]
    try:
        expected = in_python(text)
    except ZeroDivisionError:
        assume(False)
    assert value(tree) == expected


@SETTINGS
@given(conditions)
def test_conditions_group_as_in_python(text: str) -> None:
    tree = parse_adql(f"SELECT a FROM t WHERE {text}").args["where"].this
    assert value(tree) == in_python(text)


@pytest.fixture(scope="module")
def engine() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def fully_parenthesised(node: exp.Expr) -> str:
    """Write the tree so that no reader needs precedence."""
    copy = node.copy()
    for part in list(copy.find_all(exp.Binary, exp.Not, exp.Between, exp.In, exp.Neg)):
        if part.parent is not None and not isinstance(part.parent, exp.Paren):
            part.replace(exp.Paren(this=part.copy()))
    return copy.sql("duckdb")


@SETTINGS
@given(joined(st.one_of(predicates, predicates.map("NOT {}".format)), "AND OR"))
def test_predicates_group_as_in_duckdb(engine: duckdb.DuckDBPyConnection, text: str) -> None:
    tree = parse_adql(f"SELECT a FROM t WHERE {text}").args["where"].this
    ours, theirs = engine.execute(f"SELECT {fully_parenthesised(tree)}, {text}").fetchall()[0]
    assert ours == theirs


@SETTINGS
@given(st.one_of(arithmetic, conditions.map("CASE WHEN {} THEN 1 ELSE 0 END".format)))
def test_expressions_are_what_sqlglot_reads(text: str) -> None:
    theirs = sqlglot.parse_one(f"SELECT {text} FROM t")
    for division in theirs.find_all(exp.Div):
        division.set("typed", None)
        division.set("safe", None)
    assert parse_adql(f"SELECT {text} FROM t") == theirs


@SETTINGS
@given(arithmetic)
def test_writing_and_reading_again_changes_nothing(text: str) -> None:
    tree = parse_adql(f"SELECT {text} FROM t")
    assert parse_adql(tree.sql()) == tree
