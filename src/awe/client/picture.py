"""A picture of an image as astronomers look at one: z-scaled, in its WCS projection, with objects marked."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.visualization import ZScaleInterval
from numpy.typing import NDArray

from awe.client._values import positions as positions_of
from awe.core.science.celestial import ImageWCS, NoCelestialWCSError, quiet
from awe.core.science.images import science_images
from awe.core.science.keywords import card
from awe.errors import MissingExtraError, NotFoundError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["show"]

_MOST_PIXELS = 4000
"""Longer images are drawn with every second, third, ... pixel: the screen has fewer anyway."""

_AXES = {
    "galactic": ("Galactic longitude", "Galactic latitude"),
    "barycentrictrueecliptic": ("Ecliptic longitude", "Ecliptic latitude"),
}
"""What the coordinates of a frame are called, where it is not right ascension and declination."""


def show(
    image: fits.HDUList | fits.ImageHDU,
    objects: Table | SkyCoord | None = None,
    *,
    title: str | None = None,
    limits: tuple[float, float] | None = None,
    size_inch: float = 10.0,
    marker_size: float = 50.0,
    colour: str = "red",
    save: str | Path | None = None,
) -> "Axes":
    """Draw an image, z-scaled, in its WCS projection, with objects as circles.

    Parameters
    ----------
    image
        An HDUList or one HDU. Its first image of the sky is drawn, of a cube the plane in the middle.
    objects
        A table with positions, or positions.
    title
        Above the picture; the file's target and filter when None.
    limits
        The pixel values drawn black and white; those of IRAF's zscale when None.
    size_inch, marker_size, colour
        Of the figure, and of the circles (points squared, as matplotlib counts).
    save
        Also write the picture here; the name's ending says how (png, pdf, ...).

    Returns
    -------
    WCSAxes
        To draw more into; ``.figure`` is the figure. Its data coordinates are the image's pixels, counted
        from zero at the centre of the first one.

    Raises
    ------
    NotFoundError
        If there is no image with celestial coordinates, or there are no positions in the table.
    MissingExtraError
        If matplotlib is not installed.
    """
    try:
        from matplotlib import pyplot as plt  # noqa: PLC0415  # an extra
    except ImportError:
        raise MissingExtraError("matplotlib", "notebook") from None
    pixels, wcs, words = _celestial(image)
    where = objects if objects is None or isinstance(objects, SkyCoord) else positions_of(objects)
    figure = plt.figure(figsize=(size_inch, size_inch))
    axes: Any = figure.add_subplot(projection=wcs.wcs)
    _draw(axes, pixels, limits or _zscale(pixels))
    _label(axes, wcs)
    axes.set_title(words if title is None else title)
    if where is not None:
        _mark(axes, wcs, where, marker_size, colour)
    if save is not None:
        with quiet():
            figure.savefig(save, dpi=150, bbox_inches="tight")
    return axes  # type: ignore[no-any-return]


def _zscale(pixels: NDArray[np.float32]) -> tuple[float, float]:
    known = pixels[np.isfinite(pixels)]
    low, high = ZScaleInterval().get_limits(known) if known.size else (0.0, 0.0)
    if not high > low and known.size:  # most of the pixels are alike: zscale has nothing to go by
        low, high = known.min(), known.max()
    return float(low), float(high)


def _draw(axes: Any, pixels: NDArray[np.float32], limits: tuple[float, float]) -> None:
    height, width = pixels.shape
    step = max(1, -(-max(pixels.shape) // _MOST_PIXELS))
    axes.imshow(
        pixels[::step, ::step],
        cmap="gray",
        origin="lower",
        vmin=limits[0],
        vmax=limits[1],
        extent=(-0.5, width - 0.5, -0.5, height - 0.5),
    )


def _label(axes: Any, wcs: ImageWCS) -> None:
    name = wcs.frame.name
    across, up = _AXES.get(name, (f"Right ascension ({name.upper()})", f"Declination ({name.upper()})"))
    axes.coords[wcs.wcs.wcs.lng].set_axislabel(across)
    axes.coords[wcs.wcs.wcs.lat].set_axislabel(up)


def _mark(axes: Any, wcs: ImageWCS, where: SkyCoord, size: float, colour: str) -> None:
    """Draw circles; the view stays that of the image."""
    with quiet():
        x, y = wcs.to_pixel(np.atleast_1d(where.icrs.ra.deg), np.atleast_1d(where.icrs.dec.deg))
    seen = axes.get_xlim(), axes.get_ylim()
    axes.scatter(x, y, s=size, edgecolor=colour, facecolor="none")
    axes.set_xlim(seen[0])
    axes.set_ylim(seen[1])


def _celestial(image: Any) -> tuple[NDArray[np.float32], ImageWCS, str]:
    """Return the pixels of an image of the sky, where they are, and what it is called."""
    hdus = image if isinstance(image, fits.HDUList) else fits.HDUList([image])
    try:
        found = science_images(hdus)[0]
    except NoCelestialWCSError as error:
        raise NotFoundError(f"no image to draw: {error}") from None
    x, y = found.wcs.axes
    last = len(found.shape) - 1
    plane: list[int | slice] = [size // 2 for size in found.shape]
    plane[last - x] = plane[last - y] = slice(None)
    with quiet():
        pixels = np.asarray(hdus[found.hdu].data[tuple(plane)], dtype=np.float32)
        return pixels, found.wcs, _title((found.header, hdus[0].header))


def _title(headers: Sequence[fits.Header]) -> str:
    names = ("TARGNAME", "OBJECT", "DETECTOR", "FILTER")
    words = [card(header, name) for name in names for header in headers]
    return "  ".join(dict.fromkeys(str(word).strip() for word in words if word is not None))
