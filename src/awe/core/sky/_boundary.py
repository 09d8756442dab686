"""The edge of a region: great-circle arcs and pieces of parallels, and what can be asked of them.

Words: an *arc* is the shorter way between two directions that are not antipodal; a *parallel* is the
part of a small circle of constant declination from one right ascension eastwards over a width. Circles
need no such description: their edge is a distance from a centre.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from awe.core.sky._angles import BoolArray, FloatArray, chord_angle, lonlat, normal, unit_vector

__all__ = ["Boundary", "arcs_cross"]

# Edges closer than this (radians, 2e-8 arcsec) touch: about the rounding of two unit vectors.
_TOUCH = 1e-13
# Point-arc pairs worked on at a time, to bound memory (each takes about 100 bytes).
_PAIRS = 1 << 18


@dataclass(frozen=True, eq=False)
class Boundary:
    """The closed curves around a region.

    Parameters
    ----------
    starts, ends
        Unit vectors of the arcs' ends, shape ``(N, 3)``.
    parallels
        Declination, western right ascension and width, in degrees, shape ``(M, 3)``.
    corners
        Right ascension and declination, in degrees, of all points where pieces meet, and at least one
        point of every closed curve, shape ``(C, 2)``.
    """

    starts: FloatArray
    ends: FloatArray
    parallels: FloatArray
    corners: FloatArray

    @cached_property
    def normals(self) -> FloatArray:
        """Unit vectors normal to the arcs' planes, shape ``(N, 3)``."""
        return normal(self.starts, self.ends)

    def distance(self, ra: FloatArray, dec: FloatArray) -> FloatArray:
        """Return the angle in radians from each position (degrees, shape ``(K,)``) to the boundary."""
        found = np.full(ra.shape, np.inf)
        step = max(1, _PAIRS // max(1, len(self.starts)))
        for first in range(0, len(ra), step):
            part = slice(first, first + step)
            found[part] = self._distance_to_arcs(unit_vector(ra[part], dec[part]))
        for parallel in self.parallels:
            np.minimum(found, _distance_to_parallel(parallel, ra, dec), out=found)
        return found

    def _distance_to_arcs(self, points: FloatArray) -> FloatArray:
        if not len(self.starts):
            return np.full(len(points), np.inf)
        after_start, before_end = self._along
        beside = (points @ after_start.T > 0) & (points @ before_end.T > 0)
        to_plane = np.where(beside, np.abs(points @ self.normals.T), np.inf).min(axis=1)
        ends = np.concatenate([self.starts, self.ends])
        chord = np.linalg.norm(points[:, None, :] - ends, axis=2).min(axis=1)
        angle = np.arcsin(np.minimum(to_plane, 1), where=to_plane <= 1, out=np.full(len(points), np.inf))
        found: FloatArray = np.minimum(angle, 2 * np.arcsin(np.minimum(chord / 2, 1)))
        return found

    @cached_property
    def _along(self) -> tuple[FloatArray, FloatArray]:
        """Normals of the planes across each arc at its start and at its end, facing inwards."""
        return np.cross(self.normals, self.starts), np.cross(self.ends, self.normals)

    def meets(self, other: "Boundary") -> bool:
        """Return whether the two boundaries have a point in common."""
        return (
            self.touched_by(other)
            or other.touched_by(self)
            or bool(arcs_cross(self, other).any())
            or self.crosses_parallels_of(other)
            or other.crosses_parallels_of(self)
        )

    def touched_by(self, other: "Boundary") -> bool:
        """Return whether a corner of the other lies on this boundary."""
        return bool((self.distance(other.corners[:, 0], other.corners[:, 1]) <= _TOUCH).any())

    def crosses_parallels_of(self, other: "Boundary") -> bool:
        """Return whether an arc of this boundary meets a parallel of the other."""
        return any(
            bool((_distance_to_parallel(parallel, *lonlat(points)) <= _TOUCH).any())
            for parallel in other.parallels
            if len(points := self._points_at(parallel[0]))
        )

    def _points_at(self, dec: float) -> FloatArray:
        """Return the points of the arcs at a declination, as vectors."""
        n = self.normals
        # On a great circle, x = apex cos t + side sin t, where the apex is its northernmost point.
        height = np.hypot(n[:, 0], n[:, 1])
        apex = np.stack([-n[:, 2] * n[:, 0], -n[:, 2] * n[:, 1], height**2], axis=-1)
        steep = height > 0
        apex = apex[steep] / height[steep, None]
        cos_t = np.sin(np.radians(dec)) / height[steep]
        reached = np.abs(cos_t) <= 1
        apex, cos_t, n = apex[reached], cos_t[reached, None], n[steep][reached]
        start, end = self.starts[steep][reached], self.ends[steep][reached]
        across = np.cross(n, apex) * np.sqrt(1 - cos_t**2)
        found = []
        for x in (apex * cos_t + across, apex * cos_t - across):
            on_arc = (np.sum(x * np.cross(n, start), axis=1) >= -_TOUCH) & (
                np.sum(x * np.cross(end, n), axis=1) >= -_TOUCH
            )
            found.append(x[on_arc])
        return np.concatenate(found)


def arcs_cross(one: Boundary, two: Boundary) -> BoolArray:
    """Return which arcs properly cross (touching ends do not count), shape ``(N1, N2)``.

    Arcs ab and cd cross where the triangles acb, cbd, bda and dac turn the same way.
    """
    acb, bda = -(one.normals @ two.starts.T), one.normals @ two.ends.T
    dac, cbd = (two.normals @ one.starts.T).T, -(two.normals @ one.ends.T).T
    turns = np.stack([acb, bda, cbd, dac])
    return np.asarray((turns > _TOUCH).all(axis=0) | (turns < -_TOUCH).all(axis=0))


def _distance_to_parallel(parallel: FloatArray, ra: FloatArray, dec: FloatArray) -> FloatArray:
    level, west, width = parallel
    beside = (ra - west) % 360 <= width
    # From outside its right ascensions, the nearest point of a parallel is one of its ends.
    here = unit_vector(ra, dec)
    to_ends = np.minimum(
        chord_angle(here, unit_vector(west, level)), chord_angle(here, unit_vector(west + width, level))
    )
    return np.where(beside, np.minimum(np.radians(np.abs(dec - level)), to_ends), to_ends)
