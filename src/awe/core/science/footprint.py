"""The outline of one or several images on the sky, as a region.

An image's outline is its outer pixel edge; edges that bend (distortions, projections that do not draw
great circles as lines) get as many vertices as they need. Several chips are described by the convex hull
of their outlines in the tangent plane of their centre. Borders without data are part of an image. An
image of half the sky or more, or one whose projection does not fill it, is described by the circle around
its pixels.
"""

from dataclasses import dataclass

import numpy as np

from awe.core.science.celestial import Floats, ImageWCS, quiet
from awe.core.sky import Circle, Polygon, Region, unit_vector
from awe.errors import PositionError

__all__ = ["Footprint", "footprint"]

_BEND_PIXELS = 0.5
_WIDE = np.cos(np.radians(60.0))


@dataclass(frozen=True, slots=True)
class Footprint:
    """A region on the sky with a position inside it, its centre, and its diameter, in ICRS degrees."""

    region: Region
    ra: float
    dec: float
    diameter: float


def footprint(images: list[ImageWCS]) -> Footprint:
    """Return the region that images cover together."""
    with quiet():
        outlines = [_outline(image) for image in images]
        points = np.concatenate(outlines)
        centre = points.mean(axis=0)
        length = float(np.linalg.norm(centre))
        whole = np.isfinite(points).all() and length > 0.5 and (points @ centre / length).min() > _WIDE
        if not whole:
            return _of_circle(_enclosing(images))
        centre /= length
        outline = outlines[0] if len(outlines) == 1 else _hull(points, centre)
    try:
        region = Polygon(tuple(_lonlat(p) for p in _counter_clockwise(outline)))
    except PositionError:  # an outline too bent or too small for a polygon
        return _of_circle(_enclosing(images))
    # The mean of a convex outline's vertices is inside it, wherever the chips are.
    ra, dec = _lonlat(outline.mean(axis=0))
    return Footprint(region, ra, dec, 2 * region.bounding_circle().radius)


def _of_circle(circle: Circle) -> Footprint:
    return Footprint(circle, circle.ra, circle.dec, min(360.0, 2 * circle.radius))


def _outline(image: ImageWCS) -> Floats:
    corners = unit_vector(*image.to_sky(*image.edge(1)))
    if not np.isfinite(corners).all():
        return corners
    fine = unit_vector(*image.to_sky(*image.edge(8)))
    middles = corners + np.roll(corners, -1, axis=0)
    middles /= np.linalg.norm(middles, axis=1)[:, None]
    bend = np.linalg.norm(fine[4::8] - middles, axis=1).max()
    return fine if bend > _BEND_PIXELS * np.radians(image.pixel_scale / 3600) else corners


def _counter_clockwise(points: Floats) -> Floats:
    """Order vertices as DALI 1.1 section 3.3.7 wants them: counter-clockwise on the sky seen from inside."""
    turn = float((np.cross(points, np.roll(points, -1, axis=0)) @ points.mean(axis=0)).sum())
    return points if turn < 0 else points[::-1]


def _hull(points: Floats, centre: Floats) -> Floats:
    from scipy.spatial import ConvexHull, QhullError  # noqa: PLC0415  # scipy is a tenth of an idle server's memory

    east = np.cross([0.0, 0.0, 1.0], centre)
    east = east / np.linalg.norm(east) if np.linalg.norm(east) > 1e-12 else np.array([0.0, 1.0, 0.0])
    north = np.cross(centre, east)
    plane = np.column_stack([points @ east, points @ north]) / (points @ centre)[:, None]
    try:
        return np.asarray(points[ConvexHull(plane).vertices])
    except QhullError:
        return points


def _enclosing(images: list[ImageWCS]) -> Circle:
    points = np.concatenate([unit_vector(*image.to_sky(*image.grid(33))).reshape(-1, 3) for image in images])
    points = points[np.isfinite(points).all(axis=1)]
    centre = points.mean(axis=0)
    length = float(np.linalg.norm(centre))
    if length < 0.1:  # all around: a centre would mean nothing
        return Circle(0.0, 0.0, 180.0)
    radius = float(np.degrees(np.arccos(np.clip(points @ (centre / length), -1, 1)).max()))
    return Circle(*_lonlat(centre / length), min(180.0, radius * 1.05 + 1e-6))


def _lonlat(point: Floats) -> tuple[float, float]:
    x, y, z = (float(v) for v in point)
    return float(np.degrees(np.arctan2(y, x)) % 360.0), float(np.degrees(np.arctan2(z, np.hypot(x, y))))
