"""The pixels of an image as numbers: scaled, blanks as NaN, of a cube the plane in the middle."""

import numpy as np
from astropy.io import fits

from awe.core.science.celestial import Floats
from awe.core.science.images import ScienceImage
from awe.core.science.pixels import PixelBox

__all__ = ["plane"]


def plane(hdu: fits.ImageHDU, image: ScienceImage, box: PixelBox, rows: slice) -> Floats:
    """Return the columns of a box in some rows of an image; only they are read.

    Parameters
    ----------
    hdu
        Opened with ``do_not_scale_image_data=True``.
    """
    x, y = image.wcs.axes
    last = len(image.shape) - 1
    index: list[int | slice] = [n // 2 for n in image.shape]
    index[last - x], index[last - y] = slice(box.x0, box.x1), rows
    raw = np.asarray(hdu.section[tuple(index)])
    values = raw.astype(np.float64) * image.header.get("BSCALE", 1) + image.header.get("BZERO", 0)
    if raw.dtype.kind in "iu" and "BLANK" in image.header:
        values[raw == image.header["BLANK"]] = np.nan
    return np.asarray(values)
