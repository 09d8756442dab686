"""What each owner's jobs may use: how many wait and run, how long, and how much of the disk."""

from dataclasses import dataclass
from datetime import UTC, datetime

from awe.services.identity import Identity, Measure, QuotaService
from awe.services.jobs.model import Job
from awe.services.jobs.store import JobStore, Standing
from awe.settings import JobSettings

__all__ = ["Room", "Share"]

_RETRY_S = 10


@dataclass(frozen=True, slots=True)
class Share:
    """What one job may use when it begins.

    Attributes
    ----------
    at_once
        Jobs of its owner that may run at the same time; None for any number.
    seconds
        So long it may run.
    bytes
        Size of the files that it may make; None for any size.
    """

    at_once: int | None
    seconds: float
    bytes: int | None


class Room:
    """Ask the quotas about jobs.

    Parameters
    ----------
    store, quotas
        What is used, and what may be used.
    settings
        What nobody may exceed.
    """

    def __init__(self, store: JobStore, quotas: QuotaService, settings: JobSettings) -> None:
        self._store = store
        self._quotas = quotas
        self._settings = settings
        for measure, meter in {
            Measure.JOBS_WAITING: lambda who: self._standing(who).waiting,
            Measure.JOBS_AT_ONCE: lambda who: self._standing(who).running,
            Measure.JOB_SECONDS_PER_DAY: self._seconds_today,
            Measure.STORAGE_BYTES: lambda who: self._standing(who).bytes,
        }.items():
            quotas.bring(measure, meter)

    def check_queue(self, owner: str) -> None:
        """Raise `QuotaError` if one more job of an owner cannot wait."""
        identity = self._quotas.owner(owner)
        standing = self._standing(identity)
        self._quotas.check(identity, Measure.JOBS_WAITING, standing.waiting, retry_after=_RETRY_S)
        self._quotas.check(identity, Measure.JOB_SECONDS_PER_DAY, self._seconds_today(identity))
        self.check_files(owner, 1)

    def check_files(self, owner: str, size: int) -> None:
        """Raise `QuotaError` if an owner cannot keep so many bytes more."""
        identity, now = self._quotas.owner(owner), datetime.now(UTC)
        standing = self._standing(identity)
        first = standing.first_destruction
        self._quotas.check(
            identity,
            Measure.STORAGE_BYTES,
            self._quotas.used(identity, Measure.STORAGE_BYTES),
            size,
            retry_after=max(1, round((first - now).total_seconds())) if first else None,
            help_="remove jobs that you do not need",
        )

    def duration_s(self, owner: str, wanted_s: int) -> int:
        """Return how long a job may run, at most as long as wanted; 0 is as long as possible."""
        allowed = self._quotas.limit(self._quotas.owner(owner), Measure.JOB_SECONDS)
        longest = self._settings.seconds if allowed is None else min(allowed, self._settings.seconds)
        return min(wanted_s or longest, longest)

    def who_waits(self) -> frozenset[str]:
        """Return the owners none of whose jobs may begin now."""
        return frozenset(owner for owner in self._store.waiting_owners() if self._waits(owner))

    def share(self, job: Job) -> Share:
        """Return what a job may use that begins now."""
        identity = self._quotas.owner(job.owner)
        kept = self._quotas.limit(identity, Measure.STORAGE_BYTES)
        return Share(
            at_once=self._quotas.limit(identity, Measure.JOBS_AT_ONCE),
            seconds=float(self.duration_s(job.owner, job.duration_s)),
            bytes=None if kept is None else max(0, kept - self._quotas.used(identity, Measure.STORAGE_BYTES)),
        )

    def _waits(self, owner: str) -> bool:
        identity = self._quotas.owner(owner)
        at_once = self._quotas.limit(identity, Measure.JOBS_AT_ONCE)
        if at_once is not None and self._standing(identity).running >= at_once:
            return True
        seconds = self._quotas.limit(identity, Measure.JOB_SECONDS_PER_DAY)
        return seconds is not None and self._seconds_today(identity) >= seconds

    def _standing(self, identity: Identity) -> Standing:
        return self._store.standing(identity.name, datetime.now(UTC))

    def _seconds_today(self, identity: Identity) -> int:
        """Return the seconds of today's jobs: of those that have ended today, and of those that run."""
        return int(self._quotas.job_seconds_today(identity.name) + self._standing(identity).running_s)
