"""What is used, in the system database: a line for each caller and day, and a lease for each query that runs.

A query holds a *lease* from its beginning to its end. Whether there is room for one more is asked and the lease
taken in one statement, so that it is right with any number of processes. When the lease ends, the query is added to
its day. A process that dies ends none: its leases are ended by whoever notices (`reap`), or count for nothing when
their time is over. Queries that are over in a moment hold none: what they used is added up in the process and written
once in a second (`count_soon`), and before anybody reads here what was used.
"""

import logging
import threading
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    Row,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)

from awe.services.system import SystemDatabase, UtcDateTime, metadata

__all__ = ["Amounts", "UsageStore", "day_of"]

_usage = Table(
    "usage",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("queries", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("query_s", Float, nullable=False),
    Column("jobs", Integer, nullable=False),
    Column("job_s", Float, nullable=False),
    Column("file_bytes", BigInteger, nullable=False),
)
_leases = Table(
    "query_leases",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("subject", String(255), nullable=False),
    Column("holder", String(64), nullable=False),
    Column("day", String(10), nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Index("ix_query_leases_subject", "subject"),
    Index("ix_query_leases_holder", "holder"),
)
_EVERYTHING = 2**62
_SOON_S = 1.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Amounts:
    """What is added to a day.

    Attributes
    ----------
    queries, refused
        Queries that were begun, and requests that were refused because of a limit.
    rows, bytes
        What was sent.
    query_s, job_s
        Seconds of queries and of jobs.
    jobs
        Jobs that have ended.
    file_bytes
        What was sent of the files of tables.
    """

    queries: int = 0
    refused: int = 0
    rows: int = 0
    bytes: int = 0
    query_s: float = 0.0
    jobs: int = 0
    job_s: float = 0.0
    file_bytes: int = 0

    def plus(self, other: "Amounts") -> "Amounts":
        """Return both together."""
        return Amounts(*(getattr(self, name) + getattr(other, name) for name in Amounts.__slots__))


_ADD = (
    update(_usage)
    .where(_usage.c.day == bindparam("of_day"), _usage.c.subject == bindparam("of_subject"))
    .values({name: _usage.c[name] + bindparam(f"more_{name}") for name in Amounts.__slots__})
)


def _holding(subject: Any, now: Any) -> Any:
    running = (_leases.c.subject == subject) & (_leases.c.until > now)
    return select(func.count()).select_from(_leases).where(running).scalar_subquery()


def _today(subject: Any, day: Any) -> Any:
    """Return the queries of a day: those that have ended, and those that have a lease."""
    done = select(_usage.c.queries).where(_usage.c.subject == subject, _usage.c.day == day).scalar_subquery()
    begun = (
        select(func.count()).select_from(_leases).where(_leases.c.subject == subject, _leases.c.day == day)
    )
    return func.coalesce(done, 0) + begun.scalar_subquery()


def _asked(name: str, kind: Any) -> Any:
    return bindparam(name, type_=kind)


_BEGIN = insert(_leases).from_select(
    ["id", "subject", "holder", "day", "until"],
    select(
        _asked("id", String), _asked("subject", String), _asked("holder", String), _asked("day", String),
        _asked("until", UtcDateTime),
    ).where(
        _holding(_asked("subject", String), _asked("now", UtcDateTime)) < _asked("most", BigInteger),
        _today(_asked("subject", String), _asked("day", String)) < _asked("most_today", BigInteger),
    ),
).execution_options(preserve_rowcount=True)  # fmt: skip
_END = delete(_leases).where(_leases.c.id == bindparam("lease"))


class UsageStore:
    """Count what is used."""

    def __init__(self, system: SystemDatabase) -> None:
        self._system = system
        self._soon: dict[tuple[str, str], Amounts] = {}
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Write what is not written yet."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
        self._write()

    def begin(
        self,
        lease: str,
        subject: str,
        holder: str,
        *,
        now: datetime,
        until: datetime,
        most: int | None,
        most_today: int | None,
    ) -> bool:
        """Take a lease for a query; False, and nothing is kept, if there is no room for one more.

        Parameters
        ----------
        lease
            Its name.
        subject, holder
            Who asks, and the process that answers.
        until
            When the lease ends by itself.
        most, most_today
            Queries at the same time and in this day; None for any number.
        """
        given = {
            "id": lease,
            "subject": subject,
            "holder": holder,
            "day": day_of(now),
            "until": until,
            "now": now,
            "most": _EVERYTHING if most is None else most,
            "most_today": _EVERYTHING if most_today is None else most_today,
        }
        with self._system.transaction(lasting=False) as connection:
            return connection.execute(_BEGIN, given).rowcount > 0

    def end(self, lease: str, subject: str, day: str, amounts: Amounts) -> None:
        """End a lease and add what its query used, all at once; one that somebody else ended is counted already."""
        with self._system.transaction(lasting=False) as connection:
            held = connection.execute(_END, {"lease": lease}).rowcount > 0
            self.add(connection, subject, day, amounts, queries=int(held))

    @staticmethod
    def add(connection: Connection, subject: str, day: str, amounts: Amounts, *, queries: int = 0) -> None:
        """Add to what a subject used in a day, within somebody's transaction."""
        values = {**asdict(amounts), "queries": amounts.queries + queries}
        given = {f"more_{name}": value for name, value in values.items()}
        # writers take turns, so nobody can make the line between the two statements
        if not connection.execute(_ADD, {"of_day": day, "of_subject": subject, **given}).rowcount:
            connection.execute(insert(_usage), {"day": day, "subject": subject, **values})

    def count(self, subject: str, day: str, amounts: Amounts) -> None:
        """Add to what a subject used in a day."""
        with self._system.transaction(lasting=False) as connection:
            self.add(connection, subject, day, amounts)

    def count_soon(self, subject: str, day: str, amounts: Amounts) -> None:
        """Add to what a subject used in a day, together with what else is added within a second."""
        with self._lock:
            self._soon[day, subject] = self._soon.get((day, subject), Amounts()).plus(amounts)
            if self._timer is None:
                self._timer = threading.Timer(_SOON_S, self._write)
                self._timer.daemon = True
                self._timer.start()

    def _write(self) -> None:
        """Write what is to be added; what cannot be written now waits for the next time."""
        with self._lock:
            waiting, self._soon, self._timer = self._soon, {}, None
        if not waiting:
            return
        try:
            with self._system.transaction(lasting=False) as connection:
                for (day, subject), amounts in waiting.items():
                    self.add(connection, subject, day, amounts)
        except Exception:  # noqa: BLE001  # nobody is to be refused an answer because of a count
            _LOG.exception("what was used could not be written; it is kept for the next time")
            for (day, subject), amounts in waiting.items():
                self.count_soon(subject, day, amounts)

    def running(self, subject: str, now: datetime) -> int:
        """Return how many queries of a subject run."""
        with self._system.reading() as connection:
            return int(connection.scalar(select(_holding(literal(subject), literal(now, UtcDateTime)))) or 0)

    def of_day(self, subject: str, day: str) -> Amounts:
        """Return what a subject used in a day; its queries include those that run."""
        self._write()
        line = select(_usage).where(_usage.c.subject == subject, _usage.c.day == day)
        with self._system.reading() as connection:
            row = connection.execute(line).first()
            queries = connection.scalar(select(_today(literal(subject), literal(day)))) or 0
        return replace(_amounts(row) if row else Amounts(), queries=int(queries))

    def all_running(self, now: datetime) -> int:
        """Return how many queries run, of everybody."""
        query = select(func.count()).select_from(_leases).where(_leases.c.until > now)
        with self._system.reading() as connection:
            return int(connection.scalar(query) or 0)

    def by_day(self, since: str, until: str) -> dict[str, Amounts]:
        """Return what was used in each day from one to another, both included."""
        return self._sums(_usage.c.day, since, until)

    def by_subject(self, since: str, until: str) -> dict[str, Amounts]:
        """Return what each subject used from one day to another, both included."""
        return self._sums(_usage.c.subject, since, until)

    def subjects_by_day(self, prefix: str, since: str, until: str) -> dict[str, int]:
        """Return how many subjects with a prefix there are in each day from one to another, both included."""
        self._write()
        query = (
            select(_usage.c.day, func.count().label("number"))
            .where(_usage.c.day.between(since, until), _usage.c.subject.startswith(prefix, autoescape=True))
            .group_by(_usage.c.day)
        )
        with self._system.reading() as connection:
            return {row.day: int(row.number) for row in connection.execute(query)}

    def _sums(self, by: Any, since: str, until: str) -> dict[str, Amounts]:
        self._write()
        query = select(by.label("by"), *_sums_of_all()).where(_usage.c.day.between(since, until)).group_by(by)
        with self._system.reading() as connection:
            return {row.by: _amounts(row) for row in connection.execute(query)}

    def reap(self, now: datetime, gone: Collection[str]) -> None:
        """End the leases whose time is over, and those of processes that are gone; their queries are counted."""
        over = (_leases.c.until <= now) | _leases.c.holder.in_(gone)
        with self._system.transaction() as connection:
            ended = connection.execute(
                select(_leases.c.subject, _leases.c.day, func.count().label("queries"))
                .where(over)
                .group_by(_leases.c.subject, _leases.c.day)
            ).all()
            connection.execute(delete(_leases).where(over))
            for row in ended:
                self.add(connection, row.subject, row.day, Amounts(queries=row.queries))

    def forget(self, prefix: str, day: str, instead: str) -> None:
        """Put what subjects with a prefix used before a day together under one name."""
        old = _usage.c.subject.startswith(prefix, autoescape=True) & (_usage.c.day < day)
        sums = select(_usage.c.day, *_sums_of_all()).where(old).group_by(_usage.c.day)
        with self._system.transaction() as connection:
            rows = connection.execute(sums).all()
            connection.execute(delete(_usage).where(old))
            for row in rows:
                self.add(connection, instead, row.day, _amounts(row))


def _sums_of_all() -> list[Any]:
    return [func.sum(_usage.c[name]).label(name) for name in Amounts.__slots__]


def _amounts(row: Row[Any]) -> Amounts:
    return Amounts(
        queries=int(row.queries),
        refused=int(row.refused),
        rows=int(row.rows),
        bytes=int(row.bytes),
        query_s=float(row.query_s),
        jobs=int(row.jobs),
        job_s=float(row.job_s),
        file_bytes=int(row.file_bytes),
    )


def day_of(moment: datetime) -> str:
    """Return the day of a moment in UTC, as it is kept."""
    return moment.date().isoformat()
