"""Who is on the demonstration sky: globular clusters, foreground stars, background galaxies.

The sky is seen where HST looked: a mosaic around M87 and pointings of the size of ACS/WFC scattered
around it, ever fewer outward, as in the Hubble Source Catalog.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from awe.core.science.simulation._bands import from_vi
from awe.core.science.simulation._founding import FOUNDING_ROWS
from awe.core.science.simulation._galaxy import M87
from awe.core.science.simulation._plane import to_plane, to_sky
from awe.core.science.simulation._published import number

__all__ = ["CLUSTER", "GALAXY", "MOSAIC_RADIUS", "POINTING_SIZE", "STAR", "Sky", "Sources", "simulate_sky"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CLUSTER, STAR, GALAXY = 0, 1, 2

MOSAIC_RADIUS = 720.0
"""Everything nearer to M87 than this (arcsec) is covered."""
POINTING_SIZE = 202.0
"""Side of a pointing, arcsec (ACS/WFC)."""

_REACH = 7200.0  # arcsec: the outermost pointings
_POINTINGS = 195
_HALO = 2700.0  # arcsec: where the cluster system ends (220 kpc)
_FAINTEST = 27.0  # F814W of the faintest galaxies drawn
# Cumulative star counts towards the galactic pole: V, stars per square degree brighter than it.
_STAR_V = np.array([13.0, 14, 16, 18, 20, 22, 24, 26, 27])
_STAR_N = np.array([60.0, 120, 350, 900, number("star_counts"), 3700, 6300, 10500, 13000])


@dataclass(frozen=True, slots=True)
class Sources:
    """Objects as they are, before anybody measures them: arrays of one length.

    Attributes
    ----------
    kind
        ``CLUSTER``, ``STAR`` or ``GALAXY``.
    ra, dec
        ICRS, deg.
    f606w, f814w
        Total AB magnitudes.
    size
        Half-light radius, arcsec; zero for stars.
    flattening, angle
        Ellipticity, and position angle of the major axis in deg.
    """

    kind: Ints
    ra: Floats
    dec: Floats
    f606w: Floats
    f814w: Floats
    size: Floats
    flattening: Floats
    angle: Floats

    def __len__(self) -> int:
        return len(self.ra)

    def where(self, which: NDArray[np.bool_] | Ints) -> "Sources":
        """Return some of the objects."""
        return Sources(*(getattr(self, f.name)[which] for f in fields(self)))

    @classmethod
    def joined(cls, *parts: "Sources") -> "Sources":
        """Return all objects of all parts, in order."""
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))


@dataclass(frozen=True, slots=True)
class Sky:
    """The whole simulated truth.

    Attributes
    ----------
    seed
        What it was drawn with; the same seed gives the same sky.
    sources
        Everything that is there; the objects of the founding document come first.
    pointings
        Centres of the scattered pointings: arcsec east and north of M87, shape (n, 2).
    """

    seed: int
    sources: Sources
    pointings: Floats


def simulate_sky(seed: int = 87) -> Sky:
    """Draw the demonstration sky; every population has its own random stream."""
    pointings = _pointings(np.random.default_rng([seed, 0]))
    parts = (
        _founding(),
        _clusters(np.random.default_rng([seed, 1])),
        _intracluster(np.random.default_rng([seed, 2]), pointings),
        _stars(np.random.default_rng([seed, 3]), pointings),
        _galaxies(np.random.default_rng([seed, 4]), pointings),
    )
    return Sky(seed, Sources.joined(*parts), pointings)


def _pointings(rng: np.random.Generator) -> Floats:
    """Scatter pointings that do not overlap, uniform in radius: ever fewer per area outward."""
    kept: list[tuple[float, float]] = []
    apart = 1.45 * POINTING_SIZE
    while len(kept) < _POINTINGS:
        r = rng.uniform(MOSAIC_RADIUS + POINTING_SIZE, _REACH)
        t = rng.uniform(0, 2 * np.pi)
        x, y = r * np.sin(t), r * np.cos(t)
        if all(np.hypot(x - a, y - b) > apart for a, b in kept):
            kept.append((x, y))
    return np.array(kept)


def _founding() -> Sources:
    rows = FOUNDING_ROWS
    n = len(rows)
    return Sources(
        np.full(n, CLUSTER),
        np.array([r.ra for r in rows]),
        np.array([r.dec for r in rows]),
        np.array([r.f606w for r in rows]),
        np.array([r.f814w for r in rows]),
        np.full(n, _arcsec(number("half_light_radius"))),
        np.zeros(n),
        np.zeros(n),
    )


def _arcsec(parsec: float) -> float:
    return float(np.rad2deg(parsec / (number("distance") * 1e6)) * 3600)


def _clusters(rng: np.random.Generator) -> Sources:
    """Draw the system of M87: two colours, each with its own radial profile and sizes."""
    total = int(rng.poisson(number("clusters")))
    red = np.arange(total) < round(total * number("red_fraction"))
    slope = np.where(red, number("red_slope"), number("blue_slope"))
    radius = _radii(rng.uniform(size=total), slope)
    turn = rng.uniform(0, 2 * np.pi, total)
    ra, dec = to_sky(radius * np.sin(turn), radius * np.cos(turn), M87)
    colour = np.where(red, number("red_peak"), number("blue_peak"))
    colour += np.where(red, number("red_width"), number("blue_width")) * rng.standard_normal(total)
    # Webb, Sills & Harris 2013 (arXiv:1310.4834): the size grows as the 0.14th power of the distance.
    size = np.where(red, 1.0, number("size_ratio")) * (np.maximum(radius, 10) / 60) ** 0.14
    return _cluster_sources(rng, ra, dec, colour, size * 0.9)


def _radii(u: Floats, slope: Floats) -> Floats:
    """Invert the cumulative number of the surface density (1 + (R/core)**2)**(slope/2)."""
    core, p = number("cluster_core"), 1 + slope / 2
    whole = (1 + (_HALO / core) ** 2) ** p - 1
    return np.asarray(core * np.sqrt((1 + u * whole) ** (1 / p) - 1))


def _intracluster(rng: np.random.Generator, pointings: Floats) -> Sources:
    ra, dec = _scatter(rng, number("intracluster"), pointings)
    colour = number("blue_peak") + number("blue_width") * rng.standard_normal(len(ra))
    return _cluster_sources(rng, ra, dec, colour, np.full(len(ra), number("size_ratio")))


def _cluster_sources(
    rng: np.random.Generator, ra: Floats, dec: Floats, colour: Floats, relative_size: Floats
) -> Sources:
    n = len(ra)
    v = number("gclf_turnover") + number("gclf_sigma") * rng.standard_normal(n)
    f606w, f814w = from_vi(v, colour)
    size = _arcsec(number("half_light_radius")) * relative_size * 10 ** (0.12 * rng.standard_normal(n))
    flattening, angle = rng.uniform(0, 0.2, n), rng.uniform(0, 180, n)
    return Sources(np.full(n, CLUSTER), ra, dec, f606w, f814w, size, flattening, angle)


def _stars(rng: np.random.Generator, pointings: Floats) -> Sources:
    ra, dec = _scatter(rng, float(_STAR_N[-1]), pointings)
    n = len(ra)
    log_n = np.log10(rng.uniform(_STAR_N[0], _STAR_N[-1], n))
    v = np.interp(log_n, np.log10(_STAR_N), _STAR_V)
    # turn-off stars of the halo, and the disk's M dwarfs that take over at faint magnitudes
    dwarf = rng.uniform(size=n) < np.interp(v, [15, 19, 23], [0.1, 0.45, 0.6])
    colour = np.where(dwarf, rng.normal(2.2, 0.35, n), rng.normal(0.72, 0.13, n))
    f606w, f814w = from_vi(v, colour)
    zero = np.zeros(n)
    return Sources(np.full(n, STAR), ra, dec, f606w, f814w, zero, zero, zero)


def _galaxies(rng: np.random.Generator, pointings: Floats) -> Sources:
    k = number("galaxy_slope") * np.log(10)
    density = number("galaxy_counts") / k * np.exp(k * (_FAINTEST - 24))
    ra, dec = _scatter(rng, float(density), pointings)
    n = len(ra)
    f814w = np.maximum(_FAINTEST + np.log(rng.uniform(size=n)) / k, 15.0)
    colour = np.clip(rng.normal(0.55 - 0.04 * (f814w - 22), 0.30, n), -0.3, 1.7)
    size = 0.42 * 10 ** (-0.13 * (f814w - 23) + 0.16 * rng.standard_normal(n))
    flattening, angle = 1 - np.sqrt(rng.uniform(0.05, 1, n)), rng.uniform(0, 180, n)
    return Sources(np.full(n, GALAXY), ra, dec, f814w + colour, f814w, size, flattening, angle)


def _scatter(rng: np.random.Generator, per_degree: float, pointings: Floats) -> tuple[Floats, Floats]:
    """Scatter objects evenly over all that is covered; `per_degree` is their number per deg**2."""
    disk = int(rng.poisson(per_degree * np.pi * MOSAIC_RADIUS**2 / 3600**2))
    radius, turn = MOSAIC_RADIUS * np.sqrt(rng.uniform(size=disk)), rng.uniform(0, 2 * np.pi, disk)
    in_each = rng.poisson(per_degree * (POINTING_SIZE / 3600) ** 2, len(pointings))
    place = np.repeat(pointings, in_each, axis=0)
    place = place + rng.uniform(-POINTING_SIZE / 2, POINTING_SIZE / 2, place.shape)
    east = np.concatenate([radius * np.sin(turn), place[:, 0]])
    north = np.concatenate([radius * np.cos(turn), place[:, 1]])
    return to_sky(east, north, M87)


def covering_pointing(sky: Sky) -> Ints:
    """Return for every source the pointing that sees it: -1 the mosaic, -2 none."""
    east, north = to_plane(sky.sources.ra, sky.sources.dec, M87)
    seen = np.where(np.hypot(east, north) <= MOSAIC_RADIUS, -1, -2)
    for i, (x, y) in enumerate(sky.pointings):
        inside = (np.abs(east - x) <= POINTING_SIZE / 2) & (np.abs(north - y) <= POINTING_SIZE / 2)
        seen[inside & (seen == -2)] = i
    return seen
