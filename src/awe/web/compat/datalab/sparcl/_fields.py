"""The fields of SPARCL: which column of the observation index each is, in which unit, and what can be asked of it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from awe.errors import ParameterError

__all__ = ["ARRAYS", "FIELDS", "Field"]

_MJD_ZERO = datetime(1858, 11, 17, tzinfo=UTC)
_ANGSTROM_M = 1e-10
_LONGEST_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Field:
    """What a data set tells of its spectra.

    Attributes
    ----------
    name
        As SPARCL calls it.
    column
        Of the observation index, or an expression of its columns.
    kind
        ``text`` and ``number`` are asked for by their values, ``range`` and ``time`` by two that they lie between.
    unit
        As astropy reads it.
    factor
        From the index to the unit.
    default
        Whether `retrieve` gives it where nothing is asked for.
    """

    name: str
    column: str
    kind: Literal["text", "number", "range", "time"] = "text"
    unit: str | None = None
    factor: float = 1.0
    default: bool = False

    def value(self, found: object) -> object:
        """Return what the client is given for a value of the index."""
        if found is None:
            return None
        return _GIVEN[self.kind](self, found)

    def condition(self, values: list[object]) -> str:
        """Return ADQL for what is asked of the field.

        Raises
        ------
        ParameterError
            If the values are not what can be asked.
        """
        if not values:
            raise ParameterError(self.name, "", "no values are given")
        if self.kind in {"text", "number"}:
            return f"{self.column} IN ({', '.join(_quoted(self, value) for value in values)})"
        if len(values) != 2:
            raise ParameterError(self.name, values, "is asked for by two values, which it lies between")
        low, high = (_NUMBER[self.kind](self, value) for value in values)
        if low > high:
            raise ParameterError(self.name, values, "the smaller value comes first")
        return f"{self.column} BETWEEN {low!r} AND {high!r}"


def _scaled(field: Field, value: object) -> object:
    number = float(str(value)) / field.factor
    return number if math.isfinite(number) else None


def _moment(field: Field, value: object) -> object:  # noqa: ARG001  # one of `_GIVEN`
    return (
        (_MJD_ZERO + timedelta(days=float(str(value)))).isoformat(timespec="seconds").replace("+00:00", "Z")
    )


_GIVEN: Mapping[str, Callable[[Field, object], object]] = {
    "text": lambda _, value: str(value),
    "number": lambda _, value: int(str(value)) if str(value).lstrip("-").isdecimal() else str(value),
    "range": _scaled,
    "time": _moment,
}


def _quoted(field: Field, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int) or len(str(value)) > _LONGEST_TEXT:
        raise ParameterError(field.name, str(value)[:100], "is no text, and no whole number")
    return "'" + str(value).replace("'", "''") + "'"


def _limit(field: Field, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ParameterError(field.name, value, "is no number")
    return float(value) * field.factor


def _mjd(field: Field, value: object) -> float:
    try:
        when = datetime.fromisoformat(str(value))
    except ValueError:
        raise ParameterError(field.name, value, "is no moment", hint="'2013-03-14T10:16:17Z' (UTC)") from None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return (when - _MJD_ZERO) / timedelta(days=1)


_NUMBER: Mapping[str, Callable[[Field, object], float]] = {"range": _limit, "time": _mjd}

FIELDS: Mapping[str, Field] = {
    field.name: field
    for field in (
        Field("sparcl_id", "obs_publisher_did", default=True),
        Field("specid", "specid", "number", default=True),
        Field("data_release", "obs_collection"),
        Field("ra", "s_ra", "range", "deg", default=True),
        Field("dec", "s_dec", "range", "deg", default=True),
        Field("redshift", "redshift", "range"),
        Field("spectype", "target_class"),
        Field("target", "target_name"),
        Field("instrument", "instrument_name"),
        Field("telescope", "facility_name"),
        Field("exptime", "t_exptime", "range", "s"),
        Field("dateobs", "t_min", "time"),
        Field("dateobs_center", "(t_min + t_max) / 2", "time"),
        Field("wavemin", "em_min", "range", "Angstrom", _ANGSTROM_M),
        Field("wavemax", "em_max", "range", "Angstrom", _ANGSTROM_M),
        Field("snr", "snr", "range"),
        Field("file", "filename"),
        Field("updated", "modified"),
    )
}
"""What can be found by, and is the same in all data sets (SPARCL's *core* fields)."""

ARRAYS: Mapping[str, bool] = {"flux": True, "wavelength": True, "ivar": False, "mask": False}
"""The arrays of `awe.core.science.spectra.SpectrumArrays`, and whether `retrieve` gives them unasked."""
