"""The jobs in the system database. The queue is this table: nothing about a job is kept anywhere else.

Every change is one UPDATE guarded by the version that was read, so that of two who change a job at the same
time, in whichever processes, one does and the other looks again. A job that runs is *leased*: its row names who
runs it, and until when that is to be believed.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from awe.errors import AweError
from awe.services.identity import Amounts, UsageStore, principal_of
from awe.services.jobs.model import FINAL, RUNNING, Job, Part, Phase, Result, Step
from awe.services.system import Condition, Connection, SqlValue, SystemDatabase, UtcDateTime, metadata

__all__ = ["JobStore", "Standing", "Stored"]

_jobs = Table(
    "jobs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("version", Integer, nullable=False),  # counts changes
    Column("kind", String(64), nullable=False),
    Column("owner", String(255), nullable=False),
    Column("run_id", Text, nullable=False),
    Column("phase", String(16), nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("queued", UtcDateTime),
    Column("started", UtcDateTime),
    Column("ended", UtcDateTime),
    Column("destruction", UtcDateTime, nullable=False, index=True),
    Column("duration_s", Integer, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("parts", JSON, nullable=False),
    Column("order", JSON, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("losses", Integer, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("progress", JSON),
    Column("results", JSON, nullable=False),
    Column("error", JSON),
    Column("bytes", BigInteger, nullable=False, default=0),
    Column("lease_owner", String(64)),
    Column("lease_until", UtcDateTime),
    Index("ix_jobs_owner_kind_created", "owner", "kind", "created"),
    Index("ix_jobs_phase_queued", "phase", "queued"),
)
Stored = tuple[Job, int]
"""A job and the version in which it was read."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What an owner's jobs use now.

    Attributes
    ----------
    waiting, running
        Jobs in the queue, and jobs that run.
    running_s
        Seconds for which the latter have run.
    bytes
        Size of the files of all jobs.
    first_destruction
        When the first job with files is removed.
    """

    waiting: int
    running: int
    running_s: float
    bytes: int
    first_destruction: datetime | None


class JobStore:
    """Read and write jobs."""

    def __init__(self, system: SystemDatabase) -> None:
        self._system = system

    def add(self, job: Job) -> None:
        """Keep a new job."""
        with self._system.transaction() as connection:
            connection.execute(insert(_jobs).values(id=job.id, version=1, **_values(job)))

    def get(self, job_id: str) -> Stored | None:
        """Return a job."""
        with self._system.reading() as connection:
            row = connection.execute(select(_jobs).where(_jobs.c.id == job_id)).first()
        return (_job(row), row.version) if row else None

    def put(self, job: Job, version: int) -> bool:
        """Store a job that was read in `version`; False, and nothing changes, if it has changed since.

        The time of an attempt that has ended so is added to what its owner used in this day, at once or not at all.
        """
        lease = {} if job.phase in RUNNING else {"lease_owner": None, "lease_until": None}
        change = _guarded(job.id, version).values(version=version + 1, **_values(job), **lease)
        with self._system.transaction() as connection:
            before = _running_since(connection, job.id)
            if not connection.execute(change).rowcount:
                return False
            if job.phase not in RUNNING:
                _charge(connection, job, before)
            return True

    def remove(self, job_id: str, also: Callable[[Connection], None]) -> bool:
        """Forget a job, in one transaction with whatever `also` does; False if there is none.

        The time of an attempt that runs is counted.
        """
        with self._system.transaction() as connection:
            also(connection)
            row = connection.execute(select(_jobs).where(_jobs.c.id == job_id)).first()
            if row is None:
                return False
            connection.execute(delete(_jobs).where(_jobs.c.id == job_id))
            _charge(connection, _job(row), row.started if row.phase in RUNNING else None)
            return True

    def find(
        self,
        where: Callable[[SqlValue, SqlValue], Condition],
        kinds: frozenset[str] | None = None,
        *,
        phases: Iterable[Phase] = (),
        after: datetime | None = None,
        before: datetime | None = None,
        most: int,
    ) -> tuple[Job, ...]:
        """Return jobs, the newest first; archived ones only where their phase is asked for.

        Parameters
        ----------
        where
            From the columns with the id and the owner to the condition that a job has to meet.
        """
        wanted = set(phases)
        conditions: list[ColumnElement[bool]] = [
            where(_jobs.c.id, _jobs.c.owner),
            _jobs.c.phase.in_(wanted) if wanted else _jobs.c.phase != Phase.ARCHIVED,
        ]
        if kinds is not None:
            conditions.append(_jobs.c.kind.in_(kinds))
        if after is not None:
            conditions.append(_jobs.c.created > after)
        if before is not None:
            conditions.append(_jobs.c.created < before)
        query = select(_jobs).where(*conditions).order_by(_jobs.c.created.desc(), _jobs.c.id).limit(most)
        with self._system.reading() as connection:
            return tuple(_job(row) for row in connection.execute(query))

    def phases(self, ids: Sequence[str]) -> Mapping[str, Phase]:
        """Return the phases of some jobs, of those that are there."""
        query = select(_jobs.c.id, _jobs.c.phase).where(_jobs.c.id.in_(ids))
        with self._system.reading() as connection:
            return {row.id: Phase(row.phase) for row in connection.execute(query)}

    def waiting(self, owner: str | None = None) -> int:
        """Return how many jobs wait in the queue, of one owner or of all."""
        query = select(func.count()).select_from(_jobs).where(_jobs.c.phase == Phase.QUEUED)
        if owner is not None:
            query = query.where(_jobs.c.owner == owner)
        with self._system.reading() as connection:
            return int(connection.scalar(query) or 0)

    def standing(self, owner: str, now: datetime) -> Standing:
        """Return what an owner's jobs use now."""
        phases = (
            select(_jobs.c.phase, func.count().label("number"))
            .where(_jobs.c.owner == owner, _jobs.c.phase.in_([Phase.QUEUED, *RUNNING]))
            .group_by(_jobs.c.phase)
        )
        started = select(_jobs.c.started).where(_jobs.c.owner == owner, _jobs.c.phase.in_(RUNNING))
        files = select(func.sum(_jobs.c.bytes), func.min(_jobs.c.destruction)).where(
            _jobs.c.owner == owner, _jobs.c.bytes > 0
        )
        with self._system.reading() as connection:
            counted = {row.phase: int(row.number) for row in connection.execute(phases)}
            since = connection.scalars(started).all()
            size, first = connection.execute(files).one()
        waiting = counted.pop(Phase.QUEUED, 0)
        running_s = sum((now - moment).total_seconds() for moment in since if moment is not None)
        return Standing(waiting, sum(counted.values()), running_s, int(size or 0), first)

    def counted(self) -> Mapping[Phase, int]:
        """Return how many jobs there are in each phase."""
        query = select(_jobs.c.phase, func.count().label("number")).group_by(_jobs.c.phase)
        with self._system.reading() as connection:
            return {Phase(row.phase): int(row.number) for row in connection.execute(query)}

    # The queue

    def waiting_owners(self) -> tuple[str, ...]:
        """Return the owners of the jobs in the queue."""
        query = select(_jobs.c.owner).where(_jobs.c.phase == Phase.QUEUED).distinct()
        with self._system.reading() as connection:
            return tuple(connection.scalars(query))

    def next(self, without: Collection[str] = ()) -> Stored | None:
        """Return the job whose turn it is: of the owner with the fewest running, the one that waits longest.

        Parameters
        ----------
        without
            Owners who have to wait.
        """
        running = (
            select(_jobs.c.owner, func.count().label("running"))
            .where(_jobs.c.phase.in_(RUNNING))
            .group_by(_jobs.c.owner)
            .subquery()
        )
        query = (
            select(_jobs)
            .outerjoin(running, running.c.owner == _jobs.c.owner)
            .where(_jobs.c.phase == Phase.QUEUED, _jobs.c.owner.not_in(without))
            .order_by(func.coalesce(running.c.running, 0), _jobs.c.queued, _jobs.c.id)
            .limit(1)
        )
        with self._system.reading() as connection:
            row = connection.execute(query).first()
        return (_job(row), row.version) if row else None

    def lease(self, job: Job, version: int, owner: str, until: datetime, *, most: int | None = None) -> bool:
        """Store a job that begins to run, and who runs it.

        Returns
        -------
        False, and nothing changes, if it has changed since it was read, or if `most` jobs of its owner run.
        """
        change = _guarded(job.id, version).values(
            version=version + 1, **_values(job), lease_owner=owner, lease_until=until
        )
        if most is not None:
            other = _jobs.alias()
            running = select(func.count()).where(other.c.owner == job.owner, other.c.phase.in_(RUNNING))
            change = change.where(running.scalar_subquery() < most)
        with self._system.transaction() as connection:
            return connection.execute(change).rowcount > 0

    def renew(self, owner: str, until: datetime) -> frozenset[tuple[str, int]]:
        """Renew what somebody leases; return the jobs and attempts that are still theirs."""
        theirs = (_jobs.c.lease_owner == owner, _jobs.c.phase.in_(RUNNING))
        with self._system.transaction() as connection:
            connection.execute(update(_jobs).where(*theirs).values(lease_until=until))
            return _attempts(connection, *theirs)

    def unclaimed(self, now: datetime, gone: Sequence[str]) -> frozenset[tuple[str, int]]:
        """Return the jobs and attempts whose lease has ended, or is of somebody who is gone."""
        ended = (_jobs.c.lease_until < now) | _jobs.c.lease_owner.is_(None) | _jobs.c.lease_owner.in_(gone)
        with self._system.reading() as connection:
            return _attempts(connection, _jobs.c.phase.in_(RUNNING), ended)

    def expired(self, now: datetime) -> tuple[str, ...]:
        """Return the jobs whose destruction time has come."""
        query = select(_jobs.c.id).where(_jobs.c.destruction <= now)
        with self._system.reading() as connection:
            return tuple(connection.scalars(query))

    def ids(self) -> frozenset[str]:
        """Return every job's id."""
        with self._system.reading() as connection:
            return frozenset(connection.scalars(select(_jobs.c.id)))


