"""Circles on an image in the gnomonic projection, exactly and without a sample of their outline.

That projection takes great circles to straight lines: it is a linear map of unit vectors, followed by a division
(Calabretta & Greisen 2002, section 5.1.3). A line of pixels ``x = const`` is a plane through the origin, and it touches
the circle where the plane does, which is a quadratic equation in x.
"""

import math
from dataclasses import dataclass

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray

from awe.core.sky import Circle, unit_vector

__all__ = ["Gnomonic"]

Floats = NDArray[np.float64]
_Vector = tuple[float, float, float]

_NEAR = 0.7
"""Cosine of how far from the tangent point a circle may reach: 45 degrees, where lengths have doubled."""


@dataclass(frozen=True, slots=True)
class Gnomonic:
    """The linear map from ICRS unit vectors to pixels counted from zero: ``(x w, y w, w)``."""

    x: _Vector
    y: _Vector
    w: _Vector

    @classmethod
    def of(cls, wcs: WCS) -> "Gnomonic":
        """Return the map of a header in that projection, as far as CRVAL, CRPIX, LONPOLE and the matrix tell it."""
        lon, lat = wcs.wcs.lng, wcs.wcs.lat
        ra, dec = float(wcs.wcs.crval[lon]), float(wcs.wcs.crval[lat])
        a, d = math.radians(ra), math.radians(dec)
        east = np.array([-math.sin(a), math.cos(a), 0.0])
        north = np.array([-math.sin(d) * math.cos(a), -math.sin(d) * math.sin(a), math.cos(d)])
        turn = math.radians(float(wcs.wcs.lonpole) - 180.0)
        plane = np.empty((2, 3))
        plane[lon] = np.degrees(math.cos(turn) * east - math.sin(turn) * north)
        plane[lat] = np.degrees(math.cos(turn) * north + math.sin(turn) * east)
        ahead = unit_vector(ra, dec)
        x, y = np.linalg.inv(wcs.pixel_scale_matrix) @ plane + np.outer(wcs.wcs.crpix - 1.0, ahead)
        return cls(_vector(x), _vector(y), _vector(ahead))

    def to_pixel(self, ra: Floats, dec: Floats) -> tuple[Floats, Floats]:
        """Return the pixels of ICRS positions (degrees); NaN behind the plane."""
        x, y, w = np.array([self.x, self.y, self.w]) @ unit_vector(ra, dec).T
        w = np.where(w > 0, w, np.nan)
        return x / w, y / w

    def extent(self, circle: Circle) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """Return the lowest and highest x, and y, of a circle; None where it reaches far from the tangent point."""
        lon, lat, radius = math.radians(circle.ra), math.radians(circle.dec), math.radians(circle.radius)
        centre = (math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat))
        ahead = _dot(self.w, centre)
        if ahead <= 0 or math.cos(min(math.acos(min(1.0, ahead)) + radius, math.pi)) < _NEAR:
            return None
        sine = math.sin(radius)
        return self._side(self.x, centre, ahead, sine), self._side(self.y, centre, ahead, sine)

    def _side(self, axis: _Vector, centre: _Vector, ahead: float, sine: float) -> tuple[float, float]:
        along, mixed, length = _dot(axis, centre), _dot(axis, self.w), _dot(axis, axis)
        square = sine * sine
        below = ahead * ahead - square
        root = ahead * ahead * length + along * along - 2 * along * ahead * mixed
        root -= square * (length - mixed * mixed)
        middle = (along * ahead - square * mixed) / below
        half = sine * math.sqrt(max(0.0, root)) / below
        return middle - half, middle + half


def _vector(values: Floats) -> _Vector:
    return float(values[0]), float(values[1]), float(values[2])


def _dot(a: _Vector, b: _Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
