"""The closed table of functions: what is not here cannot be called, in any dialect.

A row says how each dialect spells the function, what it takes and gives, and how each target writes
it. It is data: adding a function is adding a row, and the reference page is made from these rows.

Words
-----
kind of argument
    ``number``, ``integer``, ``text``, ``boolean``, ``any``; ``point``, ``shape`` (any geometry), ``place``
    (a POINT or a number); ``time`` (a time, or a text that is one); ``literal`` (a constant in quotes), ``whole`` (a constant whole number).
result
    ``double``, ``bigint``, ``integer``, ``text``, ``boolean``, ``timestamp``; ``same`` (as the first
    argument), ``last`` (as the last), ``common`` (the widest of the arguments), ``sum`` (BIGINT of
    integers, DOUBLE otherwise); ``point``, ``circle``, ``polygon``, ``region`` (geometries); ``doubles`` and
    ``counts`` (arrays).
unit
    ``""`` (a pure number), ``same`` (as the first argument), ``named`` (by the last) or a VOUnits string.
template
    ``{0}`` stands for the first argument, ``{*}`` for all of them.

Where a function is not defined (the logarithm of a negative number) the value is NULL, never an
error: engines evaluate conditions in any order, so ``flux > 0 AND LOG10(flux) < 3`` has to be safe.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from awe.core.sql._cubes import UNIT_VECTOR, corners, cube
from awe.core.sql._function import AGGREGATE, DERIVED, GEOMETRY, SCALAR, WINDOW, Function
from awe.core.sql._function import row as _row
from awe.core.sql._spark_functions import SPARK
from awe.core.sql._udf import USER_DEFINED

__all__ = [
    "AGGREGATE",
    "DERIVED",
    "FUNCTIONS",
    "GEOMETRY",
    "SCALAR",
    "WINDOW",
    "Function",
    "names_of",
    "spelled",
]


_ROUND = "round({0}, CAST({1} AS INTEGER))"
_CUT = "(trunc({0} * pow(10, {1})) / pow(10, {1}))"


# The engine makes the new text outside of the memory it counts, so its size is bounded here.
_REPLACE = (
    "(CASE WHEN strlen({0}) * greatest(strlen({2}), 1) > 16777216"
    " THEN error('REPLACE could make a text of more than 16 million characters')"
    " ELSE replace({0}, {1}, {2}) END)"
)


def _fixed(width: str, decimals: str) -> str:
    """Return the template of a number in a fixed width; SQL Server's STR writes at most 16 decimals."""
    digits = f"CAST(least(greatest({decimals}, 0), 16) AS INTEGER)"
    text = f"printf(concat('%.', {digits}, 'f'), CAST({{0}} AS DOUBLE))"
    size = f"CAST(least(greatest({width}, 0), 8000) AS INTEGER)"
    return f"(CASE WHEN length({text}) > {size} THEN repeat('*', {size}) ELSE lpad({text}, {size}, ' ') END)"


