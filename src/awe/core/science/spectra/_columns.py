"""Which column of a table is the wavelength, which the flux, its error and its flags.

In this order: what the publisher says, utypes of the Spectral Data Model, well-known names, UCDs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from astropy import units
from numpy.typing import NDArray

from awe.core.science.spectra._model import Axis, Medium, NoSpectrumError, Reading
from awe.core.science.spectra._units import flux_ucd, parse_unit, spectral_ucd, written
from awe.core.suggestions import did_you_mean

__all__ = ["Named", "Read", "from_columns", "medium_of"]

_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "spectral": (
            "wavelength", "wave", "lambda", "lam", "wavelengths", "wl", "awav", "loglam", "log_wave",
            "loglambda", "wavenumber", "frequency", "freq", "nu", "energy", "spectral_axis", "spec_axis",
            "dataspectralvalue", "spectral", "restframe wavelength",
        ),
        "flux": (
            "flux", "fluxes", "flux_density", "fluxdensity", "f_lambda", "flam", "f_nu", "fnu", "spec",
            "spectrum", "intensity", "datafluxvalue", "flux per unit wavelength", "flux per unit frequency",
            "counts", "rate", "net",
        ),
        "error": (
            "error", "err", "sigma", "flux_error", "flux_err", "fluxerr", "fluxerror", "e_flux",
            "uncertainty", "staterror", "stat_error", "stdev", "std", "noise", "datafluxstaterr",
        ),
        "variance": ("var", "variance"),
        "ivar": ("ivar", "inverse_variance", "invvar"),
        "quality": (
            "dq", "quality", "mask", "and_mask", "dataqual", "flags", "flag", "datafluxquality", "bitmask",
            "data_quality",
        ),
    }
)  # fmt: skip
"""What observatories call their columns, lower case, the usual first."""

_UTYPES = MappingProxyType(
    {
        "spectral": "data.spectralaxis.value",
        "flux": "data.fluxaxis.value",
        "error": "data.fluxaxis.accuracy.staterror",
        "quality": "data.fluxaxis.quality",
    }
)
_UCDS = MappingProxyType(
    {"spectral": ("em.wl", "em.freq", "em.energy", "em.wavenumber"), "flux": ("phot.flux",)}
)
_LOGARITHMIC = frozenset({"loglam", "log_wave", "loglambda"})


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """A column of numbers, as a file has it."""

    name: str
    values: NDArray[np.generic]
    unit: str = ""
    ucd: str = ""
    utype: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """The columns of a spectrum."""

    spectral: Axis
    flux: Axis
    error: Axis | None
    quality: NDArray[np.int64] | None


def from_columns(columns: Sequence[Named], reading: Reading) -> Read:
    """Return the axes of a spectrum.

    Raises
    ------
    NoSpectrumError
        If there is no spectral axis with a unit, or no flux.
    """
    spectral = _spectral(_chosen(columns, "spectral", reading.spectral_column), columns, reading)
    flux = _flux(_chosen(columns, "flux", reading.flux_column), columns, reading)
    return Read(spectral, flux, _error(columns, flux, reading), _quality(columns))


def medium_of(said: str | None) -> Medium:
    """Return the medium that a text names."""
    word = (said or "").strip().lower()
    if word.startswith("vac"):
        return "vacuum"
    return "air" if word.startswith("air") else ""


def _chosen(columns: Sequence[Named], kind: str, told: str | None) -> Named | None:
    if told is None:
        return _found(columns, kind)
    if told.isdecimal() and 1 <= int(told) <= len(columns):
        return columns[int(told) - 1]
    for column in columns:
        if column.name.casefold() == told.casefold():
            return column
    names = [column.name for column in columns]
    hint = did_you_mean(told, names, most=1) or f"there are {', '.join(names)}"
    raise NoSpectrumError(f"it has no column {told!r} ({hint})")


def _found(columns: Sequence[Named], kind: str) -> Named | None:
    utype = _UTYPES.get(kind)
    for column in columns:
        if utype and column.utype.casefold().endswith(utype):
            return column
    by_name = {column.name.casefold(): column for column in reversed(columns)}
    for name in _NAMES[kind]:
        if name in by_name:
            return by_name[name]
    for column in columns:
        if column.ucd.startswith(_UCDS.get(kind, ())) and kind in _UCDS:
            return column
    return None


def _spectral(column: Named | None, columns: Sequence[Named], reading: Reading) -> Axis:
    if column is None:
        names = ", ".join(one.name for one in columns[:12])
        raise NoSpectrumError(f"none of its columns is a wavelength, frequency or energy ({names})")
    name, values, unit = column.name, column.values, reading.spectral_unit or column.unit
    if column.name.casefold() in _LOGARITHMIC:
        name = "wavelength"
        values, unit = 10.0 ** np.asarray(values, np.float64), reading.spectral_unit or "Angstrom"
    parsed = parse_unit(unit)
    ucd = None if parsed is None else spectral_ucd(parsed)
    if parsed is None or ucd is None:
        said = (
            f"in {unit!r}, which is no unit of wavelength, frequency or energy" if unit else "without a unit"
        )
        raise NoSpectrumError(
            f"its spectral axis {column.name} is {said} (the describe file can say it: [spectrum] spectral_unit)"
        )
    return Axis(name, values, written(parsed), ucd)


def _flux(column: Named | None, columns: Sequence[Named], reading: Reading) -> Axis:
    if column is None:
        names = ", ".join(one.name for one in columns[:12])
        raise NoSpectrumError(
            f"none of its columns is a flux ({names}) (the describe file can say it: [spectrum] flux_column)"
        )
    unit = reading.flux_unit or column.unit
    parsed = parse_unit(unit)
    # a unit that cannot be read is handed on as it is: it is the file's word
    return Axis(
        column.name,
        column.values,
        unit if parsed is None else written(parsed),
        "" if parsed is None else flux_ucd(parsed),
    )


def _error(columns: Sequence[Named], flux: Axis, reading: Reading) -> Axis | None:
    ucd = f"stat.error;{flux.ucd}" if flux.ucd else "stat.error"
    direct = _chosen(columns, "error", reading.error_column)
    if direct is not None:
        return Axis(direct.name, direct.values, flux.unit, ucd) if _same_unit(direct, flux) else None
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse, variance = _found(columns, "ivar"), _found(columns, "variance")
        if inverse is not None:
            known = np.asarray(inverse.values, np.float64)
            return Axis("error", np.where(known > 0, 1 / np.sqrt(known), np.nan), flux.unit, ucd)
        if variance is not None:
            return Axis("error", np.sqrt(np.asarray(variance.values, np.float64)), flux.unit, ucd)
    return None


def _same_unit(column: Named, flux: Axis) -> bool:
    """Return whether an error is in the flux's unit, or in none of its own."""
    own, other = parse_unit(column.unit), parse_unit(flux.unit)
    return own is None or other is None or own in (units.dimensionless_unscaled, other)


def _quality(columns: Sequence[Named]) -> NDArray[np.int64] | None:
    column = _found(columns, "quality")
    if column is None or column.values.dtype.kind not in "iub":
        return None
    return np.asarray(column.values).astype(np.int64)
