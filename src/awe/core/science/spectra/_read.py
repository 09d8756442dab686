"""Open a file and return the spectra in it."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from astropy.io import fits

from awe.core.science.celestial import quiet
from awe.core.science.fitsfile import open_fits
from awe.core.science.spectra._layouts import LAYOUTS
from awe.core.science.spectra._model import NoSpectrumError, Reading, Spectrum
from awe.core.science.spectra._sdss import sdss_facts
from awe.core.science.spectra._specutils import specutils_spectra
from awe.core.science.spectra._text import text_spectrum
from awe.core.science.spectra._units import to_vacuum
from awe.core.science.spectra._votable import votable_spectrum

__all__ = ["is_spectrum_name", "read_fits_spectra", "read_spectra"]

_TEXT = re.compile(r"^[^.].*\.(dat|txt|asc|ascii|csv|tsv|ecsv)(\.(gz|bz2))?$", re.IGNORECASE)
_VOTABLE = re.compile(r"^[^.].*\.(vot|votable|xml)$", re.IGNORECASE)


def is_spectrum_name(name: str) -> bool:
    """Return whether a file that is not FITS may hold a spectrum, by its name."""
    return bool(_TEXT.match(name) or _VOTABLE.match(name))


def read_spectra(path: Path, reading: Reading | None = None, *, facts: bool = True) -> list[Spectrum]:
    """Return the spectra of a file, one or more.

    Parameters
    ----------
    path
        FITS, VOTable or text, by its name.
    reading
        What the publisher says of it.
    facts
        Whether to look for all that the file says of the object, too: the samples alone are read faster.

    Raises
    ------
    NoSpectrumError
        If there is none that can be used.
    InputFileError
        If it cannot be opened as FITS.
    """
    if _VOTABLE.match(path.name):
        return [_checked(votable_spectrum(path, reading or Reading()))]
    if _TEXT.match(path.name):
        return [_checked(text_spectrum(path, reading or Reading()))]
    with open_fits(path) as hdus:
        return read_fits_spectra(hdus, path, reading, facts=facts)


def read_fits_spectra(
    hdus: fits.HDUList, path: Path, reading: Reading | None = None, *, facts: bool = True
) -> list[Spectrum]:
    """Return the spectra of an open FITS file; see `read_spectra`."""
    given = reading or Reading()
    with quiet():
        try:
            for layout in LAYOUTS:
                found = layout(hdus, given)
                if found:
                    return [_checked(_told(one, hdus) if facts else one) for one in found]
        except NoSpectrumError:
            raise
        except Exception as error:  # noqa: BLE001  # damaged data: a dozen kinds from astropy, zlib and numpy
            said = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise NoSpectrumError(f"its spectrum cannot be read: {said}") from None
        _refuse_long_slits(hdus)
    return [_checked(one) for one in specutils_spectra(path, given)]


def _told(spectrum: Spectrum, hdus: fits.HDUList) -> Spectrum:
    """Return a spectrum with what SDSS says of its object."""
    more = sdss_facts(hdus, spectrum.hdus[0]) if len(spectrum.hdus) == 1 else {}
    return replace(spectrum, facts={**spectrum.facts, **more}) if more else spectrum


def _refuse_long_slits(hdus: fits.HDUList) -> None:
    for number, hdu in enumerate(hdus):
        shape = tuple(hdu.shape) if getattr(hdu, "is_image", False) and hdu.header.get("NAXIS", 0) else ()
        dispersed = hdu.header.get("DISPAXIS") or str(hdu.header.get("CTYPE1", "")).startswith(
            ("WAVE", "AWAV")
        )
        if len(shape) == 2 and dispersed:
            raise NoSpectrumError(
                f"HDU {number} is a spectral image, {shape[1]} by {shape[0]} pixels with a place along the slit: "
                "only spectra that have been extracted are published"
            )


def _checked(spectrum: Spectrum) -> Spectrum:
    """Refuse what no client could draw: no wavelength that is a number, lengths that differ."""
    if spectrum.spectral.values.shape != spectrum.flux.values.shape:
        raise NoSpectrumError(
            f"it has {spectrum.spectral.values.size:,} wavelengths and {spectrum.flux.values.size:,} fluxes"
        )
    waves = to_vacuum(spectrum.spectral.values, spectrum.spectral.unit, spectrum.medium)
    if not (np.isfinite(waves) & (waves > 0)).any():
        raise NoSpectrumError("none of its wavelengths is a positive number")
    return spectrum
