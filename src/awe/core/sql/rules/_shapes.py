"""Read geometry out of the tree: positions, circles, regions, shapes known row by row, and tests between them.

A `Near`, `Inside` or `Pair` is what any dialect's spatial predicate says; ``rules.spatial`` decides how it is
carried out.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlglot import exp

from awe.core.sky import ON_EDGE, Box, Circle, Polygon, Region, Shapes, numbers_of, parse_shape, shape_of
from awe.core.sql._place import Text
from awe.core.sql.rules._build import binary, call, constant, number, numbers, point
from awe.core.sql.rules._geometry import CAST_HINTS, SHAPES, shape_kind
from awe.core.sql.rules._kinds import is_null, is_text
from awe.core.sql.rules._state import set_value, value
from awe.errors import PositionError, QueryError

__all__ = [
    "Around",
    "Drawn",
    "Inside",
    "Near",
    "Pair",
    "Place",
    "Shape",
    "Test",
    "distance_of",
    "drawn",
    "middle_of",
    "pair_test",
    "shape_at",
    "test_of",
    "total",
]


@dataclass(frozen=True)
class Place:
    """A position: right ascension and declination as expressions."""

    ra: exp.Expr
    dec: exp.Expr

    @property
    def constant(self) -> tuple[float, float] | None:
        """The position as numbers, if it is one."""
        ra, dec = constant(self.ra), constant(self.dec)
        return None if ra is None or dec is None else (ra, dec)


@dataclass(frozen=True)
class Around:
    """A circle whose centre or radius is not constant."""

    centre: Place
    radius: exp.Expr


@dataclass(frozen=True)
class Drawn:
    """A shape that is known row by row: an expression that gives its numbers; `column` if it is one's value."""

    numbers: exp.Expr
    column: exp.Column | None = None


Shape = Place | Around | Region | Drawn


@dataclass(frozen=True)
class Near:
    """Two positions are closer than a radius (degrees); `strict`: not equal to it."""

    one: Place
    other: Place
    radius: exp.Expr
    strict: bool = False
    negated: bool = False


@dataclass(frozen=True)
class Inside:
    """A position is inside a constant region."""

    place: Place
    region: Region
    negated: bool = False


@dataclass(frozen=True)
class Pair:
    """Two shapes meet, or the one lies within the other."""

    one: Shape
    other: Shape
    within: bool
    negated: bool = False


Test = Near | Inside | Pair


def test_of(node: exp.Expr, text: Text) -> Test | None:
    """Return the spatial test that a condition is, or None."""
    if isinstance(node, exp.Anonymous):
        reader = _CONDITIONS.get(node.name)
        return reader(node, text) if reader is not None else None
    if type(node) not in _MIRRORED:
        return None
    for left, right, kind in (
        (node.this, node.expression, type(node)),
        (node.expression, node.this, _MIRRORED[type(node)]),
    ):
        if isinstance(left, exp.Anonymous) and left.name in {"CONTAINS", "INTERSECTS"}:
            return _flag(left, right, kind, text)
        found = distance_of(left, text)
        if found is not None and kind in _LESS and distance_of(right, text) is None:
            one, other, per_degree = found
            radius = binary(exp.Div, right, number(per_degree)) if per_degree != 1 else right
            strict, negated = _LESS[kind]
            return Near(one, other, radius, strict=strict, negated=negated)
    return None


_MIRRORED: Mapping[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.EQ, exp.NEQ: exp.NEQ, exp.LT: exp.GT, exp.GT: exp.LT, exp.LTE: exp.GTE, exp.GTE: exp.LTE,
}  # fmt: skip
_LESS: Mapping[type[exp.Expr], tuple[bool, bool]] = {
    exp.LT: (True, False), exp.LTE: (False, False), exp.GT: (False, True), exp.GTE: (True, True),
}  # fmt: skip
_FLAGS: Mapping[tuple[type[exp.Expr], float], bool] = {
    (exp.EQ, 1.0): True, (exp.EQ, 0.0): False, (exp.NEQ, 0.0): True, (exp.NEQ, 1.0): False,
    (exp.GT, 0.0): True, (exp.GTE, 1.0): True, (exp.LT, 1.0): False, (exp.LTE, 0.0): False,
}  # fmt: skip
"""What a comparison with a number says of a flag that is 1 or 0."""


def _flag(left: exp.Expr, right: exp.Expr, kind: type[exp.Expr], text: Text) -> Test | None:
    """Read ``CONTAINS(...) = 1`` and the like; None where the flag is compared with something else."""
    wanted = constant(right)
    if wanted is None:
        return None
    if (kind, wanted) not in _FLAGS:
        raise text.syntax(left, f"{left.name} is compared with 1 or 0", f"write 1 = {left.name}(...)")
    test = pair_test(left, text)
    return test if _FLAGS[kind, wanted] else replace(test, negated=not test.negated)


