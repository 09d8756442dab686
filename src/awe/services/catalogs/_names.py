"""What a caller may read, as the compiler asks for it."""

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from awe.core.sql import ScalarFunction, TableDef, TableFunction
from awe.services.catalogs.information_schema import INFORMATION_SCHEMA, TABLE_STATISTICS
from awe.services.catalogs.model import MYDB, UPLOAD_SCHEMA, TableRecord
from awe.services.catalogs.sys_schema import SYS

__all__ = ["ReadableNames"]

Value = TypeVar("Value")
_QUALIFIED = frozenset({UPLOAD_SCHEMA.casefold(), INFORMATION_SCHEMA.name, SYS.name})
"""Schemas whose tables are always written with it."""


class ReadableNames:
    """Look-up of tables and table functions (`awe.core.sql.Names`).

    Parameters
    ----------
    records
        What the caller may read.
    context
        The schema whose tables are found by their name alone before all others.
    own
        The schema that the caller calls ``mydb``.
    """

    def __init__(
        self, records: Sequence[TableRecord], context: str | None = None, own: str | None = None
    ) -> None:
        self._own = own
        self._context = self._meant(context.casefold()) if context else None
        described = [function for record in records for function in record.functions]
        self._spellings = (*(r.full_name for r in records), *map(_spelling, described))
        # what users keep changes what no name of a published table means
        self._tables = _Index((r.schema, r.name, r.to_definition()) for r in records if not r.owner)
        self._users = _Index((r.schema, r.name, r.to_definition()) for r in records if r.owner)
        self._functions = _Index((f.schema, f.name, f) for f in described if isinstance(f, TableFunction))
        self._values = _Index((f.schema, f.name, f) for f in described if isinstance(f, ScalarFunction))

    def table(self, schema: str | None, name: str) -> TableDef | None:
        """Return the table of that name; without a schema the context's, then one of a unique name, then one's own."""
        where = self._meant(schema)
        mine = where or self._own
        own = self._users.find(mine, name, None) if mine is not None else None
        if own is not None and self._context == self._own:
            return own
        return self._tables.find(where, name, self._context) or own

    def table_function(self, schema: str | None, name: str) -> TableFunction | None:
        """Return the parametrised view of that name; ``dbo`` counts as no schema."""
        given = None if schema is not None and schema.casefold() == "dbo" else schema
        return self._functions.find(given, name, self._context)

    def scalar_function(self, schema: str | None, name: str) -> ScalarFunction | None:
        """Return the described value of that name."""
        return self._values.find(schema, name, self._context)

    def _meant(self, schema: str | None) -> str | None:
        return self._own if self._own and schema is not None and schema.casefold() == MYDB else schema

    def spellings(self) -> Iterable[str]:
        """Return every full name, and the names of the functions."""
        return self._spellings


def _spelling(function: TableFunction | ScalarFunction) -> str:
    """Return how a function is written wherever one is: values have no schema."""
    return function.name if isinstance(function, ScalarFunction) else f"{function.schema}.{function.name}"


class _Index(Generic[Value]):
    """Values by schema and name, ignoring case."""

    def __init__(self, values: Iterable[tuple[str, str, Value]]) -> None:
        self._by_name: dict[str, dict[str, Value]] = {}
        for schema, name, value in values:
            self._by_name.setdefault(name.casefold(), {})[schema.casefold()] = value

    def find(self, schema: str | None, name: str, context: str | None) -> Value | None:
        """Return the one that is meant, or None."""
        found = self._by_name.get(name.casefold(), {})
        if schema is not None:
            return found.get(schema.casefold())
        # an upload is always written with its schema: it changes what no other name means; so it is with SQL's own
        found = {
            where: value
            for where, value in found.items()
            if where not in _QUALIFIED or name.casefold() == TABLE_STATISTICS
        }
        if context in found:
            return found[context]
        return next(iter(found.values())) if len(found) == 1 else None
