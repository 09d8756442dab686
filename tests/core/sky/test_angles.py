import math

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.sky.sky_samples import exact_separation

from awe.core.sky import half_chord_squared, separation, unit_vector
from awe.core.sky._angles import chord_angle, lonlat, normal


def test_separation_agrees_with_astropy() -> None:
    rng = np.random.default_rng(1)
    ra1, ra2 = rng.uniform(0, 360, (2, 1000))
    dec1, dec2 = rng.uniform(-90, 90, (2, 1000))
    wanted = SkyCoord(ra1, dec1, unit=u.deg).separation(SkyCoord(ra2, dec2, unit=u.deg)).deg
    np.testing.assert_allclose(separation(ra1, dec1, ra2, dec2), wanted, rtol=1e-13)


@pytest.mark.slow
@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    ra=st.floats(0, 360),
    dec=st.floats(-90, 90),
    size=st.sampled_from([1e-12, 1e-9, 1e-7, 1e-4, 1.0]),
    turn=st.floats(-1, 1),
    antipodal=st.booleans(),
)
def test_separation_keeps_its_precision_from_identical_to_antipodal(
    ra: float, dec: float, size: float, turn: float, antipodal: bool
) -> None:
    ra2 = ra + turn * size
    dec2 = min(90.0, dec + size)
    if antipodal:
        ra2, dec2 = ra2 + 180, -dec2
    wanted = exact_separation(ra, dec, ra2, dec2)
    found = float(separation(ra, dec, ra2, dec2))
    assert found == pytest.approx(wanted, rel=1e-13, abs=1e-19 if not antipodal else 1e-13)


def test_separation_of_special_positions() -> None:
    assert separation(10, 20, 10, 20) == 0
    assert separation(0, 90, 123, -90) == 180
    assert separation(1, 89.5, 181, 89.5) == pytest.approx(1, rel=1e-13)
    assert math.isnan(separation(np.nan, 0, 0, 0))
    assert separation([0, 1], 0, [[0], [1]], 0).shape == (2, 2)


def test_half_chord_is_the_sine_of_half_the_separation() -> None:
    assert half_chord_squared(0, 0, 60, 0) == pytest.approx(0.25)
    assert half_chord_squared(0, -90, 0, 90) == pytest.approx(1)


def test_vectors_and_back() -> None:
    rng = np.random.default_rng(2)
    ra, dec = rng.uniform(0, 360, 100), rng.uniform(-90, 90, 100)
    x, y, z = SkyCoord(ra, dec, unit=u.deg).cartesian.xyz.value
    np.testing.assert_allclose(unit_vector(ra, dec), np.stack([x, y, z], axis=-1), atol=1e-15)
    back = lonlat(unit_vector(ra, dec))
    np.testing.assert_allclose(back, (ra, dec), rtol=0, atol=1e-12)
    assert lonlat(np.array([1.0, -1e-300, 0.0]))[0] == 0


def test_normal_of_directions_very_close_to_each_other() -> None:
    a, b = unit_vector(10.0, 20.0), unit_vector(10.0 + 1e-9, 20.0 + 1e-9)
    found = normal(a, b)
    assert np.linalg.norm(found) == pytest.approx(1)
    assert abs(found @ a) < 3e-16
    assert abs(found @ b) < 3e-16
    # Right-handed: from the x axis to the y axis is around the z axis.
    np.testing.assert_allclose(normal(np.array([1.0, 0, 0]), np.array([0, 1.0, 0])), [0, 0, 1])
    assert not normal(a, a).any()
    assert chord_angle(a, a) == 0
