"""Spatial predicates become regions, index ranges, sky joins, and always the exact test.

A test against a constant region is plain arithmetic on the row. Where it is a conjunct and the
position is a table's own, its rows are also looked up: ranges of the HEALPix column, and the region in
`TableUse`. A test between two rows becomes a `SkyMatch` (``rules._matches``), or a join on cells where the rows are not
two lists that can be read apart and the radius is constant.

Such cells are cubes of space that the unit sphere passes through, four times as wide as the longest chord that still
matches. Each row of one side stands in its own cube; each row of the other side is listed in every cube within reach
(one to eight). Cubes have no poles and no seam at RA 0, so the exact test that follows loses nothing, and each pair is
met once.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pyarrow as pa
from sqlglot import exp

from awe.core.sky import Circle, Region
from awe.core.sql.rules import _exact
from awe.core.sql.rules._build import all_of, binary, call, cast, column, compare, constant, number, text
from awe.core.sql.rules._endless import refuse_endless
from awe.core.sql.rules._geometry import is_geometry
from awe.core.sql.rules._intervals import compare_distances
from awe.core.sql.rules._matches import found
from awe.core.sql.rules._shapes import (
    Around,
    Drawn,
    Inside,
    Near,
    Pair,
    Place,
    Shape,
    Test,
    distance_of,
    drawn,
    middle_of,
    pair_test,
    shape_at,
    test_of,
    total,
)
from awe.core.sql.rules._sides import row_selection, rows_of, unite
from awe.core.sql.rules._state import (
    CELL,
    TESTED,
    Compilation,
    TableUse,
    Tested,
    computed,
    set_value,
    value,
)
from awe.core.tables import Column
from awe.errors import PositionError, QueryError

__all__ = ["spatial"]

_LARGEST_JOIN_DEG = 10.0
_SMALLEST_CELL = 1e-6


def spatial(tree: exp.Expr, run: Compilation) -> exp.Expr:
    """Carry out every spatial predicate and value.

    Raises
    ------
    QueryError
        For a constant shape that is not on the sky, and for a join that would compare everything with everything.
    """
    if not any(map(is_geometry, computed(tree))):
        return tree
    compare_distances(tree, run)
    selects = [node for node in computed(tree) if isinstance(node, exp.Select)]
    joins: list[tuple[exp.Select, set[str], exp.Expr]] = []
    choices: list[tuple[exp.Select, exp.Expr]] = []
    for select in selects:
        for node, sources in list(_conjuncts(select)):
            test = test_of(node, run.text)
            if isinstance(test, Near) and _constant_region(test)[0] is None and not test.negated:
                joins.append((select, sources, node))
            elif test is not None:
                node.replace(_searched(test, select, sources, run))
            elif isinstance(node, exp.Or) and any(map(is_geometry, computed(node))):
                choices.append((select, node))
    if joins or choices:
        for select in selects:
            while (join := found(select, run)) is not None:
                unite(select, join, run, spatial)
    for select, sources, node in joins:
        there = node.parent is not None and node.root() is tree
        test = test_of(node, run.text) if there else None
        if test is not None:  # of pairs whose separation is known it is no test any more
            node.replace(_searched(test, select, sources, run))
    for select, node in choices:
        if node.parent is not None and node.root() is tree:
            refuse_endless(node, select, run)
    _carry_out(tree, run)
    return tree


def _carry_out(node: exp.Expr, run: Compilation) -> None:
    """Replace tests and values that stand anywhere else, outer ones first: they read the inner ones."""
    if isinstance(node, (exp.Anonymous, exp.Mul, exp.Div, exp.Predicate, exp.Cast)):
        test = test_of(node, run.text)
        new = _exact.condition(test) if test is not None else _as_value(node, run)
        if new is not None:
            node.replace(new)
            node = new
    for part in list(node.iter_expressions()):
        _carry_out(part, run)


def _conjuncts(select: exp.Select) -> Iterator[tuple[exp.Expr, set[str]]]:
    """Yield each conjunct of WHERE and ON, and the sources whose rows it may restrict."""
    where = select.args.get("where")
    from_ = select.args.get("from_")
    if from_ is None:
        return
    everything = _keys(from_.this) | {k for j in select.args.get("joins") or [] for k in _keys(j)}
    if where is not None:
        yield from ((node, everything) for node in _flat(where.this))
    before = _keys(from_.this)
    for join in select.args.get("joins") or []:
        mine = _keys(join)
        restricted = {"": before | mine, "LEFT": mine, "RIGHT": before, "FULL": set()}[join.side]
        if join.args.get("on") is not None:
            yield from ((node, restricted) for node in _flat(join.args["on"]))
        before |= mine


def _flat(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.And):
        return _flat(node.this) + _flat(node.expression)
    return [node]


def _keys(node: exp.Expr) -> set[str]:
    """Return the keys of the sources of an item or a join, not of those inside subqueries."""
    return {source.alias for source in _items(node)}


def _items(node: exp.Expr) -> Iterator[exp.Expr]:
    inner = node.this if isinstance(node, (exp.Join, exp.Lateral)) else node
    if isinstance(inner, exp.Lateral):
        inner = inner.this
    if isinstance(inner, exp.Subquery) and isinstance(inner.this, exp.Table):
        yield from _items(inner.this)
    else:
        yield inner
    for join in inner.args.get("joins") or []:
        yield from _items(join)


def _searched(test: Test, select: exp.Select, sources: set[str], run: Compilation) -> exp.Expr:
    """Return a conjunct with what narrows it."""
    exact = _exact.condition(test)
    if test.negated:
        return exact
    if isinstance(test, Pair):
        return all_of([*_around_both(test, select, sources, run), exact])
    region, place = _constant_region(test)
    if region is not None:
        if _is_own(place, run):
            exact.meta[TESTED] = Tested(region, isinstance(test, Near) and test.strict)
        return all_of([*_narrowed(place, region, select, sources, run), exact])
    if isinstance(test, Near):
        cells = _cells(test, select, sources, run)
        if cells is None:
            refuse_endless(exact, select, run)
        return exact if cells is None else compare(exp.And, cells, exact)
    return exact


def _constant_region(test: Near | Inside) -> tuple[Region | None, Place]:
    if isinstance(test, Inside):
        return test.region, test.place
    radius = constant(test.radius)
    for place, centre in ((test.one, test.other), (test.other, test.one)):
        if centre.constant is not None and place.constant is None:
            return _cone(centre, radius), place
    return None, test.one


def _cone(centre: Place, radius: float | None) -> Circle | None:
    known = centre.constant
    if known is None or radius is None or not 0 <= radius <= 180 or abs(known[1]) > 90:
        return None
    return Circle(known[0] % 360, known[1], radius)


def _around_both(test: Pair, select: exp.Select, sources: set[str], run: Compilation) -> list[exp.Expr]:
    """Return what is cheap to ask of the circles around two shapes, where they are known."""
    here, there = _bound(test.one, run), _bound(test.other, run)
    if here is None or there is None:
        return []
    (one, one_radius), (other, other_radius) = here, there
    near = Near(one, other, total(one_radius, other_radius))
    known = constant(near.radius)
    if known is None:
        return [call("SKY_PERHAPS", _exact.condition(near), type_=pa.bool_())]
    near = replace(near, radius=number(min(180.0, known * (1 + 1e-9) + 1e-9)))
    region, place = _constant_region(near)
    narrowed = [] if region is None else _narrowed(place, region, select, sources, run)
    return [*narrowed, _exact.condition(near)]


def _bound(shape: Shape, run: Compilation) -> tuple[Place, exp.Expr] | None:
    """Return a position and how far from it (degrees) a shape reaches at most; NULL: nobody knows."""
    if isinstance(shape, Place):
        return shape, number(0.0)
    if isinstance(shape, Around):
        return shape.centre, shape.radius
    if isinstance(shape, Region):
        circle = shape.bounding_circle()
        return Place(number(circle.ra), number(circle.dec)), number(circle.radius)
    use = run.uses.get(shape.column.table) if isinstance(shape, Drawn) and shape.column is not None else None
    if use is None or use.table.reach is None:
        return None
    ra, dec, reach = (_own(use, name) for name in (use.table.ra, use.table.dec, use.table.reach))
    return None if ra is None or dec is None or reach is None else (Place(ra, dec), reach)


def _own(use: TableUse, name: str | None) -> exp.Expr | None:
    known = use.table.columns.find(name) if name is not None else None
    return None if known is None else column(use.key, known.name, known)


def _narrowed(
    place: Place, region: Region, select: exp.Select, sources: set[str], run: Compilation
) -> list[exp.Expr]:
    """Return index conditions where the position is the table's own, and note the region."""
    if not (isinstance(place.ra, exp.Column) and isinstance(place.dec, exp.Column)):
        return []
    key = place.ra.table
    if place.dec.table != key or key not in sources:
        return []
    use = run.uses.get(key)
    if use is None:
        _narrow_inside(place, region, select, run)
        return []
    if (use.table.ra, use.table.dec) != (place.ra.name, place.dec.name):
        return []
    if use.region is None or region.area < use.region.area:
        run.uses[use.key] = replace(use, region=region)
    if use.table.healpix is None:
        return _declinations(place, region)
    index = column(use.key, use.table.healpix, Column("", pa.int64()))
    ranges = call("SKY_RANGES", index, type_=pa.bool_())
    ranges.meta["ranges"] = tuple((int(low), int(high)) for low, high in region.covering())
    return [ranges]


