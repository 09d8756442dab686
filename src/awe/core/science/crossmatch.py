"""Which rows of two lists of positions are near each other.

Words: the *held* positions are in memory, listed under the HEALPix cells in their reach; *others* come in any number
of parts, each of which is looked up in that list. A *pair* is a row of either and their separation. Cells only say
where to look: whether two positions are near is decided by their separation, computed as everywhere in awe.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from awe.core.sky import (
    MAX_ORDER,
    cells_in_reach,
    finest_order,
    healpix_index,
    merge_ranges,
    reach_in_cells,
    rows_by_reach,
)

__all__ = ["Match", "Pairs", "Positions", "nearest"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_AT_ONCE = 1_000_000
"""Pairs that are looked at together: what they need stays below 100 MB."""
_ROUNDING = 1e-9
_STRETCH, _STRETCHES = 4096, 32
"""Positions from which it is learnt how densely they lie."""
_COARSER = 3
_LISTING = 3.0
"""What it takes to list a position in a cell and to look that up, in comparisons of two positions (about 50 ns)."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Rows that are near each other.

    Attributes
    ----------
    held, other
        Numbers of the rows, counted from zero; of those that came in the same part.
    separation
        Degrees.
    """

    held: IntArray
    other: IntArray
    separation: FloatArray

    def __len__(self) -> int:
        return self.held.size

    def __getitem__(self, chosen: npt.NDArray[np.bool_] | IntArray) -> "Pairs":
        return Pairs(self.held[chosen], self.other[chosen], self.separation[chosen])


@dataclass(frozen=True, slots=True)
class Positions:
    """Positions in the order of their HEALPix indices.

    Attributes
    ----------
    ra, dec
        ICRS degrees.
    index
        HEALPix indices (nested, order 29), sorted.
    order
        Their numbers in the order in which they came; None where it is this one.
    """

    ra: FloatArray
    dec: FloatArray
    index: IntArray
    order: IntArray | None = None

    @classmethod
    def of(cls, ra: FloatArray, dec: FloatArray, index: IntArray | None = None) -> "Positions":
        """Return positions, shape ``(M,)``, sorted; `index` where it is known, quickest if it is sorted."""
        if index is None:
            index = healpix_index(ra, dec)
        if not (index[1:] < index[:-1]).any():
            return cls(ra, dec, index)
        order = np.argsort(index, kind="stable")
        return cls(ra[order], dec[order], index[order], order)

    def numbers(self, places: IntArray) -> IntArray:
        """Return the numbers of those that stand at some places."""
        return places if self.order is None else self.order[places]


class Match:
    """Held positions, ready to be compared with others.

    Parameters
    ----------
    ra, dec
        ICRS degrees, shape ``(N,)``; positions that are not on the sky are near nothing.
    radius_deg
        How far apart the rows of a pair may be: one, or one for each position; NaN and what is negative is near nothing.
    strict
        Whether they must be nearer than that.
    index
        The HEALPix indices of the positions (nested, order 29), where they are known.
    others
        How many other positions there will be for each of these, about.
    """

    def __init__(
        self,
        ra: FloatArray,
        dec: FloatArray,
        radius_deg: npt.ArrayLike,
        *,
        strict: bool = False,
        index: IntArray | None = None,
        others: float = 1.0,
    ) -> None:
        self._ra, self._dec = ra, dec
        self._radius = np.asarray(radius_deg, np.float64)
        self._limit = np.sin(np.radians(np.minimum(self._radius, 180)) / 2) ** 2
        self._strict = strict
        self._lists = tuple(self._listed(healpix_index(ra, dec) if index is None else index, others))

    def _listed(self, index: IntArray, others: float) -> Iterator["_List"]:
        if not self._radius.ndim:
            order = _best_order(index, float(self._radius), others)
            reach = cells_in_reach(index, self._radius, order)
            yield from (_List(reach.order, *listed) for listed in reach.lists)
            return
        for rows in rows_by_reach(self._radius):
            radius = self._radius[rows]
            order = _best_order(index[rows], float(radius.max()), others)
            reach = cells_in_reach(index[rows], radius, order)
            yield from (_List(reach.order, cells, rows[numbers]) for cells, numbers in reach.lists)

    def within(self, first: int, last: int, most: int) -> IntArray | None:
        """Return the cells that touch a range of indices, its end included: none where nothing there can be near.

        They are given as sorted ranges of indices, shape ``(M, 2)``; None where more than `most` would have to be looked at.
        """
        if sum(part.count(first, last) for part in self._lists) > most:
            return None
        return merge_ranges([part.within(first, last) for part in self._lists])

    def pairs(self, others: Positions) -> Iterator[Pairs]:
        """Yield the pairs with other positions, a bounded number at once; each pair once."""
        for part in self._lists:
            for held, other in part.candidates(others.index):
                found = self._near(held, other, others.ra, others.dec)
                if len(found):
                    yield Pairs(found.held, others.numbers(found.other), found.separation)

    def _near(self, held: IntArray, other: IntArray, ra: FloatArray, dec: FloatArray) -> Pairs:
        """Return which candidates are near: cheaply by declination first, then exactly."""
        north = self._dec[held] - dec[other]
        radius = self._radius[held] if self._radius.ndim else self._radius
        close = np.flatnonzero(np.abs(north) <= radius + _ROUNDING)
        held, other, north = held[close], other[close], north[close]
        east = self._ra[held] - ra[other]
        east -= 360 * np.rint(east / 360)
        across = np.cos(np.radians(self._dec[held])) * np.cos(np.radians(dec[other]))
        haversine = np.sin(np.radians(north) / 2) ** 2 + across * np.sin(np.radians(east) / 2) ** 2
        limit = self._limit[held] if self._limit.ndim else self._limit
        near = np.flatnonzero(haversine < limit if self._strict else haversine <= limit)
        separation = np.degrees(2 * np.arcsin(np.sqrt(np.minimum(haversine[near], 1))))
        return Pairs(held[near], other[near], separation)


class _List:
    """Held rows under cells of one order that are in their reach, sorted by these."""

    def __init__(self, order: int, cells: IntArray, rows: IntArray) -> None:
        self._cells, self._rows = cells, rows
        self._shift = 2 * (MAX_ORDER - order)

    def count(self, first: int, last: int) -> int:
        """Return how often cells are listed that touch a range of indices, its end included."""
        start, stop = self._listed(first, last)
        return stop - start

    def within(self, first: int, last: int) -> IntArray:
        """Return the cells that touch a range of indices, its end included, as ranges."""
        start, stop = self._listed(first, last)
        cells = self._cells[start:stop]
        return np.stack([cells, cells + 1], axis=-1) << self._shift

    def candidates(self, index: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
        """Yield the rows that stand in the same cell as sorted indices, `_AT_ONCE` at the most."""
        if not index.size:
            return
        start, stop = self._listed(int(index[0]), int(index[-1]))
        first_of_cell = self._cells[start:stop] << self._shift
        first = np.searchsorted(index, first_of_cell)
        # Most cells are empty, and of those it is known already.
        filled = np.flatnonzero(first < len(index))
        filled = filled[index[first[filled]] < first_of_cell[filled] + (1 << self._shift)]
        rows, first = self._rows[start:stop][filled], first[filled]
        count = np.searchsorted(index, first_of_cell[filled] + (1 << self._shift)) - first
        rows, first, count = _cut(rows, first, count)
        ends = np.cumsum(count)
        begun = 0
        while begun < len(rows):
            done = ends[begun - 1] if begun else 0
            until = max(begun + 1, int(np.searchsorted(ends, done + _AT_ONCE, side="right")))
            yield _spread(rows[begun:until], first[begun:until], count[begun:until])
            begun = until

    def _listed(self, first: int, last: int) -> tuple[int, int]:
        """Return where the cells of a range of indices, its end included, stand in the list."""
        return (
            int(np.searchsorted(self._cells, first >> self._shift)),
            int(np.searchsorted(self._cells, last >> self._shift, side="right")),
        )


def nearest(pairs: Pairs, count: int) -> IntArray:
    """Return the places, in order of the held rows, of the `count` nearest pairs of each; ties in any order."""
    order = np.lexsort((pairs.separation, pairs.held))
    held = pairs.held[order]
    begins = np.flatnonzero(np.diff(held, prepend=-1))
    rank = np.arange(held.size) - np.repeat(begins, np.diff(begins, append=held.size))
    return order[rank < count]


def _best_order(index: IntArray, radius_deg: float, others: float) -> int:
    """Return the order of the cells with which comparing takes least.

    In small cells a position stands in many of them, in large ones it stands with many others; how many these are is
    taken from how many of the held positions, in stretches along the sky, stand in the same cell.
    """
    finest = finest_order(radius_deg)
    good = index[index >= 0]
    if (good[1:] < good[:-1]).any():
        good = np.sort(good)
    starts = np.linspace(0, max(good.size - _STRETCH, 0), min(_STRETCHES, -(-good.size // _STRETCH))).astype(
        int
    )
    stretches = [good[start : start + _STRETCH] for start in starts]

    def cost(order: int) -> float:
        beside = (1 + 2 * min(reach_in_cells(radius_deg, order), 1)) ** 2
        return beside * (_LISTING + others * _crowd(stretches, order))

    return min(range(max(finest - _COARSER, 0), finest + 1), key=cost)


def _crowd(stretches: Sequence[IntArray], order: int) -> float:
    """Return how many others stand in the cell of a position, on average."""
    met = total = 0
    for indices in stretches:
        begins = np.flatnonzero(np.diff(indices >> (2 * (MAX_ORDER - order)), prepend=-1))
        counts = np.diff(begins, append=indices.size)
        met += int((counts * (counts - 1)).sum())
        total += indices.size
    return met / max(total, 1)


def _cut(rows: IntArray, first: IntArray, count: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return runs of candidates, cut where they are longer than what is looked at together."""
    pieces = np.maximum(1, -(-count // _AT_ONCE))
    if (pieces == 1).all():
        return rows, first, count
    number = _counted(pieces)
    rows, first, count = (np.repeat(part, pieces) for part in (rows, first, count))
    return rows, first + number * _AT_ONCE, np.minimum(count - number * _AT_ONCE, _AT_ONCE)


def _spread(rows: IntArray, first: IntArray, count: IntArray) -> tuple[IntArray, IntArray]:
    """Return each row with each of the `count` numbers from `first` on."""
    return np.repeat(rows, count), np.repeat(first, count) + _counted(count)


def _counted(count: IntArray) -> IntArray:
    """Return 0, 1, ... up to each count, one after another."""
    ends = np.cumsum(count)
    return np.arange(ends[-1] if ends.size else 0) - np.repeat(ends - count, count)
