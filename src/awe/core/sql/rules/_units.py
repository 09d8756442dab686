"""Conversion of units, decided while a query is compiled: a factor, or what spectral quantities need.

Units are texts of the IVOA's *VOUnits* 1.1; astropy.units knows what they mean. Columns bring the unit that
they were published with; sums of equal units keep it, products and calls have none.
"""

import warnings
from functools import lru_cache
from threading import Lock

from astropy import units
from sqlglot import exp

from awe.core.sql._place import Text
from awe.core.sql.rules._build import binary, number
from awe.core.sql.rules._state import value
from awe.core.suggestions import did_you_mean
from awe.errors import QueryError

__all__ = ["factor", "spectral"]

_COMMON = (
    *("m", "km", "cm", "mm", "um", "nm", "AU", "pc", "kpc", "Mpc", "deg", "arcmin", "arcsec", "mas", "rad"),
    *("s", "min", "h", "d", "yr", "Hz", "kHz", "MHz", "GHz", "eV", "keV", "MeV", "J", "Jy", "mJy", "uJy"),
    *("K", "mag", "km/s", "m/s", "mas/yr", "arcsec/yr", "deg/yr", "W/m**2", "Angstrom", "kg", "g", "solMass"),
)
"""What a misspelt unit is compared with."""

_NOTATIONS = ("cds", "vounit", "fits")
"""Published units come in all of these; what two of them know means the same."""

_LOCK = Lock()
"""Filters of warnings belong to the process."""


def factor(quantity: exp.Expr, unit: exp.Expr, text: Text) -> exp.Expr:
    """Return a value in the unit that a constant text names (ADQL 2.1 section 4.9.1, IN_UNIT).

    Raises
    ------
    QueryError
        If the unit is unknown, the value has none, or there is no factor between both.
    """
    wanted = _parsed(unit, unit.name, text)
    known = value(quantity).unit
    if not known:
        raise text.syntax(
            quantity, "the unit of this is not known", "columns have units, and sums of equal units"
        )
    given = _parsed(quantity, known, text)
    try:
        scale = float(given.to(wanted))
    except units.UnitConversionError:
        logarithmic = any(_is_logarithmic(u) for u in (given, wanted))
        hint = "logarithms and magnitudes have no factor: write POWER(10, -0.4 * x)" if logarithmic else None
        raise text.syntax(unit, f"{known} cannot be converted to {unit.name}", hint) from None
    return _scaled(quantity, scale)


def spectral(quantity: exp.Expr, given: str, wanted: exp.Expr, text: Text) -> exp.Expr:
    """Return a wavelength, frequency, energy or wave number as another one.

    Raises
    ------
    QueryError
        If a unit is unknown, or is none of these.
    """
    one, other = _parsed(wanted, given, text), _parsed(wanted, wanted.name, text)
    try:
        once, twice = (float((count * one).to_value(other, units.spectral())) for count in (1, 2))
    except units.UnitConversionError:
        raise text.syntax(wanted, f"{given} cannot be converted to {wanted.name}") from None
    if abs(twice / once - 2) < 0.5:
        return _scaled(quantity, once)
    return binary(exp.Div, number(once), quantity)


def _scaled(quantity: exp.Expr, scale: float) -> exp.Expr:
    return binary(exp.Mul, quantity, number(scale))


def _parsed(node: exp.Expr, name: str, text: Text) -> units.UnitBase:
    found = _unit(name.strip())
    if found is None:
        hint = did_you_mean(name, _COMMON) or "units are those of the IVOA's VOUnits, such as 'km/s'"
        raise text.error(QueryError, node, f"{name!r} is not a unit", hint)
    return found


@lru_cache(maxsize=1024)
def _unit(name: str) -> units.UnitBase | None:
    """Return the unit of a text, or None; the cache keeps a hostile stream of texts bounded."""
    if not name or len(name) > 100:
        return None
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of deprecated units, which archives have
        for notation in _NOTATIONS:
            try:
                return units.Unit(name, format=notation)
            except (ValueError, TypeError):
                continue
    return None


def _is_logarithmic(unit: units.UnitBase) -> bool:
    return any(str(base) in {"mag", "dex", "dB", "Bel"} for base in getattr(unit, "bases", ()))
