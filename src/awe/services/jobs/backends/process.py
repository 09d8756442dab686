"""The runner of one machine: a few worker processes, each doing one task at a time.

Workers are forked when there is work for them and end when there was none for a while, so that a service at rest
holds no memory for them. Whatever a task does, it is stopped by stopping its process.
"""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

from awe.errors import AweError, TimeLimitError
from awe.services.jobs.backends._worker import STOP, Failure, Hello, Told
from awe.services.jobs.interface import Died, Done, Failed, Moved, Report, Stopped, Task, WorkshopOpener
from awe.services.jobs.model import Step
from awe.settings import Settings

__all__ = ["ProcessRunner"]

_KILL_S = 2.0
"""A worker that was told to stop has this time to do so."""
_REST = 10
"""What workers are forked from stays so many times as long without work as they do: it takes seconds to start."""
_OPEN_S = 60.0
"""A worker has this time to begin, besides what its task may take."""
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from awe.services.jobs.backends._zygote import main; main(int(sys.argv[2]), sys.argv[3])"
)


@dataclass(slots=True, eq=False)
class _Worker:
    connection: Connection
    since: float
    pid: int = 0
    task: Task | None = None
    until: float = float("inf")
    stopped_as: type[Stopped] | type[Failed] | None = None
    told: bool = False


class ProcessRunner:
    """Do tasks in processes of this machine.

    Parameters
    ----------
    settings
        Of the archive; `Settings.jobs` says how many workers, and how long they wait for work.
    opener
        Opens the workshop in a worker.
    """

    def __init__(self, settings: Settings, opener: WorkshopOpener) -> None:
        self._settings = settings
        self._zygote = _Zygote(opener)
        self._workers: list[_Worker] = []
        self._reports: list[Report] = []
        self._lock = threading.RLock()
        self._closed = False
        self._bell, ring = socket.socketpair()
        self._ring = ring
        self._bell.setblocking(False)
        self._ring.setblocking(False)

    def room(self) -> int:
        """Return how many more tasks could begin now."""
        with self._lock:
            return self._settings.jobs.workers - sum(worker.task is not None for worker in self._workers)

    def submit(self, task: Task) -> None:
        """Begin a task."""
        with self._lock:
            worker = next((w for w in self._workers if w.task is None and w.pid), None) or self._hire()
            worker.task = task
            worker.until = time.monotonic() + task.seconds + (0.0 if worker.pid else _OPEN_S)
            try:
                worker.connection.send(task)
            except OSError:  # it ended in this very moment: `poll` sees it
                self.wake()

    def cancel(self, job: str, attempt: int) -> None:
        """Stop a task, whatever it does; one that does not run is no error."""
        with self._lock:
            for worker in self._workers:
                task = worker.task
                if task is not None and (task.job, task.attempt) == (job, attempt):
                    worker.stopped_as = worker.stopped_as or Stopped
                    worker.until = time.monotonic()
                    self.wake()

    def poll(self, seconds: float) -> Sequence[Report]:
        """Return what happened since the last call; waits up to `seconds` for something to happen."""
        for worker in self._ready(seconds):
            self._hear(worker)
        with suppress(BlockingIOError):
            while self._bell.recv(4096):
                pass
        with self._lock:
            now = time.monotonic()
            for worker in tuple(self._workers):
                self._look_after(worker, now)
            if self._workers:
                self._zygote.used = now
            elif now - self._zygote.used > _REST * self._settings.jobs.idle:
                self._zygote.close()
            reports, self._reports = self._reports, []
            return reports

    def wake(self) -> None:
        """Let a waiting `poll` return."""
        with suppress(OSError):  # the bell is full of rings already, or nobody listens any more
            self._ring.send(b"!")

    def close(self) -> None:
        """Stop everything, without reports, and let go of it."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for worker in self._workers:
                if worker.pid:
                    _send(worker.pid, signal.SIGKILL)
                worker.connection.close()
            self._workers.clear()
            self._zygote.close()
            self._bell.close()
            self._ring.close()

    def _hire(self) -> _Worker:
        worker = _Worker(self._zygote.fork(), time.monotonic())
        self._workers.append(worker)
        with suppress(OSError):  # as in `submit`
            worker.connection.send(self._settings.for_work())
        return worker

    def _ready(self, seconds: float) -> list[_Worker]:
        """Wait until a worker says something, somebody rings, or the next thing is to be looked after."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._bell, selectors.EVENT_READ)
            with self._lock:
                for worker in self._workers:
                    selector.register(worker.connection, selectors.EVENT_READ, worker)
                due = min((self._due(worker) for worker in self._workers), default=float("inf"))
            wait = max(0.0, min(seconds, due - time.monotonic()))
            return [key.data for key, _ in selector.select(wait) if key.data is not None]

    def _due(self, worker: _Worker) -> float:
        return worker.until if worker.task is not None else worker.since + self._settings.jobs.idle

    def _hear(self, worker: _Worker) -> None:
        with self._lock:
            if worker not in self._workers:
                return
            try:
                told: Told = worker.connection.recv()
            except (EOFError, OSError):  # a message cut short is nobody's any more
                self._bury(worker)
                return
            self._note(worker, told)

    def _note(self, worker: _Worker, told: Told) -> None:
        task, now = worker.task, time.monotonic()
        if isinstance(told, Hello):
            worker.pid = told.pid
            worker.until = now + (task.seconds if task else 0.0)
        if task is None or worker.stopped_as is not None or isinstance(told, Hello):
            return
        if isinstance(told, Step):
            self._reports.append(Moved(task, told))
            return
        if isinstance(told, Failure):
            self._reports.append(Failed(task, AweError.from_json(told.error)))
        else:
            self._reports.append(Done(task, told))
        worker.task, worker.since = None, now

    def _bury(self, worker: _Worker) -> None:
        """Let go of a worker, and report what became of its task."""
        self._workers.remove(worker)
        worker.connection.close()
        task = worker.task
        if task is None:
            return
        if worker.stopped_as is Failed:
            error = TimeLimitError(
                f"the job took longer than the {task.seconds:g} s it may",
                hint="ask for less, or for more time",
            )
            self._reports.append(Failed(task, error))
        else:
            self._reports.append(Stopped(task) if worker.stopped_as else Died(task))

    def _look_after(self, worker: _Worker, now: float) -> None:
        """Stop a worker whose time is over or whose task was cancelled; let one go that was idle for long."""
        if now < self._due(worker):
            return
        if worker.task is not None:
            worker.stopped_as = worker.stopped_as or Failed
        if worker.task is None or not worker.pid:
            self._bury(worker)  # it ends when its connection is closed
        else:
            _send(worker.pid, signal.SIGKILL if worker.told else STOP)
            worker.told, worker.until = True, now + _KILL_S


class _Zygote:
    """The process that workers are forked from; it is started when the first one is wanted."""

    def __init__(self, opener: WorkshopOpener) -> None:
        self._opener = opener
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self.used = 0.0

    def fork(self) -> Connection:
        """Return the connection to a new worker; what is sent waits until the worker is there."""
        if self._process is None or self._control is None or self._process.poll() is not None:
            self.close()
            self._control = self._start()
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [b"w"], [theirs.fileno()])
        self.used = time.monotonic()
        return Connection(ours.detach())

    def close(self) -> None:
        """End it; its workers end when their connections are closed."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and our own words
                [sys.executable, "-c", _START, json.dumps(sys.path), str(theirs.fileno()), self._opener],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        return ours


def _send(pid: int, what: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, what)
