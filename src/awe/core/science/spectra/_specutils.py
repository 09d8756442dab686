"""What specutils knows and awe does not: the files of two dozen surveys.

specutils takes seconds to load: it is imported when a file is met that nothing else knows.
"""

import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from awe.core.science.celestial import quiet
from awe.core.science.spectra._columns import medium_of
from awe.core.science.spectra._model import Axis, NoSpectrumError, Reading, Spectrum
from awe.core.science.spectra._units import flux_ucd, parse_unit, spectral_ucd, written

__all__ = ["specutils_spectra"]

_GENERIC = frozenset(
    {"tabular-fits", "wcs1d-fits", "ASCII", "ECSV", "IPAC", "MaNGA cube", "JWST s3d", "SAMI-cube"}
)
"""Formats that awe reads itself, and those of cubes."""
_MOST = 10_000


def specutils_spectra(path: Path, reading: Reading) -> list[Spectrum]:
    """Read a file through specutils.

    Raises
    ------
    NoSpectrumError
        If it does not know the file either.
    """
    specutils: Any = import_module("specutils")
    identify: Any = import_module("specutils.io.registers").identify_spectrum_format
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            known = identify(str(path), specutils.SpectrumList) or []
            names = [name for name in ([known] if isinstance(known, str) else known) if name not in _GENERIC]
            read = specutils.SpectrumList.read(str(path), format=names[0]) if names else []
        except Exception as error:  # noqa: BLE001  # its loaders raise whatever a file makes them
            said = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise NoSpectrumError(f"specutils cannot read it: {said}", certain=False) from None
    found = [one for spectrum in read for one in _rows(spectrum, reading)]
    if not found or len(found) > _MOST:
        raise NoSpectrumError("no HDU holds an image or a spectrum", certain=False)
    if len(found) == 1:
        return found
    return [
        Spectrum(s.spectral, s.flux, s.error, s.quality, key=str(i), medium=s.medium)
        for i, s in enumerate(found, start=1)
    ]


def _rows(spectrum: Any, reading: Reading) -> list[Spectrum]:
    axis, flux = spectrum.spectral_axis, np.asarray(spectrum.flux.value)
    unit, flux_unit = parse_unit(str(axis.unit)), parse_unit(str(spectrum.flux.unit))
    ucd = unit and spectral_ucd(unit)
    if unit is None or not ucd:
        return []
    error = None
    if spectrum.uncertainty is not None:
        deviation = import_module("astropy.nddata").StdDevUncertainty
        error = np.asarray(spectrum.uncertainty.represent_as(deviation).array).reshape(-1, flux.shape[-1])
    spectral = Axis("wavelength", np.asarray(axis.value), written(unit), ucd)
    said = written(flux_unit) if flux_unit is not None else str(spectrum.flux.unit)
    kind = flux_ucd(flux_unit) if flux_unit is not None else ""
    return [
        Spectrum(
            spectral,
            Axis("flux", row, said, kind),
            None
            if error is None
            else Axis("error", error[i], said, f"stat.error;{kind}" if kind else "stat.error"),
            medium=medium_of(reading.medium),
        )
        for i, row in enumerate(flux.reshape(-1, flux.shape[-1]))
    ]
