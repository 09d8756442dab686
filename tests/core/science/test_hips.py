"""Tiles: numbering and orientation against astropy-healpix, places against reproject's own headers."""

import io

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import ICRS, SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from astropy_healpix import HEALPix
from PIL import Image
from reproject.hips._utils import tile_header as their_header

from awe.core.science.hips import WIDTH, Tile, _cells, combined, native_order, parents, tile_header
from awe.core.science.hips_files import (
    allsky,
    picture,
    properties,
    read_properties,
    tile_file,
)
from awe.core.sky import healpix_center

TILES = [Tile(0, n) for n in range(12) if n != 6] + [
    Tile(order, int(n))
    for order in (1, 3, 7, 13, 20)
    for n in np.random.default_rng(order).integers(0, 12 * 4**order, 12)
]


def test_paths_and_children() -> None:
    assert Tile(6, 10302).path == "Norder6/Dir10000/Npix10302"  # the standard's example
    assert [child.npix for child in Tile(3, 5).children] == [20, 21, 22, 23]
    assert parents(set(Tile(3, 5).children)) == {Tile(3, 5)}


@pytest.mark.parametrize("tile", TILES, ids=str)
def test_pixels_are_the_cells_that_astropy_healpix_finds_there(tile: Tile) -> None:
    rng = np.random.default_rng(7)
    rows, columns = rng.integers(0, WIDTH, 40), rng.integers(0, WIDTH, 40)
    cells = _cells(tile, np.arange(WIDTH), np.arange(WIDTH))[rows, columns]
    healpix = HEALPix(2 ** (tile.order + 9), order="nested", frame=ICRS())
    there = healpix.healpix_to_skycoord(cells)
    ra, dec = healpix_center(cells, tile.order + 9)
    pixel = 412.3 / 2**tile.order  # arcsec
    assert there.separation(SkyCoord(ra, dec, unit="deg")).arcsec.max() < 1e-3 * pixel + 1e-7
    coarse = HEALPix(2**tile.order, order="nested", frame=ICRS())
    assert (coarse.skycoord_to_healpix(there) == tile.npix).all()
    for header in (
        tile_header(tile),
        their_header(level=tile.order, index=tile.npix, frame=ICRS(), tile_dims=WIDTH),
    ):
        if isinstance(header, tuple):  # reproject makes two headers for tiles across a gap of the projection
            continue
        x, y = WCS(header).world_to_pixel(there)
        # the projection ends at 180 degrees: half of a tile that lies across is somewhere else in it
        near = np.abs(x - columns) < WIDTH
        assert near.mean() > 0.3
        assert np.hypot(x - columns, y - rows)[near].max() < 1e-2


def test_the_header_of_the_standards_example() -> None:
    header = tile_header(Tile(0, 7))
    assert (header["CRPIX1"], header["CRPIX2"]) == (-255.5, -255.5)
    assert header["CD1_1"] == header["CD1_2"] == header["CD2_2"] == -8.7890625e-02 == -header["CD2_1"]
    assert header["CTYPE1"] == "RA---HPX"


@pytest.mark.parametrize(
    ("arcsec", "order"),
    # the table of the standard: 512 pixels a side
    [(6.871 * 60, 0), (51.53, 3), (3.221, 7), (0.1006, 12), (0.05, 13), (0.0503, 13), (1e-9, 20), (9e9, 0)],
)
def test_the_order_for_a_size_of_pixels(arcsec: float, order: int) -> None:
    assert native_order(arcsec) == order


def test_a_tile_of_its_children_has_their_means_in_their_places() -> None:
    tile = Tile(4, 1000)

    # the value of a pixel is a smooth function of its place, so its mean over four cells is that of the middle
    def values(one: Tile) -> np.ndarray:
        ra, dec = healpix_center(_cells(one, np.arange(WIDTH), np.arange(WIDTH)), one.order + 9)
        return (np.sin(np.radians(ra)) + dec / 90).astype(np.float32)

    children = {child: values(child) for child in tile.children}
    assert np.allclose(combined(children, tile), values(tile), atol=2e-5)
    children[tile.children[1]][:] = np.nan
    del children[tile.children[2]]
    part = combined(children, tile)
    assert np.isnan(part).mean() == 0.5
    known = np.isfinite(part)
    assert np.allclose(part[known], values(tile)[known], atol=2e-5)


def test_pictures_run_from_the_top_down_and_say_where_nothing_is() -> None:
    pixels = np.full((WIDTH, WIDTH), np.nan, np.float32)
    pixels[:10, :] = 100.0  # FITS counts rows from below
    drawn = np.asarray(Image.open(io.BytesIO(picture(pixels, "png", (0.0, 100.0)))))
    assert drawn.shape == (WIDTH, WIDTH, 2)
    assert (drawn[-10:, :, 0] == 255).all()
    assert (drawn[-10:, :, 1] == 255).all()
    assert (drawn[:-10, :, 1] == 0).all()
    jpeg = np.asarray(Image.open(io.BytesIO(picture(pixels, "jpeg", (0.0, 100.0)))))
    assert jpeg.shape == (WIDTH, WIDTH)
    assert jpeg[-5:].min() > 240
    assert jpeg[:100].max() < 10


def test_the_allsky_file_begins_at_its_top_left() -> None:
    ones = np.ones((WIDTH, WIDTH), np.float32)
    packed = allsky([(Tile(3, 0), ones), (Tile(3, 28), 2 * ones), (Tile(3, 767), 3 * ones)])
    assert packed.shape == (29 * 64, 27 * 64)
    seen = packed[::-1]
    assert (seen[:64, :64] == 1).all()
    assert (seen[64:128, 64:128] == 2).all()
    assert (seen[28 * 64 :, 11 * 64 : 12 * 64] == 3).all()
    assert np.isfinite(packed).sum() == 3 * 64 * 64


def test_a_tiles_file_is_fits_with_its_place() -> None:
    pixels = np.arange(WIDTH * WIDTH, dtype=np.float32).reshape(WIDTH, WIDTH)
    with fits.HDUList.fromstring(tile_file(pixels, Tile(5, 77), "Jy")) as hdus:
        hdus.verify("exception")
        assert (hdus[0].header["ORDER"], hdus[0].header["NPIX"], hdus[0].header["BUNIT"]) == (5, 77, "Jy")
        assert np.array_equal(hdus[0].data, pixels)
        middle = WCS(hdus[0].header).pixel_to_world(255.5, 255.5)
    assert middle.separation(HEALPix(32, order="nested", frame=ICRS()).healpix_to_skycoord(77)) < 1 * u.arcsec


def test_properties_come_back() -> None:
    said = {"obs_title": "a = b\nand more", "hips_order": 3, "empty": ""}
    assert read_properties(properties(said)) == {"obs_title": "a = b and more", "hips_order": "3"}
    assert read_properties("# note\n\nx=1\r\n") == {"x": "1"}
