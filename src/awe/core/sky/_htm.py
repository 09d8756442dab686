"""Cells of the Hierarchical Triangular Mesh, which SDSS's tables and users name as ``htmID``.

Kunszt, Szalay & Thakar 2001 (in *Mining the Sky*, ESO, p. 631): eight triangles of the sphere, each divided into four
again and again. awe's own index is HEALPix; this is for the columns that carry the name.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from awe.core.sky._angles import unit_vector

__all__ = ["htm_index"]

Vectors = NDArray[np.float64]
"""Vectors of three components, one in each column."""

_MAX_LEVEL = 24
_EDGE = -1e-15
"""What the triple product of a place on an edge may come to."""
_AXES = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0], [0, 0, -1]], dtype=np.float64)
# S0 S1 S2 S3 N0 N1 N2 N3, whose identifiers are 8 to 15: indices of their corners
_ROOTS = np.array(
    [[1, 5, 2], [2, 5, 3], [3, 5, 4], [4, 5, 1], [1, 0, 4], [4, 0, 3], [3, 0, 2], [2, 0, 1]], dtype=np.int64
)


def htm_index(ra: ArrayLike, dec: ArrayLike, level: int) -> NDArray[np.int64]:
    """Return the identifiers of the triangles that hold positions.

    Parameters
    ----------
    ra, dec
        ICRS degrees.
    level
        How often the eight first triangles are divided: 0 to 24; SDSS's ``htmID`` has 20. An edge belongs to the
        first of the triangles that share it.
    """
    if not 0 <= level <= _MAX_LEVEL:
        raise ValueError(f"a level from 0 to {_MAX_LEVEL}, not {level}")
    given = np.broadcast_arrays(np.asarray(ra, dtype=np.float64), np.asarray(dec, dtype=np.float64))
    place: Vectors = unit_vector(given[0].ravel(), given[1].ravel()).reshape(-1, 3).T
    beyond = [[_beyond(p, q, place) for p, q in _edges(corners)] for corners in _AXES[_ROOTS][..., None]]
    root = np.argmax(np.min(beyond, axis=1) >= _EDGE, axis=0)
    found = 8 + root.astype(np.int64)
    a, b, c = (_AXES[_ROOTS[root, i]].T for i in range(3))
    for _ in range(level):
        bc, ca, ab = _middle(b, c), _middle(c, a), _middle(a, b)
        # beyond which side of the triangle in the middle a place is; the middle one itself comes last
        sides = [_beyond(p, q, place) >= _EDGE for p, q in ((ab, ca), (bc, ab), (ca, bc))]
        child = np.where(sides[0], 0, np.where(sides[1], 1, np.where(sides[2], 2, 3)))
        found = found * 4 + child
        a = np.choose(child, (a, b, c, bc))
        b = np.choose(child, (ab, bc, ca, ca))
        c = np.choose(child, (ca, ab, bc, ab))
    shaped: NDArray[np.int64] = found.reshape(given[0].shape)
    return shaped


def _edges(corners: Vectors) -> tuple[tuple[Vectors, Vectors], ...]:
    a, b, c = corners
    return (a, b), (b, c), (c, a)


def _beyond(p: Vectors, q: Vectors, place: Vectors) -> Vectors:
    """Return the triple product of each place with an edge: positive on its left, seen from outside."""
    return np.asarray(
        (p[1] * q[2] - p[2] * q[1]) * place[0]
        + (p[2] * q[0] - p[0] * q[2]) * place[1]
        + (p[0] * q[1] - p[1] * q[0]) * place[2]
    )


def _middle(p: Vectors, q: Vectors) -> Vectors:
    between = p + q
    return np.asarray(between / np.sqrt(np.sum(between**2, axis=0)))
