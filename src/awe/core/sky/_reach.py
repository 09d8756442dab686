"""The HEALPix cells that lie within reach of many positions: what a sky join is keyed by.

A position is listed under its own cell, and under the neighbours on whose side it is nearer to the edge than
its radius. How near it is, is read off its index of order 29: the bits below those of the cell are its place in it, the
even ones x and the odd ones y, and they compare in place with a bound whose bits are spread alike. HEALPix (K. M. Górski
et al., ApJ 622 (2005) 759) maps each of its twelve faces to a square, and an angle on the sky is nowhere more than
``1 / _NARROWEST`` of the square's side per radian. Cells on the edge of a face list all that touch them: there, sides turn.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from awe.core.sky._angles import FloatArray
from awe.core.sky._healpix import MAX_ORDER, IntArray, cell_ranges, cells_beside, merge_ranges

__all__ = [
    "MAX_REACH",
    "CellsInReach",
    "cells_in_reach",
    "finest_order",
    "reach_in_cells",
    "rows_by_reach",
    "surrounded",
]

# The narrowest place of a face is that around a pole: (pi / 3) / sqrt(2/3 * (1 + (pi/2)**2)) = 0.6886 radians wide.
_NARROWEST = 0.68
_MARGIN = 1e-6
"""Of a cell: for rounding."""
_MOST = 0.5
"""How far the reach may be, in cells: a position nearer to two opposite edges would not say on which side it is."""
_MOST_ROUNDED = 0.45
"""The same where it is rounded up to the widths of cells of order 29."""
MAX_REACH = math.degrees(_NARROWEST * (_MOST - _MARGIN)) * (1 - _MARGIN)
"""The largest radius, in degrees, whose cells are those beside a position's own; what reaches further has all twelve."""
_FINEST = 22
"""The finest order, of cells of 50 milliarcseconds: in smaller ones an index of order 29 does not say exactly enough where."""
_ALIKE = 2
"""How many orders apart the cells of radii that are listed together may be: each list is looked through once more."""
_COARSE = 8
"""The order of cells (0.2 degrees) that are told to surround others: all of the sky are 800,000."""
_AT_ONCE = 1 << 15
"""Positions that are worked on together: what is computed of them stays in the processor's cache."""
_EVEN = 0x5555555555555555


@dataclass(frozen=True, slots=True)
class CellsInReach:
    """The cells within reach of positions, in two lists: each position's own, and those beside it.

    Attributes
    ----------
    order
        Of the cells.
    lists
        Each of cells, sorted, and the numbers of the positions that they belong to; a position and a cell in its reach
        stand in one of them, once.
    """

    order: int
    lists: tuple[tuple[IntArray, IntArray], ...]

    @property
    def ranges(self) -> IntArray:
        """Where on the sky the cells are: ranges at order 29, as those of a region."""
        return merge_ranges([cell_ranges(np.unique(cells), self.order) for cells, _ in self.lists])


def cells_in_reach(index: IntArray, radius_deg: npt.ArrayLike, order: int | None = None) -> CellsInReach:
    """Return the cells that hold whatever is within a radius of each position, and perhaps a few more.

    Parameters
    ----------
    index
        HEALPix indices of the positions (nested, order 29), shape ``(N,)``. Negative ones are not on the sky and have
        no cells.
    radius_deg
        One, or one for each. What is negative or NaN reaches nothing. The largest one decides on the order: see
        `rows_by_reach`.
    order
        Of the cells, not finer than `finest_order` of the largest radius, which is taken when None.
    """
    radius = np.asarray(radius_deg, np.float64)
    finest = finest_order(float(np.max(radius, initial=0.0, where=radius >= 0)))
    order = finest if order is None else min(order, finest)
    if (radius > MAX_REACH).any():
        return _everywhere(index, radius)
    units = _units(radius, order)
    number = np.flatnonzero((index >= 0) & (units >= 0))
    if number.size < index.size:
        index = index[number]
        units = units[number] if units.ndim else units
    parts = [
        _beside(index[part], units[part] if units.ndim else units, order, part.start)
        for part in (slice(i, i + _AT_ONCE) for i in range(0, len(index), _AT_ONCE))
    ]
    near = [column for part in parts for column in part[0]]
    turned = np.concatenate([np.empty(0, np.int64), *(part[1] for part in parts)])
    shift = 2 * (MAX_ORDER - order)
    near.append(_around(index[turned] >> shift, turned, order))
    own, beside = index >> shift, [np.concatenate(column) for column in zip(*near, strict=True)]
    return CellsInReach(order, (_sorted(own, number), _sorted(beside[0], number[beside[1]])))


