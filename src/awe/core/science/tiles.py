"""The tiles of a compressed image (FITS Standard 4.0 section 10): those wanted, each read and unpacked by itself.

Where the tiles lie is read once, by `awe.core.science.tile_table`.
"""

import gzip
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import NamedTuple, TypeVar

import numpy as np
from astropy.io.fits.hdu.compressed._compression import (
    decompress_hcompress_1_c,
    decompress_plio_1_c,
    decompress_rice_1_c,
    unquantize_double_c,
    unquantize_float_c,
)
from numpy.typing import NDArray

from awe.core.science.dither import undithered
from awe.core.science.shared_work import share
from awe.core.science.source import Range

__all__ = ["ALGORITHMS", "DITHER", "Column", "Read", "Tiles"]

Read = Callable[[Sequence[Range]], list[bytes]]
"""Reads ranges of the file."""

_Slices = tuple[slice, ...]
_T = TypeVar("_T", bound=np.generic)

DITHER = {"NO_DITHER": -1, "NONE": 0, "SUBTRACTIVE_DITHER_1": 1, "SUBTRACTIVE_DITHER_2": 2}
_ZEROS = 2
_SHARED = 1 << 15
"""Tiles of so many pixels are worth another thread; those of 64 by 64 take longer so (measured on two cores)."""
ALGORITHMS = {
    "RICE_1": ("BLOCKSIZE", 32, "BYTEPIX", 4),
    "RICE_ONE": ("BLOCKSIZE", 32, "BYTEPIX", 4),
    "HCOMPRESS_1": ("SCALE", 0, "SMOOTH", 0),
    **dict.fromkeys(("GZIP_1", "GZIP_2", "PLIO_1"), ("", 0, "", 0)),
}
"""The algorithms, and the names and usual values of their two settings (section 10.4)."""
_LOSSLESS = {1: "u1", 2: ">i2", 4: ">i4", 8: ">i8"}
_NATIVE = {1: "u1", 2: "=i2", 4: "=i4", 8: "=i8"}
_UNQUANTIZE = {-32: (unquantize_float_c, np.float32), -64: (unquantize_double_c, np.float64)}


