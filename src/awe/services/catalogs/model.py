"""Values of the catalogues: the records of schemas and tables, and the rules for their names."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from awe.core.sql import ScalarFunction, TableDef, TableFunction
from awe.core.sql.dialects.adql import RESERVED_WORDS
from awe.core.tables import Column, Schema
from awe.errors import InputFileError, ParameterError
from awe.services.catalogs.interface import StoredTable

__all__ = [
    "HEALPIX",
    "MYDB",
    "TABLE",
    "UPLOAD_SCHEMA",
    "USER_PREFIX",
    "DescribedView",
    "SchemaRecord",
    "TableKey",
    "TableRecord",
    "View",
    "check_columns",
    "split_name",
]

HEALPIX = "_healpix_29"
"""The column of the HATS layout that holds the nested HEALPix index of order 29."""

TABLE = "table"
"""The kind of a table, for the policy."""

UPLOAD_SCHEMA = "TAP_UPLOAD"
"""The schema of uploaded tables in a query (TAP 1.1 section 2.5.1)."""

MYDB = "mydb"
"""What everybody calls the schema of his own tables."""

USER_PREFIX = "user_"
"""How the schemas of users begin, and no others."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_COLUMN = re.compile(r"[^\x00-\x1f\"]{1,127}")
_RESERVED = frozenset(
    {
        "caom2",
        "tap_schema",
        UPLOAD_SCHEMA.casefold(),
        "ivoa",
        "rr",
        "information_schema",
        "dbo",
        "sys",
        "tempdb",
        MYDB,
    }
)


@dataclass(frozen=True, slots=True)
class SchemaRecord:
    """A schema: the tables of one archive or survey, and a CasJobs context."""

    name: str
    title: str = ""
    description: str = ""
    utype: str = ""


@dataclass(frozen=True, slots=True)
class TableKey:
    """A statement that rows of a table refer to rows of another one.

    Attributes
    ----------
    target
        The table referred to, ``schema.name``.
    columns
        Pairs: the column that refers, the column of `target` it refers to.
    """

    target: str
    columns: tuple[tuple[str, str], ...]
    description: str = ""
    utype: str = ""


@dataclass(frozen=True, slots=True)
class DescribedView:
    """A view that is described with a table.

    Attributes
    ----------
    name, columns, title, description
        As of a `TableRecord`; it is in the table's schema.
    sql
        The query, in ADQL; its columns come in the order of `columns`.
    reads
        Full names of the stored tables that it reads: who may read all of them may read the view.
    """

    name: str
    columns: Schema
    sql: str
    reads: tuple[str, ...]
    title: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class TableRecord:
    """A table, published or a user's own: what it is, and which stored version of it is current.

    Attributes
    ----------
    schema, name
        As published; unique when case is ignored.
    columns
        The visible columns; units, UCDs and descriptions are in them.
    ra, dec
        The position columns (ICRS, degrees), or None.
    id_column
        The column that identifies a row (UCD ``meta.id;meta.main``), or None.
    stored
        The version in the engine.
    version
        Counts publications of this name, from one.
    metadata
        Statements about the table as a whole: ``simulated``, ``reference``, ...
    functions
        The parametrised views and values described with it.
    keys
        The other tables it can be joined to, and by which columns.
    sql
        Of a view: the ADQL that it stands for; empty for a table that is stored.
    views
        The views described with it.
    owner
        Of a user's table: whose it is; empty for a published one.
    """

    schema: str
    name: str
    columns: Schema
    stored: StoredTable
    title: str = ""
    description: str = ""
    utype: str = ""
    ra: str | None = None
    dec: str | None = None
    id_column: str | None = None
    version: int = 1
    created: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    functions: tuple[TableFunction | ScalarFunction, ...] = ()
    keys: tuple[TableKey, ...] = ()
    sql: str = ""
    views: tuple[DescribedView, ...] = ()
    owner: str = ""

    @property
    def kind(self) -> str:
        """``table`` or ``view`` (TAP 1.1 section 4.2)."""
        return "view" if self.sql else "table"

    @property
    def full_name(self) -> str:
        """``schema.name``."""
        return f"{self.schema}.{self.name}"

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.stored.rows

    @property
    def bytes(self) -> int:
        """Size on disk."""
        return self.stored.bytes

    def to_definition(self) -> TableDef:
        """Return what the compiler needs to know."""
        healpix = HEALPIX if self.ra else None
        rows = None if self.sql else self.rows
        reach = self._reach()
        return TableDef(
            self.schema,
            self.name,
            self.columns,
            self.ra,
            self.dec,
            healpix,
            rows,
            self.sql,
            reach,
            placed=self._placed(),
        )

    def of_views(self) -> "tuple[TableRecord, ...]":
        """Return the records of the views described with the table."""
        return tuple(
            TableRecord(
                self.schema,
                view.name,
                replace(view.columns, name=f"{self.schema}.{view.name}", description=view.description),
                StoredTable("", 0, 0),
                title=view.title,
                description=view.description,
                ra=_by_ucd(view.columns, "pos.eq.ra;meta.main"),
                dec=_by_ucd(view.columns, "pos.eq.dec;meta.main"),
                id_column=_by_ucd(view.columns, "meta.id;meta.main"),
                version=self.version,
                created=self.created,
                metadata=self.metadata,
                sql=view.sql,
            )
            for view in self.views
        )

    def _placed(self) -> bool:
        """Return whether every row has a position: publication refuses others, but users' tables and datasets may lack it."""
        return bool(self.ra) and not self.owner and not self.sql and not self._is_of_datasets

    @property
    def _is_of_datasets(self) -> bool:
        return self.full_name.casefold() == "ivoa.obscore"

    def _reach(self) -> str | None:
        """Return the column of ``ivoa.obscore`` that bounds its ``s_region`` around ``s_ra, s_dec``.

        Publication writes as s_fov the diameter of a circle around the region, in which the position lies too: no
        point of the region is further from it than that. Of other tables nobody guarantees it.
        """
        ours = self._is_of_datasets and (self.ra, self.dec) == ("s_ra", "s_dec")
        return "s_fov" if ours else None


