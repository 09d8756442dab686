"""Columns of shapes: do they meet, does one lie within the other, against answers found in other ways.

Convex polygons are cones of directions: whether two have a ray in common is a linear programme, whether a
vertex is in one a problem of least squares. Whether a position is in any polygon is a sum of angles in extended
precision. None of these knows planes of projection, crossings of edges or circles around.
"""

import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import linprog, nnls
from tests.core.sky.sky_samples import REGIONS, around, inside, star

from awe.core.sky import (
    Box,
    Circle,
    Polygon,
    Range,
    Region,
    Shapes,
    encloses,
    meet,
    numbers_of,
    separation,
    shape_of,
    unit_vector,
    within,
)

PLACES = [
    (0.0, 90.0),
    (123.0, -90.0),
    (0.0, 0.0),
    (359.9999, 45.0),
    (187.7, 12.4),
    (180.0, -60.0),
    (77.0, 89.7),
]
SIZES = [1e-5, 1e-3, 0.1, 3.0, 25.0, 60.0]


def column(shapes: list[list[float]]) -> Shapes:
    return Shapes(np.array([x for s in shapes for x in s], float), np.array([len(s) for s in shapes]))


def answers(relation: object, one: list[list[float]], other: list[list[float]]) -> list[int]:
    rows = np.arange(len(one))
    return relation(column(one), rows, column(other), rows).tolist()  # type: ignore[operator, no-any-return]


def ring(ra: float, dec: float, radius: float, turns: npt.ArrayLike) -> list[float]:
    """Positions on a circle, at fractions of a turn: the vertices of a convex polygon."""
    angles = 2 * np.pi * np.asarray(turns, np.longdouble)
    r, lon, lat = (np.radians(np.longdouble(x)) for x in (radius, ra, dec))
    centre = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    east = np.array([-np.sin(lon), np.cos(lon), 0 * lon])
    north = np.cross(centre, east)
    out = np.cos(r) * centre + np.sin(r) * (np.sin(angles)[:, None] * east + np.cos(angles)[:, None] * north)
    lons = np.degrees(np.arctan2(out[:, 1], out[:, 0])) % 360
    lats = np.degrees(np.arctan2(out[:, 2], np.hypot(out[:, 0], out[:, 1])))
    return [float(x) for pair in zip(lons, lats, strict=True) for x in pair]


def convex(rng: np.random.Generator, ra: float, dec: float, radius: float) -> list[float]:
    turns = np.sort(rng.uniform(0, 1, rng.integers(3, 7)))
    return ring(ra, dec, radius, turns if rng.random() < 0.5 else turns[::-1])


def vectors(numbers: list[float]) -> np.ndarray:
    found: np.ndarray = unit_vector(numbers[::2], numbers[1::2])
    return found


def cones_meet(one: list[float], other: list[float]) -> bool:
    """Is a positive sum of the one's vertices a positive sum of the other's?"""
    a, b = vectors(one), vectors(other)
    sums = np.vstack([np.hstack([a.T, -b.T]), np.hstack([np.ones(len(a)), np.zeros(len(b))])])
    # small polygons: differences in the plane across their middle are what counts
    scale = max(np.linalg.norm(a - a[0], axis=1).max(), np.linalg.norm(b - b[0], axis=1).max())
    middle = a.sum(axis=0) / np.linalg.norm(a.sum(axis=0))
    side = np.linalg.svd(middle[None])[2][1:] / scale
    turn = np.vstack([middle, side])
    sums = np.vstack([turn @ sums[:3], sums[3]])
    return bool(linprog(np.zeros(len(a) + len(b)), A_eq=sums, b_eq=[0, 0, 0, 1], method="highs").status == 0)


def in_cone(point: np.ndarray, polygon: list[float]) -> bool:
    corners = vectors(polygon)
    scale = np.linalg.norm(corners - corners[0], axis=1).max()
    middle = corners.sum(axis=0) / np.linalg.norm(corners.sum(axis=0))
    turn = np.vstack([middle, np.linalg.svd(middle[None])[2][1:] / scale])
    return bool(
        nnls(turn @ corners.T, turn @ point)[1] < 1e-10 * max(1.0, float(np.linalg.norm(turn @ point)))
    )