def pair_test(node: exp.Expr, text: Text) -> Test:
    """Return what CONTAINS or INTERSECTS tests."""
    within = node.name == "CONTAINS"
    one, other = (shape_at(part, text) for part in node.expressions)
    if not within and isinstance(other, Place):  # ADQL 2.1 section 4.2.16: as CONTAINS, the POINT first
        one, other = other, one
    if isinstance(one, Place) and isinstance(other, Place):
        return Near(one, other, number(math.degrees(ON_EDGE)))
    if isinstance(one, Place) and isinstance(other, Region) and not isinstance(other, Circle):
        return Inside(one, other)
    discs = _disc(one), _disc(other)
    if discs[0] is not None and discs[1] is not None and not (within and isinstance(other, Place)):
        radius = (
            _room(discs[1].radius, discs[0].radius) if within else total(discs[1].radius, discs[0].radius)
        )
        return Near(discs[0].centre, discs[1].centre, radius)
    return Pair(one, other, within)


def total(one: exp.Expr, other: exp.Expr) -> exp.Expr:
    """Return the sum of two radii."""
    if constant(one) == 0:
        return other
    return one if constant(other) == 0 else binary(exp.Add, one, other)


def _room(outer: exp.Expr, inner: exp.Expr) -> exp.Expr:
    """Return how far the inner circle's centre may be; anywhere in a circle that is the whole sky."""
    known = constant(outer)
    if constant(inner) == 0:
        return outer
    if known is None:
        return call("SKY_ROOM", outer, inner)
    return number(180.0) if known >= 180 else binary(exp.Sub, outer, inner)


def _disc(shape: Shape) -> Around | None:
    if isinstance(shape, Around):
        return shape
    if isinstance(shape, Place):
        return Around(shape, number(0.0))
    if isinstance(shape, Circle):
        return Around(Place(number(shape.ra), number(shape.dec)), number(shape.radius))
    return None


def distance_of(node: exp.Expr, text: Text) -> tuple[Place, Place, float] | None:
    """Return two positions and the unit of their distance, per degree, if the node is one.

    A distance times a number, such as ``q3c_dist(...) * 3600``, is a distance in another unit.
    """
    if isinstance(node, (exp.Mul, exp.Div)):
        for inner, factor in ((node.this, node.expression), (node.expression, node.this)):
            scale = constant(factor)
            found = distance_of(inner, text) if scale is not None and scale > 0 else None
            if found is not None and scale is not None and (isinstance(node, exp.Mul) or inner is node.this):
                return *found[:2], found[2] * scale if isinstance(node, exp.Mul) else found[2] / scale
        return None
    if not isinstance(node, exp.Anonymous) or node.name not in _DISTANCES:
        return None
    one, other = _places(node.expressions, text)
    return one, other, _DISTANCES[node.name]


_DISTANCES = {"DISTANCE": 1.0, "Q3C_DIST": 1.0, "FDISTANCEARCMINEQ": 60.0}


def shape_at(node: exp.Expr, text: Text) -> Shape:
    """Return the shape that an expression is.

    Raises
    ------
    QueryError
        If it is constant and not on the sky, with its place.
    """
    try:
        if isinstance(node, exp.Anonymous) and node.name in _SHAPES:
            return _SHAPES[node.name](node, text)
        return _known_by_row(node)
    except PositionError as error:
        raise text.error(QueryError, node, error.message, error.hint) from error


def _known_by_row(node: exp.Expr) -> Shape:
    known = value(node)
    kind = shape_kind(known)
    if isinstance(node, exp.Cast):
        return _cast(node)
    if isinstance(node, exp.Anonymous) and node.name == "REGION":
        return _from_text(node.expressions[0].name)
    listed = _read(node) if is_text(known.type) else node
    if kind == "point":
        return Place(*_parts(listed, 2))
    if kind == "circle":
        ra, dec, radius = _parts(listed, 3)
        return Around(Place(ra, dec), radius)
    return Drawn(listed, node if isinstance(node, exp.Column) else None)


def _read(node: exp.Expr) -> exp.Expr:
    return set_value(call("SKY_READ", node), SHAPES["polygon"])


def _parts(listed: exp.Expr, count: int) -> list[exp.Expr]:
    return [call("SKY_NUMBER", listed, number(place)) for place in range(1, count + 1)]


def _cast(node: exp.Expr) -> Shape:
    """Read a CAST: of a text that is known now, or row by row."""
    inner, kind = node.this, node.args["to"].text("kind").casefold()
    if isinstance(inner, exp.Literal):
        values = parse_shape(inner.name)
        if {2: "point", 3: "circle", 4: "region"}.get(len(values), "polygon") != kind:
            raise PositionError(f"{inner.name!r} is not a {kind.upper()}", hint=CAST_HINTS[kind])
        return _from_numbers(values)
    if shape_kind(value(inner)) == kind and not is_text(value(inner).type):
        return _known_by_row(inner)
    listed = _read(inner) if is_text(value(inner).type) or is_null(value(inner).type) else inner
    made = set_value(call(f"SKY_TO_{kind.upper()}", inner, listed), SHAPES[kind])
    return _known_by_row(made)


def _from_text(words: str) -> Shape:
    return _from_numbers(parse_shape(words))


