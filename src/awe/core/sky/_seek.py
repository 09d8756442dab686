"""The cells that a look-up reads for a region: quickly, because a look-up takes less time than a close covering.

`seek` begins with the few cells around a circle; where they hold many rows, it is worth dividing them once, which
also says which cells lie wholly inside, so that their rows need no test.
"""

from dataclasses import dataclass

import numpy as np

from awe.core.sky._angles import BoolArray, half_chord_squared
from awe.core.sky._around import cells_around
from awe.core.sky._healpix import (
    MAX_ORDER,
    IntArray,
    cell_radius,
    healpix_center,
)
from awe.core.sky._region import Circle, Region

__all__ = ["Sought", "seek"]

_FINER = 3
_MARGIN = 1 + 1e-9


@dataclass(frozen=True, slots=True)
class Sought:
    """What to read.

    Attributes
    ----------
    ranges
        Half-open intervals of cells at order 29, int64, shape ``(N, 2)``, sorted, not overlapping.
    inside
        Which of them lie wholly inside the region, shape ``(N,)``; None where of none it is known.
    close
        Whether they follow the region as closely as `seek` can.
    """

    ranges: IntArray
    inside: BoolArray | None
    close: bool


def _merged(cells: list[int], shift: int) -> IntArray:
    """Return the ranges of a few cells, sorted, as `merge_ranges` does of many."""
    ranges: list[tuple[int, int]] = []
    for cell in cells:
        first = ranges.pop()[0] if ranges and ranges[-1][1] == cell else cell
        ranges.append((first, cell + 1))
    return np.array(ranges, np.int64) << shift


def seek(region: Region, *, closely: bool = False) -> Sought:
    """Return cells that cover a region.

    Parameters
    ----------
    closely
        Divide the cells around a circle, and say which are wholly inside; other regions are always followed closely.
    """
    if not isinstance(region, Circle):
        ranges = region.covering()
        return Sought(ranges, None, close=True)
    cells, order = cells_around(region.ra, region.dec, region.radius)
    step = min(_FINER, MAX_ORDER - order)
    if not closely or step == 0:
        ranges = _merged(cells.tolist(), 2 * (MAX_ORDER - order))
        return Sought(ranges, None, close=step == 0)
    order += step
    cells = (cells[:, None] * 4**step + np.arange(4**step)).ravel()
    ra, dec = healpix_center(cells, order)
    away = 2 * np.arcsin(np.minimum(1, np.sqrt(half_chord_squared(region.ra, region.dec, ra, dec))))
    radius, reach = np.radians(region.radius), cell_radius(order) * _MARGIN
    kept = away <= radius * _MARGIN + reach
    return _runs(cells[kept], away[kept] + reach < radius, 2 * (MAX_ORDER - order))


def _runs(cells: IntArray, inside: BoolArray, shift: int) -> Sought:
    """Return sorted cells as ranges, each of cells in a row that are all inside or all not."""
    ends = np.flatnonzero((cells[1:] != cells[:-1] + 1) | (inside[1:] != inside[:-1]))
    first = np.concatenate(([0], ends + 1))
    last = np.concatenate((ends, [len(cells) - 1]))
    ranges = np.stack([cells[first], cells[last] + 1], axis=-1) << shift
    return Sought(ranges, inside[first], close=True)
