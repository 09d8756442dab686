"""Tiles of a HiPS: which cells of the sky their pixels are, and their values from images.

Hierarchical Progressive Surveys 1.0 (REC 2017-05-19). Words: a *tile* of order K and number N is the
nested HEALPix cell of that order and number, drawn as 512 by 512 pixels, each a cell of order K + 9. In a
tile's array, as FITS has it, x runs to the north-west and y to the south-west (section 4.2.1 and the
example of a header in it); pictures have their rows from the top down.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from awe.core.science.celestial import quiet
from awe.core.science.images import ScienceImage
from awe.core.science.pixels import PixelBox
from awe.core.science.planes import plane, section_of
from awe.core.science.sampling import interpolated, places_on
from awe.core.sky import MAX_ORDER, Circle, cell_radius, healpix_center

__all__ = ["MAX_TILE_ORDER", "WIDTH", "Tile", "combined", "native_order", "parents", "sampled", "tile_header"]

WIDTH = 512
_SHIFT = 9
MAX_TILE_ORDER = MAX_ORDER - _SHIFT
"""The finest order of a tile."""

_BASE_PIXEL_ARCSEC = 3600 * math.degrees(math.sqrt(math.pi / 3)) / WIDTH
_COARSER = 1.1
"""How much larger than an image's pixels those of the tiles may be."""

Pixels = NDArray[np.float32]
Floats = NDArray[np.float64]

_FACETS = (
    (1.5, 0.5), (2.5, 1.5), (-0.5, -1.5), (0.5, -0.5), (0.5, 0.5), (1.5, 1.5), (2.5, 2.5), (-0.5, -0.5),
    (0.5, 1.5), (1.5, 2.5), (-1.5, -0.5), (-0.5, 0.5),
)  # fmt: skip
"""Where the origin of the projection is from each base cell's first pixel: rows and columns, in base cells."""


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """One tile."""

    order: int
    npix: int

    @property
    def path(self) -> str:
        """Where it is, without its ending (section 4.1)."""
        return f"Norder{self.order}/Dir{self.npix // 10_000 * 10_000}/Npix{self.npix}"

    @property
    def around(self) -> Circle:
        """A circle around the tile."""
        ra, dec = healpix_center([self.npix], self.order)
        radius = min(180.0, math.degrees(cell_radius(self.order)))
        return Circle(float(ra[0]), float(dec[0]), radius)

    @property
    def children(self) -> tuple["Tile", "Tile", "Tile", "Tile"]:
        """The four tiles of the next order."""
        first = 4 * self.npix
        return (
            Tile(self.order + 1, first), Tile(self.order + 1, first + 1),
            Tile(self.order + 1, first + 2), Tile(self.order + 1, first + 3),
        )  # fmt: skip


def native_order(pixel_scale_arcsec: float) -> int:
    """Return the order whose pixels are about as small as an image's, 0..20."""
    order = math.ceil(math.log2(_BASE_PIXEL_ARCSEC / (pixel_scale_arcsec * _COARSER)))
    return min(max(order, 0), MAX_TILE_ORDER)


