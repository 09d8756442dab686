"""What is within a radius of a position is in one of the cells in its reach, wherever on the sky."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from awe.core.sky import MAX_REACH, CellsInReach, cells_in_reach, finest_order, healpix_index, separation

RADII_DEG = [0.0, 1e-7 / 3600, 0.001 / 3600, 0.02 / 3600, 1 / 3600, 0.01, 0.7, 10.0, MAX_REACH]


def awkward_sky(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return positions everywhere, many of them at the poles, at RA 0, and where the faces of HEALPix meet."""
    random = np.random.default_rng(seed)
    ra, dec = random.uniform(0, 360, count), np.degrees(np.arcsin(random.uniform(-1, 1, count)))
    part = count // 4
    dec[:part] = np.sign(random.normal(size=part)) * (90 - 10 ** random.uniform(-8, 1, part))
    ra[part : 2 * part] = random.choice(np.arange(0, 361, 45), part) + random.normal(0, 1e-4, part)
    dec[part // 2 : part + part // 2] = random.choice([-1, 0, 1], part) * np.degrees(np.arcsin(2 / 3))
    dec[:4], ra[4:6] = [90, -90, 90, -90], [0, 360]
    return ra, dec


def beside(
    ra: np.ndarray, dec: np.ndarray, distance_deg: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return a position in any direction at that distance of each."""
    towards, d = np.random.default_rng(seed).uniform(0, 2 * np.pi, ra.size), np.radians(distance_deg)
    lat = np.radians(dec)
    north = np.arcsin(np.clip(np.sin(lat) * np.cos(d) + np.cos(lat) * np.sin(d) * np.cos(towards), -1, 1))
    east = np.arctan2(np.sin(towards) * np.sin(d) * np.cos(lat), np.cos(d) - np.sin(lat) * np.sin(north))
    return (ra + np.degrees(east)) % 360, np.degrees(north)


def pairs(found: CellsInReach) -> list[tuple[int, int]]:
    """Return the cells with the positions that reach them."""
    return [pair for cells, rows in found.lists for pair in zip(cells.tolist(), rows.tolist(), strict=True)]


@pytest.mark.parametrize("coarser", [0, 2])
@pytest.mark.parametrize("radius", RADII_DEG)
def test_what_is_near_is_in_a_cell_in_reach(radius: float, coarser: int) -> None:
    ra, dec = awkward_sky(20_000, 1)
    order = max(finest_order(radius) - coarser, 0)
    found = cells_in_reach(healpix_index(ra, dec), radius, order)
    assert found.order == order
    every = pairs(found)
    listed = set(every)
    assert len(listed) == len(every) < 9 * ra.size
    assert all((np.diff(cells) >= 0).all() for cells, _ in found.lists)
    for share in (0.0, 0.5, 0.97, 1.0):
        other = beside(ra, dec, np.full(ra.size, radius * share), 2)
        cells = healpix_index(*other, found.order)
        near = separation(ra, dec, *other) <= radius
        assert near.sum() > ra.size / 4
        missed = [i for i in np.flatnonzero(near).tolist() if (int(cells[i]), i) not in listed]
        assert not missed


def test_few_cells_are_listed_away_from_the_edges_of_faces() -> None:
    random = np.random.default_rng(3)
    ra, dec = random.uniform(0, 360, 50_000), np.degrees(np.arcsin(random.uniform(-1, 1, 50_000)))
    assert len(pairs(cells_in_reach(healpix_index(ra, dec), 1 / 3600))) < 4 * ra.size


@given(radius=st.floats(1e-9, 10), more=st.floats(0, 1))
def test_each_position_may_have_a_radius_of_its_own(radius: float, more: float) -> None:
    ra, dec = awkward_sky(400, 4)
    radii = np.where(np.arange(ra.size) % 2 == 0, radius, radius * more)
    found = cells_in_reach(healpix_index(ra, dec), radii)
    assert found.order == finest_order(radius)
    other = beside(ra, dec, radii, 5)
    listed = set(pairs(found))
    cells = healpix_index(*other, found.order)
    near = np.flatnonzero(separation(ra, dec, *other) <= radii)
    assert all((int(cells[i]), i) in listed for i in near.tolist())


def test_positions_off_the_sky_and_radii_that_are_none_reach_nothing() -> None:
    ra, dec = np.array([np.nan, 10.0, 10.0, 10.0, 10.0]), np.array([0.0, 95.0, np.inf, 1.0, 2.0])
    found = cells_in_reach(healpix_index(ra, dec), np.array([1, 1, 1, np.nan, -1.0]))
    assert len(pairs(found)) == found.ranges.size == 0
    nothing = np.array([])
    assert pairs(cells_in_reach(healpix_index(nothing, nothing), 1.0)) == []


def test_the_ranges_hold_the_cells() -> None:
    ra, dec = awkward_sky(1000, 6)
    found = cells_in_reach(healpix_index(ra, dec), 0.01)
    index = healpix_index(*beside(ra, dec, np.full(1000, 0.0099), 7))
    place = np.searchsorted(found.ranges[:, 0], index, side="right") - 1
    assert (index < found.ranges[place, 1]).all()
