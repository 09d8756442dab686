"""ADQL's user-defined functions: rows of the function table.

They are those of the IVOA's *Catalogue of ADQL User Defined Functions* 1.2 (EN 2024-11-07), under its
names, and under the older names that services of the GAVO gave them; `_epoch_prop` and `_apply_pm` come
from those services. ``rules.derived`` says what the `DERIVED` ones mean.

A value is NULL where the catalogue wants an error because of a row's values: engines evaluate rows in any
order, so that one row could spoil the answer of all others. Constants are checked when a query is compiled.
"""

from awe.core.sql._function import AGGREGATE, DERIVED, row

__all__ = ["MAX_BINS", "USER_DEFINED"]

MAX_BINS = 100_000
"""Bins of a histogram."""

_SIX = (
    "(ra DOUBLE PRECISION, dec DOUBLE PRECISION, parallax DOUBLE PRECISION, pmra DOUBLE PRECISION,"
    " pmdec DOUBLE PRECISION, radial_velocity DOUBLE PRECISION, ref_epoch DOUBLE PRECISION,"
    " out_epoch DOUBLE PRECISION)"
)
_TOKENS = r"regexp_extract_all(lower({%d}), '[\pL\pN]+')"
_BIN = (
    "CASE WHEN {0} >= {2} AND NOT isnan({0}) THEN {3} + 1 WHEN {0} >= {1} AND NOT isnan({0})"
    " THEN CAST(least(floor(({0} - {1}) / (({2} - {1}) / {3})) + 1, {3}) AS INTEGER) ELSE 0 END"
)
_HISTOGRAM = (
    f"(list_transform([{{'bins': histogram({_BIN})}}], lambda _h: list_transform(range(0, {{3}} + 2),"
    " lambda _i: CAST(coalesce(_h.bins[CAST(_i AS INTEGER)], 0) AS BIGINT)))[1])"
)


def _sexagesimal(whole: str, sign: str, letter: str, most: int, factor: float) -> str:
    """Return the template of a sexagesimal text as degrees; NULL where it is none.

    Parameters
    ----------
    whole, sign
        Patterns of the hours or degrees as they stand before a sign, and of the sign.
    letter
        What stands behind hours or degrees.
    most
        The largest whole number of them.
    factor
        Degrees in one of them.
    """
    number = r"(\d{1,2})"
    seconds = r"(\d{1,2}(?:\.\d*)?)"
    patterns = (
        rf"^{sign}{whole}:{number}:{seconds}$",
        rf"^{sign}{whole}{letter}\s*{number}m\s*{seconds}s$",
        rf"^{sign}(\d\d)(\d\d)(\d\d(?:\.\d*)?)$",
    )
    read = ", ".join(
        f"nullif(regexp_extract(lower(trim({{0}})), '{pattern}', ['p', 'w', 'm', 's']), "
        "{'p': '', 'w': '', 'm': '', 's': ''})"
        for pattern in patterns
    )
    value = f"(CAST(_t.w AS DOUBLE) + CAST(_t.m AS DOUBLE) / 60 + CAST(_t.s AS DOUBLE) / 3600) * {factor!r}"
    good = f"CAST(_t.w AS INTEGER) <= {most} AND CAST(_t.m AS INTEGER) < 60 AND CAST(_t.s AS DOUBLE) < 60"
    return (
        f"(list_transform([coalesce({read})], lambda _t: CASE WHEN {good}"
        f" THEN CASE WHEN _t.p = '-' THEN - {value} ELSE {value} END END)[1])"
    )


