"""User-defined functions that are said with others: positions and shapes become POINT, CIRCLE, POLYGON.

What is constant is computed here, so that ``CIRCLE(ivo_simbadpoint('M87'), 0.1)`` is as quick as any cone.
Of numbers, NULL is written as NaN.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from awe.core.sky import (
    FRAMES,
    MAX_ORDER,
    healpix_center,
    healpix_index,
    lonlat,
    propagate,
    rotation,
    unit_vector,
)
from awe.core.sql._udf import MAX_BINS
from awe.core.sql.functions import DERIVED, FUNCTIONS
from awe.core.sql.rules._build import binary, call, cast, column, constant, number
from awe.core.sql.rules._ellipse import ellipse
from awe.core.sql.rules._geometry import SHAPES, shape_kind
from awe.core.sql.rules._state import Compilation, computed, set_value, value
from awe.core.sql.rules._units import factor, spectral
from awe.core.suggestions import did_you_mean
from awe.core.tables import Column
from awe.errors import NotFoundError, UsageError

__all__ = ["derived"]

_MAS_PER_DEG = 3_600_000.0
_NOT_SHAPES = "a POINT, a CIRCLE or a POLYGON, written out, or a column of positions"


def derived(tree: exp.Expr, run: Compilation) -> exp.Expr:
    """Replace each such function by what it means.

    Raises
    ------
    QuerySyntaxError, UnknownNameError, NotOfferedError
        For an order, a frame, a unit, a name or a shape that there is not, with its place.
    """
    calls = [node for node in computed(tree) if isinstance(node, exp.Anonymous)]
    for node in reversed(calls):  # inner ones first
        if node.name in _CHECKS:
            _CHECKS[node.name](node, run)
        if FUNCTIONS[node.name].kind == DERIVED:
            new = set_value(_MEANINGS[node.name](node, run), value(node))
            if "start" in node.meta:
                new.meta.setdefault("start", node.meta["start"])
            node.replace(new)
    return tree


def _point(lon: exp.Expr, lat: exp.Expr) -> exp.Expr:
    return set_value(call("POINT", lon, lat), SHAPES["point"])


def _known_point(lon: float, lat: float) -> exp.Expr:
    return _point(_constant(lon), _constant(lat))


def _constant(quantity: float) -> exp.Expr:
    """Return a number, or NULL for what is none."""
    if math.isfinite(quantity):
        return number(float(quantity))
    return set_value(exp.Null(), Column("", pa.float64()))


def _coordinates(point: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
    """Return the longitude and latitude of a point, as it is written or of a column."""
    if isinstance(point, exp.Anonymous) and point.name == "POINT":
        return point.expressions[0], point.expressions[1]
    return call("COORD1", point), call("COORD2", point)


def _known(parts: Sequence[exp.Expr]) -> list[float] | None:
    """Return the parts as numbers, if they are constants; NULL is NaN."""
    found = [math.nan if isinstance(part, exp.Null) else constant(part) for part in parts]
    known = [quantity for quantity in found if quantity is not None]
    return known if len(known) == len(found) else None


def _need_order(order: exp.Expr, run: Compilation) -> None:
    known = constant(order)
    if known is not None and not 0 <= known <= MAX_ORDER:
        raise run.text.syntax(order, f"a HEALPix order is a whole number from 0 to {MAX_ORDER}")


def _cell(node: exp.Expr, run: Compilation) -> exp.Expr:
    order, lon, lat = node.expressions
    return _cell_of(order, lon, lat, run)


def _cell_of_point(node: exp.Expr, run: Compilation) -> exp.Expr:
    order, point = node.expressions
    return _cell_of(order, *_coordinates(point), run)


def _cell_of(order: exp.Expr, lon: exp.Expr, lat: exp.Expr, run: Compilation) -> exp.Expr:
    """Return the cell: known, or the coarser one around the table's own, or to be computed."""
    _need_order(order, run)
    level, known = constant(order), _known([lon, lat])
    if level is not None and known is not None:
        cell = int(healpix_index(known[0], known[1], int(level)))
        return number(cell) if cell >= 0 else set_value(exp.Null(), Column("", pa.int64()))
    own = _own_index(lon, lat, run)
    if level is not None and own is not None:
        return call("HEALPIX_ANCESTOR", *own, number(2 * (MAX_ORDER - int(level))), type_=pa.int64())
    return call("HEALPIX_CELL", order, lon, lat, type_=pa.int64())


