"""Carry out a sky join: two items of FROM become a source of pairs, which an engine is asked for by its sides.

A *side* is a query of its own: the columns that are read of its rows, where they stand on the sky, and what is asked
of its rows alone. The pairs have the columns of both, called by their source's key and their name (``t1.ra``), and
the separation.
"""

import math
from collections.abc import Callable, Sequence

import pyarrow as pa
from sqlglot import exp

from awe.core.sql._walk import nodes
from awe.core.sql.rules import _views
from awe.core.sql.rules._bounds import reach
from awe.core.sql.rules._build import all_of, binary, call, column, constant, number
from awe.core.sql.rules._matches import SkyJoin, alone, conjuncts, from_items, same_places, sources_of
from awe.core.sql.rules._shapes import Place, distance_of
from awe.core.sql.rules._state import (
    DEC,
    INDEX,
    RA,
    RADIUS,
    ROW,
    SEPARATION,
    Compilation,
    Side,
    SkyMatch,
    set_value,
    value,
)
from awe.core.tables import Column

__all__ = ["row_selection", "rows_of", "unite"]

Rule = Callable[[exp.Expr, Compilation], exp.Expr]

_BOOLEAN = Column("", pa.bool_())
_DEGREES = Column("", pa.float64(), unit="deg")
_WHOLE = Column("", pa.int64())
_EXTREME = "extreme"


def unite(select: exp.Select, join: SkyJoin, run: Compilation, rule: Rule) -> None:
    """Put the pairs in the place of two items; `rule` is then applied to what leaves the tree."""
    kept, gone, pairs = join.kept.alias, join.gone.alias, run.key("m")
    one, other = join.near.one, join.near.other
    places = {kept: one, gone: other} if sources_of(one.ra, one.dec) == {kept} else {kept: other, gone: one}
    sizes = {item.alias: rows_of(item, run) for item in (join.kept, join.gone)}
    shared = _shared(select)
    asked_of_pairs = _asked_of_pairs(join, pairs)
    if join.condition is not None:
        join.condition.replace(set_value(exp.Boolean(this=True), _BOOLEAN))
    if join.join is not None:
        join.join.pop()
    _put_where(select, [*_where(select), *join.after])
    join.place.replace(_pairs(pairs))
    _substitute(select, join)
    asked = {kept: _taken(select, kept) if not join.full else [], gone: list(join.before)}
    if not join.outer and join.nearest is None and join.exists is None:
        asked[gone] += _taken(select, gone)
    for tree in (select, *asked_of_pairs):
        _measure(tree, join, pairs, run)
    radius = _radius(join, sizes, asked)
    sides = {}
    for item in (join.kept, join.gone):
        key = item.alias
        found = _index(item, places[key], run)
        outputs = _renamed([select, *asked_of_pairs], key, pairs)
        outputs |= {RA: places[key].ra, DEC: places[key].dec} | ({INDEX: found[1]} if found else {})
        outputs |= {RADIUS: radius[1]} if radius[0] == key else {}
        tree = rule(_side(item, outputs, asked[key], shared), run)
        plain = found is not None and found[0] == key and not asked[key]
        sides[key] = Side(tree, sizes[key], found[0] if found else None, _plain(outputs) if plain else None)
    of_kept = join.outer or join.nearest is not None or join.exists is not None
    held = kept if (of_kept and not join.full) or sizes[kept] <= sizes[gone] else gone
    run.matches.append(
        SkyMatch(
            pairs, sides[held], sides[gone if held == kept else kept],
            constant(radius[1]) if not radius[0] else None,
            strict=join.near.strict, outer=join.outer, full=join.full, nearest=join.nearest, exists=join.exists,
            asked=next((Side(rule(tree, run)) for tree in asked_of_pairs), None),
        )
    )  # fmt: skip


