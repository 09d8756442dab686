"""Whether one region lies within another, exactly, for every pair of kinds with edges.

A region lies within a closed one unless a piece of its edge is outside, or the other's edge runs through its
inside. Its edge is cut wherever it may meet the other's, so that each piece is inside or outside as a whole
and its middle can tell.
"""

import math

import numpy as np

from awe.core.sky._angles import BoolArray, FloatArray, lonlat, normal, separation, unit_vector
from awe.core.sky._boundary import Boundary
from awe.core.sky._region import SQUARE_DEGREES, Circle, Region

__all__ = ["encloses"]

_TOUCH = 1e-13
"""Radians (2e-8 arcsec): what is so close to an edge is on it, as where two boundaries meet."""


def encloses(outer: Region, inner: Region) -> bool:
    """Return whether `inner` lies within `outer`; a region lies within itself.

    Both have edges (`Region.has_edges`).
    """
    if outer.area >= SQUARE_DEGREES * 4 * math.pi * (1 - 1e-12):
        return True
    if isinstance(outer, Circle):
        return _in_circle(inner, outer)
    if isinstance(inner, Circle):
        centre = np.array([inner.ra]), np.array([inner.dec])
        room = float(outer.boundary_distance(*centre)[0])
        in_it = bool(outer.contains(*centre)[0]) or room <= _TOUCH
        return in_it and (inner.radius == 0 or room >= math.radians(inner.radius) - _TOUCH)
    points = _middles(inner.boundary, outer.boundary)
    return bool(_inside(outer, points).all()) and not _strictly(inner, _on_edge(outer)).any()


def _in_circle(inner: Region, outer: Circle) -> bool:
    """The disc around the antipode that the circle leaves out must be free of the region."""
    if isinstance(inner, Circle):
        apart = float(separation(outer.ra, outer.dec, inner.ra, inner.dec))
        return apart <= outer.radius - inner.radius + math.degrees(_TOUCH)
    rest = math.radians(180 - outer.radius)
    opposite = np.array([(outer.ra + 180) % 360]), np.array([-outer.dec])
    apart = float(inner.boundary_distance(*opposite)[0])
    return apart >= rest - 1e-12 and not bool(inner.contains(*opposite)[0])


def _inside(region: Region, points: FloatArray) -> BoolArray:
    ra, dec = lonlat(points)
    found = region.contains(ra, dec)
    left = np.flatnonzero(~found)
    found[left] = region.boundary_distance(ra[left], dec[left]) <= _TOUCH
    return np.asarray(found)


def _on_edge(region: Region) -> FloatArray:
    """Return corners on a region's edge: a pole that a range goes around is a corner inside."""
    corners = region.boundary.corners
    return np.asarray(corners[region.boundary_distance(corners[:, 0], corners[:, 1]) <= _TOUCH])


def _strictly(region: Region, corners: FloatArray) -> BoolArray:
    ra, dec = corners[:, 0], corners[:, 1]
    return np.asarray(region.contains(ra, dec) & (region.boundary_distance(ra, dec) > _TOUCH))


def _middles(mine: Boundary, other: Boundary) -> FloatArray:
    """Return the middle of every piece of a boundary between the places where it may meet another, and its ends."""
    found = [mine.starts, mine.ends]
    for start, end, across in zip(mine.starts, mine.ends, mine.normals, strict=True):
        found.append(_arc_middles(start, end, across, other))
    found += [_parallel_middles(parallel, other) for parallel in mine.parallels]
    return np.concatenate(found)


def _arc_middles(start: FloatArray, end: FloatArray, across: FloatArray, other: Boundary) -> FloatArray:
    side = np.cross(across, start)  # a quarter of a turn from the start, towards the end
    length = math.atan2(float(end @ side), float(end @ start))
    line = normal(np.broadcast_to(across, other.normals.shape), other.normals)
    cuts = [other.starts, other.ends, line, -line]
    cuts += [_at_declination(start, side, math.radians(level)) for level, _, _ in other.parallels]
    points = np.concatenate(cuts)
    angles = np.arctan2(points @ side, points @ start)
    angles = angles[(angles > 0) & (angles < length)]
    steps = np.unique(np.concatenate([[0.0, length], angles]))
    middle = (steps[:-1] + steps[1:]) / 2
    return np.asarray(np.cos(middle)[:, None] * start + np.sin(middle)[:, None] * side)


def _at_declination(start: FloatArray, side: FloatArray, dec: float) -> FloatArray:
    """Return the points of a great circle at a declination: z = start.z cos t + side.z sin t."""
    height = math.hypot(start[2], side[2])
    if height == 0 or abs(math.sin(dec)) > height:
        return np.empty((0, 3))
    top, swing = math.atan2(side[2], start[2]), math.acos(math.sin(dec) / height)
    angles = np.array([top - swing, top + swing])
    return np.asarray(np.cos(angles)[:, None] * start + np.sin(angles)[:, None] * side)


def _parallel_middles(parallel: FloatArray, other: Boundary) -> FloatArray:
    level, west, width = (float(x) for x in parallel)
    meridians = [np.empty(0)]
    for start, end, across in zip(other.starts, other.ends, other.normals, strict=True):
        points = np.concatenate(
            [[start, end], _at_declination(start, np.cross(across, start), math.radians(level))]
        )
        meridians.append(lonlat(points)[0])
    for _, other_west, other_width in other.parallels:
        meridians.append(np.array([other_west, other_west + other_width]))
    turns = (np.concatenate(meridians) - west) % 360
    steps = np.unique(np.concatenate([[0.0, width], turns[turns < width]]))
    middle = (steps[:-1] + steps[1:]) / 2 if len(steps) > 1 else steps
    return unit_vector(west + np.concatenate([middle, [0.0, width]]), level)
