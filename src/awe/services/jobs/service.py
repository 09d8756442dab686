"""Use cases of jobs: make one, run it, see how far it is, fetch what it made, stop it, remove it."""

import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from awe.errors import (
    AweError,
    BusyError,
    ForbiddenError,
    NotFoundError,
    ParameterError,
)
from awe.services.identity import READ, RUN, HelpLog, Identity, Policy, QuotaService, Resource
from awe.services.jobs._dispatcher import Dispatcher
from awe.services.jobs._folders import JobFolders
from awe.services.jobs._ledger import Ledger
from awe.services.jobs._room import Room
from awe.services.jobs.interface import Runner, SentFile
from awe.services.jobs.model import JOB, Abort, Change, Event, Fail, Job, Part, Phase, Result, Run
from awe.services.jobs.store import JobStore
from awe.services.system import Condition, SqlValue
from awe.settings import JobSettings

__all__ = ["JobService"]

_RETRY_S = 10


class JobService:
    """The jobs of one archive.

    A job is its owner's alone, and of those whom its owner lets read it. A job of nobody (an anonymous caller's)
    belongs to whoever knows its id, which cannot be guessed; such jobs are in no list.

    Parameters
    ----------
    store
        The jobs.
    runner
        Who does the work; closed with this service.
    quotas
        What each owner may use; told what the jobs use.
    settings
        Limits.
    folder
        For the files of the jobs.
    policy
        Who may see which job.
    helping
        Where it is recorded that an administrator saw or changed somebody's job.
    """

    def __init__(
        self,
        store: JobStore,
        runner: Runner,
        quotas: QuotaService,
        settings: JobSettings,
        folder: Path,
        policy: Policy,
        helping: HelpLog,
    ) -> None:
        self._helping = helping
        self._policy = policy
        self._store = store
        self._runner = runner
        self._settings = settings
        self._folders = JobFolders(folder)
        self._ledger = Ledger(store, self._folders, runner, policy)
        self._room = Room(store, quotas, settings)
        self._dispatcher: Dispatcher | None = None
        self._elsewhere = False
        self._lock = threading.Lock()

    def listen(self, listener: Callable[[Job], None]) -> None:
        """Let somebody know of every job whose phase changes here, once that is stored."""
        self._ledger.listeners.append(listener)

    def leave(self, woken: Callable[[], None]) -> None:
        """Let another process run what is queued here; `woken` tells it that there is something to see."""
        self._elsewhere = True
        self._ledger.woken = woken

    def look(self) -> None:
        """Look at what another process has queued or stopped, where this one runs the queue."""
        with self._lock:
            if self._dispatcher is not None:
                self._dispatcher.look()

    def start(self) -> None:
        """Run what is in the queue, from now on; it happens by itself when a job is run here."""
        with self._lock:
            if self._dispatcher is None and not self._elsewhere:
                self._dispatcher = Dispatcher(
                    self._store, self._folders, self._ledger, self._runner, self._room, self._settings
                )

    def close(self) -> None:
        """Run no more jobs: those that run may end within the grace time, else they are queued again."""
        with self._lock:
            dispatcher, self._dispatcher = self._dispatcher, None
        if dispatcher is not None:
            dispatcher.close()
        self._runner.close()

    # What a client asks for

    def create(
        self, kind: str, identity: Identity, *, parameters: Sequence[tuple[str, str]] = (), run_id: str = ""
    ) -> Job:
        """Make a job that waits to be run.

        Parameters
        ----------
        kind
            What will do the work.
        parameters
            What the client gave, for people to read.
        run_id
            The client's own name for it.
        """
        now = datetime.now(UTC)
        job = Job(
            id=secrets.token_hex(16),
            kind=kind,
            owner=identity.name,
            created=now,
            destruction=now + timedelta(days=min(self._settings.default_days, self._settings.days)),
            duration_s=self._room.duration_s(identity.name, self._settings.default_seconds),
            run_id=run_id,
            parameters=tuple(parameters),
            scopes=identity.scopes,
        )
        self._store.add(job)
        return job

    def job(
        self, job_id: str, identity: Identity, kind: str | frozenset[str] | None = None, *, action: str = READ
    ) -> Job:
        """Return a job; one of another kind is not found.

        Parameters
        ----------
        kind
            The kind, or some; any when None.
        action
            What the caller wants of it: `READ`, or `RUN` to change or stop it.

        Raises
        ------
        NotFoundError
            If there is no such job (any more), or none that the caller may see: it does not say which.
        ForbiddenError
            If the caller may only read it.
        """
        found = self._store.get(job_id)
        if found is not None and (kind is None or found[0].kind in _kinds(kind)):
            job = found[0]
            if not job.owner or self._policy.allowed(identity, action, _resource(job)):
                self._helping.note(identity, action, _resource(job))
                return job
            if action != READ and self._policy.allowed(identity, READ, _resource(job)):
                raise ForbiddenError(f"the job {job_id} belongs to somebody else")
        raise NotFoundError(
            f"there is no job {job_id}, or none that you may see",
            hint="log in if it is yours" if identity.is_anonymous else "it may have been removed",
        )

    def numbered(self, prefix: str, identity: Identity) -> Job:
        """Return the caller's own job whose id begins so: for clients to whom a job is a number.

        Raises
        ------
        NotFoundError
            If there is none, or several.
        """
        found: tuple[Job, ...] = ()
        if not identity.is_anonymous:
            found = self._store.find(
                lambda job_id, owner: (owner == identity.name) & job_id.startswith(prefix), most=2
            )
        if len(found) != 1:
            raise NotFoundError("you have no such job", hint="its number is wrong, or it has been removed")
        return found[0]

    def resource(self, job_id: str, identity: Identity) -> Resource:
        """Return a job as something that can be shared: one that has an owner; `NotFoundError` as `job`."""
        job = self.job(job_id, identity)
        if not job.owner:
            raise NotFoundError(f"the job {job_id} has no owner who could share it")
        return _resource(job)

    def jobs(
        self,
        identity: Identity,
        kind: str | frozenset[str] | None = None,
        *,
        phases: Iterable[Phase] = (),
        after: datetime | None = None,
        before: datetime | None = None,
        last: int | None = None,
        shared: bool = False,
    ) -> tuple[Job, ...]:
        """Return the caller's jobs, the newest first; none for an anonymous caller.

        Parameters
        ----------
        phases
            Only those in one of these phases.
        after, before
            Only those made after, or before, a moment.
        last
            So many at the most; never more than the operator allows.
        shared
            Instead the jobs of others that the caller may see: all of them, for an administrator.
        """
        if identity.is_anonymous:
            return ()
        most = min(last or self._settings.listed, self._settings.listed)

        def where(job_id: SqlValue, owner: SqlValue) -> Condition:
            if not shared:
                return owner == identity.name
            seen = self._policy.visible(identity, JOB, name=job_id, owner=owner)
            return seen & (owner != identity.name) & (owner != "")

        kinds = None if kind is None else _kinds(kind)
        found = self._store.find(where, kinds, phases=phases, after=after, before=before, most=most)
        if shared:
            self._helping.note_list(identity, JOB, (job.owner for job in found))
        return found

    def change(
        self,
        job_id: str,
        identity: Identity,
        *,
        parameters: Sequence[tuple[str, str]] | None = None,
        parts: Mapping[str, SentFile] | None = None,
        run_id: str | None = None,
        duration_s: int | None = None,
        destruction: datetime | None = None,
    ) -> Job:
        """Set what may be set before a job begins, and when it is removed; None leaves a value alone.

        Parameters
        ----------
        parameters
            Each takes the place of those of the same name.
        parts
            Files that come with the job, by their names; likewise.
        duration_s
            In seconds, 0 for as long as possible; cut to what the operator allows.
        destruction
            Cut to what the operator allows.

        Raises
        ------
        ConflictError
            If the phase does not allow it.
        ParameterError
            If the duration is below zero.
        QuotaError
            If the files are more than the owner may keep.
        """
        job = self.job(job_id, identity, action=RUN)
        if duration_s is not None and duration_s < 0:
            raise ParameterError("EXECUTIONDURATION", duration_s, "is below zero")
        latest = datetime.now(UTC) + timedelta(days=self._settings.days)
        event = Change(
            parameters=_merged(job.parameters, parameters) if parameters else None,
            parts=self._folders.keep_parts(job, parts) if parts else None,
            run_id=run_id,
            duration_s=None if duration_s is None else self._room.duration_s(job.owner, duration_s),
            destruction=min(destruction, latest) if destruction else None,
        )
        try:
            if event.parts:
                self._room.check_files(
                    job.owner, sum(part.size for part in set(event.parts) - set(job.parts))
                )
            after = self._apply(job_id, event)
        except AweError:
            self._folders.forget_parts(job_id, set(event.parts or ()) - set(job.parts))
            raise
        self._folders.forget_parts(job_id, set(job.parts) - set(after.parts))
        return after

    def run(self, job_id: str, identity: Identity, order: Mapping[str, object]) -> Job:
        """Put a job into the queue.

        Parameters
        ----------
        order
            What its kind is to do (JSON values).

        Raises
        ------
        ConflictError
            If it was run already.
        QuotaError, BusyError
            If too many jobs wait, of this owner or of all, or the owner's time of this day or room for files is
            used up: with when to try again.
        """
        job = self.job(job_id, identity, action=RUN)
        self._check_room(job.owner)
        after = self._apply(job_id, Run(datetime.now(UTC), order))
        self.start()
        return after

    def submit(
        self,
        kind: str,
        identity: Identity,
        order: Mapping[str, object],
        *,
        parameters: Sequence[tuple[str, str]] = (),
        parts: Mapping[str, SentFile] | None = None,
        run_id: str = "",
    ) -> Job:
        """Make a job and put it into the queue, or neither; see `create`, `change` and `run`."""
        job = self.create(kind, identity, parameters=parameters, run_id=run_id)
        try:
            if parts:
                self.change(job.id, identity, parts=parts)
            return self.run(job.id, identity, order)
        except AweError:
            self.delete(job.id, identity)
            raise

    def refuse(self, job_id: str, identity: Identity, error: AweError) -> Job:
        """Let a job fail before it begins, because what it should do cannot be understood."""
        self.job(job_id, identity, action=RUN)
        return self._apply(job_id, Fail(datetime.now(UTC), 0, error))

    def abort(self, job_id: str, identity: Identity) -> Job:
        """Stop a job, wherever it is; one that has ended is left as it is."""
        self.job(job_id, identity, action=RUN)
        return self._apply(job_id, Abort(datetime.now(UTC)))

    def delete(self, job_id: str, identity: Identity) -> None:
        """Remove a job and its files."""
        self.job(job_id, identity, action=RUN)
        self._ledger.destroy(job_id)

    def result(self, job: Job, name: str) -> tuple[Result, Path]:
        """Return what a job made under a name, and where it is.

        Raises
        ------
        NotFoundError
            If it has made no such thing, or not yet.
        """
        for result in job.results:
            path = self._folders.attempt(job.id, job.attempt) / result.file
            if result.name == name and path.is_file():
                return result, path
        reason = f"it failed: {job.error.message}" if job.error else f"it is {job.phase}"
        raise NotFoundError(
            f"the job {job.id} has no result {name!r}: {reason}", hint=job.error.hint if job.error else None
        )

    def part(self, job: Job, name: str) -> tuple[Part, Path]:
        """Return a file that came with a job, and where it is.

        Raises
        ------
        NotFoundError
            If none of that name did.
        """
        for part in job.parts:
            if part.name == name:
                return part, self._folders.parts(job.id) / part.file
        raise NotFoundError(f"no file {name!r} came with the job {job.id}")

    def known(self, job_id: str) -> Job | None:
        """Return a job, or None if it is not there (any more); asks for no owner."""
        found = self._store.get(job_id)
        return found[0] if found else None

    def phases(self, ids: Sequence[str]) -> Mapping[str, Phase]:
        """Return the phases of some jobs, of those that are there; asks for no owner."""
        return self._store.phases(ids)

    def counted(self) -> Mapping[Phase, int]:
        """Return how many jobs there are in each phase, of everybody."""
        return self._store.counted()

    def _check_room(self, owner: str) -> None:
        if self._store.waiting() >= self._settings.waiting:
            raise BusyError("the queue of jobs is full", _RETRY_S)
        self._room.check_queue(owner)

    def _apply(self, job_id: str, event: Event) -> Job:
        after = self._ledger.apply(job_id, event)
        if after is None:
            raise NotFoundError(f"there is no job {job_id} any more")
        return after


def _kinds(kind: str | frozenset[str]) -> frozenset[str]:
    return frozenset({kind}) if isinstance(kind, str) else kind


def _resource(job: Job) -> Resource:
    return Resource(JOB, job.id, job.owner)


def _merged(old: Sequence[tuple[str, str]], new: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    replaced = {name.upper() for name, _ in new}
    return (*((name, value) for name, value in old if name.upper() not in replaced), *new)
