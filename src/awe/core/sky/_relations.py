"""Whether shapes of two columns meet, and whether the one lies within the other: pair by pair, without a loop.

Both answers are those of closed sets: what touches meets, and a shape lies within itself. Circles around the
shapes decide most pairs; what is left is compared edge by edge, a bounded number of edges at a time. Pairs
with a shape that is `Shapes.apart` go through `Region`, one by one.

A pair is two row numbers: of a column of one shape that is compared with many, the number is repeated.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from awe.core.sky._angles import ON_EDGE, BoolArray, FloatArray, chord_angle
from awe.core.sky._encloses import encloses
from awe.core.sky._region import Region
from awe.core.sky._shapes import Counts, Shapes, slices

__all__ = ["meet", "within"]

Answers = npt.NDArray[np.int8]
"""1 yes, 0 no, -1 where one of the shapes is undefined."""

_SIDES = 1 << 18
"""Edges, or pairs of edges, worked on at a time; each takes about 300 bytes."""


def meet(one: Shapes, i: Counts, other: Shapes, j: Counts) -> Answers:
    """Return whether the shapes `i` of one column and `j` of the other have a point in common."""
    answers, near = _prepared(one, i, other, j, lambda a, b: a.intersects(b))
    i, j = i[near], j[near]
    found = np.zeros(len(near), bool)
    round_i, round_j = one.kinds[i] < 6, other.kinds[j] < 6
    found |= round_i & round_j  # the circles around them are they
    for left, right, mask, a, b in (
        (one, other, round_i & ~round_j, i, j),
        (other, one, ~round_i & round_j, j, i),
    ):
        found[mask] = _disc_meets(left, a[mask], right, b[mask])
    both = ~round_i & ~round_j
    found[both] = _polygons_meet(one, i[both], other, j[both])
    answers[near] = found
    return answers


def within(inner: Shapes, i: Counts, outer: Shapes, j: Counts) -> Answers:
    """Return whether the shapes `i` of one column lie within the shapes `j` of the other."""
    answers, near = _prepared(inner, i, outer, j, lambda a, b: encloses(b, a))
    i, j = i[near], j[near]
    found = np.zeros(len(near), bool)
    round_i, round_j = inner.kinds[i] < 6, outer.kinds[j] < 6
    for mask, test in (
        (round_i & round_j, _disc_in_disc),
        (round_i & ~round_j, _disc_in_polygon),
        (~round_i & round_j, _polygon_in_disc),
        (~round_i & ~round_j, _polygon_in_polygon),
    ):
        if mask.any():
            found[mask] = test(inner, i[mask], outer, j[mask])
    answers[near] = found
    return answers


def _prepared(
    one: Shapes, i: Counts, other: Shapes, j: Counts, slow: Callable[[Region, Region], bool]
) -> tuple[Answers, Counts]:
    """Return the answers that are easy to give, and which pairs are left."""
    known = (one.kinds[i] > 0) & (other.kinds[j] > 0)
    answers = np.where(known, 0, -1).astype(np.int8)
    single = known & (one.apart[i] | other.apart[j])
    for pair in np.flatnonzero(single):
        region, against = one.region(int(i[pair])), other.region(int(j[pair]))
        answers[pair] = -1 if region is None or against is None else slow(region, against)
    plain = np.flatnonzero(known & ~single)
    a, b = i[plain], j[plain]
    distance = chord_angle(one.middles[a], other.middles[b])
    return answers, plain[distance <= one.radii[a] + other.radii[b] + ON_EDGE]


def _disc_in_disc(inner: Shapes, i: Counts, outer: Shapes, j: Counts) -> BoolArray:
    room = outer.radii[j] - inner.radii[i]
    distance = chord_angle(inner.middles[i], outer.middles[j])
    return np.asarray((outer.radii[j] >= np.pi) | (distance <= room + ON_EDGE))


def _disc_in_polygon(inner: Shapes, i: Counts, outer: Shapes, j: Counts) -> BoolArray:
    centres = inner.middles[i]
    found = inside(centres, outer, j)
    wide = np.flatnonzero(found & (inner.radii[i] > 0))
    found[wide] = edge_distance(centres[wide], outer, j[wide]) >= inner.radii[i[wide]] - ON_EDGE
    return found


def _polygon_in_disc(inner: Shapes, i: Counts, outer: Shapes, j: Counts) -> BoolArray:
    centres, radii = outer.middles[j], outer.radii[j]
    found = np.ones(len(i), bool)
    # a disc of up to a hemisphere is convex: its polygons are those whose vertices are in it
    small = np.flatnonzero(radii <= np.pi / 2)
    found[small] = _farthest(inner, i[small], centres[small]) <= radii[small] + ON_EDGE
    # of a larger one, the disc around the antipode that is left must be free of the polygon
    large = np.flatnonzero((radii > np.pi / 2) & (radii < np.pi))
    opposite = -centres[large]
    free = edge_distance(opposite, inner, i[large]) >= np.pi - radii[large] - ON_EDGE
    found[large] = free & ~inside(opposite, inner, i[large])
    return found


def _farthest(polygons: Shapes, i: Counts, centres: FloatArray) -> FloatArray:
    """Return the angle from each centre to the farthest vertex."""
    edges = polygons.corners
    found = np.empty(len(i))
    owners = edges.owners[i]
    for part in slices(edges.sizes[owners], _SIDES):
        sides, which, begins = edges.of(owners[part])
        distance = chord_angle(edges.vectors[sides], centres[part][which])
        found[part] = np.maximum.reduceat(distance, begins)
    return found


def _disc_meets(discs: Shapes, i: Counts, polygons: Shapes, j: Counts) -> BoolArray:
    centres = discs.middles[i]
    found = inside(centres, polygons, j)
    left = np.flatnonzero(~found)
    found[left] = edge_distance(centres[left], polygons, j[left]) <= discs.radii[i[left]] + ON_EDGE
    return found


def inside(points: FloatArray, polygons: Shapes, j: Counts, *, strictly: bool = False) -> BoolArray:
    """Return which points (unit vectors) are in the plain polygons of rows `j`; edges belong unless `strictly`."""
    edges = polygons.corners
    starts, ends = edges.plane
    east, north = edges.axes
    owners = edges.owners[j]
    found = np.zeros(len(j), bool)
    for part in slices(edges.sizes[owners], _SIDES):
        mine, here = owners[part], points[part]
        middle = polygons.middles[j[part]]
        depth = np.einsum("ij,ij->i", here, middle)
        before = depth > 0
        depth = np.where(before, depth, 1.0)
        x = np.einsum("ij,ij->i", here, east[mine]) / depth
        y = np.einsum("ij,ij->i", here, north[mine]) / depth
        sides, which, begins = edges.of(mine)
        (x1, y1), (x2, y2) = starts[sides].T, ends[sides].T
        px, py = x[which], y[which]
        dx, dy = x2 - x1, y2 - y1
        cross = dx * (py - y1) - dy * (px - x1)
        up, down = (y1 <= py) & (y2 > py), (y2 <= py) & (y1 > py)
        crossed = (up & (cross > 0)) | (down & (cross < 0))
        odd = np.logical_xor.reduceat(crossed, begins)
        length = np.hypot(dx, dy)
        along = dx * (px - x1) + dy * (py - y1)
        on_edge = (np.abs(cross) <= ON_EDGE * length) & (along >= -ON_EDGE * length)
        on_edge &= (along <= length * (length + ON_EDGE)) & (length > 0)
        touching = np.logical_or.reduceat(on_edge, begins)
        found[part] = before & (odd & ~touching if strictly else odd | touching)
    return found


def edge_distance(points: FloatArray, polygons: Shapes, j: Counts) -> FloatArray:
    """Return the angle in radians from each point (unit vector) to the nearest edge of the polygon of row `j`."""
    edges = polygons.corners
    owners = edges.owners[j]
    found = np.empty(len(j))
    for part in slices(edges.sizes[owners], _SIDES):
        sides, which, begins = edges.of(owners[part])
        here = points[part][which]
        start, end, normals = edges.vectors[sides], edges.ends[sides], edges.normals[sides]
        after = np.einsum("ij,ij->i", here, np.cross(normals, start))
        before = np.einsum("ij,ij->i", here, np.cross(end, normals))
        height = np.abs(np.einsum("ij,ij->i", here, normals))
        beside = (after > 0) & (before > 0)
        to_corner = chord_angle(here, start)
        distance = np.where(beside, np.arcsin(np.minimum(height, 1.0)), to_corner)
        found[part] = np.minimum.reduceat(distance, begins)
    return found


def _polygons_meet(one: Shapes, i: Counts, other: Shapes, j: Counts) -> BoolArray:
    first = one.corners.vectors[one.corners.starts[one.corners.owners[i]]]
    second = other.corners.vectors[other.corners.starts[other.corners.owners[j]]]
    found = inside(first, other, j) | inside(second, one, i)
    left = np.flatnonzero(~found)
    crossed, touched, _ = _edges_meet(one, i[left], other, j[left])
    found[left] = crossed | touched
    return found


def _polygon_in_polygon(inner: Shapes, i: Counts, outer: Shapes, j: Counts) -> BoolArray:
    """No edges cross, all vertices of the inner one are in the outer one, and none of the outer one's in it.

    Where a vertex of the outer one lies on an edge of the inner one, that edge may leave and come back there:
    such pairs are compared piece by piece.
    """
    crossed, _, delicate = _edges_meet(inner, i, outer, j)
    found = ~crossed
    left = np.flatnonzero(found & ~delicate)
    found[left] &= _vertices_in(inner, i[left], outer, j[left])
    left = np.flatnonzero(found & ~delicate)
    found[left] &= ~_vertices_in(outer, j[left], inner, i[left], any_strictly=True)
    for pair in np.flatnonzero(found & delicate):
        a, b = inner.region(int(i[pair])), outer.region(int(j[pair]))
        found[pair] = a is not None and b is not None and encloses(b, a)
    return found


def _vertices_in(
    one: Shapes, i: Counts, other: Shapes, j: Counts, *, any_strictly: bool = False
) -> BoolArray:
    """Return whether all vertices of `one` are in `other`; or whether any is, and not on an edge."""
    edges = one.corners
    sides, which, begins = edges.of(edges.owners[i])
    if not len(sides):
        return np.zeros(0, bool)
    found = inside(edges.vectors[sides], other, j[which], strictly=any_strictly)
    reduce = np.logical_or if any_strictly else np.logical_and
    return np.asarray(reduce.reduceat(found, begins))


def _edges_meet(one: Shapes, i: Counts, other: Shapes, j: Counts) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Compare each edge of a polygon with each of another.

    Returns
    -------
    Whether edges properly cross; whether a vertex of either lies on an edge of the other; and whether a
    vertex of the other one lies on an edge of the one, its own ends apart.
    """
    a, b = one.corners, other.corners
    mine, theirs = a.owners[i], b.owners[j]
    sizes = a.sizes[mine] * b.sizes[theirs]
    crossed, touched, delicate = (np.zeros(len(i), bool) for _ in range(3))
    for part in slices(sizes, _SIDES):
        count = sizes[part]
        begins = np.cumsum(count) - count
        which = np.repeat(np.arange(len(count)), count)
        place = np.arange(int(count.sum())) - begins[which]
        width = b.sizes[theirs[part]][which]
        e = a.starts[mine[part]][which] + place // width
        f = b.starts[theirs[part]][which] + place % width
        cross, on_f, on_e, inner = _sides_meet(
            (a.vectors[e], a.ends[e], a.normals[e]), (b.vectors[f], b.ends[f], b.normals[f])
        )
        crossed[part] = np.logical_or.reduceat(cross, begins)
        touched[part] = np.logical_or.reduceat(on_f | on_e, begins)
        delicate[part] = np.logical_or.reduceat(inner, begins)
    return crossed, touched, delicate


