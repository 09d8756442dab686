"""A worker: one process that does one task after the other, until nobody wants it any more.

It ends itself when its service is gone: what it would still make could reach nobody. To be stopped is a signal
that becomes an exception here, so that a query is cancelled and files are closed; a worker that does not end
soon after it is killed.
"""

import logging
import math
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import NoReturn

from awe.errors import AweError, ServiceError
from awe.services.jobs.interface import Task, Workshop
from awe.services.jobs.model import Result, Step
from awe.settings import Settings

__all__ = ["STOP", "Failure", "Hello", "Told", "ending_with", "work"]

_LOG = logging.getLogger(__name__)

STOP = signal.SIGUSR1
"""What tells a worker to stop what it does; not SIGTERM, which others send to all processes of a service."""

_TELL_S = 0.5


@dataclass(frozen=True, slots=True)
class Hello:
    """The worker is there, and may be stopped by a signal."""

    pid: int


@dataclass(frozen=True, slots=True)
class Failure:
    """The task failed: the error as JSON, as errors do not travel well themselves."""

    error: dict[str, object]


Told = Hello | Step | tuple[Result, ...] | Failure
"""What a worker says. After its results or a failure it waits for the next task."""


class _Stopped(BaseException):
    """The task is not wanted any more; nobody may catch this."""


def work(handle: int, open_workshop: Callable[[Settings], Workshop]) -> NoReturn:
    """Be a worker, at one end of a socket, and never return.

    Parameters
    ----------
    handle
        File descriptor of the socket: the settings come first, then tasks.
    """
    code = 1
    try:
        with ending_with(handle):
            connection = Connection(handle)
            workshop = open_workshop(connection.recv())
            try:
                signal.signal(STOP, _stop)
                connection.send(Hello(os.getpid()))
                _serve(connection, workshop)
            finally:
                workshop.close()
        code = 0
    except (_Stopped, EOFError, ConnectionError):
        code = 0
    except Exception:  # noqa: BLE001  # the service sees that the worker is gone
        _LOG.exception("a worker failed")
    finally:
        os._exit(code)  # nothing of the process that this one was forked from may run


def _stop(_signal: int, _frame: object) -> NoReturn:
    raise _Stopped


@contextmanager
def ending_with(handle: int) -> Iterator[None]:
    """End this process at once if the other end of a socket is closed while the block lasts."""
    over, done = os.pipe()

    def watch() -> None:
        gone = select.poll()
        gone.register(handle, select.POLLRDHUP)  # not for data: those are read elsewhere
        gone.register(over, select.POLLIN)
        if handle in dict(gone.poll()):
            os._exit(1)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        os.write(done, b"!")
        watcher.join()
        os.close(over)
        os.close(done)


def _serve(connection: Connection, workshop: Workshop) -> None:
    while True:
        task: Task = connection.recv()
        connection.send(_done(connection, workshop, task))


def _done(connection: Connection, workshop: Workshop, task: Task) -> Told:
    progress = _Progress(connection)
    try:
        return workshop.run(task, progress)
    except AweError as error:
        return Failure(error.to_json())
    except Exception:  # noqa: BLE001  # a fault of ours; the log has it
        _LOG.exception("attempt %d of job %s failed", task.attempt, task.job)
        told = ServiceError(
            "something went wrong inside the service", hint=f"tell its operators the job number {task.job}"
        )
        return Failure(told.to_json())
    finally:
        progress.end()


class _Progress:
    """Tell the service how far a task is, not more often than anybody looks, from any thread, until it has ended."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._next = 0.0
        self._lock = threading.Lock()

    def __call__(self, what: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        with self._lock:
            if now >= self._next:
                self._next = now + _TELL_S
                self._connection.send(Step(what, done, total))

    def end(self) -> None:
        """Tell no more: what is sent next is how the task ended."""
        with self._lock:
            self._next = math.inf
