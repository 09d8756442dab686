"""Spatial tests as arithmetic on rows: the identical sums that ``awe.core.sky`` does on arrays.

Words: the *haversine* h is sin²(d/2) of a separation d, precise from micro-arcseconds to 180 degrees,
so a cone is ``h <= sin²(r/2)``.
"""

import math

import pyarrow as pa
from sqlglot import exp

from awe.core.sky import Box, Circle, Polygon, Region
from awe.core.sql.rules._build import all_of, call, compare, constant, number, text
from awe.core.sql.rules._shapes import Inside, Near, Place
from awe.core.sql.rules._state import set_value
from awe.core.tables import Column

__all__ = ["inside", "near", "separation"]


def separation(one: Place, other: Place) -> exp.Expr:
    """Return the separation in degrees."""
    return call("SKY_SEPARATION", one.ra, one.dec, other.ra, other.dec)


def near(test: Near) -> exp.Expr:
    """Return the exact condition of two positions being close."""
    radius = constant(test.radius)
    limit = call("SKY_LIMIT", test.radius) if radius is None else number(_limit(radius, strict=test.strict))
    haversine = call("SKY_HAVERSINE", test.one.ra, test.one.dec, test.other.ra, test.other.dec)
    condition = compare(exp.LT if test.strict else exp.LTE, haversine, limit)
    return _signed(condition, negated=test.negated)


def _limit(radius_deg: float, *, strict: bool) -> float:
    """Return what the haversine is compared with; no separation is negative, none exceeds 180."""
    if radius_deg < 0:
        return -1.0
    if radius_deg > 180 or (radius_deg == 180 and not strict):
        return 2.0
    return math.sin(math.radians(radius_deg) / 2) ** 2


def inside(test: Inside) -> exp.Expr:
    """Return the exact condition of a position being inside a constant region."""
    return _signed(_inside(test.place, test.region), negated=test.negated)


def _signed(condition: exp.Expr, *, negated: bool) -> exp.Expr:
    return set_value(exp.Not(this=condition), Column("", pa.bool_())) if negated else condition


def _inside(place: Place, region: Region) -> exp.Expr:
    if isinstance(region, Circle):
        haversine = call("SKY_HAVERSINE", place.ra, place.dec, number(region.ra), number(region.dec))
        return compare(exp.LTE, haversine, number(region.half_chord_limit))
    # The circle around decides most rows cheaply, and turns away NaN, which engines sort above all numbers.
    first = _inside(place, region.bounding_circle())
    if isinstance(region, Box):
        return all_of([first, *(_positive(form, place, exp.GTE) for form in region.half_spaces.tolist())])
    if isinstance(region, Polygon):
        edges = str([[number for form in edge for number in form] for edge in region.edge_forms.tolist()])
        odd = call("SKY_POLYGON", place.ra, place.dec, text(edges), type_=pa.bool_())
        return compare(exp.And, first, odd)
    raise TypeError(f"a {type(region).__name__} has no exact condition")


def _positive(form: list[float], place: Place, kind: type[exp.Expr]) -> exp.Expr:
    return compare(kind, call("SKY_FORM", place.ra, place.dec, *map(number, form)), number(0.0))
