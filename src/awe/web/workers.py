"""Several processes that serve one archive at one address, and the one that they are forked from and that watches them.

That one has loaded everything and opens nothing: it has no threads, and what it loaded is in memory once. A process that
dies is begun again. All of them end when it ends, however that happens. Each opens the archive for itself; what they must
agree on is in the system database and in files. The first one runs the jobs; the others ring when they have queued one.
"""

import gc
import logging
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from awe.errors import AweError
from awe.platform import Platform
from awe.settings import Settings
from awe.web.http import SharedFigures
from awe.web.server import PATIENCE_S, Listener, serve

__all__ = ["Workers", "apart"]

_LOG = logging.getLogger(__name__)
_MARGIN_S = 5.0
_YOUNG_S = 5.0
"""Who died so young is begun again only after a while."""
_LONGEST_WAIT_S = 30.0


def apart(work: Callable[[], object]) -> None:
    """Do some work in a process of its own, so that nothing of it stays here; where it fails, this one ends as it did."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        work()
        sys.exit(0)
    try:
        status = os.waitpid(child, 0)[1]
    except BaseException:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
        raise
    if status:
        sys.exit(abs(os.waitstatus_to_exitcode(status)))


class Workers:
    """The processes that serve.

    Parameters
    ----------
    settings
        Of the archive.
    listeners
        One for each.
    log
        Begins the log of a process.
    """

    def __init__(
        self, settings: Settings, listeners: Sequence[Listener], log: Callable[[Settings], object]
    ) -> None:
        self._settings = settings
        self._log = log
        self._listeners = listeners
        self._alive: dict[int, tuple[int, float]] = {}
        self._due = dict.fromkeys(range(len(listeners)), 0.0)
        self._young = dict.fromkeys(self._due, 0)
        self._bell, self._heard = socket.socketpair()
        self._bell.setblocking(False)
        self._lifeline, self._end = os.pipe()

    def run(self) -> NoReturn:
        """Serve until a signal (Ctrl-C, TERM) says to stop."""
        self._log(self._settings)
        gc.collect()
        gc.freeze()  # what is loaded stays where it is, and so is shared
        with TemporaryDirectory(prefix="awe-figures-") as figures, _children_wake() as woken:
            try:
                while True:
                    self._begin(Path(figures))
                    wait = min(self._due.values(), default=time.monotonic() + 3600) - time.monotonic()
                    if select.select([woken], [], [], max(0.0, wait))[0]:
                        os.read(woken, 4096)
                    self._bury()
            finally:
                self._stop()

    def _begin(self, figures: Path) -> None:
        """Begin those whose time has come."""
        for number in [number for number, due in self._due.items() if due <= time.monotonic()]:
            del self._due[number]
            child = os.fork()
            if child == 0:
                self._work(number, figures)
            self._alive[child] = (number, time.monotonic())

    def _bury(self) -> None:
        for child, (number, since) in tuple(self._alive.items()):
            ended, status = os.waitpid(child, os.WNOHANG)
            if not ended:
                continue
            del self._alive[child]
            now = time.monotonic()
            self._young[number] = self._young[number] + 1 if now - since < _YOUNG_S else 0
            young = self._young[number]
            wait = min(_LONGEST_WAIT_S, 2.0**young) if young else 0.0
            code = os.waitstatus_to_exitcode(status)
            _LOG.error("server process %d ended (%d); it is begun again in %g s", number, code, wait)
            self._due[number] = now + wait

    def _stop(self) -> None:
        """Tell all to stop, and end those that do not."""
        until = time.monotonic() + PATIENCE_S + self._settings.jobs.grace + _MARGIN_S
        for child in self._alive:
            os.kill(child, signal.SIGTERM)
        while self._alive and time.monotonic() < until:
            for child in tuple(self._alive):
                if os.waitpid(child, os.WNOHANG)[0]:
                    del self._alive[child]
            time.sleep(0.02)
        for child in self._alive:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    def _work(self, number: int, figures: Path) -> NoReturn:
        """Be a process that serves."""
        code = 0
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the one that watches
            os.close(self._end)
            threading.Thread(target=self._end_together, daemon=True).start()
            with Platform.open(self._settings.for_process()) as platform:
                self._log(platform.settings)
                if number:
                    platform.jobs.leave(self._ring)
                else:
                    threading.Thread(target=self._listen, args=(platform,), daemon=True).start()
                serve(platform, self._listeners[number], SharedFigures(figures, number))
        except SystemExit:
            pass  # it was told to stop
        except AweError as error:
            _LOG.error("%s", error)  # the operator's to mend, as it says
            code = 1
        except Exception:  # noqa: BLE001  # it is begun again
            _LOG.exception("a server process failed")
            code = 1
        finally:
            logging.shutdown()
            os._exit(code)  # nothing of the process that this one was forked from may run

    def _ring(self) -> None:
        with suppress(BlockingIOError):  # nobody has heard the rings before this one yet
            self._bell.send(b"!")

    def _listen(self, platform: Platform) -> None:
        while self._heard.recv(4096):
            platform.jobs.look()

    def _end_together(self) -> None:
        os.read(self._lifeline, 1)  # its other end is held by the process that watches, and by no other
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(PATIENCE_S + self._settings.jobs.grace + _MARGIN_S)
        os._exit(1)


@contextmanager
def _children_wake() -> Iterator[int]:
    """Yield what can be read from when a child has ended."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    before = signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
    signal.set_wakeup_fd(write)
    try:
        yield read
    finally:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, before)
        os.close(read)
        os.close(write)