def _own_index(lon: exp.Expr, lat: exp.Expr, run: Compilation) -> tuple[exp.Expr, exp.Expr] | None:
    """Return the column of HEALPix indices where a position is its table's own, and a longitude that is there if it is."""
    if not (isinstance(lon, exp.Column) and isinstance(lat, exp.Column) and lon.table == lat.table):
        return None
    use = run.uses.get(lon.table)
    if use is None or use.table.healpix is None or (use.table.ra, use.table.dec) != (lon.name, lat.name):
        return None
    # where all rows have one, it need not be read
    there = number(0.0) if use.table.placed else lon
    return column(use.key, use.table.healpix, Column("", pa.int64())), there


def _centre(node: exp.Expr, run: Compilation) -> exp.Expr:
    order, index = node.expressions
    _need_order(order, run)
    level, cell = constant(order), constant(index)
    if level is not None and cell is not None:
        if not 0 <= cell < 12 << (2 * int(level)):
            raise run.text.syntax(index, f"there is no cell {int(cell)} at order {int(level)}")
        lon, lat = healpix_center(int(cell), int(level))
        return _known_point(float(lon), float(lat))
    return _elements(call("HEALPIX_MIDDLE", order, index))


def _elements(pair: exp.Expr) -> exp.Expr:
    return _point(call("ELEMENT", pair, number(1)), call("ELEMENT", pair, number(2)))


def _state(node: exp.Expr, run: Compilation) -> exp.Expr:
    *parameters, ref_epoch, out_epoch = node.expressions
    for part in (*parameters[:2], ref_epoch, out_epoch):
        if isinstance(part, exp.Null):
            raise run.text.syntax(part, "position and epochs cannot be NULL")
    return call("STATE_AT", *map(_double, parameters), _double(binary(exp.Sub, out_epoch, ref_epoch)))


def _position_then(node: exp.Expr, run: Compilation) -> exp.Expr:
    return _position(_state(node, run))


def _moved(node: exp.Expr, _run: Compilation) -> exp.Expr:
    ra, dec, pm_ra, pm_dec, years = node.expressions
    motions = (binary(exp.Mul, pm, number(_MAS_PER_DEG)) for pm in (pm_ra, pm_dec))
    null = set_value(exp.Null(), Column("", pa.float64()))
    parts = (ra, dec, null, *motions, null, years)
    return _position(call("STATE_AT", *map(_double, parts)))


def _position(state: exp.Expr) -> exp.Expr:
    known = _known([part.this if isinstance(part, exp.Cast) else part for part in state.expressions])
    if known is not None and not all(map(math.isfinite, (known[0], known[1], known[6]))):
        return _known_point(math.nan, math.nan)
    if known is not None:
        lon, lat = propagate(*known)[:2]
        return _known_point(lon, lat)
    return _elements(state)


def _double(part: exp.Expr) -> exp.Expr:
    return cast(part, "DOUBLE", pa.float64())


def _named(node: exp.Expr, run: Compilation) -> exp.Expr:
    name = node.expressions[0]
    if run.resolve is None:
        raise run.text.refused(node, "names of objects are not resolved here", "write POINT(ra, dec)")
    try:
        found = run.resolve(name.name)
    except (NotFoundError, UsageError) as error:
        raise run.text.unknown(name, error.message, error.hint) from error
    if found is None:
        raise run.text.unknown(name, f"no object is called {name.name!r}")
    return _known_point(*found)