def _radius(join: SkyJoin, sizes: dict[str, float], asked: dict[str, list[exp.Expr]]) -> tuple[str, exp.Expr]:
    """Return the source whose rows have a radius each, empty where it is constant, and the radius.

    Of one that both rows decide, the rows of the smaller source have the largest that it can be for them.
    """
    radius = join.near.radius
    read = sources_of(radius)
    if constant(radius) is not None:
        return "", radius
    mine, other = sorted((join.kept, join.gone), key=lambda item: sizes[item.alias])
    if len(read) < 2:
        return next(iter(read), mine.alias), radius

    def extreme(part: exp.Expr, largest: bool) -> exp.Expr:
        found = exp.Alias(this=call("MAX" if largest else "MIN", part), alias=exp.to_identifier(_EXTREME))
        rows = exp.Select(expressions=[found], from_=exp.From(this=other.copy()))
        if asked[other.alias]:
            rows.set("where", exp.Where(this=all_of([condition.copy() for condition in asked[other.alias]])))
        return set_value(exp.Subquery(this=rows), Column("", pa.float64()))

    bound = reach(radius, mine.alias, extreme)
    assert bound is not None  # noqa: S101  # `found` takes no other
    return mine.alias, bound


def _asked_of_pairs(join: SkyJoin, pairs: str) -> list[exp.Expr]:
    """Return the query of the numbers of the pairs that are let through, if anything is asked of them."""
    if not join.also:
        return []
    number = exp.Alias(this=column(pairs, ROW, _WHOLE), alias=exp.to_identifier(ROW, quoted=True))
    where = exp.Where(this=all_of([part.copy() for part in join.also]))
    return [exp.Select(expressions=[number], from_=exp.From(this=_pairs(pairs)), where=where)]


def _pairs(key: str) -> exp.Table:
    return _named(exp.Table(this=exp.to_identifier(key, quoted=True)), key)


def rows_of(item: exp.Expr, run: Compilation) -> float:
    """Return how many rows an item of FROM has at the most; infinitely many where nobody says."""
    use = run.uses.get(item.alias)
    if use is not None:
        return math.inf if use.table.rows is None else use.table.rows
    inner = row_selection(item)
    parts = [rows_of(part, run) for part, _ in from_items(inner).values()] if inner is not None else []
    return parts[0] if inner is not None and len(parts) == 1 and not inner.args.get("joins") else math.inf


def row_selection(item: exp.Expr | None) -> exp.Select | None:
    """Return the query of a subquery in FROM, if its rows are those of what it reads."""
    inner = item.this if isinstance(item, exp.Subquery) else None
    rows = (
        isinstance(inner, exp.Select) and inner.args.get("from_") is not None and _views.selects_rows(inner)
    )
    return inner if isinstance(inner, exp.Select) and rows else None


def _side(
    item: exp.Expr, outputs: dict[str, exp.Expr], asked: list[exp.Expr], shared: list[exp.Expr]
) -> exp.Expr:
    """Return the query of a side."""
    made = exp.Select(
        expressions=[
            exp.Alias(this=part.copy(), alias=exp.to_identifier(name, quoted=True))
            for name, part in outputs.items()
        ],
        from_=exp.From(this=item),
    )
    if asked:
        made.set("where", exp.Where(this=all_of(asked)))
    if any(isinstance(n, exp.Table) and n.meta.get("use") is None for n in nodes(made)):
        made.set("with_", exp.With(expressions=[part.copy() for part in shared]))
    return made


def _plain(outputs: dict[str, exp.Expr]) -> tuple[tuple[str, str], ...] | None:
    """Return the names of a table's columns under the names that they have outside; None where one is computed."""
    columns = tuple((name, part.name) for name, part in outputs.items() if isinstance(part, exp.Column))
    return columns if len(columns) == len(outputs) else None


def _shared(select: exp.Select) -> list[exp.Expr]:
    """Return the common table expressions that a select sees, the outer ones first."""
    seen: list[exp.Expr] = []
    node: exp.Expr | None = select
    while node is not None:
        with_ = node.args.get("with_")
        seen = [*(with_.expressions if isinstance(with_, exp.With) else ()), *seen]
        node = node.parent
    return seen


def _named(table: exp.Table, key: str) -> exp.Table:
    table.set("alias", exp.TableAlias(this=exp.to_identifier(key, quoted=True)))
    table.meta["use"] = key
    return table


