r"""How Spark SQL writes the functions of the table; those that are absent it does not offer.

What DuckDB writes in the same way is written here again, so that each function's line can be read and tested. In
templates, ``{type}`` stands for the type of the result as well as for its arguments ``{0}``, ``{1}``, ``{*}``.
Constants follow Spark's rules: ``1D`` is in double precision, and a backslash in a text is written twice.

Spark differs from DuckDB where it matters: ``FLOOR`` and ``CEIL`` give whole numbers and not those of the
argument's type, a division by zero and an element beyond an array are errors, ``CONCAT`` of a NULL is NULL, and
regular expressions are Java's, which can take for ever: patterns of users go to a function of awe's own.
"""

from collections.abc import Mapping

from awe.core.sql._cubes import UNIT_VECTOR, corners, cube

__all__ = ["SPARK"]

_NAN = "CAST('NaN' AS DOUBLE)"
_FINITE = "(abs(%s) < CAST('Infinity' AS DOUBLE))"
_WHOLE = "9e15D"
"""Numbers above are whole: rounding them must not lead through 64 bits."""


def _truncated(value: str) -> str:
    return (
        f"(CASE WHEN NOT (abs({value}) < {_WHOLE}) THEN {value}"
        f" WHEN {value} < 0 THEN ceil({value}) ELSE floor({value}) END)"
    )


_WHOLE_BELOW = "floor(%s)"


def _form(first: int) -> str:
    x, y, z = (f"_e[{first + i}] * _p.{axis}" for i, axis in enumerate("xyz"))
    return f"({x} + {y} + {z})"


# `awe.core.sql.functions` says what is counted here.
_POLYGON = (
    f"(transform(array(named_struct('x', {UNIT_VECTOR[0]}, 'y', {UNIT_VECTOR[1]}, 'z', {UNIT_VECTOR[2]})),"
    " _p -> transform(array(aggregate(from_json({2}, 'ARRAY<ARRAY<DOUBLE>>'), 0, (_s, _e) -> _s + CASE"
    f" WHEN abs({_form(0)}) <= {{3}} AND {_form(3)} >= - {{3}} AND {_form(6)} >= - {{3}} THEN 1000000"
    f" WHEN {_form(0)} >= 0 AND {_form(3)} > 0 AND {_form(6)} >= 0 THEN 1 ELSE 0 END)),"
    " _n -> _n >= 1000000 OR _n % 2 = 1)[0])[0])"
)
_AROUND = "CASE WHEN {0} BETWEEN 0 AND 360 THEN {0} ELSE {0} - 360 * floor({0} / 360) END"
_ROUND = (
    "CAST((CASE WHEN {1} >= 0 AND abs({0}) >= 1e15D THEN {0}"
    " WHEN {1} >= 0 THEN round({0} * pow(10, {1})) / pow(10, {1})"
    " ELSE round({0} / pow(10, - ({1}))) * pow(10, - ({1})) END) AS {type})"
)
_CUT = f"CAST(({_truncated('{0} * pow(10, {1})')} / pow(10, {{1}})) AS {{type}})"
_LEFT = "substring({0}, 1, CAST(CASE WHEN {1} < 0 THEN greatest(length({0}) + {1}, 0) ELSE {1} END AS INT))"
_RIGHT = "(CASE WHEN {1} < 0 THEN substring({0}, CAST(1 - {1} AS INT)) ELSE right({0}, CAST({1} AS INT)) END)"
_REPLACE = (
    "(CASE WHEN CAST(octet_length({0}) AS BIGINT) * greatest(octet_length({2}), 1) > 16777216"
    " THEN raise_error('REPLACE could make a text of more than 16 million characters')"
    " ELSE replace({0}, {1}, {2}) END)"
)


def _fixed(width: str, decimals: str) -> str:
    """Return the template of a number in a fixed width."""
    digits = f"CAST(least(greatest({decimals}, 0), 16) AS INT)"
    text = f"format_string(concat('%.', {digits}, 'f'), CAST({{0}} AS DOUBLE))"
    size = f"CAST(least(greatest({width}, 0), 8000) AS INT)"
    return f"(CASE WHEN length({text}) > {size} THEN repeat('*', {size}) ELSE lpad({text}, {size}, ' ') END)"