# fmt: off
_MATHS = (
    _row("ABS", "number", "same", "abs({0})", "Absolute value.", unit="same"),
    _row("CEILING", "number", "same", "ceil({0})", "Smallest integer not less than x.", unit="same",
         adql="CEILING", tsql="CEILING", postgres="CEILING CEIL"),
    _row("FLOOR", "number", "same", "floor({0})", "Largest integer not greater than x.", unit="same"),
    _row("EXP", "number", "double", "exp({0})", "e raised to x."),
    _row("LN", "number", "double", "ln(nullif(greatest({0}, 0), 0))",
         "Natural logarithm; NULL where x <= 0. ADQL and T-SQL call it LOG.",
         adql="LOG", tsql="LOG", postgres="LN"),
    _row("LOG10", "number", "double", "log10(nullif(greatest({0}, 0), 0))",
         "Logarithm to base 10; NULL where x <= 0. PostgreSQL also calls it LOG.",
         adql="LOG10", tsql="LOG10", postgres="LOG10 LOG"),
    _row("LOG_TO", "number number", "double",
         "(ln(nullif(greatest({0}, 0), 0)) / ln(nullif(greatest({1}, 0), 0)))",
         "Logarithm of x to a base: T-SQL's order (x, base).", tsql="LOG"),
    _row("LOG_OF", "number number", "double",
         "(ln(nullif(greatest({1}, 0), 0)) / ln(nullif(greatest({0}, 0), 0)))",
         "Logarithm to a base of x: PostgreSQL's order (base, x).", postgres="LOG"),
    _row("POWER", "number number", "double", "nullif(pow({0}, {1}), 'NaN'::DOUBLE)",
         "x raised to y, in double precision, in T-SQL a BIGINT where both are whole; NULL where it is no real number.",
         adql="POWER", tsql="POWER", postgres="POWER POW"),
    _row("POWER_WHOLE", "integer integer", "bigint", "TRY_CAST(trunc(pow({0}, {1})) AS BIGINT)",
         "x raised to y, of whole numbers in T-SQL.", only=""),
    _row("SQRT", "number", "double", "nullif(sqrt({0}), 'NaN'::DOUBLE)", "Square root; NULL where x < 0."),
    _row("SQUARE", "number", "double", "pow({0}, 2)", "x times x.", tsql="SQUARE"),
    _row("SIGN", "number", "same", "sign({0})", "-1, 0 or 1.", tsql="SIGN", postgres="SIGN"),
    _row("MOD", "number number", "common", "({0} % nullif({1}, 0))",
         "Remainder of x / y, with the sign of x (ADQL 2.1 section 2.3).", adql="MOD", postgres="MOD"),
    _row("PI", "", "double", "pi()", "The number pi."),
    _row("ROUND", "number number [number]", "same", (_ROUND, f"(CASE WHEN {{2}} = 0 THEN {_ROUND} ELSE {_CUT} END)"),
         "x rounded to n decimal places, halves away from zero; cut instead where a third argument is not 0.",
         unit="same", tsql="ROUND"),
    _row("ROUND_TO", "number [number]", "same", ("round({0})", _ROUND),
         "x rounded to n decimal places (0); halves away from zero.", unit="same",
         adql="ROUND", postgres="ROUND"),
    _row("TRUNCATE", "number [number]", "same", ("trunc({0})", _CUT),
         "x cut to n decimal places (0).", unit="same", adql="TRUNCATE", postgres="TRUNC"),
    _row("RAND", "", "double", "random()", "A random number from 0 to 1, another one for each row.",
         adql="RAND", tsql="RAND", postgres="RANDOM"),
    _row("IN_UNIT", "number literal", "double", "", "The same quantity in another unit: value, unit (VOUnits).",
         only="adql", kind=DERIVED, unit="named"),
    _row("RAND_SEEDED", "whole", "double", "random()",
         "As RAND(): the seed has no meaning (ADQL 2.1 section 2.3).", adql="RAND"),
    _row("GREATEST", "any any...", "common", "greatest({*})", "The largest argument.",
         tsql="GREATEST", postgres="GREATEST", unit="same"),
    _row("LEAST", "any any...", "common", "least({*})", "The smallest argument.",
         tsql="LEAST", postgres="LEAST", unit="same"),
)

_TRIGONOMETRY = (
    _row("SIN", "number", "double", "sin({0})", "Sine of an angle in radians."),
    _row("COS", "number", "double", "cos({0})", "Cosine of an angle in radians."),
    _row("TAN", "number", "double", "tan({0})", "Tangent of an angle in radians."),
    _row("COT", "number", "double", "cot({0})", "Cotangent of an angle in radians."),
    _row("ASIN", "number", "double", "nullif(asin({0}), 'NaN'::DOUBLE)", "Arc sine; NULL outside -1 to 1.", unit="rad"),
    _row("ACOS", "number", "double", "nullif(acos({0}), 'NaN'::DOUBLE)", "Arc cosine; NULL outside -1 to 1.", unit="rad"),
    _row("ATAN", "number", "double", "atan({0})", "Arc tangent.", unit="rad"),
    _row("ATAN2", "number number", "double", "atan2({0}, {1})", "Angle of the point (x, y), given y, x.",
         unit="rad", adql="ATAN2", tsql="ATN2", postgres="ATAN2"),
    _row("RADIANS", "number", "double", "radians({0})", "Degrees to radians.", unit="rad"),
    _row("DEGREES", "number", "double", "degrees({0})", "Radians to degrees.", unit="deg"),
)

