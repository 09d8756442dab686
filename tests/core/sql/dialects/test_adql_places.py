"""Every node knows its place in the text."""

from itertools import pairwise

import pytest
from sqlglot import exp

from awe.core.sql.dialects.adql import parse_adql

TEXT = """WITH q AS (SELECT "A b", ra FROM sch.t AS x)
SELECT DISTINCT TOP 5 q.ra + 1 AS sum_, -- comment
  CASE WHEN a IS NOT NULL THEN 'two
lines' ELSE COALESCE(b, 2) END, t.*, COUNT(*), CAST(a AS VARCHAR(3))
FROM q NATURAL JOIN (u LEFT OUTER JOIN v USING (k)), f(1) AS g
WHERE 1 = CONTAINS(POINT('ICRS', ra, -dec), CIRCLE(10, 20, (0.5))) AND NOT a NOT IN (SELECT b FROM w)
  OR n LIKE 'M%' AND EXISTS (SELECT * FROM w)
GROUP BY a HAVING MAX(m) BETWEEN 1 AND 2 ORDER BY 1 DESC OFFSET 3"""


@pytest.fixture(scope="module")
def tree() -> exp.Expr:
    return parse_adql(TEXT)


def source(node: exp.Expr) -> str:
    return TEXT[node.meta["start"] : node.meta["end"]]


def test_every_node_has_a_place(tree: exp.Expr) -> None:
    for node in tree.walk():
        assert set(node.meta) == {"line", "col", "start", "end"}, repr(node)
        assert source(node).strip() == source(node) != ""


def test_line_and_column_agree_with_the_offset(tree: exp.Expr) -> None:
    for node in tree.walk():
        before = TEXT[: node.meta["start"]]
        assert node.meta["line"] == before.count("\n") + 1
        assert node.meta["col"] == len(before) - (before.rfind("\n") + 1) + 1


def test_children_lie_within_their_parents(tree: exp.Expr) -> None:
    for node in tree.walk():
        # The first table of a join in parentheses holds the joins and is still placed at itself.
        if node.parent is not None and not (isinstance(node.parent, exp.Table) and node.arg_key == "joins"):
            assert (
                node.parent.meta["start"] <= node.meta["start"] <= node.meta["end"] <= node.parent.meta["end"]
            )


def test_operands_follow_each_other(tree: exp.Expr) -> None:
    for node in tree.find_all(exp.Binary):
        assert node.left.meta["end"] <= node.right.meta["start"]
    for call in tree.find_all(exp.Anonymous):
        for left, right in pairwise(call.expressions):
            assert left.meta["end"] <= right.meta["start"]


def test_sources_are_what_was_written(tree: exp.Expr) -> None:
    assert source(tree) == TEXT
    found = {source(node) for node in tree.walk()}
    assert {
        '"A b"',
        "sch.t AS x",
        "q.ra + 1 AS sum_",
        "q.ra + 1",
        "t.*",
        "COUNT(*)",
        "CAST(a AS VARCHAR(3))",
        "POINT('ICRS', ra, -dec)",
        "a NOT IN (SELECT b FROM w)",
        "NOT a NOT IN (SELECT b FROM w)",
        "EXISTS (SELECT * FROM w)",
        "NATURAL JOIN (u LEFT OUTER JOIN v USING (k))",
        "MAX(m) BETWEEN 1 AND 2",
        "1 DESC",
        "OFFSET 3",
    } <= found


def test_a_level_that_was_not_written_lies_where_its_query_does() -> None:
    tree = parse_adql("(SELECT TOP 5 a FROM t) OFFSET 3")
    assert all("line" in node.meta for node in tree.walk())
    assert tree.args["from_"].this.alias_or_name == "q"


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_lines_of_every_system_are_counted(line_break: str) -> None:
    text = line_break.join(["SELECT", " 'a", "b' AS x,", "  y", "FROM t"])
    y = parse_adql(text).expressions[1]
    assert (y.meta["line"], y.meta["col"]) == (4, 3)
