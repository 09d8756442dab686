"""Values of a job and the one function that changes it: an event in, a job and instructions out.

Words: a job has a *phase* (UWS 1.1 section 2.1.3). When it runs, an *attempt* of it does: attempts are
numbered from one, each has a folder of its own, and only what the current attempt says counts; an older one,
which somebody took for dead, may go on for a while and changes nothing. `advance` has no clock, no file and no
database: whoever calls it carries out the *effects* it returns, after the job is stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from awe.errors import AweError, ConflictError, TimeLimitError, UnavailableError
from awe.services.identity import SCOPES

__all__ = [
    "ACTIVE", "FINAL", "JOB", "RUNNING", "Abort", "Change", "DiscardAttempt", "Effect", "Event", "Fail", "Finish", "Job",
    "Lost", "Part", "Phase", "Progressed", "Release", "Result", "Run", "Start", "Step", "StopAttempt", "WakeRunner",
    "advance",
]  # fmt: skip


JOB = "job"
"""The kind of a job, for the policy."""


class Phase(StrEnum):
    """The phases of UWS 1.1 section 2.1.3.

    awe itself uses the six of an ordinary life. HELD and SUSPENDED are for batch systems. A job is destroyed, not
    ARCHIVED, at its destruction time, and it is never UNKNOWN: its record is in the service's own database.
    """

    PENDING = "PENDING"
    HELD = "HELD"
    QUEUED = "QUEUED"
    EXECUTING = "EXECUTING"
    SUSPENDED = "SUSPENDED"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"
    ABORTED = "ABORTED"
    ARCHIVED = "ARCHIVED"
    UNKNOWN = "UNKNOWN"


ACTIVE = frozenset({Phase.PENDING, Phase.QUEUED, Phase.EXECUTING})
"""The phases in which a client may wait for the next one (UWS 1.1 section 2.2.1.2)."""

FINAL = frozenset({Phase.COMPLETED, Phase.ERROR, Phase.ABORTED, Phase.ARCHIVED})
"""The phases that are left by destruction only."""

RUNNING = frozenset({Phase.EXECUTING, Phase.SUSPENDED})
"""The phases in which an attempt runs."""
_WAITING = frozenset({Phase.PENDING, Phase.HELD, Phase.QUEUED})


@dataclass(frozen=True, slots=True)
class Result:
    """One file that a job made.

    Attributes
    ----------
    name
        What the result is called; unique within its job.
    file
        Name of the file in the attempt's folder; it is offered under this name.
    media_type
        What it is.
    size
        In bytes.
    overflow
        True when rows were left out because of a limit.
    rows
        How many there are; None where it is no table.
    engine
        What made the rows; empty where none did.
    """

    name: str
    file: str
    media_type: str
    size: int
    overflow: bool = False
    rows: int | None = None
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A file that came with a job.

    Attributes
    ----------
    name
        What the client calls it; unique within its job.
    file
        Name of the file that it is kept in.
    filename, media_type
        What its sender says of it; either may be empty.
    size
        In bytes.
    """

    name: str
    file: str
    filename: str = ""
    media_type: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """How far a job is: what is done now, how much of it, out of how much (None: not known)."""

    what: str
    done: int
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands.

    Attributes
    ----------
    id
        Cannot be guessed: whoever knows the id of an anonymous job may do with it what its owner may.
    kind
        What does the work (a registered name).
    owner
        Name of the user; empty for an anonymous one.
    run_id
        The client's own name for it.
    parameters
        What the client gave, in order, as it was given; for people to read.
    parts
        Files that came with it.
    order
        What the kind is to do (JSON values); made of the parameters when the job is run.
    duration_s
        So long an attempt may run, in seconds.
    destruction
        When the job and its files are removed.
    attempt
        Number of the last attempt; 0 before the first.
    losses
        How many attempts ended without a word.
    scopes
        What the token allowed that it was made with: the job may do no more.
    """

    id: str
    kind: str
    owner: str
    created: datetime
    destruction: datetime
    duration_s: int
    run_id: str = ""
    phase: Phase = Phase.PENDING
    parameters: tuple[tuple[str, str], ...] = ()
    parts: tuple[Part, ...] = ()
    order: Mapping[str, object] = field(default_factory=dict)
    queued: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    attempt: int = 0
    losses: int = 0
    scopes: frozenset[str] = SCOPES
    progress: Step | None = None
    results: tuple[Result, ...] = ()
    error: AweError | None = None

    @property
    def bytes(self) -> int:
        """Size of what is kept of it."""
        return sum(result.size for result in self.results) + sum(part.size for part in self.parts)


# Events: what a client asks for


@dataclass(frozen=True, slots=True)
class Run:
    """The client wants it done: `order` says what the kind is to do."""

    now: datetime
    order: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Abort:
    """The client does not want it any more."""

    now: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """The client sets what it may set before the work begins; None leaves a value alone."""

    parameters: tuple[tuple[str, str], ...] | None = None
    parts: tuple[Part, ...] | None = None
    run_id: str | None = None
    duration_s: int | None = None
    destruction: datetime | None = None


# Events: what the service and its runner say


@dataclass(frozen=True, slots=True)
class Start:
    """Somebody took the job from the queue: a new attempt begins."""

    now: datetime


@dataclass(frozen=True, slots=True)
class Progressed:
    """An attempt tells how far it is."""

    attempt: int
    step: Step


@dataclass(frozen=True, slots=True)
class Finish:
    """An attempt has done its work."""

    now: datetime
    attempt: int
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Fail:
    """An attempt cannot do its work, or (attempt 0) the work could not even begin."""

    now: datetime
    attempt: int
    error: AweError


@dataclass(frozen=True, slots=True)
class Lost:
    """An attempt ended without a word: its process or its whole service died."""

    now: datetime
    attempt: int
    most: int
    """So many attempts may be lost before the job is given up."""


@dataclass(frozen=True, slots=True)
class Release:
    """An attempt was stopped for the service's own sake (it shuts down); nothing is held against the job."""

    attempt: int


