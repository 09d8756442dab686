"""The history in the system database: a row for each query, written when it begins and when it ends."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Float,
    Index,
    Row,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from awe.services.history.model import Entry
from awe.services.jobs import Phase
from awe.services.system import Condition, Connection, SqlValue, SystemDatabase, UtcDateTime, metadata

__all__ = ["HistoryStore"]

_history = Table(
    "history",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(255), nullable=False),
    Column("face", String(32), nullable=False),
    Column("dialect", String(16), nullable=False),
    Column("context", String(255), nullable=False),
    Column("text", Text, nullable=False),
    Column("into", String(255), nullable=False),
    Column("begun", UtcDateTime, nullable=False),
    Column("ended", UtcDateTime),
    Column("phase", String(16), nullable=False),
    Column("seconds", Float),
    Column("rows", BigInteger),
    Column("bytes", BigInteger),
    Column("message", Text, nullable=False),
    Column("job", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("engine", String(255), nullable=False, server_default=""),
    Index("ix_history_owner_begun", "owner", "begun"),
    Index("ix_history_owner_ended", "owner", "ended"),
    Index("ix_history_begun", "begun"),
    Index("ix_history_job", "job"),
)
Where = Callable[[SqlValue, SqlValue], Condition]
"""From the columns with the id and the owner to the condition that an entry has to meet."""
_OF_THE_END = ("ended", "phase", "seconds", "rows", "bytes", "message", "engine")


class HistoryStore:
    """Read and write entries."""

    def __init__(self, system: SystemDatabase) -> None:
        self._system = system

    def add(self, entry: Entry) -> None:
        """Keep a query that has begun."""
        with self._system.transaction(lasting=False) as connection:
            connection.execute(insert(_history).values(_row(entry)))

    def end(self, entry: Entry) -> None:
        """Write down how a query ended; the first who says so is right."""
        with self._system.transaction(lasting=False) as connection:
            connection.execute(_ending(entry, _history.c.id == entry.id))

    def put_job(self, entry: Entry, *, new: bool) -> None:
        """Write down how a job is, under the entry that it has, or under this one where it may be `new`."""
        of = _history.c.job == entry.job
        with self._system.transaction() as connection:
            if not connection.execute(_ending(entry, of)).rowcount and new:
                there = connection.execute(select(_history.c.id).where(of)).first()
                if there is None:
                    connection.execute(insert(_history).values(_row(entry)))

    def get(self, entry_id: str) -> Entry | None:
        """Return an entry."""
        with self._system.reading() as connection:
            row = connection.execute(select(_history).where(_history.c.id == entry_id)).first()
        return _entry(row) if row else None

    def unfinished(self, where: Where) -> tuple[Entry, ...]:
        """Return the entries that have not ended."""
        query = select(_history).where(where(_history.c.id, _history.c.owner), _history.c.ended.is_(None))
        with self._system.reading() as connection:
            return tuple(map(_entry, connection.execute(query)))

    def find(
        self,
        where: Where,
        *,
        text: str,
        phases: Iterable[Phase],
        after: datetime | None,
        before: datetime | None,
        most: int,
    ) -> tuple[Entry, ...]:
        """Return entries, the newest first.

        Parameters
        ----------
        text
            In the query, its name, its table or what went wrong, whatever its case.
        """
        conditions: list[ColumnElement[bool]] = [where(_history.c.id, _history.c.owner)]
        if text:
            columns = (_history.c.text, _history.c.name, _history.c.into, _history.c.message)
            found = [column.icontains(text, autoescape=True) for column in columns]
            conditions.append(found[0] | found[1] | found[2] | found[3])
        if wanted := set(phases):
            conditions.append(_history.c.phase.in_(wanted))
        if after is not None:
            conditions.append(_history.c.begun > after)
        if before is not None:
            conditions.append(_history.c.begun < before)
        query = select(_history).where(*conditions).order_by(_history.c.begun.desc(), _history.c.id)
        with self._system.reading() as connection:
            return tuple(map(_entry, connection.execute(query.limit(most))))

    def rename(self, entry_id: str, name: str) -> None:
        """Change what an entry is called."""
        with self._system.transaction() as connection:
            connection.execute(update(_history).where(_history.c.id == entry_id).values(name=name))

    def remove(self, entry_id: str, also: Callable[[Connection], None]) -> None:
        """Forget an entry, in one transaction with whatever `also` does."""
        with self._system.transaction() as connection:
            also(connection)
            connection.execute(delete(_history).where(_history.c.id == entry_id))

    def old(self, before: datetime) -> tuple[str, ...]:
        """Return the ids of what was asked before a moment."""
        with self._system.reading() as connection:
            return tuple(connection.scalars(select(_history.c.id).where(_history.c.begun < before)))


def _ending(entry: Entry, which: ColumnElement[bool]) -> Any:
    values = _row(entry)
    ending = update(_history).where(which, _history.c.ended.is_(None))
    return ending.values({name: values[name] for name in _OF_THE_END})


def _row(entry: Entry) -> dict[str, Any]:
    return {**asdict(entry), "phase": str(entry.phase)}


def _entry(row: Row[Any]) -> Entry:
    values = dict(row._mapping)  # noqa: SLF001  # public
    return Entry(**{**values, "phase": Phase(row.phase)})
