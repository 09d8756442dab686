"""Whether regions meet, for all pairs of kinds, against positions that both contain."""

import itertools

import numpy as np
import pytest
from scipy.spatial import cKDTree
from tests.core.sky.sky_samples import star

from awe.core.sky import Box, Circle, Polygon, Range, Region, unit_vector


def kinds(rng: np.random.Generator) -> list[Region]:
    """One region of each kind, some degrees wide, near each other and near a special place."""
    ra0, dec0 = [(0.5, 3.0), (180.0, 84.0), (33.0, -50.0)][rng.integers(3)]

    def place() -> tuple[float, float]:
        return float(ra0 + rng.uniform(-6, 6) / np.cos(np.radians(dec0))) % 360, float(
            dec0 + rng.uniform(-4, 4)
        )

    (ra, dec), width, height = place(), *rng.uniform(0.5, 8, 2)
    return [
        Circle(*place(), rng.uniform(0.3, 4)),
        star(*place(), rng.uniform(1, 5, 6).tolist()),
        Box(*place(), *rng.uniform(0.5, 8, 2)),
        Range(ra, (ra + width / np.cos(np.radians(dec0))) % 360, dec - height / 2, min(90, dec + height / 2)),
    ]


def grid(ra: float, dec: float) -> tuple[np.ndarray, np.ndarray]:
    """Positions 0.15 degrees apart, up to 12 degrees around a place."""
    x, y = np.meshgrid(np.arange(-12, 12, 0.15), np.arange(-12, 12, 0.15))
    lat = np.clip(dec + y.ravel(), -90, 90)
    return (ra + x.ravel() / np.maximum(np.cos(np.radians(lat)), 0.01)) % 360, lat


@pytest.mark.parametrize("seed", range(8))
def test_pairs_agree_with_positions_in_both(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for a, b in itertools.product(kinds(rng), kinds(rng)):
        circle = a.bounding_circle()
        positions = grid(circle.ra, circle.dec)
        in_a, in_b = a.contains(*positions), b.contains(*positions)
        met = a.intersects(b)
        assert b.intersects(a) == met
        if (in_a & in_b).any():
            assert met, (a, b)
        elif met:
            # No grid point is in both: then they meet between grid points.
            vectors = unit_vector(*positions)
            assert in_a.any()
            assert in_b.any(), (a, b)
            distance, _ = cKDTree(vectors[in_a]).query(vectors[in_b])
            assert np.degrees(distance.min()) < 0.45, (a, b)


WHOLE = Range(0, 360, -90, 90)
CASES: list[tuple[Region, Region, bool]] = [
    (Circle(0, 0, 1), Circle(2, 0, 1), True),
    (Circle(0, 0, 1), Circle(2.0001, 0, 1), False),
    (Circle(0, 0, 180), Circle(180, 0, 0), True),
    (Circle(359, 0, 1.5), Box(1, 0, 2, 2), True),
    # one inside the other
    (Circle(10, 10, 5), Box(10, 10, 1, 1), True),
    (Polygon(((0, 0), (20, 0), (20, 20), (0, 20))), Range(9, 11, 9, 11), True),
    (Polygon(((0, 0), (20, 0), (20, 20), (0, 20))), Box(10, 10, 1, 1), True),
    (Range(0, 360, 10, 20), Polygon(((0, 5), (120, 5), (240, 5))), True),
    # a ring around the pole, and regions in its hole
    (Range(0, 360, 10, 20), Circle(0, 90, 60), False),
    (Range(0, 360, 10, 20), Circle(0, 90, 70), True),
    (Range(0, 360, 10, 20), Polygon(((0, 80), (120, 80), (240, 80))), False),
    (Range(0, 360, 10, 20), Box(0, 90, 30, 30), False),
    # crossing without a corner in either
    (Box(10, 10, 20, 1), Box(10, 10, 1, 20), True),
    (Range(0, 20, 9, 11), Range(9, 11, 0, 20), True),
    (Range(0, 20, 9, 11), Box(10, 10, 1, 20), True),
    (Range(350, 10, -1, 1), Range(358, 2, -20, 20), True),
    # the top of a great circle above the parallel of its ends
    (Polygon(((0, 60), (90, 60), (45, 50))), Range(40, 50, 67, 69), True),
    (Polygon(((0, 60), (90, 60), (45, 50))), Range(40, 50, 67, 90), True),
    (Polygon(((0, 60), (90, 60), (45, 50))), Range(40, 50, 67.8, 68), False),
    (Polygon(((0, 60), (90, 60), (45, 50))), Range(40, 50, 67.79, 70), True),
    (Polygon(((0, 60), (90, 60), (45, 50))), Range(0, 5, 66, 68), False),
    # touching
    (Polygon(((0, 0), (10, 0), (10, 10), (0, 10))), Polygon(((10, 0), (20, 0), (20, 10), (10, 10))), True),
    (Polygon(((0, 0), (10, 0), (10, 10))), Polygon(((10, 10), (20, 20), (10, 20))), True),
    (Range(0, 10, 0, 10), Range(10, 20, 10, 20), True),
    (Range(0, 10, 0, 10), Range(350, 360, 0, 10), True),
    (Range(10, 20, 80, 90), Range(100, 110, 80, 90), True),
    (Range(10, 20, 80, 89), Range(100, 110, 80, 89), False),
    (Range(10, 20, 80, 90), Circle(200, 90, 1), True),
    (Range(10, 20, 80, 90), Box(200, 89.9, 1, 1), True),
    # the whole sky
    (WHOLE, Circle(1, 2, 0), True),
    (WHOLE, Box(1, 2, 3, 4), True),
    (WHOLE, Polygon(((0, 0), (1, 0), (1, 1))), True),
    (WHOLE, Range(5, 6, 7, 8), True),
    # the size of an arcsecond
    (Circle(10, 89.999, 1e-4), Circle(190, 89.999, 1e-4), False),
    (Box(10, 20, 1e-4, 1e-4), Circle(10, 20.0001, 4.9e-5), False),
    (Box(10, 20, 1e-4, 1e-4), Circle(10, 20.0001, 5.1e-5), True),
]


@pytest.mark.parametrize(
    ("a", "b", "wanted"), CASES, ids=lambda x: x.to_dali() if isinstance(x, Region) else str(x)
)
def test_known_pairs(a: Region, b: Region, wanted: bool) -> None:
    assert a.intersects(b) is wanted
    assert b.intersects(a) is wanted


def test_every_region_meets_itself() -> None:
    for region in kinds(np.random.default_rng(0)):
        assert region.intersects(region)