_TOKENS = r"regexp_extract_all(lower({%d}), '[\\pL\\pN]+', 0)"
_BIN = (
    "CASE WHEN {0} >= {2} AND NOT isnan({0}) THEN {3} + 1 WHEN {0} >= {1} AND NOT isnan({0})"
    " THEN least(floor(try_divide({0} - {1}, ({2} - {1}) / {3})) + 1, {3}) ELSE 0 END"
)
# Spark's approximate histogram is exact where it may have as many bins as there are different values.
_HISTOGRAM = f"awe_counts(histogram_numeric(CAST({_BIN} AS DOUBLE), {{3}} + 2), {{3}} + 1)"
_LIST = "CAST({%d} AS ARRAY<DOUBLE>)"
_TO_SHAPE = (
    "(CASE WHEN {0} IS NULL OR %s THEN CAST({1} AS ARRAY<DOUBLE>)"
    " ELSE raise_error(concat('not a %s: ', left(CAST({0} AS STRING), 80))) END)"
)


def _sexagesimal(whole: str, sign: str, letter: str, most: int, factor: float) -> str:
    """Return the template of a sexagesimal text as degrees; NULL where it is none. See `awe.core.sql._udf`."""
    number, seconds = r"(\\d{1,2})", r"(\\d{1,2}(?:\\.\\d*)?)"
    patterns = (
        rf"^{sign}{whole}:{number}:{seconds}$",
        rf"^{sign}{whole}{letter}\\s*{number}m\\s*{seconds}s$",
        rf"^{sign}(\\d\\d)(\\d\\d)(\\d\\d(?:\\.\\d*)?)$",
    )
    text = "lower(trim({0}))"
    parts = [
        ", ".join(f"'{name}', regexp_extract({text}, '{pattern}', {i + 1})" for i, name in enumerate("pwms"))
        for pattern in patterns
    ]
    read = " ".join(
        f"WHEN {text} RLIKE '{pattern}' THEN named_struct({part})"
        for pattern, part in zip(patterns, parts, strict=True)
    )
    value = (
        f"((CAST(_t.w AS DOUBLE) + CAST(_t.m AS DOUBLE) / 60 + CAST(_t.s AS DOUBLE) / 3600) * {factor!r}D)"
    )
    good = f"CAST(_t.w AS INT) <= {most} AND CAST(_t.m AS INT) < 60 AND CAST(_t.s AS DOUBLE) < 60"
    return (
        f"(transform(array(CASE {read} END), _t -> CASE WHEN {good}"
        f" THEN CASE WHEN _t.p = '-' THEN - {value} ELSE {value} END END)[0])"
    )