def _where(select: exp.Select) -> list[exp.Expr]:
    where = select.args.get("where")
    return conjuncts(where and where.this)


def _put_where(select: exp.Select, conditions: list[exp.Expr]) -> None:
    select.set("where", exp.Where(this=all_of(conditions)) if conditions else None)


def _taken(select: exp.Select, key: str) -> list[exp.Expr]:
    """Take what is asked of one source's rows alone out of WHERE."""
    conditions = _where(select)
    taken = [part for part in conditions if alone(key, part)]
    if taken:
        _put_where(select, [part for part in conditions if not alone(key, part)])
    return taken


def _substitute(select: exp.Select, join: SkyJoin) -> None:
    """Write what the columns of a subquery behind LATERAL are made of in their place."""
    key, columns = join.columns
    for node in _columns(select, {key} if key else set()):
        made = columns[node.name].copy()
        plain = isinstance(made, exp.Column) and made.table == join.gone.alias
        node.replace(made if plain or not join.outer else _where_matched(made, join))


def _where_matched(made: exp.Expr, join: SkyJoin) -> exp.Expr:
    """Return a value of a subquery, which is NULL where it has no row."""
    near = join.near
    apart = set_value(
        exp.Anonymous(
            this="DISTANCE",
            expressions=[p.copy() for p in (near.one.ra, near.one.dec, near.other.ra, near.other.dec)],
        ),
        _DEGREES,
    )
    none = set_value(exp.Is(this=apart, expression=set_value(exp.Null(), _DEGREES)), _BOOLEAN)
    found = set_value(exp.Not(this=none), _BOOLEAN)
    case = exp.Case(ifs=[exp.If(this=found, true=made)])
    return set_value(case, value(made))


def _measure(select: exp.Expr, join: SkyJoin, pairs: str, run: Compilation) -> None:
    """Let the separation of the pairs be read wherever the query computes it."""
    for node in [n for n in nodes(select) if isinstance(n, exp.Anonymous)]:
        measured = distance_of(node, run.text)
        if measured is None or not same_places(measured[:2], (join.near.one, join.near.other)):
            continue
        degrees = column(pairs, SEPARATION, _DEGREES)
        factor = measured[2]
        node.replace(
            degrees if factor == 1 else set_value(binary(exp.Mul, degrees, number(factor)), value(node))
        )


def _renamed(trees: Sequence[exp.Expr], key: str, pairs: str) -> dict[str, exp.Expr]:
    """Let the columns of a source be those of the pairs; return what they were, by their new names."""
    outputs: dict[str, exp.Expr] = {}
    for node in [node for tree in trees for node in _columns(tree, {key})]:
        name = f"{key}.{node.name}"
        outputs.setdefault(name, node.copy())
        node.replace(column(pairs, name, value(node)))
    return outputs


def _columns(select: exp.Expr, keys: set[str]) -> list[exp.Column]:
    return [n for n in nodes(select) if isinstance(n, exp.Column) and n.table in keys]


def _index(item: exp.Expr, place: Place, run: Compilation) -> tuple[str, exp.Expr] | None:
    """Return the use of a table and its HEALPix index, where the position is the table's own.

    It may come out of a subquery that selects rows of one table; the index then does, too.
    """
    key = item.alias
    if not all(isinstance(part, exp.Column) and part.table == key for part in (place.ra, place.dec)):
        return None
    use = run.uses.get(key)
    if use is not None:
        own = use.table.healpix is not None and (use.table.ra, use.table.dec) == (
            place.ra.name,
            place.dec.name,
        )
        return (key, column(key, str(use.table.healpix), Column("", pa.int64()))) if own else None
    inner = row_selection(item)
    if inner is None or inner.args.get("joins"):
        return None
    values = {projection.alias: projection.this for projection in inner.expressions}
    source = next((part for part, _ in from_items(inner).values()), None)
    made = Place(values[place.ra.name], values[place.dec.name])
    found = None if source is None else _index(source, made, run)
    if found is None:
        return None
    inner.append("expressions", exp.Alias(this=found[1], alias=exp.to_identifier(INDEX, quoted=True)))
    return found[0], column(key, INDEX, Column("", pa.int64()))
