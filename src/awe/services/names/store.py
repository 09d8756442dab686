"""What Sesame has answered: the table ``resolved_names`` of the system database."""

import time

from sqlalchemy import Column, Float, String, Table, Text, delete, insert, select

from awe.services.names.model import NamedObject
from awe.services.system import SystemDatabase, metadata

__all__ = ["NameStore"]

_names = Table(
    "resolved_names",
    metadata,
    Column("folded", String(255), primary_key=True),
    Column("name", Text, nullable=False),
    Column("ra", Float, nullable=False),
    Column("dec", Float, nullable=False),
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("asked", Float, nullable=False),
)


class NameStore:
    """Keep answers, so that a name goes out once.

    Parameters
    ----------
    system
        The database.
    days
        So long an answer is used.
    """

    def __init__(self, system: SystemDatabase, days: float) -> None:
        self._system = system
        self._seconds = 86_400 * days

    def find(self, key: str) -> NamedObject | None:
        """Return what was answered for a folded name, unless it is too old."""
        query = select(_names).where(_names.c.folded == key, _names.c.asked > time.time() - self._seconds)
        with self._system.reading() as connection:
            row = connection.execute(query).first()
        return NamedObject(row.name, row.ra, row.dec, row.kind, (), row.source) if row else None

    def keep(self, key: str, found: NamedObject) -> None:
        """Remember an answer."""
        row = {
            "folded": key, "name": found.name, "ra": found.ra, "dec": found.dec, "kind": found.kind,
            "source": found.source, "asked": time.time(),
        }  # fmt: skip
        with self._system.transaction() as connection:
            connection.execute(delete(_names).where(_names.c.folded == key))
            connection.execute(insert(_names).values(row))
