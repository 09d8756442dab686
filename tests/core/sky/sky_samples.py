"""Regions of every kind and size, and positions to try them with."""

import decimal
import math
from decimal import Decimal

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord

from awe.core.sky import Box, Circle, Polygon, Range, Region

SKY = 4 * 180**2 / math.pi


def exact_separation(ra1: float, dec1: float, ra2: float, dec2: float) -> float:
    """The angle by its definition, with 60 digits until the last step."""
    with decimal.localcontext(prec=60):
        a, b = (_vector(Decimal(ra), Decimal(dec)) for ra, dec in ((ra1, dec1), (ra2, dec2)))
        chord = sum((x - y) ** 2 for x, y in zip(a, b, strict=True))
        other = sum((x + y) ** 2 for x, y in zip(a, b, strict=True))
        if chord <= other:
            return math.degrees(2 * math.asin(Decimal(chord).sqrt() / 2))
        return 180 - math.degrees(2 * math.asin(Decimal(other).sqrt() / 2))


def _vector(ra: Decimal, dec: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    pi = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899")
    sin_ra, cos_ra = _sine_cosine(ra * pi / 180)
    sin_dec, cos_dec = _sine_cosine(dec * pi / 180)
    return cos_dec * cos_ra, cos_dec * sin_ra, sin_dec


def _sine_cosine(x: Decimal) -> tuple[Decimal, Decimal]:
    sums = [Decimal(0)] * 4
    term, n = Decimal(1), 0
    while abs(term) > Decimal("1e-70") or n < 20:
        sums[n % 4] += term
        n += 1
        term *= x / n
    return sums[1] - sums[3], sums[0] - sums[2]


def scattered(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))


def around(ra: float, dec: float, radius: float, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    here = SkyCoord(ra, dec, unit=u.deg)
    there = here.directional_offset_by(
        rng.uniform(0, 360, n) * u.deg, radius * np.sqrt(rng.uniform(0, 1, n)) * u.deg
    )
    return there.ra.deg, there.dec.deg


def star(ra: float, dec: float, radii: list[float], start: float = 0) -> Polygon:
    """A star-shaped polygon: one vertex per radius, at even position angles."""
    angles = start + np.arange(len(radii)) * 360 / len(radii)
    corners = SkyCoord(ra, dec, unit=u.deg).directional_offset_by(angles * u.deg, np.array(radii) * u.deg)
    return Polygon(tuple(zip(corners.ra.deg.tolist(), corners.dec.deg.tolist(), strict=True)))


POLYGONS = {
    "square": Polygon(((10, 10), (12, 10), (12, 12), (10, 12))),
    "clockwise": Polygon(((10, 12), (12, 12), (12, 10), (10, 10))),
    "across RA 0": Polygon(((350, -20), (20, -15), (15, 30), (355, 10))),
    "around the north pole": Polygon(((0, 80), (90, 70), (180, 60), (270, 75))),
    "around the south pole": Polygon(((0, -80), (90, -70), (180, -60), (270, -75))),
    "vertex on the pole": Polygon(((0, 0), (90, 0), (0, 90))),
    "concave": star(40, -60, [10, 2, 10, 3, 12, 2, 9, 1]),
    "concave at the pole": star(77, 88, [30, 5, 30, 6, 25, 4]),
    "centre outside": Polygon(((0, 0), (40, 0), (40, 40), (36, 40), (36, 4), (0, 4))),
    "nearly a hemisphere": star(120, 40, [88] * 7),
    "arcsecond": Polygon(((10, 10), (10.0003, 10), (10.0003, 10.0003), (10, 10.0002))),
    "wider than a hemisphere": Polygon(
        tuple((ra, 15.0) for ra in range(0, 281, 20)) + tuple((ra, 5.0) for ra in range(280, -1, -20))
    ),
}


REGIONS: dict[str, Region] = {
    **POLYGONS,
    "circle": Circle(187.7, 12.4, 0.1),
    "point": Circle(187.7, 12.4, 0),
    "tiny circle": Circle(187.7, 89.99999, 1e-7),
    "polar circle": Circle(10, 88, 5),
    "half the sky": Circle(0, -30, 90),
    "sky without a hole": Circle(200, 20, 170),
    "sky": Circle(0, 0, 180),
    "box": Box(10, 20, 3, 1),
    "polar box": Box(10, -90, 60, 30),
    "huge box": Box(0, 10, 175, 170),
    "range": Range(30, 80, -20, 10),
    "range across RA 0": Range(350, 10, 40, 60),
    "strip": Range(0, 360, -1, 1),
    "polar cap": Range(0, 360, 80, 90),
    "wedge at the pole": Range(100, 300, -90, -60),
    "meridian": Range(20, 20, -90, 90),
    "all of it": Range(0, 360, -90, 90),
}


def inside(region: Region, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Positions in a region: scattered, on its corners' side of the boundary, and its middle."""
    circle = region.bounding_circle()
    ra, dec = (
        scattered(4 * n, 5) if circle.radius > 60 else around(circle.ra, circle.dec, circle.radius, 4 * n, 5)
    )
    ra = np.concatenate([ra, [circle.ra], region.boundary.corners[:, 0]])
    dec = np.concatenate([dec, [circle.dec], region.boundary.corners[:, 1]])
    good = region.contains(ra, dec)
    return ra[good], dec[good]
