import numpy as np
import pytest

from awe.core.sky import Box, Circle, Polygon
from awe.core.vo import sia1

SQUARE = Polygon(((10.0, 0.0), (11.0, 0.0), (11.0, 1.0), (10.0, 1.0)))


@pytest.mark.parametrize(
    ("wanted", "overlaps", "covers", "enclosed", "center"),
    [
        (Circle(10.5, 0.5, 0.1), True, True, False, True),
        (Circle(10.5, 0.5, 2.0), True, False, True, True),
        (Circle(10.9, 0.5, 0.2), True, False, False, False),
        (Circle(12.0, 0.5, 0.2), False, False, False, False),
        (Box(10.5, 0.5, 0.2, 0.2), True, True, False, True),
        (Circle(10.2, 0.2, 0.0), True, True, False, False),
    ],
)
def test_intersect(wanted: Circle | Box, overlaps: bool, covers: bool, enclosed: bool, center: bool) -> None:
    said = {
        how: sia1.matches(how, wanted, SQUARE, 10.5, 0.5)
        for how in ("OVERLAPS", "COVERS", "ENCLOSED", "CENTER")
    }
    assert said == {"OVERLAPS": overlaps, "COVERS": covers, "ENCLOSED": enclosed, "CENTER": center}


def test_without_a_footprint_the_centre_counts() -> None:
    assert sia1.matches("OVERLAPS", Circle(10, 0, 1), None, 10.5, 0.0)
    assert not sia1.matches("OVERLAPS", Circle(10, 0, 0.1), None, 10.5, 0.0)


def test_the_region_of_a_request() -> None:
    assert sia1.region((10.0, 20.0), (0.0, 0.0)) == Circle(10.0, 20.0, 0.0)
    assert sia1.region((10.0, 20.0), (360.0, 180.0)) == Circle(10.0, 20.0, 180.0)
    box = sia1.region((10.0, 60.0), (1.0, 2.0))
    # the width is that on the sky, so at 60 degrees the box is two degrees of right ascension wide
    ra = np.array([10.0 + 0.98, 10.0 + 1.02, 10.0, 10.0])
    dec = np.array([60.0, 60.0, 60.99, 61.01])
    assert box.contains(ra, dec).tolist() == [True, False, True, False]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((), None),
        (("ALL",), None),
        (("image/fits",), ("image/fits",)),
        (("graphic",), ("image/png", "image/jpeg", "image/gif")),
    ],
)
def test_formats(given: tuple[str, ...], expected: tuple[str, ...] | None) -> None:
    assert sia1.media_types(given) == expected
