"""What TAP+ says about the columns of a table: many fields with numbers in their names, read as values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from awe.core.vo.params import Param, integer
from awe.errors import ParameterError

__all__ = ["MAIN_ID", "ROLES", "ColumnEdit", "TableEdit", "said", "table_edits"]

ROLES = MappingProxyType({"Ra": 1, "Dec": 2, "Flux": 4, "Mag": 8, "PK": 16})
"""What a column can be for, and its number in ``esatapplus:flags``."""

MAIN_ID = "meta.id;meta.main"
"""The UCD of what identifies a row."""

_MOST = 10_000


def said(given: str) -> str:
    """Return what is said; nothing for ``None``, which the client writes where there is nothing."""
    return "" if given in {"None", "null"} else given


@dataclass(frozen=True, slots=True)
class ColumnEdit:
    """What is to be said of a column.

    Attributes
    ----------
    role
        One of `ROLES`; empty for none.
    """

    name: str
    ucd: str
    utype: str
    indexed: bool
    role: str


@dataclass(frozen=True, slots=True)
class TableEdit:
    """What is to be said of the columns of a table."""

    table: str
    columns: tuple[ColumnEdit, ...]

    def column_for(self, role: str) -> str | None:
        """Return the name of the column that has a role; None if none has."""
        return next((column.name for column in self.columns if column.role == role), None)


_FAMILIES = {"PK": MAIN_ID, "Flux": "phot.flux", "Mag": "phot.mag"}
"""The UCD that a role means: what a column is for is kept as its UCD, which everybody understands."""


def table_edits(pairs: Iterable[tuple[str, str]]) -> tuple[TableEdit, ...]:
    """Return what ``ACTION=edit`` says: ``TABLE0``, ``TABLE0_COL3``, ``TABLE0_COL3_UCD`` and so on.

    Raises
    ------
    ParameterError
        If something is missing or cannot be read.
    """
    given = {name.upper(): value for name, value in pairs}
    tables = _number(given, "NUMTABLES", 1)
    return tuple(_table_edit(given, f"TABLE{number}") for number in range(tables))


def _table_edit(given: Mapping[str, str], prefix: str) -> TableEdit:
    columns = _number(given, f"{prefix}_NUMCOLS", 0)
    edits = tuple(_column_edit(given, f"{prefix}_COL{number}") for number in range(columns))
    return TableEdit(_needed(given, prefix), edits)


def _column_edit(given: Mapping[str, str], prefix: str) -> ColumnEdit:
    role = said(given.get(f"{prefix}_FLAGS", ""))
    if role not in {"", *ROLES}:
        raise ParameterError(f"{prefix}_FLAGS", role, "is no role", hint=f"one of {', '.join(ROLES)}")
    ucd, family = said(given.get(f"{prefix}_UCD", "")), _FAMILIES.get(role, "")
    if not ucd.lower().startswith(family):
        ucd = family
    indexed = given.get(f"{prefix}_INDEXED", "").lower() == "true"
    utype = said(given.get(f"{prefix}_UTYPE", ""))
    return ColumnEdit(_plain(_needed(given, prefix)), ucd, utype, indexed, role)


def _plain(name: str) -> str:
    """Return a column's name as it is, of one that is written as a query has to write it."""
    delimited = len(name) > 1 and name.startswith('"') and name.endswith('"')
    return name[1:-1].replace('""', '"') if delimited else name


def _number(given: Mapping[str, str], name: str, low: int) -> int:
    return Param(name, integer(low, _MOST), "").read(_needed(given, name))


def _needed(given: Mapping[str, str], name: str) -> str:
    if not given.get(name):
        raise ParameterError(name, "", "is needed")
    return given[name]