def _transformed(node: exp.Expr, run: Compilation) -> exp.Expr:
    from_frame, to_frame, shape = node.expressions
    for frame in (from_frame, to_frame):
        if frame.name not in FRAMES:
            hint = did_you_mean(frame.name, FRAMES) or f"the frames are {', '.join(FRAMES)}"
            raise run.text.unknown(frame, f"there is no frame {frame.name!r}", hint)
    matrix = rotation(from_frame.name, to_frame.name)
    if shape_kind(value(shape)) == "point":
        return _point(*_rotated(matrix, *_coordinates(shape)))
    if not isinstance(shape, exp.Anonymous) or shape.name not in {"CIRCLE", "POLYGON"}:
        raise run.text.refused(shape, "only a shape that is written out can be transformed", _NOT_SHAPES)
    flat = [coordinate for part in shape.expressions for coordinate in _flat(part)]
    places, rest = (flat[:2], flat[2:]) if shape.name == "CIRCLE" else (flat, [])
    turned = [
        part for pair in zip(places[::2], places[1::2], strict=True) for part in _rotated(matrix, *pair)
    ]
    return set_value(call(shape.name, *turned, *rest), value(shape))


def _flat(part: exp.Expr) -> Sequence[exp.Expr]:
    return _coordinates(part) if shape_kind(value(part)) == "point" else [part]


def _rotated(matrix: npt.NDArray[np.float64], lon: exp.Expr, lat: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
    known = _known([lon, lat])
    if known is not None and not all(map(math.isfinite, known)):
        return _constant(math.nan), _constant(math.nan)
    if known is not None:
        turned = lonlat(unit_vector(*known) @ matrix.T)
        return _constant(float(turned[0])), _constant(float(turned[1]))
    x, y, z = (call("SKY_FORM", lon, lat, *map(number, row)) for row in matrix.tolist())
    return call("SKY_LONGITUDE", x, y), call("SKY_LATITUDE", x, y, z)


def _spectral(node: exp.Expr, run: Compilation) -> exp.Expr:
    quantity, *units = node.expressions
    known = value(quantity).unit
    if len(units) == 1 and not known:
        raise run.text.syntax(quantity, "this has no unit", "name it: gavo_specconv(x, 'nm', 'eV')")
    given = units[0].name if len(units) == 2 else known
    return spectral(quantity, given, units[-1], run.text)


def _in_unit(node: exp.Expr, run: Compilation) -> exp.Expr:
    quantity, unit = node.expressions
    return factor(quantity, unit, run.text)


def _check_bins(node: exp.Expr, run: Compilation) -> None:
    bins = node.expressions[3]
    if not 1 <= int(bins.name) <= MAX_BINS:
        raise run.text.syntax(bins, f"a histogram has 1 to {MAX_BINS:,} bins")


def _check_pattern(node: exp.Expr, run: Compilation) -> None:
    pattern = node.expressions[0]
    try:
        pc.match_substring_regex(pa.array([""]), pattern.name)
    except pa.ArrowInvalid as error:
        reason = str(error).removeprefix("Invalid regular expression: ")
        raise run.text.syntax(pattern, f"not a regular expression: {reason}") from error


_CHECKS: Mapping[str, Callable[[exp.Expr, Compilation], None]] = {
    "IVO_HISTOGRAM": _check_bins,
    "GAVO_MATCH": _check_pattern,
}
_MEANINGS: Mapping[str, Callable[[exp.Expr, Compilation], exp.Expr]] = {
    "IVO_HEALPIX_INDEX": _cell,
    "IVO_HEALPIX_INDEX_OF": _cell_of_point,
    "IVO_HEALPIX_CENTER": _centre,
    "IVO_EPOCH_PROP": _state,
    "IVO_EPOCH_PROP_POS": _position_then,
    "IVO_APPLY_PM": _moved,
    "IVO_GEOM_TRANSFORM": _transformed,
    "IVO_SIMBADPOINT": _named,
    "GAVO_SPECCONV": _spectral,
    "GAVO_SPECCONV_FROM": _spectral,
    "IN_UNIT": _in_unit,
    "Q3C_ELLIPSE_QUERY": ellipse,
}
