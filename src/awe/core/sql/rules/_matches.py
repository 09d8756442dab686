"""Sky joins: where a query wants the rows of two sources that are near each other.

Whatever dialect it is written in, such a join is one of three things: all pairs of rows that are near each other,
the same with the rows of one source that have no partner, or the nearest partners of each row (a subquery behind
LATERAL or APPLY that is sorted by distance). `found` reads one out of a select and changes nothing;
``rules._sides`` carries it out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from awe.core.sky import MAX_REACH
from awe.core.sql._walk import nodes
from awe.core.sql.rules import _views
from awe.core.sql.rules._build import constant
from awe.core.sql.rules._shapes import Near, Place, distance_of, test_of
from awe.core.sql.rules._state import Compilation

__all__ = ["SkyJoin", "alone", "apart", "conjuncts", "found", "from_items", "sources_of"]


@dataclass(frozen=True, slots=True)
class SkyJoin:
    """Two items of FROM that are to be one.

    Attributes
    ----------
    near
        How near their rows are to be; `condition` is where the query says so, None behind LATERAL.
    kept, gone
        The item in whose place the pairs stand, and that which `join` brings and which leaves FROM.
    outer
        Whether rows of `kept` that nothing is near are kept.
    nearest
        How many of `gone` are wanted for each row of `kept`, the nearest ones; all that are near when None.
    before
        What is asked of the rows of `gone` before they are matched.
    after
        What is asked of the pairs.
    columns
        Behind LATERAL: what the columns of the subquery, by their names, are made of, and its key.
    """

    near: Near
    condition: exp.Expr | None
    kept: exp.Expr
    gone: exp.Expr
    join: exp.Join
    outer: bool = False
    nearest: int | None = None
    before: tuple[exp.Expr, ...] = ()
    after: tuple[exp.Expr, ...] = ()
    columns: tuple[str, dict[str, exp.Expr]] = field(default_factory=lambda: ("", {}))


def found(select: exp.Select, run: Compilation) -> SkyJoin | None:
    """Return a sky join of a select that can be carried out apart from it, or None."""
    joins = select.args.get("joins") or []
    if select.args.get("from_") is None or any(join.side in {"RIGHT", "FULL"} for join in joins):
        return None
    items = from_items(select)
    for join in joins:
        made = _behind_lateral(join, items, run)
        if made is not None:
            return made
    for condition, owner in _conditions(select):
        made = _side_by_side(condition, owner, items, run)
        if made is not None:
            return made
    return None


def conjuncts(node: exp.Expr | None) -> list[exp.Expr]:
    """Return the conjuncts of a condition; none where there is no condition."""
    if node is None:
        return []
    if isinstance(node, exp.And):
        return conjuncts(node.this) + conjuncts(node.expression)
    return [node]


def from_items(select: exp.Select) -> dict[str, tuple[exp.Expr, exp.Join | None]]:
    """Return the tables and subqueries of FROM by their keys, with the joins that bring them.

    Those in parentheses, behind LATERAL or listed in cells are left out.
    """
    joins = [(join.this, join) for join in select.args.get("joins") or []]
    return {
        item.alias: (item, join)
        for item, join in [(select.args["from_"].this, None), *joins]
        if isinstance(item, (exp.Table, exp.Subquery))
        and not item.args.get("joins")
        and not isinstance(item.this, exp.Table)
        and "cells" not in item.meta
    }


def sources_of(*parts: exp.Expr) -> set[str]:
    """Return the keys of the sources that expressions read."""
    return {node.table for part in parts for node in nodes(part) if isinstance(node, exp.Column)}


def alone(key: str, condition: exp.Expr) -> bool:
    """Say whether a condition is one on the rows of one source, and of nothing else."""
    plain = not any(isinstance(node, (exp.Select, exp.Window)) for node in nodes(condition))
    return plain and sources_of(condition) == {key}


def apart(item: exp.Expr) -> bool:
    """Say whether an item of FROM reads nothing but what stands in it."""
    inside = {n.alias for n in nodes(item) if isinstance(n, (exp.Table, exp.Subquery))}
    return sources_of(item) <= inside


def _conditions(select: exp.Select) -> Iterator[tuple[exp.Expr, exp.Join | None]]:
    where = select.args.get("where")
    yield from ((part, None) for part in conjuncts(where and where.this))
    for join in select.args.get("joins") or []:
        yield from ((part, join) for part in conjuncts(join.args.get("on")))


def _near(condition: exp.Expr, run: Compilation) -> tuple[Near, str, str] | None:
    """Return a condition on the distance of two sources' rows, at a constant radius, and their keys."""
    test = test_of(condition, run.text)
    if not isinstance(test, Near) or test.negated:
        return None
    radius = constant(test.radius)
    one, other = _source(test.one), _source(test.other)
    if radius is None or not 0 <= radius <= MAX_REACH or not one or not other or one == other:
        return None
    return test, one, other


