"""Failed guesses of the last minute in the system database, so that all processes of a service know of them."""

from sqlalchemy import Column, Float, Index, String, Table, delete, func, insert, select

from awe.services.system import SystemDatabase, metadata

__all__ = ["FailureStore"]

_failures = Table(
    "failures",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("subject", String(64), nullable=False),
    Column("at", Float, nullable=False),  # seconds since 1970
    Index("ix_failures_subject", "subject"),
    Index("ix_failures_at", "at"),
)


class FailureStore:
    """Count failures; a subject is a digest, since people type passwords where a name is asked for."""

    def __init__(self, system: SystemDatabase) -> None:
        self._system = system

    def lately(self, subject: str, since: float) -> tuple[int, float]:
        """Return how many there were since a moment, and when the first of these was."""
        held = (_failures.c.subject == subject) & (_failures.c.at > since)
        with self._system.reading() as connection:
            row = connection.execute(select(func.count(), func.min(_failures.c.at)).where(held)).one()
        return int(row[0]), float(row[1] or 0.0)

    def add(self, failure: str, subject: str, at: float, before: float) -> None:
        """Add one, and forget all that were before a moment."""
        with self._system.transaction(lasting=False) as connection:
            connection.execute(delete(_failures).where(_failures.c.at <= before))
            connection.execute(insert(_failures), {"id": failure, "subject": subject, "at": at})

    def forget(self, subject: str) -> None:
        """Forget those of a subject."""
        with self._system.transaction(lasting=False) as connection:
            connection.execute(delete(_failures).where(_failures.c.subject == subject))
