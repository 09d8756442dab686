"""Stars move straight: against plain vectors in space, and back again."""

import numpy as np

from awe.core.sky import propagate, unit_vector

_AU_PER_YEAR = 4.740470463533349  # km/s


def test_straight_lines_in_space() -> None:
    rng = np.random.default_rng(3)
    n = 5000
    ra, dec = rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    parallax, years = 10 ** rng.uniform(-2, 3, n), rng.uniform(-3000, 3000, n)
    pm_ra, pm_dec, velocity = rng.normal(0, 2000, n), rng.normal(0, 2000, n), rng.normal(0, 100, n)
    found = propagate(ra, dec, parallax, pm_ra, pm_dec, velocity, years)
    # in units of the distance and of years
    radial = velocity * parallax / 206264806.24709636 / _AU_PER_YEAR
    lon, lat = np.radians([ra, dec])
    east = np.stack([-np.sin(lon), np.cos(lon), 0 * lon], -1)
    north = np.stack([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)], -1)
    start = unit_vector(ra, dec)
    speed = (pm_ra[:, None] * east + pm_dec[:, None] * north) / 206264806.24709636 + radial[:, None] * start
    there = start + speed * years[:, None]
    distance = np.linalg.norm(there, axis=1)
    direction = there / distance[:, None]
    assert np.abs(unit_vector(found[:, 0], found[:, 1]) - direction).max() < 1e-13
    assert np.allclose(found[:, 2], parallax / distance, rtol=1e-10)
    receding = np.sum(speed * direction, axis=1) / parallax * 206264806.24709636 * _AU_PER_YEAR
    assert np.allclose(found[:, 5], receding, rtol=1e-8, atol=1e-6)
    across = np.linalg.norm(np.cross(direction, speed), axis=1) / distance * 206264806.24709636
    assert np.allclose(np.hypot(found[:, 3], found[:, 4]), across, rtol=1e-9)
    lon, lat, *rest = found.T
    back = propagate(lon, lat, rest[0], rest[1], rest[2], rest[3], -years)
    assert np.abs(unit_vector(back[:, 0], back[:, 1]) - start).max() < 1e-11
    assert np.allclose(back[:, 3:5], np.stack([pm_ra, pm_dec], -1), rtol=1e-6, atol=1e-5)


def test_what_is_missing_is_no_motion() -> None:
    nan = np.nan
    assert propagate(10, 20, nan, nan, nan, nan, 1000).tolist() == [10, 20, 0, 0, 0, 0]
    assert propagate(10, 90, 5, 0, 0, 7, 0)[[1, 2, 5]].tolist() == [90, 5, 7]
    remote = propagate(10, 20, -3, 100, 0, 55, 100)
    assert (remote[2], remote[5]) == (0, 55)
