"""Copies in small tiles have the pixels of their originals, to the last bit: against astropy."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from tests.core.science.conftest import header, noise, tangent

from awe.core.science.fitsfile import open_fits
from awe.core.science.layout import Layout, Reader
from awe.core.science.retiled import Retiled
from awe.core.science.retiling import has_large_tiles, retile, with_copies
from awe.core.science.source import open_local

SHAPE = (300, 1100)


def holes(dtype: type = np.float32, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    pixels = noise(shape, dtype)
    pixels[..., 40:80, 30:200] = np.nan
    pixels[..., 100:110, :] = 0.0
    pixels[..., 200, :] = 7.0  # a row that is all the same cannot become integers
    return pixels


def steps(dtype: type) -> np.ndarray:
    return (np.arange(SHAPE[0] * SHAPE[1]).reshape(SHAPE) * 37 % 251).astype(dtype)


def rows(kind: str = "RICE_1", height: int = 1, **options: Any) -> dict[str, Any]:
    return {"compression_type": kind, "tile_shape": (height, SHAPE[1])} | options


KINDS: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
    "bytes": (steps(np.uint8), rows()),
    "short": (steps(np.int16), rows()),
    "unsigned short": (steps(np.uint16), rows()),
    "int": (steps(np.int32), rows(height=7)),
    "not dithered": (holes(), rows(quantize_method=-1)),
    "dithered": (holes(), rows(quantize_method=1, dither_seed=1)),
    "dithered, zeros kept": (holes(), rows(quantize_method=2, dither_seed=9990)),
    "doubles, several rows": (holes(np.float64), rows(height=50, quantize_method=1, dither_seed=9999)),
    "hcompress": (holes(), rows("HCOMPRESS_1", height=16, quantize_method=1, dither_seed=5)),
    "gzip of floats": (holes(), rows("GZIP_1", quantize_level=0.0)),
    "gzip of doubles": (holes(np.float64), rows("GZIP_2", quantize_level=0.0)),
    "gzip of integers for floats": (holes(), rows("GZIP_2")),
    "one tile": (steps(np.int16), rows(height=SHAPE[0])),
    "pixels in lists": (steps(np.int16), rows("PLIO_1")),
    "a cube": (
        holes(shape=(3, 210, 1100)),
        {"compression_type": "RICE_1", "tile_shape": (1, 1, 1100), "quantize_method": 1, "dither_seed": 7},
    ),
}
PLACES = {
    "within a tile": (slice(70, 80, 1), slice(70, 90, 1)),
    "over tiles": (slice(20, 210, 1), slice(100, 900, 1)),
    "the last corner": (slice(195, 210, 1), slice(1000, 1100, 1)),
    "all of it": (slice(0, 210, 1), slice(0, 1100, 1)),
    "some rows": (slice(3, 205, 7), slice(1, 1100, 3)),
}


def copied(path: Path) -> Path:
    copy = path.with_name("copy.fits")
    with open_local(path) as source, copy.open("wb") as out:
        assert retile(Layout.read(source), source, out)
    return copy


@pytest.fixture(scope="module", params=KINDS)
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    pixels, options = KINDS[request.param]
    path = tmp_path_factory.mktemp("stored") / "image.fits"
    image = fits.CompImageHDU(pixels, header(tangent(shape=SHAPE)), **options)
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(path)
    return path, copied(path)


@pytest.mark.parametrize("place", PLACES)
def test_pixels_are_those_of_the_original(stored: tuple[Path, Path], place: str) -> None:
    path, copy = stored
    with fits.open(path, do_not_scale_image_data=True) as hdus:
        assert has_large_tiles(hdus, packed=False)
        index = (*(slice(0, n, 1) for n in hdus[1].shape[:-2]), *PLACES[place])
        expected = hdus[1].section[index]
    with open_local(path) as source:
        image = with_copies(Layout.read(source), copy).images[1]
        assert isinstance(image.pixels, Retiled)
        found = Reader(source).pixels(image, index)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype.itemsize == expected.dtype.itemsize


def test_astropy_reads_a_copy(stored: tuple[Path, Path]) -> None:
    path, copy = stored
    with fits.open(copy) as hdus, fits.open(path, do_not_scale_image_data=True) as originals:
        hdus.verify("exception")
        assert hdus[1].header["AWEHDU"] == 1
        if hdus[1].data.dtype.kind == originals[1].data.dtype.kind:
            np.testing.assert_array_equal(hdus[1].data, originals[1].data)
        else:
            assert hdus[1].data.dtype == np.dtype("i4")


def test_the_original_serves_where_the_copy_is_gone_or_cut_short(
    stored: tuple[Path, Path], tmp_path: Path
) -> None:
    path, copy = stored
    mine = tmp_path / "mine.fits"
    mine.write_bytes(copy.read_bytes())
    index: tuple[slice, ...] = (slice(0, 1, 1), slice(20, 30, 1), slice(40, 60, 1))
    with open_local(path) as source:
        layout = Layout.read(source)
        image = with_copies(layout, mine).images[1]
        index = index[-len(image.shape) :]
        expected = Reader(source).pixels(layout.images[1], index)
        for damage in (lambda: mine.write_bytes(copy.read_bytes()[:6000]), mine.unlink):
            damage()
            np.testing.assert_array_equal(Reader(source).pixels(image, index), expected)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8, np.int32])
def test_a_file_that_is_compressed_as_a_whole(tmp_path: Path, dtype: type) -> None:
    path = tmp_path / "image.fits.gz"
    pixels: np.ndarray = noise((310, 405)).astype(dtype)
    fits.HDUList([fits.PrimaryHDU(pixels, header(tangent(shape=pixels.shape)))]).writeto(path)
    with open_fits(path) as hdus:
        assert has_large_tiles(hdus, packed=True)
        assert not has_large_tiles(hdus, packed=False)
    copy = copied(path)
    with open_local(path) as source:
        image = with_copies(Layout.read(source), copy).images[0]
        assert isinstance(image.pixels, Retiled)
        found = Reader(source).pixels(image, (slice(50, 299, 1), slice(70, 370, 1)))
    np.testing.assert_array_equal(found, pixels[50:299, 70:370])


def test_small_tiles_and_plain_images_are_left_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "image.fits"
    hdus = fits.HDUList(
        [
            fits.PrimaryHDU(noise(SHAPE), header(tangent(shape=SHAPE))),
            fits.CompImageHDU(noise(SHAPE), header(tangent(shape=SHAPE)), tile_shape=(64, 64)),
        ]
    )
    hdus.writeto(path)
    out = io.BytesIO()
    with open_local(path) as source, open_fits(path) as opened:
        assert not has_large_tiles(opened, packed=False)
        assert not retile(Layout.read(source), source, out)
    assert out.getvalue() == b""
