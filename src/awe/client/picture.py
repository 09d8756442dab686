"""A picture of an image as astronomers look at one: z-scaled, in its WCS projection, with objects marked."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.visualization import ImageNormalize, LinearStretch, ZScaleInterval
from astropy.wcs import WCS

from awe.client._values import positions as positions_of
from awe.errors import MissingExtraError, NotFoundError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["show"]

_MOST_PIXELS = 4000
"""Longer images are drawn with every second, third, ... pixel: the screen has fewer anyway."""


def show(
    image: fits.HDUList | fits.ImageHDU,
    objects: Table | SkyCoord | None = None,
    *,
    title: str | None = None,
    size_inch: float = 10.0,
    marker_size: float = 50.0,
    colour: str = "red",
    save: str | Path | None = None,
) -> "Axes":
    """Draw an image, z-scaled, in its WCS projection, with objects as circles.

    Parameters
    ----------
    image
        An HDUList (its first image with a celestial WCS is drawn) or one HDU.
    objects
        A table with positions, or positions.
    title
        Above the picture; the file's target and filter when None.
    size_inch, marker_size, colour
        Of the figure, and of the circles (points squared, as matplotlib counts).
    save
        Also write the picture here; the name's ending says how (png, pdf, ...).

    Returns
    -------
    WCSAxes
        To draw more into; ``.figure`` is the figure.
    """
    try:
        from matplotlib import pyplot as plt  # noqa: PLC0415  # an extra
    except ImportError:
        raise MissingExtraError("matplotlib", "notebook") from None
    hdu, header = _celestial(image)
    step = max(1, -(-max(hdu.shape[-2:]) // _MOST_PIXELS))
    pixels = np.squeeze(np.asarray(hdu.data, dtype=np.float32))[::step, ::step]
    wcs = WCS(header).celestial[::step, ::step]
    low, high = (
        ZScaleInterval().get_limits(pixels[np.isfinite(pixels)]) if np.isfinite(pixels).any() else (0, 1)
    )
    figure = plt.figure(figsize=(size_inch, size_inch))
    axes: Any = figure.add_subplot(projection=wcs)
    axes.imshow(
        pixels, cmap="gray", origin="lower", norm=ImageNormalize(vmin=low, vmax=high, stretch=LinearStretch())
    )
    axes.set_xlabel("Right ascension (ICRS)")
    axes.set_ylabel("Declination (ICRS)")
    axes.set_title(_title(header) if title is None else title)
    if objects is not None:
        where = objects if isinstance(objects, SkyCoord) else positions_of(objects)
        limits = axes.get_xlim(), axes.get_ylim()
        axes.scatter(
            where.icrs.ra.deg,
            where.icrs.dec.deg,
            transform=axes.get_transform("icrs"),
            s=marker_size,
            edgecolor=colour,
            facecolor="none",
        )
        axes.set_xlim(limits[0])
        axes.set_ylim(limits[1])
    if save is not None:
        figure.savefig(save, dpi=150, bbox_inches="tight")
    return axes  # type: ignore[no-any-return]


def _celestial(image: Any) -> tuple[Any, fits.Header]:
    hdus = image if isinstance(image, fits.HDUList) else [image]
    for hdu in hdus:
        if getattr(hdu, "shape", ()) and hdu.is_image and len(hdu.shape) >= 2:
            wcs = WCS(hdu.header, image if isinstance(image, fits.HDUList) else None)
            if wcs.has_celestial:
                header = hdu.header.copy()
                for name in ("TARGNAME", "OBJECT", "FILTER", "FILTER1", "DETECTOR"):
                    if isinstance(image, fits.HDUList) and name in image[0].header:
                        header.setdefault(name, image[0].header[name])
                return hdu, header
    raise NotFoundError("no image with celestial coordinates in this file")


def _title(header: fits.Header) -> str:
    words = [header.get(name, "") for name in ("TARGNAME", "OBJECT", "DETECTOR", "FILTER")]
    return "  ".join(dict.fromkeys(str(w).strip() for w in words if w))