_TEXT = (
    _row("LOWER", "text", "text", "lower({0})", "Text in lower case."),
    _row("UPPER", "text", "text", "upper({0})", "Text in upper case."),
    _row("LEN", "text", "integer", "length(rtrim({0}))", "Number of characters, without trailing blanks.",
         tsql="LEN"),
    _row("LENGTH", "text", "integer", "length({0})", "Number of characters.",
         postgres="LENGTH CHAR_LENGTH"),
    _row("SUBSTRING", "text number [number]", "text",
         ("substring({0}, CAST({1} AS BIGINT))", "substring({0}, CAST({1} AS BIGINT), CAST({2} AS BIGINT))"),
         "Part of a text: from a place counted from one, so many characters.",
         tsql="SUBSTRING", postgres="SUBSTRING SUBSTR"),
    _row("LEFT", "text number", "text", "left({0}, CAST({1} AS BIGINT))", "The first n characters.",
         tsql="LEFT", postgres="LEFT"),
    _row("RIGHT", "text number", "text", "right({0}, CAST({1} AS BIGINT))", "The last n characters.",
         tsql="RIGHT", postgres="RIGHT"),
    _row("TRIM", "text", "text", "trim({0})", "Text without blanks at both ends.",
         tsql="TRIM", postgres="TRIM BTRIM"),
    _row("LTRIM", "text", "text", "ltrim({0})", "Text without leading blanks.", tsql="LTRIM", postgres="LTRIM"),
    _row("RTRIM", "text", "text", "rtrim({0})", "Text without trailing blanks.", tsql="RTRIM", postgres="RTRIM"),
    _row("REPLACE", "text text text", "text", _REPLACE, "Each occurrence of b in a becomes c.",
         tsql="REPLACE", postgres="REPLACE"),
    _row("CHARINDEX", "text text", "integer", "strpos(lower({1}), lower({0}))",
         "Where a occurs in b ignoring case, counted from one; 0 where it does not.", tsql="CHARINDEX"),
    _row("STRPOS", "text text", "integer", "strpos({0}, {1})",
         "Where b occurs in a, counted from one; 0 where it does not.", postgres="STRPOS"),
    _row("CONCAT", "any any...", "text", "concat({*})", "All arguments one after the other, NULL as nothing.",
         tsql="CONCAT", postgres="CONCAT"),
    _row("STR", "number [number number]", "text", (_fixed("10", "0"), _fixed("{1}", "0"), _fixed("{1}", "{2}")),
         "A number as text, right-justified in a width (10) with so many decimals (0); stars where it does not fit.",
         tsql="STR"),
)

_CONDITIONAL = (
    _row("COALESCE", "any...", "common", "coalesce({*})", "The first argument that is not NULL.", unit="same"),
    _row("ISNULL", "any any", "common", "coalesce({0}, {1})", "The first argument, or the second where it is NULL.",
         tsql="ISNULL", unit="same"),
    _row("NULLIF", "any any", "same", "nullif({0}, {1})", "NULL where both are equal, the first otherwise.",
         tsql="NULLIF", postgres="NULLIF", unit="same"),
    _row("IIF", "boolean any any", "common_tail", "CASE WHEN {0} THEN {1} ELSE {2} END",
         "The second argument where the first is true, else the third.", tsql="IIF"),
    _row("NEWID", "", "text", "CAST(uuid() AS VARCHAR)", "Something random, for ORDER BY NEWID().", tsql="NEWID"),
)

