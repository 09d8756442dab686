"""Frames against astropy's, and as the rotations that they are."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import FK5, BarycentricMeanEcliptic, FK4NoETerms, Galactic, SkyCoord, Supergalactic

from awe.core.sky import FRAMES, lonlat, rotation, separation, unit_vector

_ASTROPY = {
    "FK5": (FK5(), 1e-7),
    "FK4": (FK4NoETerms(equinox="B1950"), 1e-4),
    "GALACTIC": (Galactic(), 1e-7),
    "SUPER_GALACTIC": (Supergalactic(), 1e-7),
    # astropy's ecliptic is that of the celestial intermediate pole, 0.02 arcsec off FK5's
    "ECLIPTIC": (BarycentricMeanEcliptic(), 0.05),
}


@pytest.mark.parametrize("name", sorted(_ASTROPY))
def test_frames_are_those_of_astropy(name: str) -> None:
    frame, arcsec = _ASTROPY[name]
    rng = np.random.default_rng(9)
    ra, dec = rng.uniform(0, 360, 500), np.degrees(np.arcsin(rng.uniform(-1, 1, 500)))
    known = SkyCoord(ra * u.deg, dec * u.deg).transform_to(frame).spherical
    lon, lat = lonlat(unit_vector(ra, dec) @ rotation("ICRS", name).T)
    assert separation(lon, lat, known.lon.deg, known.lat.deg).max() * 3600 < arcsec


def test_frames_are_rotations() -> None:
    for one in FRAMES:
        for other in FRAMES:
            matrix = rotation(one, other)
            assert np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-15)
            assert np.linalg.det(matrix) == pytest.approx(1)
            assert np.allclose(rotation(other, one) @ matrix, np.eye(3), atol=1e-15)


def test_the_example_of_the_catalogue_of_functions() -> None:
    lon, lat = lonlat(unit_vector(189.70303055, 22.96240006) @ rotation("FK4", "GALACTIC").T)
    assert [float(lon), float(lat)] == pytest.approx([275.00025405, 84.99996154], abs=5e-8, rel=0)