Event = Run | Abort | Change | Start | Progressed | Finish | Fail | Lost | Release


# Effects: what is to be done once the job is stored


@dataclass(frozen=True, slots=True)
class WakeRunner:
    """There is something in the queue."""


@dataclass(frozen=True, slots=True)
class StopAttempt:
    """Stop the process of an attempt, if it still runs."""

    attempt: int


@dataclass(frozen=True, slots=True)
class DiscardAttempt:
    """Remove the files of an attempt: nobody will ask for them."""

    attempt: int


Effect = WakeRunner | StopAttempt | DiscardAttempt


def advance(job: Job, event: Event) -> tuple[Job, tuple[Effect, ...]]:
    """Return the job after an event, and what is to be done about it.

    What the current attempt does not say, or says too late, changes nothing: an aborted job never completes.

    Raises
    ------
    ConflictError
        If the client asks for what the phase does not allow.
    """
    if isinstance(event, Run | Abort | Change):
        return _asked(job, event)
    if isinstance(event, Start):
        return _start(job, event)
    if isinstance(event, Fail) and event.attempt == 0:
        refused = job.phase in {Phase.PENDING, Phase.HELD}
        return (_failed(job, event), ()) if refused else (job, ())
    if event.attempt != job.attempt or job.phase not in RUNNING:
        stale = isinstance(event, Finish | Fail | Lost | Release)
        return job, (DiscardAttempt(event.attempt),) if stale else ()
    return _reported(job, event)


def _asked(job: Job, event: Run | Abort | Change) -> tuple[Job, tuple[Effect, ...]]:
    if isinstance(event, Run):
        if job.phase not in {Phase.PENDING, Phase.HELD}:
            raise _conflict(job, "cannot be run", "it was run already; make a new job")
        return replace(job, phase=Phase.QUEUED, queued=event.now, order=event.order), (WakeRunner(),)
    if isinstance(event, Abort):
        if job.phase in FINAL:
            return job, ()  # it does nothing any more, as was asked
        stopped = replace(job, phase=Phase.ABORTED, ended=event.now)
        return stopped, _stop(job)
    return _changed(job, event), ()


def _changed(job: Job, event: Change) -> Job:
    begun = job.phase not in {Phase.PENDING, Phase.HELD}
    if begun and any(given is not None for given in (event.parameters, event.parts, event.run_id)):
        raise _conflict(job, "takes no parameters any more", "set them before it is run")
    if event.duration_s is not None and job.phase not in _WAITING:
        raise _conflict(job, "has its time already", "set the execution duration before it begins")
    return replace(
        job,
        parameters=job.parameters if event.parameters is None else event.parameters,
        parts=job.parts if event.parts is None else event.parts,
        run_id=job.run_id if event.run_id is None else event.run_id,
        duration_s=job.duration_s if event.duration_s is None else event.duration_s,
        destruction=event.destruction or job.destruction,
    )


def _start(job: Job, event: Start) -> tuple[Job, tuple[Effect, ...]]:
    if job.phase is not Phase.QUEUED:
        return job, ()
    begun = replace(
        job, phase=Phase.EXECUTING, started=event.now, attempt=job.attempt + 1, progress=None, error=None
    )
    return begun, ()


def _reported(job: Job, event: Progressed | Finish | Fail | Lost | Release) -> tuple[Job, tuple[Effect, ...]]:
    discard: tuple[Effect, ...] = (DiscardAttempt(job.attempt),)
    if isinstance(event, Progressed):
        return replace(job, progress=event.step), ()
    if isinstance(event, Finish):
        return replace(job, phase=Phase.COMPLETED, ended=event.now, results=event.results), ()
    if isinstance(event, Fail):
        return _failed(job, event), discard
    if isinstance(event, Release):
        return _queued_again(job), (*discard, WakeRunner())
    lost = replace(job, losses=job.losses + 1)
    if lost.losses < event.most:
        return _queued_again(lost), (*discard, WakeRunner())
    return _failed(lost, Fail(event.now, job.attempt, _given_up(lost.losses))), discard


def _failed(job: Job, event: Fail) -> Job:
    # UWS 1.1 section 2.1.4: to exceed the execution duration has the same effect as to be aborted
    phase = Phase.ABORTED if isinstance(event.error, TimeLimitError) else Phase.ERROR
    return replace(job, phase=phase, ended=event.now, error=event.error)


def _queued_again(job: Job) -> Job:
    return replace(job, phase=Phase.QUEUED, started=None, progress=None)


def _stop(job: Job) -> tuple[Effect, ...]:
    running = job.phase in RUNNING
    return (StopAttempt(job.attempt), DiscardAttempt(job.attempt)) if running else ()


def _given_up(losses: int) -> AweError:
    return UnavailableError(
        f"the job was begun {losses} times, and each time its process died before the end",
        hint="it may need more memory than there is: ask for less, or in several parts",
    )


def _conflict(job: Job, what: str, hint: str) -> ConflictError:
    return ConflictError(f"a job that is {job.phase} {what}", hint=hint, phase=str(job.phase))