# fmt: off
_CATALOGUE = (
    row("IVO_HEALPIX_INDEX", "integer number number", "bigint", "",
        "The nested HEALPix cell of an order (0 to 29) that a position is in: order, longitude, latitude (deg).",
        only="adql", kind=DERIVED,
        signature="(hpxOrder INTEGER, long DOUBLE PRECISION, lat DOUBLE PRECISION) -> BIGINT"),
    row("IVO_HEALPIX_INDEX_OF", "integer point", "bigint", "",
        "The nested HEALPix cell of an order (0 to 29) that a POINT is in.", adql="IVO_HEALPIX_INDEX",
        kind=DERIVED, signature="(hpxOrder INTEGER, point POINT) -> BIGINT"),
    row("IVO_HEALPIX_CENTER", "integer integer", "point", "",
        "The centre of a nested HEALPix cell: order, index.", only="adql", kind=DERIVED,
        signature="(hpxOrder INTEGER, hpxIndex BIGINT) -> POINT"),
    row("IVO_EPOCH_PROP", "number number number number number number number number", "doubles", "",
        "Position, parallax (mas), proper motions (mas/yr) and radial velocity (km/s) at another epoch, as six "
        "numbers. Straight motion in space; NULL: no motion, infinitely remote.", only="adql", kind=DERIVED,
        signature=f"{_SIX} -> DOUBLE PRECISION[6]"),
    row("IVO_EPOCH_PROP_POS", "number number number number number number number number", "point", "",
        "The position at another epoch, of: ra, dec (deg), parallax (mas), pmra, pmdec (mas/yr), radial velocity "
        "(km/s), epoch of these, epoch wanted (Julian years). Straight motion in space.", only="adql",
        kind=DERIVED, signature=f"{_SIX} -> POINT"),
    row("IVO_APPLY_PM", "number number number number number", "point", "",
        "The position after some years, of: ra, dec (deg), pmra, pmdec (deg/yr), years.",
        adql="IVO_APPLY_PM GAVO_APPLY_PM", kind=DERIVED,
        signature="(ra DOUBLE PRECISION, dec DOUBLE PRECISION, pmra DOUBLE PRECISION, pmdec DOUBLE PRECISION,"
        " epdist DOUBLE PRECISION) -> POINT"),
    row("IVO_GEOM_TRANSFORM", "literal literal any", "last", "",
        "A POINT, CIRCLE or POLYGON in another frame: from, to, shape. Frames: ICRS, FK5, FK4, GALACTIC, "
        "SUPER_GALACTIC, ECLIPTIC.", adql="IVO_GEOM_TRANSFORM GAVO_TRANSFORM", kind=DERIVED,
        signature="(from_sys TEXT, to_sys TEXT, geo GEOMETRY) -> GEOMETRY"),
    row("IVO_SIMBADPOINT", "literal", "point", "",
        "The position of a named object, such as 'M87', as the service's own table of names has it.",
        adql="IVO_SIMBADPOINT GAVO_SIMBADPOINT", kind=DERIVED, signature="(identifier TEXT) -> POINT"),
    row("IVO_TO_JD", "time", "double", "(epoch_us(TRY_CAST({0} AS TIMESTAMP)) / 86400e6 + 2440587.5e0)",
        "The Julian date of a time; scales and zones are not considered.", adql="IVO_TO_JD GAVO_TO_JD", unit="d",
        signature="(d TIMESTAMP) -> DOUBLE PRECISION"),
    row("IVO_TO_MJD", "time", "double", "(epoch_us(TRY_CAST({0} AS TIMESTAMP)) / 86400e6 + 40587e0)",
        "The modified Julian date of a time; scales and zones are not considered.",
        adql="IVO_TO_MJD GAVO_TO_MJD", unit="d", signature="(d TIMESTAMP) -> DOUBLE PRECISION"),
    row("IVO_NOCASEMATCH", "text text", "integer", "CAST(lower({0}) LIKE lower({1}) AS INTEGER)",
        "1 where a text matches a LIKE pattern ignoring case, else 0.", only="adql",
        signature="(value TEXT, pattern TEXT) -> INTEGER"),
    row("IVO_HASWORD", "text text", "integer",
        f"CAST(list_has_all({_TOKENS % 0}, {_TOKENS % 1}) AS INTEGER)",
        "1 where a text (the first) has all words of another, ignoring case, else 0.",
        adql="IVO_HASWORD GAVO_HASWORD", signature="(haystack TEXT, needle TEXT) -> INTEGER"),
    row("IVO_HASHLIST_HAS", "text text", "integer",
        "CAST(list_contains(string_split(lower({0}), '#'), lower({1})) AS INTEGER)",
        "1 where a hash-separated list has an element, ignoring case, else 0.", only="adql",
        signature="(hashlist TEXT, item TEXT) -> INTEGER"),
    row("IVO_HISTOGRAM", "number number number whole", "counts", _HISTOGRAM,
        "How many values lie below a lower limit (or are NULL), in each of n bins, and at or above the upper "
        "limit: value, lower, upper, n.", adql="IVO_HISTOGRAM GAVO_HISTOGRAM", kind=AGGREGATE,
        signature="(val DOUBLE PRECISION, lower DOUBLE PRECISION, upper DOUBLE PRECISION, nbins INTEGER)"
        " -> BIGINT[]"),
    row("IVO_NORMAL_RANDOM", "number number", "double",
        "({0} + {1} * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()))",
        "A random number of a normal distribution, another one for each row: mean, standard deviation.",
        adql="IVO_NORMAL_RANDOM GAVO_NORMAL_RANDOM GAVO_RANDOM_NORMAL",
        signature="(mu DOUBLE PRECISION, sigma DOUBLE PRECISION) -> DOUBLE PRECISION"),
    row("IVO_INTERVAL_OVERLAPS", "number number number number", "integer",
        "CAST({0} <= {1} AND {2} <= {3} AND {0} <= {3} AND {2} <= {1} AS INTEGER)",
        "1 where two intervals, limits included, have a point in common, else 0: low, high, low, high.",
        only="adql", signature="(a1 NUMERIC, b1 NUMERIC, a2 NUMERIC, b2 NUMERIC) -> INTEGER"),
    row("IVO_HMS_TO_DEGREES", "text", "double", _sexagesimal(r"(\d{1,2})", "()", "h", 24, 15.0),
        "Degrees of hours, minutes, seconds: '3:34:45.4', '3h34m45.4s' or '033445.4'; NULL of anything else.",
        only="adql", unit="deg", signature="(hms TEXT) -> DOUBLE PRECISION"),
    row("IVO_DMS_TO_DEGREES", "text", "double", _sexagesimal(r"(\d{1,3})", "([+-]?)", "d", 360, 1.0),
        "Degrees of degrees, minutes, seconds: '-42:9:6.8', '-42d9m6.8s' or '-420906.8'; NULL of anything else.",
        only="adql", unit="deg", signature="(dms TEXT) -> DOUBLE PRECISION"),
)