def _by_ucd(columns: Schema, ucd: str) -> str | None:
    return next((column.name for column in columns if column.ucd.casefold() == ucd), None)


@dataclass(frozen=True, slots=True)
class View:
    """A table that is computed from another one whenever it is read, so that the two cannot disagree.

    Attributes
    ----------
    schema, name, columns, description, utype, keys
        As of a `TableRecord`.
    of
        Full name of the table that it is computed from; who may read that one may read the view.
    sql
        The query, in ADQL; its columns come in the order of `columns`.
    """

    schema: SchemaRecord
    name: str
    columns: Schema
    of: str
    sql: str
    description: str = ""
    utype: str = ""
    keys: tuple[TableKey, ...] = ()

    def to_record(self, base: TableRecord) -> TableRecord:
        """Return its record, given that of the table it is computed from."""
        return TableRecord(
            self.schema.name,
            self.name,
            self.columns,
            StoredTable("", 0, 0),
            description=self.description,
            utype=self.utype,
            version=base.version,
            created=base.created,
            keys=self.keys,
            sql=self.sql,
        )


def split_name(full_name: str, *, internal: bool = False) -> tuple[str, str]:
    """Split ``schema.table``.

    Raises
    ------
    ParameterError
        If it is not two identifiers, one is a reserved word of ADQL, or the schema is kept for awe itself (unless `internal`).
    """
    parts = full_name.split(".")
    if len(parts) != 2 or not all(_NAME.fullmatch(part) for part in parts):
        hint = "schema.table; letters, digits and underscores, beginning with a letter, at most 63 each"
        raise ParameterError("table", full_name, "not the name of a table", hint=hint)
    reserved = next((part for part in parts if part.upper() in RESERVED_WORDS), None)
    if reserved is not None:
        raise ParameterError("table", full_name, f"{reserved} is a word of ADQL", hint="choose another name")
    schema = parts[0].casefold()
    if not internal and (schema in _RESERVED or schema.startswith(USER_PREFIX)):
        raise ParameterError("table", full_name, f"the schema {parts[0]} is kept for awe itself")
    return parts[0], parts[1]


def check_columns(columns: Iterable[Column], source: object, *, index: bool = False) -> None:
    """Refuse column names that a query could not tell apart or that awe needs itself.

    Parameters
    ----------
    index
        Whether a column may have the name of the sky index: where the table is stored without one.

    Raises
    ------
    InputFileError
        Naming the column.
    """
    seen: dict[str, str] = {}
    for column in columns:
        where = f"column {column.name!r}"
        folded = column.name.casefold()
        if folded == HEALPIX and not index:
            hint = "leave it out: it is computed from the positions"
            raise InputFileError(source, "this name is kept for the sky index", where=where, hint=hint)
        if not _COLUMN.fullmatch(column.name) or column.name != column.name.strip():
            reason = "a column name has 1 to 127 characters, no quotes and no blanks at its ends"
            raise InputFileError(source, reason, where=where)
        if folded in seen:
            raise InputFileError(source, f"differs from {seen[folded]!r} only in case", where=where)
        seen[folded] = column.name
    if not seen:
        raise InputFileError(source, "it has no columns")