def _source(place: Place) -> str:
    """Return the source that a position is computed from; empty if there are several, or a subquery."""
    read = sources_of(place.ra, place.dec)
    plain = not any(isinstance(n, (exp.Select, exp.Window)) for p in (place.ra, place.dec) for n in nodes(p))
    return read.pop() if len(read) == 1 and plain else ""


def _side_by_side(
    condition: exp.Expr,
    owner: exp.Join | None,
    items: dict[str, tuple[exp.Expr, exp.Join | None]],
    run: Compilation,
) -> SkyJoin | None:
    """Read a condition of WHERE or ON (then of `owner`) on two tables."""
    said = _near(condition, run)
    if said is None or not all(key in items for key in said[1:]):
        return None
    order = list(items)
    first, second = sorted(said[1:], key=order.index)
    (kept, how), (gone, join) = items[first], items[second]
    if join is None or (how is not None and how.side) or not (apart(kept) and apart(gone)):
        return None
    rest = tuple(part for part in conjuncts(join.args.get("on")) if part is not condition)
    if not join.side:
        inner = owner is None or not owner.side
        return SkyJoin(said[0], condition, kept, gone, join, after=rest) if inner else None
    if owner is not join or not all(alone(second, part) for part in rest):
        return None
    return SkyJoin(said[0], condition, kept, gone, join, outer=True, before=rest)


def _behind_lateral(
    join: exp.Join, items: dict[str, tuple[exp.Expr, exp.Join | None]], run: Compilation
) -> SkyJoin | None:
    """Read a subquery that is asked for each row of a table: for what is near it, or for the nearest of that."""
    subquery = join.this.this if isinstance(join.this, exp.Lateral) else None
    inner = subquery.this if isinstance(subquery, exp.Subquery) else None
    if subquery is None or not isinstance(inner, exp.Select) or not _selects_rows_of_one(inner):
        return None
    gone, where, on = inner.args["from_"].this, inner.args.get("where"), conjuncts(join.args.get("on"))
    asked = conjuncts(where and where.this)
    tests = [(part, said) for part in asked if (said := _near(part, run)) and gone.alias in said[1:]]
    if not tests:
        return None
    condition, (near, *keys) = tests[0]
    key = next(k for k in keys if k != gone.alias)
    kept, how = items.get(key, (None, None))
    rest = tuple(part for part in asked if part is not condition)
    columns = {part.alias: part.this for part in inner.expressions}
    if kept is None or (how is not None and how.side) or not (apart(kept) and apart(gone)):
        return None
    if any(isinstance(n, exp.Select) for part in columns.values() for n in nodes(part)):
        return None
    outer = bool(join.side)
    if outer and not all(isinstance(part, exp.Boolean) and part.this for part in on):
        return None
    limit = inner.args.get("limit")
    first = limit is not None or outer
    if (limit is not None and not _by_distance(inner, near, run)) or (
        first and not all(alone(gone.alias, part) for part in rest)
    ):
        return None
    return SkyJoin(
        near, None, kept, gone, join, outer,
        None if limit is None else int(limit.expression.name),
        before=rest if first else (),
        after=tuple(part for part in on if not isinstance(part, exp.Boolean)) + (() if first else rest),
        columns=(subquery.alias, columns),
    )  # fmt: skip


def _selects_rows_of_one(inner: exp.Select) -> bool:
    """Say whether each row of a query is one of its only source's, sorted and cut perhaps."""
    if inner.args.get("from_") is None or inner.args.get("joins"):
        return False
    bare = inner.copy()
    for part in ("order", "limit"):
        bare.set(part, None)
    return bool(from_items(inner)) and _views.selects_rows(bare)


def _by_distance(inner: exp.Select, near: Near, run: Compilation) -> bool:
    """Say whether a query is sorted by the distance that its rows are chosen by, the nearest first."""
    order = inner.args.get("order")
    keys = order.expressions if order is not None else []
    if len(keys) != 1 or keys[0].args.get("desc"):
        return False
    key = keys[0].this
    if isinstance(key, exp.Literal):
        key = inner.expressions[int(key.name) - 1].this
    measured = distance_of(key, run.text)
    return measured is not None and same_places(measured[:2], (near.one, near.other))


def same_places(one: tuple[Place, Place], other: tuple[Place, Place]) -> bool:
    """Say whether two pairs of positions are the same, in either order."""
    return {_written(place) for place in one} == {_written(place) for place in other}


def _written(place: Place) -> tuple[str, str]:
    return place.ra.sql(), place.dec.sql()
