"""Spatial predicates become regions, index ranges, sky joins, and always the exact test.

A test against a constant region is plain arithmetic on the row. Where it is a conjunct and the
position is a table's own, its rows are also looked up: ranges of the HEALPix column, and the region in
`TableUse`. A test between two rows at a constant radius becomes a join on cells.

The cells of a sky join are cubes of space that the unit sphere passes through, four times as wide as
the longest chord that still matches. Each row of one side stands in its own cube; each row of the other
side is listed in every cube within reach (one to eight). Cubes have no poles and no seam at RA 0, so the
exact test that follows loses nothing, and each pair is met once.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
from sqlglot import exp

from awe.core.sky import Circle, Region
from awe.core.sql.functions import FUNCTIONS, GEOMETRY
from awe.core.sql.rules import _exact
from awe.core.sql.rules._build import all_of, binary, call, cast, column, compare, constant, number
from awe.core.sql.rules._shapes import (
    Inside,
    Near,
    Place,
    Test,
    distance_of,
    pair_test,
    place_of,
    region_of,
    test_of,
)
from awe.core.sql.rules._state import CELL, Compilation, computed, set_value, value
from awe.core.tables import Column

__all__ = ["spatial"]

_LARGEST_JOIN_DEG = 10.0
_SMALLEST_CELL = 1e-6


def spatial(tree: exp.Expr, run: Compilation) -> exp.Expr:
    """Carry out every spatial predicate and value.

    Raises
    ------
    QueryError
        For a region that is not on the sky.
    NotOfferedError
        For geometry that is selected, or not constant where it must be.
    """
    if not _geometry(tree):
        return tree
    for select in [node for node in computed(tree) if isinstance(node, exp.Select)]:
        for node, sources in list(_conjuncts(select)):
            test = test_of(node, run.text)
            if test is not None:
                node.replace(_searched(test, select, sources, run))
    if _geometry(tree):
        for node in list(tree.walk()):
            _row_wise(node, run)
    for node in _geometry(tree):
        raise run.text.refused(
            node, f"{node.name} cannot be used here",
            "positions and regions are tested: 1 = CONTAINS(POINT(ra, dec), CIRCLE(ra, dec, r))",
        )  # fmt: skip
    return tree


def _geometry(tree: exp.Expr) -> list[exp.Expr]:
    calls = (node for node in computed(tree) if isinstance(node, exp.Anonymous))
    return [node for node in calls if FUNCTIONS[node.name].kind == GEOMETRY]


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
    exact = _condition(test)
    if test.negated:
        return exact
    region, place = _constant_region(test)
    if region is not None:
        return all_of([*_narrowed(place, region, sources, run), exact])
    if isinstance(test, Near):
        cells = _cells(test, select, sources, run)
        return exact if cells is None else compare(exp.And, cells, exact)
    return exact


def _condition(test: Test) -> exp.Expr:
    return _exact.near(test) if isinstance(test, Near) else _exact.inside(test)


def _constant_region(test: Test) -> tuple[Region | None, Place]:
    if isinstance(test, Inside):
        return test.region, test.place
    radius = constant(test.radius)
    for place, centre in ((test.one, test.other), (test.other, test.one)):
        if centre.constant is not None and place.constant is None:
            inside = radius is not None and 0 <= radius <= 180 and abs(centre.constant[1]) <= 90
            ra = centre.constant[0] % 360
            return (Circle(ra, centre.constant[1], radius) if inside and radius is not None else None), place
    return None, test.one


def _narrowed(place: Place, region: Region, sources: set[str], run: Compilation) -> list[exp.Expr]:
    """Return index conditions where the position is the table's own, and note the region."""
    if not (isinstance(place.ra, exp.Column) and isinstance(place.dec, exp.Column)):
        return []
    use = run.uses.get(place.ra.table)
    own = use is not None and (use.table.ra, use.table.dec) == (place.ra.name, place.dec.name)
    if use is None or not own or place.dec.table != use.key or use.key not in sources:
        return []
    if use.region is None or region.area < use.region.area:
        run.uses[use.key] = replace(use, region=region)
    if use.table.healpix is None:
        return _declinations(place, region)
    index = column(use.key, use.table.healpix, Column("", pa.int64()))
    ranges = call("SKY_RANGES", index, type_=pa.bool_())
    ranges.meta["ranges"] = tuple((int(low), int(high)) for low, high in region.covering())
    return [ranges]


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
            choices.append((-_rows(key, run), order.index(key), key, listed, other))
    if not choices:
        return None
    _, _, key, listed, other = max(choices, key=lambda choice: choice[:2])
    chord = 2 * math.sin(math.radians(radius) / 2) * (1 + 1e-9) + 1e-12
    size = max(4 * chord, _SMALLEST_CELL)
    items[key].meta["cells"] = call("SKY_CELLS", listed.ra, listed.dec, number(size), number(chord))
    own = call("SKY_CELL", other.ra, other.dec, number(size), type_=pa.int64())
    return compare(exp.EQ, column(key, CELL, Column("", pa.int64())), own)


def _rows(key: str, run: Compilation) -> float:
    """Return how many rows a source has; infinitely many where nobody says."""
    use = run.uses.get(key)
    return math.inf if use is None or use.table.rows is None else use.table.rows


def _from_items(select: exp.Select) -> Iterator[exp.Expr]:
    yield from _items(select.args["from_"].this)
    for join in select.args.get("joins") or []:
        yield from _items(join)


def _single_source(place: Place) -> str:
    if (
        isinstance(place.ra, exp.Column)
        and isinstance(place.dec, exp.Column)
        and place.ra.table == place.dec.table
    ):
        return place.ra.table
    return ""


def _tables(place: Place) -> set[str]:
    return {column.table for part in (place.ra, place.dec) for column in part.find_all(exp.Column)}


def _row_wise(node: exp.Expr, run: Compilation) -> None:
    """Replace a test or a value that stands anywhere else."""
    if not isinstance(node, (exp.Anonymous, exp.Mul, exp.Div, exp.Predicate)):
        return
    test = test_of(node, run.text)
    new = _condition(test) if test is not None else _as_value(node, run)
    if new is not None and node.parent is not None:
        node.replace(new)


def _as_value(node: exp.Expr, run: Compilation) -> exp.Expr | None:
    if not isinstance(node, exp.Anonymous):
        return None
    found = distance_of(node, run.text)
    if found is not None:
        degrees = _exact.separation(found[0], found[1])
        scaled = degrees if found[2] == 1 else binary(exp.Mul, degrees, number(found[2]))
        return set_value(scaled, value(node))
    if node.name in {"CONTAINS", "INTERSECTS"}:
        return cast(_condition(pair_test(node, run.text)), "INT", pa.int32())
    if node.name in {"COORD1", "COORD2"}:
        place = place_of(node.expressions[0])
        if place is not None:
            return place.ra if node.name == "COORD1" else place.dec
    if node.name == "AREA":
        region = region_of(node.expressions[0], run.text)
        if isinstance(region, Region):
            return set_value(number(region.area), value(node))
    return None
