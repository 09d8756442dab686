"""HEALPix in the nested scheme: the one place that calls cdshealpix.

Words: *order* is 0..29, a sphere has ``12 * 4**order`` cells; *ranges* are half-open intervals
``[lo, hi)`` of cells at order 29, shape ``(N, 2)``, int64, sorted and merged. HATS catalogues use the
same library for their column ``_healpix_29``, so the indices agree to the last bit.

The compiled functions are called directly: the package's Python functions take astropy quantities,
and awe keeps astropy out of its values.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from cdshealpix import cdshealpix as _compiled

from awe.core.sky._angles import FloatArray
from awe.errors import ParameterError

__all__ = [
    "MAX_ORDER",
    "IntArray",
    "cell_corners",
    "cell_radius",
    "cell_ranges",
    "cells_beside",
    "checked_order",
    "healpix_center",
    "healpix_index",
    "healpix_ring",
    "merge_ranges",
    "places_in_cells",
]

IntArray = npt.NDArray[np.int64]

MAX_ORDER = 29
# One thread: the library otherwise starts a pool in every call, and callers are in threads already.
_THREADS = np.uint16(1)
# For each base cell: the ring of its southern corner, and its longitude in units of 45 degrees.
_RING = np.array([2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4])
_TURN = np.array([1, 3, 5, 7, 0, 2, 4, 6, 1, 3, 5, 7])
_EVEN_BITS = 0x5555555555555555
_SQUEEZE = (
    (1, 0x3333333333333333),
    (2, 0x0F0F0F0F0F0F0F0F),
    (4, 0x00FF00FF00FF00FF),
    (8, 0x0000FFFF0000FFFF),
    (16, 0x00000000FFFFFFFF),
)


def checked_order(order: int) -> int:
    """Return `order`, or raise ParameterError where it is not a whole number in 0..29."""
    if not 0 <= order <= MAX_ORDER or int(order) != order:
        raise ParameterError("order", order, f"a HEALPix order is a whole number from 0 to {MAX_ORDER}")
    return int(order)


def healpix_index(ra: npt.ArrayLike, dec: npt.ArrayLike, order: int = MAX_ORDER) -> IntArray:
    """Return the nested HEALPix index of positions, as int64 of the broadcast shape.

    Parameters
    ----------
    ra, dec
        ICRS degrees; any finite right ascension, declination in [-90, 90].
    order
        0..29; the default is that of the HATS column ``_healpix_29``.

    Notes
    -----
    Positions that are not finite, or beyond a pole, have no cell: they get -1.
    """
    return places_in_cells(ra, dec, order)[0]


def places_in_cells(
    ra: npt.ArrayLike, dec: npt.ArrayLike, order: int
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return the nested cells of positions, and where in them these are: x and y, from 0 to 1.

    x grows with the even bits of a nested index, y with the odd ones. Otherwise as `healpix_index`.
    """
    order = checked_order(order)
    ra, dec = np.broadcast_arrays(np.asarray(ra, np.float64), np.asarray(dec, np.float64))
    good = np.isfinite(ra) & (np.abs(dec) <= 90)
    lon = np.radians(np.where(good, ra, 0.0) % 360).ravel()
    lat = np.radians(np.where(good, dec, 0.0)).ravel()
    found = np.empty(lon.size, np.uint64)
    x, y = np.empty((2, lon.size))
    depth = np.full(lon.size, order, np.uint8)
    _compiled.lonlat_to_healpix(depth, lon, lat, found, x, y, _THREADS)
    cells = np.where(good, found.astype(np.int64).reshape(good.shape), -1)
    return cells, x.reshape(good.shape), y.reshape(good.shape)


def cells_beside(cells: IntArray, order: int) -> IntArray:
    """Return each cell with all that touch it, shape ``(N, 9)``; -1 where a corner has fewer neighbours."""
    found = np.empty((len(cells), 9), np.int64)
    _compiled.neighbours(order, cells.astype(np.uint64), found, _THREADS)
    return found


def healpix_center(index: npt.ArrayLike, order: int = MAX_ORDER) -> tuple[FloatArray, FloatArray]:
    """Return right ascension and declination, in degrees, of the centres of nested cells.

    Raises
    ------
    ParameterError
        An index is outside ``0 .. 12 * 4**order - 1``.
    """
    order = checked_order(order)
    cells = np.asarray(index)
    if cells.size and (cells.min() < 0 or cells.max() >= 12 << (2 * order)):
        raise ParameterError("index", f"{cells.min()}..{cells.max()}", f"not cells of HEALPix order {order}")
    return _centers(cells.astype(np.int64), order)


