"""What the compiler knows of the world: the tables and functions a caller may read.

These values come from outside (`services.catalogs` makes them from its records); the compiler itself
opens nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

import pyarrow as pa

from awe.core.tables import Schema

__all__ = ["ColumnNote", "Names", "Parameter", "ScalarFunction", "TableDef", "TableFunction", "Variable"]


@dataclass(frozen=True, slots=True)
class TableDef:
    """A table that a query may read.

    Attributes
    ----------
    schema, name
        As published; matched ignoring case unless delimited in ADQL.
    columns
        The visible columns.
    ra, dec
        The position columns (ICRS, degrees), or None for a table without positions.
    healpix
        The column that holds the HEALPix index of order 29 (nested), by which the files are sorted.
    rows
        How many there are, None where nobody says: of a sky join the smaller side is spread over cells.
    sql
        Of a view: the query, in ADQL, that it stands for, with as many columns as it has; empty for a table that
        is stored.
    reach
        The column that says how far from the position (degrees) the geometries of a row reach at most;
        NULL where nobody knows. None: no column does.
    placed
        Whether it is known that every row has a position.
    """

    schema: str
    name: str
    columns: Schema
    ra: str | None = None
    dec: str | None = None
    healpix: str | None = None
    rows: int | None = None
    sql: str = ""
    reach: str | None = None
    placed: bool = False

    @property
    def full_name(self) -> str:
        """``schema.name``."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument of a described function; `unit` as in VOUnits; `description` for people.

    Its `kind` is ``number`` (double precision, whatever is given), ``integer`` (64 bits)
    or ``text``.
    """

    name: str
    unit: str = ""
    description: str = ""
    default: float | None = None
    kind: str = "number"


@dataclass(frozen=True, slots=True)
class ColumnNote:
    """What is said of a computed column: its unit (VOUnits), its UCD, and what it is."""

    name: str
    unit: str = ""
    ucd: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class TableFunction:
    """A parametrised view: what ``SearchSumCatalog(ra_deg, dec_deg, radius_arcsec, magtype)`` means.

    Attributes
    ----------
    schema, name
        Found by its name alone in its schema's context, as ``dbo.name``, and as ``schema.name``.
    parameters
        In order; a call gives constants, or columns where the function stands behind CROSS APPLY.
    sql
        ADQL with ``:name`` where an argument goes, e.g. ``SELECT * FROM hsc.SumCat WHERE
        1 = CONTAINS(POINT(MatchRA, MatchDec), CIRCLE(:ra_deg, :dec_deg, :radius_arcsec / 3600.0))``.
    description
        For people; states units and, where the original is not documented, what was chosen.
    columns
        What is said of columns of the result, by their names: the rest keep what their tables say.
    """

    schema: str
    name: str
    parameters: tuple[Parameter, ...]
    sql: str
    description: str = ""
    columns: tuple[ColumnNote, ...] = ()


@dataclass(frozen=True, slots=True)
class ScalarFunction:
    """A value with parameters: what ``fPhotoFlags('SATURATED')`` means, wherever a value may stand.

    Attributes
    ----------
    schema, name
        Found by its name alone, its own context's first, also as ``dbo.name``. No function of the closed table
        has that name.
    parameters
        In order; a call gives any values.
    sql
        In ADQL, with ``:name`` where an argument goes: an expression, or a query that selects one column and gives
        one row at the most: ``SELECT value FROM sdss.PhotoFlags WHERE name = UPPER(:name)``.
    description
        For people.
    unit
        Of the value; that of the expression when empty.
    """

    schema: str
    name: str
    parameters: tuple[Parameter, ...]
    sql: str
    description: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Variable:
    """What ``@x`` of a batch stands for: a value of the type that it was declared with; None is NULL."""

    type: pa.DataType
    value: bool | int | float | str | date | datetime | None = None


class Names(Protocol):
    """Look-up of what the caller may read. Everything else does not exist for the compiler."""

    def table(self, schema: str | None, name: str) -> TableDef | None:
        """Return the table of that name (ignoring case); `schema` None: the context, then a unique name."""

    def table_function(self, schema: str | None, name: str) -> TableFunction | None:
        """Return the parametrised view of that name (ignoring case); ``dbo`` counts as no schema."""

    def scalar_function(self, schema: str | None, name: str) -> ScalarFunction | None:
        """Return the described value of that name (ignoring case); `schema` None: the context's, then a unique one."""

    def spellings(self) -> Iterable[str]:
        """Return every name the caller may use, for "did you mean": tables by their full names, functions."""
