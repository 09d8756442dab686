from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from tests.core.science.conftest import header, noise, tangent

from awe.core.science.layout import Layout, Reader
from awe.core.science.source import open_local
from awe.core.science.tile_table import tiles_of
from awe.core.science.tiles import Tiles

SHAPE = (310, 405)


def holes(dtype: type = np.float32) -> np.ndarray:
    pixels = noise(SHAPE, dtype)
    pixels[40:80, 30:200] = np.nan
    pixels[100:110] = 0.0
    pixels[200:264, 128:192] = 7.0  # a tile that is all the same cannot become integers
    return pixels


def steps() -> np.ndarray:
    return (np.arange(SHAPE[0] * SHAPE[1], dtype=np.int64).reshape(SHAPE) * 37 % 251).astype(np.int64)


def rice(**options: Any) -> dict[str, Any]:
    return {"compression_type": "RICE_1", "tile_shape": (64, 64)} | options


def hcompress(**options: Any) -> dict[str, Any]:
    return {"compression_type": "HCOMPRESS_1", "tile_shape": (62, 81)} | options


KINDS: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
    "rice of bytes": (steps().astype(np.uint8), rice()),
    "rice of short": (steps().astype(np.int16), rice()),
    "rice of unsigned short": (steps().astype(np.uint16), rice()),
    "rice of int": (steps().astype(np.int32), rice(tile_shape=(50, 70))),
    "rice by rows": (steps().astype(np.int32), rice(tile_shape=(1, SHAPE[1]))),
    "rice of floats": (noise(SHAPE), rice(quantize_method=-1)),
    "rice, dithered": (holes(), rice(quantize_method=1, dither_seed=1)),
    "rice, dithered, zeros kept": (holes(), rice(quantize_method=2, dither_seed=9990)),
    "rice of doubles": (holes(np.float64), rice(quantize_method=1, dither_seed=77)),
    "gzip of floats": (
        holes(),
        {"compression_type": "GZIP_1", "quantize_level": 0.0, "tile_shape": (64, 64)},
    ),
    "gzip of integers for floats": (holes(), {"compression_type": "GZIP_1", "tile_shape": (64, 64)}),
    "gzip of short": (steps().astype(np.int16), {"compression_type": "GZIP_1", "tile_shape": (33, 65)}),
    "gzip, shuffled, of floats": (
        holes(),
        {"compression_type": "GZIP_2", "quantize_level": 0.0, "tile_shape": (64, 64)},
    ),
    "gzip, shuffled, of doubles": (
        holes(np.float64),
        {"compression_type": "GZIP_2", "quantize_level": 0.0, "tile_shape": (64, 64)},
    ),
    "gzip, shuffled, of int": (
        steps().astype(np.int32),
        {"compression_type": "GZIP_2", "tile_shape": (64, 64)},
    ),
    "gzip, shuffled, of integers for floats": (
        holes(),
        {"compression_type": "GZIP_2", "tile_shape": (64, 64)},
    ),
}

KINDS |= {
    "hcompress of short": (steps().astype(np.int16), hcompress()),
    "hcompress, coarse and smooth": (steps().astype(np.int32), hcompress(hcomp_scale=4, hcomp_smooth=1)),
    "hcompress of floats": (holes(), hcompress(quantize_method=1, dither_seed=5)),
    "lists of pixels": (steps().astype(np.int16), {"compression_type": "PLIO_1", "tile_shape": (64, 64)}),
}

PLACES = {
    "in one tile": (slice(70, 80), slice(70, 90)),
    "over tiles": (slice(30, 250), slice(100, 300)),
    "the last corner": (slice(290, 310), slice(380, 405)),
    "one pixel": (slice(63, 64), slice(64, 65)),
    "all of it": (slice(0, 310), slice(0, 405)),
    "some rows": (slice(3, 300, 7), slice(0, 405, 2)),
}


@pytest.fixture(scope="module", params=KINDS)
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pixels, options = KINDS[request.param]
    path = tmp_path_factory.mktemp("stored") / "image.fits"
    image = fits.CompImageHDU(pixels, header(tangent(shape=SHAPE)), **options)
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(path)
    return path


@pytest.mark.parametrize("place", PLACES)
def test_pixels_are_those_that_astropy_reads(stored: Path, place: str) -> None:
    index = PLACES[place]
    with fits.open(stored, do_not_scale_image_data=True) as hdus:
        expected = hdus[1].section[index]
    with open_local(stored) as source:
        image = Layout.read(source).images[1]
        assert isinstance(image.pixels, Tiles)
        found = Reader(source).pixels(image, tuple(slice(s.start, s.stop, s.step or 1) for s in index))
    np.testing.assert_array_equal(found, expected)


def test_many_threads_unpack_at_once(stored: Path) -> None:
    index = (slice(5, 305, 1), slice(5, 400, 1))
    with open_local(stored) as source:
        image, reader = Layout.read(source).images[1], Reader(source)
        expected = reader.pixels(image, index)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: reader.pixels(image, index), range(16)))
    for pixels in found:
        np.testing.assert_array_equal(pixels, expected)


def test_planes_of_a_cube(tmp_path: Path) -> None:
    cube, path = noise((7, 60, 80)), tmp_path / "cube.fits"
    wcs = tangent(shape=(60, 80)).to_header()
    image = fits.CompImageHDU(
        cube, wcs, compression_type="GZIP_1", quantize_level=0.0, tile_shape=(2, 20, 30)
    )
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(path)
    index = (slice(1, 6, 2), slice(15, 45, 1), slice(29, 80, 1))
    with open_local(path) as source:
        found = Reader(source).pixels(Layout.read(source).images[1], index)
    np.testing.assert_array_equal(found, cube[index])


@pytest.mark.parametrize(
    "changed", [{"ZQUANTIZ": "OTHER"}, {"TFORM3": "1L"}, {"ZCMPTYPE": "OTHER"}, {"NAXIS1": 31}]
)
def test_what_is_not_understood_is_left_to_astropy(tmp_path: Path, changed: dict[str, Any]) -> None:
    path = tmp_path / "image.fits"
    image = fits.CompImageHDU(noise(SHAPE), header(tangent(shape=SHAPE)), **rice(quantize_method=1))
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(path)
    with fits.open(path, disable_image_compression=True) as hdus, open_local(path) as source:
        table, place = hdus[1].header, hdus[1].fileinfo()["datLoc"]
        read = source.read
        assert tiles_of(table, None, place, read) is not None
        assert tiles_of(table, None, path.stat().st_size, read) is None
        table.update(changed)
        assert tiles_of(table, None, place, read) is None


def test_a_file_that_is_compressed_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "image.fits.gz"
    fits.HDUList([fits.PrimaryHDU(noise(SHAPE), header(tangent(shape=SHAPE)))]).writeto(path)
    with open_local(path) as source:
        layout = Layout.read(source)
        assert layout.images[0].pixels is None
        found = Reader(source).pixels(layout.images[0], (slice(50, 99, 1), slice(70, 170, 1)))
    np.testing.assert_array_equal(found, noise(SHAPE)[50:99, 70:170])