def _guarded(job_id: str, version: int) -> Any:
    return update(_jobs).where(_jobs.c.id == job_id, _jobs.c.version == version)


def _running_since(connection: Connection, job_id: str) -> datetime | None:
    """Return since when a job runs; None if it does not."""
    query = select(_jobs.c.started).where(_jobs.c.id == job_id, _jobs.c.phase.in_(RUNNING))
    found: datetime | None = connection.scalar(query)
    return found


def _charge(connection: Connection, job: Job, since: datetime | None) -> None:
    """Count an attempt that has ended, and the job if it was the last one."""
    if since is None:
        return
    now = datetime.now(UTC)
    amounts = Amounts(
        jobs=int(job.phase in FINAL), job_s=max(0.0, ((job.ended or now) - since).total_seconds())
    )
    UsageStore.add(connection, principal_of(job.owner), now.date().isoformat(), amounts)


def _attempts(connection: Connection, *conditions: ColumnElement[bool]) -> frozenset[tuple[str, int]]:
    query = select(_jobs.c.id, _jobs.c.attempt).where(*conditions)
    return frozenset((row.id, row.attempt) for row in connection.execute(query))


def _values(job: Job) -> dict[str, Any]:
    return {
        "kind": job.kind,
        "owner": job.owner,
        "run_id": job.run_id,
        "phase": str(job.phase),
        "created": job.created,
        "queued": job.queued,
        "started": job.started,
        "ended": job.ended,
        "destruction": job.destruction,
        "duration_s": job.duration_s,
        "parameters": [list(pair) for pair in job.parameters],
        "parts": [asdict(part) for part in job.parts],
        "order": dict(job.order),
        "attempt": job.attempt,
        "losses": job.losses,
        "bytes": job.bytes,
        "scopes": sorted(job.scopes),
        "progress": asdict(job.progress) if job.progress else None,
        "results": [asdict(result) for result in job.results],
        "error": job.error.to_json() if job.error else None,
    }


def _job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        kind=row.kind,
        owner=row.owner,
        run_id=row.run_id,
        phase=Phase(row.phase),
        created=row.created,
        queued=row.queued,
        started=row.started,
        ended=row.ended,
        destruction=row.destruction,
        duration_s=row.duration_s,
        parameters=tuple((name, value) for name, value in row.parameters),
        parts=tuple(Part(**part) for part in row.parts),
        order=cast("Mapping[str, object]", row.order),
        attempt=row.attempt,
        losses=row.losses,
        scopes=frozenset(row.scopes),
        progress=Step(**row.progress) if row.progress else None,
        results=tuple(Result(**result) for result in row.results),
        error=AweError.from_json(row.error) if row.error else None,
    )