def _is_own(place: Place, run: Compilation) -> bool:
    """Say whether a position is the one that a table's rows are indexed by."""
    if not (isinstance(place.ra, exp.Column) and isinstance(place.dec, exp.Column)):
        return False
    use = run.uses.get(place.ra.text("table"))
    return (
        use is not None
        and place.dec.text("table") == use.key
        and (use.table.ra, use.table.dec) == (place.ra.name, place.dec.name)
    )


def _narrow_inside(place: Place, region: Region, select: exp.Select, run: Compilation) -> None:
    """Narrow the subquery that a position comes from, where its rows are those of a table: a view's are."""
    key = place.ra.text("table")
    inner = row_selection(next((item for item in _from_items(select) if item.alias == key), None))
    if inner is None:
        return
    values = {projection.alias: projection.this for projection in inner.expressions}
    found = Place(values[place.ra.name], values[place.dec.name])
    everything = {item.alias for item in _from_items(inner)}
    conditions = _narrowed(found, region, inner, everything, run)
    if conditions:
        where = inner.args.get("where")
        before = [where.this] if where is not None else []
        inner.set("where", exp.Where(this=all_of([*conditions, *before])))


def _declinations(place: Place, region: Region) -> list[exp.Expr]:
    circle = region.bounding_circle()
    margin = circle.radius * 1e-9 + 1e-9
    low, high = circle.dec - circle.radius - margin, circle.dec + circle.radius + margin
    return [_between(place.dec, low, high)]


