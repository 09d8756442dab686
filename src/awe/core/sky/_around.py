"""The few HEALPix cells around one position, in Python's own numbers: a look-up begins with them.

The compiled library starts a thread in each call, which takes longer than the rest of a look-up. Its own cone search is
not used either: for one cone in 400 it misses cells that the edge of the cone passes through.

Words: *x* and *y* are a cell's coordinates in its base cell, towards north-east and north-west, from 0 to ``2**order - 1``;
east is where right ascension grows. Base cells 0 to 3 stand around the north pole, 4 to 7 on the equator, 8 to 11 around
the south pole.
"""

import math

import numpy as np

from awe.core.sky._healpix import MAX_ORDER, IntArray

__all__ = ["cells_around"]

_WIDEST_DEG = 20.0
# The narrowest cell of order k is wider than this times 2**-k radians (0.68 at the worst place).
_NARROWEST = 0.5
# Rounding of a position on its way into a cell is far below this angle (radians).
_ROUNDING = 1e-14
_STRETCH = (
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)


def cells_around(ra: float, dec: float, radius_deg: float, order: int = MAX_ORDER) -> tuple[IntArray, int]:
    """Return a few nested cells that together cover a cone, sorted, and their order, at most `order`.

    The cell of the centre and its neighbours hold every position within the smallest width of a cell; above 20 degrees
    the twelve base cells do.

    Parameters
    ----------
    ra, dec, radius_deg
        ICRS degrees; declination in [-90, 90].
    """
    if radius_deg > _WIDEST_DEG:
        return np.arange(12), 0
    fitting = math.floor(math.log2(_NARROWEST / max(math.radians(radius_deg) + _ROUNDING, 2**-32)))
    order = min(order, fitting, MAX_ORDER)
    base, x, y = _place(ra, dec, order)
    last = (1 << order) - 1
    if 0 < x < last and 0 < y < last:
        across = [_spread(x + i) for i in (-1, 0, 1)]
        upward = [2 * _spread(y + i) for i in (-1, 0, 1)]
        first = base << (2 * order)
        cells = [first + one + other for other in upward for one in across]
    else:
        touching = (_moved(base, x + i, y + j, 1 << order) for j in (-1, 0, 1) for i in (-1, 0, 1))
        cells = [(b << (2 * order)) + _spread(x) + 2 * _spread(y) for b, x, y in filter(None, touching)]
    return np.array(sorted(set(cells)), np.int64), order


def _place(ra: float, dec: float, order: int) -> tuple[int, int, int]:
    """Return a position's base cell, and the coordinates x and y of its cell in there.

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


def _moved(base: int, x: int, y: int, side: int) -> tuple[int, int, int] | None:
    """Return where a place at most one cell beyond the edges of a base cell is; None where no cell is.

    None: the eight corners in which three base cells meet. Górski et al., figure 4, shows who stands beside whom.
    """
    east, north = (x == side) - (x < 0), (y == side) - (y < 0)
    if not east and not north:
        return base, x, y
    row, k = divmod(base, 4)
    if row == 1:
        found = {
            (1, 0): k, (0, 1): k - 1 & 3, (-1, 0): 8 + (k - 1 & 3), (0, -1): 8 + k,
            (1, -1): 4 + (k + 1 & 3), (-1, 1): 4 + (k - 1 & 3),
        }.get((east, north))  # fmt: skip
        return None if found is None else (found, x % side, y % side)
    away = (1, 1) if row == 0 else (-1, -1)
    if (east, north) == away:  # across the pole
        return base ^ 2, x - east, y - north
    if (east, north) == (-away[0], -away[1]):  # across the equator
        return (8 + k if row == 0 else k), x % side, y % side
    if row == 0:
        beside = {
            (1, 0): ((k + 1) & 3, y, side - 1), (0, 1): (k - 1 & 3, side - 1, x),
            (-1, 0): (4 + k, side - 1, y), (0, -1): (4 + (k + 1 & 3), x, side - 1),
        }  # fmt: skip
    else:
        beside = {
            (-1, 0): (8 + (k - 1 & 3), y, 0), (0, -1): (8 + (k + 1 & 3), 0, x),
            (1, 0): (4 + (k + 1 & 3), 0, y), (0, 1): (4 + k, x, 0),
        }  # fmt: skip
    return beside.get((east, north))


def _spread(number: int) -> int:
    """Return the number whose even bits are the bits of another one of at most 32."""
    for shift, mask in _STRETCH:
        number = (number | number << shift) & mask
    return number
