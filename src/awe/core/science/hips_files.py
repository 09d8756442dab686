"""The files of a HiPS: tiles as FITS and as pictures, the all-sky file, the properties (HiPS 1.0 sections 4.2 to 4.4)."""

import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from astropy.io import fits
from PIL import Image

from awe.core.science.celestial import quiet
from awe.core.science.hips import WIDTH, Floats, Pixels, Tile, tile_header

__all__ = [
    "ALLSKY_ORDER",
    "ENDINGS",
    "Cut",
    "allsky",
    "metadata_file",
    "picture",
    "properties",
    "read_properties",
    "read_tile",
    "tile_file",
]

ALLSKY_ORDER = 3
"""The order of tiles that are also packed together."""
ENDINGS: Mapping[str, str] = {"fits": "fits", "png": "png", "jpeg": "jpg"}
"""The formats of tiles, by their names in the properties, and what their files end in."""

_ACROSS = 27  # the whole part of the root of 768 tiles
_SMALL = 64
_SOFTENING = 0.1
_QUALITY = 85

Cut = tuple[float, float]
"""Values that are drawn black and white."""


def tile_file(pixels: Pixels, tile: Tile | None, unit: str = "") -> bytes:
    """Return pixels as FITS; with the place of a tile on the sky, if it is one."""
    header = fits.Header() if tile is None else tile_header(tile)
    if unit:
        header["BUNIT"] = unit
    out = io.BytesIO()
    with quiet():
        fits.PrimaryHDU(pixels.astype(np.float32), header).writeto(out)
    return out.getvalue()


def metadata_file(comment: str, history: Iterable[str]) -> bytes:
    """Return a FITS header that says what a HiPS was made of (section 4.4.3)."""
    header = fits.Header()
    header["ORIGIN"] = "awe"
    header["COMMENT"] = comment
    for line in history:
        header["HISTORY"] = line
    out = io.BytesIO()
    fits.PrimaryHDU(header=header).writeto(out)
    return out.getvalue()


def read_tile(path: Path) -> Pixels:
    """Return the pixels of a tile's FITS file."""
    with fits.open(path, memmap=False) as hdus:
        return np.asarray(hdus[0].data, np.float32)


def picture(pixels: Pixels, form: str, cut: Cut) -> bytes:
    """Draw pixels in grey, arcsinh-stretched between two values, rows from the top down.

    Where there are no data PNG is transparent and JPEG, which cannot be, is black.
    """
    known = np.isfinite(pixels)
    low, high = cut
    scaled = np.clip((np.where(known, pixels, low) - low) / (high - low), 0.0, 1.0)
    grey = np.round(255 * np.arcsinh(scaled / _SOFTENING) / np.arcsinh(1 / _SOFTENING)).astype(np.uint8)
    out = io.BytesIO()
    if form == "png":
        both = np.stack([grey, np.where(known, 255, 0).astype(np.uint8)], axis=-1)
        Image.fromarray(both[::-1], mode="LA").save(out, "PNG")
    else:
        Image.fromarray(grey[::-1], mode="L").save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def allsky(tiles: Iterable[tuple[Tile, Pixels]]) -> Pixels:
    """Return the tiles of order 3 side by side, left to right and top down, each 64 pixels wide.

    The array has FITS' order of rows, as tiles have: a picture of it begins with the tile 0 at its top left.
    """
    rows = -(-12 * 4**ALLSKY_ORDER // _ACROSS)
    found = np.full((rows * _SMALL, _ACROSS * _SMALL), np.nan, np.float32)
    for tile, pixels in tiles:
        row, column = divmod(tile.npix, _ACROSS)
        bottom = (rows - 1 - row) * _SMALL
        found[bottom : bottom + _SMALL, column * _SMALL : (column + 1) * _SMALL] = _reduced(pixels)
    return found


def _reduced(pixels: Pixels) -> Floats:
    block = WIDTH // _SMALL
    blocks = pixels.reshape(_SMALL, block, _SMALL, block).astype(np.float64)
    known = np.isfinite(blocks)
    total, count = np.where(known, blocks, 0.0).sum(axis=(1, 3)), known.sum(axis=(1, 3))
    found: Floats = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return found


def properties(values: Mapping[str, object]) -> str:
    """Write properties (section 4.4.1): one ``keyword = value`` a line; empty values are left out."""
    lines = [f"{name:<20} = {' '.join(str(value).split())}" for name, value in values.items() if str(value)]
    return "\n".join(lines) + "\n"


def read_properties(text: str) -> dict[str, str]:
    """Read what `properties` wrote."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}
