"""The cells that a look-up reads for a region: quickly, because a look-up takes less time than a close covering.

`seek` begins with the few cells around a circle; where they hold many rows, it is worth dividing them once, which
also says which cells lie wholly inside, so that their rows need no test.
"""

import math
from dataclasses import dataclass

import numpy as np

from awe.core.sky._angles import BoolArray, half_chord_squared
from awe.core.sky._healpix import (
    MAX_ORDER,
    IntArray,
    cell_radius,
    cells_around,
    healpix_center,
)
from awe.core.sky._region import Circle, Region

__all__ = ["Sought", "seek"]

_FINER = 3
# The narrowest cell of order k is wider than this times 2**-k radians; rounding is far below the other (radians).
_NARROWEST, _ROUNDING = 0.5, 1e-14
_STRETCH = (
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)
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


def _around(circle: Circle) -> tuple[IntArray, int]:
    """Return a few cells that together cover a circle, and their order: as `cells_around`, without the library.

    A cell and its neighbours are three by three in the coordinates of their base cell, but along its edges.
    """
    fitting = math.floor(math.log2(_NARROWEST / max(math.radians(circle.radius) + _ROUNDING, 2**-32)))
    order = min(fitting, MAX_ORDER)
    base, x, y = cell_place(circle.ra, circle.dec, max(0, order))
    last = (1 << max(0, order)) - 1
    if not (0 < x < last and 0 < y < last):
        return cells_around(circle.ra, circle.dec, circle.radius, MAX_ORDER)
    across = [_spread(x + i) for i in (-1, 0, 1)]
    upward = [2 * _spread(y + i) for i in (-1, 0, 1)]
    first = base << (2 * order)
    return np.array([first + one + other for other in upward for one in across]), order


def cell_place(ra: float, dec: float, order: int) -> tuple[int, int, int]:
    """Return a position's base cell, and the coordinates x (north-east) and y (north-west) of its cell in there.

    K. M. Górski et al., ApJ 622 (2005) 759, section 5: on the projected sphere the cells are squares that stand on a
    corner, so that in the equatorial region both coordinates are linear in longitude and z, and in the polar caps in the
    distance from the pole.
    """
    side = 1 << order
    turn = ra % 360 / 90
    z = math.sin(math.radians(dec))
    if abs(z) <= 2 / 3:
        # lines of constant x and y; each crosses one base cell on a quarter turn
        rising, falling = side * (0.5 + turn - 0.75 * z), side * (0.5 + turn + 0.75 * z)
        up, down = math.floor(rising), math.floor(falling)
        column, other = up >> order, down >> order
        if column == other:
            base = 4 + (column & 3)
        else:
            base = column & 3 if column < other else 8 + (other & 3)
        return base, down & (side - 1), side - 1 - (up & (side - 1))
    quarter = min(3, int(turn))
    # the square root of 3 (1 - |z|), from the pole
    width = side * math.sqrt(6) * math.sin(math.radians(90 - abs(dec)) / 2)
    one = min(side - 1, int((turn - quarter) * width))
    other = min(side - 1, int((1 - turn + quarter) * width))
    return (quarter, side - 1 - other, side - 1 - one) if z > 0 else (8 + quarter, one, other)


def _spread(number: int) -> int:
    """Return the number whose even bits are the bits of another one of at most 32."""
    for shift, mask in _STRETCH:
        number = (number | number << shift) & mask
    return number


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
    cells, order = _around(region)
    step = min(_FINER, MAX_ORDER - order)
    if not closely or step == 0:
        ranges = _merged(sorted(cells.tolist()), 2 * (MAX_ORDER - order))
        return Sought(ranges, None, close=step == 0)
    order += step
    cells = (np.sort(cells)[:, None] * 4**step + np.arange(4**step)).ravel()
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
