"""Queries and what becomes of them, in the language itself: ``fixtures/*.adql``.

A case begins with ``--? title``; its text ends at ``--> tree, as sqlglot's generic SQL`` or at
``--! line:column words of the error``.
"""

import re
from pathlib import Path

import pytest
from sqlglot import exp

from awe.core.sql.dialects.adql import parse_adql
from awe.errors import QuerySyntaxError

CASE = re.compile(r"^--\? (.*)\n((?:.*\n)*?)--([>!]) (.*)\n", re.MULTILINE)
FIXTURES = Path(__file__).parent / "fixtures"


def cases(sign: str) -> list[object]:
    return [
        pytest.param(text.removesuffix("\n"), outcome, id=f"{path.stem}: {title}")
        for path in sorted(FIXTURES.glob("*.adql"))
        for title, text, found, outcome in CASE.findall(path.read_text(encoding="utf-8"))
        if found == sign
    ]


@pytest.mark.parametrize(("text", "tree"), cases(">"))
def test_valid_query_becomes_the_tree(text: str, tree: str) -> None:
    assert generic(parse_adql(text)) == tree


def generic(tree: exp.Expr) -> str:
    # ADQL does not order NULLs and the tree does not say; sqlglot's generic SQL must.
    return tree.sql(normalize_functions=False).replace(" ASC NULLS LAST", "")


@pytest.mark.parametrize(("text", "outcome"), cases("!"))
def test_invalid_query_is_refused_with_place_and_hint(text: str, outcome: str) -> None:
    place, words = outcome.split(" ", maxsplit=1)
    with pytest.raises(QuerySyntaxError) as caught:
        parse_adql(text)
    assert f"{caught.value.fields['line']}:{caught.value.fields['column']}" == place
    assert words in str(caught.value)


def test_fixtures_are_found() -> None:
    assert len(cases(">")) > 40
    assert len(cases("!")) > 100
