import numpy as np
import pytest
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.science.conftest import header, sip, tangent

from awe.core.science.celestial import ImageWCS, image_wcs
from awe.core.sky import Circle

SHAPE = (300, 400)


def image(wcs: WCS) -> ImageWCS:
    return image_wcs(header(wcs), SHAPE)


def around(ra: float, dec: float, radius: float, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Return points of a circle by rotating one of them around its centre."""
    t = np.linspace(0, 2 * np.pi, points, endpoint=False)
    a, d, r = np.radians([ra, dec, radius])
    centre = np.array([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])
    east = np.array([-np.sin(a), np.cos(a), 0.0])
    north = np.cross(centre, east)
    v = centre * np.cos(r) + np.sin(r) * (np.outer(np.cos(t), north) + np.outer(np.sin(t), east))
    return np.degrees(np.arctan2(v[:, 1], v[:, 0])) % 360, np.degrees(np.arcsin(np.clip(v[:, 2], -1, 1)))


@pytest.mark.slow
@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    ra=st.floats(0, 359.9),
    dec=st.sampled_from([-90.0, -89.99, -45.0, 0.0, 12.39, 89.9999, 90.0]),
    angle=st.floats(0, 6.2),
    scale=st.sampled_from([0.05 / 3600, 1 / 3600, 60 / 3600]),
    x=st.floats(0, 399),
    y=st.floats(0, 299),
    radius=st.floats(0, 300),
)
def test_circles_reach_as_far_as_their_points(
    ra: float, dec: float, angle: float, scale: float, x: float, y: float, radius: float
) -> None:
    found = image(tangent(ra, dec, SHAPE, angle=angle, scale=scale))
    assert found.gnomonic is not None
    east, north = (float(value[0]) for value in found.to_sky([x], [y]))
    extent = found.gnomonic.extent(Circle(east, north, radius * scale))
    assert extent is not None
    outline = found.to_pixel(*around(east, north, radius * scale, 4096))
    for (low, high), values in zip(extent, outline, strict=True):
        assert low == pytest.approx(values.min(), abs=1e-6 * radius + 1e-5)
        assert high == pytest.approx(values.max(), abs=1e-6 * radius + 1e-5)


def test_other_images_have_no_such_map() -> None:
    assert image(sip(tangent())).gnomonic is None
    assert image(tangent(projection="SIN")).gnomonic is None
    assert image(tangent(frame="FK5")).gnomonic is None


def test_the_pole_may_be_turned() -> None:
    turned = header(tangent())
    turned["LONPOLE"] = 77.0
    found = image_wcs(turned, SHAPE)
    assert found.gnomonic is not None
    there = np.array([187.7, 187.702]), np.array([12.391, 12.39])
    np.testing.assert_allclose(found.gnomonic.to_pixel(*there), found.to_pixel(*there), atol=1e-6)


def test_latitude_may_come_first() -> None:
    swapped = WCS(naxis=2)
    swapped.wcs.ctype = ["DEC--TAN", "RA---TAN"]
    swapped.wcs.crval, swapped.wcs.crpix, swapped.wcs.cdelt = [12.39, 187.7], [10.0, 20.0], [1e-4, 2e-4]
    found = image(swapped)
    assert found.gnomonic is not None
    np.testing.assert_allclose(
        found.gnomonic.to_pixel(np.array([187.7, 187.75]), np.array([12.39, 12.3])),
        found.to_pixel([187.7, 187.75], [12.39, 12.3]),
        atol=1e-6,
    )


def test_circles_far_from_the_tangent_point_are_left_to_others() -> None:
    plane = image(tangent()).gnomonic
    assert plane is not None
    assert plane.extent(Circle(187.7, 12.39, 46.0)) is None
    assert plane.extent(Circle(187.7, 80.0, 1.0)) is None
    assert plane.extent(Circle(7.7, -12.39, 1.0)) is None
