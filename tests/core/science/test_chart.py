"""Charts against astropy's own projection and interpolation."""

import io
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from PIL import Image
from reproject import reproject_interp
from tests.core.science.conftest import Writer, header, noise, sip, tangent

from awe.core.science.chart import Frame, charted
from awe.core.science.chart_drawing import Look, Marks, draw_chart
from awe.core.science.fitsfile import open_fits
from awe.core.science.images import science_images
from awe.core.science.planes import section_of


def wcs_of(frame: Frame) -> WCS:
    """Return a chart's projection as FITS has it: rows from the top."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [frame.ra, frame.dec]
    wcs.wcs.crpix = [(frame.width + 1) / 2, (frame.height + 1) / 2]
    wcs.wcs.cdelt = [-frame.scale / 3600, -frame.scale / 3600]
    return wcs


@pytest.mark.parametrize(("ra", "dec"), [(10.0, 0.0), (0.001, -45.0), (359.9999, 89.99), (120.0, -90.0)])
def test_the_projection(ra: float, dec: float) -> None:
    frame = Frame(ra, dec, 7.3, 301, 200)
    rows, columns = np.arange(200), np.arange(301)
    found = frame.sky(rows, columns)
    x, y = np.meshgrid(columns, rows)
    np.testing.assert_allclose(frame.places(*found), (x, y), atol=1e-6)
    back = wcs_of(frame).all_world2pix(np.column_stack([v.ravel() for v in found]), 0)
    np.testing.assert_allclose(back.T.reshape(2, 200, 301), (x, y), atol=1e-6)
    assert frame.around.contains(*found).all()
    behind = frame.places(np.array([(ra + 180) % 360]), np.array([-dec]))
    assert np.isnan(behind).all()


def test_values_are_those_of_reproject(write: Writer) -> None:
    image = noise()
    image[150:160, 200:210] = np.nan
    path = write(fits.PrimaryHDU(image, header(sip(tangent()))))
    frame = Frame(187.7001, 12.3902, 0.04, 260, 180)
    values, weights = chart_of(path, frame)
    with fits.open(path) as hdus:
        wanted, _ = reproject_interp((image, WCS(hdus[0].header)), wcs_of(frame), (180, 260))
    both = np.isfinite(wanted) & (weights > 0)
    assert both.mean() > 0.95
    np.testing.assert_allclose(values[both], wanted[both], rtol=2e-3)
    assert (weights[np.isnan(wanted)] == 0).mean() > 0.5  # beside what is missing half a pixel is known


def test_coarse_pixels_are_means(write: Writer) -> None:
    image = noise((300, 400))
    wcs = tangent(angle=0.0)
    path = write(fits.PrimaryHDU(image, header(wcs)))
    ra, dec = (float(v) for v in wcs.all_pix2world(199.5, 149.5, 0))
    values, _ = chart_of(path, Frame(ra, dec, 0.5, 40, 30))
    blocks = image.reshape(30, 10, 40, 10).mean(axis=(1, 3))[::-1].astype(float)
    np.testing.assert_allclose(values[2:-2, 2:-2], blocks[2:-2, 2:-2], rtol=1e-3)
    assert values[2:-2, 2:-2].std() < 15  # a tenth of the noise of one pixel


def test_a_chart_that_misses_the_image_has_nothing(write: Writer) -> None:
    path = write(fits.PrimaryHDU(noise(), header(tangent())))
    with open_fits(path) as hdus:
        assert charted(Frame(10.0, 10.0, 1.0, 64, 64), section_of(hdus[0]), science_images(hdus)[0]) is None


def test_pictures() -> None:
    frame = Frame(10.0, 20.0, 1.0, 64, 48)
    ramp = np.tile(np.linspace(0.0, 1.0, 64), (48, 1))
    ramp[:10] = np.nan
    for bands in ([ramp], [ramp, ramp], [ramp, ramp, ramp[:, ::-1]]):
        pixels = np.asarray(Image.open(io.BytesIO(draw_chart(frame, bands))))
        assert pixels.shape == (48, 64, 3)
        assert pixels[:8].max() < 16
    red, _, blue = pixels[30, 4]
    assert int(red) > int(blue) + 100  # the last band, of the longest wavelengths, is red
    inverted = np.asarray(Image.open(io.BytesIO(draw_chart(frame, [ramp], Look(inverted=True)))))
    assert inverted[:8].min() > 240
    mark = Marks("square", np.array([10.0]), np.array([20.0]))
    marked = np.asarray(Image.open(io.BytesIO(draw_chart(frame, [np.zeros((48, 64))], marks=[mark]))))
    places = np.argwhere(marked[..., 0] > 150)
    np.testing.assert_allclose(places.mean(axis=0), (23.5, 31.5), atol=1.0)


def chart_of(path: Path, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    with open_fits(path) as hdus:
        found = charted(frame, section_of(hdus[0]), science_images(hdus)[0])
    assert found is not None
    return found
