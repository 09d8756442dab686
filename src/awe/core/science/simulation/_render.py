"""From sources and a frame to pixels: light, point-spread function, noise.

Point sources and clusters are sums of round Gaussians integrated over each pixel exactly, so the
undersampled core of the HST is right at any sub-pixel place. The image is in electrons per second,
sky subtracted, NaN where no chip looked. Left out: geometric distortion, cosmic rays, charge-transfer
trails, and the correlation of noise between pixels that drizzling makes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from awe.core.science.simulation._bands import band_magnitude, from_vi
from awe.core.science.simulation._frames import Frame, exposure_map, frame_wcs
from awe.core.science.simulation._galaxy import (
    JET,
    JET_BRIDGE,
    JET_COLOUR,
    M87,
    Knot,
    elliptical_radius,
    surface_brightness,
)
from awe.core.science.simulation._plane import to_plane, to_sky
from awe.core.science.simulation._published import number
from awe.core.science.simulation._sources import GALAXY, STAR, Sky

__all__ = ["PSF", "Picture", "render"]

Floats = NDArray[np.float64]
Image = NDArray[np.float32]

PSF: tuple[tuple[float, float], ...] = ((0.80, 0.040), (0.14, 0.11), (0.06, 0.42))
"""The optics of the HST as round Gaussians: weight and sigma in arcsec (FWHM of the core 0.094)."""

_FULL_WELL = 80_000.0  # electrons in a native pixel
_NATIVE = {"ACS": 0.05, "WFC3": 0.04, "WFPC2": 0.1}  # arcsec, side of a native pixel
_SPIKE_LIMIT = 20.0  # stars brighter than this show the diffraction spikes of the spider
_FLUCTUATION_SIDE = 2900  # pixels of 0.1 arcsec: covers all frames around M87


@dataclass(frozen=True, slots=True)
class Picture:
    """A rendered frame.

    Attributes
    ----------
    science
        Electrons per second, sky subtracted; NaN where nothing was seen. Shape of the frame.
    exposure
        Exposure time of each pixel, s; zero where nothing was seen.
    """

    frame: Frame
    science: Image
    exposure: Image


def render(sky: Sky, frame: Frame) -> Picture:
    """Make the image of the sky that `frame` takes; the same sky gives the same pixels."""
    seconds = exposure_map(frame)
    light = _starlight(sky.seed, frame)
    _add_sources(light, sky, frame)
    _add_jet(light, frame)
    rng = np.random.default_rng([sky.seed, 100, *frame.name.encode()])
    science = _expose(light, seconds, frame, rng)
    return Picture(frame, science, seconds)


def _starlight(seed: int, frame: Frame) -> Image:
    """Return the light of M87 per pixel, mottled by the finite number of its stars.

    The variance is the mean light times the fluctuation flux (Tonry & Schneider 1988, AJ 96, 807);
    the pattern is fixed to the sky, so that two frames show the same mottling.
    """
    rows, columns = frame.shape
    wcs = frame_wcs(frame)
    # the frames are small: an affine map of pixels to the plane around M87 is good to a milliarcsecond
    corners = np.array([[0, 0], [columns - 1, 0], [0, rows - 1]], dtype=float)
    ra, dec = wcs.wcs_pix2world(corners, 0).T
    east, north = to_plane(ra, dec, M87)
    x = np.arange(columns, dtype=np.float32) / np.float32(columns - 1)
    y = (np.arange(rows, dtype=np.float32) / np.float32(rows - 1))[:, None]
    e = np.float32(east[0]) + np.float32(east[1] - east[0]) * x + np.float32(east[2] - east[0]) * y
    n = np.float32(north[0]) + np.float32(north[1] - north[0]) * x + np.float32(north[2] - north[0]) * y
    log_r = np.log10(np.maximum(elliptical_radius(e, n), 0.02)).astype(np.float32)
    # the profile is smooth: a fine table of it is exact to 1e-4 and twenty times as fast
    grid = np.linspace(-1.75, 4.6, 5000)
    band = frame.band
    table = band.rate(band_magnitude(band, *surface_brightness(10**grid))) * frame.scale**2
    mean = np.interp(log_r, grid, table).astype(np.float32)
    mottle = np.sqrt(mean * np.float32(band.rate(band.fluctuation)))
    return np.asarray(mean + mottle * _fluctuations(seed, e, n), dtype=np.float32)


def _fluctuations(seed: int, east: Image, north: Image) -> Image:
    """Sample a field of unit variance per pixel, blurred by the optics, that is fixed to the sky."""
    from scipy.ndimage import gaussian_filter  # noqa: PLC0415  # scipy is a tenth of an idle server's memory

    side = _FLUCTUATION_SIDE
    field = np.random.default_rng([seed, 5]).standard_normal((side, side), dtype=np.float32)
    field = gaussian_filter(field, PSF[0][1] / 0.1, truncate=3, mode="wrap")
    i = np.rint(north * 10 + side / 2).astype(np.int32) % side
    j = np.rint(east * 10 + side / 2).astype(np.int32) % side
    return np.asarray(field[i, j], dtype=np.float32)


def _add_sources(light: Image, sky: Sky, frame: Frame) -> None:
    rows, columns = frame.shape
    sources = sky.sources
    reach = frame.scale / 3600 * max(frame.shape)
    near = np.abs(sources.dec - frame.centre[1]) < reach
    near &= np.abs((sources.ra - frame.centre[0]) * np.cos(np.deg2rad(frame.centre[1]))) < reach
    seen = sources.where(near)
    x, y = frame_wcs(frame).wcs_world2pix(seen.ra, seen.dec, 0)
    flux = frame.band.rate(band_magnitude(frame.band, seen.f606w, seen.f814w))
    inside = (x > -60) & (x < columns + 60) & (y > -60) & (y < rows + 60)
    for i in np.flatnonzero(inside):
        if seen.kind[i] == GALAXY:
            half, stamp = _disk(
                x[i], y[i], flux[i], seen.size[i] / frame.scale, seen.flattening[i],
                np.deg2rad(seen.angle[i] - frame.north), frame.scale,
            )  # fmt: skip
        else:
            half, stamp = _round(x[i], y[i], flux[i], seen.size[i], frame.scale)
            if seen.kind[i] == STAR and seen.f606w[i] < _SPIKE_LIMIT:
                _add_spikes(light, x[i], y[i], flux[i], frame)
        _paste(light, stamp, round(x[i]) - half, round(y[i]) - half)


def _add_jet(light: Image, frame: Frame) -> None:
    angle = np.deg2rad(number("jet_angle"))
    for knot in (*JET, *_bridge()):
        ra, dec = to_sky(
            np.array(knot.distance * np.sin(angle)), np.array(knot.distance * np.cos(angle)), M87
        )
        x, y = (float(c) for c in frame_wcs(frame).wcs_world2pix(ra, dec, 0))
        f606w, f814w = from_vi(np.array(knot.v), np.array(JET_COLOUR))
        flux = float(frame.band.rate(band_magnitude(frame.band, f606w, f814w)))
        half, stamp = _round(x, y, flux, knot.size * 1.1774, frame.scale)
        _paste(light, stamp, round(x) - half, round(y) - half)


def _bridge() -> list[Knot]:
    """Return the light between the knots as many faint ones, growing in width with the jet."""
    steps = np.arange(1.0, JET_BRIDGE.distance, 0.3)
    v = JET_BRIDGE.v + 2.5 * np.log10(len(steps))
    return [
        Knot("bridge", float(r), JET_BRIDGE.size * float(r) / JET_BRIDGE.distance, float(v)) for r in steps
    ]


def _round(x: float, y: float, flux: float, half_light: float, scale: float) -> tuple[int, Floats]:
    """Integrate a Gaussian of that half-light radius (arcsec), seen through the optics, over pixels."""
    from scipy.special import erf  # noqa: PLC0415  # scipy is a tenth of an idle server's memory

    half = 45 if flux > 400 else 24 if flux > 15 else 13
    edges = np.arange(-half, half + 2) - 0.5
    dx, dy = edges - (x - round(x)), edges - (y - round(y))
    stamp = np.zeros((2 * half + 1, 2 * half + 1))
    for weight, sigma in PSF:
        width = np.sqrt(2) * np.hypot(sigma, half_light / 1.1774) / scale
        stamp += weight / 4 * np.outer(np.diff(erf(dy / width)), np.diff(erf(dx / width)))
    return half, flux * stamp


def _disk(
    x: float, y: float, flux: float, half_light: float, flattening: float, angle: float, scale: float
) -> tuple[int, Floats]:
    """Return an inclined exponential disk (half-light radius in pixels), softened by the optics."""
    radius = np.hypot(half_light, 0.05 / scale)
    half = int(min(np.ceil(4.5 * radius) + 3, 55))
    fine = (np.arange(3 * (2 * half + 1)) + 0.5) / 3 - half - 0.5
    u, v = fine - (x - round(x)), (fine - (y - round(y)))[:, None]
    along = v * np.cos(angle) - u * np.sin(angle)
    across = (u * np.cos(angle) + v * np.sin(angle)) / (1 - flattening)
    profile = np.exp(-1.678 * np.sqrt(along**2 + across**2) / radius)
    side = 2 * half + 1
    stamp = profile.reshape(side, 3, side, 3).sum(axis=(1, 3))
    return half, flux / stamp.sum() * stamp


def _add_spikes(light: Image, x: float, y: float, flux: float, frame: Frame) -> None:
    """Add four spikes along the detector's diagonals, holding 1 % of the light."""
    reach = min(int(6 * (flux / 100) ** 0.4), 180)
    along = np.arange(1, reach + 1, dtype=float)
    strength = flux * 0.0025 * np.exp(-3 * along / reach) / np.exp(-3 * along / reach).sum()
    rows, columns = frame.shape
    for diagonal in (45, 135, 225, 315):
        turn = np.deg2rad(diagonal + frame.roll - frame.north)
        i = np.rint(y + along * np.sin(turn)).astype(int)
        j = np.rint(x + along * np.cos(turn)).astype(int)
        ok = (i >= 0) & (i < rows) & (j >= 0) & (j < columns)
        np.add.at(light, (i[ok], j[ok]), strength[ok])


