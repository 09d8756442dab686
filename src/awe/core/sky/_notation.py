"""Regions from text: the DALI shapes of POS, CIRCLE and POLYGON parameters, and STC-S.

Keywords are read in any case, numbers may be separated by blanks or commas.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence

from awe.core.sky._box import Box
from awe.core.sky._polygon import Polygon
from awe.core.sky._range import Range
from awe.core.sky._region import Circle, Region
from awe.core.sky._shapes import numbers_of, shape_of
from awe.errors import PositionError

__all__ = ["parse_circle", "parse_dali", "parse_polygon", "parse_shape", "parse_stcs"]


def parse_dali(text: str) -> Region:
    """Read the value of a POS parameter: ``CIRCLE``, ``RANGE`` or ``POLYGON`` and its numbers.

    SIA 2.0 section 2.1.1 and SODA 1.0 section 3.3.1; degrees, ICRS. Infinite limits are allowed in
    RANGE only.

    Raises
    ------
    PositionError
        The text is not such a region, or the region is not on the sky.
    """
    words = _words(text)
    shape = words[0].upper() if words else ""
    if shape not in _DALI:
        raise PositionError(
            f"{text!r} is not a region: it starts with none of {', '.join(_DALI)}",
            hint=_EXAMPLE,
            region=text,
        )
    return _DALI[shape](_numbers(words[1:], text, infinite=shape == "RANGE"), text)


def parse_circle(text: str) -> Circle:
    """Read the value of a CIRCLE parameter, ``ra dec radius`` (DALI 1.1 section 3.3.6).

    Raises
    ------
    PositionError
        The text is not three numbers, or they are no circle on the sky.
    """
    return _circle(_numbers(_words(text), text), text)


def parse_polygon(text: str) -> Polygon:
    """Read the value of a POLYGON parameter, ``ra1 dec1 ra2 dec2 ...`` (DALI 1.1 section 3.3.7).

    Raises
    ------
    PositionError
        The text is not at least three pairs of numbers, or they are no polygon on the sky.
    """
    return _polygon(_numbers(_words(text), text), text)


def parse_stcs(text: str) -> Region:
    """Read a region in STC-S (TAP 1.0 section 6): ``Circle ICRS 10 20 0.5`` and the like.

    Offered are Circle, Polygon, Box, PositionInterval, Position (a circle of radius 0) and AllSky.
    The frame may be left out; ICRS and its equals within 0.03 arcsec, FK5 and J2000, are taken as
    ICRS. A reference position and the flavour SPHERICAL2 are skipped.

    Raises
    ------
    PositionError
        The text is not such a region, names another frame, or the region is not on the sky.
    """
    shape, words = _stcs_words(text, _STCS)
    return _STCS[shape](_numbers(words, text), text)


def parse_shape(text: str) -> list[float]:
    """Read a shape in any notation, as the numbers of `awe.core.sky.Shapes`.

    They are STC-S, with POINT for Position too, DALI's ``shape`` (DALI 1.2 section 3.3.12), and numbers
    alone as DALI writes points, circles and polygons. Right ascensions may be any.

    Raises
    ------
    PositionError
        The text is no such shape, names another frame, or the shape is not on the sky.
    """
    words = _words(text)
    first = words[0].upper() if words else ""
    if not first[:1].isalpha():
        return _checked_shape(_numbers(words, text), text)
    if first == "RANGE":
        return numbers_of(parse_dali(text))
    shape, words = _stcs_words(text, {**_STCS, "POINT": _position})
    values = _numbers(words, text)
    if shape in {"POSITION", "POINT"}:
        _count(values, 2, text, "ra dec")
    elif shape == "CIRCLE":
        _count(values, 3, text, "ra dec radius")
    elif shape == "BOX":
        _count(values, 4, text, "ra dec width height")
        return numbers_of(Box(values[0] % 360, *values[1:]))
    elif shape != "POLYGON":
        return numbers_of(_STCS[shape](values, text))
    elif len(values) < 6:
        raise PositionError(f"{text!r} has {len(values)} numbers; a polygon has six and more", region=text)
    return _checked_shape(values, text)


def _checked_shape(values: list[float], text: str) -> list[float]:
    if len(values) < 2 or (len(values) > 4 and len(values) % 2):
        raise PositionError(f"{text!r} has {len(values)} numbers, as no shape has", region=text)
    shape_of(values)
    return values


def _stcs_words(text: str, shapes: Mapping[str, object]) -> tuple[str, list[str]]:
    """Return the kind of an STC-S region and the words behind its frame."""
    words = _words(text)
    shape = words.pop(0).upper() if words else ""
    if shape not in shapes:
        raise PositionError(
            f"{text!r} is not an STC-S region: it starts with none of {', '.join(shapes)}",
            hint="for example: Circle ICRS 187.7 12.4 0.1",
            region=text,
        )
    if words and words[0].upper() in _OTHER_FRAMES:
        raise PositionError(
            f"the frame {words[0]} of {text!r} is not offered",
            hint="give the region in ICRS",
            region=text,
        )
    while words and words[0].upper() in _SKIPPED:
        words.pop(0)
    return shape, words


def _words(text: str) -> list[str]:
    return re.split(r"[\s,]+", text.strip()) if text.strip() else []


def _numbers(words: Sequence[str], text: str, *, infinite: bool = False) -> list[float]:
    found = []
    for word in words:
        try:
            value = float(word.replace("_", "?"))  # 18_7 is a number of Python's, not of an astronomer's
        except ValueError:
            raise PositionError(f"{word!r} in {text!r} is not a number", region=text) from None
        if not (math.isfinite(value) or (infinite and math.isinf(value))):
            raise PositionError(f"{word!r} in {text!r} is not finite", region=text)
        found.append(value)
    return found


def _count(values: Sequence[float], wanted: int, text: str, meaning: str) -> None:
    if len(values) != wanted:
        raise PositionError(
            f"{text!r} has {len(values)} numbers where {wanted} are needed: {meaning}", region=text
        )


def _circle(values: Sequence[float], text: str) -> Circle:
    _count(values, 3, text, "ra dec radius")
    return Circle(*values)


def _range(values: Sequence[float], text: str) -> Range:
    _count(values, 4, text, "ra_min ra_max dec_min dec_max")
    return Range(*values)


def _polygon(values: Sequence[float], text: str) -> Polygon:
    if len(values) % 2:
        raise PositionError(
            f"{text!r} has {len(values)} numbers; a polygon needs pairs: ra1 dec1 ra2 dec2 ...", region=text
        )
    return Polygon(tuple(zip(values[::2], values[1::2], strict=True)))


def _box(values: Sequence[float], text: str) -> Box:
    _count(values, 4, text, "ra dec width height")
    return Box(*values)


def _interval(values: Sequence[float], text: str) -> Range:
    _count(values, 4, text, "ra_min dec_min ra_max dec_max")
    ra_min, dec_min, ra_max, dec_max = values
    return Range(ra_min, ra_max, dec_min, dec_max)


def _position(values: Sequence[float], text: str) -> Circle:
    _count(values, 2, text, "ra dec")
    ra, dec = values
    return Circle(ra, dec, 0)


def _all_sky(values: Sequence[float], text: str) -> Range:
    _count(values, 0, text, "nothing")
    return Range(0, 360, -90, 90)


_Reader = Callable[[Sequence[float], str], Region]
_DALI: dict[str, _Reader] = {"CIRCLE": _circle, "RANGE": _range, "POLYGON": _polygon}
_STCS: dict[str, _Reader] = {
    "CIRCLE": _circle,
    "POLYGON": _polygon,
    "BOX": _box,
    "POSITIONINTERVAL": _interval,
    "POSITION": _position,
    "ALLSKY": _all_sky,
}
_SKIPPED = {
    *("ICRS", "FK5", "J2000", "UNKNOWNFRAME"),
    *("UNKNOWNREFPOS", "BARYCENTER", "GEOCENTER", "HELIOCENTER", "TOPOCENTER", "LSR", "SPHERICAL2"),
}
_OTHER_FRAMES = {"FK4", "B1950", "GALACTIC", "GALACTIC_I", "GALACTIC_II", "SUPER_GALACTIC", "ECLIPTIC"}
_EXAMPLE = "for example: CIRCLE 187.7 12.4 0.1, RANGE 187 188 12 13, POLYGON 187 12 188 12 188 13"
