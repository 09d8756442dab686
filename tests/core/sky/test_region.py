"""The exact answers of regions, against astropy, definitions and other algorithms."""

import math

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.sky.sky_samples import (
    POLYGONS,
    REGIONS,
    SKY,
    around,
    exact_separation,
    inside,
    scattered,
    star,
)

from awe.core.sky import Box, Circle, Polygon, Range, unit_vector
from awe.errors import PositionError


def winding_number(vertices: np.ndarray, ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """Turns of the direction from each position to a point that walks along the edges."""
    centre = SkyCoord(ra[:, None], dec[:, None], unit=u.deg)
    ends = SkyCoord(*np.vstack([vertices, vertices[:1]]).T, unit=u.deg)
    angle = centre.position_angle(ends).rad
    turn = (np.diff(angle, axis=1) + np.pi) % (2 * np.pi) - np.pi
    return np.asarray(np.rint(turn.sum(axis=1) / (2 * np.pi)).astype(int))


# Circles


@pytest.mark.parametrize("radius", [0.01, 1, 60, 90, 150, 179.9])
@pytest.mark.parametrize("centre", [(0, 0), (359.9, -30), (10, 89.9), (200, -90)])
def test_circle_agrees_with_astropy(centre: tuple[float, float], radius: float) -> None:
    ra, dec = around(*centre, min(180, 2 * radius), 500) if radius < 60 else scattered(500)
    apart = SkyCoord(*centre, unit=u.deg).separation(SkyCoord(ra, dec, unit=u.deg)).deg
    clear = np.abs(apart - radius) > 1e-12
    found = Circle(*centre, radius).contains(ra, dec)
    np.testing.assert_array_equal(found[clear], (apart <= radius)[clear])
    assert found.sum() > 0


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    ra=st.floats(0, 359),
    dec=st.floats(-89, 89),
    radius=st.sampled_from([1e-7, 1e-6, 1e-4]),
    x=st.floats(-1, 1),
    y=st.floats(-1, 1),
)
def test_tiny_circle_is_exact(ra: float, dec: float, radius: float, x: float, y: float) -> None:
    at = ra + x * radius / math.cos(math.radians(dec)), dec + y * radius
    wanted = exact_separation(ra, dec, *at)
    if abs(wanted - radius) > 1e-9 * radius:
        assert Circle(ra, dec, radius).contains(*at) == (wanted <= radius)


def test_circle_of_nothing_and_of_everything() -> None:
    point = Circle(12.3, -45.6, 0)
    assert point.contains(12.3, -45.6)
    assert not point.contains(12.3, -45.6 + 1e-13)
    ra, dec = scattered(1000)
    ra[:2], dec[:2] = (192.3, 12.3), (45.6, -45.6)
    assert Circle(12.3, -45.6, 180).contains(ra, dec).all()


@pytest.mark.parametrize(
    "values",
    [(0, 0, -1), (0, 0, 181), (0, 0, math.nan), (-1, 0, 1), (361, 0, 1), (0, 91, 1), (math.inf, 0, 1)],
)
def test_circle_off_the_sky(values: tuple[float, float, float]) -> None:
    with pytest.raises(PositionError):
        Circle(*values)


def test_ra_360_is_0() -> None:
    assert Circle(360, 1, 2) == Circle(0, 1, 2)
    assert Polygon(((360, 0), (1, 0), (1, 1))).vertices[0] == (0, 0)


# Polygons


@pytest.mark.parametrize("name", POLYGONS)
def test_polygon_agrees_with_the_winding_number(name: str) -> None:
    polygon = POLYGONS[name]
    circle = polygon.bounding_circle()
    ra, dec = scattered(1500) if circle.radius > 30 else around(circle.ra, circle.dec, circle.radius, 1500)
    inside = polygon.contains(ra, dec)
    # The winding number tells the two sides apart; the smaller one is inside.
    number = winding_number(np.array(polygon.vertices), ra, dec)
    sides = [inside == (number == k) for k in np.unique(number)]
    clear = polygon.boundary_distance(ra, dec) > 1e-9
    assert any(side[clear].all() for side in sides)
    if circle.radius < 90:
        assert not polygon.contains((circle.ra + 180) % 360, -circle.dec)


@pytest.mark.parametrize("name", POLYGONS)
def test_polygon_area_by_counting(name: str) -> None:
    polygon = POLYGONS[name]
    assert 0 < polygon.area < SKY / 2
    circle = polygon.bounding_circle()
    if circle.radius < 30:
        ra, dec = around(circle.ra, circle.dec, circle.radius, 40_000)
        # `around` is uniform in the plane: weigh by the sphere's shrinking circles.
        apart = np.radians(Circle(circle.ra, circle.dec, 0).boundary_distance(ra, dec) * 180 / np.pi)
        weight = np.sinc(apart / np.pi)
        whole = circle.area
    else:
        ra, dec = scattered(40_000)
        weight, whole = np.ones(len(ra)), SKY
    share = weight[polygon.contains(ra, dec)].sum() / weight.sum()
    assert share * whole == pytest.approx(
        polygon.area, abs=5 * whole * math.sqrt(share * (1 - share) / 40_000)
    )