# CFITSIO's code lets other threads go on, but keeps the state of HCOMPRESS in one place for all of them, and
# fills its table of random numbers when that is first needed: here, before there are any.
_HCOMPRESS = threading.Lock()
unquantize_float_c(bytes(4), 1, 1, 1.0, 0.0, 1, 0, 0, 0.0, 4)


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The descriptors of a column of arrays: elements and place in the heap of each row."""

    rows: NDArray[np.int64]
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class Tiles:
    """Where the tiles of an image lie and how they are packed.

    Attributes
    ----------
    shape, tile
        Of the image and of a tile, in numpy's order.
    bitpix
        Of the image's pixels.
    algorithm, settings
        Its name, and two numbers: for Rice the pixels of a block and the bytes of a pixel, for HCOMPRESS the scale and
        whether to smooth.
    heap
        Where the heap is in the file.
    packed, gzipped, plain
        The columns of tiles; the second and third where the first has none.
    scale, zero
        Of each tile, where floating-point numbers have become integers.
    dither, seed
        How they did.
    blank, blanks
        The integer for no value: of all tiles and of each.
    """

    shape: tuple[int, ...]
    tile: tuple[int, ...]
    bitpix: int
    algorithm: str
    settings: tuple[int, int]
    heap: int
    packed: Column
    gzipped: Column | None
    plain: Column | None
    scale: NDArray[np.float64] | None
    zero: NDArray[np.float64] | None
    dither: int
    seed: int
    blank: int | None
    blanks: NDArray[np.int64] | None

    @property
    def size(self) -> int:
        """Bytes that the descriptors take."""
        columns = (self.packed, self.gzipped, self.plain)
        arrays = (self.scale, self.zero, self.blanks, *(c.rows for c in columns if c is not None))
        return sum(array.nbytes for array in arrays if array is not None)

    @property
    def quantized(self) -> bool:
        """Whether floating-point numbers have become integers."""
        return self.scale is not None and self.zero is not None

    @property
    def kind(self) -> str:
        """The type of the pixels."""
        return f">f{-self.bitpix // 8}" if self.bitpix < 0 else _LOSSLESS[self.bitpix // 8]

    def pixels(self, index: _Slices, read: Read) -> NDArray[np.generic]:
        """Return pixels as they are stored, integers without BSCALE and BZERO; only the tiles touched are read.

        Parameters
        ----------
        index
            For each axis in numpy's order, within the image, with a positive step.
        read
            Of the file.
        """
        out = np.empty([s.stop - s.start for s in index], self.kind)

        def unpack(part: _Part) -> None:
            tile, column, raw = part
            if column is self.packed:
                out[tile.there] = self._tile(tile, raw)
            else:
                out[tile.there] = self._unpacked(tile, raw, gzipped=column is self.gzipped)

        self._do(unpack, self._read(self._touched(index), read))
        return _stepped(out, index)

    def integers(self, index: _Slices, read: Read) -> NDArray[np.int32]:
        """Return the integers that pixels have become, and zero for those that have not; parameters as `pixels`."""
        out = np.zeros([s.stop - s.start for s in index], np.int32)

        def unpack(part: _Part) -> None:
            tile, _, raw = part
            out[tile.there] = self._decoded(raw, tile.shape).reshape(tile.shape)[tile.here]

        touched = [tile for tile in self._touched(index) if self.packed.rows[tile.row, 0]]
        self._do(unpack, self._read(touched, read))
        return _stepped(out, index)

    def _do(self, unpack: Callable[["_Part"], None], parts: list["_Part"]) -> None:
        """Unpack tiles, large ones on all cores."""
        if prod(self.tile) >= _SHARED:
            share(unpack, parts)
        else:
            for part in parts:
                unpack(part)

    def numbers(
        self, values: NDArray[np.int32], rows: NDArray[np.int64], offsets: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return what integers stand for.

        Parameters
        ----------
        values
            Consecutive pixels of a tile, shape (parts, pixels).
        rows
            The row of each part's tile in the table.
        offsets
            The pixels of the tile before the part.
        """
        scale, zero = self.scale[rows], self.zero[rows]  # type: ignore[index]  # only called where they are
        if self.dither == -1:
            found = values * scale[:, None] + zero[:, None]
        else:
            found = undithered(
                values, rows + self.seed - 1, offsets, scale, zero, zeros=self.dither == _ZEROS
            )
        blank = self.blank if self.blanks is None else self.blanks[rows][:, None]
        if blank is not None:
            found[values == blank] = np.nan
        return found

    def _touched(self, index: _Slices) -> list["_Touched"]:
        found = [_Touched(0, (), (), ())]
        for n, t, wanted in zip(self.shape, self.tile, index, strict=True):
            along, count = _along(n, t, wanted), -(-n // t)
            found = [
                _Touched(row * count + number, (*shape, size), (*here, ours), (*there, theirs))
                for row, shape, here, there in found
                for number, size, ours, theirs in along
            ]
        return found

    def _read(self, touched: list["_Touched"], read: Read) -> list["_Part"]:
        """Read tiles: those that lie one after the other at once."""
        rows = [tile.row for tile in touched]
        found = self.packed.rows[rows].tolist()
        columns = [self.packed if at[0] else self._column(row) for at, row in zip(found, rows, strict=True)]
        ranges = [self._range(*one) for one in zip(columns, rows, strict=True)]
        runs: list[list[int]] = []
        for place, count in ranges:
            if runs and sum(runs[-1]) == place:
                runs[-1][1] += count
            else:
                runs.append([place, count])
        raws = zip(runs, read([(place, count) for place, count in runs]), strict=True)
        run, raw = next(raws, ([0, 0], b""))
        parts = []
        for tile, column, (place, count) in zip(touched, columns, ranges, strict=True):
            if place >= sum(run):
                run, raw = next(raws)
            parts.append(_Part(tile, column, raw[place - run[0] : place - run[0] + count]))
        return parts

    def _column(self, row: int) -> Column:
        """Return the column that holds a tile."""
        for column in (self.packed, self.gzipped, self.plain):
            if column is not None and column.rows[row, 0]:
                return column
        raise ValueError(f"tile {row} is not there")

    def _range(self, column: Column, row: int) -> Range:
        count, place = column.rows[row].tolist()
        return self.heap + place, count * column.size

    def _tile(self, tile: "_Touched", raw: bytes) -> NDArray[np.generic]:
        row, shape, here = tile.row, tile.shape, tile.here
        values = self._decoded(raw, shape)
        blank = self.blank if self.blanks is None else int(self.blanks[row])
        if self.scale is None or self.zero is None:
            pixels = values.reshape(shape)[here]
            if blank is None or (self.bitpix > 0 and (self.blank is None or blank == self.blank)):
                return pixels
            return np.asarray(
                np.where(pixels == blank, np.nan if self.bitpix < 0 else int(self.blank or 0), pixels)
            )
        if self.dither == -1:
            scaled = values.reshape(shape)[here] * self.scale[row] + self.zero[row]
        else:
            scaled = self._undithered(values, row).reshape(shape)[here]
        return scaled if blank is None else np.where(values.reshape(shape)[here] == blank, np.nan, scaled)

    def _decoded(self, raw: bytes, shape: tuple[int, ...]) -> NDArray[np.generic]:
        count = prod(shape)
        if self.algorithm.startswith("RICE"):
            block, width = self.settings
            return np.frombuffer(decompress_rice_1_c(raw, block, width, count), _NATIVE[width])
        if self.algorithm == "HCOMPRESS_1":
            scale, smooth = self.settings
            rows, columns = [n for n in shape if n > 1]
            with _HCOMPRESS:
                found = decompress_hcompress_1_c(raw, rows, columns, scale, smooth, 8)
            return np.frombuffer(found, "i4")
        if self.algorithm == "PLIO_1":
            words = np.frombuffer(raw, ">i2").astype("i2").tobytes()
            return np.frombuffer(decompress_plio_1_c(words, count), "i4")[:count]
        data = gzip.decompress(raw)
        if self.algorithm == "GZIP_2":
            data = np.frombuffer(data, np.uint8).reshape(len(data) // count, count).T.tobytes()
        return np.frombuffer(data, self._stored(len(data), count, lossless=self.scale is None))

    def _unpacked(self, tile: "_Touched", raw: bytes, *, gzipped: bool) -> NDArray[np.generic]:
        """Return a tile that could not be made integers, or not be packed."""
        data = gzip.decompress(raw) if gzipped else raw
        stored = self._stored(len(data), prod(tile.shape), lossless=True)
        return np.frombuffer(data, stored).reshape(tile.shape)[tile.here]

    def _stored(self, length: int, count: int, *, lossless: bool) -> str:
        """Return the type of the numbers that take so many bytes."""
        width = length // count
        return f">f{width}" if lossless and self.bitpix < 0 and width in {4, 8} else _LOSSLESS[width]

    def _undithered(self, values: NDArray[np.generic], row: int) -> NDArray[np.generic]:
        scale, zero = self.scale[row], self.zero[row]  # type: ignore[index]  # only called where they are
        unquantize, kind = _UNQUANTIZE[self.bitpix]
        width = values.dtype.itemsize
        native = values.data if values.dtype.isnative else values.astype(_NATIVE[width]).data
        return np.frombuffer(
            unquantize(
                bytes(native), row + self.seed, len(values), scale, zero, self.dither, 0, 0, 0.0, width
            ),
            kind,
        )


class _Touched(NamedTuple):
    """A tile of which pixels are wanted: its row in the table, its shape, which of its pixels, and as which."""

    row: int
    shape: tuple[int, ...]
    here: _Slices
    there: _Slices


class _Part(NamedTuple):
    """A tile, the column that holds it, and its bytes."""

    tile: _Touched
    column: Column
    raw: bytes


def _stepped(pixels: NDArray[_T], index: _Slices) -> NDArray[_T]:
    return pixels[tuple(slice(None, None, s.step) for s in index)]


def _along(n: int, tile: int, wanted: slice) -> list[tuple[int, int, slice, slice]]:
    """Return the tiles of an axis that are touched: number, pixels, which of them are wanted, and as which."""
    found = []
    for number in range(wanted.start // tile, -(-wanted.stop // tile)):
        first = number * tile
        size = min(tile, n - first)
        low, high = max(first, wanted.start), min(first + size, wanted.stop)
        here, there = slice(low - first, high - first), slice(low - wanted.start, high - wanted.start)
        found.append((number, size, here, there))
    return found
