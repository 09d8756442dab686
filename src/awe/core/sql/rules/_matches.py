"""Sky joins: where a query wants the rows of two sources that are near each other.

Whatever dialect it is written in, such a join is one of these: all pairs of rows that are near each other, the same with
the rows of one source or of both that have no partner, the nearest partners of each row (a subquery behind LATERAL or
APPLY that is sorted by distance), or the rows that have a partner, or have none (EXISTS). `found` reads one out of a
select and changes nothing; ``rules._sides`` carries it out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from sqlglot import exp

from awe.core.sql._walk import nodes
from awe.core.sql.rules import _views
from awe.core.sql.rules._bounds import exactly, largest_of, reach
from awe.core.sql.rules._build import constant
from awe.core.sql.rules._shapes import Near, Place, distance_of, test_of
from awe.core.sql.rules._state import Compilation

__all__ = ["SkyJoin", "alone", "apart", "conjuncts", "found", "from_items", "sources_of"]

_HALF_CIRCLE = 180.0


@dataclass(frozen=True, slots=True)
class SkyJoin:
    """Two sources that are to be one.

    Attributes
    ----------
    near
        How near their rows are to be; `condition` is where the query says so, None behind LATERAL.
    kept, gone
        The items; of `kept` rows without a partner may be kept.
    place, join
        The item of FROM in whose place the pairs stand, and the join that leaves; None for EXISTS.
    outer, full
        Whether rows of `kept` that nothing is near are kept, and of `gone`.
    nearest
        How many of `gone` are wanted for each row of `kept`, the nearest ones; all that are near when None.
    exists
        Whether rows of `kept` are wanted alone: those that something is near, or those that nothing is near.
    before
        What is asked of the rows of `gone` before they are matched.
    also
        What else makes a pair.
    after
        What is asked of the pairs.
    columns
        Behind LATERAL: what the columns of the subquery, by their names, are made of, and its key.
    """

    near: Near
    condition: exp.Expr | None
    kept: exp.Expr
    gone: exp.Expr
    place: exp.Expr
    join: exp.Join | None
    outer: bool = False
    full: bool = False
    nearest: int | None = None
    exists: bool | None = None
    before: tuple[exp.Expr, ...] = ()
    also: tuple[exp.Expr, ...] = ()
    after: tuple[exp.Expr, ...] = ()
    columns: tuple[str, dict[str, exp.Expr]] = field(default_factory=lambda: ("", {}))


def found(select: exp.Select, run: Compilation) -> SkyJoin | None:
    """Return a sky join of a select that can be carried out apart from it, or None."""
    joins = select.args.get("joins") or []
    if select.args.get("from_") is None or any(join.side in {"RIGHT", "FULL"} for join in joins[1:]):
        return None
    items = from_items(select)
    if joins and joins[0].side in {"RIGHT", "FULL"}:
        return _both_kept(joins[0], items, run)
    for join in joins:
        made = _behind_lateral(join, items, run)
        if made is not None:
            return made
    for condition, owner in _conditions(select):
        made = _side_by_side(condition, owner, items, run) or _exists(condition, owner, items, run)
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
    return _plain(condition) and sources_of(condition) == {key}


def apart(item: exp.Expr) -> bool:
    """Say whether an item of FROM reads nothing but what stands in it."""
    inside = {n.alias for n in nodes(item) if isinstance(n, (exp.Table, exp.Subquery))}
    return sources_of(item) <= inside


def _conditions(select: exp.Select) -> Iterator[tuple[exp.Expr, exp.Join | None]]:
    where = select.args.get("where")
    yield from ((part, None) for part in conjuncts(where and where.this))
    for join in select.args.get("joins") or []:
        yield from ((part, join) for part in conjuncts(join.args.get("on")))


@dataclass(frozen=True, slots=True)
class _Nearness:
    """A condition that the rows of two sources are near each other.

    `near` says how far apart they are at the most; `exact`, where there is more to it, is to be asked of the pairs.
    """

    near: Near
    keys: tuple[str, str]
    exact: tuple[exp.Expr, ...] = ()


def _near(condition: exp.Expr, run: Compilation) -> _Nearness | None:
    """Return what a condition says of the distance of two sources' rows.

    The radius is constant, or computed from a row of either or of both; or the condition is several, one of which is
    to hold, of the same two positions.
    """
    if isinstance(condition, exp.Or):
        return _any_near(condition, run)
    test = test_of(condition, run.text)
    if not isinstance(test, Near) or test.negated:
        return None
    one, other = _source(test.one), _source(test.other)
    if not one or not other or one == other:
        return None
    radius = constant(test.radius)
    if radius is not None:
        return _Nearness(test, (one, other)) if 0 <= radius <= _HALF_CIRCLE else None
    read = sources_of(test.radius)
    if not _plain(test.radius) or not read <= {one, other}:
        return None
    if len(read) < 2:
        return _Nearness(test, (one, other))
    if reach(test.radius, one, lambda part, _: part) is None:
        return None
    return _Nearness(replace(test, strict=False), (one, other), (exactly(condition, run.text),))


def _any_near(condition: exp.Or, run: Compilation) -> _Nearness | None:
    """Return how far apart rows are for which one of several conditions holds, each of which says so."""
    choices: list[dict[frozenset[tuple[str, str]], _Nearness]] = []
    for choice in _alternatives(condition):
        said = [found for part in conjuncts(choice) if (found := _near(part, run)) is not None]
        choices.append({_places(found.near): found for found in said})
    shared = [key for key in choices[0] if all(key in others for others in choices[1:])]
    if not shared:
        return None
    near = [others[shared[0]].near for others in choices]
    largest = largest_of([one.radius for one in near])
    keys = choices[0][shared[0]].keys
    return _Nearness(replace(near[0], radius=largest, strict=False), keys, (exactly(condition, run.text),))


def _alternatives(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Or):
        return _alternatives(node.this) + _alternatives(node.expression)
    return [node]


def _places(near: Near) -> frozenset[tuple[str, str]]:
    return frozenset(map(_written, (near.one, near.other)))


def _source(place: Place) -> str:
    """Return the source that a position is computed from; empty if there are several, or a subquery."""
    read = sources_of(place.ra, place.dec)
    return read.pop() if len(read) == 1 and _plain(place.ra, place.dec) else ""


def _plain(*parts: exp.Expr) -> bool:
    """Say whether expressions are computed from one row at a time, without a query."""
    return not any(isinstance(node, (exp.Select, exp.Window)) for part in parts for node in nodes(part))


def _asked(rest: list[exp.Expr], kept: str, gone: str) -> tuple[list[exp.Expr], list[exp.Expr]] | None:
    """Part what makes a pair: what is asked of the rows of one source before, and of both; None where there is more."""
    before = [part for part in rest if alone(gone, part)]
    also = [part for part in rest if not alone(gone, part) and not _is_true(part)]
    if all(_plain(part) and sources_of(part) <= {kept, gone} for part in also):
        return before, also
    return None


def _side_by_side(
    condition: exp.Expr,
    owner: exp.Join | None,
    items: dict[str, tuple[exp.Expr, exp.Join | None]],
    run: Compilation,
) -> SkyJoin | None:
    """Read a condition of WHERE or ON (then of `owner`) on two tables."""
    said = _near(condition, run)
    if said is None or not all(key in items for key in said.keys):
        return None
    order = list(items)
    first, second = sorted(said.keys, key=order.index)
    (kept, how), (gone, join) = items[first], items[second]
    if join is None or (how is not None and how.side) or not (apart(kept) and apart(gone)):
        return None
    rest = [*said.exact, *(part for part in conjuncts(join.args.get("on")) if part is not condition)]
    if not join.side:
        inner = owner is None or not owner.side
        if not inner:
            return None
        return SkyJoin(said.near, condition, kept, gone, kept, join, after=tuple(rest))
    asked = _asked(rest, first, second)
    if owner is not join or asked is None:
        return None
    return SkyJoin(
        said.near, condition, kept, gone, kept, join, outer=True, before=tuple(asked[0]), also=tuple(asked[1])
    )


def _both_kept(
    join: exp.Join, items: dict[str, tuple[exp.Expr, exp.Join | None]], run: Compilation
) -> SkyJoin | None:
    """Read a RIGHT or FULL JOIN of the first two items: as a left one, of which both sides may be kept."""
    first = next((key for key, (_, how) in items.items() if how is None), None)
    second = next((key for key, (_, how) in items.items() if how is join), None)
    if first is None or second is None:
        return None
    parts = conjuncts(join.args.get("on"))
    said = next(
        ((part, near) for part in parts if (near := _near(part, run)) and {first, second} == {*near.keys}),
        None,
    )
    if said is None:
        return None
    full = join.side == "FULL"
    kept, gone = (first, second) if full else (second, first)
    rest = [*said[1].exact, *(part for part in parts if part is not said[0])]
    asked = ([], rest) if full and _asked(rest, kept, gone) else _asked(rest, kept, gone)
    if asked is None or not all(apart(items[key][0]) for key in (first, second)):
        return None
    return SkyJoin(
        said[1].near, said[0], items[kept][0], items[gone][0], items[first][0], join, outer=True, full=full,
        before=tuple(asked[0]), also=tuple(asked[1]),
    )  # fmt: skip


def _exists(
    condition: exp.Expr,
    owner: exp.Join | None,
    items: dict[str, tuple[exp.Expr, exp.Join | None]],
    run: Compilation,
) -> SkyJoin | None:
    """Read a condition that rows of another source are near, or that none is."""
    wanted = not isinstance(condition, exp.Not)
    asks = condition if wanted else condition.this
    inner = asks.this if isinstance(asks, exp.Exists) else None
    inner = inner.this if isinstance(inner, exp.Subquery) else inner
    if owner is not None or not isinstance(inner, exp.Select) or not _selects_rows_of_one(inner):
        return None
    gone, where = inner.args["from_"].this, inner.args.get("where")
    parts = conjuncts(where and where.this)
    tests = [(part, said) for part in parts if (said := _near(part, run)) and gone.alias in said.keys]
    if not tests or inner.args.get("limit") is not None:
        return None
    test, said = tests[0]
    key = next(k for k in said.keys if k != gone.alias)
    kept, how = items.get(key, (None, None))
    asked = _asked([*said.exact, *(part for part in parts if part is not test)], key, gone.alias)
    if kept is None or (how is not None and how.side) or not (apart(kept) and apart(gone)) or asked is None:
        return None
    return SkyJoin(
        said.near,
        condition,
        kept,
        gone,
        kept,
        None,
        exists=wanted,
        before=tuple(asked[0]),
        also=tuple(asked[1]),
    )


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
    tests = [(part, said) for part in asked if (said := _near(part, run)) and gone.alias in said.keys]
    if not tests:
        return None
    condition, said = tests[0]
    near = said.near
    key = next(k for k in said.keys if k != gone.alias)
    kept, how = items.get(key, (None, None))
    rest = [*said.exact, *(part for part in asked if part is not condition)]
    columns = {part.alias: part.this for part in inner.expressions}
    if kept is None or (how is not None and how.side) or not (apart(kept) and apart(gone)):
        return None
    if any(isinstance(n, exp.Select) for part in columns.values() for n in nodes(part)):
        return None
    outer = bool(join.side)
    if outer and not all(map(_is_true, on)):
        return None
    limit = inner.args.get("limit")
    first = limit is not None or outer
    parted = _asked(rest, key, gone.alias)
    if (limit is not None and not _by_distance(inner, near, run)) or (first and parted is None):
        return None
    before, also = parted if first and parted is not None else ([], [])
    return SkyJoin(
        near, None, kept, gone, kept, join, outer,
        nearest=None if limit is None else int(limit.expression.name),
        before=tuple(before), also=tuple(also),
        after=(*(part for part in on if not isinstance(part, exp.Boolean)), *(() if first else rest)),
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


def _is_true(condition: exp.Expr) -> bool:
    return isinstance(condition, exp.Boolean) and bool(condition.this)


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
