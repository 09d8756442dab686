"""Directions on the celestial sphere: degrees in, unit vectors and great-circle angles out.

Words: a *position* is ICRS right ascension and declination in degrees; a *vector* is the unit vector
``(cos δ cos α, cos δ sin α, sin δ)``. Arrays of vectors have shape ``(..., 3)``. This module knows no
regions and no pixels.
"""

import math

import numpy as np
import numpy.typing as npt

from awe.errors import PositionError

__all__ = [
    "ON_EDGE",
    "BoolArray",
    "FloatArray",
    "checked_position",
    "chord_angle",
    "half_chord_squared",
    "lonlat",
    "normal",
    "separation",
    "unit_vector",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

ON_EDGE = 2e-15
"""Radians (4e-10 arcsec), about the rounding of a unit vector: what is so close to an edge is on it."""


def checked_position(ra: float, dec: float) -> tuple[float, float]:
    """Return ``(ra, dec)`` as floats, 360 read as 0.

    Raises
    ------
    PositionError
        A coordinate is not finite, the right ascension is outside [0, 360] or the declination is
        outside [-90, 90] degrees.
    """
    ra, dec = float(ra), float(dec)
    if not (math.isfinite(ra) and math.isfinite(dec)):
        raise PositionError(f"the position {ra:g} {dec:g} is not finite", ra=str(ra), dec=str(dec))
    if not 0 <= ra <= 360:
        raise PositionError(
            f"the right ascension {ra!r} is outside 0..360 degrees",
            hint=f"write {ra % 360:.10g}",
            ra=ra,
        )
    if not -90 <= dec <= 90:
        raise PositionError(
            f"the declination {dec!r} is outside -90..90 degrees",
            hint="positions are right ascension, then declination",
            dec=dec,
        )
    return (0.0 if ra == 360 else ra), dec


def unit_vector(ra: npt.ArrayLike, dec: npt.ArrayLike) -> FloatArray:
    """Return the unit vectors, shape ``(..., 3)``, of positions in degrees."""
    lon, lat = np.radians(ra), np.radians(dec)
    cos_lat = np.cos(lat)
    return np.stack(np.broadcast_arrays(cos_lat * np.cos(lon), cos_lat * np.sin(lon), np.sin(lat)), axis=-1)


def lonlat(vector: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return right ascension in [0, 360) and declination, in degrees, of vectors of any length."""
    x, y, z = vector[..., 0], vector[..., 1], vector[..., 2]
    ra = np.degrees(np.arctan2(y, x)) % 360
    # A tiny negative angle rounds up to 360 in the remainder.
    return np.where(ra == 360, 0.0, ra), np.degrees(np.arctan2(z, np.hypot(x, y)))


def half_chord_squared(
    ra1: npt.ArrayLike, dec1: npt.ArrayLike, ra2: npt.ArrayLike, dec2: npt.ArrayLike
) -> FloatArray:
    """Return sin²(d/2) of the separation d: sin²(Δδ/2) + cos δ1 cos δ2 sin²(Δα/2), the haversine.

    It grows with d over the whole range 0..180 degrees and keeps its relative precision for the
    smallest separations, so a cone is ``half_chord_squared(...) <= sin²(radius/2)``.
    """
    dec1, dec2 = np.asarray(dec1, float), np.asarray(dec2, float)
    sin_dec = np.sin(np.radians(dec2 - dec1) / 2)
    sin_ra = np.sin(np.radians(np.subtract(ra2, ra1)) / 2)
    found: FloatArray = sin_dec**2 + np.cos(np.radians(dec1)) * np.cos(np.radians(dec2)) * sin_ra**2
    return found


def separation(
    ra1: npt.ArrayLike, dec1: npt.ArrayLike, ra2: npt.ArrayLike, dec2: npt.ArrayLike
) -> FloatArray:
    """Return the angle between positions, in degrees; all arguments in degrees, broadcast.

    Uses arctan2 of the half chords, precise to rounding from identical to antipodal positions
    (the special case of Vincenty's formula for the sphere has the same property). Positions that
    are not finite give NaN.
    """
    near = half_chord_squared(ra1, dec1, ra2, dec2)
    # The half chord to the antipode is the cosine of the same half angle, precise near 180 degrees.
    far = half_chord_squared(ra1, dec1, np.add(ra2, 180), np.negative(dec2))
    found: FloatArray = np.degrees(2 * np.arctan2(np.sqrt(near), np.sqrt(far)))
    return found


def chord_angle(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the angle in radians between unit vectors, precise for small angles."""
    chord = np.linalg.norm(a - b, axis=-1)
    found: FloatArray = 2 * np.arctan2(chord, np.linalg.norm(a + b, axis=-1))
    return found


def normal(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the unit vector along a × b, precise for directions very close to each other.

    (a - b) × (a + b) = 2 a × b, and the difference of two close vectors has no rounding error. Equal
    directions give the zero vector.
    """
    cross = np.cross(a - b, a + b)
    length = np.linalg.norm(cross, axis=-1, keepdims=True)
    found: FloatArray = cross / np.where(length == 0, 1.0, length)
    return found
