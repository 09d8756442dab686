"""Numbers from the integers that dithering made of them (FITS Standard 4.0 section 10.2 and appendix I).

The random numbers of a tile begin at a place that its number tells, and go on through a table that all writers of FITS
share. So a part of a tile needs only its own: their place in the table is found by counting, not by walking there.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["undithered"]

_COUNT = 10_000
_ZERO = -2_147_483_646
"""The integer that stands for exactly zero in SUBTRACTIVE_DITHER_2."""


class _Table(NamedTuple):
    """The random numbers; where a run through them begins, by its seed; how many the runs before it gave."""

    numbers: NDArray[np.float32]
    starts: NDArray[np.int64]
    before: NDArray[np.int64]


def undithered(
    values: NDArray[np.int32],
    seeds: NDArray[np.int64],
    offsets: NDArray[np.int64],
    scale: NDArray[np.float64],
    zero: NDArray[np.float64],
    *,
    zeros: bool,
) -> NDArray[np.float64]:
    """Return the numbers of parts of tiles.

    Parameters
    ----------
    values
        Integers, shape (parts, pixels): consecutive pixels of a tile each.
    seeds
        The number of each tile, counted from zero, plus ZDITHER0 of the image less one.
    offsets
        The pixels of the tile before the part.
    scale, zero
        ZSCALE and ZZERO of each tile.
    zeros
        Whether an integer stands for zero (SUBTRACTIVE_DITHER_2).
    """
    noise = _noise(seeds, offsets, values.shape[1])
    out = np.subtract(values, noise, dtype=np.float64)
    out += 0.5
    out *= scale[:, None]
    out += zero[:, None]
    if zeros:
        out[values == _ZERO] = 0.0
    return out


def _noise(seeds: NDArray[np.int64], offsets: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    table = _table()
    at = table.before[seeds % _COUNT] + offsets
    at %= table.before[-1]
    runs = np.searchsorted(table.before, at, side="right") - 1
    first = table.starts[runs] + at - table.before[runs]
    whole = first + count <= _COUNT
    noise = np.empty((len(seeds), count), np.float32)
    if whole.any():
        noise[whole] = np.lib.stride_tricks.sliding_window_view(table.numbers, count)[first[whole]]
    for part in np.flatnonzero(~whole).tolist():
        noise[part] = _walked(table, int(runs[part]), int(first[part]), count)
    return noise


def _walked(table: _Table, run: int, first: int, count: int) -> NDArray[np.float32]:
    pieces = [table.numbers[first : first + count]]
    left = count - len(pieces[0])
    while left:
        run = (run + 1) % _COUNT
        start = int(table.starts[run])
        pieces.append(table.numbers[start : start + left])
        left -= len(pieces[-1])
    return np.concatenate(pieces)


@cache
def _table() -> _Table:
    """Return the numbers of Park & Miller 1988 (CACM 31, 1192) as appendix I gives them."""
    numbers, seed = np.empty(_COUNT, np.float32), 1
    for k in range(_COUNT):
        seed = 16807 * seed % 2_147_483_647
        numbers[k] = seed / 2_147_483_647
    starts = (numbers * np.float32(500)).astype(np.int64)
    return _Table(numbers, starts, np.concatenate([[0], np.cumsum(_COUNT - starts)]))