def winding(point: tuple[float, float], polygon: list[float]) -> bool:
    """Do the directions from a position to the vertices turn around it? Extended precision."""
    lon, lat = (np.radians(np.array(polygon[k::2], np.longdouble)) for k in (0, 1))
    here_lon, here_lat = np.radians(np.longdouble(point[0])), np.radians(np.longdouble(point[1]))
    east = np.cos(lat) * np.sin(lon - here_lon)
    north = np.cos(here_lat) * np.sin(lat) - np.sin(here_lat) * np.cos(lat) * np.cos(lon - here_lon)
    bearing = np.arctan2(east, north)
    steps = np.remainder(np.roll(bearing, -1) - bearing + np.pi, 2 * np.pi) - np.pi
    middle = vectors(polygon).sum(axis=0)
    return abs(float(steps.sum())) > 3 and float(middle @ unit_vector(*point)) > 0


@pytest.mark.parametrize("place", PLACES)
def test_positions_in_polygons_of_any_form(place: tuple[float, float]) -> None:
    rng = np.random.default_rng(int(place[0]))
    points, polygons, wanted = [], [], []
    for size in SIZES:
        for _ in range(6):
            radii = rng.uniform(0.2, 1, rng.integers(3, 12)) * size
            polygon = [x for v in star(*place, radii.tolist(), rng.uniform(0, 360)).vertices for x in v]
            for ra, dec in zip(*around(*place, size * 1.1, 12, int(rng.integers(1 << 30))), strict=True):
                points.append([float(ra), float(dec)])
                polygons.append(polygon)
                wanted.append(int(winding((ra, dec), polygon)))
    assert answers(within, points, polygons) == wanted
    assert answers(meet, polygons, points) == wanted
    assert 0.2 < np.mean(wanted) < 0.8


@pytest.mark.parametrize("place", PLACES)
def test_convex_polygons_meet_and_lie_within(place: tuple[float, float]) -> None:
    rng = np.random.default_rng(5)
    ones, others = [], []
    for size in SIZES:
        for _ in range(8):
            (ra, dec) = (
                float(x[0]) for x in around(*place, min(1.4 * size, 80), 1, int(rng.integers(1 << 30)))
            )
            ones.append(convex(rng, *place, size))
            others.append(convex(rng, ra, dec, float(size * 10 ** rng.uniform(-1.5, 0))))
    wanted = [int(cones_meet(a, b)) for a, b in zip(ones, others, strict=True)]
    assert answers(meet, ones, others) == wanted
    assert answers(meet, others, ones) == wanted
    held = [int(all(in_cone(v, a) for v in vectors(b))) for a, b in zip(ones, others, strict=True)]
    assert answers(within, others, ones) == held
    assert 0 < sum(wanted) < len(wanted)
    assert sum(held) > 0


@pytest.mark.parametrize("place", PLACES)
def test_circles_and_polygons(place: tuple[float, float]) -> None:
    rng = np.random.default_rng(9)
    turns = np.linspace(0, 1, 241)[:-1]
    for size in SIZES:
        for _ in range(2):
            polygon = convex(rng, *place, size)
            ra, dec = (
                float(x[0]) for x in around(*place, min(1.5 * size, 80), 1, int(rng.integers(1 << 30)))
            )
            radius = float(size * rng.uniform(0.05, 1.2))
            edge = ring(ra, dec, radius, turns)
            on_edge = [in_cone(v, polygon) for v in vectors(edge)]
            centre_in = in_cone(unit_vector(ra, dec), polygon)
            corners = vectors(polygon)
            to_corners = separation(ra, dec, polygon[::2], polygon[1::2])
            (met,), (held,) = (
                answers(meet, [polygon], [[ra, dec, radius]]),
                answers(within, [[ra, dec, radius]], [polygon]),
            )
            assert met >= int(centre_in or any(on_edge) or (to_corners <= radius).any())
            assert held <= int(centre_in and all(on_edge))
            # where the sampled edge does not decide, it is closer than its samples are apart
            if met and not (centre_in or any(on_edge)):
                a, b, here = corners, np.roll(corners, -1, axis=0), unit_vector(ra, dec)
                steps = np.linspace(0, 1, 2001)[:, None, None]
                sides = a + steps * (b - a)
                sides /= np.linalg.norm(sides, axis=2, keepdims=True)
                assert (
                    np.linalg.norm(sides - here, axis=2).min()
                    <= 2 * math.sin(math.radians(radius) / 2) * 1.01
                )
            (covered,) = answers(within, [polygon], [[ra, dec, radius]])
            if radius < 89:
                assert covered == int((to_corners <= radius).all())