_AGGREGATES = (
    _row("COUNT", "any", "bigint", "count({0})", "How many values are not NULL; COUNT(*): how many rows.",
         kind=AGGREGATE, adql="COUNT", tsql="COUNT COUNT_BIG", postgres="COUNT"),
    _row("SUM", "number", "sum", "sum({0})", "Sum.", kind=AGGREGATE, unit="same"),
    _row("AVG", "number", "double", "avg({0})", "Mean, in double precision also for integers.",
         kind=AGGREGATE, unit="same"),
    _row("MIN", "any", "same", "min({0})", "Smallest value.", kind=AGGREGATE, unit="same"),
    _row("MAX", "any", "same", "max({0})", "Largest value.", kind=AGGREGATE, unit="same"),
    _row("STDDEV", "number", "double", "stddev_samp({0})", "Standard deviation of a sample (n - 1).",
         kind=AGGREGATE, unit="same", tsql="STDEV", postgres="STDDEV STDDEV_SAMP"),
    _row("STDDEV_POP", "number", "double", "stddev_pop({0})", "Standard deviation of a population (n).",
         kind=AGGREGATE, unit="same", tsql="STDEVP", postgres="STDDEV_POP"),
    _row("VARIANCE", "number", "double", "var_samp({0})", "Variance of a sample (n - 1).",
         kind=AGGREGATE, tsql="VAR", postgres="VARIANCE VAR_SAMP"),
    _row("VARIANCE_POP", "number", "double", "var_pop({0})", "Variance of a population (n).",
         kind=AGGREGATE, tsql="VARP", postgres="VAR_POP"),
    _row("STRING_AGG", "text literal", "text", "string_agg({0}, {1})", "All texts, with a separator.",
         kind=AGGREGATE, adql="IVO_STRING_AGG", tsql="STRING_AGG", postgres="STRING_AGG",
         signature="(expression TEXT, delimiter TEXT) -> TEXT"),
)

_WINDOWS = (
    _row("ROW_NUMBER", "", "bigint", "row_number()", "The row's place in its window, from one.",
         kind=WINDOW, only="tsql postgres"),
    _row("RANK", "", "bigint", "rank()", "As ROW_NUMBER, equal rows share the first place, with gaps.",
         kind=WINDOW, only="tsql postgres"),
    _row("DENSE_RANK", "", "bigint", "dense_rank()", "As RANK, without gaps.", kind=WINDOW, only="tsql postgres"),
    _row("LAG", "any", "same", "lag({0})", "The value in the row before.", kind=WINDOW, only="tsql postgres",
         unit="same"),
    _row("LEAD", "any", "same", "lead({0})", "The value in the row after.", kind=WINDOW, only="tsql postgres",
         unit="same"),
)