def test_polygon_area_of_an_octant_and_of_a_tiny_square() -> None:
    assert POLYGONS["vertex on the pole"].area == pytest.approx(SKY / 8, rel=1e-14)
    side = 1e-6
    tiny = Polygon(((10, 0), (10 + side, 0), (10 + side, side), (10, side)))
    assert tiny.area == pytest.approx(side**2, rel=1e-6)


def test_winding_does_not_matter() -> None:
    ra, dec = scattered(2000)
    for polygon in POLYGONS.values():
        turned = Polygon(polygon.vertices[::-1])
        np.testing.assert_array_equal(polygon.contains(ra, dec), turned.contains(ra, dec))
        assert turned.area == pytest.approx(polygon.area, rel=1e-12)


def test_neighbouring_polygons_share_no_position_and_leave_none() -> None:
    # A fan of triangles around a centre that is itself a vertex of all of them.
    rim = star(30, 50, [20] * 9, start=3).vertices
    parts = [Polygon(((30, 50), rim[i - 1], rim[i])) for i in range(9)]
    ra, dec = around(30, 50, 25, 4000)
    count = np.sum([part.contains(ra, dec) for part in parts], axis=0)
    np.testing.assert_array_equal(count, Polygon(rim).contains(ra, dec).astype(int))


def test_positions_in_line_with_the_vertices_are_counted_once() -> None:
    # The arcs from these positions to the outside run exactly through vertices.
    diamond = Polygon(((0, 10), (10, 0), (0, -10), (350, 0)))
    assert diamond.contains([0, 0, 5, 355, 0], [5, -5, 0, 0, 0]).all()
    assert not diamond.contains([0, 0, 15, 345, 180], [15, -15, 0, 0, 0]).any()


def test_middle_of_a_polygon_is_inside_however_symmetric_it_is() -> None:
    for ra, dec in [(187.7059304, 12.3911231), (0, 90), (0, 0), (10, -45)]:
        for n in (3, 4, 5, 6, 12):
            for size in (1e-5, 1e-2, 10, 80):
                assert star(ra, dec, [size] * n).contains(ra, dec)


def test_polygon_edge_forms_are_the_rule() -> None:
    ra, dec = scattered(500)
    for polygon in POLYGONS.values():
        p = unit_vector(ra, dec)
        f = np.einsum("ekc,nc->nek", polygon.edge_forms, p)
        counted = (f[..., 0] >= 0) & (f[..., 1] > 0) & (f[..., 2] >= 0)
        np.testing.assert_array_equal(counted.sum(axis=1) % 2 == 1, polygon.contains(ra, dec))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    ra=st.floats(0, 360),
    dec=st.floats(-90, 90),
    size=st.sampled_from([1e-6, 1e-3, 1.0, 40.0]),
    radii=st.lists(st.floats(0.2, 1), min_size=5, max_size=12),
)
def test_random_polygons_agree_with_the_winding_number(
    ra: float, dec: float, size: float, radii: list[float]
) -> None:
    polygon = star(ra, dec, [size * r for r in radii])
    x, y = around(ra, dec, 1.1 * size, 100)
    wanted = winding_number(np.array(polygon.vertices), x, y) != 0
    clear = polygon.boundary_distance(x, y) > 1e-6 * math.radians(size) + 1e-14
    np.testing.assert_array_equal(polygon.contains(x, y)[clear], wanted[clear])


@pytest.mark.parametrize(
    ("vertices", "message"),
    [
        ([], "needs three"),
        ([(0, 0), (1, 1)], "needs three"),
        ([(0, 0), (1, 1), (0, 0), (1, 1)], "needs three"),
        ([(0, 0), (10, 0), (0, 10), (10, 10)], "crosses itself"),
        ([(0, 0), (180, 0), (90, 45)], "antipodal"),
        ([(0, 90), (0, -90), (90, 45)], "antipodal"),
        ([(0, 0), (10, 0), (20, 0)], "no area"),
        ([(0, 0), (120, 0), (240, 0)], "half the sky"),
        (
            [(10 + 9e-3 * i, 1 - (i - 500) ** 2 / 5e5) for i in range(1001)],
            "1,001 vertices; 1,000 are allowed",
        ),
        ([(0, 0), (400, 0), (0, 10)], "right ascension"),
        ([(0, 0), (10, 95), (0, 10)], "declination"),
        ([(0, 0), (10, math.nan), (0, 10)], "finite"),
    ],
)
def test_polygons_that_are_none(vertices: list[tuple[float, float]], message: str) -> None:
    with pytest.raises(PositionError, match=message):
        Polygon(tuple(vertices))


def test_closed_and_repeated_vertices_are_dropped() -> None:
    wanted = ((0.0, 0.0), (10.0, 0.0), (0.0, 10.0))
    assert Polygon(((0, 0), (10, 0), (10, 0), (0, 10), (0, 0))).vertices in (
        wanted,
        (wanted[1], wanted[2], wanted[0]),
    )


# Boxes


