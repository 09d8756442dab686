"""The Runner seam (who does the work), and what a kind of job is.

A runner does tasks somewhere: in processes of this machine, in a cluster. It knows nothing of a queue, an owner
or a phase, and it keeps nothing: what it has not reported when it goes away is lost, and is begun again by
whoever comes after. A backend passes ``tests/conformance/test_runner.py``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from awe.core.progress import Progress
from awe.errors import AweError, QuotaError
from awe.services.identity import Identity, Measure
from awe.services.jobs.model import Part, Result, Step

__all__ = [
    "Died", "Done", "Failed", "Kind", "Moved", "Report", "Runner", "SentFile", "Stopped", "Task", "Work", "Workshop",
    "WorkshopOpener",
]  # fmt: skip


class SentFile(Protocol):
    """A file that comes with a request."""

    @property
    def content(self) -> BinaryIO:
        """What is in it; can be read from its beginning."""

    @property
    def filename(self) -> str:
        """What its sender calls it, or nothing."""

    @property
    def media_type(self) -> str:
        """What its sender says it is, or nothing."""


@dataclass(frozen=True, slots=True)
class Task:
    """One attempt of a job, as a runner is given it.

    Attributes
    ----------
    job, attempt
        Which one it is.
    kind, owner, scopes, order
        As in `awe.services.jobs.model.Job`.
    folder
        An empty folder for the files that it makes; nobody else sees them before it has finished.
    parts, parts_folder
        Files that came with the job, and where they are.
    seconds
        So long it may take.
    most_bytes
        So much its files may have together; None for any size.
    queued
        When the job was put into the queue.
    """

    job: str
    attempt: int
    kind: str
    owner: str
    scopes: frozenset[str]
    order: Mapping[str, object]
    folder: Path
    parts: tuple[Part, ...]
    parts_folder: Path
    seconds: float
    most_bytes: int | None = None
    queued: datetime | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """The task is so far."""

    task: Task
    step: Step


@dataclass(frozen=True, slots=True)
class Done:
    """The task is done; its files are on the disk."""

    task: Task
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """The task cannot be done."""

    task: Task
    error: AweError


@dataclass(frozen=True, slots=True)
class Stopped:
    """The task was cancelled, and nothing of it runs any more."""

    task: Task


@dataclass(frozen=True, slots=True)
class Died:
    """Whoever did the task is gone, without a word."""

    task: Task


Report = Moved | Done | Failed | Stopped | Died


class Runner(Protocol):
    """Do tasks; every task that was submitted ends in one report that is not `Moved`.

    All methods may be called from any thread; `poll` from one at a time.
    """

    def room(self) -> int:
        """Return how many more tasks could begin now."""

    def submit(self, task: Task) -> None:
        """Begin a task."""

    def cancel(self, job: str, attempt: int) -> None:
        """Stop a task, whatever it does; one that does not run is no error."""

    def poll(self, seconds: float) -> Sequence[Report]:
        """Return what happened since the last call; waits up to `seconds` for something to happen."""

    def wake(self) -> None:
        """Let a waiting `poll` return."""

    def close(self) -> None:
        """Stop everything, without reports, and let go of it."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a kind is given to do.

    Attributes
    ----------
    identity
        Whose job it is: what the owner may read, the job may read.
    order
        What is to be done, as the kind's own `to_json` wrote it.
    folder
        Where its files go.
    parts, parts_folder
        Files that came with the job, and where they are.
    progress
        To be told how far it is; it may be told as often as one likes.
    most_bytes
        So much its files may have together; None for any size. `Work.check` says when it is too much.
    again_since
        Of work that was begun before, and whose process died or was stopped: when it was put into the queue. What
        has changed since may be its own doing.
    """

    identity: Identity
    order: Mapping[str, object]
    folder: Path
    parts: tuple[Part, ...]
    parts_folder: Path
    progress: Progress
    most_bytes: int | None = None
    again_since: datetime | None = None

    def check(self, size: int) -> None:
        """Raise `QuotaError` if so many bytes are more than its owner may keep."""
        if self.most_bytes is not None and size > self.most_bytes:
            raise QuotaError(
                f"the result has more than the {self.most_bytes:,} bytes that you may still keep",
                measure=Measure.STORAGE_BYTES,
                limit=self.most_bytes,
                used=size,
                hint="remove jobs that you do not need, or ask for fewer rows or columns",
            )


Kind = Callable[[Work], Sequence[Result]]
"""A kind of job: does the work, writes its files into the work's folder, and says which they are.

Errors of `awe.errors` become the job's error. It may be stopped at any moment, and be begun again.
"""


class Workshop(Protocol):
    """What a worker opens once, to do one task after the other."""

    def run(self, task: Task, progress: Progress) -> tuple[Result, ...]:
        """Do a task."""

    def close(self) -> None:
        """Let go of everything."""


WorkshopOpener = str
"""``module:function``, of a function that opens a `Workshop` from `awe.settings.Settings` in a worker."""
