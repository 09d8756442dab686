"""Where the samples of an image row are in wavelength, from the cards that say so.

Three families: SDSS and its descendants (``COEFF0``, ``COEFF1``: the logarithm of the wavelength), plain steps
(``CRVAL1``, ``CDELT1``, logarithmic where ``LOGLAM``, ``DC-FLAG`` or ``CTYPE1`` says so), and the spectral
coordinates of FITS Standard 4.0 section 8.4 through wcslib.
"""

import math
import re

import numpy as np
from astropy import units
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from awe.core.science.celestial import quiet
from awe.core.science.keywords import card
from awe.core.science.spectra._columns import medium_of
from awe.core.science.spectra._model import Axis, Medium, NoSpectrumError, Reading
from awe.core.science.spectra._units import parse_unit, spectral_ucd, written

__all__ = ["medium_in", "spectral_axis"]

_SPECTRAL = ("WAVE", "AWAV", "FREQ", "ENER", "WAVN", "VELO", "VRAD", "VOPT", "ZOPT", "BETA")
_LOGARITHMIC = re.compile(r"log.*(wave|lam)|loglam|wave.*log", re.IGNORECASE)
_IRAF_UNITS = re.compile(r"\bunits=([A-Za-z]+)")


def spectral_axis(header: fits.Header, length: int, reading: Reading) -> tuple[Axis, Medium]:
    """Return the spectral axis along the first axis of an image, and the medium of its wavelengths.

    Raises
    ------
    NoSpectrumError
        If the header does not say where the samples are, or in which unit.
    """
    medium = medium_in(header)
    kind = str(card(header, "CTYPE1") or "").strip()
    log = _number(header, "COEFF0"), _number(header, "COEFF1")
    if log[0] is not None and log[1] is not None:
        values = 10.0 ** (log[0] + log[1] * np.arange(length))
        return _axis("wavelength", values, reading.spectral_unit or "Angstrom"), medium
    if kind.upper().startswith(_SPECTRAL) and not _LOGARITHMIC.search(kind):
        return _of_wcs(header, length, reading), "air" if kind.upper().startswith("AWAV") else medium
    start, step = _number(header, "CRVAL1"), _number(header, "CD1_1")
    step = _number(header, "CDELT1") if step is None else step
    if start is None or not step:
        raise NoSpectrumError(
            "its header does not say at which wavelengths its samples are (CRVAL1, CDELT1; COEFF0, COEFF1)"
        )
    values = start + (np.arange(1, length + 1) - (_number(header, "CRPIX1") or 1.0)) * step
    unit = reading.spectral_unit or _unit(header)
    if (
        _LOGARITHMIC.search(kind)
        or _number(header, "LOGLAM") == 1
        or _true(header, "LOGLAM")
        or card(header, "DC-FLAG") == 1
    ):
        values, unit = 10.0**values, unit or "Angstrom"
    elif not unit and card(header, "LOGLAM") is not None:
        unit = "Angstrom"  # redrock's templates: LOGLAM says which of two kinds of steps, both in Angstrom
    return _axis(kind or "spectral", values, unit), medium


def medium_in(header: fits.Header) -> Medium:
    """Return the medium that a header names, if it names one."""
    said = card(header, "VACUUM")
    if isinstance(said, bool):
        return "vacuum" if said else "air"
    return medium_of(str(card(header, "AIRORVAC") or ""))


def _of_wcs(header: fits.Header, length: int, reading: Reading) -> Axis:
    with quiet():
        try:
            spectral = WCS(header).sub([1])
            values = spectral.all_pix2world(np.arange(length), 0)[0]
            unit = str(spectral.wcs.cunit[0])
        except Exception as error:  # noqa: BLE001  # wcslib and astropy raise a dozen kinds for a bad header
            raise NoSpectrumError(f"its spectral coordinates cannot be used: {error}") from None
    return _axis(str(header["CTYPE1"])[:4].strip(), values, reading.spectral_unit or unit or _unit(header))


def _unit(header: fits.Header) -> str:
    said = card(header, "CUNIT1")
    iraf = _IRAF_UNITS.search(str(card(header, "WAT1_001") or ""))
    return str(said) if said else iraf[1] if iraf else ""


def _axis(name: str, values: NDArray[np.generic], unit: str) -> Axis:
    parsed = parse_unit(unit) or units.dimensionless_unscaled
    ucd = spectral_ucd(parsed)
    if ucd is None:
        said = (
            f"in {unit!r}, which is no unit of wavelength, frequency or energy" if unit else "without a unit"
        )
        raise NoSpectrumError(
            f"its spectral axis is {said} (the describe file can say it: [spectrum] spectral_unit)"
        )
    return Axis(name, values, written(parsed), ucd)


def _true(header: fits.Header, keyword: str) -> bool:
    return card(header, keyword) is True


def _number(header: fits.Header, keyword: str) -> float | None:
    value = card(header, keyword)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None