def parents(tiles: set[Tile]) -> set[Tile]:
    """Return the tiles of the order before that hold these."""
    return {Tile(tile.order - 1, tile.npix // 4) for tile in tiles}


def combined(children: Mapping[Tile, Pixels], tile: Tile) -> Pixels:
    """Return a tile from those of its four children that there are: means of 2 by 2 pixels, NaN left out."""
    found = np.full((WIDTH, WIDTH), np.nan, np.float32)
    half = WIDTH // 2
    for number, child in enumerate(tile.children):
        if child in children:
            north_east, north_west = number & 1, number >> 1
            rows = slice(0, half) if north_east else slice(half, WIDTH)
            columns = slice(half, WIDTH) if north_west else slice(0, half)
            found[rows, columns] = _halved(children[child])
    return found


def _halved(pixels: Pixels) -> Pixels:
    blocks = pixels.reshape(WIDTH // 2, 2, WIDTH // 2, 2).astype(np.float64)
    known = np.isfinite(blocks)
    total, count = np.where(known, blocks, 0.0).sum(axis=(1, 3)), known.sum(axis=(1, 3))
    mean: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean.astype(np.float32)


def sampled(
    tile: Tile, hdu: fits.ImageHDU, image: ScienceImage, blank: float | None = None
) -> tuple[Floats, Floats] | None:
    """Return an image's values at the pixels of a tile, and their weights; None where they do not meet.

    Of a cube the plane in the middle is taken; pixels of the value `blank` take no part.
    """

    def sky(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> tuple[Floats, Floats]:
        ra, dec = healpix_center(_cells(tile, rows, columns), tile.order + _SHIFT)
        return np.asarray(ra), np.asarray(dec)

    with quiet():
        place = places_on(image.wcs, (WIDTH, WIDTH), sky)
    if place is None:
        return None
    x, y = place
    nx, ny = image.wcs.shape
    inside = (x > -0.5) & (x < nx - 0.5) & (y > -0.5) & (y < ny - 0.5)
    if not inside.any():
        return None
    box = PixelBox(
        max(0, math.floor(x[inside].min())), min(nx, math.ceil(x[inside].max()) + 1),
        max(0, math.floor(y[inside].min())), min(ny, math.ceil(y[inside].max()) + 1),
    )  # fmt: skip
    with quiet():
        data = plane(section_of(hdu), image, box, slice(box.y0, box.y1))
    known = np.isfinite(data) if blank is None else np.isfinite(data) & (data != blank)
    return interpolated(data, known, x - box.x0, y - box.y0, inside)


def _cells(tile: Tile, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the nested cells of a tile's pixels, as its array has them."""
    north_east = _spread(WIDTH - 1 - rows)
    north_west = _spread(columns)
    return (tile.npix << (2 * _SHIFT)) + north_east[:, None] + 2 * north_west[None, :]


def _spread(value: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return numbers below 512 with a zero between every two bits."""
    found = np.zeros_like(value)
    for bit in range(_SHIFT):
        found |= ((value >> bit) & 1) << (2 * bit)
    return found


def tile_header(tile: Tile) -> fits.Header:
    """Return the cards that place a tile on the sky for any FITS reader.

    The projection is HPX (M. Calabretta, B. Roukema, MNRAS 381 (2007) 865), as HiPS 1.0 section 4.2.1 asks.
    """
    nside = 1 << tile.order
    base, inside = tile.npix >> (2 * tile.order), tile.npix & ((1 << (2 * tile.order)) - 1)
    x = sum(((inside >> (2 * bit)) & 1) << bit for bit in range(tile.order))
    y = sum(((inside >> (2 * bit + 1)) & 1) << bit for bit in range(tile.order))
    row, column = _FACETS[base]
    if base == 6 and x > y:  # the facet that the plane's edge at 180 degrees divides
        row, column = row - 4, column - 4
    size = 45.0 / WIDTH / nside
    header = fits.Header()
    for name, value in (
        ("CTYPE1", "RA---HPX"), ("CTYPE2", "DEC--HPX"), ("CRVAL1", 0.0), ("CRVAL2", 0.0),
        ("CUNIT1", "deg"), ("CUNIT2", "deg"),
        ("CRPIX1", (column * nside - y) * WIDTH + 0.5), ("CRPIX2", (row * nside - (nside - 1 - x)) * WIDTH + 0.5),
        ("CD1_1", -size), ("CD1_2", -size), ("CD2_1", size), ("CD2_2", -size),
        ("PV2_1", 4), ("PV2_2", 3), ("RADESYS", "ICRS"), ("ORDER", tile.order), ("NPIX", tile.npix),
    ):  # fmt: skip
        header[name] = value
    return header
