"""The box of pixels that a region of the sky takes on an image.

The box is the one of astropy's ``Cutout2D(mode="trim")`` for the same centre and size: it is centred on
the region's extent in pixels, its sides are that extent rounded to whole pixels and at least one, and
what lies outside the image is left away (SODA 1.0 section 3.3 lets a service answer the bounding box of
a region).
"""

import math
from dataclasses import dataclass

import numpy as np

from awe.core.science.celestial import Floats, ImageWCS, quiet
from awe.core.sky import Box, Circle, Polygon, Range, Region, half_chord_squared, unit_vector

__all__ = ["PixelBox", "pixel_box"]

_SAMPLES = 512
_GRID = 513
_WIDE_DEG = 40.0
_STRETCH = 3.0
_ANGLES = np.linspace(0.0, 2 * np.pi, _SAMPLES, endpoint=False)
_COS, _SIN = np.cos(_ANGLES), np.sin(_ANGLES)


@dataclass(frozen=True, slots=True)
class PixelBox:
    """Pixels ``x0 <= x < x1`` and ``y0 <= y < y1`` of an image, counted from zero."""

    x0: int
    x1: int
    y0: int
    y1: int

    @property
    def width(self) -> int:
        """Pixels along x."""
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        """Pixels along y."""
        return self.y1 - self.y0

    @classmethod
    def whole(cls, image: ImageWCS) -> "PixelBox":
        """Return the box of the entire image."""
        return cls(0, image.shape[0], 0, image.shape[1])


def pixel_box(image: ImageWCS, region: Region) -> PixelBox | None:
    """Return the pixels of a region's bounding box on an image; None where the region misses the image.

    Where a region has no simple outline in pixels (wider than 40 degrees, beyond the end of the
    projection, across the seam of a map of the whole sky, around a pole that is drawn as a line), the
    pixels of the image inside it are looked for, to 1/512 of the image's side.
    """
    if isinstance(region, Circle) and (found := _within(image, region)) is not None:
        return found
    with quiet():
        ra, dec = _outline(region)
        x, y = image.to_pixel(ra, dec)
        if region.bounding_circle().radius > _WIDE_DEG or not _simple(image, ra, dec, x, y):
            return _searched(image, region, x, y)
        if not _touches(image, region, x, y):
            return None
    nx, ny = image.shape
    (x0, x1), (y0, y1) = (
        _side(float(values.min()), float(values.max()), size) for values, size in ((x, nx), (y, ny))
    )
    return PixelBox(x0, x1, y0, y1) if x0 < x1 and y0 < y1 else None


def _within(image: ImageWCS, circle: Circle) -> PixelBox | None:
    """Return the pixels of a circle whose centre is on an image in the gnomonic projection."""
    plane = image.gnomonic
    extent = plane.extent(circle) if plane is not None else None
    if extent is None:
        return None
    (nx, ny), (along_x, along_y) = image.shape, extent
    if not (-0.5 <= sum(along_x) / 2 <= nx - 0.5 and -0.5 <= sum(along_y) / 2 <= ny - 0.5):
        return None
    (x0, x1), (y0, y1) = _side(*along_x, nx), _side(*along_y, ny)
    return PixelBox(x0, x1, y0, y1) if x0 < x1 and y0 < y1 else None


def _simple(image: ImageWCS, ra: Floats, dec: Floats, x: Floats, y: Floats) -> bool:
    """Return whether steps along the outline are about as long in pixels as they are on the sky."""
    if not (np.isfinite(x) & np.isfinite(y)).all():
        return False
    pixels = np.hypot(x - _next(x), y - _next(y))
    # all in chords, which for steps of less than a degree are as long as the arcs
    step = (
        2 * np.sqrt(half_chord_squared(ra, dec, _next(ra), _next(dec))) / np.radians(image.pixel_scale / 3600)
    )
    return bool((pixels <= _STRETCH * step + 2).all())


def _next(values: Floats) -> Floats:
    return np.concatenate((values[1:], values[:1]))


def _side(low: float, high: float, size: int) -> tuple[int, int]:
    centre, pixels = 0.5 * (low + high), max(1, round(high - low))
    first = math.ceil(centre - 0.5 * pixels)
    return max(0, first), min(size, first + pixels)


