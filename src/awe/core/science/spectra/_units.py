"""Units as observatories spell them, wavelengths in vacuum.

`parse_unit` reads a unit, `written` writes it as VOUnits 1.1 does: the unit stays what it is, only its spelling
changes. `to_vacuum` brings spectral coordinates to metres in vacuum, as ObsCore 1.1 section 4.20 wants them.
"""

import re
import warnings
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from astropy import units
from astropy.utils.exceptions import AstropyWarning
from numpy.typing import NDArray

from awe.core.science.celestial import quiet
from awe.core.science.spectra._model import Floats, Medium, NoSpectrumError

__all__ = ["astropy_unit", "flux_ucd", "is_unit", "parse_unit", "spectral_ucd", "to_vacuum", "written"]

_SPELLINGS: Mapping[str, str] = MappingProxyType(
    {
        "a": "Angstrom", "aa": "Angstrom", "ang": "Angstrom", "angs": "Angstrom", "angstrom": "Angstrom",
        "angstroms": "Angstrom", "ångström": "Angstrom", "å": "Angstrom",
        "micron": "um", "microns": "um", "micrometer": "um", "micrometers": "um", "µm": "um",
        "nanometer": "nm", "nanometers": "nm", "meter": "m", "meters": "m",
        "ergs": "erg", "sec": "s", "secs": "s", "second": "s", "seconds": "s", "hertz": "Hz",
        "counts": "count", "cts": "count", "electrons": "electron", "jansky": "Jy", "janskys": "Jy",
        "flam": "erg s-1 cm-2 Angstrom-1", "fnu": "erg s-1 cm-2 Hz-1",
        "ev": "eV", "kev": "keV", "mev": "MeV", "mhz": "MHz", "ghz": "GHz", "hz": "Hz",
    }
)  # fmt: skip
_NOTHING = frozenset({"", "none", "unitless", "dimensionless", "1", "adu/adu"})
_FACTOR = re.compile(r"^\s*(?:1(?:\.0*)?[eE]|10\*\*|10\^)\(?([+-]?\d+)\)?\s*\*?\s*(?=\D)")
_WORD = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=256)
def parse_unit(text: str) -> units.UnitBase | None:
    """Return a unit; None where it cannot be read. ``A`` is taken for Angstrom: nobody measures spectra in Ampere."""
    if text.strip().lower() in _NOTHING:
        return units.dimensionless_unscaled
    factor = _FACTOR.match(text)
    scale = 10.0 ** int(factor[1]) if factor else 1.0
    plain = text[factor.end() :] if factor else text
    plain = _WORD.sub(lambda word: _SPELLINGS.get(word[0].lower(), word[0]), plain).strip().strip("[]")
    for form in ("fits", "generic", "vounit"):
        try:
            with quiet():
                found = units.Unit(plain, format=form)
        except (ValueError, TypeError):
            continue
        return units.Unit(scale * found) if scale != 1.0 else found
    return None


def is_unit(text: str) -> bool:
    """Return whether a text can be read as a unit."""
    return parse_unit(text) is not None


def astropy_unit(text: str) -> str | None:
    """Return a unit as every `astropy.units.Unit` reads it; None where it is none, or cannot be read."""
    unit = parse_unit(text)
    return None if unit is None or unit == units.dimensionless_unscaled else str(unit.to_string("generic"))


def written(unit: units.UnitBase) -> str:
    """Return a unit as VOUnits 1.1 writes it; empty for none."""
    if unit == units.dimensionless_unscaled:
        return ""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", AstropyWarning
        )  # Angstrom and erg are deprecated, and what astronomers use
        text = str(unit.to_string("vounit"))
    # 1e-17erg is good VOUnits; 10**-17erg is that, and good FITS too (Standard 4.0 section 4.3.2)
    return re.sub(r"^1e([+-]\d+)", lambda power: f"10**{int(power[1])}", text)


def spectral_ucd(unit: units.UnitBase) -> str | None:
    """Return the UCD of a spectral axis in this unit; None where it measures no spectral quantity."""
    for physical, ucd in (
        ("length", "em.wl"),
        ("frequency", "em.freq"),
        ("energy", "em.energy"),
        ("wavenumber", "em.wavenumber"),
    ):
        if unit.physical_type == physical:
            return ucd
    return None


_DENSITIES = (
    (units.erg / units.s / units.cm**2 / units.Angstrom, "phot.flux.density;em.wl"),
    (units.Jy, "phot.flux.density;em.freq"),
    (units.erg / units.s / units.cm**2, "phot.flux"),
    (units.photon / units.s / units.cm**2 / units.Angstrom, "phot.flux.density;em.wl"),
    (units.Jy / units.sr, "phot.flux.density.sb;em.freq"),
    (units.erg / units.s / units.cm**2 / units.Angstrom / units.arcsec**2, "phot.flux.density.sb;em.wl"),
)
_COUNTS = (units.count, units.electron, units.adu, units.photon)


def flux_ucd(unit: units.UnitBase) -> str:
    """Return the UCD of what is measured in a unit; empty where the unit does not tell."""
    for one, ucd in _DENSITIES:
        if unit.is_equivalent(one):
            return ucd
    if any(unit.is_equivalent(one) or unit.is_equivalent(one / units.s) for one in _COUNTS):
        return "phot.count"
    return "phot.mag" if unit == units.mag else ""


def to_vacuum(values: NDArray[np.generic], unit: str, medium: Medium = "") -> Floats:
    """Return spectral coordinates as wavelengths in vacuum, metres.

    Parameters
    ----------
    values
        Wavelengths, frequencies, energies or wavenumbers.
    unit
        Of the values.
    medium
        ``air`` for wavelengths in air; anything else is taken for vacuum.

    Raises
    ------
    NoSpectrumError
        If the unit is not that of a spectral quantity.
    """
    parsed = parse_unit(unit)
    if parsed is None or spectral_ucd(parsed) is None:
        raise NoSpectrumError(
            f"its spectral axis is in {unit!r}, which is no unit of wavelength, frequency or energy"
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        metres = np.asarray(
            (np.asarray(values, np.float64) * parsed).to_value(units.m, units.spectral()), np.float64
        )
    return _from_air(metres) if medium == "air" and parsed.is_equivalent(units.m) else metres


def _from_air(air_m: Floats) -> Floats:
    """Return wavelengths in vacuum of those in air (Morton 2000, ApJS 130, 403, eq. 8, inverted).

    Below 200 nm wavelengths are given in vacuum by convention.
    """
    vacuum = air_m.copy()
    for _ in range(5):  # converges by a factor of 3000 a step
        vacuum = air_m * _index(vacuum)
    return np.where(air_m >= 2e-7, vacuum, air_m)


def _index(vacuum_m: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        s2 = (1e-6 / vacuum_m) ** 2
        return 1 + 8.34254e-5 + 2.406147e-2 / (130 - s2) + 1.5998e-4 / (38.9 - s2)
