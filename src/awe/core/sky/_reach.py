"""The HEALPix cells that lie within reach of many positions: what a sky join is keyed by.

A position is listed under its own cell, and under the neighbours on whose side it is nearer to the edge than
its radius. How near it is, is read off its place in the cell: HEALPix (K. M. Górski et al., ApJ 622 (2005) 759)
maps each of its twelve faces to a square, and an angle on the sky is nowhere more than ``1 / _NARROWEST`` of the
square's side per radian. Cells on the edge of a face list all that touch them: there, sides turn.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from awe.core.sky._angles import FloatArray
from awe.core.sky._healpix import (
    MAX_ORDER,
    IntArray,
    cell_ranges,
    cells_beside,
    merge_ranges,
    places_in_cells,
)

__all__ = ["MAX_REACH", "CellsInReach", "cells_in_reach", "rows_by_reach"]

# The narrowest place of a face is that around a pole: (pi / 3) / sqrt(2/3 * (1 + (pi/2)**2)) = 0.6886 radians wide.
_NARROWEST = 0.68
_MARGIN = 1e-6
"""Of a cell: for rounding, which is below 1e-7 of a cell at order 29."""
_MOST = 0.5
_WANTED = 0.25
"""How far the reach is, in cells: a position nearer to two opposite edges would not say on which side it is."""
MAX_REACH = math.degrees(_NARROWEST * (_MOST - _MARGIN)) * (1 - 1e-9)
"""The largest radius, in degrees, whose cells are those beside a position's own; what reaches further has all twelve."""
_ALIKE = 2
"""How many orders apart the cells of radii that are listed together may be: each list is looked through once more."""
_AT_ONCE = 1 << 15
"""Positions that are worked on together: what is computed of them stays in the processor's cache."""
_EVEN = 0x5555555555555555


@dataclass(frozen=True, slots=True)
class CellsInReach:
    """The cells within reach of positions.

    Attributes
    ----------
    order
        Of the cells.
    cells
        Sorted; one for each position and each cell in its reach.
    rows
        The number of the position that each belongs to.
    """

    order: int
    cells: IntArray
    rows: IntArray

    @property
    def ranges(self) -> IntArray:
        """Where on the sky the cells are: ranges at order 29, as those of a region."""
        return merge_ranges([cell_ranges(np.unique(self.cells), self.order)])


def cells_in_reach(ra: FloatArray, dec: FloatArray, radius_deg: npt.ArrayLike) -> CellsInReach:
    """Return the cells that hold whatever is within a radius of each position, and perhaps a few more.

    Parameters
    ----------
    ra, dec
        ICRS degrees, shape ``(N,)``. Positions that are not on the sky have no cells.
    radius_deg
        One, or one for each. What is negative or NaN reaches nothing. The largest one decides on the order: see
        `rows_by_reach`.
    """
    radius = np.asarray(radius_deg, np.float64)
    order = _order(float(np.max(radius, initial=0.0, where=radius >= 0)))
    if (radius > MAX_REACH).any():
        return _everywhere(ra, dec, radius)
    reach = np.radians(radius) * (1 + 1e-9) * ((1 << order) / _NARROWEST) + _MARGIN
    parts = [
        _listed(ra[part], dec[part], reach[part] if reach.ndim else reach, order, part.start)
        for part in (slice(i, i + _AT_ONCE) for i in range(0, len(ra), _AT_ONCE))
    ]
    cells, rows = (
        (np.concatenate([np.empty(0, np.int64), *column]) for column in zip(*parts, strict=True))
        if parts
        else (np.empty(0, np.int64),) * 2
    )
    sorting = np.argsort(cells)
    return CellsInReach(order, cells[sorting], rows[sorting])


def rows_by_reach(radius_deg: FloatArray) -> list[IntArray]:
    """Return the numbers of positions in groups whose radii are alike, so that each group may have cells of its own size.

    What is negative or NaN reaches nothing and is in none.
    """
    good = np.flatnonzero(radius_deg >= 0)
    smallest = math.radians(2.0**-40)
    reach = np.maximum(np.radians(radius_deg[good]), smallest)
    finest = np.floor(np.log2(_WANTED * _NARROWEST / reach)).astype(np.int64)
    level = np.clip(finest, -_ALIKE, MAX_ORDER) // _ALIKE
    return [good[level == one] for one in np.unique(level)]


def _everywhere(ra: FloatArray, dec: FloatArray, radius: FloatArray) -> CellsInReach:
    """Return all twelve cells of order 0 for each position that reaches anything."""
    good = np.flatnonzero((radius >= 0) & np.isfinite(ra) & (np.abs(dec) <= 90))
    return CellsInReach(0, np.repeat(np.arange(12), good.size), np.tile(good, 12))


def _listed(
    ra: FloatArray, dec: FloatArray, reach: FloatArray, order: int, first: int
) -> tuple[IntArray, IntArray]:
    """Return cells in reach (in cells) and the numbers of the positions, counted from `first`; not sorted."""
    cell, x, y = places_in_cells(ra, dec, order)
    good = (cell >= 0) & (reach >= _MARGIN)
    number = np.arange(first, first + len(ra))
    if not good.all():
        cell, x, y, number = cell[good], x[good], y[good], number[good]
        reach = reach[good] if reach.ndim else reach
    aside = _side(x, reach), _side(y, reach)
    on_edge = _on_edge_of_face(cell, order)
    found, places = [cell], [number]
    for step in _STEPS:
        here = np.flatnonzero(~on_edge & _all_equal(aside, step))
        places.append(number[here])
        found.append(_moved(cell[here], order, step))
    turned = np.flatnonzero(on_edge & ((aside[0] != 0) | (aside[1] != 0)))
    around = cells_beside(cell[turned], order)
    near = (around >= 0) & (around != cell[turned, None])
    found.append(around[near])
    places.append(np.broadcast_to(number[turned][:, None], near.shape)[near])
    return np.concatenate(found), np.concatenate(places)


_STEPS = tuple((x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if (x, y) != (0, 0))


def _order(radius_deg: float) -> int:
    """Return the finest order at which the reach is not more of a cell than is wanted; 0 where it must be more."""
    if radius_deg <= 0:
        return MAX_ORDER
    finest = math.floor(math.log2(_WANTED * _NARROWEST / math.radians(radius_deg)))
    return min(max(finest, 0), MAX_ORDER)


def _side(place: FloatArray, reach: FloatArray) -> IntArray:
    """Return on which side of its cell a place is nearer to the edge than its reach: -1, 1, or 0 for neither."""
    return (place > 1 - reach).astype(np.int64) - (place < reach)


def _all_equal(aside: tuple[IntArray, IntArray], step: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Say where a step leads to a cell in reach: straight over a near side, across a corner of two near sides."""
    led = np.ones(aside[0].shape, bool)
    for side, s in zip(aside, step, strict=True):
        led &= (side == s) | (s == 0)
    return led


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
