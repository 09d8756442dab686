"""A chart: a piece of the sky on a grid of its own, north up and east to the left, filled from images.

The projection is gnomonic (TAN) around the centre. Where a pixel of the chart is larger than one of an image, it
gets the mean of blocks of the image's pixels, else it is interpolated between the nearest four.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from awe.core.science.celestial import Floats, quiet
from awe.core.science.images import ScienceImage
from awe.core.science.pixels import pixel_box
from awe.core.science.planes import Section, block_means
from awe.core.science.sampling import interpolated, places_on
from awe.core.sky import Circle

__all__ = ["Frame", "charted"]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a chart is.

    Attributes
    ----------
    ra, dec
        Its centre, ICRS degrees.
    scale
        Size of a pixel, arcsec.
    width, height
        In pixels.
    """

    ra: float
    dec: float
    scale: float
    width: int
    height: int

    @property
    def around(self) -> Circle:
        """A circle around the chart."""
        half = 0.5 * math.radians(self.scale / 3600) * math.hypot(self.width, self.height)
        return Circle(self.ra % 360.0, self.dec, math.degrees(math.atan(half)))

    def sky(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Return the positions (ICRS degrees) of pixels: rows, counted from the top, by columns."""
        step = math.radians(self.scale / 3600)
        east = (0.5 * (self.width - 1) - columns)[None, :] * step
        north = (0.5 * (self.height - 1) - rows)[:, None] * step
        sin, cos = math.sin(math.radians(self.dec)), math.cos(math.radians(self.dec))
        depth = cos - north * sin
        ra = self.ra + np.degrees(np.arctan2(east, depth))
        dec = np.degrees(np.arctan2(sin + north * cos, np.hypot(depth, east)))
        return np.mod(ra, 360.0), dec

    def places(self, ra: Floats, dec: Floats) -> tuple[Floats, Floats]:
        """Return the columns and rows, counted from the top, of positions; NaN where they are behind the observer."""
        step = math.radians(self.scale / 3600)
        turn, up = np.radians(np.asarray(ra, float) - self.ra), np.radians(np.asarray(dec, float))
        sin, cos = math.sin(math.radians(self.dec)), math.cos(math.radians(self.dec))
        depth = np.sin(up) * sin + np.cos(up) * cos * np.cos(turn)
        depth = np.where(depth > 0, depth, np.nan)
        east = np.cos(up) * np.sin(turn) / depth
        north = (np.sin(up) * cos - np.cos(up) * sin * np.cos(turn)) / depth
        return 0.5 * (self.width - 1) - east / step, 0.5 * (self.height - 1) - north / step


def charted(frame: Frame, section: Section, image: ScienceImage) -> tuple[Floats, Floats] | None:
    """Return an image's values at the pixels of a chart, and their weights; None where they do not meet."""
    box = pixel_box(image.wcs, frame.around)
    if box is None:
        return None
    with quiet():
        found = places_on(image.wcs, (frame.height, frame.width), frame.sky)
    if found is None:
        return None
    block = max(1, int(frame.scale / image.wcs.pixel_scale + 0.01))
    data = block_means(section, image, box, block)
    x, y = ((at - first + 0.5) / block - 0.5 for at, first in zip(found, (box.x0, box.y0), strict=True))
    rows, columns = data.shape
    inside = (x > -0.5) & (x < columns - 0.5) & (y > -0.5) & (y < rows - 0.5)
    inside &= (found[0] < image.wcs.shape[0] - 0.5) & (found[1] < image.wcs.shape[1] - 0.5)
    return interpolated(data, np.isfinite(data), x, y, inside) if inside.any() else None
