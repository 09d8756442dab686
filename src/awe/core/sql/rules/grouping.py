"""Aggregates and windows stand where they may, and what is not aggregated is grouped."""

from collections.abc import Iterator

from sqlglot import exp

from awe.core.sql.functions import AGGREGATE, FUNCTIONS
from awe.core.sql.rules._state import Compilation, computed

__all__ = ["grouping"]


def grouping(tree: exp.Expr, run: Compilation) -> exp.Expr:
    """Check every SELECT.

    Raises
    ------
    QuerySyntaxError
        Naming the column that is neither grouped nor aggregated, or the misplaced function.
    """
    if any(_groups(node) for node in computed(tree)):
        for select in tree.find_all(exp.Select):
            _check(select, run)
    return tree


def _groups(node: exp.Expr) -> bool:
    return isinstance(node, (exp.Group, exp.Having, exp.Window)) or _is_aggregate(node)


def _check(select: exp.Select, run: Compilation) -> None:
    conditions = [select.args.get("where"), select.args.get("group")]
    conditions += [join.args.get("on") for join in select.args.get("joins") or []]
    for clause in conditions:
        for node in _own(clause) if clause is not None else ():
            _refuse_in_condition(node, run)
    parts = [*select.expressions, select.args.get("having"), select.args.get("order")]
    present = [part for part in parts if part is not None]
    for part in present:
        _refuse_in_window(part, run)
    if select.args.get("from_") is None:
        for part in present:
            _refuse_of_outer_rows(part, run)
    group = select.args.get("group")
    keys = list(group.expressions) if group is not None else []
    if keys or select.args.get("having") or any(_is_aggregate(n) for part in present for n in _own(part)):
        for part in present:
            _check_grouped(part, keys, run)


def _refuse_in_condition(node: exp.Expr, run: Compilation) -> None:
    if _is_aggregate(node):
        name = node.meta.get("spelled", node.name)
        raise run.text.syntax(node, f"{name} cannot stand in WHERE, ON or GROUP BY", "use HAVING")
    if isinstance(node, exp.Window):
        raise run.text.syntax(
            node, "OVER cannot stand in WHERE, ON or GROUP BY", "select it in a subquery first"
        )


def _refuse_in_window(part: exp.Expr, run: Compilation) -> None:
    for window in _own(part):
        if isinstance(window, exp.Window):
            for inner in _own(window):
                if inner is not window and isinstance(inner, exp.Window):
                    hint = "select it in a subquery first"
                    raise run.text.syntax(inner, "OVER cannot stand inside the window of another", hint)


def _refuse_of_outer_rows(part: exp.Expr, run: Compilation) -> None:
    """Without FROM the columns are those of a query around: an aggregate of them would belong there."""
    for node in _own(part):
        if _is_aggregate(node) and any(isinstance(inner, exp.Column) for inner in _own(node)):
            raise run.text.syntax(node, "an aggregate of columns needs a FROM", "SELECT MAX(x) FROM table")


def _own(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the nodes of a clause, without those of subqueries."""
    return node.walk(prune=lambda n: isinstance(n, (exp.Subquery, exp.Select, exp.SetOperation)))


def _is_aggregate(node: exp.Expr) -> bool:
    called = isinstance(node, exp.Anonymous) and FUNCTIONS[node.name].kind == AGGREGATE
    return called and not isinstance(node.parent, exp.Window)


def _check_grouped(node: exp.Expr, keys: list[exp.Expr], run: Compilation) -> None:
    if node in keys or isinstance(node, (exp.Subquery, exp.Select, exp.SetOperation)):
        return
    if _is_aggregate(node):
        for inner in _own(node):
            if inner is not node and (_is_aggregate(inner) or isinstance(inner, exp.Window)):
                raise run.text.syntax(inner, "an aggregate cannot contain another", "use a subquery")
        return
    if isinstance(node, exp.Column):
        name = node.meta.get("spelled", node.name)
        raise run.text.syntax(
            node, f"column {name} is neither grouped nor aggregated",
            f"add it to GROUP BY, or write MIN({name}) or AVG({name})",
        )  # fmt: skip
    for part in node.iter_expressions():
        _check_grouped(part, keys, run)