_SKY = (
    _row("POINT", "number number", "point", "", "A position: right ascension, declination (deg, ICRS).",
         kind=GEOMETRY, only="adql"),
    _row("CIRCLE", "place number [number]", "circle", "",
         "A circle around a position: ra, dec, radius (deg), or a POINT and a radius.", kind=GEOMETRY, only="adql"),
    _row("BOX", "place number number [number]", "polygon", "",
         "A box around a position: ra, dec, width, height (deg), or a POINT, width, height; its value is a polygon.",
         kind=GEOMETRY, only="adql"),
    _row("POLYGON", "place place place...", "polygon", "",
         "A polygon of great circles: vertices as ra, dec, ra, dec ... or as POINTs (deg).",
         kind=GEOMETRY, only="adql"),
    _row("REGION", "literal", "region", "", "A shape in STC-S, such as 'Circle ICRS 10 20 0.5', or as DALI writes it.",
         kind=GEOMETRY, only="adql"),
    _row("CONTAINS", "shape shape", "integer", "", "1 where the first lies inside the second, edges included, else 0.",
         kind=GEOMETRY, only="adql"),
    _row("INTERSECTS", "shape shape", "integer", "", "1 where both have a point in common, else 0.",
         kind=GEOMETRY, only="adql"),
    _row("DISTANCE", "place place [number number]", "double", "",
         "Separation on the sky of two POINTs, or of ra1, dec1, ra2, dec2 (deg).",
         kind=GEOMETRY, unit="deg", ucd="pos.angDistance", only="adql"),
    _row("COORD1", "point", "double", "", "Right ascension of a POINT (deg).", kind=GEOMETRY, unit="deg",
         ucd="pos.eq.ra", only="adql"),
    _row("COORD2", "point", "double", "", "Declination of a POINT (deg).", kind=GEOMETRY, unit="deg",
         ucd="pos.eq.dec", only="adql"),
    _row("COORDSYS", "shape", "text", "", "The coordinate system of a geometry: 'ICRS' (deprecated).",
         kind=GEOMETRY, only="adql"),
    _row("AREA", "shape", "double", "", "Area of a geometry (square degrees); of a POINT 0.",
         kind=GEOMETRY, unit="deg2", ucd="phys.angArea", only="adql"),
    _row("CENTROID", "shape", "point", "", "The POINT amid a geometry, its centre of mass.",
         kind=GEOMETRY, only="adql"),
    _row("Q3C_RADIAL_QUERY", "number number number number number", "boolean", "",
         "True where ra, dec lies within r of ra0, dec0 (deg).", kind=GEOMETRY, only="postgres"),
    _row("Q3C_JOIN", "number number number number number", "boolean", "",
         "True where ra1, dec1 lies within r of ra2, dec2 (deg).", kind=GEOMETRY, only="postgres"),
    _row("Q3C_DIST", "number number number number", "double", "",
         "Separation on the sky of ra1, dec1 and ra2, dec2 (deg).", kind=GEOMETRY, unit="deg", only="postgres"),
    _row("Q3C_POLY_QUERY", "number number array", "boolean", "",
         "True where ra, dec lies inside the polygon ARRAY[ra, dec, ra, dec ...] (deg).",
         kind=GEOMETRY, only="postgres"),
    _row("Q3C_ELLIPSE_QUERY", "number number number number number number number", "boolean", "",
         "True where ra, dec lies inside the ellipse around ra0, dec0 with a semi-major axis (deg), an axis ratio and a "
         "position angle (deg).", kind=DERIVED, only="postgres"),
    _row("FDISTANCEARCMINEQ", "number number number number", "double", "",
         "Separation on the sky of ra1, dec1 and ra2, dec2 (deg), in arcmin (as SDSS's function).",
         kind=GEOMETRY, unit="arcmin", tsql="FDISTANCEARCMINEQ"),
)
# fmt: on

_WHOLE = "TRY_CAST(floor(%s) AS BIGINT)"
_HAVERSINE = (
    "(pow(sin(radians({1} - {3}) / 2), 2)"
    " + cos(radians({1})) * cos(radians({3})) * pow(sin(radians({0} - {2}) / 2), 2))"
)
# Vincenty's form: precise at 0 and at 180 degrees.
_SEPARATION = (
    "degrees(atan2(sqrt(pow(cos(radians({3})) * sin(radians({0} - {2})), 2)"
    " + pow(cos(radians({1})) * sin(radians({3}))"
    " - sin(radians({1})) * cos(radians({3})) * cos(radians({0} - {2})), 2)),"
    " sin(radians({1})) * sin(radians({3}))"
    " + cos(radians({1})) * cos(radians({3})) * cos(radians({0} - {2}))))"
)

# `awe.core.sky.Polygon.edge_forms`: an edge counts where three linear forms of the unit vector agree; inside
# means that an odd number of edges counts, or that the first form of one is zero, up to rounding, where the
# others hold. A list keeps the text linear in the edges, whatever their number.
_POLYGON = (
    f"(list_transform([{{'x': {UNIT_VECTOR[0]}, 'y': {UNIT_VECTOR[1]}, 'z': {UNIT_VECTOR[2]}}}],"
    " lambda _p: list_transform([list_sum(list_transform(list_transform(CAST({2} AS DOUBLE[][]), lambda _e:"
    " {'a': _e[1] * _p.x + _e[2] * _p.y + _e[3] * _p.z, 'b': _e[4] * _p.x + _e[5] * _p.y + _e[6] * _p.z,"
    " 'c': _e[7] * _p.x + _e[8] * _p.y + _e[9] * _p.z}), lambda _f: CASE"
    " WHEN abs(_f.a) <= {3} AND _f.b >= - {3} AND _f.c >= - {3} THEN 1000000"
    " WHEN _f.a >= 0 AND _f.b > 0 AND _f.c >= 0 THEN 1 ELSE 0 END))],"
    " lambda _n: _n >= 1000000 OR _n % 2 = 1)[1])[1])"
)

