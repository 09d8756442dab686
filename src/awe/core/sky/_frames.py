"""Reference frames as rotations: what takes directions of one frame to another.

Names are those of the IVOA vocabulary *refframe*. Every frame is a plain rotation of ICRS, at its default
equinox (FK4 B1950, FK5 and ECLIPTIC J2000), as the *Catalogue of ADQL User Defined Functions* 1.2 wants:
FK4's terms of aberration, up to 0.34 arcsec, are left out.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from awe.core.sky._angles import FloatArray, lonlat, unit_vector
from awe.errors import PositionError

__all__ = ["FRAMES", "rotation", "to_icrs"]

_ARCSEC = np.pi / 180 / 3600


def _turn(axis: int, angle: float) -> FloatArray:
    """Return the matrix that takes coordinates to axes turned about x (0), y (1) or z (2); radians."""
    matrix = np.eye(3)
    one, other = (axis + 1) % 3, (axis + 2) % 3
    matrix[one, one] = matrix[other, other] = np.cos(angle)
    matrix[one, other], matrix[other, one] = np.sin(angle), -np.sin(angle)
    return matrix


def _towards(pole_lon: float, pole_lat: float, node: float) -> FloatArray:
    """Return the rotation to a frame by its pole and the longitude there of the old pole; degrees."""
    lon, lat, turn = np.radians([pole_lon, 90 - pole_lat, 180 - node])
    return _turn(2, float(turn)) @ _turn(1, float(lat)) @ _turn(2, float(lon))


def _orthogonal(matrix: npt.ArrayLike) -> FloatArray:
    """Return the rotation next to a printed matrix, whose digits are too few to be one."""
    left, _, right = np.linalg.svd(np.asarray(matrix))
    product: FloatArray = left @ right
    return product


# The axes of FK5 against those of ICRS (USNO Circular 179, equation 3.4)
_FK5 = _turn(0, 19.9e-3 * _ARCSEC) @ _turn(1, 9.1e-3 * _ARCSEC) @ _turn(2, -22.9e-3 * _ARCSEC)
# Murray, A&A 218 (1989) 325, equation 28: from B1950 to J2000.
_B1950_TO_J2000 = _orthogonal(
    [
        [0.9999256794956877, -0.0111814832204662, -0.0048590038153592],
        [0.0111814832391717, 0.9999374848933135, -0.0000271625947142],
        [0.0048590037723143, -0.0000271702937440, 0.9999881946023742],
    ]
)
_GALACTIC = _towards(192.8594812065348, 27.12825118085622, 122.9319185680026) @ _FK5

FRAMES: Mapping[str, FloatArray] = {
    "ICRS": np.eye(3),
    "FK5": _FK5,
    "FK4": _B1950_TO_J2000.T @ _FK5,
    "GALACTIC": _GALACTIC,
    # Supergalactic coordinates by their pole and their node in galactic ones (RC3, 1991)
    "SUPER_GALACTIC": _turn(0, np.radians(90 - 6.32)) @ _turn(2, np.radians(137.37)) @ _GALACTIC,
    # Obliquity of IAU 2006 at J2000
    "ECLIPTIC": _turn(0, 84381.406 * _ARCSEC) @ _FK5,
}
"""Each frame's rotation from ICRS: ``matrix @ vector``."""


def rotation(from_frame: str, to_frame: str) -> FloatArray:
    """Return the matrix, shape ``(3, 3)``, that takes unit vectors of one frame to another."""
    product: FloatArray = FRAMES[to_frame] @ FRAMES[from_frame].T
    return product


_ALSO = {"J2000": "FK5", "B1950": "FK4", "GALACTIC_II": "GALACTIC", "GAL": "GALACTIC"}


def to_icrs(longitude: float, latitude: float, frame: str) -> tuple[float, float]:
    """Return ICRS right ascension and declination (degrees) of a position in a frame.

    Parameters
    ----------
    longitude, latitude
        Degrees.
    frame
        One of `FRAMES`, case ignored.

    Raises
    ------
    PositionError
        If the frame is not known.
    """
    name = frame.strip().upper()
    name = _ALSO.get(name, name)
    if name not in FRAMES:
        raise PositionError(f"{frame!r} is not a frame known here", hint=f"known: {', '.join(FRAMES)}")
    if name == "ICRS":
        return longitude, latitude
    ra, dec = lonlat(rotation(name, "ICRS") @ unit_vector(longitude, latitude))
    return float(ra), float(dec)
