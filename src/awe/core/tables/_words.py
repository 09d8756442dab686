"""Whether units and UCDs are words that other programs know (VOUnits 1.1, UCD list 1.6), and what was perhaps meant.

astropy knows both lists; it is loaded when the first word is asked about, since the start of a service needs none.
"""

import warnings
from functools import cache
from importlib import import_module
from typing import NamedTuple

__all__ = ["Fault", "ucd_fault", "unit_fault"]

_ALLOWED = frozenset({"", "%"})
"""VOUnits 1.1 section 2.7 has the percent sign, which astropy has not."""


class Fault(NamedTuple):
    """What is wrong with a word, and what to write instead (empty when nobody can tell)."""

    reason: str
    meant: str = ""


@cache
def unit_fault(unit: str) -> Fault | None:
    """Return what keeps a unit from being a VOUnit; None when it is one."""
    if unit in _ALLOWED:
        return None
    if " " in unit.strip() and "**" not in unit:
        return Fault("a VOUnit has no blanks", _meant(unit) or ".".join(unit.split()))
    try:
        _read(unit, "vounit")
    except ValueError:
        return Fault("not a unit of the VOUnits standard", _meant(unit))
    return None


@cache
def ucd_fault(ucd: str) -> Fault | None:
    """Return what keeps a UCD from being one of the list UCD1+; None when it is one."""
    if not ucd:
        return None
    try:
        import_module("astropy.io.votable.ucd").parse_ucd(
            ucd, check_controlled_vocabulary=True, has_colon=True
        )
    except ValueError as error:
        return Fault(str(error)[:1].lower() + str(error)[1:])
    return None


def _meant(unit: str) -> str:
    """Return a unit as VOUnits writes it, where astropy understands it in the spelling of another standard."""
    for form in ("generic", "cds", "fits", "ogip"):
        try:
            return _read(unit, form)
        except (ValueError, TypeError, KeyError):
            continue
    return ""


def _read(unit: str, form: str) -> str:
    """Read a unit and return it as VOUnits writes it; ValueError where one or the other is not possible."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of units that are going out of use
        read = import_module("astropy.units").Unit(unit, format=form, parse_strict="raise")
        return str(read.to_string("vounit"))