def _paste(light: Image, stamp: Floats, left: int, bottom: int) -> None:
    """Add a stamp to the image, cutting what hangs over its edges."""
    rows, columns = light.shape
    x0, x1 = max(left, 0), min(left + stamp.shape[1], columns)
    y0, y1 = max(bottom, 0), min(bottom + stamp.shape[0], rows)
    if x0 < x1 and y0 < y1:
        light[y0:y1, x0:x1] += stamp[y0 - bottom : y1 - bottom, x0 - left : x1 - left]


def _expose(light: Image, seconds: Image, frame: Frame, rng: np.random.Generator) -> Image:
    """Add photon and read-out noise, clip at the full well, blank what was not seen."""
    sky = np.float32(frame.band.sky * frame.scale**2)
    native = (frame.scale / _NATIVE[frame.instrument]) ** 2
    read_variance = number("read_noise") ** 2 * native * frame.exposures
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (np.maximum(light, 0) + sky) / seconds + np.float32(read_variance) / seconds**2
        image = light + np.sqrt(variance) * rng.standard_normal(light.shape, dtype=np.float32)
        full = np.float32(_FULL_WELL * native * frame.exposures) / seconds
        image = np.minimum(image, full)
    image[seconds == 0] = np.nan
    return np.asarray(image, dtype=np.float32)
