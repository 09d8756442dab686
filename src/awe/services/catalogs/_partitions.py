"""Which HEALPix cells become the files of a catalogue (HATS: adaptive partitions).

Words: a *partition* is one cell of one order, the largest that holds no more rows than allowed; the
*histogram* counts rows in the cells of one fine order and holds only cells that are not empty. Pure
arithmetic: nothing here opens a file.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from awe.core.sky import MAX_ORDER, Moc

__all__ = ["FINEST", "Histogram", "Partition"]

FINEST = 10
"""The finest order of a partition; a cell of this order is one file however full it is."""

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Partition:
    """One cell: its `order` and nested number `pixel`, and how many `rows` it holds."""

    order: int
    pixel: int
    rows: int

    @property
    def path(self) -> str:
        """Where it stands in the dataset (HATS: directories of 10,000 cells)."""
        directory = self.pixel // 10_000 * 10_000
        return f"Norder={self.order}/Dir={directory}/Npix={self.pixel}.parquet"

    @property
    def span(self) -> tuple[int, int]:
        """The half-open range of cells at order 29."""
        shift = 2 * (MAX_ORDER - self.order)
        return self.pixel << shift, (self.pixel + 1) << shift


class Histogram:
    """Count rows in the cells of order `FINEST`."""

    def __init__(self) -> None:
        self._cells: IntArray = np.empty(0, np.int64)
        self._counts: IntArray = np.empty(0, np.int64)

    def add(self, index: IntArray) -> None:
        """Count positions given by their cells at order 29."""
        cells, counts = np.unique(index >> (2 * (MAX_ORDER - FINEST)), return_counts=True)
        both = np.concatenate([self._cells, cells])
        self._cells, inverse = np.unique(both, return_inverse=True)
        sums = np.zeros(self._cells.size, np.int64)
        np.add.at(sums, inverse, np.concatenate([self._counts, counts.astype(np.int64)]))
        self._counts = sums

    def coverage(self, most_ranges: int) -> Moc:
        """Return the cells that hold rows, as fine as `most_ranges` ranges allow."""
        return Moc.of_cells(self._cells, FINEST).simplified(most_ranges)

    def partitions(self, most_rows: int) -> tuple[Partition, ...]:
        """Return the partitions of at most `most_rows` rows each, in the order of the sky index."""
        before = np.concatenate([[0], np.cumsum(self._counts)])

        def rows(order: int, pixel: int) -> int:
            shift = 2 * (FINEST - order)
            first, last = np.searchsorted(self._cells, [pixel << shift, (pixel + 1) << shift])
            return int(before[last] - before[first])

        def split(order: int, pixel: int) -> Iterator[Partition]:
            count = rows(order, pixel)
            if count and (count <= most_rows or order == FINEST):
                yield Partition(order, pixel, count)
            elif count:
                for child in range(4 * pixel, 4 * pixel + 4):
                    yield from split(order + 1, child)

        return tuple(partition for pixel in range(12) for partition in split(0, pixel))
