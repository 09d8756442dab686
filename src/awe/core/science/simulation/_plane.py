"""The tangent plane: arcseconds east and north of a centre, to and from the sky.

The gnomonic projection of Calabretta & Greisen 2002 (A&A 395, 1077), section 5.1.3.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["to_plane", "to_sky"]

Floats = NDArray[np.float64]
_ARCSEC = np.pi / 648000


def to_sky(east: Floats, north: Floats, centre: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return right ascension and declination (deg) of places on the plane touching `centre` (deg)."""
    x, y = np.asarray(east) * _ARCSEC, np.asarray(north) * _ARCSEC
    ra0, dec0 = np.deg2rad(centre)
    down = np.cos(dec0) - y * np.sin(dec0)
    ra = ra0 + np.arctan2(x, down)
    dec = np.arctan2(np.sin(dec0) + y * np.cos(dec0), np.hypot(x, down))
    return np.rad2deg(ra) % 360, np.rad2deg(dec)


def to_plane(ra: Floats, dec: Floats, centre: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return arcseconds east and north of `centre` of positions in degrees; undoes `to_sky`."""
    a, d = np.deg2rad(np.asarray(ra) - centre[0]), np.deg2rad(dec)
    dec0 = np.deg2rad(centre[1])
    depth = np.sin(dec0) * np.sin(d) + np.cos(dec0) * np.cos(d) * np.cos(a)
    x = np.cos(d) * np.sin(a) / depth
    y = (np.cos(dec0) * np.sin(d) - np.sin(dec0) * np.cos(d) * np.cos(a)) / depth
    return x / _ARCSEC, y / _ARCSEC
