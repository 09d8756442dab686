"""What every region on the sky offers, and the simplest of them, the circle.

A `Region` is a closed, connected part of the celestial sphere, an immutable value in ICRS degrees. It
answers exactly (`contains`, `intersects`) and coarsely (`covering`, `bounding_circle`), and writes
itself in the notations of the VO.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from awe.core.sky._angles import (
    ON_EDGE,
    BoolArray,
    FloatArray,
    checked_position,
    half_chord_squared,
    separation,
)
from awe.core.sky._boundary import Boundary
from awe.core.sky._cover import cover
from awe.core.sky._healpix import IntArray, checked_order
from awe.errors import PositionError

__all__ = ["Circle", "Region", "numbers"]

SQUARE_DEGREES = (180 / math.pi) ** 2


def numbers(*values: float) -> str:
    """Return numbers separated by blanks, each in the shortest form that reads back unchanged."""
    return " ".join(repr(float(v)).removesuffix(".0") for v in values)


class Region(ABC):
    """A closed, connected part of the sky (ICRS); the boundary belongs to it, up to rounding."""

    @abstractmethod
    def contains(self, ra: npt.ArrayLike, dec: npt.ArrayLike) -> BoolArray:
        """Return which positions (degrees, broadcast) are inside; exact.

        Positions that are not finite are never inside.
        """

    @abstractmethod
    def bounding_circle(self) -> "Circle":
        """Return a circle that encloses the region, close to the smallest one."""

    @property
    @abstractmethod
    def area(self) -> float:
        """The solid angle in square degrees."""

    @abstractmethod
    def to_dali(self) -> str:
        """Return the region as the value of a POS parameter (SIA 2.0 section 2.1.1)."""

    @abstractmethod
    def to_stcs(self) -> str:
        """Return the region in STC-S (TAP 1.0 section 6), frame ICRS."""

    @property
    @abstractmethod
    def boundary(self) -> Boundary:
        """The curves around the region; a circle's is empty, its edge being a distance."""

    @property
    def has_edges(self) -> bool:
        """Whether `boundary` is the exact edge, so that tests may use it; not so for HEALPix cells."""
        return True

    def covering(self, order: int | None = None) -> IntArray:
        """Return HEALPix ranges that cover the region: a superset, for index look-ups.

        Parameters
        ----------
        order
            The finest cells to use. None chooses cells small enough to follow the region with not
            much more than 64 ranges. Orders so fine that they would only multiply the ranges are
            not followed to the end; the result stays a superset.

        Returns
        -------
        numpy.ndarray
            Half-open intervals ``[lo, hi)`` of nested cells at order 29, int64, shape ``(N, 2)``,
            sorted and merged.

        Raises
        ------
        ParameterError
            The order is not in 0..29.
        """
        circle = self.bounding_circle()
        finest = None if order is None else checked_order(order)
        return cover(self, (circle.ra, circle.dec, circle.radius), finest)

    def boundary_distance(self, ra: FloatArray, dec: FloatArray) -> FloatArray:
        """Return the angle, in radians, from positions (degrees, shape ``(K,)``) to the boundary."""
        return self.boundary.distance(ra, dec)

    def intersects(self, other: "Region") -> bool:
        """Return whether the two regions have a point in common; touching regions do."""
        if isinstance(other, Circle) or not other.has_edges:
            return other.intersects(self)
        mine, theirs = self.boundary.corners, other.boundary.corners
        return (
            bool(other.contains(mine[:, 0], mine[:, 1]).any())
            or bool(self.contains(theirs[:, 0], theirs[:, 1]).any())
            or self.boundary.meets(other.boundary)
        )


@dataclass(frozen=True)
class Circle(Region):
    """All positions within an angle of a centre.

    Parameters
    ----------
    ra, dec
        The centre, ICRS degrees.
    radius
        Degrees, 0..180; 180 is the whole sky, 0 a single position.

    Raises
    ------
    PositionError
        The centre is not on the sky or the radius is not in 0..180.
    """

    ra: float
    dec: float
    radius: float

    def __post_init__(self) -> None:
        ra, dec = checked_position(self.ra, self.dec)
        radius = float(self.radius)
        if not 0 <= radius <= 180:
            raise PositionError(
                f"the radius {radius!r} is outside 0..180 degrees",
                hint="a radius is given in degrees: 1 arcmin is 0.016667, 1 arcsec is 0.00027778",
                radius=str(radius),
            )
        for name, value in (("ra", ra), ("dec", dec), ("radius", radius)):
            object.__setattr__(self, name, value)

    @property
    def half_chord_limit(self) -> float:
        """The right side of the exact test ``half_chord_squared(...) <= limit``: sin²(radius/2).

        For the whole sky it is 2, above anything that rounding can make of the left side.
        """
        return 2.0 if self.radius == 180 else math.sin(math.radians(self.radius) / 2) ** 2

    def contains(self, ra: npt.ArrayLike, dec: npt.ArrayLike) -> BoolArray:
        """Return which positions (degrees, broadcast) are inside, by the haversine formula."""
        with np.errstate(invalid="ignore"):
            found: BoolArray = half_chord_squared(self.ra, self.dec, ra, dec) <= self.half_chord_limit
        return np.asarray(found)

    def bounding_circle(self) -> "Circle":
        """Return the circle itself."""
        return self

    @property
    def area(self) -> float:
        """The solid angle in square degrees."""
        return 4 * math.pi * math.sin(math.radians(self.radius) / 2) ** 2 * SQUARE_DEGREES

    def to_dali(self) -> str:
        """Return ``CIRCLE ra dec radius``."""
        return f"CIRCLE {numbers(self.ra, self.dec, self.radius)}"

    def to_stcs(self) -> str:
        """Return ``CIRCLE ICRS ra dec radius``."""
        return f"CIRCLE ICRS {numbers(self.ra, self.dec, self.radius)}"

    @cached_property
    def boundary(self) -> Boundary:
        """An empty boundary: the edge is the distance `radius` from the centre."""
        none = np.empty((0, 3))
        return Boundary(none, none, none, np.empty((0, 2)))

    def boundary_distance(self, ra: FloatArray, dec: FloatArray) -> FloatArray:
        """Return the angle, in radians, from positions (degrees) to the circle's edge."""
        found: FloatArray = np.radians(np.abs(separation(self.ra, self.dec, ra, dec) - self.radius))
        return found

    def intersects(self, other: Region) -> bool:
        """Return whether the two regions have a point in common; touching regions do."""
        if not other.has_edges:
            return other.intersects(self)
        if isinstance(other, Circle):
            apart = float(separation(self.ra, self.dec, other.ra, other.dec))
            return apart <= self.radius + other.radius + math.degrees(ON_EDGE)
        if bool(other.contains(self.ra, self.dec)):
            return True
        distance = other.boundary_distance(np.array([self.ra]), np.array([self.dec]))
        return float(np.degrees(distance[0])) <= self.radius + math.degrees(ON_EDGE)
