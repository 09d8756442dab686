"""Cells of the Hierarchical Triangular Mesh."""

import numpy as np
import pytest

from awe.core.sky import htm_index, separation, unit_vector

Triangle = tuple[np.ndarray, np.ndarray, np.ndarray]


def corners(index: int) -> Triangle:
    """Return the corners of a triangle, by the definition: divided from the root down."""
    digits: list[int] = []
    while index >= 16:
        digits.append(index % 4)
        index //= 4
    top, bottom = np.array([0.0, 0, 1]), np.array([0.0, 0, -1])
    x, y = np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
    roots: list[Triangle] = [
        (x, bottom, y), (y, bottom, -x), (-x, bottom, -y), (-y, bottom, x),
        (x, top, -y), (-y, top, -x), (-x, top, y), (y, top, x),
    ]  # fmt: skip
    a, b, c = roots[index - 8]
    for digit in reversed(digits):
        w0, w1, w2 = ((p + q) / np.linalg.norm(p + q) for p, q in ((b, c), (a, c), (a, b)))
        a, b, c = [(a, w2, w1), (b, w0, w2), (c, w1, w0), (w0, w1, w2)][digit]
    return a, b, c


@pytest.mark.parametrize("level", [0, 3, 12, 20])
def test_a_place_is_in_its_triangle(level: int) -> None:
    rng = np.random.default_rng(4)
    ra, dec = rng.uniform(0, 360, 200), np.degrees(np.arcsin(rng.uniform(-1, 1, 200)))
    ra[:4], dec[:4] = [0, 90, 180, 12.5], [0, 90, -90, 0]
    found = htm_index(ra, dec, level)
    assert ((found >> 2 * level >= 8) & (found >> 2 * level < 16)).all()
    for index, place in zip(found, unit_vector(ra, dec).reshape(-1, 3), strict=True):
        a, b, c = corners(int(index))
        assert all(np.dot(np.cross(p, q), place) > -1e-12 for p, q in ((a, b), (b, c), (c, a)))


def test_each_level_divides_the_one_above() -> None:
    rng = np.random.default_rng(5)
    ra, dec = rng.uniform(0, 360, 3000), rng.uniform(-90, 90, 3000)
    for level in range(1, 10):
        assert (htm_index(ra, dec, level) // 4 == htm_index(ra, dec, level - 1)).all()
    cells, counts = np.unique(htm_index(ra, dec, 2), return_counts=True)
    assert len(cells) == 8 * 16
    assert counts.max() < 300


def test_numbers_and_arrays() -> None:
    assert htm_index(195.0, 2.5, 20).shape == ()
    assert htm_index([[1.0, 2.0]], 3.0, 6).shape == (1, 2)
    # a cell of level 20 is about a third of an arcsecond wide
    near = htm_index([10.0, 10.0 + 1e-9], [20.0, 20.0], 20)
    assert near[0] == near[1]
    assert float(separation(*_centre(int(near[0])), 10.0, 20.0)) * 3600 < 0.4
    with pytest.raises(ValueError, match="level from 0 to 24"):
        htm_index(1.0, 2.0, 25)


def _centre(index: int) -> tuple[float, float]:
    x, y, z = sum(corners(index))  # type: ignore[misc]
    return float(np.degrees(np.arctan2(y, x)) % 360), float(np.degrees(np.arctan2(z, np.hypot(x, y))))
