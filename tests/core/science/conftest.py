"""Images whose every pixel and coordinate is known."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS, Sip

SCALE = 0.05 / 3600


def tangent(
    ra: float = 187.7,
    dec: float = 12.39,
    shape: tuple[int, int] = (300, 400),
    *,
    angle: float = 0.5,
    scale: float = SCALE,
    projection: str = "TAN",
    frame: str = "ICRS",
) -> WCS:
    """Return the WCS of an image of `shape` (numpy order) around a position, rotated by `angle` radians."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [f"RA---{projection}", f"DEC--{projection}"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [shape[1] / 2 + 0.3, shape[0] / 2 + 0.7]
    c, s = np.cos(angle), np.sin(angle)
    wcs.wcs.cd = scale * np.array([[-c, s], [s, c]])
    wcs.wcs.radesys = frame
    if frame.startswith("FK"):
        wcs.wcs.equinox = {"FK4": 1950.0, "FK5": 2000.0}[frame]
    wcs.wcs.set()
    return wcs


def sip(wcs: WCS, strength: float = 1e-5) -> WCS:
    """Return the WCS with a SIP distortion of some pixels at the corners."""
    a = np.zeros((3, 3))
    b = np.zeros((3, 3))
    a[2, 0], a[0, 2], b[1, 1] = strength, strength / 2, -strength
    wcs.sip = Sip(a, b, None, None, wcs.wcs.crpix)
    wcs.wcs.ctype = [f"{name}-SIP" for name in wcs.wcs.ctype]
    wcs.wcs.set()
    return wcs


def header(wcs: WCS) -> fits.Header:
    return wcs.to_header(relax=True)


def noise(shape: tuple[int, ...] = (300, 400), dtype: type = np.float32) -> np.ndarray:
    return np.random.default_rng(7).normal(1000, 100, shape).astype(dtype)


Writer = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    """Return a function that writes HDUs to a file; a primary HDU is put first where there is none."""

    def written(*hdus: fits.hdu.base.ExtensionHDU, name: str = "image.fits") -> Path:
        path = tmp_path / name
        first = [] if isinstance(hdus[0], fits.PrimaryHDU) else [fits.PrimaryHDU()]
        fits.HDUList([*first, *hdus]).writeto(path)
        return path

    return written
