"""Where a star is at another epoch: straight motion through space, as seen from a straight-moving sun.

The rigorous treatment of *The Hipparcos and Tycho Catalogues* (ESA SP-1200, 1997), volume 1, section
1.5.5: no light-time effect, no aberration. Words: *tangential* proper motion in longitude is the one that
is multiplied by the cosine of the latitude, as modern catalogues give it.
"""

import numpy as np
import numpy.typing as npt

from awe.core.sky._angles import FloatArray, lonlat, unit_vector

__all__ = ["propagate"]

_KM_PER_S = 149_597_870.7 / (365.25 * 86_400)
"""One astronomical unit in a Julian year, in km/s."""

_MAS = np.pi / 180 / 3_600_000
"""One milliarcsecond in radians."""


@np.errstate(over="ignore", invalid="ignore")
def propagate(
    ra: npt.ArrayLike,
    dec: npt.ArrayLike,
    parallax_mas: npt.ArrayLike,
    pm_ra_mas_yr: npt.ArrayLike,
    pm_dec_mas_yr: npt.ArrayLike,
    radial_velocity_km_s: npt.ArrayLike,
    years: npt.ArrayLike,
) -> FloatArray:
    """Return the six parameters of stars, some Julian years later.

    Parameters
    ----------
    ra, dec
        Degrees, of any spherical frame; the proper motions are in the same.
    parallax_mas
        NaN, zero and negative ones mean infinitely remote.
    pm_ra_mas_yr, pm_dec_mas_yr
        Tangential proper motions; NaN means none.
    radial_velocity_km_s
        NaN means none.
    years
        How much later; negative is earlier.

    Returns
    -------
    The same parameters in the same units, shape ``(..., 6)``; of an infinitely remote star the parallax
    is 0 and the radial velocity stays. Motions that no number holds give NaN.
    """
    ra, dec = np.asarray(ra, np.float64), np.asarray(dec, np.float64)
    parallax = np.fmax(parallax_mas, 0.0) * _MAS
    velocity = np.nan_to_num(np.asarray(radial_velocity_km_s, np.float64))
    years = np.asarray(years, np.float64)[..., None]
    start = unit_vector(ra, dec)
    east, north = _tangent(ra, dec)
    motion = (
        np.nan_to_num(np.asarray(pm_ra_mas_yr, np.float64))[..., None] * east
        + np.nan_to_num(np.asarray(pm_dec_mas_yr, np.float64))[..., None] * north
    ) * _MAS
    receding = (velocity * parallax / _KM_PER_S)[..., None]
    squared = np.sum(motion**2, axis=-1, keepdims=True)
    nearer = 1 / np.sqrt(1 + 2 * receding * years + (squared + receding**2) * years**2)
    lon, lat = lonlat((start * (1 + receding * years) + motion * years) * nearer)
    later = (motion * (1 + receding * years) - start * squared * years) * nearer**3
    east, north = _tangent(lon, lat)
    later_receding = ((receding + (squared + receding**2) * years) * nearer**2)[..., 0]
    later_parallax = parallax * nearer[..., 0]
    remote = later_parallax == 0
    later_velocity = np.where(
        remote, velocity, later_receding * _KM_PER_S / np.where(remote, 1, later_parallax)
    )
    along = [np.sum(later * axis, axis=-1) / _MAS for axis in (east, north)]
    return np.stack(np.broadcast_arrays(lon, lat, later_parallax / _MAS, *along, later_velocity), axis=-1)


def _tangent(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the unit vectors towards east and north."""
    lon, lat = np.radians(lon), np.radians(lat)
    east = np.stack([-np.sin(lon), np.cos(lon), np.zeros_like(lon)], axis=-1)
    north = np.stack([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)], axis=-1)
    return east, north