@pytest.mark.parametrize("values", [(10, 20, 4, 2), (0, 90, 30, 10), (123, -89, 10, 40), (359, 5, 170, 100)])
def test_box_is_what_adql_says(values: tuple[float, float, float, float]) -> None:
    box = Box(*values)
    ra, dec = scattered(2000) if max(values[2:]) > 60 else around(*values[:2], max(values[2:]), 2000)
    there = SkyCoord(ra, dec, unit=u.deg).transform_to(SkyCoord(*values[:2], unit=u.deg).skyoffset_frame())
    # The sides across the horizontal arm are meridians of the offset frame; those across the
    # vertical arm are great circles that meet the central meridian at right angles.
    x, y = there.lon.wrap_at(180 * u.deg).rad, there.lat.rad
    half = np.radians(values[2:]) / 2
    wanted = (np.abs(x) <= half[0]) & (np.abs(np.tan(y)) <= np.tan(half[1]) * np.cos(x))
    np.testing.assert_array_equal(box.contains(ra, dec), wanted)
    assert wanted.any()
    assert not wanted.all()


def test_box_equals_the_polygon_of_its_corners() -> None:
    for values in [(10, 20, 4, 2), (0, 90, 30, 10), (359, 5, 170, 100), (50, -30, 1e-5, 2e-5)]:
        box = Box(*values)
        polygon = Polygon(box.vertices)
        assert box.area == pytest.approx(polygon.area, rel=1e-9)
        ra, dec = around(box.ra, box.dec, box.bounding_circle().radius, 1000)
        np.testing.assert_array_equal(box.contains(ra, dec), polygon.contains(ra, dec))


@pytest.mark.parametrize("values", [(0, 0, 0, 1), (0, 0, 1, 180), (0, 0, 1, math.nan), (0, 100, 1, 1)])
def test_box_off_the_sky(values: tuple[float, float, float, float]) -> None:
    with pytest.raises(PositionError):
        Box(*values)


# Ranges


def test_range_is_an_interval_of_coordinates() -> None:
    ra, dec = scattered(2000)
    found = Range(30, 80, -20, 10).contains(ra, dec)
    np.testing.assert_array_equal(found, (ra >= 30) & (ra <= 80) & (dec >= -20) & (dec <= 10))
    found = Range(350, 10, -20, 10).contains(ra, dec)
    np.testing.assert_array_equal(found, ((ra >= 350) | (ra <= 10)) & (dec >= -20) & (dec <= 10))


def test_range_limits_belong_to_it() -> None:
    found = Range(350, 360, -2, 2)
    assert found.contains([350, 355, 360, 0, -5], [2, -2, 0, 0, 1]).all()
    assert not found.contains([349.999, 0.001, 355], [0, 0, 2.1]).any()
    assert Range(0, 360, -90, 90).contains([0, 360, 123], [-90, 90, 0]).all()


def test_range_with_open_ends() -> None:
    assert Range(-math.inf, math.inf, 89, math.inf) == Range(0, 360, 89, 90)
    assert Range(-math.inf, 10, -math.inf, 0) == Range(0, 10, -90, 0)


def test_range_area() -> None:
    assert Range(0, 360, -90, 90).area == pytest.approx(SKY)
    assert Range(350, 10, 0, 90).area == pytest.approx(SKY / 36)
    assert Range(0, 1e-6, 0, 1e-6).area == pytest.approx(1e-12)


@pytest.mark.parametrize(
    "values",
    [(-5, 5, 0, 1), (0, 361, 0, 1), (0, 1, -91, 1), (0, 1, 5, 1), (math.nan, 1, 0, 1), (0, 1, 0, math.nan)],
)
def test_range_off_the_sky(values: tuple[float, float, float, float]) -> None:
    with pytest.raises(PositionError):
        Range(*values)


# All of them


@pytest.mark.parametrize("name", REGIONS)
def test_positions_that_are_not_finite_are_never_inside(name: str) -> None:
    region = REGIONS[name]
    bad = [math.nan, math.inf, -math.inf]
    assert not region.contains(bad, 0.0).any()
    assert not region.contains(10.0, bad).any()
    assert not region.contains(bad, bad).any()


@pytest.mark.parametrize("name", REGIONS)
def test_contains_keeps_the_shape(name: str) -> None:
    found = REGIONS[name].contains(np.zeros((2, 3)), 1.0)
    assert found.shape == (2, 3)
    assert found.dtype == bool
    assert REGIONS[name].contains(1.0, 2.0).shape == ()
    assert REGIONS[name].contains([], []).shape == (0,)


@pytest.mark.parametrize("name", REGIONS)
def test_bounding_circle_encloses(name: str) -> None:
    region = REGIONS[name]
    circle = region.bounding_circle()
    assert circle.contains(*inside(region)).all()
    corners = region.boundary.corners
    assert circle.contains(corners[:, 0], corners[:, 1]).all()


def test_regions_are_values() -> None:
    assert Circle(1, 2, 3) == Circle(1.0, 2.0, 3.0)
    assert len({Box(1, 2, 3, 4), Box(1, 2, 3, 4), Circle(1, 2, 3)}) == 2
    polygon = POLYGONS["square"]
    assert hash(polygon) == hash(Polygon(polygon.vertices))
