"""What may wait, and who must not: work that is done at once or not at all.

A thread that serves many (the event loop of a server) can do for one of them only what waits for nothing: no disk, no
database, no other thread. Inside `at_once` such work is tried. Whatever is about to wait says so beforehand (`waits`), and
if it must not, what was tried is given up there (`WouldWaitError`), to be done again from its beginning by a thread that may.
So what is tried must change nothing before the last thing that may wait.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["WouldWaitError", "at_once", "may_wait", "waits"]


class WouldWaitError(BaseException):
    """What is done at once would have to wait: no fault, so that nobody on its way takes it for one."""


class _Thread(threading.local):
    may_wait = True


_thread = _Thread()


@contextmanager
def at_once() -> Iterator[None]:
    """Let nothing inside, done by this thread, wait; what would raises `WouldWaitError`."""
    before, _thread.may_wait = _thread.may_wait, False
    try:
        yield
    finally:
        _thread.may_wait = before


def may_wait() -> bool:
    """Say whether this thread may wait now."""
    return _thread.may_wait


def waits() -> None:
    """Say that what comes next may wait; `WouldWaitError` where it must not."""
    if not _thread.may_wait:
        raise WouldWaitError
