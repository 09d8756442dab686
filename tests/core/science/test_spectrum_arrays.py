"""Bare arrays of a spectrum: the same samples in vacuum Ångström, ascending, with weights."""

import numpy as np
import pytest
from astropy import units

from awe.core.science.spectra import (
    Axis,
    NoSpectrumError,
    Spectrum,
    SpectrumArrays,
    aligned,
    astropy_unit,
    in_flux_density,
    spectrum_arrays,
)


def test_frequencies_become_ascending_wavelengths_with_their_samples() -> None:
    hertz = np.array([5e14, 6e14, 7e14])
    made = spectrum_arrays(
        Spectrum(
            Axis("nu", hertz, "Hz", "em.freq"),
            Axis("flux", np.array([1.0, 2.0, 3.0]), "Jy"),
            Axis("error", np.array([0.5, np.nan, 0.0]), "Jy"),
            np.array([0, 4, 8]),
        )
    )
    expected = (hertz * units.Hz).to_value(units.AA, units.spectral())[::-1]
    assert np.allclose(made.wavelength, expected, rtol=1e-14)
    assert made.flux.tolist() == [3.0, 2.0, 1.0]
    assert made.ivar.tolist() == [0.0, 0.0, 4.0]
    assert made.mask.tolist() == [8, 4, 0]


def test_air_becomes_vacuum_and_angstrom_stays_as_it_is() -> None:
    waves = np.array([4000.1, 5000.2, 6562.8])
    flux = Axis("flux", np.ones(3))
    vacuum = spectrum_arrays(Spectrum(Axis("w", waves, "Angstrom", "em.wl"), flux, medium="vacuum"))
    air = spectrum_arrays(Spectrum(Axis("w", waves, "Angstrom", "em.wl"), flux, medium="air"))
    assert vacuum.wavelength.tolist() == waves.tolist()
    # Edlén's refractivity of air at these wavelengths, Ciddor 1996 table 1, is 2.8e-4 to 2.77e-4
    assert np.allclose(air.wavelength / waves, 1.000279, rtol=5e-6)
    assert not vacuum.ivar.any()
    assert not vacuum.mask.any()


def test_units_are_spelt_so_that_astropy_reads_them() -> None:
    text = astropy_unit("10**-17erg.Angstrom**-1.s**-1.cm**-2")
    assert units.Unit(text) == units.Unit("1e-17 erg cm-2 s-1 AA-1")
    assert (astropy_unit(""), astropy_unit("spoonful")) == (None, None)


def made(*wavelengths: float, flux: float = 1.0) -> SpectrumArrays:
    length = len(wavelengths)
    return SpectrumArrays(
        np.array(wavelengths), np.full(length, flux), np.ones(length), np.zeros(length, np.int64)
    )


def test_fluxes_become_densities_and_counts_stay() -> None:
    jansky = in_flux_density(made(5000.0, 10000.0), "Jy")
    expected = (1 * units.Jy).to_value(
        1e-17 * units.Unit("erg s-1 cm-2 AA-1"), units.spectral_density([5000, 10000] * units.AA)
    )
    assert np.allclose(jansky.flux, expected, rtol=1e-12)
    assert np.allclose(jansky.ivar, expected**-2.0, rtol=1e-12)
    assert in_flux_density(made(5000.0, flux=7.0), "count").flux.tolist() == [7.0]
    assert in_flux_density(made(5000.0, flux=7.0), "spoonful").flux.tolist() == [7.0]


def test_spectra_of_one_grid_are_put_side_by_side() -> None:
    first, second = made(3.0, 4.0, 5.0), made(5.0, 6.0 * (1 + 1e-9), 7.0, flux=2.0)
    one, other = aligned([first, second])
    assert np.allclose(one.wavelength, [3, 4, 5, 6, 7])
    assert one.flux.tolist() == [1, 1, 1, 0, 0]
    assert other.flux.tolist() == [0, 0, 2, 2, 2]
    assert other.ivar.tolist() == [0, 0, 1, 1, 1]
    with pytest.raises(NoSpectrumError, match="share no grid"):
        aligned([first, made(3.5, 4.5, 5.5)])
