"""What a spectrum is, and what a publisher may say about how to read one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

__all__ = ["Axis", "Floats", "Medium", "NoSpectrumError", "Reading", "Spectrum"]

Floats = NDArray[np.float64]
Medium = Literal["vacuum", "air", ""]
"""What wavelengths were measured in; empty where the file does not say and for frequencies and energies."""


class NoSpectrumError(ValueError):
    """No spectrum that can be used; the message says why.

    Parameters
    ----------
    reason
        Why.
    certain
        Whether the file is one of spectra: then the reason is what its publisher wants to know.
    """

    def __init__(self, reason: str, *, certain: bool = True) -> None:
        super().__init__(reason)
        self.certain = certain


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """The values of one quantity.

    Attributes
    ----------
    name
        As the file calls it.
    values
        One a sample, in the file's type and order.
    unit
        As VOUnits 1.1 writes the file's unit; empty for none.
    ucd
        UCD1+.
    """

    name: str
    values: NDArray[np.generic]
    unit: str = ""
    ucd: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a publisher says of files that do not say it themselves; None is left to the file.

    Attributes
    ----------
    spectral_column, flux_column, error_column
        Names of the columns, or their numbers counted from one.
    spectral_unit, flux_unit
        Units, which win over the file's.
    medium
        ``vacuum`` or ``air``.
    """

    spectral_column: str | None = None
    flux_column: str | None = None
    error_column: str | None = None
    spectral_unit: str | None = None
    flux_unit: str | None = None
    medium: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """One spectrum of a file.

    Attributes
    ----------
    spectral, flux
        Wavelengths (or frequencies, energies) and what was measured there.
    error
        Standard deviation of the flux, in its unit; NaN where it is not known.
    quality
        The file's own flags; 0 is good (Spectral Data Model 1.1 section 5.4.3).
    segment
        The name of each sample's segment, where there are several.
    key
        What tells it from the other spectra of its file; empty where it is the only one.
    hdus
        The numbers of the HDUs it was read from; none for other files.
    medium
        Of the wavelengths.
    facts
        Columns of the observation index that only this layout knows.
    headers
        Where the other columns are looked for, the nearest first.
    """

    spectral: Axis
    flux: Axis
    error: Axis | None = None
    quality: NDArray[np.int64] | None = None
    segment: NDArray[np.str_] | None = None
    key: str = ""
    hdus: tuple[int, ...] = ()
    medium: Medium = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    headers: tuple[fits.Header, ...] = ()
