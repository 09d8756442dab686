"""The pixels of an image as numbers: scaled, blanks as NaN, of a cube the plane in the middle."""

from collections.abc import Callable

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from awe.core.science.celestial import Floats
from awe.core.science.images import ScienceImage
from awe.core.science.pixels import PixelBox

__all__ = ["Section", "block_means", "plane", "section_of"]

Section = Callable[[tuple[slice, ...]], NDArray[np.generic]]
"""Reads pixels of an image as they are stored, for each axis in numpy's order."""

_STRIP_PIXELS = 1 << 22
_ROWS_OF_BLOCK = 8


def section_of(hdu: fits.ImageHDU) -> Section:
    """Return what reads pixels of an HDU that was opened with ``do_not_scale_image_data=True``."""
    return lambda index: np.asarray(hdu.section[index])


def plane(section: Section, image: ScienceImage, box: PixelBox, rows: slice) -> Floats:
    """Return the columns of a box in some rows of an image; only they are read."""
    x, y = image.wcs.axes
    last = len(image.shape) - 1
    index = [slice(n // 2, n // 2 + 1, 1) for n in image.shape]
    index[last - x], index[last - y] = slice(box.x0, box.x1, 1), slice(rows.start, rows.stop, 1)
    raw = section(tuple(index)).reshape(rows.stop - rows.start, box.width)
    values = raw.astype(np.float64) * image.header.get("BSCALE", 1) + image.header.get("BZERO", 0)
    if raw.dtype.kind in "iu" and "BLANK" in image.header:
        values[raw == image.header["BLANK"]] = np.nan
    return np.asarray(values)


def block_means(section: Section, image: ScienceImage, box: PixelBox, block: int) -> Floats:
    """Return the means of square blocks of pixels of a box; NaN where a block holds no data.

    The image is read in strips, so that memory stays small however large it is; of blocks taller than eight pixels
    eight rows are read.

    Parameters
    ----------
    block
        Side of a block in pixels.
    """
    step = max(1, block // _ROWS_OF_BLOCK)
    blocks = max(1, _STRIP_PIXELS // (box.width * block))
    strips = []
    for start in range(box.y0, box.y1, block * blocks):
        end = min(box.y1, start + block * blocks)
        values = plane(section, image, box, slice(start, end))
        strips += [
            _mean_columns(values[row : row + block : step], block) for row in range(0, end - start, block)
        ]
    return np.stack(strips)


def _mean_columns(rows: Floats, block: int) -> Floats:
    height, width = rows.shape
    padded = np.full((height, -(-width // block) * block), np.nan)
    padded[:, :width] = rows
    blocks = padded.reshape(height, -1, block)
    known = np.isfinite(blocks)
    total, count = np.where(known, blocks, 0.0).sum(axis=(0, 2)), known.sum(axis=(0, 2))
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))
