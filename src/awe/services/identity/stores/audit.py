"""The audit log in the system database: lines are added and read, never changed and never removed."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import JSON, Column, Integer, String, Table, Text, func, insert, select

from awe.services.identity.model import AuditEntry
from awe.services.system import SystemDatabase, UtcDateTime, metadata

__all__ = ["AuditStore"]

_audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("user", String(255), nullable=False, index=True),  # no foreign key: the log outlives accounts
    Column("address", String(64), nullable=False),
    Column("request", String(64), nullable=False),
    Column("action", String(64), nullable=False, index=True),
    Column("target", Text, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("details", JSON, nullable=False),
)


class AuditStore:
    """Add lines and read them."""

    def __init__(self, system: SystemDatabase) -> None:
        self._system = system

    def add(self, row: Mapping[str, object]) -> None:
        """Add a line."""
        with self._system.transaction() as connection:
            connection.execute(insert(_audit).values(dict(row)))

    def number(self, action: str, since: datetime, until: datetime) -> int:
        """Return how often an action was done from one moment on and before another."""
        query = select(func.count()).where(
            _audit.c.action == action,
            _audit.c.outcome == "done",
            _audit.c.at >= since,
            _audit.c.at < until,
        )
        with self._system.reading() as connection:
            return int(connection.scalar(query) or 0)

    def entries(
        self,
        *,
        user: str | None,
        action: str | None,
        target: str | None,
        since: datetime | None,
        until: datetime | None,
        before: int | None,
        address: str | None,
        last: int,
    ) -> tuple[AuditEntry, ...]:
        """Return the newest lines that fit, the newest first; an `action` stands for those that begin with it, too."""
        query = select(_audit).order_by(_audit.c.number.desc()).limit(last)
        if user is not None:
            query = query.where(_audit.c.user == user)
        if action is not None:
            query = query.where(
                (_audit.c.action == action) | _audit.c.action.startswith(f"{action}.", autoescape=True)
            )
        if target is not None:
            query = query.where(_audit.c.target == target)
        if since is not None:
            query = query.where(_audit.c.at >= since)
        if until is not None:
            query = query.where(_audit.c.at < until)
        if address is not None:
            query = query.where(_audit.c.address == address)
        if before is not None:
            query = query.where(_audit.c.number < before)
        with self._system.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(AuditEntry(**row._mapping) for row in rows)  # noqa: SLF001  # SQLAlchemy's public name
