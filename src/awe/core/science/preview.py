"""A picture of an image, small and quick: z-scaled, in grey, transparent where there are no data.

Pixel rows run upwards, as in every FITS viewer; the picture is not turned to the north.
"""

import io
from collections.abc import Collection
from functools import partial
from typing import get_args

import numpy as np
from PIL import Image

from awe.core.science.celestial import Floats
from awe.core.science.images import ScienceImage
from awe.core.science.layout import Layout, Reader
from awe.core.science.pixels import PixelBox, pixel_box
from awe.core.science.planes import block_means
from awe.core.science.stretch import Stretch, stretched
from awe.core.sky import Region
from awe.errors import ParameterError

__all__ = ["MAX_SIZE", "Stretch", "preview"]

MAX_SIZE = 4096
"""The longest side of a preview, in pixels."""


def preview(
    layout: Layout,
    reader: Reader,
    *,
    region: Region | None = None,
    size: int = 512,
    stretch: Stretch = "linear",
    only: Collection[int] | None = None,
) -> bytes | None:
    """Draw an image of a file as PNG.

    Parameters
    ----------
    layout
        What the file says of itself.
    reader
        The open file.
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
    for image in layout.science:
        box = PixelBox.whole(image.wcs) if region is None else pixel_box(image.wcs, region)
        if box is not None and (only is None or image.hdu in only):
            found.append((box.width * box.height, image, box))
    if not found:
        return None
    _, image, box = max(found, key=lambda item: item[0])
    block = max(1, -(-max(box.width, box.height) // size))
    reduced = block_means(partial(reader.pixels, layout.images[image.hdu]), image, box, block)
    return _png(stretched(reduced, stretch))


def _png(grey: Floats) -> bytes:
    known = np.isfinite(grey)
    pixels = np.zeros((*grey.shape, 2), np.uint8)
    pixels[..., 0] = np.round(np.where(known, grey, 0.0) * 255)
    pixels[..., 1] = np.where(known, 255, 0)
    out = io.BytesIO()
    Image.fromarray(pixels[::-1], mode="LA").save(out, "PNG", optimize=False)
    return out.getvalue()
