"""The coordinate range of SIA 2.0: an interval of right ascension and one of declination."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from awe.core.sky._angles import BoolArray, separation, unit_vector
from awe.core.sky._boundary import Boundary
from awe.core.sky._region import SQUARE_DEGREES, Circle, Region, numbers
from awe.errors import PositionError

__all__ = ["Range"]


@dataclass(frozen=True)
class Range(Region):
    """All positions with coordinates in two closed intervals (SIA 2.0 section 2.1.1, RANGE).

    Parameters
    ----------
    ra_min, ra_max
        Right ascension from `ra_min` eastwards to `ra_max`, ICRS degrees in 0..360. Where `ra_min` is
        larger, the range goes through 0. Minus and plus infinity are 0 and 360.
    dec_min, dec_max
        Declination, ICRS degrees. Infinities are the poles.

    Raises
    ------
    PositionError
        A limit is not a coordinate or `dec_min` is larger than `dec_max`.

    Notes
    -----
    The test is one of coordinates: of the many right ascensions of a pole only those in the interval
    are inside.
    """

    ra_min: float
    ra_max: float
    dec_min: float
    dec_max: float

    def __post_init__(self) -> None:
        for name, low, high in _LIMITS:
            value = float(getattr(self, name))
            if math.isinf(value):
                value = high if value > 0 else low
            if not low <= value <= high:
                raise PositionError(
                    f"the limit {name}={value!r} of the range is outside {low:g}..{high:g} degrees",
                    hint=f"write {value % 360:.10g}; a range through 0 is written as 350 10"
                    if low == 0 and math.isfinite(value)
                    else None,
                    **{name: str(value)},
                )
            object.__setattr__(self, name, value)
        if self.dec_min > self.dec_max:
            raise PositionError(
                f"the range's lower declination {self.dec_min!r} is above the upper one, {self.dec_max!r}",
                hint="RANGE is ra_min ra_max dec_min dec_max",
            )

    @property
    def ra_width(self) -> float:
        """The extent in right ascension, 0..360 degrees."""
        width = self.ra_max - self.ra_min
        return width if width >= 0 else width + 360

    @property
    def ra_intervals(self) -> tuple[tuple[float, float], ...]:
        """One or two closed intervals of right ascension in [0, 360) that make up the range.

        A position is inside where its right ascension, modulo 360, is in one of them and its
        declination is between `dec_min` and `dec_max`.
        """
        if self.ra_width == 360:
            return ((0.0, 360.0),)
        if self.ra_min > self.ra_max:
            return ((self.ra_min, 360.0), (0.0, self.ra_max))
        if self.ra_max == 360:
            # 360 and 0 are the same meridian.
            return ((self.ra_min, 360.0), (0.0, 0.0))
        return ((self.ra_min, self.ra_max),)

    def contains(self, ra: npt.ArrayLike, dec: npt.ArrayLike) -> BoolArray:
        """Return which positions (degrees, broadcast) are inside, by the rule of `ra_intervals`."""
        with np.errstate(invalid="ignore"):
            lon = np.asarray(ra, float) % 360
        lat = np.asarray(dec, float)
        beside = np.zeros(lon.shape, bool)
        for west, east in self.ra_intervals:
            beside |= (lon >= west) & (lon <= east)
        return np.asarray(beside & (lat >= self.dec_min) & (lat <= self.dec_max))

    @cached_property
    def boundary(self) -> Boundary:
        """The meridians, each in two arcs, and the parallels; a pole is no parallel unless it is all there is."""
        whole = self.ra_width == 360
        middle = (self.dec_min + self.dec_max) / 2
        sides = [] if whole else [self.ra_min, self.ra_max]
        lower = unit_vector(np.array(sides), self.dec_min).reshape(-1, 3)
        centre = unit_vector(np.array(sides), middle).reshape(-1, 3)
        upper = unit_vector(np.array(sides), self.dec_max).reshape(-1, 3)
        levels = [
            dec for dec in (self.dec_min, self.dec_max) if abs(dec) < 90 or self.dec_min == self.dec_max
        ]
        return Boundary(
            np.concatenate([lower, centre]),
            np.concatenate([centre, upper]),
            np.array([(dec, self.ra_min, self.ra_width) for dec in levels]).reshape(-1, 3),
            np.array(
                [(ra, dec) for ra in (self.ra_min, self.ra_max) for dec in (self.dec_min, self.dec_max)]
            ),
        )

    def bounding_circle(self) -> Circle:
        """Return the smallest of three circles: around the middle, around either pole."""
        found = [(90 - self.dec_min, 0.0, 90.0), (self.dec_max + 90, 0.0, -90.0)]
        if self.ra_width <= 180:
            # The furthest point is a corner as long as no side is more than 90 degrees away in RA.
            ra, dec = (self.ra_min + self.ra_width / 2) % 360, (self.dec_min + self.dec_max) / 2
            corners = separation(ra, dec, self.ra_min, np.array([self.dec_min, self.dec_max]))
            found.append((float(corners.max()), ra, dec))
        radius, ra, dec = min(found)
        return Circle(ra, dec, min(180.0, radius * (1 + 1e-12) + 1e-13))

    @property
    def area(self) -> float:
        """The solid angle in square degrees."""
        south, north = math.radians(self.dec_min), math.radians(self.dec_max)
        height = 2 * math.cos((south + north) / 2) * math.sin((north - south) / 2)
        return math.radians(self.ra_width) * height * SQUARE_DEGREES

    def intersects(self, other: Region) -> bool:
        """Return whether the two regions have a point in common; touching regions do."""
        if not isinstance(other, Range):
            return super().intersects(other)
        south, north = max(self.dec_min, other.dec_min), min(self.dec_max, other.dec_max)
        # All meridians meet at a pole.
        return south <= north and (
            north == -90
            or south == 90
            or (self.dec_max == other.dec_max == 90)
            or (self.dec_min == other.dec_min == -90)
            or any(
                west <= other_east and other_west <= east
                for west, east in self.ra_intervals
                for other_west, other_east in other.ra_intervals
            )
        )

    def to_dali(self) -> str:
        """Return ``RANGE ra_min ra_max dec_min dec_max``."""
        return f"RANGE {numbers(self.ra_min, self.ra_max, self.dec_min, self.dec_max)}"

    def to_stcs(self) -> str:
        """Return ``POSITIONINTERVAL ICRS ra_min dec_min ra_max dec_max``."""
        return f"POSITIONINTERVAL ICRS {numbers(self.ra_min, self.dec_min, self.ra_max, self.dec_max)}"


# Limits by name: the value of minus and of plus infinity.
_LIMITS: tuple[tuple[str, float, float], ...] = (
    ("ra_min", 0.0, 360.0),
    ("ra_max", 0.0, 360.0),
    ("dec_min", -90.0, 90.0),
    ("dec_max", -90.0, 90.0),
)