# fmt: off
_TEMPLATES: Mapping[str, str | tuple[str, ...]] = {
    "ABS": "abs({0})",
    "CEILING": f"CAST((CASE WHEN abs({{0}}) < {_WHOLE} THEN ceil({{0}}) ELSE {{0}} END) AS {{type}})",
    "FLOOR": f"CAST((CASE WHEN abs({{0}}) < {_WHOLE} THEN floor({{0}}) ELSE {{0}} END) AS {{type}})",
    "EXP": "exp({0})",
    "LN": "ln({0})",
    "LOG10": "log10({0})",
    "LOG_TO": "try_divide(ln({0}), ln({1}))",
    "LOG_OF": "try_divide(ln({1}), ln({0}))",
    "POWER": f"nullif(pow({{0}}, {{1}}), {_NAN})",
    "POWER_WHOLE": "try_cast(pow({0}, {1}) AS BIGINT)",
    "SQRT": f"nullif(sqrt({{0}}), {_NAN})",
    "SQUARE": "pow({0}, 2)",
    "SIGN": "CAST(sign({0}) AS {type})",
    "MOD": "({0} % nullif({1}, 0))",
    "PI": "pi()",
    "ROUND": (_ROUND, f"(CASE WHEN {{2}} = 0 THEN {_ROUND} ELSE {_CUT} END)"),
    "ROUND_TO": ("CAST(round({0}) AS {type})", _ROUND),
    "TRUNCATE": (f"CAST({_truncated('{0}')} AS {{type}})", _CUT),
    "RAND": "rand()",
    "RAND_SEEDED": "rand()",
    "GREATEST": "greatest({*})",
    "LEAST": "least({*})",
    "SIN": "sin({0})", "COS": "cos({0})", "TAN": "tan({0})", "COT": "cot({0})",
    "ASIN": f"nullif(asin({{0}}), {_NAN})",
    "ACOS": f"nullif(acos({{0}}), {_NAN})",
    "ATAN": "atan({0})", "ATAN2": "atan2({0}, {1})", "RADIANS": "radians({0})", "DEGREES": "degrees({0})",

    "LOWER": "lower({0})", "UPPER": "upper({0})",
    "LEN": "length(rtrim({0}))", "LENGTH": "length({0})",
    "SUBSTRING": (
        "substring({0}, CAST({1} AS INT))",
        ("substring({0}, CAST(CASE WHEN {1} = 0 THEN 1 ELSE {1} END AS INT),"
        " CAST(CASE WHEN {1} = 0 THEN {2} - 1 ELSE {2} END AS INT))"),
    ),
    "LEFT": _LEFT, "RIGHT": _RIGHT,
    "TRIM": "trim({0})", "LTRIM": "ltrim({0})", "RTRIM": "rtrim({0})",
    "REPLACE": _REPLACE,
    "CHARINDEX": "locate(lower({0}), lower({1}))",
    "STRPOS": "locate({1}, {0})",
    "CONCAT": "concat_ws('', {*})",
    "STR": (_fixed("10", "0"), _fixed("{1}", "0"), _fixed("{1}", "{2}")),

    "COALESCE": "coalesce({*})", "ISNULL": "coalesce({0}, {1})", "NULLIF": "nullif({0}, {1})",
    "IIF": "CASE WHEN {0} THEN {1} ELSE {2} END",
    "NEWID": "uuid()",

    "COUNT": "count({0})", "SUM": "sum({0})", "AVG": "avg({0})", "MIN": "min({0})", "MAX": "max({0})",
    "STDDEV": "stddev_samp({0})", "STDDEV_POP": "stddev_pop({0})",
    "VARIANCE": "var_samp({0})", "VARIANCE_POP": "var_pop({0})",
    "STRING_AGG": "listagg({0}, {1})",
    "ROW_NUMBER": "row_number()", "RANK": "rank()", "DENSE_RANK": "dense_rank()",
    "LAG": "lag({0})", "LEAD": "lead({0})",

    "SKY_HAVERSINE":
        "(pow(sin(radians({1} - {3}) / 2), 2)"
        " + cos(radians({1})) * cos(radians({3})) * pow(sin(radians({0} - {2}) / 2), 2))",
    "SKY_SEPARATION":
        "degrees(atan2(sqrt(pow(cos(radians({3})) * sin(radians({0} - {2})), 2)"
        " + pow(cos(radians({1})) * sin(radians({3}))"
        " - sin(radians({1})) * cos(radians({3})) * cos(radians({0} - {2})), 2)),"
        " sin(radians({1})) * sin(radians({3}))"
        " + cos(radians({1})) * cos(radians({3})) * cos(radians({0} - {2}))))",
    "SKY_LIMIT": "(CASE WHEN {0} < 0 THEN -1D WHEN {0} < 180 THEN pow(sin(radians({0}) / 2), 2) WHEN NOT isnan({0}) THEN 2D END)",
    "SKY_FORM": f"({{2}} * ({UNIT_VECTOR[0]}) + {{3}} * ({UNIT_VECTOR[1]}) + {{4}} * {UNIT_VECTOR[2]})",
    "SKY_POLYGON": _POLYGON,
    "SKY_POINT":
        f"(CASE WHEN abs({{1}}) <= 90 AND {_FINITE % '{0}'}"
        f" THEN CAST(array({_AROUND}, {{1}}) AS ARRAY<DOUBLE>) END)",
    "SKY_CIRCLE":
        f"(CASE WHEN abs({{1}}) <= 90 AND {_FINITE % '{0}'} AND {{2}} BETWEEN 0 AND 180"
        f" THEN CAST(array({_AROUND}, {{1}}, {{2}}) AS ARRAY<DOUBLE>) END)",
    "SKY_RING": "awe_shape_checked(CAST(array({*}) AS ARRAY<DOUBLE>))",
    "SKY_BOX": "awe_shape_box(CAST({0} AS DOUBLE), CAST({1} AS DOUBLE), CAST({2} AS DOUBLE), CAST({3} AS DOUBLE))",
    "SKY_CONSTANT": "from_json({0}, 'ARRAY<DOUBLE>')",
    "SKY_READ": "awe_shape_read({0})",
    "SKY_NUMBER": "try_element_at({0}, CAST({1} AS INT))",
    "SKY_MEET": f"awe_shape_meet({_LIST % 0}, {_LIST % 1})",
    "SKY_WITHIN": f"awe_shape_within({_LIST % 0}, {_LIST % 1})",
    "SKY_AREA": f"awe_shape_area({_LIST % 0})",
    "SKY_CENTROID": f"awe_shape_centroid({_LIST % 0})",
    "SKY_FRAME": "(CASE WHEN {0} IS NOT NULL THEN 'ICRS' END)",
    "SKY_PERHAPS": "coalesce({0}, TRUE)",
    "SKY_ROOM": "(CASE WHEN {0} >= 180 THEN 180 ELSE {0} - {1} END)",
    "SKY_TO_POINT": _TO_SHAPE % ("size({1}) = 2", "POINT"),
    "SKY_TO_CIRCLE": _TO_SHAPE % ("size({1}) = 3", "CIRCLE"),
    "SKY_TO_POLYGON": _TO_SHAPE % ("size({1}) >= 6", "POLYGON"),
    "SKY_CELL": cube(_WHOLE_BELOW),
    "SKY_CELLS": f"array_distinct(array({corners(_WHOLE_BELOW)}))",
    "TIME_TEXT": "replace(CAST({0} AS STRING), ' ', 'T')",
    "SKY_RANGES": "({ranges})",

    "IVO_TO_JD": "(unix_micros(try_cast({0} AS TIMESTAMP)) / 86400e6D + 2440587.5D)",
    "IVO_TO_MJD": "(unix_micros(try_cast({0} AS TIMESTAMP)) / 86400e6D + 40587D)",
    "IVO_NOCASEMATCH": r"CAST(lower({0}) LIKE lower({1}) ESCAPE '\u0000' AS INT)",
    "IVO_HASWORD": f"CAST(size(array_except({_TOKENS % 1}, {_TOKENS % 0})) = 0 AS INT)",
    "IVO_HASHLIST_HAS": "CAST(array_contains(split(lower({0}), '#'), lower({1})) AS INT)",
    "IVO_HISTOGRAM": _HISTOGRAM,
    "IVO_NORMAL_RANDOM": "({0} + {1} * sqrt(-2 * ln(1 - rand())) * cos(2 * pi() * rand()))",
    "IVO_INTERVAL_OVERLAPS": "CAST({0} <= {1} AND {2} <= {3} AND {0} <= {3} AND {2} <= {1} AS INT)",
    "IVO_HMS_TO_DEGREES": _sexagesimal(r"(\\d{1,2})", "()", "h", 24, 15.0),
    "IVO_DMS_TO_DEGREES": _sexagesimal(r"(\\d{1,3})", "([+-]?)", "d", 360, 1.0),
    "GAVO_MATCH": "CAST(awe_matches({1}, {0}) AS INT)",
    "HEALPIX_CELL": "awe_healpix_index(try_cast({0} AS INT), CAST({1} AS DOUBLE), CAST({2} AS DOUBLE))",
    "HEALPIX_ANCESTOR": f"(CASE WHEN {_FINITE % '{1}'} THEN shiftright({{0}}, CAST({{2}} AS INT)) END)",
    "HEALPIX_MIDDLE": "awe_healpix_center(try_cast({0} AS INT), CAST({1} AS BIGINT))",
    "STATE_AT": "awe_propagate(" + ", ".join(f"CAST({{{i}}} AS DOUBLE)" for i in range(7)) + ")",
    "ELEMENT": "try_element_at({0}, CAST({1} AS INT))",
    "SKY_LONGITUDE": "(degrees(atan2({1}, {0})) + CASE WHEN {1} < 0 THEN 360 ELSE 0 END)",
    "SKY_LATITUDE": "degrees(atan2({2}, sqrt({0} * {0} + {1} * {1})))",
}
# fmt: on

SPARK: Mapping[str, tuple[str, ...]] = {
    name: (said,) if isinstance(said, str) else said for name, said in _TEMPLATES.items()
}
