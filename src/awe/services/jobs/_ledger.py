"""One place where jobs change: read, `advance`, store unless somebody was quicker, carry out the effects."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from awe.services.identity import Policy
from awe.services.jobs._folders import JobFolders
from awe.services.jobs.interface import Runner
from awe.services.jobs.model import (
    FINAL,
    JOB,
    DiscardAttempt,
    Effect,
    Event,
    Job,
    Phase,
    StopAttempt,
    advance,
)
from awe.services.jobs.store import JobStore

__all__ = ["Ledger"]

_LOG = logging.getLogger(__name__)


class Ledger:
    """Apply events to stored jobs.

    Parameters
    ----------
    store, folders, runner
        What effects are carried out on.
    policy
        Where it stands with whom jobs are shared.

    Attributes
    ----------
    listeners
        Told of every job whose phase has changed, after that is stored; not when an attempt begins.
    """

    def __init__(self, store: JobStore, folders: JobFolders, runner: Runner, policy: Policy) -> None:
        self._policy = policy
        self._store = store
        self._folders = folders
        self._runner = runner
        self.woken: Callable[[], None] = runner.wake
        self.listeners: list[Callable[[Job], None]] = []

    def apply(self, job_id: str, event: Event) -> Job | None:
        """Return the job after an event; None if it is not there any more.

        Raises
        ------
        ConflictError
            If the event is a client's and the phase does not allow it.
        """
        while (found := self._store.get(job_id)) is not None:
            job, version = found
            after, effects = advance(job, event)
            if after is job or self._store.put(after, version):
                if after.phase is not job.phase:
                    self._tell(after)
                for effect in effects:
                    self._carry_out(job_id, effect)
                return after
        return None

    def destroy(self, job_id: str) -> None:
        """Forget a job: its record at once, then its process and its files."""
        found = self._store.get(job_id)
        self._store.remove(job_id, self._policy.forget(JOB, job_id))
        if found is not None:
            job = found[0]
            if job.phase not in FINAL:
                self._tell(replace(job, phase=Phase.ABORTED, ended=datetime.now(UTC)))
            self._runner.cancel(job_id, job.attempt)
        self._folders.remove(job_id)

    def _tell(self, job: Job) -> None:
        for listener in self.listeners:
            try:
                listener(job)
            except Exception:  # noqa: BLE001  # the job is as it is stored; who listens can look
                _LOG.exception("job %s: somebody could not be told of its phase", job.id)

    def _carry_out(self, job_id: str, effect: Effect) -> None:
        if isinstance(effect, StopAttempt):
            self._runner.cancel(job_id, effect.attempt)
            self.woken()  # it may run for another process
        elif isinstance(effect, DiscardAttempt):
            self._folders.discard_attempt(job_id, effect.attempt)
        else:
            self.woken()