def test_circles_larger_than_a_hemisphere() -> None:
    polygon = [x for v in star(190, 5, [4, 3, 5, 4, 2]).vertices for x in v]
    far = [x for v in star(10, -5, [4, 3, 5, 4, 2]).vertices for x in v]
    assert answers(within, [polygon, far, far], [[10, -5, 170], [10, -5, 170], [10, -5, 3]]) == [0, 1, 0]
    assert answers(within, [[10, -5, 170], [0, 0, 20]], [[10, -5, 180], [90, 0, 180]]) == [1, 1]
    assert answers(within, [[0, 0, 100]], [[0, 0, 99]]) == [0]
    assert answers(within, [[180, 0, 5], [180, 0, 5]], [[0, 0, 175], [0, 0, 174]]) == [0, 0]
    assert answers(within, [[169, 0, 5], [171, 0, 5]], [[0, 0, 175], [0, 0, 175]]) == [1, 0]


NAMES = list(REGIONS)


@pytest.mark.slow
def test_all_kinds_agree_with_single_regions() -> None:
    regions = [REGIONS[name] for name in NAMES]
    shapes = column([numbers_of(region) for region in regions])
    i, j = (x.ravel() for x in np.meshgrid(np.arange(len(NAMES)), np.arange(len(NAMES)), indexing="ij"))
    met = meet(shapes, i, shapes, j).reshape(len(NAMES), -1)
    held = within(shapes, i, shapes, j).reshape(len(NAMES), -1)
    for a, one in enumerate(regions):
        points = inside(one)
        for b, other in enumerate(regions):
            pair = (NAMES[a], NAMES[b])
            assert met[a, b] == one.intersects(other), pair
            assert held[a, b] == encloses(other, one), pair
            if held[a, b]:
                ra, dec = points
                outside = ~other.contains(ra, dec)
                assert (other.boundary_distance(ra[outside], dec[outside]) < 1e-12).all(), pair
    assert (met == met.T).all()
    assert (np.diag(held) == 1).all()


TOUCHING: list[tuple[list[float], list[float], int, int]] = [
    # corner to corner, side to side, corner on a side
    ([0, 0, 10, 0, 10, 10], [10, 10, 20, 20, 10, 20], 1, 0),
    ([0, 0, 10, 0, 10, 10, 0, 10], [10, 0, 20, 0, 20, 10, 10, 10], 1, 0),
    ([0, 0, 10, 0, 0, 10], [5, 0, 6, -5, 4, -5], 1, 0),
    # a part with a side in common
    ([0, 0, 5, 0, 5, 5], [0, 0, 10, 0, 10, 10], 1, 1),
    ([0, 0, 5, 0, 5, 5.1], [0, 0, 10, 0, 10, 10], 1, 0),
    ([0, 0, 5, 0, 10, 0, 5, 2], [0, 0, 10, 0, 10, 10, 0, 10], 1, 1),
    # through a notch whose corner is on the side: in and out again
    ([2, 0, 8, 0, 5, 4], [0, 0, 5, 0, 10, 0, 10, 10, 0, 10], 1, 1),
    ([2, 1, 8, 1, 5, -4], [0, 0, 10, 0, 10, 10, 0, 10], 1, 0),
    # repeated and closing vertices mean nothing
    ([0, 0, 0, 0, 10, 0, 10, 10, 0, 0], [1, 0.2, 2, 0.2, 2, 0.4], 1, 0),
    ([1, 0.2, 2, 0.2, 2, 0.4, 1, 0.2], [0, 0, 0, 0, 10, 0, 10, 10, 0, 0], 1, 1),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "met", "held"), TOUCHING)
