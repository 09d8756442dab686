"""Positions as astronomers type them: decimal degrees or sexagesimal, with or without letters.

Names of objects are not resolved here: that needs a service.
"""

import re

from awe.core.sky._angles import checked_position
from awe.errors import PositionError

__all__ = ["parse_position"]

_HINT = "for example: 187.7059 12.3911, 12:30:49.4 +12:23:28, or 12h30m49.4s +12d23m28s"

# Typographic signs, and the marks of minutes and seconds, as the letters they stand for.
_LOOK_ALIKES = str.maketrans({"−": "-", "–": "-", "°": "d", "º": "d", "′": "m", "'": "m", "″": "s", '"': "s"})
_LABEL = re.compile(r"\b(?:ra|dec|de|icrs|j2000(?:\.0)?|fk5|deg)\b\s*[:=]?")
# What is rewritten, in this order, so that each coordinate becomes one word.
_REWRITES = (
    (_LABEL, " "),
    (re.compile(r"[,;()]"), " "),
    (re.compile(r"(?<![.\d])(\d+[hdm:])\s+(?=\d)"), r"\1"),
    (re.compile(r"\s+(?=[hdms:])"), ""),
    (re.compile(r"(?<=[\ddms.])\s*(?=[+-])"), " "),
    (re.compile(r"s\s*(?=\d)"), "s "),
    (re.compile(r"([+-])\s+(?=[\d.])"), r"\1"),
)
_ANGLE = re.compile(
    r"(?P<sign>[+-]?)(?P<whole>(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)"
    r"(?:(?P<unit>[hd:])(?:(?P<minutes>\d+\.?\d*)(?:[m:](?:(?P<seconds>\d+\.?\d*)s?)?)?)?)?"
)


def parse_position(text: str) -> tuple[float, float]:
    """Read a position and return ICRS right ascension and declination in degrees.

    Two plain numbers are degrees. Sexagesimal right ascension is in hours (``12:30:49.4``,
    ``12 30 49.4``, ``12h30m49.4s``) unless its letter says degrees (``187d42m21s``, ``187°42′21″``). A
    comma or blanks separate the two; labels such as ``RA``, ``Dec``, ``ICRS`` and ``J2000`` are skipped.

    Raises
    ------
    PositionError
        The text is not a position, or the position is not on the sky.
    """
    words = _coordinates(text)
    found = [_ANGLE.fullmatch(word) for word in words]
    if len(found) != 2 or found[0] is None or found[1] is None:
        raise PositionError(
            f"{text!r} is not a position",
            hint=_HINT,
            position=text,
        )
    ra, dec = found[0], found[1]
    if dec["unit"] == "h":
        raise PositionError(f"{text!r} gives the declination in hours", hint=_HINT, position=text)
    if ra["unit"] is None and dec["unit"] is not None:
        raise PositionError(
            f"{text!r} does not say whether its right ascension is in hours or degrees",
            hint=_HINT,
            position=text,
        )
    return checked_position(_degrees(ra, text) * (15 if ra["unit"] in ("h", ":") else 1), _degrees(dec, text))


def _coordinates(text: str) -> list[str]:
    plain = text.translate(_LOOK_ALIKES).lower().strip()
    for pattern, replacement in _REWRITES:
        plain = pattern.sub(replacement, plain)
    words = plain.split()
    half = len(words) // 2
    if len(words) in (4, 6):
        # Sexagesimal with blanks: 12 30 49.4 +12 23 28.
        return [":".join(words[:half]), ":".join(words[half:])]
    return words


def _degrees(angle: re.Match[str], text: str) -> float:
    """Return the value of an angle in its own unit, degrees or hours."""
    whole, minutes, seconds = angle["whole"], angle["minutes"], angle["seconds"]
    for fraction, finer in ((whole, minutes), (minutes, seconds)):
        if finer is not None and not fraction.isdigit():
            raise PositionError(f"{fraction!r} in {text!r} is followed by a finer part", position=text)
    for name, value in (("minutes", minutes), ("seconds", seconds)):
        if value is not None and float(value) >= 60:
            raise PositionError(f"{value} {name} in {text!r}: there are 60", position=text)
    value = float(whole)
    if minutes is not None:
        value = (value * 3600 + float(minutes) * 60 + float(seconds or 0)) / 3600
    return -value if angle["sign"] == "-" else value
