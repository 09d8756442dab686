"""Spatial tests as arithmetic on rows: the identical sums that ``awe.core.sky`` does on arrays.

Words: the *haversine* h is sin²(d/2) of a separation d, precise from micro-arcseconds to 180 degrees,
so a cone is ``h <= sin²(r/2)``.
"""

import math

import numpy as np
import pyarrow as pa
from sqlglot import exp

from awe.core.sky import ON_EDGE, Box, Circle, Polygon, Region, Shapes, meet, numbers_of, within
from awe.core.sql.rules._build import all_of, call, compare, constant, number, text
from awe.core.sql.rules._shapes import Inside, Near, Pair, Place, Shape, Test, drawn
from awe.core.sql.rules._state import set_value
from awe.core.tables import Column

__all__ = ["condition", "separation"]

_BOOLEAN = Column("", pa.bool_())
_MOST_HALF_SPACES = 12


def condition(test: Test) -> exp.Expr:
    """Return the exact condition of a test."""
    if isinstance(test, Near):
        found = _near(test)
    elif isinstance(test, Inside):
        found = _inside(test.place, test.region)
    else:
        found = _pair(test)
    return set_value(exp.Not(this=found), _BOOLEAN) if test.negated else found


def separation(one: Place, other: Place) -> exp.Expr:
    """Return the separation in degrees."""
    return call("SKY_SEPARATION", one.ra, one.dec, other.ra, other.dec)


def _near(test: Near) -> exp.Expr:
    radius = constant(test.radius)
    limit = call("SKY_LIMIT", test.radius) if radius is None else number(_limit(radius, strict=test.strict))
    haversine = call("SKY_HAVERSINE", test.one.ra, test.one.dec, test.other.ra, test.other.dec)
    return compare(exp.LT if test.strict else exp.LTE, haversine, limit)


def _limit(radius_deg: float, *, strict: bool) -> float:
    """Return what the haversine is compared with; no separation is negative, none exceeds 180."""
    if radius_deg < 0:
        return -1.0
    if radius_deg > 180 or (radius_deg == 180 and not strict):
        return 2.0
    return math.sin(math.radians(radius_deg) / 2) ** 2


def _inside(place: Place, region: Region) -> exp.Expr:
    if isinstance(region, Circle):
        haversine = call("SKY_HAVERSINE", place.ra, place.dec, number(region.ra), number(region.dec))
        return compare(exp.LTE, haversine, number(region.half_chord_limit))
    if not isinstance(region, (Box, Polygon)):
        return _pair(Pair(place, region, within=True))
    # The circle around decides most rows cheaply, and turns away NaN, which engines sort above all numbers.
    first = _inside(place, region.bounding_circle())
    if isinstance(region, Polygon) and not 0 < len(region.half_spaces) <= _MOST_HALF_SPACES:
        edges = str([[number for form in edge for number in form] for edge in region.edge_forms.tolist()])
        odd = call("SKY_POLYGON", place.ra, place.dec, text(edges), number(ON_EDGE), type_=pa.bool_())
        return compare(exp.And, first, odd)
    sides = (
        call("SKY_FORM", place.ra, place.dec, *map(number, form)) for form in region.half_spaces.tolist()
    )
    return all_of([first, *(compare(exp.GTE, side, number(-ON_EDGE)) for side in sides)])


def _pair(test: Pair) -> exp.Expr:
    known = _constant(test.one), _constant(test.other)
    if known[0] is not None and known[1] is not None:
        only = np.zeros(1, np.int64)
        answer = (within if test.within else meet)(known[0], only, known[1], only)[0]
        return set_value(exp.Boolean(this=answer == 1), _BOOLEAN)
    name = "SKY_WITHIN" if test.within else "SKY_MEET"
    return call(name, drawn(test.one), drawn(test.other), type_=pa.bool_())


def _constant(shape: Shape) -> Shapes | None:
    values = list(shape.constant or ()) if isinstance(shape, Place) else None
    if isinstance(shape, Region):
        values = numbers_of(shape)
    return Shapes(np.array(values), np.array([len(values)])) if values else None