def test_what_touches(one: list[float], other: list[float], met: int, held: int) -> None:
    assert answers(meet, [one], [other]) == [met]
    assert answers(meet, [other], [one]) == [met]
    assert answers(within, [one], [other]) == [held]
    assert answers(within, [one], [one]) == [1]


def test_corners_and_edges_belong() -> None:
    polygon = [0.0, 0.0, 10.0, 0.0, 10.0, 10.0, 0.0, 10.0]
    on_edge = [[0.0, 0], [10.0, 0], [10.0, 10], [0.0, 10], [5.0, 0], [10.0, 5], [0.0, 5]]
    assert answers(within, on_edge, [polygon] * 7) == [1] * 7
    region = Polygon(((0, 0), (10, 0), (10, 10), (0, 10)))
    assert region.contains(*np.array(on_edge, float).T).all()
    box = Box(10, 0, 4, 2)
    assert box.contains(*np.array(box.vertices).T).all()


UNDEFINED = [
    [], [1.0], [1, 91], [1, 2, -1], [1, 2, 181], [math.nan, 2], [1, math.inf], [0, 1, 5, 2], [0, 1, -95, 2],
    [1, 2, 3, 4, 5], [0, 0, 1, 0, 1, 91], [0, 0, 1, 0, 1, 1, 2], [0, 0, 1, math.nan, 1, 1],
]  # fmt: skip


@pytest.mark.parametrize("numbers", UNDEFINED)
def test_what_is_no_shape_gives_no_answer(numbers: list[float]) -> None:
    for other in ([1.0, 2.0], [1.0, 2.0, 3.0], [0.0, 0.0, 1.0, 0.0, 1.0, 1.0]):
        assert answers(meet, [numbers], [other]) == [-1]
        assert answers(within, [other], [numbers]) == [-1]
    assert np.isnan(column([numbers]).areas()).all()
    assert np.isnan(column([numbers]).centroids()).all()


def test_areas_and_centroids() -> None:
    regions = [REGIONS[name] for name in NAMES]
    shapes = column([numbers_of(region) for region in regions])
    np.testing.assert_allclose(shapes.areas(), [region.area for region in regions], rtol=1e-9, atol=1e-25)
    for name, region, (ra, dec) in zip(NAMES, regions, shapes.centroids(), strict=True):
        if name in {"strip", "all of it"}:
            assert np.isnan(ra)
        else:
            check_centroid(region, ra, dec)


def check_centroid(region: Region, ra: float, dec: float) -> None:
    """The mean of many positions in a region points to its centroid."""
    circle = region.bounding_circle()
    count = 40_000
    if circle.radius > 60:
        z = 1 - (2 * np.arange(count) + 1) / count
        points = np.stack([np.arange(count) * 137.50776405 % 360, np.degrees(np.arcsin(z))])
    else:
        points = np.stack(around(circle.ra, circle.dec, circle.radius, count, 3))
    points = points[:, region.contains(*points)]
    if points.shape[1] < 500:  # without an area: a position or a line
        return
    mean = unit_vector(*points).mean(axis=0)
    if np.linalg.norm(mean) > 0.05:
        lon, lat = (
            np.degrees(np.arctan2(mean[1], mean[0])),
            np.degrees(np.arctan2(mean[2], np.hypot(*mean[:2]))),
        )
        assert separation(ra, dec, lon, lat) < 0.06 * circle.radius, region


@pytest.mark.parametrize("size", [1e-8, 1e-6, 1e-4, 0.01, 1.0])
def test_centroids_of_small_regular_polygons_are_their_centres(size: float) -> None:
    for ra, dec in [(10.0, 20.0), (0.0, 0.0), (359.5, -80.0), (200.0, 89.0)]:
        found = column([ring(ra, dec, size, np.arange(5) / 5)]).centroids()[0]
        assert separation(ra, dec, *found) < max(1e-5 * size, 1e-13)


def test_numbers_and_regions_are_the_same() -> None:
    for region in REGIONS.values():
        again = shape_of(numbers_of(region))
        assert isinstance(again, (Circle, Polygon, Range))
        assert again.area == pytest.approx(region.area, rel=1e-9, abs=1e-25)