def _centers(cells: IntArray, order: int) -> tuple[FloatArray, FloatArray]:
    """Return the centres of nested cells in degrees.

    K. M. Górski et al., ApJ 622 (2005) 759, equations 4 to 9, in the coordinates x (north-east) and y
    (north-west) inside a base cell; from the pole, so that the smallest polar caps keep their precision.
    """
    nside = 1 << order
    base = cells >> (2 * order)
    inside = cells & ((1 << (2 * order)) - 1)
    x, y = _every_other_bit(inside), _every_other_bit(inside >> 1)
    # Rings are numbered from the north pole; `width` is a quarter of the cells in the ring.
    ring = _RING[base] * nside - x - y - 1
    from_pole = np.minimum(ring, 4 * nside - ring)
    width = np.minimum(from_pole, nside)
    lon = 45 * (_TURN[base] + (x - y) / width)
    below_pole = (width / nside) ** 2 / 3  # 1 - |z| in the caps
    z = (2 * nside - ring) * (2 / 3) / nside
    in_cap = from_pole < nside
    z = np.where(in_cap, np.copysign(1 - below_pole, z), z)
    across = np.sqrt(np.where(in_cap, below_pole * (2 - below_pole), 1 - z**2))
    return lon % 360, np.degrees(np.arctan2(z, across))


def _every_other_bit(value: IntArray) -> IntArray:
    """Return the number made of the bits 0, 2, 4, ... of each value."""
    value = value & _EVEN_BITS
    for shift, mask in _SQUEEZE:
        value = (value | (value >> shift)) & mask
    return value


def cell_corners(cells: IntArray, order: int) -> tuple[FloatArray, FloatArray]:
    """Return right ascension and declination, in degrees, of the four corners of cells, shape ``(N, 4)``."""
    depth = np.full(len(cells), order, np.uint8)
    lon, lat = np.empty((len(cells), 4)), np.empty((len(cells), 4))
    _compiled.vertices(depth, cells.astype(np.uint64), 1, lon, lat, _THREADS)
    return np.degrees(lon) % 360, np.degrees(lat)


def healpix_ring(index: npt.ArrayLike, order: int) -> IntArray:
    """Return the numbers in the ring scheme of nested cells of one order."""
    cells = np.atleast_1d(np.asarray(index, np.int64))
    found = np.empty(cells.size, np.uint64)
    _compiled.to_ring(checked_order(order), cells.ravel().astype(np.uint64), found, _THREADS)
    return found.astype(np.int64).reshape(cells.shape)


def cell_radius(order: int) -> float:
    """Return an angle in radians that no point of a cell exceeds from the cell's centre.

    Largest centre-to-corner distance of the cells that touch the polar caps' lower edge (the formula
    of ``max_pixrad`` in the HEALPix library), and one per cent more.
    """
    nside = 1 << order
    z_a, phi = 2 / 3, math.pi / (4 * nside)
    z_b = 1 - (1 - 1 / nside) ** 2 / 3
    s_a, s_b = math.sqrt(1 - z_a**2), math.sqrt(1 - z_b**2)
    chord = math.dist((s_a * math.cos(phi), s_a * math.sin(phi), z_a), (s_b, 0, z_b))
    return 1.01 * 2 * math.asin(chord / 2)


def cell_ranges(cells: IntArray, order: int | IntArray) -> IntArray:
    """Return the order-29 range of each cell, shape ``(N, 2)``, not merged."""
    shift = 2 * (MAX_ORDER - order)
    return np.stack([cells << shift, (cells + 1) << shift], axis=-1)


def merge_ranges(parts: Sequence[IntArray]) -> IntArray:
    """Return the union of ranges as one sorted array of ranges that neither touch nor overlap."""
    ranges = np.concatenate([np.empty((0, 2), np.int64), *parts])
    if len(ranges) < 2:
        return ranges
    ranges = ranges[np.argsort(ranges[:, 0], kind="stable")]
    reached = np.maximum.accumulate(ranges[:, 1])
    first = np.concatenate([[True], ranges[1:, 0] > reached[:-1]])
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(ranges)) - 1
    return np.stack([ranges[starts, 0], reached[ends]], axis=-1)
