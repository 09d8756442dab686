"""The thread that takes jobs from the queue, gives them to the runner, and writes down what becomes of them.

Any number of dispatchers, in as many processes, may work on one queue. Each leases what it runs and renews its
leases; a lease that was not renewed, or whose owner is known to be dead, is taken over by whoever sees it first.
The dispatcher alone publishes results: what a worker of a dead dispatcher still makes reaches nobody.
"""

import logging
import threading
import time
from datetime import UTC, datetime, timedelta

from awe.services.jobs._folders import JobFolders
from awe.services.jobs._ledger import Ledger
from awe.services.jobs._room import Room
from awe.services.jobs.interface import Died, Done, Failed, Moved, Report, Runner, Task
from awe.services.jobs.model import Event, Fail, Finish, Lost, Progressed, Release, Start, advance
from awe.services.jobs.store import JobStore
from awe.services.system import Presence
from awe.settings import JobSettings

__all__ = ["Dispatcher"]

_LOG = logging.getLogger(__name__)

_LEASE = timedelta(seconds=30)
_HEARTBEAT_S = 2.0
_LOOK_S = 1.0
"""A job that another process queued is seen after this time at the latest."""
_SWEEP_S = 3600.0


class Dispatcher:
    """Run queued jobs until closed.

    Parameters
    ----------
    store, folders, ledger, runner
        What it works on.
    room
        What each owner may use.
    settings
        How often a job is begun, and how long it has to end when the service stops.
    """

    def __init__(
        self,
        store: JobStore,
        folders: JobFolders,
        ledger: Ledger,
        runner: Runner,
        room: Room,
        settings: JobSettings,
    ) -> None:
        self._store = store
        self._room = room
        self._folders = folders
        self._ledger = ledger
        self._runner = runner
        self._settings = settings
        self._presence = Presence(folders.root / ".runners")
        self._running: dict[tuple[str, int], Task] = {}
        self._beat_at = self._sweep_at = 0.0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="awe-jobs", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take nothing more, let running jobs end within the grace time, queue the others again."""
        self._closing.set()
        self._runner.wake()
        self._thread.join()
        self._listen(0.0)
        until = time.monotonic() + self._settings.grace
        while self._running and (left := until - time.monotonic()) > 0:
            self._listen(left)
        self._runner.close()
        for job, attempt in self._running:
            self._ledger.apply(job, Release(attempt))
        self._presence.close()

    def look(self) -> None:
        """Look now at what another process queued or stopped."""
        self._beat_at = 0.0
        self._runner.wake()

    def _work(self) -> None:
        while not self._closing.is_set():
            try:
                self._beat()
                while not self._closing.is_set() and self._runner.room() > 0 and self._begin_next():
                    pass
                self._listen(_LOOK_S)
            except Exception:  # noqa: BLE001  # the queue must go on; what failed is looked at again
                _LOG.exception("jobs: something failed; going on")
                self._closing.wait(_LOOK_S)

    def _listen(self, seconds: float) -> None:
        for report in self._runner.poll(seconds):
            self._note(report)

    def _note(self, report: Report) -> None:
        task = report.task
        if isinstance(report, Moved):
            self._ledger.apply(task.job, Progressed(task.attempt, report.step))
            return
        self._running.pop((task.job, task.attempt), None)
        event = self._ended(report)
        after = self._ledger.apply(task.job, event) if event else None
        if after is None:  # stopped; its files may have been removed before it was
            self._folders.discard_attempt(task.job, task.attempt)

    def _ended(self, report: Report) -> Event | None:
        attempt, now = report.task.attempt, datetime.now(UTC)
        if isinstance(report, Done):
            return Finish(now, attempt, report.results)
        if isinstance(report, Failed):
            return Fail(now, attempt, report.error)
        if isinstance(report, Died):
            return Lost(now, attempt, self._settings.attempts)
        return None  # stopped, because the job says already that it does not run

    def _begin_next(self) -> bool:
        """Begin the job whose turn it is; False when the queue is empty."""
        found = self._store.next(self._room.who_waits())
        if found is None:
            return False
        now = datetime.now(UTC)
        job, _ = advance(found[0], Start(now))
        share = self._room.share(job)
        if self._store.lease(job, found[1], self._presence.name, now + _LEASE, most=share.at_once):
            task = Task(
                job=job.id,
                attempt=job.attempt,
                kind=job.kind,
                owner=job.owner,
                scopes=job.scopes,
                order=job.order,
                folder=self._folders.make_attempt(job.id, job.attempt),
                parts=job.parts,
                parts_folder=self._folders.parts(job.id),
                seconds=share.seconds,
                most_bytes=share.bytes,
                queued=job.queued,
            )
            self._running[job.id, job.attempt] = task
            self._runner.submit(task)
        return True

    def _beat(self) -> None:
        """Renew the leases, look for jobs that nobody runs any more, remove those whose time has come."""
        now = time.monotonic()
        if now < self._beat_at:
            return
        self._beat_at = now + _HEARTBEAT_S
        moment = datetime.now(UTC)
        ours = self._store.renew(self._presence.name, moment + _LEASE)
        for job, attempt in self._running.keys() - ours:  # aborted or taken over by somebody elsewhere
            self._runner.cancel(job, attempt)
        gone = self._presence.gone()
        lost = self._store.unclaimed(moment, gone) | (ours - self._running.keys())
        for job, attempt in lost:
            self._ledger.apply(job, Lost(moment, attempt, self._settings.attempts))
        self._presence.forget(gone)
        for expired in self._store.expired(moment):
            self._ledger.destroy(expired)
        if now >= self._sweep_at:
            self._sweep_at = now + _SWEEP_S
            self._folders.sweep(self._store.ids())
