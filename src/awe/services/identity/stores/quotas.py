"""The limits that administrators set, in the system database."""

from typing import Any

from sqlalchemy import BigInteger, Column, Row, String, Table, Text, delete, insert, select

from awe.services.identity.limits import Limit, Measure
from awe.services.system import SystemDatabase, UtcDateTime, metadata

__all__ = ["LimitStore"]

_limits = Table(
    "quotas",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("principal", String(255), nullable=False, index=True),
    Column("measure", String(32), nullable=False),
    Column("amount", BigInteger),  # none: as much as there is
    Column("since", UtcDateTime),
    Column("until", UtcDateTime),
    Column("why", Text, nullable=False),
    Column("by", String(255), nullable=False),
    Column("created", UtcDateTime, nullable=False),
)


class LimitStore:
    """Read and write limits."""

    def __init__(self, system: SystemDatabase) -> None:
        self._system = system

    def add(self, limit: Limit) -> None:
        """Keep a limit; one of the same principal, measure and days is replaced."""
        same = (_limits.c.principal == limit.principal) & (_limits.c.measure == limit.measure.value)
        for column, value in ((_limits.c.since, limit.since), (_limits.c.until, limit.until)):
            same &= column.is_(None) if value is None else column == value
        with self._system.transaction() as connection:
            connection.execute(delete(_limits).where(same))
            connection.execute(
                insert(_limits).values(
                    id=limit.id,
                    principal=limit.principal,
                    measure=limit.measure.value,
                    amount=limit.amount,
                    since=limit.since,
                    until=limit.until,
                    why=limit.why,
                    by=limit.by,
                    created=limit.created,
                )
            )

    def remove(self, limit_id: str) -> Limit | None:
        """Forget a limit; return what it was, None if there is none."""
        with self._system.transaction() as connection:
            row = connection.execute(select(_limits).where(_limits.c.id == limit_id)).first()
            connection.execute(delete(_limits).where(_limits.c.id == limit_id))
        return _limit(row) if row else None

    def all(self) -> tuple[Limit, ...]:
        """Return every limit, by principal and measure."""
        query = select(_limits).order_by(_limits.c.principal, _limits.c.measure, _limits.c.created)
        with self._system.reading() as connection:
            return tuple(map(_limit, connection.execute(query).all()))


def _limit(row: Row[Any]) -> Limit:
    return Limit(**{**row._mapping, "measure": Measure(row.measure)})  # noqa: SLF001  # SQLAlchemy's public name
