"""HEALPix coverings: the cells that a region needs, found by refining only along its boundary.

A cell whose centre is further from the boundary than the cell's radius lies entirely inside or
entirely outside; `Region.contains` of the centre says which. The others are divided, and at the last
order kept: so a covering never misses a point of its region.
"""

from typing import Protocol

import numpy as np

from awe.core.sky._angles import BoolArray, FloatArray
from awe.core.sky._around import cells_around
from awe.core.sky._healpix import (
    MAX_ORDER,
    IntArray,
    cell_radius,
    cell_ranges,
    healpix_center,
    merge_ranges,
)

__all__ = ["MAX_RANGES", "cover"]

# Enough ranges to follow a region closely, few enough for an index look-up each.
MAX_RANGES = 64
# Along a long boundary finer cells cost more than they exclude: stop with so many of them.
_MOST_CELLS = 1 << 14
_MOST_CHOSEN_CELLS = 1 << 10
# The first step goes down three orders at once: some hundred cells cost little more than nine.
_FIRST_STEP = 3


class Coverable(Protocol):
    """What a covering asks of a region; angles to the boundary in radians, positions in degrees."""

    def contains(self, ra: FloatArray, dec: FloatArray) -> BoolArray:
        """Say which positions are inside."""
        ...

    def boundary_distance(self, ra: FloatArray, dec: FloatArray) -> FloatArray:
        """Return the distance from each position to the boundary."""
        ...


def cover(region: Coverable, circle: tuple[float, float, float], order: int | None) -> IntArray:
    """Return ranges that cover a region.

    Parameters
    ----------
    region
        The region.
    circle
        Right ascension, declination and radius, in degrees, of a circle around it.
    order
        The finest cells to use; None refines while there are at most `MAX_RANGES` ranges.
    """
    finest = MAX_ORDER if order is None else order
    cells, level = cells_around(*circle, finest)
    most = _MOST_CHOSEN_CELLS if order is None else _MOST_CELLS
    step = min(_FIRST_STEP, finest - level)
    inside: list[IntArray] = []
    best: IntArray | None = None
    while True:
        level += step
        cells = (cells[:, None] * 4**step + np.arange(4**step)).ravel()
        ra, dec = healpix_center(cells, level)
        near = region.boundary_distance(ra, dec) <= cell_radius(level)
        far = np.flatnonzero(~near)
        inside.append(cell_ranges(cells[far[region.contains(ra[far], dec[far])]], level))
        cells = cells[near]
        done = level == finest or not 0 < len(cells) <= most
        if done or order is None:
            found = merge_ranges([*inside, cell_ranges(cells, level)])
            if best is not None and len(found) > MAX_RANGES and order is None:
                return best
            best = found
            # One order finer would double the cells along the boundary.
            if done or 2 * len(found) > MAX_RANGES:
                return best
        step = 1
