"""The tables that a batch makes and changes: the caller's own, and those that live as long as the batch."""

from collections.abc import Callable
from typing import Literal, Protocol

from awe.core.sql.batches import TEMPORARY, TableName
from awe.core.tables import Schema, TableStream
from awe.errors import ConflictError, NotFoundError, NotOfferedError, ParameterError
from awe.services.catalogs.model import TableRecord
from awe.services.catalogs.own.service import TableService
from awe.services.catalogs.own.writing import chained
from awe.services.catalogs.service import CatalogService
from awe.services.catalogs.uploads import HeldTable
from awe.services.identity import WRITE, Identity

__all__ = ["BatchTables"]


class _Query(Protocol):
    def __call__(self, query: str, *, whole: bool, dialect: str) -> TableStream:
        """Return the rows of a query."""


class BatchTables:
    """Those of one batch.

    Parameters
    ----------
    catalogs, tables, identity
        Who keeps them, and for whom.
    query
        Runs a query of this batch.
    """

    def __init__(
        self, catalogs: CatalogService, tables: TableService, identity: Identity, query: _Query
    ) -> None:
        self._catalogs, self._tables, self._identity, self._query = catalogs, tables, identity, query
        self._held: dict[str, HeldTable] = {}

    @property
    def temporary(self) -> tuple[TableRecord, ...]:
        """The tables of the batch."""
        return tuple(held.record for held in self._held.values())

    def close(self) -> None:
        """Remove the tables of the batch."""
        while self._held:
            self._held.popitem()[1].close()

    def find(self, table: TableName, context: str | None = None) -> TableRecord | None:
        """Return the table that a name means for the caller, or None."""
        if table.temporary:
            held = self._held.get(table.name.casefold())
            return None if held is None else held.record
        if not self._identity.is_anonymous:
            try:
                return self._tables.table(table.name, self._identity)
            except (NotFoundError, ParameterError):
                pass
        name = table.name if "." in table.name or context is None else f"{context}.{table.name}"
        try:
            return self._catalogs.table(name, self._identity)
        except NotFoundError:
            return None

    def rows(self, record: TableRecord) -> TableStream:
        """Return all rows of a table, in their order."""
        names = ", ".join(_quoted(name) for name in record.columns.names)
        text = f"SELECT {names} FROM {_quoted(record.schema)}.{_quoted(record.name)}"
        return self._query(text, whole=True, dialect="adql")

    def write(
        self, table: TableName, stream: TableStream, mode: Literal["create", "replace"], origin: str
    ) -> TableRecord:
        """Make a table of rows: ``create`` a new one, or ``replace`` one that may be there."""
        if not table.temporary:
            return self._tables.write(table.name, stream, self._identity, mode=mode, origin=origin)
        with stream:
            self._check_free(table)
            return self._hold(table, stream)

    def create(self, table: TableName, columns: Schema, exists: Literal["error", "keep"]) -> None:
        """Make an empty table; where one is there, that is an ``error``, or it is ``keep``t."""
        if not table.temporary:
            self._tables.create(table.name, columns, self._identity, exists=exists)
            return
        if exists == "keep" and table.name.casefold() in self._held:
            return
        self._check_free(table)
        self._hold(table, TableStream(columns, ()))

    def changing(self, table: TableName) -> TableRecord:
        """Return a table that the caller may change.

        Raises
        ------
        NotFoundError, ForbiddenError
            If there is none, or the caller may only read it.
        NotOfferedError
            If it is a published table.
        """
        if table.temporary:
            return self._own(table).record
        try:
            return self._tables.table(table.name, self._identity, action=WRITE)
        except NotFoundError:
            if "." in table.name and self.find(table) is not None:
                raise table.place.error(
                    f"{table.name} is published: nobody changes it in a query",
                    "make a table of your own of it: SELECT ... INTO mydb.t FROM ...",
                    NotOfferedError,
                ) from None
            raise

    def append(self, table: TableName, rows: TableStream, origin: str) -> TableRecord:
        """Add rows, whose columns are those of the table."""
        if not table.temporary:
            return self._tables.write(table.name, rows, self._identity, mode="append", origin=origin)
        old = self._own(table).record
        return self._hold(table, chained((self.rows(old), rows), old.columns))

    def rewrite(
        self, table: TableName, make: Callable[[TableRecord], TableStream], origin: str
    ) -> TableRecord:
        """Make what is to be the table of what it is."""
        self.changing(table)
        if not table.temporary:
            return self._tables.rewrite(table.name, self._identity, make, origin=origin)
        return self._hold(table, make(self._own(table).record))

    def rename(self, table: TableName, new: str) -> None:
        """Give a table another name."""
        self.changing(table)
        self._refuse_temporary(table, "renamed")
        self._tables.rename(table.name, new.rpartition(".")[2], self._identity)

    def index(self, table: TableName, columns: tuple[str, ...]) -> None:
        """Index a table by positions, where the columns are such; others need no index."""
        record = self.changing(table)
        found = [record.columns.find(name) for name in columns]
        for name, column in zip(columns, found, strict=True):
            if column is None:
                raise table.place.unknown(f"no column {name} in {record.name}")
        names = tuple(column.name for column in found if column is not None)
        positions = len(names) == 2 and "ra" in names[0].casefold() and "dec" in names[1].casefold()
        if positions and not table.temporary and names != (record.ra, record.dec):
            self._tables.index(table.name, self._identity, *names)

    def drop(self, table: TableName, *, missing_ok: bool) -> None:
        """Remove a table."""
        if not table.temporary:
            try:
                self.changing(table)  # an administrator helps elsewhere: in a query he is nobody special
            except NotFoundError:
                if missing_ok:
                    return
                raise
            self._tables.drop(table.name, self._identity, missing_ok=missing_ok)
            return
        if not missing_ok or table.name.casefold() in self._held:
            self._own(table)
            self._held.pop(table.name.casefold()).close()

    def _own(self, table: TableName) -> HeldTable:
        held = self._held.get(table.name.casefold())
        if held is None:
            raise table.place.unknown(
                f"there is no table {table.name} in this batch", "it lives as long as its batch"
            )
        return held

    def _check_free(self, table: TableName) -> None:
        if table.name.casefold() in self._held:
            raise ConflictError(f"There is already an object named '{table.name}' in the database.")

    def _refuse_temporary(self, table: TableName, what: str) -> None:
        if table.temporary:
            raise table.place.error(f"a table of the batch cannot be {what}", None, NotOfferedError)

    def _hold(self, table: TableName, stream: TableStream) -> TableRecord:
        held = self._catalogs.hold(TEMPORARY, table.name, stream)
        old = self._held.pop(table.name.casefold(), None)
        if old is not None:
            old.close()
        self._held[table.name.casefold()] = held
        return held.record


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
