"""Coordinates of other frames than ICRS, to ICRS.

FK5 at equinox J2000 is taken for ICRS: they differ by less than 0.03 arcsec (Feissel & Mignard 1998, A&A 331, L33).
Galactic coordinates are those of the Hipparcos catalogue (ESA SP-1200, volume 1, section 1.5.3).
"""

import numpy as np

from awe.core.sky._angles import lonlat, unit_vector
from awe.errors import PositionError

__all__ = ["FRAMES", "to_icrs"]

FRAMES = ("ICRS", "FK5", "GALACTIC")
"""The frames that positions may be given in."""

_SAME = frozenset({"ICRS", "FK5", "J2000"})
_GALACTIC = frozenset({"GALACTIC", "GALACTIC_II", "GAL"})
_FROM_GALACTIC = np.array(
    [
        [-0.0548755604162154, +0.4941094278755837, -0.8676661490190047],
        [-0.8734370902348850, -0.4448296299600112, -0.1980763734312015],
        [-0.4838350155487132, +0.7469822444972189, +0.4559837761750669],
    ]
)


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
    if name in _SAME:
        return longitude, latitude
    if name not in _GALACTIC:
        raise PositionError(f"{frame!r} is not a frame known here", hint=f"known: {', '.join(FRAMES)}")
    ra, dec = lonlat(_FROM_GALACTIC @ unit_vector(longitude, latitude))
    return float(ra), float(dec)
