"""Columns with the metadata astronomers expect, to and from Arrow schemas."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace

import pyarrow as pa

from awe.errors import UnknownNameError

__all__ = ["Column", "Schema"]

_KEY = b"awe"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name
        As the publisher (or the query) spells it.
    type
        Arrow type. Fixed-size or variable lists are arrays; `pa.timestamp` columns are UTC.
    unit
        VOUnits 1.1 string, or empty for a dimensionless or textual column.
    ucd
        UCD1+ (UCD list 1.6), or empty.
    utype, xtype
        As in VOTable 1.5 section 4.1; xtypes are those of DALI 1.1 section 3.3.
    description
        For people.
    principal, indexed, std
        TAP_SCHEMA flags (TAP 1.1 section 4.3).
    null
        The magic null of an integer column as the source had it; None where nulls are real nulls.
    datatype, arraysize
        VOTable's words of the source where the type does not tell them: ``bit``, ``unicodeChar``, ``doubleComplex``;
        ``2x3``, ``8*``. Formats and services write them again; those that do not fit the type are passed over.
    """

    name: str
    type: pa.DataType
    unit: str = ""
    ucd: str = ""
    utype: str = ""
    xtype: str = ""
    description: str = ""
    principal: bool = False
    indexed: bool = False
    std: bool = False
    null: int | None = None
    datatype: str = ""
    arraysize: str = ""

    def to_field(self) -> pa.Field:
        """Return the Arrow field, its metadata carrying everything but name and type."""
        said = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in {"name", "type"}}
        # a magic null of 0 is said; only the empty defaults are not
        extra = {k: v for k, v in said.items() if v != "" and v is not False and v is not None}
        metadata = {_KEY: json.dumps(extra, sort_keys=True).encode()} if extra else None
        return pa.field(self.name, self.type, metadata=metadata)

    @classmethod
    def from_field(cls, arrow: pa.Field) -> "Column":
        """Read back what `to_field` wrote; a foreign field gives a bare column."""
        raw = (arrow.metadata or {}).get(_KEY)
        extra = json.loads(raw) if raw else {}
        known = {f.name for f in fields(cls)}
        return cls(arrow.name, arrow.type, **{k: v for k, v in extra.items() if k in known})


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table, in order, and what is said of the table as a whole.

    Attributes
    ----------
    columns
        Names are unique when case is ignored, unless the table is a query's result.
    name, description
        Of the table.
    metadata
        Further statements that travel with it (INFO elements, FITS keywords): name to value.
    """

    columns: tuple[Column, ...]
    name: str = ""
    description: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    _arrow: pa.Schema | None = field(default=None, init=False, repr=False, compare=False)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.find(name) is not None

    def __getitem__(self, name: str) -> Column:
        """Return the column of that name: exact case first, then ignoring case.

        Raises
        ------
        UnknownNameError
            If there is none.
        """
        found = self.find(name)
        if found is None:
            raise UnknownNameError(f"no column {name!r} in {self.name or 'the table'}")
        return found

    def find(self, name: str) -> Column | None:
        """Return the column of that name (exact case first, then ignoring case), or None."""
        folded = name.casefold()
        near = None
        for column in self.columns:
            if column.name == name:
                return column
            if near is None and column.name.casefold() == folded:
                near = column
        return near

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in order."""
        return tuple(column.name for column in self.columns)

    def with_columns(self, columns: tuple[Column, ...]) -> "Schema":
        """Return the same table with other columns."""
        return replace(self, columns=columns)

    def distinct(self) -> "Schema":
        """Return the same table without two columns of one name: the second ``ra`` is ``ra_2``."""
        taken = set(self.names)
        if len(taken) == len(self.columns):
            return self
        columns: list[Column] = []
        given: set[str] = set()
        for column in self.columns:
            name, number = column.name, 1
            while name in given or (number > 1 and name in taken):
                number += 1
                name = f"{column.name}_{number}"
            given.add(name)
            columns.append(replace(column, name=name))
        return self.with_columns(tuple(columns))

    def to_arrow(self) -> pa.Schema:
        """Return the Arrow schema; `from_arrow` reads all of it back."""
        if self._arrow is None:
            about = {"name": self.name, "description": self.description, "metadata": dict(self.metadata)}
            said = {_KEY: json.dumps(about).encode()}
            made = pa.schema([c.to_field() for c in self.columns], metadata=said)
            object.__setattr__(self, "_arrow", made)  # it never changes, and every answer needs it
        return self._arrow

    @classmethod
    def from_arrow(cls, arrow: pa.Schema) -> "Schema":
        """Read an Arrow schema, ours or a foreign one."""
        raw = (arrow.metadata or {}).get(_KEY)
        about = json.loads(raw) if raw else {}
        return cls(tuple(Column.from_field(f) for f in arrow), **about)
