"""Pictures of images that other programs find hard, and positions of tables that say little."""

import warnings
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import MaskedColumn, Table
from astropy.wcs import WCS

from awe.client import positions
from awe.client.picture import show
from awe.errors import NotFoundError


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    mpl.use("agg")
    yield
    from matplotlib import pyplot as plt

    plt.close("all")


def image(shape: tuple[int, ...], first: str = "RA---TAN", second: str = "DEC--TAN") -> fits.PrimaryHDU:
    header = fits.Header(
        {"CTYPE1": first, "CTYPE2": second, "CRVAL1": 187.7, "CRVAL2": 12.4, "CRPIX1": 10.0, "CRPIX2": 8.0}
    )
    header["CDELT1"], header["CDELT2"] = -1e-4, 1e-4
    return fits.PrimaryHDU(np.random.default_rng(1).normal(size=shape).astype(np.float32), header)


@pytest.mark.slow
def test_of_a_cube_the_plane_in_the_middle_is_drawn() -> None:
    hdu = image((3, 20, 30))
    axes: Any = show(fits.HDUList([hdu]), SkyCoord(187.7, 12.4, unit="deg"))
    np.testing.assert_array_equal(axes.images[0].get_array(), hdu.data[1])
    np.testing.assert_allclose(axes.collections[0].get_offsets(), [[9.0, 7.0]], atol=1e-6)


def test_coordinates_are_called_what_they_are() -> None:
    hdu = image((20, 30), "GLON-TAN", "GLAT-TAN")
    axes: Any = show(hdu, SkyCoord(187.7, 12.4, unit="deg", frame="galactic"))
    assert axes.coords[0].get_axislabel() == "Galactic longitude"
    np.testing.assert_allclose(axes.collections[0].get_offsets(), [[9.0, 7.0]], atol=1e-6)


def test_an_image_without_contrast_and_limits_of_ones_own() -> None:
    hdu = image((20, 30))
    hdu.data[:] = 0
    hdu.data[3, 4] = 8
    assert show(hdu).images[0].get_clim() == (0, 8)
    assert show(hdu, limits=(-1, 2)).images[0].get_clim() == (-1, 2)


def test_cards_that_break_the_standard_are_no_bother() -> None:
    hdu = image((20, 30))
    text = hdu.header.tostring().replace("RADESYS", "RADECSYS")
    hdu.header = fits.Header.fromstring(text.replace("-0.0001", "-1e-04 "))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        axes: Any = show(hdu)
    assert isinstance(axes.wcs, WCS)


def test_a_file_without_an_image_of_the_sky() -> None:
    with pytest.raises(NotFoundError, match=r"no image to draw: .*no celestial"):
        show(fits.HDUList([fits.PrimaryHDU(np.zeros((3, 3)))]))


def test_a_masked_position_is_nowhere() -> None:
    table = Table({"ra_deg": MaskedColumn([10.0, 20.0], mask=[False, True]), "dec_deg": [1.0, 2.0]})
    found = positions(table)
    assert found[0].ra.deg == 10.0
    assert np.isnan(found[1].ra.deg)
    with pytest.raises(NotFoundError, match="no position columns"):
        positions(Table({"ra": [1.0], "decl": [2.0]}))
