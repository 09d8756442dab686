"""What is said of a user's table and its columns, changed by its owner."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from awe.core.suggestions import did_you_mean
from awe.errors import NotFoundError, ParameterError
from awe.services.catalogs.model import TableRecord

__all__ = ["ColumnChange", "described"]

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
        found = record.columns.find(name)
        if found is None:
            hint = did_you_mean(name, record.columns.names) or f"there are {', '.join(record.columns.names)}"
            raise NotFoundError(f"{record.full_name} has no column {name}", hint=hint)
        said = {f.name: getattr(change, f.name) for f in fields(change)}
        given = {key: value for key, value in said.items() if value is not None}
        for key, value in given.items():
            _check_length(f"{name}.{key}", value, _LONGEST_TEXT if key == "description" else _LONGEST)
        columns[found.name] = replace(found, **given)
    _check_length("title", title, _LONGEST)
    _check_length("description", description, _LONGEST_TEXT)
    text = record.description if description is None else description
    said_of = replace(record.columns, columns=tuple(columns.values()), description=text)
    return replace(record, columns=said_of, description=text, title=record.title if title is None else title)


def _check_length(name: str, value: object, longest: int) -> None:
    if isinstance(value, str) and len(value) > longest:
        raise ParameterError(name, f"{value[:20]}...", f"more than {longest} characters")
