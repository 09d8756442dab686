"""Spatial tests as plain arithmetic: the identical sums that ``awe.core.sky`` does on arrays.

Words: ``h`` is sin²(d/2) of a separation d (the haversine), precise from micro-arcseconds to 180
degrees, so a cone is ``h <= sin²(r/2)``.
"""

import math
from functools import reduce

import pyarrow as pa
from sqlglot import exp

from awe.core.sky import Box, Circle, Polygon, Range, Region
from awe.core.sql.rules._build import all_of, binary, call, compare, constant, number
from awe.core.sql.rules._shapes import Inside, Near, Place
from awe.core.sql.rules._state import set_value
from awe.core.tables import Column

__all__ = ["haversine", "inside", "limit_of", "near", "separation"]

_RADIAN = math.pi / 180


def haversine(one: Place, other: Place) -> exp.Expression:
    """Return sin²(d/2) of the separation of two positions."""
    first = _half_sine(one.dec, other.dec)
    second = _half_sine(one.ra, other.ra)
    cosines = binary(exp.Mul, _cosine(one.dec), _cosine(other.dec))
    return binary(exp.Add, _squared(first), binary(exp.Mul, cosines, _squared(second)))


def _half_sine(one: exp.Expression, other: exp.Expression) -> exp.Expression:
    return call("SIN", binary(exp.Mul, binary(exp.Sub, one, other), number(_RADIAN / 2)))


def _squared(node: exp.Expression) -> exp.Expression:
    return binary(exp.Mul, node, node)


def _cosine(angle: exp.Expression) -> exp.Expression:
    degrees = constant(angle)
    if degrees is not None:
        return number(math.cos(math.radians(degrees)))
    return call("COS", binary(exp.Mul, angle, number(_RADIAN)))


def _sine(angle: exp.Expression) -> exp.Expression:
    return call("SIN", binary(exp.Mul, angle, number(_RADIAN)))


def separation(one: Place, other: Place) -> exp.Expression:
    """Return the separation in degrees, precise also for positions nearly opposite (Vincenty)."""
    delta = binary(exp.Mul, binary(exp.Sub, one.ra, other.ra), number(_RADIAN))
    cos1, sin1, cos2, sin2 = _cosine(one.dec), _sine(one.dec), _cosine(other.dec), _sine(other.dec)
    east = binary(exp.Mul, cos2, call("SIN", delta))
    along = binary(exp.Mul, binary(exp.Mul, sin1, cos2), call("COS", delta))
    north = binary(exp.Sub, binary(exp.Mul, cos1, sin2), along)
    length = call("SQRT", binary(exp.Add, _squared(east), _squared(north)))
    shared = binary(exp.Mul, binary(exp.Mul, cos1, cos2), call("COS", delta))
    angle = call("ATAN2", length, binary(exp.Add, binary(exp.Mul, sin1, sin2), shared))
    return call("DEGREES", angle)


def limit_of(radius_deg: float, *, strict: bool) -> float:
    """Return what `haversine` is compared with; no separation is negative, none exceeds 180."""
    if radius_deg < 0:
        return -1.0
    if radius_deg > 180 or (radius_deg == 180 and not strict):
        return 2.0
    return math.sin(math.radians(radius_deg) / 2) ** 2


def near(test: Near) -> exp.Expression:
    """Return the exact condition of two positions being close."""
    radius = constant(test.radius)
    limit = _limit(test.radius) if radius is None else number(limit_of(radius, strict=test.strict))
    condition = compare(exp.LT if test.strict else exp.LTE, haversine(test.one, test.other), limit)
    return _signed(condition, negated=test.negated)


def _limit(radius: exp.Expression) -> exp.Expression:
    squared = _squared(call("SIN", binary(exp.Mul, radius, number(_RADIAN / 2))))
    branches = [
        exp.If(this=compare(exp.LT, radius, number(0.0)), true=number(-1.0)),
        exp.If(this=compare(exp.GTE, radius, number(180.0)), true=number(2.0)),
    ]
    return set_value(exp.Case(ifs=branches, default=squared), Column("", pa.float64()))


def _signed(condition: exp.Expression, *, negated: bool) -> exp.Expression:
    return set_value(exp.Not(this=condition), Column("", pa.bool_())) if negated else condition


def inside(test: Inside) -> exp.Expression:
    """Return the exact condition of a position being inside a constant region."""
    return _signed(_inside(test.place, test.region), negated=test.negated)


def _inside(place: Place, region: Region) -> exp.Expression:
    if isinstance(region, Circle):
        centre = Place(number(region.ra), number(region.dec))
        return compare(exp.LTE, haversine(place, centre), number(region.half_chord_limit))
    # The circle around decides most rows cheaply, and turns away NaN, which engines sort above all numbers.
    first = _inside(place, region.bounding_circle())
    if isinstance(region, Box):
        return all_of([first, *(_positive(form, place, exp.GTE) for form in region.half_spaces.tolist())])
    if isinstance(region, Polygon):
        counts = [_edge(forms, place) for forms in region.edge_forms.tolist()]
        total = reduce(lambda a, b: binary(exp.Add, a, b), counts)
        odd = compare(exp.EQ, set_value(exp.Mod(this=total, expression=number(2)), Column("", pa.int64())), number(1))
        return compare(exp.And, first, odd)
    if isinstance(region, Range):
        raise TypeError("no dialect writes a range")
    raise TypeError(f"a {type(region).__name__} has no exact condition")


def _edge(forms: list[list[float]], place: Place) -> exp.Expression:
    """Return 1 where an edge counts, else 0 (`awe.core.sky.Polygon.edge_forms`)."""
    kinds = (exp.GTE, exp.GT, exp.GTE)
    conditions = [_positive(form, place, kind) for form, kind in zip(forms, kinds, strict=True)]
    branch = exp.If(this=all_of(conditions), true=number(1))
    return set_value(exp.Case(ifs=[branch], default=number(0)), Column("", pa.int64()))


def _positive(form: list[float], place: Place, kind: type[exp.Expression]) -> exp.Expression:
    cosine = _cosine(place.dec)
    alpha = binary(exp.Mul, place.ra, number(_RADIAN))
    vector = [
        binary(exp.Mul, cosine, call("COS", alpha)),
        binary(exp.Mul, cosine, call("SIN", alpha)),
        _sine(place.dec),
    ]
    terms = [binary(exp.Mul, number(c), part) for c, part in zip(form, vector, strict=True)]
    return compare(kind, reduce(lambda a, b: binary(exp.Add, a, b), terms), number(0.0))
