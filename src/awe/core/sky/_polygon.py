"""The spherical polygon: vertices joined by great-circle arcs.

The exact test counts, by parity, the triangles between each edge and one fixed point, the *apex*, that
contain the position. The apex is the antipode of a point known to be outside, so a position is inside
exactly where the arc from it to that point crosses an odd number of edges. Every triangle is three
linear forms in the position's unit vector: SQL engines do the identical arithmetic (`edge_forms`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from awe.core.sky._angles import (
    ON_EDGE,
    BoolArray,
    FloatArray,
    checked_position,
    chord_angle,
    lonlat,
    normal,
    unit_vector,
)
from awe.core.sky._boundary import Boundary, arcs_cross
from awe.core.sky._region import SQUARE_DEGREES, Circle, Region, numbers
from awe.errors import PositionError

__all__ = ["Polygon"]

# Vertices closer to antipodal than this (2e-4 arcsec) do not say which way their edge goes.
_MOST_VERTICES = 1000
"""Edges are compared with each other, and each is a term of the SQL that an engine runs."""

_ANTIPODAL = 1e-9


@dataclass(frozen=True)
class Polygon(Region):
    """The area enclosed by great-circle arcs between consecutive vertices.

    The region is the smaller of the two areas into which the edges divide the sky, whatever the order
    of the vertices. DALI 1.1 section 3.3.7 asks for vertices that run counter-clockwise as seen from
    inside the sphere (north up, east left); real archives and users write either order, and no
    footprint or query needs more than half the sky, so both orders mean the same here.

    Parameters
    ----------
    vertices
        At least three positions ``(ra, dec)``, ICRS degrees. Repeated neighbours, such as a last
        vertex that closes the polygon, are dropped.

    Raises
    ------
    PositionError
        A vertex is not on the sky, fewer than three are different, neighbours are antipodal, edges
        cross each other, or the vertices enclose no area or exactly half the sky.
    """

    vertices: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        given: Iterable[tuple[float, float]] = self.vertices
        points = [checked_position(ra, dec) for ra, dec in given]
        kept = tuple(p for i, p in enumerate(points) if p != points[i - 1])
        if len(set(kept)) < 3:
            raise PositionError(
                f"the polygon has {len(set(kept))} different vertices; it needs three",
                vertices=len(points),
            )
        if len(kept) > _MOST_VERTICES:
            raise PositionError(
                f"the polygon has {len(kept):,} vertices; {_MOST_VERTICES:,} are allowed",
                hint="a coarser outline, or several polygons",
                vertices=len(kept),
            )
        object.__setattr__(self, "vertices", kept)
        self._check_edges()
        self._steradian  # noqa: B018  # rejects polygons without an area

    def _check_edges(self) -> None:
        edges = self.boundary
        opposite = np.linalg.norm(edges.starts + edges.ends, axis=1) < _ANTIPODAL
        if opposite.any():
            i = int(np.flatnonzero(opposite)[0])
            raise PositionError(
                f"the vertices {i + 1} and {(i + 1) % len(self.vertices) + 1} of the polygon are antipodal",
                hint="put a vertex between them to say which way the edge goes",
            )
        crossing = np.argwhere(np.triu(arcs_cross(edges, edges)))
        if len(crossing):
            i, j = (int(n) + 1 for n in crossing[0])
            raise PositionError(
                f"the polygon crosses itself: the edge after vertex {i} meets the edge after vertex {j}",
                hint="list the vertices in the order in which one walks around the area",
            )

    @cached_property
    def boundary(self) -> Boundary:
        """The edges, from each vertex to the next."""
        corners = np.array(self.vertices)
        starts = unit_vector(corners[:, 0], corners[:, 1])
        return Boundary(starts, np.roll(starts, -1, axis=0), np.empty((0, 3)), corners)

    @cached_property
    def _apex(self) -> FloatArray:
        """The common corner of the triangles, far from all vertices and from their antipodes.

        It must not lie in the polygon's middle, where objects are: right at the apex rounding decides.
        """
        corners = self.boundary.starts
        clearance = np.linalg.norm(np.cross(_DIRECTIONS[:, None], corners), axis=2).min(axis=1)
        for apex in _DIRECTIONS[np.argsort(-clearance, kind="stable")]:
            # The area is that of the side without the apex's antipode.
            if abs(_winding_area(self.boundary, apex)) < 2 * np.pi * (1 - 1e-12):
                found: FloatArray = apex
                return found
        raise PositionError("the polygon encloses exactly half the sky, so that neither side is the smaller")

    @cached_property
    def _steradian(self) -> float:
        circle = self.bounding_circle()
        # A point in the middle keeps the precision of small areas; its antipode is outside.
        near = self._apex if circle.radius == 180 else unit_vector(circle.ra, circle.dec)
        area = abs(_winding_area(self.boundary, near))
        corners = self.boundary.starts
        if area < 1e-12 * float(np.linalg.norm(corners - corners[0], axis=1).max()) ** 2:
            raise PositionError("the polygon encloses no area: its vertices lie on one great circle")
        return area

    @cached_property
    def edge_forms(self) -> FloatArray:
        """Three linear forms for each edge, shape ``(E, 3, 3)``: the exact test as arithmetic.

        For a position with unit vector p, let ``f[e, k] = edge_forms[e, k] @ p``. Edge e counts where
        ``f[e, 0] >= 0 and f[e, 1] > 0 and f[e, 2] >= 0``; the position is inside where an odd number
        of edges count. Neighbouring edges share the form through their common vertex, once strict and
        once not, so that no position falls between two triangles or into both. A position is on edge e,
        and belongs to the polygon, where the first form is zero and the others are not negative, up to
        `ON_EDGE`.
        """
        apex = self._apex
        edges = self.boundary
        left, right = normal(edges.starts, apex[None, :]), normal(edges.ends, apex[None, :])
        side = np.where(edges.normals @ apex >= 0, 1.0, -1.0)[:, None]
        strict = np.where(side > 0, right, left)
        loose = np.where(side > 0, -left, -right)
        forms: FloatArray = np.stack([side * edges.normals, strict, loose], axis=1)
        return forms

    def contains(self, ra: npt.ArrayLike, dec: npt.ArrayLike) -> BoolArray:
        """Return which positions (degrees, broadcast) are inside, by the rule of `edge_forms`."""
        with np.errstate(invalid="ignore"):
            points = unit_vector(ra, dec)
        inside, on_edge = np.zeros(points.shape[:-1], bool), np.zeros(points.shape[:-1], bool)
        for forms in self.edge_forms:
            edge, strict, loose = (points @ form for form in forms)
            inside ^= (edge >= 0) & (strict > 0) & (loose >= 0)
            on_edge |= (np.abs(edge) <= ON_EDGE) & (strict >= -ON_EDGE) & (loose >= -ON_EDGE)
        return np.asarray(inside | on_edge)

    @cached_property
    def half_spaces(self) -> FloatArray:
        """Of a convex polygon, one linear form for each edge, shape ``(E, 3)``; of any other none.

        A position with unit vector p is inside where all of ``half_spaces @ p`` are at least 0, up to
        `ON_EDGE`.
        """
        edges = self.boundary
        heights = edges.normals @ edges.starts.T
        for side in (1.0, -1.0):
            if (side * heights >= -ON_EDGE).all() and self.bounding_circle().radius < 90:
                found: FloatArray = side * edges.normals
                return found
        return np.empty((0, 3))

    def bounding_circle(self) -> Circle:
        """Return a circle around all vertices; the whole sky where no hemisphere holds them."""
        return self._bounding_circle

    @cached_property
    def _bounding_circle(self) -> Circle:
        corners = self.boundary.starts
        distance = [chord_angle(corners, corners[i]) for i in (0, len(corners) // 2)]
        far = [int(d.argmax()) for d in distance]
        middles = [
            corners.sum(axis=0),
            corners[0] + corners[far[0]],
            corners[len(corners) // 2] + corners[far[1]],
        ]
        best = (np.pi, corners[0])
        for middle in middles:
            length = float(np.linalg.norm(middle))
            if length > 1e-6:
                centre = middle / length
                best = min(best, (float(chord_angle(corners, centre).max()), centre), key=lambda c: c[0])
        radius, centre = best
        ra, dec = lonlat(centre)
        # Within less than a hemisphere the arcs between the vertices stay in the circle, and so does
        # the smaller area.
        if radius >= np.pi / 2 - 1e-9:
            return Circle(float(ra), float(dec), 180)
        return Circle(float(ra), float(dec), float(np.degrees(radius * (1 + 1e-12) + 1e-15)))

    @property
    def area(self) -> float:
        """The solid angle in square degrees."""
        return self._steradian * SQUARE_DEGREES

    def to_dali(self) -> str:
        """Return ``POLYGON ra1 dec1 ra2 dec2 ...``."""
        return f"POLYGON {numbers(*(x for vertex in self.vertices for x in vertex))}"

    def to_stcs(self) -> str:
        """Return ``POLYGON ICRS ra1 dec1 ra2 dec2 ...``."""
        return f"POLYGON ICRS {numbers(*(x for vertex in self.vertices for x in vertex))}"


def _winding_area(edges: Boundary, apex: FloatArray) -> float:
    """Return the signed area, in steradian, of the triangles between the edges and the apex.

    A. van Oosterom, J. Strackee, IEEE Trans. Biomed. Eng. BME-30 (1983) 125, with the triple product
    taken between differences so that tiny triangles keep their precision.
    """
    a, b = edges.starts, edges.ends
    triple = np.cross(a - apex, b - apex) @ apex
    scale = 1 + np.sum(a * b, axis=1) + a @ apex + b @ apex
    return float(np.sum(2 * np.arctan2(triple, scale)))


def _directions() -> FloatArray:
    """Return 64 directions spread over the sphere on a golden spiral, away from special places."""
    i = np.arange(64)
    return unit_vector((i * 137.50776405 + 11.3) % 360, np.degrees(np.arcsin((2 * i + 1) / 64 - 1)))


_DIRECTIONS = _directions()
