"""What is said of a user's table and its columns, changed by its owner."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

from awe.core.suggestions import did_you_mean
from awe.core.tables import Column
from awe.errors import NotFoundError, ParameterError
from awe.services.catalogs.model import TableRecord

__all__ = ["ColumnChange", "described", "main_id", "renamed"]

_ID_UCD = "meta.id;meta.main"
_LONGEST = 255
_LONGEST_TEXT = 10_000


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """What is to be said of a column from now on; None leaves it as it is, an empty text takes it away.

    Attributes
    ----------
    unit, ucd, utype, description, principal, indexed, std
        As of `awe.core.tables.Column`.
    """

    unit: str | None = None
    ucd: str | None = None
    utype: str | None = None
    description: str | None = None
    principal: bool | None = None
    indexed: bool | None = None
    std: bool | None = None


def described(
    record: TableRecord, title: str | None, description: str | None, changes: Mapping[str, ColumnChange]
) -> TableRecord:
    """Return a table's record with other words; its rows are what they were.

    Raises
    ------
    NotFoundError
        If there is no such column.
    ParameterError
        If a text is too long.
    """
    columns = {column.name: column for column in record.columns}
    for name, change in changes.items():
        found = _column(record, name)
        said = {f.name: getattr(change, f.name) for f in fields(change)}
        given = {key: value for key, value in said.items() if value is not None}
        for key, value in given.items():
            _check_length(f"{name}.{key}", value, _LONGEST_TEXT if key == "description" else _LONGEST)
        columns[found.name] = replace(found, **given)
    _check_length("title", title, _LONGEST)
    _check_length("description", description, _LONGEST_TEXT)
    text = record.description if description is None else description
    said_of = replace(record.columns, columns=tuple(columns.values()), description=text)
    new_title = record.title if title is None else title
    return replace(record, columns=said_of, description=text, title=new_title, id_column=main_id(said_of))


def renamed(record: TableRecord, names: Mapping[str, str]) -> TableRecord:
    """Return a table's record with other names of columns: from those that they have, in any case, to those they get.

    Raises
    ------
    NotFoundError
        If there is no such column.
    """
    new = {_column(record, old).name: wanted for old, wanted in names.items()}
    columns = tuple(replace(column, name=new.get(column.name, column.name)) for column in record.columns)
    ra, dec = (new.get(name, name) if name else None for name in (record.ra, record.dec))
    return replace(record, columns=record.columns.with_columns(columns), ra=ra, dec=dec)


def main_id(columns: Iterable[Column]) -> str | None:
    """Return the column that identifies a row, by its UCD; None if none says so."""
    return next((column.name for column in columns if column.ucd.casefold() == _ID_UCD), None)


def _column(record: TableRecord, name: str) -> Column:
    found = record.columns.find(name)
    if found is None:
        hint = did_you_mean(name, record.columns.names) or f"there are {', '.join(record.columns.names)}"
        raise NotFoundError(f"{record.full_name} has no column {name}", hint=hint)
    return found


def _check_length(name: str, value: object, longest: int) -> None:
    if isinstance(value, str) and len(value) > longest:
        raise ParameterError(name, f"{value[:20]}...", f"more than {longest} characters")
