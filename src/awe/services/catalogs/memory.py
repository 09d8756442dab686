"""Tables that no record names: schemas that are made when they are asked for, and what a batch holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from awe.core.sky import Moc
from awe.core.sql import Variable
from awe.services.catalogs.model import SchemaRecord, TableRecord
from awe.services.identity import Identity

__all__ = ["BatchScope", "MemorySchema", "RowGuard"]


@dataclass(frozen=True, slots=True)
class BatchScope:
    """What a query knows of the batch that it stands in: its temporary tables, its variables by folded name."""

    tables: tuple[TableRecord, ...] = ()
    variables: Mapping[str, Variable] = field(default_factory=dict)


class RowGuard(Protocol):
    """Says which rows of a table a caller may read: they belong to things that are granted one by one."""

    def seen(self, table: TableRecord, identity: Identity) -> TableRecord:
        """Return the table as the caller may see it: its rows, how many they are, and what is said of them."""

    def seen_sky(self, identity: Identity) -> Moc:
        """Return the part of the sky that the rows cover which the caller may read."""


class MemorySchema(Protocol):
    """Small tables that everybody may read and nobody stores."""

    @property
    def schema(self) -> SchemaRecord:
        """The schema they are in."""

    @property
    def tables(self) -> tuple[TableRecord, ...]:
        """The tables."""

    def relations(self, address: str) -> Mapping[str, pa.Table]:
        """Return the rows of all of them, by full name.

        Parameters
        ----------
        address
            Of the service, as the caller knows it: for rows that hold addresses.
        """
