"""A spectrum as bare arrays in the one way that programs of many spectra want: vacuum Ångström, ascending, with weights."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from awe.core.science.spectra._model import Floats, Spectrum
from awe.core.science.spectra._units import to_vacuum

__all__ = ["SpectrumArrays", "spectrum_arrays"]


@dataclass(frozen=True, slots=True, eq=False)
class SpectrumArrays:
    """The samples of a spectrum, all of one length.

    Attributes
    ----------
    wavelength
        In vacuum, Ångström, ascending.
    flux
        In the file's unit.
    ivar
        One over the variance of the flux; 0 where it is not known, so that a weighted mean leaves the sample out.
    mask
        The file's flags; 0 is good, and where the file has none.
    """

    wavelength: Floats
    flux: Floats
    ivar: Floats
    mask: NDArray[np.int64]


def spectrum_arrays(spectrum: Spectrum) -> SpectrumArrays:
    """Return the samples of a spectrum as arrays.

    Raises
    ------
    NoSpectrumError
        If its unit is not that of a spectral quantity.
    """
    waves, flux = spectrum.spectral, np.asarray(spectrum.flux.values, np.float64)
    if waves.unit == "Angstrom" and spectrum.medium != "air":  # as the file has them, to the last bit
        angstrom = np.asarray(waves.values, np.float64)
    else:
        angstrom = to_vacuum(waves.values, waves.unit, spectrum.medium) * 1e10
    ivar = np.zeros(len(flux))
    if spectrum.error is not None:
        error = np.asarray(spectrum.error.values, np.float64)
        good = np.isfinite(error) & (error > 0)
        ivar[good] = 1 / error[good] ** 2
    mask = np.zeros(len(flux), np.int64) if spectrum.quality is None else spectrum.quality
    order = np.argsort(angstrom, kind="stable")
    return SpectrumArrays(angstrom[order], flux[order], ivar[order], mask[order])
