"""The cells around a position are those that the library finds: in, beside and across all base cells."""

import math

import numpy as np
import pytest

from awe.core.sky import healpix_center, healpix_index, separation
from awe.core.sky._around import cells_around
from awe.core.sky._healpix import cells_beside


def width_deg(order: int) -> float:
    """Return a radius for which cells of this order are taken."""
    return math.degrees(0.49 / 2**order)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_each_cell_has_the_neighbours_that_the_library_finds(order: int) -> None:
    cells = np.arange(12 << 2 * order)
    beside = cells_beside(cells, order)
    for cell, ra, dec in zip(cells, *healpix_center(cells, order), strict=True):
        around, found = cells_around(ra, dec, min(20.0, width_deg(order)))
        known = np.unique(beside[cell])
        assert found == order
        assert around.tolist() == known[known >= 0].tolist()


def test_base_cells_have_their_neighbours_and_wide_circles_all() -> None:
    beside = cells_beside(np.arange(12), 0)
    for cell, ra, dec in zip(range(12), *healpix_center(np.arange(12), 0), strict=True):
        around, order = cells_around(ra, dec, 19.9)
        known = np.unique(beside[cell])
        assert (around.tolist(), order) == (known[known >= 0].tolist(), 0)
    assert cells_around(10.0, 20.0, 30.0)[0].tolist() == list(range(12))


def test_deep_cells_at_the_edges_of_base_cells() -> None:
    numbers = np.random.default_rng(20261130)
    edges = np.concatenate([
        np.column_stack([numbers.choice([0.0, 45, 90, 135, 180, 225, 270, 315], 300), numbers.uniform(-90, 90, 300)]),
        np.column_stack([numbers.uniform(0, 360, 300), numbers.choice([90, -90, 41.81031489577862, -41.81031489577862], 300)]),
    ])  # fmt: skip
    for order in (8, 16, 24):
        moved = edges + numbers.normal(0, 0.3 * width_deg(order), edges.shape)
        for ra, dec in np.column_stack([moved[:, 0], moved[:, 1].clip(-90, 90)]):
            around, _ = cells_around(ra, dec, width_deg(order))
            known = np.unique(cells_beside(healpix_index([ra], [dec], order), order))
            assert around.tolist() == known[known >= 0].tolist(), (ra, dec, order)


def test_no_position_of_a_circle_is_outside_the_cells() -> None:
    numbers = np.random.default_rng(7)
    for _ in range(500):
        ra, dec = numbers.uniform(0, 360), math.degrees(math.asin(numbers.uniform(-1, 1)))
        radius = 10 ** numbers.uniform(-3, 1.3)
        cells, order = cells_around(ra, dec, radius)
        near_ra = ra + numbers.uniform(-2, 2, 300) * radius / max(0.02, math.cos(math.radians(dec)))
        near_dec = np.clip(dec + numbers.uniform(-1, 1, 300) * radius, -90, 90)
        within = separation(ra, dec, near_ra, near_dec) <= radius
        assert within.any()
        assert np.isin(healpix_index(near_ra[within], near_dec[within], order), cells).all()
