"""Pixel values as a header means them, of files opened without scaling."""

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

__all__ = ["pixels"]


def pixels(hdu: fits.ImageHDU, row: int | None = None) -> NDArray[np.generic]:
    """Return the pixels of an image, or of one of its rows: BSCALE, BZERO and BLANK applied (FITS 4.0 section 4.4.2)."""
    raw = np.asarray(hdu.section[:] if row is None else hdu.section[row])
    raw = raw.astype(raw.dtype.newbyteorder("="), copy=False)
    scale, zero, blank = (hdu.header.get(keyword) for keyword in ("BSCALE", "BZERO", "BLANK"))
    scale, zero = (1 if scale is None else scale), (0 if zero is None else zero)
    if raw.dtype.kind not in "iu":
        return raw if (scale, zero) == (1, 0) else raw * scale + zero
    if scale == 1 and float(zero).is_integer():
        whole = raw.astype(np.int64) + int(zero)
        return whole if blank is None else np.where(raw == blank, np.nan, whole.astype(np.float64))
    values = raw * np.float64(scale) + np.float64(zero)
    return values if blank is None else np.where(raw == blank, np.nan, values)