def _between(node: exp.Expr, low: float, high: float) -> exp.Expr:
    between = exp.Between(this=node.copy(), low=number(low), high=number(high))
    return set_value(between, Column("", pa.bool_()))


def _cells(test: Near, select: exp.Select, sources: set[str], run: Compilation) -> exp.Expr | None:
    """List the smaller source in cells, and return the condition that joins the other side to it."""
    radius = constant(test.radius)
    if radius is None or not 0 <= radius <= _LARGEST_JOIN_DEG:
        return None
    items = {item.alias: item for item in _from_items(select)}
    order = list(items)
    choices = []
    for listed, other in ((test.one, test.other), (test.other, test.one)):
        key = _single_source(listed)
        if key in items and key in sources and key not in _tables(other) and "cells" not in items[key].meta:
            choices.append((-rows_of(items[key], run), order.index(key), key, listed, other))
    if not choices:
        return None
    _, _, key, listed, other = max(choices, key=lambda choice: choice[:2])
    chord = 2 * math.sin(math.radians(radius) / 2) * (1 + 1e-9) + 1e-12
    size = max(4 * chord, _SMALLEST_CELL)
    cells = items[key].meta["cells"] = call("SKY_CELLS", listed.ra, listed.dec, number(size), number(chord))
    _carry_out(cells, run)  # it stands beside the tree
    own = call("SKY_CELL", other.ra, other.dec, number(size), type_=pa.int64())
    return compare(exp.EQ, column(key, CELL, Column("", pa.int64())), own)


def _from_items(select: exp.Select) -> Iterator[exp.Expr]:
    yield from _items(select.args["from_"].this)
    for join in select.args.get("joins") or []:
        yield from _items(join)


def _single_source(place: Place) -> str:
    """Return the source that a position is computed from; empty if there are several, or a subquery."""
    found = _tables(place)
    plain = not any(part.find(exp.Select, exp.Window) for part in (place.ra, place.dec))
    return found.pop() if len(found) == 1 and plain else ""


def _tables(place: Place) -> set[str]:
    return {column.table for part in (place.ra, place.dec) for column in part.find_all(exp.Column)}


def _as_value(node: exp.Expr, run: Compilation) -> exp.Expr | None:
    """Return what a geometry, or a number that is computed of one, is for an engine."""
    if not is_geometry(node):
        return None
    try:
        found = _value_of(node, run)
    except PositionError as error:
        raise run.text.error(QueryError, node, error.message, error.hint) from error
    return set_value(found, value(node))


def _value_of(node: exp.Expr, run: Compilation) -> exp.Expr:
    if node.name in _NUMBERS:
        return _NUMBERS[node.name](shape_at(node.expressions[0], run.text))
    if node.name in {"CONTAINS", "INTERSECTS"}:
        return cast(_exact.condition(pair_test(node, run.text)), "INT", pa.int32())
    found = distance_of(node, run.text)
    if found is not None:
        degrees = _exact.separation(found[0], found[1])
        return degrees if found[2] == 1 else binary(exp.Mul, degrees, number(found[2]))
    shape = shape_at(node, run.text)
    if node.name == "REGION":
        return _text_of(shape)
    return drawn(shape)


def _text_of(shape: Shape) -> exp.Expr:
    """Return a REGION, which is written out, as text."""
    if isinstance(shape, Region):
        return text(shape.to_stcs())
    known = shape.constant if isinstance(shape, Place) else None
    return text(f"POSITION ICRS {known[0]!r} {known[1]!r}" if known is not None else "")


def _longitude(shape: Shape) -> exp.Expr:
    return middle_of(shape).ra


def _latitude(shape: Shape) -> exp.Expr:
    return middle_of(shape).dec


def _area(shape: Shape) -> exp.Expr:
    return number(shape.area) if isinstance(shape, Region) else call("SKY_AREA", drawn(shape))


def _frame(shape: Shape) -> exp.Expr:
    return call("SKY_FRAME", drawn(shape), type_=pa.string())


_NUMBERS: Mapping[str, Callable[[Shape], exp.Expr]] = {
    "COORD1": _longitude, "COORD2": _latitude, "AREA": _area, "COORDSYS": _frame,
}  # fmt: skip
