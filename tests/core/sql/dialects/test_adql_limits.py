"""No text, however hostile, does worse than an error with a place."""

import sys
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awe.core.sql.dialects.adql import parse_adql
from awe.errors import QueryError, QuerySyntaxError

WHERE = "SELECT a FROM t WHERE "


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + "(" * 100_000 + "a" + ")" * 100_000 + " FROM t",
        "SELECT a FROM " + "(" * 10_000 + "SELECT",
        WHERE + "a IN " + "(" * 10_000 + "SELECT",
        WHERE + "(a IN " * 1000,
        WHERE + "NOT (" * 1000,
        WHERE + "EXISTS (SELECT a FROM t WHERE " * 1000,
        "SELECT " + "-(" * 1000,
        "SELECT " + "f(" * 1000,
        "SELECT " + "CASE WHEN 1 = 1 THEN " * 1000,
        "SELECT a FROM " + "(SELECT a FROM " * 1000,
        WHERE + "a IN (SELECT a FROM t WHERE " * 1000,
    ],
)
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(QuerySyntaxError, match="nested more than"):
        parse_adql(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + "+".join(["a"] * 5000) + " FROM t",
        "SELECT " + "||".join(["a"] * 5000) + " FROM t",
        " UNION ".join(["SELECT a FROM t"] * 500),
        WHERE + " OR ".join(["a = 1"] * 6000),
    ],
)
def test_high_trees_are_refused(text: str) -> None:
    with pytest.raises(QuerySyntaxError, match="too many"):
        parse_adql(text)


@pytest.fixture
def shallow_stack() -> Iterator[None]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(900)  # a hundred frames for whoever calls
    yield
    sys.setrecursionlimit(limit)


@pytest.mark.slow
@pytest.mark.usefixtures("shallow_stack")
@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + "(" * 60 + "a" + ")" * 60 + " FROM t",
        "SELECT " + "abs(" * 60 + "a" + ")" * 60 + " FROM t",
        "SELECT " + "coalesce(" * 60 + "a" + ")" * 60 + " FROM t",
        "SELECT " + "CASE WHEN 1 = 1 THEN " * 50 + "a" + " END" * 50 + " FROM t",
        "SELECT a FROM " + "(SELECT a FROM " * 25 + "x" + ") q" * 25,
        "SELECT a FROM " + "(" * 50 + "x JOIN y ON 1 = 1" + ")" * 50,
        "SELECT " + "-a + a * b - " * 25 + "a FROM t",
        WHERE + " OR ".join(["a = 1 AND b = 2"] * 1000),
        "SELECT a FROM t" + " NATURAL JOIN u" * 500,
        " UNION ".join(["SELECT a FROM t"] * 50),
    ],
)
def test_what_is_accepted_can_be_written_again(text: str) -> None:
    assert parse_adql(text).sql("duckdb")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x" * 1_000_001, "1000001 characters"),
        ("SELECT " + "x" * 257 + " FROM t", "256"),
        ('SELECT "' + "x" * 500 + '" FROM t', "256"),
        ("SELECT " + "9" * 5000 + " FROM t", "100"),
        ("SELECT 0x" + "f" * 500_000 + " FROM t", "100"),
        (WHERE + "a = '" + "''" * 400_000, "closing"),
        ("SELECT a\x00 FROM t", "U+0000"),
        ("SELECT a\ud800 FROM t", "U+D800"),
    ],
)
def test_long_and_strange_texts_are_refused(text: str, words: str) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse_adql(text)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 500


WORDS = """
    SELECT * FROM WHERE a b t.c "d" 'e' 1 2.5 ( ) , . = <> + - * / || AND OR NOT IN LIKE IS NULL BETWEEN
    EXISTS COUNT POINT CIRCLE CONTAINS CASE WHEN THEN END CAST AS JOIN ON USING UNION GROUP BY ORDER TOP ; :x
"""
SIGNS = "'\"()<>=!|-/*+.,_:;%\\ \n\r\t0xaeE9éß≤²\x00"


def refusal(text: str) -> QueryError | None:
    try:
        parse_adql(text)
    except QueryError as error:
        return error
    return None


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(WORDS.split()), max_size=30).map(" ".join))
def test_any_sequence_of_words_is_parsed_or_refused_with_a_place(words: str) -> None:
    for text in (words, "SELECT a FROM t WHERE " + words, "SELECT " + words + " FROM t"):
        error = refusal(text)
        if error is not None:
            assert error.fields["line"] == 1
            assert 1 <= int(str(error.fields["column"])) <= len(text) + 1


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.text(SIGNS, max_size=60))
def test_any_text_is_parsed_or_refused_with_a_place(signs: str) -> None:
    for text in (signs, "SELECT " + signs + " FROM t"):
        error = refusal(text)
        assert error is None or "line" in error.fields