_Side = tuple[FloatArray, FloatArray, FloatArray]


def _sides_meet(one: _Side, two: _Side) -> tuple[BoolArray, BoolArray, BoolArray, BoolArray]:
    """Compare arcs ab and cd: they cross where the triangles acb, cbd, bda and dac turn the same way.

    Returns
    -------
    Whether they cross, whether a lies on cd, whether c lies on ab, and whether c lies on ab but is not an end.
    """
    (a, b, n), (c, d, m) = one, two
    acb, bda = -_dot(n, c), _dot(n, d)
    dac, cbd = _dot(m, a), -_dot(m, b)
    turns = np.stack([acb, bda, cbd, dac])
    crossed = np.asarray((turns > ON_EDGE).all(axis=0) | (turns < -ON_EDGE).all(axis=0))
    a_after, a_before = _dot(a, np.cross(m, c)), _dot(a, np.cross(d, m))
    a_on = m.any(axis=1) & (np.abs(dac) <= ON_EDGE) & (a_after >= -ON_EDGE) & (a_before >= -ON_EDGE)
    c_after, c_before = _dot(c, np.cross(n, a)), _dot(c, np.cross(b, n))
    c_on = n.any(axis=1) & (np.abs(acb) <= ON_EDGE) & (c_after >= -ON_EDGE) & (c_before >= -ON_EDGE)
    inner = c_on & (c_after > ON_EDGE) & (c_before > ON_EDGE)
    return crossed, a_on, c_on, inner


def _dot(a: FloatArray, b: FloatArray) -> FloatArray:
    found: FloatArray = np.einsum("ij,ij->i", a, b)
    return found
