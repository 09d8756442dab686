"""HEALPix coverings: the cells that a region needs, found by refining only along its boundary.

A cell whose centre is further from the boundary than the cell's radius lies entirely inside or
entirely outside; `Region.contains` of the centre says which. The others are divided, and at the last
order kept: so a covering never misses a point of its region.
"""

from typing import Protocol

import numpy as np

from awe.core.sky._angles import BoolArray, FloatArray
from awe.core.sky._healpix import (
    IntArray,
    cell_radius,
    cell_ranges,
    cone_cells,
    healpix_center,
    merge_ranges,
    order_of_size,
)

__all__ = ["MAX_RANGES", "cover", "cover_circle"]

# Enough ranges to follow a region closely, few enough for an index look-up each.
MAX_RANGES = 64
# Below the order at which a region is a few cells wide; finer cells cost more than they exclude.
_DEEPEST = 10


class Coverable(Protocol):
    """What a covering asks of a region; angles to the boundary in radians, positions in degrees."""

    def contains(self, ra: FloatArray, dec: FloatArray) -> BoolArray:
        """Say which positions are inside."""
        ...

    def boundary_distance(self, ra: FloatArray, dec: FloatArray) -> FloatArray:
        """Return the distance from each position to the boundary."""
        ...


def cover_circle(ra: float, dec: float, radius_deg: float, order: int | None) -> tuple[IntArray, int]:
    """Return ranges that cover a cone, and the order of the finest cells among them."""
    coarse = order_of_size(radius_deg)
    order = min(coarse + (2 if order is None else _DEEPEST), 29 if order is None else order)
    cells, orders = cone_cells(ra, dec, radius_deg, order)
    return merge_ranges([cell_ranges(cells, orders)]), order


def cover(region: Coverable, circle: tuple[float, float, float], order: int | None) -> tuple[IntArray, int]:
    """Return ranges that cover a region, and the order of the finest cells among them.

    Parameters
    ----------
    region
        The region.
    circle
        Right ascension, declination and radius, in degrees, of a circle around it.
    order
        The finest cells to use; None refines while there are at most `MAX_RANGES` ranges.
    """
    coarse = order_of_size(circle[2])
    last = min(29, coarse + _DEEPEST) if order is None else min(order, coarse + _DEEPEST)
    level = min(coarse, last)
    cells, orders = cone_cells(*circle, level)
    cells = _divided(cells, orders, level)
    inside: list[IntArray] = []
    best: tuple[IntArray, int] | None = None
    while True:
        ra, dec = healpix_center(cells, level)
        near = region.boundary_distance(ra, dec) <= cell_radius(level)
        far = np.flatnonzero(~near)
        inside.append(cell_ranges(cells[far[region.contains(ra[far], dec[far])]], level))
        cells = cells[near]
        if order is None or level == last:
            found = merge_ranges([*inside, cell_ranges(cells, level)])
            if best is not None and len(found) > MAX_RANGES:
                return best
            best = (found, level)
        if level == last and best is not None:
            return best
        cells = (4 * cells[:, None] + np.arange(4)).ravel()
        level += 1


def _divided(cells: IntArray, orders: IntArray, order: int) -> IntArray:
    """Return the cells of one order that make up cells of coarser orders."""
    parts = [
        (cells[orders == k][:, None] * 4 ** (order - k) + np.arange(4 ** (order - k))).ravel()
        for k in np.unique(orders).tolist()
    ]
    return np.concatenate(parts)