_GAVO = (
    row("GAVO_MATCH", "literal text", "integer", "CAST(regexp_matches({1}, {0}) AS INTEGER)",
        "1 where a regular expression (the first) matches anything in a text, else 0.", only="adql",
        signature="(pattern TEXT, string TEXT) -> INTEGER"),
    row("GAVO_SPECCONV", "number literal", "double", "",
        "A wavelength, frequency or energy in another unit, as the column's own unit says.", only="adql",
        unit="named", kind=DERIVED, signature="(expr DOUBLE PRECISION, dest_unit TEXT) -> DOUBLE PRECISION"),
    row("GAVO_SPECCONV_FROM", "number literal literal", "double", "",
        "A wavelength, frequency or energy given in a unit, in another unit.", adql="GAVO_SPECCONV",
        unit="named", kind=DERIVED,
        signature="(expr DOUBLE PRECISION, expr_unit TEXT, dest_unit TEXT) -> DOUBLE PRECISION"),
)

# Written by ``rules.derived`` only: no dialect spells them.
_COMPILED = (
    row("HEALPIX_CELL", "number number number", "bigint",
        "awe_healpix_index(TRY_CAST({0} AS INTEGER), CAST({1} AS DOUBLE), CAST({2} AS DOUBLE))",
        "The nested cell of ra, dec at an order.", only=""),
    row("HEALPIX_ANCESTOR", "number number number", "bigint",
        "(CASE WHEN isfinite({1}) THEN {0} >> {2} END)",
        "A nested cell, of a longitude that is not NULL, so many bits coarser.", only=""),
    row("HEALPIX_MIDDLE", "number number", "doubles",
        "awe_healpix_center(TRY_CAST({0} AS INTEGER), CAST({1} AS BIGINT))", "The centre of a nested cell.", only=""),
    row("STATE_AT", "number number number number number number number", "doubles",
        "awe_propagate({*})", "The six parameters of a star, some years later.", only=""),
    row("ELEMENT", "array number", "double", "({0}[{1}])", "An element of an array, counted from one.", only=""),
    row("SKY_LONGITUDE", "number number", "double",
        "(degrees(atan2({1}, {0})) + CASE WHEN {1} < 0 THEN 360 ELSE 0 END)",
        "The longitude, 0 to 360, of a vector x, y.", only="", unit="deg"),
    row("SKY_LATITUDE", "number number number", "double", "degrees(atan2({2}, sqrt({0} * {0} + {1} * {1})))",
        "The latitude of a vector x, y, z.", only="", unit="deg"),
)
# fmt: on

USER_DEFINED = _CATALOGUE + _GAVO + _COMPILED
