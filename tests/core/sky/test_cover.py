"""Coverings: never a position missed, never much more than needed."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.sky.sky_samples import POLYGONS, REGIONS, SKY, around, inside, scattered, star

from awe.core.sky import Box, Circle, Polygon, Range, Region, healpix_index
from awe.core.sky._cover import MAX_RANGES
from awe.errors import ParameterError

CELLS = 12 * 4**29


def covered(ranges: np.ndarray, index: np.ndarray) -> np.ndarray:
    slot = np.searchsorted(ranges[:, 0], index, side="right") - 1
    return np.asarray((slot >= 0) & (index < ranges[np.maximum(slot, 0), 1]))


def assert_well_formed(ranges: np.ndarray) -> None:
    assert ranges.dtype == np.int64
    assert ranges.shape[1:] == (2,)
    assert len(ranges)
    assert (ranges[:, 0] < ranges[:, 1]).all()
    assert (ranges[1:, 0] > ranges[:-1, 1]).all()
    assert ranges.min() >= 0
    assert ranges.max() <= CELLS


def edge_positions(region: Region) -> tuple[np.ndarray, np.ndarray]:
    """Positions along the edge and just beside it, of which those inside are kept."""
    if isinstance(region, Circle):
        turn = np.linspace(0, 2 * np.pi, 200)
        ra = region.ra + region.radius * np.cos(turn) / max(math.cos(math.radians(region.dec)), 1e-6)
        dec = np.clip(region.dec + region.radius * np.sin(turn), -90, 90)
    else:
        corners = region.boundary.corners
        step = np.linspace(0, 1, 50)[:, None]
        path = corners + step[:, :, None] * (np.roll(corners, -1, axis=0) - corners)
        ra, dec = path.reshape(-1, 2).T
    good = region.contains(ra, dec)
    return ra[good], dec[good]


@pytest.mark.parametrize("order", [None, 0, 3, 6, 10, 14, 29])
@pytest.mark.parametrize("name", REGIONS)
def test_covering_is_a_superset(name: str, order: int | None) -> None:
    region = REGIONS[name]
    if order is not None and order > 6 and region.bounding_circle().radius > 20:
        order = 6
    ranges = region.covering(order)
    assert_well_formed(ranges)
    for positions in (inside(region, 1000), edge_positions(region)):
        assert covered(ranges, healpix_index(*positions)).all()


@pytest.mark.parametrize("order", [0, 2, 5])
@pytest.mark.parametrize("name", REGIONS)
def test_covering_uses_whole_cells_of_its_order(name: str, order: int) -> None:
    ranges = REGIONS[name].covering(order)
    assert not (ranges % 4 ** (29 - order)).any()


@pytest.mark.slow
@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    ra=st.one_of(st.sampled_from([0.0, 45.0, 90.0, 359.99999]), st.floats(0, 360)),
    dec=st.one_of(st.sampled_from([-90.0, -41.8, 0.0, 41.810315, 89.99999, 90.0]), st.floats(-90, 90)),
    radius=st.one_of(
        st.sampled_from([0.0, 1e-7, 1e-5, 1 / 60, 1.0, 30.0, 90.0, 120.0, 180.0]), st.floats(0, 180)
    ),
    order=st.one_of(st.none(), st.integers(0, 29)),
)
def test_covering_of_any_circle(ra: float, dec: float, radius: float, order: int | None) -> None:
    circle = Circle(ra, dec, radius)
    ranges = circle.covering(order)
    assert_well_formed(ranges)
    x, y = around(ra, dec, radius, 300) if radius < 60 else scattered(300)
    x, y = np.append(x, ra), np.append(y, dec)
    good = circle.contains(x, y)
    assert covered(ranges, healpix_index(x[good], y[good])).all()


@pytest.mark.slow
@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    ra=st.floats(0, 360),
    dec=st.one_of(st.sampled_from([-90.0, 0.0, 90.0]), st.floats(-90, 90)),
    size=st.sampled_from([1e-7, 1e-4, 0.1, 5.0, 80.0]),
    radii=st.lists(st.floats(0.1, 1), min_size=5, max_size=9),
    order=st.one_of(st.none(), st.integers(0, 29)),
)
def test_covering_of_any_polygon(
    ra: float, dec: float, size: float, radii: list[float], order: int | None
) -> None:
    polygon = star(ra, dec, [size * r for r in radii])
    ranges = polygon.covering(order if size < 10 or order is None else min(order, 7))
    assert_well_formed(ranges)
    x, y = around(ra, dec, size, 300)
    good = polygon.contains(x, y)
    assert covered(ranges, healpix_index(x[good], y[good])).all()


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    ra=st.floats(0, 360),
    dec=st.one_of(st.sampled_from([-90.0, 90.0]), st.floats(-90, 90)),
    width=st.floats(1e-6, 179),
    height=st.floats(1e-6, 179),
)
def test_covering_of_any_box(ra: float, dec: float, width: float, height: float) -> None:
    box = Box(ra, dec, width, height)
    ranges = box.covering()
    assert_well_formed(ranges)
    x, y = around(ra, dec, box.bounding_circle().radius, 300)
    good = box.contains(x, y)
    assert covered(ranges, healpix_index(x[good], y[good])).all()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    ra_min=st.floats(0, 360),
    width=st.floats(0, 360),
    dec=st.lists(st.floats(-90, 90), min_size=2, max_size=2).map(sorted),
)
def test_covering_of_any_range(ra_min: float, width: float, dec: list[float]) -> None:
    region = Range(ra_min, (ra_min + width) % 360, *dec)
    ranges = region.covering()
    assert_well_formed(ranges)
    rng = np.random.default_rng(9)
    x = (ra_min + region.ra_width * rng.uniform(0, 1, 200)) % 360
    y = dec[0] + (dec[1] - dec[0]) * rng.uniform(0, 1, 200)
    x = np.append(x, [region.ra_min, region.ra_min, region.ra_max, region.ra_max])
    y = np.append(y, [*dec, *dec])
    good = region.contains(x, y)
    assert good.sum() > 150
    assert covered(ranges, healpix_index(x[good], y[good])).all()


@pytest.mark.parametrize("name", REGIONS)
def test_chosen_order_gives_few_tight_ranges(name: str) -> None:
    region = REGIONS[name]
    ranges = region.covering()
    assert len(ranges) <= MAX_RANGES
    if region.area > 1e-9:
        sky = float((ranges[:, 1] - ranges[:, 0]).sum()) / CELLS * SKY
        assert sky <= 4 * region.area + 1e-12 or name in {
            "strip",
            "concave",
            "concave at the pole",
            "wider than a hemisphere",
        }


def test_finer_orders_are_never_larger() -> None:
    sizes = [np.diff(POLYGONS["concave"].covering(k)).sum() for k in range(11)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] / CELLS * SKY == pytest.approx(POLYGONS["concave"].area, rel=0.2)


def test_whole_sky_is_one_range() -> None:
    for region in (Circle(0, 0, 180), Range(0, 360, -90, 90)):
        assert region.covering().tolist() == [[0, CELLS]]
        assert region.covering(29).tolist() == [[0, CELLS]]


def test_fine_orders_of_large_regions_stay_affordable() -> None:
    started = time.process_time()
    for region in (Circle(10, 10, 40), Polygon(((0, 0), (90, 0), (0, 90)))):
        assert len(region.covering(29)) < 30_000
    assert time.process_time() - started < 10


@pytest.mark.parametrize("order", [-1, 30, 2.5])
def test_orders_that_do_not_exist(order: int) -> None:
    with pytest.raises(ParameterError):
        Circle(0, 0, 1).covering(order)
