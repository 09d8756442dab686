"""The MOC: a part of the sky made of HEALPix cells (Multi-Order Coverage maps 2.0, REC 2022-07-27).

Inside it is what every index look-up uses, ranges of cells at order 29. Text and JSON (section 4.2 and
appendix B) are written and read here, FITS through `awe.core.sky._moc_files`.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from awe.core.sky._angles import BoolArray, FloatArray, chord_angle, lonlat, unit_vector
from awe.core.sky._boundary import Boundary
from awe.core.sky._healpix import (
    MAX_ORDER,
    IntArray,
    cell_corners,
    cell_radius,
    cell_ranges,
    checked_order,
    healpix_center,
    healpix_index,
    merge_ranges,
)
from awe.core.sky._region import SQUARE_DEGREES, Circle, Region
from awe.errors import ParameterError, PositionError

__all__ = ["Moc"]

_SKY = 12 << (2 * MAX_ORDER)
_FINER = (None, 12, 16, 20, 24)
"""Orders at which another shape is compared with a MOC, one after the other until they differ."""
_TOKEN = re.compile(r"(?:(\d+)/)?(?:(\d+)(?:-(\d+))?)?")


@dataclass(frozen=True, eq=False)
class Moc(Region):
    """A part of the sky made of HEALPix cells; it need not be connected, and it may be empty.

    Parameters
    ----------
    ranges
        Half-open intervals ``[lo, hi)`` of nested cells at order 29, shape ``(N, 2)``, in any order.
    order
        The finest order of cells, 0..29; ranges are widened to whole cells of it.

    Raises
    ------
    ParameterError
        If the order is not in 0..29, or a range is not on the sky.
    """

    ranges: IntArray
    order: int

    def __post_init__(self) -> None:
        order = checked_order(self.order)
        given = np.asarray(self.ranges, np.int64).reshape(-1, 2)
        if given.size and (given.min() < 0 or given.max() > _SKY or (given[:, 0] >= given[:, 1]).any()):
            raise ParameterError("ranges", "", "not ranges of HEALPix cells at order 29")
        ranges = merge_ranges([_widened(given, order)])
        ranges.setflags(write=False)
        object.__setattr__(self, "ranges", ranges)
        object.__setattr__(self, "order", order)

    # Other shapes and MOCs

    @classmethod
    def of_region(cls, region: Region, order: int) -> "Moc":
        """Return the cells that cover a region: a superset of it."""
        return cls(region.covering(order), order)

    @classmethod
    def of_cells(cls, cells: npt.ArrayLike, order: int) -> "Moc":
        """Return the MOC of nested cells of one order."""
        return cls(cell_ranges(np.asarray(cells, np.int64).ravel(), checked_order(order)), order)

    @classmethod
    def union(cls, mocs: Iterable["Moc"]) -> "Moc":
        """Return what any of them covers; the finest order is that of the finest of them."""
        every = list(mocs)
        return cls(merge_ranges([m.ranges for m in every]), max((m.order for m in every), default=0))

    def intersection(self, other: "Moc") -> "Moc":
        """Return what both cover."""
        return Moc(_common(self.ranges, other.ranges), max(self.order, other.order))

    def degraded(self, order: int) -> "Moc":
        """Return the cells of a coarser order that cover this; a finer order changes nothing."""
        return Moc(self.ranges, min(order, self.order))

    def simplified(self, most_ranges: int) -> "Moc":
        """Return this, or the finest coarser MOC that has at most `most_ranges` ranges."""
        found = self
        while len(found.ranges) > most_ranges and found.order > 0:
            found = found.degraded(found.order - 1)
        return found

    # The region

    def contains(self, ra: npt.ArrayLike, dec: npt.ArrayLike) -> BoolArray:
        """Return which positions (degrees, broadcast) are in a cell; those that are not finite never are."""
        cells = healpix_index(ra, dec)
        # a cell is inside where an odd number of ends is at or below it
        found: BoolArray = np.searchsorted(self.ranges.ravel(), cells, side="right") % 2 == 1
        return np.asarray(found)

    def covering(self, order: int | None = None) -> IntArray:
        """Return the ranges, of cells no finer than `order`."""
        return self.ranges if order is None else self.degraded(checked_order(order)).ranges

    def near(self, region: Region) -> bool:
        """Return whether the region's covering has cells of this: False is certain, True is not; quick."""
        # a small region lies in a few cells of this order; a large one has too many of them
        order = self.order if region.bounding_circle().radius < 1 else None
        return len(_common(self.ranges, region.covering(order))) > 0

    def intersects(self, other: Region) -> bool:
        """Return whether the two have a point in common.

        Exact between MOCs. Another shape is compared down to cells of order 24 (0.01 arcsec): one that
        comes as close as that counts as touching.
        """
        if isinstance(other, Moc):
            return len(_common(self.ranges, other.ranges)) > 0
        corners = other.boundary.corners
        circle = other.bounding_circle()
        inner = np.concatenate([corners, [(circle.ra, circle.dec)]])
        inner = inner[other.contains(inner[:, 0], inner[:, 1])]
        if len(inner) and bool(self.contains(inner[:, 0], inner[:, 1]).any()):
            return True
        for order in _FINER:
            common = _common(self.ranges, other.covering(order))
            if not len(common):
                return False
            middles = healpix_center((common[:, 0] + common[:, 1]) // 2)
            if bool(other.contains(*middles).any()):
                return True
        return True

    @property
    def has_edges(self) -> bool:
        """Return False: see `boundary`."""
        return False

    @property
    def area(self) -> float:
        """The solid angle in square degrees."""
        return self.sky_fraction * 4 * np.pi * SQUARE_DEGREES

    @property
    def sky_fraction(self) -> float:
        """The covered part of the sky, 0..1."""
        return int((self.ranges[:, 1] - self.ranges[:, 0]).sum()) / _SKY

    @cached_property
    def boundary(self) -> Boundary:
        """The edges of all cells, their corners joined by great circles: for drawing.

        A cell's own edges are no great circles, so no test of this class uses them.
        """
        corners = [
            unit_vector(*cell_corners(cells, order)) for order, cells in self.cells.items() if len(cells)
        ]
        points = np.concatenate(corners) if corners else np.empty((0, 4, 3))
        starts, ends = points.reshape(-1, 3), np.roll(points, -1, axis=1).reshape(-1, 3)
        return Boundary(starts, ends, np.empty((0, 3)), np.stack(lonlat(starts), axis=-1))

    def bounding_circle(self) -> Circle:
        """Return a circle around all cells; that of an empty MOC has radius 0."""
        if not len(self.ranges):
            return Circle(0.0, 0.0, 0.0)
        centres, radii, weights = self._discs
        middle = (centres * weights[:, None]).sum(axis=0)
        length = float(np.linalg.norm(middle)) / float(weights.sum())
        if length < 1e-3:  # all around
            return Circle(0.0, 0.0, 180.0)
        middle /= np.linalg.norm(middle)
        radius = float(np.degrees((chord_angle(centres, middle) + radii).max()))
        ra, dec = lonlat(middle)
        return Circle(float(ra), float(dec), min(180.0, radius))

    @cached_property
    def _discs(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Centres (unit vectors), radii (radians) and relative areas of circles around the cells."""
        centres, radii, weights = [], [], []
        for order, cells in self.cells.items():
            centres.append(unit_vector(*healpix_center(cells, order)))
            radii.append(np.full(len(cells), cell_radius(order)))
            weights.append(np.full(len(cells), 4.0**-order))
        return np.concatenate(centres), np.concatenate(radii), np.concatenate(weights)

    def to_dali(self) -> str:
        """Return ``MOC`` and the MOC as text, as DALI 1.2 (draft) writes the xtype ``moc``."""
        return f"MOC {self.to_ascii()}"

    def to_stcs(self) -> str:
        """Return the union of the cells' polygons: STC-S has no cells."""
        corners = self.boundary.corners.reshape(-1, 8)
        parts = [f"POLYGON ICRS {' '.join(repr(float(x)) for x in cell)}" for cell in corners]
        return parts[0] if len(parts) == 1 else f"UNION ICRS ({' '.join(parts)})"

    # Serialisations

    @cached_property
    def cells(self) -> Mapping[int, IntArray]:
        """The largest cells that make up the MOC, by order; the order of the MOC is always there."""
        left: IntArray = self.ranges
        found: dict[int, IntArray] = {}
        for order in range(self.order + 1):
            shift = 2 * (MAX_ORDER - order)
            # whole cells of this order inside each range, and what they leave at its two ends
            first, last = -((-left[:, 0]) >> shift), left[:, 1] >> shift
            whole = last > first
            counts = np.where(whole, last - first, 0)
            if counts.any() or order == self.order:
                found[order] = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
            ends = np.concatenate(
                [
                    left[~whole],
                    np.stack([left[whole, 0], first[whole] << shift], axis=-1),
                    np.stack([last[whole] << shift, left[whole, 1]], axis=-1),
                ]
            )
            left = ends[ends[:, 0] < ends[:, 1]]
            left = left[np.argsort(left[:, 0])]
        return found

    def to_ascii(self) -> str:
        """Return the MOC as text (section 4.2.1): ``5/3 10-12 9/``."""
        parts = []
        for order, cells in self.cells.items():
            runs = np.split(cells, np.flatnonzero(np.diff(cells) != 1) + 1) if len(cells) else []
            words = [f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs]
            parts.append(f"{order}/{' '.join(words)}")
        return " ".join(parts)

    def to_json(self) -> str:
        """Return the MOC as JSON (appendix B): ``{"5": [3, 10], "9": []}``."""
        return json.dumps({str(order): cells.tolist() for order, cells in self.cells.items()})

    @classmethod
    def from_ascii(cls, text: str) -> "Moc":
        """Read a MOC written as text; commas may separate numbers as well as blanks.

        Raises
        ------
        PositionError
            If it is not one.
        """
        order: int | None = None
        finest = 0
        ranges: list[tuple[int, int]] = []
        for word in text.strip().removeprefix("s").replace(",", " ").replace("/ ", "/").split():
            found = _TOKEN.fullmatch(word)
            order = order if found is None or found[1] is None else int(found[1])
            if found is None or order is None or order > MAX_ORDER:
                raise PositionError(f"{word!r} is not part of a MOC", hint="for example 5/3 10-12 9/")
            finest = max(finest, order)
            if found[2]:
                low = int(found[2])
                ranges.append(_checked(low, int(found[3] or low), order))
        return cls(np.array(ranges, np.int64).reshape(-1, 2), finest)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Moc":
        """Read a MOC written as JSON.

        Raises
        ------
        PositionError
            If it is not one.
        """
        try:
            said = json.loads(text)
            said = said.get("s", said)
            cells = [(int(order), [int(cell) for cell in some]) for order, some in said.items()]
        except (ValueError, TypeError, AttributeError) as error:
            raise PositionError(
                f"not a MOC in JSON: {error}", hint='for example {"5": [3, 10], "9": []}'
            ) from None
        if any(not 0 <= order <= MAX_ORDER for order, _ in cells):
            raise PositionError("an order of the MOC is not in 0..29")
        ranges = [_checked(cell, cell, order) for order, some in cells for cell in some]
        return cls(np.array(ranges, np.int64).reshape(-1, 2), max((order for order, _ in cells), default=0))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Moc) and self.order == other.order and np.array_equal(self.ranges, other.ranges)
        )

    def __hash__(self) -> int:
        return hash((self.order, self.ranges.tobytes()))

    def __repr__(self) -> str:
        return f"Moc({len(self.ranges)} ranges, order {self.order}, {self.sky_fraction:.3g} of the sky)"


def _widened(ranges: IntArray, order: int) -> IntArray:
    shift = 2 * (MAX_ORDER - order)
    return np.stack([ranges[:, 0] >> shift << shift, -((-ranges[:, 1]) >> shift) << shift], axis=-1)


def _checked(low: int, high: int, order: int) -> tuple[int, int]:
    if not 0 <= low <= high < 12 << (2 * order):
        raise PositionError(f"{low}-{high} are not cells of HEALPix order {order}")
    shift = 2 * (MAX_ORDER - order)
    return low << shift, (high + 1) << shift


def _common(one: IntArray, two: IntArray) -> IntArray:
    """Return the intersection of two sorted lists of ranges."""
    first = np.searchsorted(two[:, 1], one[:, 0], side="right")
    count = np.maximum(np.searchsorted(two[:, 0], one[:, 1], side="left") - first, 0)
    mine = np.repeat(np.arange(len(one)), count)
    theirs = np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())
    return np.stack(
        [np.maximum(one[mine, 0], two[theirs, 0]), np.minimum(one[mine, 1], two[theirs, 1])], axis=-1
    )
