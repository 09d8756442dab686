"""What the simulated SDSS could see: the demonstration sky's own objects, others like them beside it, quasars, M87."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from awe.core.science.simulation._galaxy import M87
from awe.core.science.simulation._published import number
from awe.core.science.simulation._sources import GALAXY, MOSAIC_RADIUS, Sky, Sources, covering_pointing

__all__ = ["DEC", "RA", "Objects", "objects_of"]

Floats = NDArray[np.float64]

RA, DEC = (187.0, 188.35), (11.9, 12.89)
"""Where the survey looked: six fields of six columns of the camera."""

_FAINTEST = 21.9  # r, before errors: the survey's own limit comes on top
_QUASARS = 40.0  # per square degree brighter than i = 20.5; Richards et al. 2006 (AJ 131, 2766), rounded
_CLUSTER_SIZE = 2.0  # arcsec: smaller things look like points
_LIGHT_KM_S = 299792.458


@dataclass(frozen=True, slots=True)
class Objects:
    """The truth: arrays of one length.

    Attributes
    ----------
    ra, dec
        ICRS, deg.
    magnitude
        AB magnitudes in u, g, r, i, z; shape (n, 5).
    size
        Half-light radius, arcsec; below a small one an object looks like a point.
    flattening
        Ellipticity.
    redshift
        Heliocentric; NaN for stars.
    quasar
        Whether it is one.
    """

    ra: Floats
    dec: Floats
    magnitude: Floats
    size: Floats
    flattening: Floats
    redshift: Floats
    quasar: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ra)

    def where(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Objects":
        """Return some of the objects."""
        return Objects(*(getattr(self, f.name)[which] for f in fields(self)))

    @classmethod
    def joined(cls, *parts: "Objects") -> "Objects":
        """Return all objects of all parts, in order."""
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))


def objects_of(sky: Sky) -> Objects:
    """Return what there is in the survey's fields; the same sky gives the same objects."""
    rng = np.random.default_rng([sky.seed, 30])
    inside = sky.sources.where(_inside(sky.sources.ra, sky.sources.dec))
    found = Objects.joined(
        _m87(), _seen(rng, inside), _seen(rng, _like_those_of_the_mosaic(rng, sky)), _quasars(rng)
    )
    return found.where(np.where(found.magnitude[:, 2] < _FAINTEST)[0])


def _inside(ra: Floats, dec: Floats) -> NDArray[np.bool_]:
    return np.asarray((ra >= RA[0]) & (ra < RA[1]) & (dec >= DEC[0]) & (dec < DEC[1]))


def _scattered(rng: np.random.Generator, per_degree: float) -> tuple[Floats, Floats]:
    low, high = np.sin(np.radians(DEC))
    area = (RA[1] - RA[0]) * np.degrees(high - low)
    count = int(rng.poisson(per_degree * area))
    return rng.uniform(*RA, count), np.degrees(np.arcsin(rng.uniform(low, high, count)))


def _like_those_of_the_mosaic(rng: np.random.Generator, sky: Sky) -> Sources:
    """Draw stars and galaxies where HST did not look, as many and as bright as where it did."""
    sources = sky.sources
    east = (sources.ra - M87[0]) * np.cos(np.radians(M87[1]))
    in_mosaic = np.hypot(east, sources.dec - M87[1]) * 3600 < MOSAIC_RADIUS
    known = sources.where(in_mosaic & (sources.kind != 0) & (sources.f606w < _FAINTEST + 1))
    ra, dec = _scattered(rng, len(known) / (np.pi * (MOSAIC_RADIUS / 3600) ** 2))
    drawn = known.where(rng.integers(0, len(known), len(ra)))
    # deep fields have few bright galaxies to draw from: their counts are thinned to the slope of bright ones
    kept = rng.uniform(size=len(ra)) < 10 ** (0.34 * np.minimum(drawn.f606w - 20.5, 0))
    kept |= drawn.kind != GALAXY
    drawn, ra, dec = drawn.where(kept), ra[kept], dec[kept]
    shift = rng.normal(0, 0.05, len(ra))
    new = Sources(
        drawn.kind,
        ra,
        dec,
        drawn.f606w + shift,
        drawn.f814w + shift,
        drawn.size,
        drawn.flattening,
        drawn.angle,
    )
    return new.where(covering_pointing(Sky(sky.seed, new, sky.pointings)) == -2)


def _seen(rng: np.random.Generator, sources: Sources) -> Objects:
    """Return the five magnitudes of sources of which two are known, and redshifts of galaxies."""
    n = len(sources)
    galaxy = sources.kind == GALAXY
    # V - I on the Vega scale, undoing the simulation's own transformation (`_bands.from_vi`)
    constant = number("f606w_ab") - number("f814w_ab")
    vi = (sources.f606w - sources.f814w - constant) / (1 - number("f606w_term"))
    gi = np.where(vi <= 1.8, (vi - 0.364) / 0.675, (vi + 0.52) / 1.11)  # Jordi et al. 2006, table 3
    ri = np.where(
        gi < 1.8, 0.25 * gi, 0.45 + gi - 1.8
    )  # the stellar locus of Covey et al. 2007, as two lines
    gr = gi - ri
    ug = np.clip(np.where(galaxy, 1.0 + 0.8 * (gr - 0.3), 0.9 + 1.4 * (gr - 0.3)), 0.3, 2.8)
    ug, gr, ri = (colour + rng.normal(0, 0.04, n) for colour in (ug, gr, ri))
    i = sources.f814w
    magnitude = np.stack([i + ri + gr + ug, i + ri + gr, i + ri, i, i - 0.55 * ri], axis=1)
    redshift = np.where(galaxy, _redshifts(rng, i + ri), np.nan)
    return Objects(
        sources.ra,
        sources.dec,
        magnitude,
        np.where(galaxy, np.maximum(sources.size, _CLUSTER_SIZE * 0.3), 0.0),
        sources.flattening,
        redshift,
        np.zeros(n, dtype=np.bool_),
    )


def _redshifts(rng: np.random.Generator, r: Floats) -> Floats:
    """Draw redshifts around the median of SDSS's main sample at r = 17.5 and its run with magnitude."""
    median = 0.10 * 10 ** (0.13 * (r - 17.5))
    return np.asarray(np.clip(median * 10 ** (0.13 * rng.standard_normal(len(r))), 0.004, 1.2))


def _quasars(rng: np.random.Generator) -> Objects:
    ra, dec = _scattered(rng, _QUASARS)
    n = len(ra)
    i = 20.5 + np.log10(rng.uniform(1e-4, 1, n)) / 0.7
    colours = np.array([0.15, 0.2, 0.15, 0.1]) + rng.normal(0, 0.08, (n, 4))  # u-g, g-r, r-i, i-z
    r = i + colours[:, 2]
    magnitude = np.stack(
        [r + colours[:, 1] + colours[:, 0], r + colours[:, 1], r, i, i - colours[:, 3]], axis=1
    )
    zero = np.zeros(n)
    return Objects(ra, dec, magnitude, zero, zero, rng.gamma(6, 0.25, n) + 0.1, np.ones(n, dtype=np.bool_))


def _m87() -> Objects:
    """Return the galaxy itself: round numbers after the RC3."""
    return Objects(
        np.array([M87[0]]),
        np.array([M87[1]]),
        np.array([[10.9, 9.2, 8.5, 8.1, 7.8]]),
        np.array([81.0]),
        np.array([number("ellipticity")]),
        np.array([number("velocity") / _LIGHT_KM_S]),
        np.array([False]),
    )