def _touches(image: ImageWCS, region: Region, x: Floats, y: Floats) -> bool:
    nx, ny = image.shape
    if bool(np.any((x >= -0.5) & (x <= nx - 0.5) & (y >= -0.5) & (y <= ny - 0.5))):
        return True
    ra, dec = image.to_sky(*image.edge(8))
    inside = np.isfinite(ra)
    return bool(region.contains(ra[inside], dec[inside]).any())


def _searched(image: ImageWCS, region: Region, outline_x: Floats, outline_y: Floats) -> PixelBox | None:
    nx, ny = image.shape
    x, y = image.grid(_GRID)
    ra, dec = image.to_sky(x, y)
    known = np.isfinite(ra) & np.isfinite(dec)
    inside = np.zeros(x.shape, bool)
    inside[known] = region.contains(ra[known], dec[known])
    # What lies between two points of the grid may be inside as far as the next ones.
    found_x = [x[inside] + step for step in (x[0, 0] - x[0, 1], x[0, 1] - x[0, 0])]
    found_y = [y[inside] + step for step in (y[0, 0] - y[1, 0], y[1, 0] - y[0, 0])]
    poles = np.array([-90.0, 90.0])[region.contains(np.zeros(2), np.array([-90.0, 90.0]))]
    pole_x, pole_y = image.to_pixel(np.zeros(len(poles)), poles)
    edge_x, edge_y = np.append(outline_x, pole_x), np.append(outline_y, pole_y)
    within = (edge_x >= -0.5) & (edge_x <= nx - 0.5) & (edge_y >= -0.5) & (edge_y <= ny - 0.5)
    all_x = np.concatenate([*found_x, edge_x[within]])
    all_y = np.concatenate([*found_y, edge_y[within]])
    if not len(all_x):
        return None
    x0, y0 = (max(0, int(np.floor(values.min() + 0.5))) for values in (all_x, all_y))
    x1, y1 = int(np.ceil(all_x.max() + 0.5)), int(np.ceil(all_y.max() + 0.5))
    return PixelBox(x0, min(nx, max(x1, x0 + 1)), y0, min(ny, max(y1, y0 + 1)))


def _outline(region: Region) -> tuple[Floats, Floats]:
    """Return points around a region, and the centre of one without extent (ICRS degrees)."""
    match region:
        case Circle():
            return _around(region.ra, region.dec, region.radius)
        case Polygon() | Box():
            return _great_circles(np.asarray(region.vertices, float))
        case Range():
            return _frame(region)
        case _:
            circle = region.bounding_circle()
            return _around(circle.ra, circle.dec, circle.radius)


def _around(ra: float, dec: float, radius: float) -> tuple[Floats, Floats]:
    d, r = math.radians(dec), math.radians(radius)
    north = _COS * math.sin(r)
    sin_dec = math.sin(d) * math.cos(r) + math.cos(d) * north
    east = np.arctan2(_SIN * math.sin(r), math.cos(d) * math.cos(r) - math.sin(d) * north)
    return np.mod(ra + np.degrees(east), 360.0), np.degrees(np.arcsin(np.clip(sin_dec, -1, 1)))


def _great_circles(vertices: Floats) -> tuple[Floats, Floats]:
    points = unit_vector(*vertices.T)
    t = np.linspace(0.0, 1.0, 64, endpoint=False)[None, :, None]
    chord = points[:, None] * (1 - t) + np.roll(points, -1, axis=0)[:, None] * t
    x, y, z = chord.reshape(-1, 3).T
    return np.mod(np.degrees(np.arctan2(y, x)), 360.0), np.degrees(np.arctan2(z, np.hypot(x, y)))


def _frame(region: Range) -> tuple[Floats, Floats]:
    width = region.ra_width
    t = np.linspace(0.0, 1.0, _SAMPLES // 4)
    ra = region.ra_min + width * t
    dec = region.dec_min + (region.dec_max - region.dec_min) * t
    low, high = np.full_like(t, region.dec_min), np.full_like(t, region.dec_max)
    left, right = np.full_like(t, region.ra_min), np.full_like(t, region.ra_min + width)
    return np.mod(np.concatenate([ra, ra, left, right]), 360.0), np.concatenate([low, high, dec, dec])
