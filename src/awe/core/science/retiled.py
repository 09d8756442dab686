"""Images whose tiles are so large that little of them is wanted: read from a copy in small tiles.

The copy is a FITS file of compressed images (`awe.core.science.retiling`), without loss: where floating-point numbers had
become integers, it holds those integers, and the original says what they stand for.
"""

from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from awe.core.science.source import open_local
from awe.core.science.tiles import Read, Tiles

__all__ = ["Retiled"]


@dataclass(frozen=True, slots=True, eq=False)
class Retiled:
    """An image and its copy.

    Attributes
    ----------
    file
        That holds the copy.
    copy
        Its tiles.
    original
        Where the image itself is: tiles, or None where only astropy can read it.
    """

    file: Path
    copy: Tiles
    original: Tiles | None

    @property
    def size(self) -> int:
        """Bytes that the descriptors take."""
        return self.copy.size + (0 if self.original is None else self.original.size)

    def pixels(self, index: tuple[slice, ...], read: Read) -> NDArray[np.generic]:
        """Return pixels as `Tiles.pixels` does.

        Parameters
        ----------
        index
            For each axis in numpy's order, within the image, with a positive step.
        read
            Of the file that is the original.

        Raises
        ------
        InputFileError
            If the copy is not there any more.
        """
        with open_local(self.file) as copy:
            if self.original is None or not self.original.quantized:
                return self.copy.pixels(index, copy.read)
            *outer, along = index
            values = self.copy.integers((*outer, slice(along.start, along.stop, 1)), copy.read)
        return _numbers(self.original, values, index, read)[..., :: along.step]


def _numbers(
    original: Tiles, values: NDArray[np.int32], index: tuple[slice, ...], read: Read
) -> NDArray[np.generic]:
    """Return what integers stand for: row by row, of which each lies in a tile as wide as the image."""
    *outer, along = index
    rows = np.stack(np.meshgrid(*[np.arange(s.start, s.stop, s.step) for s in outer], indexing="ij"), axis=-1)
    rows = rows.reshape(-1, len(outer))
    height = np.array(original.tile[:-1])
    counts = [-(-n // t) for n, t in zip(original.shape[:-1], original.tile[:-1], strict=True)]
    tiles = np.ravel_multi_index(tuple((rows // height).T), counts)
    lines = values.reshape(len(rows), -1)
    offsets = rows[:, -1] % height[-1] * original.shape[-1] + along.start
    out = original.numbers(lines, tiles, offsets).astype(original.kind)
    for at in np.flatnonzero(original.packed.rows[tiles, 0] == 0).tolist():
        place = (*(slice(n, n + 1, 1) for n in rows[at].tolist()), slice(along.start, along.stop, 1))
        out[at] = original.pixels(place, read).reshape(-1)
    return out.reshape(*(len(range(s.start, s.stop, s.step)) for s in outer), prod(lines.shape[1:]))