_LIST = "CAST({%d} AS DOUBLE[])"
_TO_SHAPE = (
    "(CASE WHEN {0} IS NULL OR %s THEN {1}"
    " ELSE error(concat('not a %s: ', left(CAST({0} AS VARCHAR), 80))) END)"
)

# Written by the rules only: no dialect spells them. Angles in degrees.
# fmt: off
_COMPILED = (
    _row("SKY_HAVERSINE", "number number number number", "double", _HAVERSINE,
         "sin²(d/2) of the separation d of ra1, dec1 and ra2, dec2.", only=""),
    _row("SKY_SEPARATION", "number number number number", "double", _SEPARATION,
         "The separation of ra1, dec1 and ra2, dec2.", only="", unit="deg"),
    _row("SKY_LIMIT", "number", "double",
         "(CASE WHEN {0} < 0 THEN -1 WHEN {0} < 180 THEN pow(sin(radians({0}) / 2), 2) WHEN NOT isnan({0}) THEN 2 END)",
         "What SKY_HAVERSINE is compared with for a radius.", only=""),
    _row("SKY_FORM", "number number number number number", "double",
         f"({{2}} * ({UNIT_VECTOR[0]}) + {{3}} * ({UNIT_VECTOR[1]}) + {{4}} * {UNIT_VECTOR[2]})",
         "A linear form (a, b, c) of the unit vector of ra, dec.", only=""),
    _row("SKY_POLYGON", "number number text number", "boolean", _POLYGON,
         "True inside a polygon, given by its edges: nine numbers each, and a tolerance.", only=""),
    _row("SKY_POINT", "number number", "point",
         "(CASE WHEN abs({1}) <= 90 AND isfinite({0}) THEN CAST([CASE WHEN {0} BETWEEN 0 AND 360 THEN {0}"
         " ELSE {0} - 360 * floor({0} / 360) END, {1}] AS DOUBLE[2]) END)",
         "The position ra, dec; NULL where it is not on the sky.", only=""),
    _row("SKY_CIRCLE", "number number number", "circle",
         "(CASE WHEN abs({1}) <= 90 AND isfinite({0}) AND {2} BETWEEN 0 AND 180 THEN CAST([CASE"
         " WHEN {0} BETWEEN 0 AND 360 THEN {0} ELSE {0} - 360 * floor({0} / 360) END, {1}, {2}] AS DOUBLE[3]) END)",
         "The circle around ra, dec; NULL where it is not on the sky.", only=""),
    _row("SKY_RING", "number number number number number number...", "polygon",
         "awe_shape_checked(CAST([{*}] AS DOUBLE[]))", "The polygon of vertices; NULL where it is not on the sky.",
         only=""),
    _row("SKY_BOX", "number number number number", "polygon",
         "awe_shape_box(CAST({0} AS DOUBLE), CAST({1} AS DOUBLE), CAST({2} AS DOUBLE), CAST({3} AS DOUBLE))",
         "The polygon of a box: ra, dec, width, height.", only=""),
    _row("SKY_CONSTANT", "text", "polygon", "CAST({0} AS DOUBLE[])", "A shape that is known: its numbers.", only=""),
    _row("SKY_READ", "text", "polygon", "awe_shape_read({0})", "The numbers of a shape written as text.", only=""),
    _row("SKY_NUMBER", "any number", "double", "({0}[{1}])", "A number of a shape, counted from one.",
         only="", unit="deg"),
    _row("SKY_MEET", "any any", "boolean", f"awe_shape_meet({_LIST % 0}, {_LIST % 1})",
         "True where two shapes have a point in common.", only=""),
    _row("SKY_WITHIN", "any any", "boolean", f"awe_shape_within({_LIST % 0}, {_LIST % 1})",
         "True where the first shape lies within the second.", only=""),
    _row("SKY_AREA", "any", "double", f"awe_shape_area({_LIST % 0})", "The area of a shape.", only="", unit="deg2"),
    _row("SKY_CENTROID", "any", "polygon", f"awe_shape_centroid({_LIST % 0})", "ra, dec amid a shape.", only=""),
    _row("SKY_FRAME", "any", "text", "(CASE WHEN {0} IS NOT NULL THEN 'ICRS' END)", "The frame of a shape.", only=""),
    _row("SKY_PERHAPS", "boolean", "boolean", "coalesce({0}, TRUE)", "True but where a condition is false.", only=""),
    _row("SKY_ROOM", "number number", "double", "(CASE WHEN {0} >= 180 THEN 180 ELSE {0} - {1} END)",
         "How far from a circle's centre a smaller one within may be.", only="", unit="deg"),
    _row("SKY_TO_POINT", "any any", "point", f"CAST({_TO_SHAPE % ('len({1}) = 2', 'POINT')} AS DOUBLE[2])",
         "The numbers, read of a value, if they are a point; an error otherwise.", only=""),
    _row("SKY_TO_CIRCLE", "any any", "circle", f"CAST({_TO_SHAPE % ('len({1}) = 3', 'CIRCLE')} AS DOUBLE[3])",
         "The numbers, read of a value, if they are a circle; an error otherwise.", only=""),
    _row("SKY_TO_POLYGON", "any any", "polygon", _TO_SHAPE % ("len({1}) >= 6", "POLYGON"),
         "The numbers, read of a value, if they are a polygon; an error otherwise.", only=""),
    _row("SKY_CELL", "number number number", "bigint", cube(_WHOLE),
         "The cube, of a size, that ra, dec on the unit sphere stands in.", only=""),
    _row("SKY_CELLS", "number number number number", "bigint", f"list_distinct([{corners(_WHOLE)}])",
         "The cubes, of a size, within a reach of ra, dec; the reach is less than half the size.", only=""),
    _row("TIME_TEXT", "time", "text", "replace(CAST({0} AS VARCHAR), ' ', 'T')",
         "A time as text, with a T (DALI 1.1 section 3.3.3).", only=""),
    _row("SKY_RANGES", "number", "boolean", "({ranges})",
         "True where a HEALPix index lies in one of the ranges attached to the call.", only=""),
)
# fmt: on


def _everywhere(function: Function) -> Function:
    """Add what other targets write."""
    spark = SPARK.get(function.name)
    return function if spark is None else replace(function, lowering={**function.lowering, "spark": spark})


FUNCTIONS: Mapping[str, Function] = {
    row.name: _everywhere(row)
    for row in _MATHS
    + _TRIGONOMETRY
    + _TEXT
    + _CONDITIONAL
    + _AGGREGATES
    + _WINDOWS
    + _SKY
    + _COMPILED
    + USER_DEFINED
}


def _index() -> dict[tuple[str, str], tuple[Function, ...]]:
    index: dict[tuple[str, str], tuple[Function, ...]] = {}
    for function in FUNCTIONS.values():
        for dialect, names in function.names.items():
            for name in names:
                index[dialect, name] = (*index.get((dialect, name), ()), function)
    return index


_BY_SPELLING = _index()


def spelled(dialect: str, name: str) -> tuple[Function, ...]:
    """Return the functions that `dialect` calls `name` (ignoring case); they differ in their arguments."""
    return _BY_SPELLING.get((dialect, name.upper()), ())


def names_of(dialect: str) -> Iterable[str]:
    """Return every function name of a dialect."""
    return (name for d, name in _BY_SPELLING if d == dialect)
