"""The box of ADQL: a cross of two great circles at the centre, closed by four great circles."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from awe.core.sky._angles import ON_EDGE, BoolArray, FloatArray, checked_position, lonlat, unit_vector
from awe.core.sky._boundary import Boundary
from awe.core.sky._region import SQUARE_DEGREES, Circle, Region, numbers
from awe.errors import PositionError

__all__ = ["Box"]


@dataclass(frozen=True)
class Box(Region):
    """A spherical rectangle around a centre, sides towards north and east.

    ADQL 2.1, section on BOX (the words are those of STC 1.33 section 4.5.1.5): the size in both axes
    defines "a cross centered on the center position and with arms extending, parallel to the coordinate
    axes at the center position, for half the respective sizes on either side. The box's sides are line
    segments or great circles intersecting the arms of the cross in its end points at right angles with
    the arms". The arms are taken along the great circles that leave the centre eastwards and
    northwards. So a box is a rectangle in the tangent plane of its centre, keeps its shape at the
    poles, and is not an interval of coordinates: that is `Range`.

    Parameters
    ----------
    ra, dec
        The centre, ICRS degrees.
    width, height
        Whole lengths of the arms, in degrees of arc on the sky (not divided by cos δ), each
        between 0 and 180, both excluded.

    Raises
    ------
    PositionError
        The centre is not on the sky or a size is out of range.
    """

    ra: float
    dec: float
    width: float
    height: float

    def __post_init__(self) -> None:
        ra, dec = checked_position(self.ra, self.dec)
        size = {"width": float(self.width), "height": float(self.height)}
        for name, value in size.items():
            if not 0 < value < 180:
                raise PositionError(
                    f"the {name} of the box, {value!r}, is not between 0 and 180 degrees",
                    hint="for an interval of coordinates use RANGE",
                    **{name: str(value)},
                )
        for name, value in {"ra": ra, "dec": dec, **size}.items():
            object.__setattr__(self, name, value)

    @cached_property
    def half_spaces(self) -> FloatArray:
        """Four linear forms, shape ``(4, 3)``: the exact test as arithmetic.

        A position with unit vector p is inside where all four of ``half_spaces @ p`` are at least 0, up to rounding.
        """
        centre, east, north = self._axes
        x, y = math.radians(self.width) / 2, math.radians(self.height) / 2
        return np.stack(
            [
                math.sin(x) * centre - math.cos(x) * east,
                math.sin(x) * centre + math.cos(x) * east,
                math.sin(y) * centre - math.cos(y) * north,
                math.sin(y) * centre + math.cos(y) * north,
            ]
        )

    @cached_property
    def _axes(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        ra, dec = math.radians(self.ra), math.radians(self.dec)
        east = np.array([-math.sin(ra), math.cos(ra), 0.0])
        north = np.array(
            [-math.sin(dec) * math.cos(ra), -math.sin(dec) * math.sin(ra), math.cos(dec)],
        )
        return unit_vector(self.ra, self.dec), east, north

    @cached_property
    def boundary(self) -> Boundary:
        """The four sides, counter-clockwise (towards east) from the south-western corner."""
        centre, east, north = self._axes
        x, y = math.tan(math.radians(self.width) / 2), math.tan(math.radians(self.height) / 2)
        corners = np.stack([centre + i * x * east + j * y * north for i, j in _CORNERS])
        corners /= np.linalg.norm(corners, axis=1, keepdims=True)
        positions = np.stack(lonlat(corners), axis=-1)
        return Boundary(corners, np.roll(corners, -1, axis=0), np.empty((0, 3)), positions)

    @property
    def vertices(self) -> tuple[tuple[float, float], ...]:
        """The four corners ``(ra, dec)`` in degrees, in the order of `boundary`."""
        return tuple((float(ra), float(dec)) for ra, dec in self.boundary.corners)

    def contains(self, ra: npt.ArrayLike, dec: npt.ArrayLike) -> BoolArray:
        """Return which positions (degrees, broadcast) are inside, by the rule of `half_spaces`."""
        with np.errstate(invalid="ignore"):
            points = unit_vector(ra, dec)
        return np.asarray((points @ self.half_spaces.T >= -ON_EDGE).all(axis=-1))

    def bounding_circle(self) -> Circle:
        """Return the circle through the four corners."""
        x, y = math.radians(self.width) / 2, math.radians(self.height) / 2
        radius = math.atan(math.hypot(math.tan(x), math.tan(y)))
        return Circle(self.ra, self.dec, math.degrees(radius * (1 + 1e-12) + 1e-15))

    @property
    def area(self) -> float:
        """The solid angle in square degrees: 4 arcsin(sin(width/2) sin(height/2))."""
        x, y = math.radians(self.width) / 2, math.radians(self.height) / 2
        return 4 * math.asin(math.sin(x) * math.sin(y)) * SQUARE_DEGREES

    def to_dali(self) -> str:
        """Return the same area as ``POLYGON ...``: DALI has no box."""
        return f"POLYGON {numbers(*(x for vertex in self.vertices for x in vertex))}"

    def to_stcs(self) -> str:
        """Return ``BOX ICRS ra dec width height``."""
        return f"BOX ICRS {numbers(self.ra, self.dec, self.width, self.height)}"


# West and east, south and north, of the corners in the tangent plane.
_CORNERS = ((-1, -1), (1, -1), (1, 1), (-1, 1))
