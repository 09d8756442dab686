"""One place where jobs change: read, `advance`, store unless somebody was quicker, carry out the effects."""

from collections.abc import Callable

from awe.services.identity import Policy
from awe.services.jobs._folders import JobFolders
from awe.services.jobs.interface import Runner
from awe.services.jobs.model import JOB, DiscardAttempt, Effect, Event, Job, StopAttempt, advance
from awe.services.jobs.store import JobStore

__all__ = ["Ledger"]


class Ledger:
    """Apply events to stored jobs.

    Parameters
    ----------
    store, folders, runner
        What effects are carried out on.
    policy
        Where it stands with whom jobs are shared.
    """

    def __init__(self, store: JobStore, folders: JobFolders, runner: Runner, policy: Policy) -> None:
        self._policy = policy
        self._store = store
        self._folders = folders
        self._runner = runner
        self.woken: Callable[[], None] = runner.wake

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
                for effect in effects:
                    self._carry_out(job_id, effect)
                return after
        return None

    def destroy(self, job_id: str) -> None:
        """Forget a job: its record at once, then its process and its files."""
        found = self._store.get(job_id)
        self._store.remove(job_id, self._policy.forget(JOB, job_id))
        if found is not None:
            self._runner.cancel(job_id, found[0].attempt)
        self._folders.remove(job_id)

    def _carry_out(self, job_id: str, effect: Effect) -> None:
        if isinstance(effect, StopAttempt):
            self._runner.cancel(job_id, effect.attempt)
        elif isinstance(effect, DiscardAttempt):
            self._folders.discard_attempt(job_id, effect.attempt)
        else:
            self.woken()
