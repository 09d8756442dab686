"""Q3C's test whether a position lies in an ellipse, as a cone around it and arithmetic."""

from functools import partial, reduce

import pyarrow as pa
from sqlglot import exp

from awe.core.sql.rules._build import all_of, binary, call, compare, constant, number
from awe.core.sql.rules._state import Compilation

__all__ = ["ellipse"]

_LARGEST_DEG = 90.0


def ellipse(node: exp.Expr, run: Compilation) -> exp.Expr:
    """Return ``q3c_ellipse_query(ra, dec, ra0, dec0, semi-major axis, axis ratio, position angle)`` (deg), spelled out.

    As in Q3C 2.0 the ellipse is one in the tangent plane at its centre, so that its semi-minor axis is a little more
    than the axis ratio times the other one. With c the cosine of the separation, x and y the position along both axes
    times c, it is ``x² + (y / ratio)² <= (c tan a)²`` on the centre's side of the sphere.

    Raises
    ------
    QuerySyntaxError
        For a constant that makes no ellipse.
    """
    ra, dec, ra0, dec0, axis, ratio, angle = node.expressions
    _check(axis, ratio, run)
    turn, lat, lat0 = _radians(binary(exp.Sub, ra, ra0)), _radians(dec), _radians(dec0)
    half = call("SIN", binary(exp.Div, turn, number(2.0)))
    # 1 - cos(turn), and with it the sine of small angles, keep all their digits
    versine = _times(number(2.0), half, half)
    north = binary(
        exp.Add,
        call("SIN", binary(exp.Sub, lat, lat0)),
        _times(call("COS", lat), call("SIN", lat0), versine),
    )
    east = _times(call("COS", lat), call("SIN", turn))
    cosine = binary(
        exp.Sub,
        call("COS", binary(exp.Sub, lat, lat0)),
        _times(call("COS", lat), call("COS", lat0), versine),
    )
    bearing = _radians(angle)
    along = binary(exp.Add, _times(north, call("COS", bearing)), _times(east, call("SIN", bearing)))
    across = binary(exp.Sub, _times(east, call("COS", bearing)), _times(north, call("SIN", bearing)))
    across = binary(exp.Div, across, ratio)
    reach = _times(cosine, call("TAN", _radians(axis)))
    inside = compare(
        exp.LTE, binary(exp.Add, _times(along, along), _times(across, across)), _times(reach, reach)
    )
    near = call("Q3C_RADIAL_QUERY", ra, dec, ra0, dec0, axis, type_=pa.bool_())
    return all_of([near, compare(exp.GT, cosine, number(0.0)), inside])


def _check(axis: exp.Expr, ratio: exp.Expr, run: Compilation) -> None:
    known = constant(axis)
    if known is not None and not 0 <= known < _LARGEST_DEG:
        raise run.text.syntax(
            axis, f"a semi-major axis is a number of degrees from 0 to below {_LARGEST_DEG:g}"
        )
    known = constant(ratio)
    if known is not None and not 0 < known <= 1:
        raise run.text.syntax(
            ratio, "an axis ratio is above 0 and 1 at the most", "it is the minor axis by the major one"
        )


def _radians(angle: exp.Expr) -> exp.Expr:
    return call("RADIANS", angle)


def _times(*factors: exp.Expr) -> exp.Expr:
    return reduce(partial(binary, exp.Mul), factors)
