"""Tables that are made for each query, of what its caller may read: TAP_SCHEMA and its like, and other services'."""

from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa

from awe.services.catalogs import information_schema, sys_schema, tap_schema
from awe.services.catalogs.memory import MemorySchema
from awe.services.catalogs.model import SchemaRecord, TableRecord

__all__ = ["MadeTables"]


class MadeTables:
    """The tables that nobody stores."""

    def __init__(self) -> None:
        self._brought: list[MemorySchema] = []

    def bring(self, schema: MemorySchema) -> None:
        """Let queries read the tables of another service."""
        self._brought.append(schema)

    def records(self) -> tuple[TableRecord, ...]:
        """Return what the tables are."""
        made = (*tap_schema.records(), *information_schema.records(), *sys_schema.records())
        return (*made, *(table for schema in self._brought for table in schema.tables))

    def relations(
        self,
        used: set[str],
        visible: Sequence[TableRecord],
        schemas: Callable[[], Sequence[SchemaRecord]],
        *,
        described: Sequence[TableRecord],
        address: str,
        own: str | None,
    ) -> Mapping[str, pa.Table]:
        """Return the rows of those that a query uses, by full name.

        Parameters
        ----------
        used
            Full names of the tables that it reads.
        visible, schemas
            What its caller may read; the schemas are asked for when they are needed.
        described
            What information_schema tells of.
        address
            Of the service, as the caller knows it.
        own
            The caller's own schema.
        """
        found: dict[str, pa.Table] = {}
        if used & {record.full_name for record in tap_schema.records()}:
            tables = (*visible, *(table for brought in self._brought for table in brought.tables))
            found |= tap_schema.relations((*schemas(), *(b.schema for b in self._brought)), tables)
        if used & {record.full_name for record in information_schema.records()}:
            found |= information_schema.relations(described)
        if used & {record.full_name for record in sys_schema.records()}:
            found |= sys_schema.relations(visible, own)
        for brought in self._brought:
            if used & {table.full_name for table in brought.tables}:
                found |= brought.relations(address)
        return found