def _from_numbers(values: list[float]) -> Shape:
    if len(values) == 2:
        return Place(number(values[0]), number(values[1]))
    return shape_of(values)


def _point(node: exp.Expr, _text: Text) -> Shape:
    ra, dec = node.expressions
    known = constant(dec)
    if known is not None and abs(known) > 90:
        hint = "positions are right ascension, then declination"
        raise PositionError(f"the declination {known!r} is outside -90..90 degrees", hint=hint)
    return Place(ra, dec)


def _flat(parts: Sequence[exp.Expr], text: Text) -> list[exp.Expr]:
    """Return the arguments with each POINT as its two coordinates."""
    flat: list[exp.Expr] = []
    for part in parts:
        place = shape_at(part, text) if shape_kind(value(part)) else None
        flat += [place.ra, place.dec] if isinstance(place, Place) else [part]
    return flat


def _places(parts: Sequence[exp.Expr], text: Text) -> tuple[Place, Place]:
    one, one_dec, other, other_dec = _flat(parts, text)
    return Place(one, one_dec), Place(other, other_dec)


def _numbers(parts: Sequence[exp.Expr]) -> list[float] | None:
    known = [value for value in map(constant, parts) if value is not None]
    return known if len(known) == len(parts) else None


def _circle(node: exp.Expr, text: Text) -> Shape:
    ra, dec, radius = parts = _flat(node.expressions, text)
    known = _numbers(parts)
    if known is None:
        return Around(Place(ra, dec), radius)
    return Circle(known[0] % 360, *known[1:])


def _box(node: exp.Expr, text: Text) -> Shape:
    parts = _flat(node.expressions, text)
    known = _numbers(parts)
    return Drawn(call("SKY_BOX", *parts)) if known is None else Box(known[0] % 360, *known[1:])


def _polygon(node: exp.Expr, text: Text) -> Shape:
    return _vertices(_flat(node.expressions, text))


def _vertices(parts: Sequence[exp.Expr]) -> Shape:
    known = _numbers(parts)
    if known is None:
        return Drawn(set_value(call("SKY_RING", *parts), SHAPES["polygon"]))
    return Polygon(tuple((ra % 360, dec) for ra, dec in zip(known[::2], known[1::2], strict=True)))


def _centroid(node: exp.Expr, text: Text) -> Shape:
    return middle_of(shape_at(node.expressions[0], text))


_SHAPES: Mapping[str, Callable[[exp.Expr, Text], Shape]] = {
    "POINT": _point, "CIRCLE": _circle, "BOX": _box, "POLYGON": _polygon, "CENTROID": _centroid,
}  # fmt: skip


def middle_of(shape: Shape) -> Place:
    """Return the centroid of a shape.

    Raises
    ------
    PositionError
        If a constant one has none, such as the whole sky.
    """
    if isinstance(shape, Place):
        return shape
    if isinstance(shape, Around):
        return shape.centre
    if isinstance(shape, Region):
        values = numbers_of(shape)
        ra, dec = Shapes(np.array(values), np.array([len(values)])).centroids()[0].tolist()
        if math.isnan(ra):
            raise PositionError(f"{shape.to_stcs()} has no centroid: it is the same in all directions")
        return Place(number(ra), number(dec))
    return Place(*_parts(set_value(call("SKY_CENTROID", shape.numbers), SHAPES["polygon"]), 2))


def drawn(shape: Shape) -> exp.Expr:
    """Return the expression that gives a shape's numbers."""
    if isinstance(shape, Place):
        known = shape.constant
        return point(shape.ra, shape.dec) if known is None else numbers([known[0] % 360, known[1]])
    if isinstance(shape, Around):
        return set_value(
            call("SKY_CIRCLE", shape.centre.ra, shape.centre.dec, shape.radius), SHAPES["circle"]
        )
    if isinstance(shape, Region):
        return numbers(numbers_of(shape))
    return shape.numbers


def _cone(node: exp.Expr, text: Text) -> Test:
    ra, dec, ra0, dec0, radius = node.expressions
    known = _numbers([ra0, dec0, radius])
    if known is not None:
        try:
            Circle(known[0] % 360, *known[1:])
        except PositionError as error:
            raise text.error(QueryError, node, error.message, error.hint) from error
    return Near(Place(ra, dec), Place(ra0, dec0), radius)


def _poly(node: exp.Expr, text: Text) -> Test:
    ra, dec, array = node.expressions
    if len(array.expressions) % 2 or len(array.expressions) < 6:
        raise text.syntax(node, "a polygon takes at least three vertices: ra, dec, ra, dec, ra, dec")
    try:
        shape = _vertices(array.expressions)
    except PositionError as error:
        raise text.error(QueryError, node, error.message, error.hint) from error
    place = Place(ra, dec)
    return Inside(place, shape) if isinstance(shape, Region) else Pair(place, shape, within=True)


_CONDITIONS: Mapping[str, Callable[[exp.Expr, Text], Test]] = {
    "Q3C_RADIAL_QUERY": _cone, "Q3C_JOIN": _cone, "Q3C_POLY_QUERY": _poly,
}  # fmt: skip