def _sorted(cells: IntArray, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Return both in the order of the cells, in which those of a catalogue are already."""
    if not (cells[1:] < cells[:-1]).any():
        return cells, rows
    order = np.argsort(cells)
    return cells[order], rows[order]


def finest_order(radius_deg: float) -> int:
    """Return the order of the smallest cells in which a position's reach is told by the cells beside its own."""
    if radius_deg <= 0:
        return _FINEST
    finest = math.floor(math.log2(_MOST_ROUNDED * _NARROWEST / math.radians(min(radius_deg, 180))))
    return min(max(finest, 0), _FINEST)


def reach_in_cells(radius_deg: float, order: int) -> float:
    """Return a radius in the widths of the narrowest cells of an order."""
    return math.radians(radius_deg) * (1 << order) / _NARROWEST


def rows_by_reach(radius_deg: FloatArray) -> list[IntArray]:
    """Return the numbers of positions in groups whose radii are alike, so that each group may have cells of its own size.

    What is negative or NaN reaches nothing and is in none.
    """
    good = np.flatnonzero(radius_deg >= 0)
    smallest = math.radians(2.0**-40)
    reach = np.maximum(np.radians(np.minimum(radius_deg[good], 180)), smallest)
    finest = np.floor(np.log2(_MOST_ROUNDED * _NARROWEST / reach)).astype(np.int64)
    level = np.clip(finest, -_ALIKE, _FINEST) // _ALIKE
    return [good[level == one] for one in np.unique(level)]


def surrounded(ranges: IntArray, radius_deg: float) -> IntArray:
    """Return ranges that hold whatever is within a radius of any position in some ranges, and perhaps more.

    Parameters
    ----------
    ranges
        Of HEALPix indices (nested, order 29), the end of each excluded, shape ``(N, 2)``.
    radius_deg
        At most `MAX_REACH`.
    """
    order = min(finest_order(radius_deg), _COARSE)
    shift = 2 * (MAX_ORDER - order)
    first, last = ranges[:, 0] >> shift, (ranges[:, 1] - 1) >> shift
    cells = np.unique(np.concatenate([np.empty(0, np.int64), *map(np.arange, first, last + 1)]))
    around = np.unique(cells_beside(cells, order))
    return merge_ranges([cell_ranges(around[around >= 0], order)])


def _everywhere(index: IntArray, radius: FloatArray) -> CellsInReach:
    """Return all twelve cells of order 0 for each position that reaches anything."""
    good = np.flatnonzero((radius >= 0) & (index >= 0))
    return CellsInReach(0, ((np.repeat(np.arange(12), good.size), np.tile(good, 12)),))


def _units(radius_deg: FloatArray, order: int) -> IntArray:
    """Return radii in the widths of cells of order 29, rounded up; -1 for those that are none."""
    in_cells = np.radians(radius_deg) * (1 + 1e-9) * ((1 << order) / _NARROWEST) + _MARGIN
    units = np.ceil(in_cells * (1 << (MAX_ORDER - order))) + 1
    return np.where(radius_deg >= 0, units, -1).astype(np.int64)


def _beside(
    index: IntArray, units: IntArray, order: int, first: int
) -> tuple[list[tuple[IntArray, IntArray]], IntArray]:
    """Return cells beside those of positions, with the positions' numbers, counted from `first`.

    Besides: the numbers of the positions that have cells beside them in directions which only `_around` knows.
    """
    shift = 2 * (MAX_ORDER - order)
    x, y = (_side(index, units, shift, axis) for axis in (0, 1))
    near = np.flatnonzero(x | y)
    cell, x, y, number = index[near] >> shift, x[near], y[near], near + first
    on_edge = _on_edge_of_face(cell, order)
    found = []
    for step in _STEPS:
        here = np.flatnonzero(_leads(x, step[0]) & _leads(y, step[1]) & ~on_edge)
        found.append((_moved(cell[here], order, step), number[here]))
    return found, number[on_edge]


def _around(cells: IntArray, number: IntArray, order: int) -> tuple[IntArray, IntArray]:
    """Return all cells that touch some, with the numbers of these."""
    around = cells_beside(cells, order)
    touched = (around >= 0) & (around != cells[:, None])
    return around[touched], np.broadcast_to(number[:, None], touched.shape)[touched]


_STEPS = tuple((x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if (x, y) != (0, 0))


def _side(index: IntArray, units: IntArray, shift: int, axis: int) -> npt.NDArray[np.int8]:
    """Return on which side of its cell a place is nearer to the edge than its reach: -1, 1, or 0 for neither."""
    place = index & ((_EVEN << axis) & ((1 << shift) - 1))
    low = place < _spread(units) << axis
    high = place >= _spread((1 << (shift // 2)) - units) << axis
    return high.view(np.int8) - low.view(np.int8)


def _spread(number: IntArray) -> IntArray:
    """Return numbers whose bits are the even ones of the result."""
    for by, mask in _SPREAD:
        number = (number | (number << by)) & mask
    return number


_SPREAD = (
    (16, 0x0000FFFF0000FFFF), (8, 0x00FF00FF00FF00FF), (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333), (1, 0x5555555555555555),
)  # fmt: skip


def _leads(side: npt.NDArray[np.int8], step: int) -> npt.NDArray[np.bool_]:
    """Say where a step leads to a cell in reach: over a near side, or along it."""
    return side == step if step else np.ones(side.shape, bool)


def _on_edge_of_face(cell: IntArray, order: int) -> npt.NDArray[np.bool_]:
    whole = (1 << (2 * order)) - 1
    edge = np.zeros(cell.shape, bool)
    for mask in (_EVEN & whole, (_EVEN << 1) & whole):
        edge |= (cell & mask == 0) | (cell & mask == mask)
    return edge


def _moved(cell: IntArray, order: int, step: tuple[int, int]) -> IntArray:
    """Return the cells some steps away in x (the even bits) and y (the odd ones), on the same face."""
    whole = (1 << (2 * order)) - 1
    for axis, by in enumerate(step):
        mask = (_EVEN << axis) & whole
        if by > 0:
            cell = (((cell | ~mask) + (1 << axis)) & mask) | (cell & ~mask)
        elif by < 0:
            cell = (((cell & mask) - (1 << axis)) & mask) | (cell & ~mask)
    return cell
