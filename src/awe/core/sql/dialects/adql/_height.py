"""The height of a tree is bounded: what walks it later (rules, generators) is recursive.

Runs of AND and of OR are read flat by everybody, so that a run counts once, however long it is.
"""

from sqlglot import exp

from awe.errors import QuerySyntaxError

__all__ = ["MAX_HEIGHT", "MAX_RUN", "check_height"]

MAX_HEIGHT = 120
"""Levels of nodes under each other."""

MAX_RUN = 5000
"""Conditions joined by the same AND or OR."""


def check_height(tree: exp.Expr) -> None:
    """Refuse a tree that is too high, at the place of a node that is too deep."""
    todo = [(tree, 1, 1)]
    while todo:
        node, height, run = todo.pop()
        if height > MAX_HEIGHT or run > MAX_RUN:
            what = "operators and functions" if height > MAX_HEIGHT else "conditions"
            meta = node.meta
            raise QuerySyntaxError(
                f"too many {what} in one expression",
                line=meta.get("line"),
                column=meta.get("col"),
                hint="group a long sum with parentheses, replace many conditions by IN (...)",
            )
        kind = type(node)
        connector = kind is exp.And or kind is exp.Or
        for child in node.iter_expressions():
            if connector and type(child) is kind:
                todo.append((child, height, run + 1))
            else:
                todo.append((child, height + 1, 1))
