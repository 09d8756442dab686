"""Angles as people type them: ``2 arcmin``, ``30"``, ``0.1``."""

import re

from awe.errors import ParameterError

__all__ = ["angle_deg"]

_ANGLE = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\s\d]*)\s*")
_UNITS = {
    "": 1.0, "deg": 1.0, "degree": 1.0, "degrees": 1.0, "°": 1.0, "d": 1.0,
    "arcmin": 60.0, "arcminute": 60.0, "arcminutes": 60.0, "'": 60.0, "′": 60.0, "m": 60.0,
    "arcsec": 3600.0, "arcsecond": 3600.0, "arcseconds": 3600.0, '"': 3600.0, "″": 3600.0, "s": 3600.0,
}  # fmt: skip


def angle_deg(name: str, given: str) -> float:
    """Return a radius in degrees.

    Raises
    ------
    ParameterError
        If it is not a number with a known unit, or not between 0 and 180 degrees.
    """
    found = _ANGLE.fullmatch(given)
    hint = "for example 2 arcmin, 30 arcsec, 0.1 deg"
    if not found or found[2].lower() not in _UNITS:
        raise ParameterError(name, given, "is not an angle", hint=hint)
    degrees = float(found[1]) / _UNITS[found[2].lower()]
    if not 0.0 <= degrees <= 180.0:
        raise ParameterError(name, given, "must lie between 0 and 180 degrees", hint=hint)
    return degrees
