"""Where the pixels of an image are on the sky, through everything its header says.

An `ImageWCS` is the celestial part of an HDU's world coordinate system (FITS Standard 4.0 section 8; SIP
after Shupe et al. 2005; lookup tables after the distortion paper draft, as HST writes them), between
*pixels* counted from zero at the centre of the first one and *ICRS degrees*, whatever the frame of the header.
"""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from astropy.coordinates import ICRS, BaseCoordinateFrame, SkyCoord
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_scales, wcs_to_celestial_frame
from numpy.typing import ArrayLike, NDArray

from awe.core.science.gnomonic import Gnomonic

__all__ = ["ImageWCS", "NoCelestialWCSError", "image_wcs", "quiet"]

Floats = NDArray[np.float64]

_EQUINOX = {"FK4": 1950.0, "FK4-NO-E": 1950.0, "FK5": 2000.0}
_SINGULAR = 1e9
_SAME_PIXELS = 1e-5
_LOCK = threading.RLock()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep astropy's warnings about other people's headers away; one thread at a time, as Python demands."""
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


class NoCelestialWCSError(ValueError):
    """No image that says where its pixels are on the sky; the message says why.

    Parameters
    ----------
    reason
        Why.
    hdu
        The number of the HDU that it is about, if it is about one.
    """

    def __init__(self, reason: str, hdu: int | None = None) -> None:
        super().__init__(reason)
        self.hdu = hdu


@dataclass(frozen=True, eq=False)
class ImageWCS:
    """The celestial world coordinates of one image.

    Attributes
    ----------
    wcs
        Two-dimensional, in the order of the file's axes.
    frame
        The celestial frame of the header.
    axes
        The two spatial axes among the image's axes, counted from zero in FITS order.
    shape
        Pixels along them: ``(nx, ny)``.
    """

    wcs: WCS
    frame: BaseCoordinateFrame
    axes: tuple[int, int]
    shape: tuple[int, int]

    @cached_property
    def pixel_scale(self) -> float:
        """Size of a pixel at the reference point, in arcsec: the geometric mean of both axes."""
        return float(np.sqrt(np.prod(proj_plane_pixel_scales(self.wcs)))) * 3600.0

    @cached_property
    def distorted(self) -> bool:
        """Whether lines of the sky are bent on the image beyond its projection."""
        wcs = self.wcs
        tables = (wcs.sip, wcs.cpdis1, wcs.cpdis2, wcs.det2im1, wcs.det2im2)
        return any(table is not None for table in tables)

    @cached_property
    def icrs(self) -> bool:
        """Whether the header's frame is ICRS."""
        return bool(self.frame.is_equivalent_frame(ICRS()))

    @cached_property
    def gnomonic(self) -> Gnomonic | None:
        """The linear map of an image in the gnomonic projection and ICRS; None for others, and distorted ones."""
        kinds = {str(self.wcs.wcs.ctype[k])[4:] for k in (self.wcs.wcs.lng, self.wcs.wcs.lat)}
        if kinds != {"-TAN"} or self.distorted or not self.icrs:
            return None
        found = Gnomonic.of(self.wcs)
        x, y = self.edge(4)
        there_x, there_y = found.to_pixel(*self.to_sky(x, y))
        # whatever else the header says (PV, LATPOLE): the map is used where it gives the same
        return found if bool((np.hypot(there_x - x, there_y - y) < _SAME_PIXELS).all()) else None

    def to_sky(self, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Return ICRS right ascension and declination (degrees) of pixels; NaN off the projection."""
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        world = self.wcs.all_pix2world(np.column_stack([x.ravel(), y.ravel()]), 0)
        lon, lat = world[:, self.wcs.wcs.lng], world[:, self.wcs.wcs.lat]
        ra, dec = _between(self.frame, ICRS(), lon, lat)
        return ra.reshape(x.shape), dec.reshape(x.shape)

    def to_pixel(self, ra: ArrayLike, dec: ArrayLike) -> tuple[Floats, Floats]:
        """Return the pixels of ICRS positions (degrees); NaN where the projection has none.

        The distortion is inverted on the image and half its size around it. Farther out, where its
        polynomials mean nothing, the undistorted position is given.
        """
        lon, lat = np.atleast_1d(ra), np.atleast_1d(dec)
        if not self.icrs:
            lon, lat = _between(ICRS(), self.frame, lon, lat)
        world = np.empty((len(lon), 2))
        world[:, self.wcs.wcs.lng], world[:, self.wcs.wcs.lat] = lon, lat
        pixels = self.wcs.wcs_world2pix(world, 0)
        if self.distorted:
            edge = np.column_stack(self.edge(8))
            bend = np.nanmax(np.abs(self.wcs.pix2foc(edge, 0) - edge))
            margin = 0.5 * np.asarray(self.shape) + 2 * bend
            near = np.all((pixels > -margin) & (pixels < self.shape + margin), axis=1)
            if near.any():
                exact = self.wcs.all_world2pix(world[near], 0, maxiter=50, adaptive=True, quiet=True)
                pixels[near] = np.where(np.isfinite(exact), exact, pixels[near])
        return pixels[:, 0], pixels[:, 1]

    def edge(self, points: int) -> tuple[Floats, Floats]:
        """Return pixel positions around the outer edge of the image, `points` for each side."""
        nx, ny = self.shape
        t = np.arange(points) / points
        along, zero = t - 0.5, np.full(points, -0.5)
        x = np.concatenate([along + t * (nx - 1), zero + nx, nx - 1 - (along + t * (nx - 1)), zero])
        y = np.concatenate([zero, along + t * (ny - 1), zero + ny, ny - 1 - (along + t * (ny - 1))])
        return x, y

    def grid(self, points: int) -> tuple[Floats, Floats]:
        """Return a grid of at most `points` by `points` pixel positions from outer edge to outer edge."""
        nx, ny = self.shape
        x = np.linspace(-0.5, nx - 0.5, min(points, nx + 1))
        y = np.linspace(-0.5, ny - 0.5, min(points, ny + 1))
        grid_x, grid_y = np.meshgrid(x, y)
        return grid_x, grid_y


def image_wcs(header: fits.Header, shape: tuple[int, ...], hdus: fits.HDUList | None = None) -> ImageWCS:
    """Read the celestial world coordinates of an image.

    Parameters
    ----------
    header
        Of the HDU.
    shape
        Of its array, in numpy's order.
    hdus
        The file it is in, where distortion tables are looked up.

    Raises
    ------
    NoCelestialWCSError
        If the header has none, or one that cannot be used.
    """
    if len(shape) < 2 or 0 in shape:
        raise NoCelestialWCSError("it holds no image")
    with quiet():
        wcs = _parse(header, hdus)
        if not wcs.has_celestial:
            raise NoCelestialWCSError("it has no celestial world coordinates (CTYPE, CRVAL, CRPIX, CD)")
        axes = (min(wcs.wcs.lng, wcs.wcs.lat), max(wcs.wcs.lng, wcs.wcs.lat))
        plane = wcs if wcs.naxis == 2 else wcs.sub([axes[0] + 1, axes[1] + 1])
        if not np.linalg.cond(plane.pixel_scale_matrix) < _SINGULAR:
            raise NoCelestialWCSError("its pixels cover no area: the CD (or PC, CDELT) matrix is singular")
        try:
            frame = wcs_to_celestial_frame(plane)
        except ValueError:
            raise NoCelestialWCSError("its celestial frame is not known") from None
        size = (shape[-1 - axes[0]], shape[-1 - axes[1]]) if max(axes) < len(shape) else (0, 0)
        if 0 in size:
            raise NoCelestialWCSError("its spatial axes are not axes of the array")
        image = ImageWCS(plane, frame, axes, size)
        ra, _ = image.to_sky(*image.grid(9))
        _ = image.gnomonic  # found out here, where nobody else is at the same coordinates
    if not np.isfinite(ra).any():
        raise NoCelestialWCSError("its world coordinates give no position for any pixel")
    return image


def _parse(header: fits.Header, hdus: fits.HDUList | None) -> WCS:
    try:
        wcs = WCS(header, fobj=hdus)
        # The standard's defaults (section 8.3); wcslib leaves them unset.
        if np.isnan(wcs.wcs.equinox) and wcs.wcs.radesys in _EQUINOX:
            wcs.wcs.equinox = _EQUINOX[wcs.wcs.radesys]
        wcs.wcs.set()
    except Exception as error:  # noqa: BLE001  # wcslib and astropy raise a dozen kinds for a bad header
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise NoCelestialWCSError(f"its world coordinates cannot be used: {reason}") from None
    return wcs


def _between(
    old: BaseCoordinateFrame, new: BaseCoordinateFrame, lon: Floats, lat: Floats
) -> tuple[Floats, Floats]:
    if old.is_equivalent_frame(new):
        return np.mod(lon, 360.0), np.asarray(lat)
    there = SkyCoord(lon, lat, unit="deg", frame=old).transform_to(new).spherical
    return np.asarray(there.lon.deg), np.asarray(there.lat.deg)
