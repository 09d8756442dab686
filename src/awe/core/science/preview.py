"""A picture of an image, small and quick: z-scaled, in grey, transparent where there are no data.

The limits are those of IRAF's zscale (astropy's ``ZScaleInterval``) over at most ten thousand pixels of
the reduced image. Reducing reads the image in strips and averages blocks of pixels, so that memory stays
small however large the image is; of blocks taller than eight pixels eight rows are read. Pixel rows run
upwards, as in every FITS viewer; the picture is not turned to the north.
"""

import io
from collections.abc import Collection
from typing import Literal, get_args

import numpy as np
from astropy.io import fits
from astropy.visualization import ZScaleInterval
from PIL import Image

from awe.core.science.celestial import Floats, quiet
from awe.core.science.images import ScienceImage, science_images
from awe.core.science.pixels import PixelBox, pixel_box
from awe.core.science.planes import plane
from awe.core.sky import Region
from awe.errors import InputFileError, ParameterError

__all__ = ["MAX_SIZE", "Stretch", "preview"]

Stretch = Literal["linear", "asinh"]

MAX_SIZE = 4096
"""The longest side of a preview, in pixels."""

_STRIP_PIXELS = 1 << 22
_ROWS_OF_BLOCK = 8
_SAMPLES = 10_000
_SOFTENING = 0.1


def preview(
    hdus: fits.HDUList,
    name: str,
    *,
    region: Region | None = None,
    size: int = 512,
    stretch: Stretch = "linear",
    only: Collection[int] | None = None,
) -> bytes | None:
    """Draw an image of an open file as PNG.

    Parameters
    ----------
    hdus
        The file, opened with ``do_not_scale_image_data=True``.
    name
        What it is, for error messages.
    region
        The part of the sky to draw; everything when None. Of several chips the one with the most
        pixels in the region is drawn, of a cube the plane in the middle.
    size
        The longest side in pixels at the most; small images are not enlarged.
    stretch
        From data to grey: linear, or arcsinh to show faint and bright together.
    only
        The numbers of the science HDUs to choose from; any when None.

    Returns
    -------
    bytes or None
        None where the region misses the image.

    Raises
    ------
    ParameterError
        If the size or the stretch is not offered.
    InputFileError
        If the file's data cannot be read.
    """
    if not 1 <= size <= MAX_SIZE:
        raise ParameterError("size", size, f"a preview has 1 to {MAX_SIZE} pixels")
    if stretch not in get_args(Stretch):
        raise ParameterError("stretch", stretch, f"known: {', '.join(get_args(Stretch))}")
    found: list[tuple[int, ScienceImage, PixelBox]] = []
    for image in science_images(hdus):
        box = PixelBox.whole(image.wcs) if region is None else pixel_box(image.wcs, region)
        if box is not None and (only is None or image.hdu in only):
            found.append((box.width * box.height, image, box))
    if not found:
        return None
    _, image, box = max(found, key=lambda item: item[0])
    try:
        with quiet():
            reduced = _reduce(hdus[image.hdu], image, box, size)
    except Exception as error:  # noqa: BLE001  # truncated or damaged data: a dozen kinds from astropy, zlib and numpy
        raise InputFileError(
            name, f"its pixels cannot be read: {error or type(error).__name__}", where=f"HDU {image.hdu}"
        ) from None
    return _png(_grey(reduced, stretch))


def _reduce(hdu: fits.ImageHDU, image: ScienceImage, box: PixelBox, size: int) -> Floats:
    """Return the mean of square blocks of pixels; NaN where a block holds no data."""
    block = max(1, -(-max(box.width, box.height) // size))
    step = max(1, block // _ROWS_OF_BLOCK)
    blocks = max(1, _STRIP_PIXELS // (box.width * block))
    strips = []
    for start in range(box.y0, box.y1, block * blocks):
        end = min(box.y1, start + block * blocks)
        values = plane(hdu, image, box, slice(start, end))
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


def _grey(values: Floats, stretch: Stretch) -> Floats:
    """Return values between 0 and 1; NaN stays."""
    known = values[np.isfinite(values)]
    if not known.size:
        return values
    low, high = ZScaleInterval(n_samples=_SAMPLES).get_limits(known)
    if not high > low:
        high = low + (abs(low) or 1.0)
    scaled = np.clip((values - low) / (high - low), 0.0, 1.0)
    if stretch == "asinh":
        scaled = np.arcsinh(scaled / _SOFTENING) / np.arcsinh(1 / _SOFTENING)
    return np.asarray(scaled)


def _png(grey: Floats) -> bytes:
    known = np.isfinite(grey)
    pixels = np.zeros((*grey.shape, 2), np.uint8)
    pixels[..., 0] = np.round(np.where(known, grey, 0.0) * 255)
    pixels[..., 1] = np.where(known, 255, 0)
    out = io.BytesIO()
    Image.fromarray(pixels[::-1], mode="LA").save(out, "PNG", optimize=False)
    return out.getvalue()
