"""Many shapes at once, for columns of them: what `Region` says of one shape, without a loop over rows.

A shape is a run of numbers, in degrees (DALI 1.2 sections 3.3.7 to 3.3.10), and their count says which kind
it is: 2 a position, 3 a circle, 4 a range of coordinates (``ra_min ra_max dec_min dec_max``), an even count
of 6 and more a polygon. What is none of them is *undefined*, and so is whatever is asked of it. Right
ascensions are taken modulo 360.

Polygons that fit well into a hemisphere are *plain*: they are tested in the tangent plane of their middle,
where arcs are straight lines. Ranges, and polygons that do not fit, are left to `Region`, one by one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from awe.core.sky._angles import BoolArray, FloatArray, chord_angle, lonlat, normal, unit_vector
from awe.core.sky._box import Box
from awe.core.sky._polygon import Polygon
from awe.core.sky._range import Range
from awe.core.sky._region import SQUARE_DEGREES, Circle, Region
from awe.errors import PositionError

__all__ = ["Counts", "Edges", "Shapes", "numbers_of", "shape_of", "slices"]

Counts = npt.NDArray[np.int64]

_PLAIN = 1.4
"""The largest angle, in radians, from the middle of a plain polygon to a vertex: in its plane, 5.8."""
_SMALL = 1e-3
"""Below this size, in radians, the middle of a polygon is more exact in the plane than on the sphere."""


@dataclass(frozen=True, eq=False)
class Shapes:
    """A column of shapes.

    Parameters
    ----------
    numbers
        Those of all shapes, one after the other.
    counts
        How many belong to each shape.
    """

    numbers: FloatArray
    counts: Counts

    def __len__(self) -> int:
        return len(self.counts)

    @cached_property
    def starts(self) -> Counts:
        """Where the numbers of each shape begin."""
        return np.cumsum(self.counts) - self.counts

    @cached_property
    def kinds(self) -> Counts:
        """The kind of each shape, as its count of numbers: 0 undefined, 2, 3, 4, and 6 for all polygons."""
        counts = self.counts
        few = np.where((counts >= 2) & (counts <= 4), counts, 0)
        kinds = np.where((counts >= 6) & (counts % 2 == 0), 6, few)
        second, third, fourth = (self._number(place) for place in (1, 2, 3))
        bad = self._some(~np.isfinite(self.numbers))
        bad |= ((kinds == 2) | (kinds == 3)) & ~(np.abs(second) <= 90)
        bad |= (kinds == 3) & ~((third >= 0) & (third <= 180))
        bad |= (kinds == 4) & ~((third >= -90) & (third <= fourth) & (fourth <= 90))
        places = np.arange(len(self.numbers)) - np.repeat(self.starts, counts)
        declination = (places % 2 == 1) & np.repeat(kinds == 6, counts)
        bad |= self._some(declination & ~(np.abs(self.numbers) <= 90))
        kinds[bad] = 0
        return kinds

    def _some(self, of_numbers: BoolArray) -> BoolArray:
        """Return which shapes some of the numbers belong to."""
        found = np.zeros(len(self), bool)
        rows = np.searchsorted(self.starts + self.counts, np.flatnonzero(of_numbers), side="right")
        found[rows] = True
        return found

    def _number(self, place: int) -> FloatArray:
        """Return the number at a place of each shape, NaN where there is none."""
        found = np.full(len(self), np.nan)
        has = self.counts > place
        found[has] = self.numbers[self.starts[has] + place]
        return found

    @cached_property
    def corners(self) -> "Edges":
        """The vertices of the polygons."""
        return Edges(self)

    @cached_property
    def middles(self) -> FloatArray:
        """A unit vector amid each shape, shape ``(N, 3)``: of a circle its centre."""
        return self._bounds[0]

    @cached_property
    def radii(self) -> FloatArray:
        """Radians from the middle within which a shape lies; of a circle its radius. NaN: see `apart`."""
        return self._bounds[1]

    @cached_property
    def apart(self) -> BoolArray:
        """Which shapes are left to `Region`: ranges and polygons that are not plain."""
        return np.asarray((self.kinds == 4) | ((self.kinds == 6) & np.isnan(self.radii)))

    @cached_property
    def _bounds(self) -> tuple[FloatArray, FloatArray]:
        middles = np.zeros((len(self), 3))
        radii = np.full(len(self), np.nan)
        disc = (self.kinds == 2) | (self.kinds == 3)
        middles[disc] = unit_vector(self._number(0)[disc], self._number(1)[disc])
        radii[disc] = np.where(self.kinds[disc] == 3, np.radians(self._number(2)[disc]), 0.0)
        edges = self.corners
        if len(edges.rows):
            sums = np.add.reduceat(edges.vectors, edges.starts)
            length = np.linalg.norm(sums, axis=1)
            centre = sums / np.where(length == 0, 1.0, length)[:, None]
            far = chord_angle(edges.vectors, np.repeat(centre, edges.sizes, axis=0))
            widest = np.maximum.reduceat(far, edges.starts) * (1 + 1e-12) + 1e-15
            middles[edges.rows] = centre
            radii[edges.rows] = np.where((widest <= _PLAIN) & (length > 0), widest, np.nan)
        return middles, radii

    def region(self, row: int) -> Region | None:
        """Return one shape as a region; None where it is undefined, or no region on the sky."""
        if self.kinds[row] == 0:
            return None
        first = self.starts[row]
        try:
            return shape_of(self.numbers[first : first + self.counts[row]].tolist())
        except PositionError:
            return None

    def areas(self) -> FloatArray:
        """Return the areas in square degrees; NaN where undefined."""
        found = np.full(len(self), np.nan)
        found[self.kinds == 2] = 0.0
        circle = self.kinds == 3
        found[circle] = 4 * np.pi * np.sin(self.radii[circle] / 2) ** 2 * SQUARE_DEGREES
        edges = self.corners
        signed = edges.areas()
        found[edges.rows] = np.abs(signed) * SQUARE_DEGREES
        for row in np.flatnonzero(self.kinds == 4):
            region = self.region(int(row))
            found[row] = np.nan if region is None else region.area
        return found

    def centroids(self) -> FloatArray:
        """Return the centroids as ``(ra, dec)`` in degrees, shape ``(N, 2)``; NaN where there is none."""
        vectors = np.full((len(self), 3), np.nan)
        disc = (self.kinds == 2) | (self.kinds == 3)
        edges = self.corners
        vectors[edges.rows] = edges.centroids()
        for row in np.flatnonzero(self.kinds == 4):
            vectors[row] = _middle_of_range(self.numbers[self.starts[row] : self.starts[row] + 4])
        found = np.stack(lonlat(vectors), axis=-1)
        # exactly as given, where nothing is to be computed
        found[disc, 0], found[disc, 1] = self._number(0)[disc] % 360, self._number(1)[disc]
        return found


class Edges:
    """The edges of all polygons of a column, one after the other, each from its vertex to the next.

    Parameters
    ----------
    shapes
        The column.

    Attributes
    ----------
    rows
        Which shapes are polygons.
    sizes, starts
        How many vertices each has, and where they begin in `vectors`.
    vectors, ends
        Unit vectors of the vertices, and of the vertices after them, shape ``(V, 3)``.
    """

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self.rows = np.flatnonzero(shapes.kinds == 6)
        self.sizes = shapes.counts[self.rows] // 2
        self.starts = np.cumsum(self.sizes) - self.sizes
        first = np.repeat(shapes.starts[self.rows] - 2 * self.starts, self.sizes)
        at = first + 2 * np.arange(int(self.sizes.sum()))
        self.vectors = unit_vector(shapes.numbers[at], shapes.numbers[at + 1])
        after = np.arange(1, len(at) + 1)
        after[self.starts + self.sizes - 1] = self.starts
        self.ends = self.vectors[after]
        self._after = after

    @cached_property
    def owners(self) -> Counts:
        """For each shape its place among the polygons, -1 for others."""
        owners = np.full(len(self._shapes), -1)
        owners[self.rows] = np.arange(len(self.rows))
        return owners

    @cached_property
    def normals(self) -> FloatArray:
        """Unit vectors normal to the edges' planes; zero for an edge without length."""
        return normal(self.vectors, self.ends)

    @cached_property
    def axes(self) -> tuple[FloatArray, FloatArray]:
        """Two unit vectors that span the tangent plane of each polygon's middle."""
        middle = self._shapes.middles[self.rows]
        pole = np.where(np.abs(middle[:, 2:]) < 0.7, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
        east = np.cross(pole, middle)
        east /= np.maximum(np.linalg.norm(east, axis=1, keepdims=True), 1e-300)
        return east, np.cross(middle, east)

    @cached_property
    def plane(self) -> tuple[FloatArray, FloatArray]:
        """The vertices in the tangent planes, and where the edges end; of no meaning where not plain."""
        middle = np.repeat(self._shapes.middles[self.rows], self.sizes, axis=0)
        east, north = (np.repeat(axis, self.sizes, axis=0) for axis in self.axes)
        depth = np.einsum("ij,ij->i", self.vectors, middle)
        depth = np.where(depth > 0, depth, 1.0)
        points = np.stack(
            [np.einsum("ij,ij->i", self.vectors, east), np.einsum("ij,ij->i", self.vectors, north)], axis=-1
        )
        points /= depth[:, None]
        return points, points[self._after]

    def of(self, polygons: Counts) -> tuple[Counts, Counts, Counts]:
        """Return the edges of some polygons (places in `rows`, which may repeat).

        Returns
        -------
        The edges, for each of them which of `polygons` it belongs to, and where those begin.
        """
        sizes = self.sizes[polygons]
        begins = np.cumsum(sizes) - sizes
        which = np.repeat(np.arange(len(polygons)), sizes)
        edges = np.arange(int(sizes.sum())) + (self.starts[polygons] - begins)[which]
        return edges, which, begins

    def areas(self) -> FloatArray:
        """Return the area of the smaller side in steradian, negative where the vertices run clockwise.

        Clockwise as seen from outside the sphere: then the smaller side is on the right of the edges.
        """
        if not len(self.rows):
            return np.empty(0)
        middle = self._shapes.middles[self.rows]
        lonely = np.linalg.norm(middle, axis=1) < 0.5
        middle[lonely] = self.vectors[self.starts[lonely]]
        apex = np.repeat(middle, self.sizes, axis=0)
        a, b = self.vectors, self.ends
        # A. van Oosterom, J. Strackee, IEEE Trans. Biomed. Eng. BME-30 (1983) 125, between differences
        triple = np.einsum("ij,ij->i", np.cross(a - apex, b - apex), apex)
        scale = 1 + np.sum(a * b, axis=1) + np.sum(a * apex, axis=1) + np.sum(b * apex, axis=1)
        signed: FloatArray = np.add.reduceat(2 * np.arctan2(triple, scale), self.starts)
        beyond = np.abs(signed) > 2 * np.pi
        signed[beyond] = np.remainder(signed[beyond] + 2 * np.pi, 4 * np.pi) - 2 * np.pi
        return signed

    def centroids(self) -> FloatArray:
        """Return a vector towards the centroid of the smaller side of each polygon, of any length."""
        if not len(self.rows):
            return np.empty((0, 3))
        angle = chord_angle(self.vectors, self.ends)
        # The integral of the position over an area is half the sum of its edges' normals times their lengths.
        moment = np.add.reduceat(self.normals * angle[:, None], self.starts)
        moment *= np.sign(self.areas())[:, None]
        small = self._shapes.radii[self.rows] < _SMALL
        if small.any():
            moment[small] = self._flat_centroids()[small]
        moment[np.linalg.norm(moment, axis=1) == 0] = np.nan
        return moment

    def _flat_centroids(self) -> FloatArray:
        (x, y), (x2, y2) = (points.T for points in self.plane)
        cross = x * y2 - x2 * y
        total = np.add.reduceat(cross, self.starts)
        total = np.where(total == 0, np.nan, total)
        flat = [np.add.reduceat((u + v) * cross, self.starts) / (3 * total) for u, v in ((x, x2), (y, y2))]
        east, north = self.axes
        found: FloatArray = (
            self._shapes.middles[self.rows] + flat[0][:, None] * east + flat[1][:, None] * north
        )
        return found


def shape_of(numbers: list[float]) -> Region:
    """Return the region of a shape's numbers; a position is a circle without radius.

    Raises
    ------
    PositionError
        If it is no region on the sky.
    """
    if len(numbers) == 4:
        ra_min, ra_max, dec_min, dec_max = numbers
        return Range(ra_min, ra_max, dec_min, dec_max)
    if len(numbers) in {2, 3}:
        return Circle(numbers[0] % 360, numbers[1], numbers[2] if len(numbers) == 3 else 0.0)
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return Polygon(tuple((ra % 360, dec) for ra, dec in pairs))


def numbers_of(region: Region) -> list[float]:
    """Return the numbers of a region; a box is its four corners.

    Raises
    ------
    PositionError
        If it is no circle, range, polygon or box.
    """
    if isinstance(region, Circle):
        return [region.ra, region.dec, region.radius]
    if isinstance(region, Range):
        return [region.ra_min, region.ra_max, region.dec_min, region.dec_max]
    if isinstance(region, (Box, Polygon)):
        return [coordinate for vertex in region.vertices for coordinate in vertex]
    raise PositionError(f"a {type(region).__name__} is no single shape")


def _middle_of_range(limits: FloatArray) -> FloatArray:
    """Return the integral of the position over a range; a parallel or a meridian as a thin one."""
    ra_min, ra_max, dec_min, dec_max = limits
    half = np.radians(ra_max - ra_min if ra_max >= ra_min else ra_max - ra_min + 360) / 2
    south, north = np.radians(dec_min), np.radians(dec_max)
    middle, height = (south + north) / 2, north - south
    across = height / 2 + np.cos(2 * middle) * np.sin(height) / 2 if height else np.cos(middle) ** 2
    along = np.sin(2 * middle) * np.sin(height) / 2 if height else np.cos(middle) * np.sin(middle)
    spread = np.sinc(half / np.pi)
    centre = np.radians(ra_min) + half
    vector = np.array([across * spread * np.cos(centre), across * spread * np.sin(centre), along])
    return vector if np.linalg.norm(vector) > 1e-12 * max(height, 1e-300) else np.full(3, np.nan)


def slices(sizes: Counts, most: int) -> Iterator[slice]:
    """Yield slices of rows whose sizes come to about `most` each."""
    ends = np.cumsum(sizes)
    first = 0
    while first < len(sizes):
        before = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + most, side="right")))
        yield slice(first, last)
        first = last
