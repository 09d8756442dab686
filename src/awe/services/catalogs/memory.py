"""Schemas that are made when they are asked for: TAP_SCHEMA here, and those that other services bring."""

from collections.abc import Mapping
from typing import Protocol

import pyarrow as pa

from awe.services.catalogs.model import SchemaRecord, TableRecord

__all__ = ["MemorySchema"]


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
