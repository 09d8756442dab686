import io
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.visualization import ZScaleInterval
from PIL import Image
from tests.core.science.conftest import Writer, header, noise, tangent

from awe.core.science import planes as module
from awe.core.science.layout import Layout, Reader
from awe.core.science.preview import preview
from awe.core.science.source import open_local
from awe.core.sky import Circle
from awe.errors import ParameterError


def drawn(path: Path, **options: Any) -> bytes | None:
    with open_local(path) as source:
        return preview(Layout.read(source), Reader(source), **options)


def draw(path: Path, **options: Any) -> np.ndarray:
    """Return the picture as rows from the bottom, grey and alpha."""
    raw = drawn(path, **options)
    assert raw is not None
    picture = Image.open(io.BytesIO(raw))
    assert (picture.format, picture.mode) == ("PNG", "LA")
    return np.asarray(picture)[::-1]


def test_it_is_the_z_scaled_image(write: Writer) -> None:
    pixels = noise()
    found = draw(write(fits.ImageHDU(pixels, header(tangent()))))
    low, high = ZScaleInterval(n_samples=10_000).get_limits(pixels)
    peer = np.round(255 * np.clip((pixels - low) / (high - low), 0, 1))
    np.testing.assert_allclose(found[..., 0], peer, atol=1)
    assert (found[..., 1] == 255).all()


def test_blocks_are_averaged_and_missing_data_transparent(
    write: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = noise()
    pixels[:100, :200] = np.nan
    pixels[150, 210] = np.nan
    monkeypatch.setattr(module, "_STRIP_PIXELS", 5000)
    found = draw(write(fits.ImageHDU(pixels, header(tangent()))), size=100)
    assert found.shape == (75, 100, 2)
    assert (found[:25, :50, 1] == 0).all()
    assert (found[25:, :, 1] == 255).all()
    means = np.nanmean(pixels.reshape(75, 4, 100, 4)[25:], axis=(1, 3))
    order = np.argsort(means.ravel())
    assert (np.diff(found[25:, :, 0].ravel()[order].astype(int)) >= 0).all()


def test_nothing_but_nan_is_a_transparent_picture(write: Writer) -> None:
    found = draw(write(fits.ImageHDU(np.full((30, 40), np.nan, np.float32), header(tangent(shape=(30, 40))))))
    assert (found[..., 1] == 0).all()


def test_a_constant_image_is_no_fault(write: Writer) -> None:
    found = draw(write(fits.ImageHDU(np.full((30, 40), 5.0, np.float32), header(tangent(shape=(30, 40))))))
    assert (found[..., 1] == 255).all()


def test_scaled_integers_and_blanks(write: Writer) -> None:
    hdu = fits.ImageHDU(noise(dtype=np.int16), header(tangent()))
    hdu.header["BLANK"] = int(hdu.data[5, 7])
    blank = hdu.data == hdu.data[5, 7]
    found = draw(write(hdu))
    np.testing.assert_array_equal(found[..., 1] == 0, blank)


def test_a_region_and_a_stretch(write: Writer) -> None:
    path = write(fits.CompImageHDU(noise(), header(tangent()), compression_type="GZIP_2", quantize_level=0))
    region = Circle(187.7, 12.39, 2.0 / 3600)
    linear, bent = draw(path, region=region), draw(path, region=region, stretch="asinh")
    assert linear.shape == bent.shape == (80, 80, 2)
    assert bent[..., 0].mean() > linear[..., 0].mean()
    assert drawn(path, region=Circle(10.0, 10.0, 0.1)) is None


def test_the_middle_plane_of_a_cube(write: Writer) -> None:
    cube = np.zeros((5, 30, 40), np.float32)
    cube[2] = noise((30, 40))
    flat = draw(write(fits.ImageHDU(cube[2], header(tangent(shape=(30, 40)))), name="flat.fits"))
    np.testing.assert_array_equal(draw(write(fits.ImageHDU(cube, header(tangent(shape=(30, 40)))))), flat)


@pytest.mark.parametrize("options", [{"size": 0}, {"size": 5000}, {"stretch": "log"}])
def test_what_is_not_offered_is_said(write: Writer, options: dict[str, Any]) -> None:
    path = write(fits.ImageHDU(noise((30, 40)), header(tangent(shape=(30, 40)))))
    with pytest.raises(ParameterError):
        draw(path, **options)


def test_memory_does_not_grow_with_the_image(write: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STRIP_PIXELS", 1 << 16)
    path = write(fits.ImageHDU(np.zeros((4000, 4000), np.int16), header(tangent(shape=(4000, 4000)))))
    tracemalloc.start()
    draw(path, size=200)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16e6
