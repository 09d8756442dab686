"""Several spectra on one grid of wavelengths, where they share one; nothing is resampled."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from astropy import units

from awe.core.science.spectra._arrays import SpectrumArrays
from awe.core.science.spectra._model import NoSpectrumError
from awe.core.science.spectra._units import parse_unit

__all__ = ["aligned", "in_flux_density"]

_DENSITY = 1e-17 * units.Unit("erg s-1 cm-2 AA-1")
_SAME = 1e-7
"""Wavelengths that differ by less than this part of them are the same."""


def in_flux_density(samples: SpectrumArrays, unit: str) -> SpectrumArrays:
    """Return a spectrum with its fluxes in 1e-17 erg/s/cm²/Ångström; as it is where they are no flux density.

    Parameters
    ----------
    unit
        Of the fluxes.
    """
    parsed = parse_unit(unit)
    if parsed is None:
        return samples
    waves = samples.wavelength * units.AA
    try:
        factor = np.asarray(
            parsed.to(_DENSITY, np.ones(len(waves)), units.spectral_density(waves)), np.float64
        )
    except units.UnitConversionError:  # counts, or no unit at all
        return samples
    return replace(samples, flux=samples.flux * factor, ivar=samples.ivar / factor**2)


def aligned(spectra: Sequence[SpectrumArrays]) -> list[SpectrumArrays]:
    """Return spectra of the same wavelengths: those that any of them has; flux, weight and flags are 0 where one has none.

    Raises
    ------
    NoSpectrumError
        If they do not share a grid: then they would have to be resampled.
    """
    every = np.sort(np.concatenate([one.wavelength for one in spectra]))
    new = np.ones(len(every), bool)
    new[1:] = np.diff(every) > _SAME * every[1:]
    grid = every[new]
    steps = min(float(np.diff(one.wavelength).min()) for one in spectra if len(one.wavelength) > 1)
    if len(grid) > 1 and float(np.diff(grid).min()) < 0.9 * steps:
        raise NoSpectrumError("the spectra have wavelengths between each other's: they share no grid")
    return [_on(grid, one) for one in spectra]


def _on(grid: np.ndarray[tuple[int], np.dtype[np.float64]], one: SpectrumArrays) -> SpectrumArrays:
    places = np.searchsorted(grid, one.wavelength * (1 - _SAME))
    made = SpectrumArrays(grid, np.zeros(len(grid)), np.zeros(len(grid)), np.zeros(len(grid), np.int64))
    for name in ("flux", "ivar", "mask"):
        getattr(made, name)[places] = getattr(one, name)
    return made
