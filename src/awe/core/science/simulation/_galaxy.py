"""The light of M87: a core-Sérsic galaxy, its nucleus and its jet."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from awe.core.science.simulation._bands import from_vi
from awe.core.science.simulation._published import number

__all__ = ["JET", "JET_BRIDGE", "JET_COLOUR", "M87", "Knot", "elliptical_radius", "surface_brightness"]

Floats = NDArray[np.float64]

M87 = (187.70593, 12.39112)
"""Right ascension and declination of the nucleus, ICRS, deg."""


@dataclass(frozen=True, slots=True)
class Knot:
    """A knot of the jet: distance from the nucleus and size in arcsec, V magnitude."""

    name: str
    distance: float
    size: float
    v: float


JET: tuple[Knot, ...] = (
    Knot("nucleus", 0.0, 0.01, 16.7),
    Knot("HST-1", 0.86, 0.05, 17.6),
    Knot("D", 2.9, 0.20, 18.5),
    Knot("E", 6.0, 0.25, 19.4),
    Knot("F", 8.3, 0.35, 18.9),
    Knot("I", 10.9, 0.30, 19.0),
    Knot("A", 12.4, 0.35, 16.8),
    Knot("B", 14.3, 0.50, 17.3),
    Knot("C", 17.6, 0.50, 17.7),
    Knot("G", 19.6, 0.70, 19.6),
)

JET_BRIDGE = Knot("bridge", 19.0, 0.35, 17.4)
"""What lies between the knots: light spread evenly from the nucleus outward to this distance."""

JET_COLOUR = 0.55
"""V - I of the jet's synchrotron light, mag."""


def elliptical_radius(east: Floats, north: Floats) -> Floats:
    """Return the major-axis radius of the isophote through a place (arcsec from the nucleus)."""
    angle = np.deg2rad(number("major_axis"))
    along = east * np.sin(angle) + north * np.cos(angle)
    across = (east * np.cos(angle) - north * np.sin(angle)) / (1 - number("ellipticity"))
    return np.asarray(np.hypot(along, across), dtype=np.float64)


def surface_brightness(radius: Floats) -> tuple[Floats, Floats]:
    """Return the surface brightness of M87 in F606W and F814W, AB mag/arcsec**2.

    The core-Sérsic law of Graham et al. 2003 (AJ 125, 2951) with a transition of sharpness 2.

    Parameters
    ----------
    radius
        Major-axis radius, arcsec; the nucleus is softened at 0.01 arcsec.
    """
    r = np.maximum(radius, 0.01)
    n, core = number("sersic_n"), number("core_radius")
    b = 2 * n - 1 / 3 + 0.009876 / n  # Prugniel & Simien 1997, A&A 321, 111
    outer = b * ((np.sqrt(r**2 + core**2) / number("sersic_re")) ** (1 / n) - 1)
    inner = -1.25 * number("core_slope") * np.log10(1 + (core / r) ** 2)
    v = number("sersic_mu") + 2.5 / np.log(10) * outer + inner
    return from_vi(v, np.full_like(v, number("galaxy_colour")))
