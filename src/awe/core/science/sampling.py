"""The values of an image at the pixels of another grid on the sky: where those are on it, and what lies there."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from awe.core.science.celestial import Floats, ImageWCS

__all__ = ["Sky", "interpolated", "places_on"]

_STEP = 16
_EXACT_PIXELS = 0.01

Sky = Callable[[NDArray[np.int64], NDArray[np.int64]], tuple[Floats, Floats]]
"""From rows and columns of a grid to the positions (ICRS degrees) where they cross, rows first."""


def places_on(wcs: ImageWCS, shape: tuple[int, int], sky: Sky) -> tuple[Floats, Floats] | None:
    """Return where the pixels of a grid are on an image (NaN: nowhere); None where none is near it.

    Every sixteenth pixel is computed and the others are interpolated, if that is exact to a hundredth of
    a pixel of the image, as it is but for the most distorted ones.

    Parameters
    ----------
    shape
        Rows and columns of the grid.
    sky
        Where they are.
    """
    from scipy.interpolate import RectBivariateSpline  # noqa: PLC0415  # scipy is a tenth of an idle server's memory

    knots = [np.append(np.arange(0, size - 1, _STEP), size - 1) for size in shape]
    fine = [np.arange(size) for size in shape]
    if min(len(k) for k in knots) < 4:  # too few for a spline
        return _places(wcs, sky, *fine)
    coarse = _places(wcs, sky, *knots)
    if all(np.isfinite(c).all() for c in coarse):
        if any(
            c.max() < -(margin := _margin(c)) or c.min() > n + margin
            for c, n in zip(coarse, wcs.shape, strict=True)
        ):
            return None
        splines = [RectBivariateSpline(*knots, c) for c in coarse]
        middles = [(k[:-1] + k[1:]) // 2 for k in knots]
        exact = _places(wcs, sky, *middles)
        errors = [np.abs(s(*middles) - e).max() for s, e in zip(splines, exact, strict=True)]
        if max(errors) < _EXACT_PIXELS:
            x, y = (s(*fine) for s in splines)
            return x, y
    return _places(wcs, sky, *fine)


def interpolated(
    data: Floats, known: NDArray[np.bool_], x: Floats, y: Floats, inside: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Return the values of an array at places on it, each between its four nearest pixels, and their weights.

    Parameters
    ----------
    data, known
        The array, and which of its pixels hold data: the others take no part.
    x, y
        Columns and rows of the array, counted from zero.
    inside
        Which of the places are on it; elsewhere the weight is 0.
    """
    from scipy.ndimage import map_coordinates  # noqa: PLC0415  # scipy is a tenth of an idle server's memory

    places = np.stack([y[inside], x[inside]])
    weight = map_coordinates(known.astype(np.float64), places, order=1, mode="nearest")
    value = map_coordinates(np.where(known, data, 0.0), places, order=1, mode="nearest")
    good = weight > 0.5
    values, weights = np.zeros(x.shape), np.zeros(x.shape)
    rows, columns = np.nonzero(inside)
    values[rows[good], columns[good]] = value[good] / weight[good]
    weights[rows[good], columns[good]] = 1.0
    return values, weights


def _margin(values: Floats) -> float:
    """Return how far the pixels between the computed ones may lie beyond them."""
    return float(max(np.abs(np.diff(values, axis=0)).max(), np.abs(np.diff(values, axis=1)).max()))


def _places(
    wcs: ImageWCS, sky: Sky, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    ra, dec = sky(rows, columns)
    x, y = wcs.to_pixel(ra.ravel(), dec.ravel())
    # a projection may put the other side of the sky on the image too
    back_ra, back_dec = wcs.to_sky(x, y)
    there = np.abs(back_dec - dec.ravel()) + np.abs((back_ra - ra.ravel() + 180) % 360 - 180) < 1.0
    x, y = np.where(there, x, np.nan), np.where(there, y, np.nan)
    return x.reshape(ra.shape), y.reshape(ra.shape)
