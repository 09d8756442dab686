"""How long work tells how far it is, in every ring alike.

Most work is handed whom to tell. What begins far below whoever wants to know, such as the sky joins of a query in a batch
of a job, asks `listener` who that is.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["Progress", "heard_by", "listener", "silent"]

Progress = Callable[[str, int, int | None], None]
"""Told of long work: what is done now, how much of it, out of how much (None: not known)."""


def silent(_what: str, _done: int, _total: int | None) -> None:
    """Tell nobody."""


_LISTENER: ContextVar[Progress] = ContextVar("_LISTENER", default=silent)


@contextmanager
def heard_by(progress: Progress) -> Iterator[None]:
    """Let what is begun inside, by this thread, tell somebody how far it is; it may tell from threads of its own."""
    token = _LISTENER.set(progress)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def listener() -> Progress:
    """Return who wants to know how far it is with what this thread begins; `silent` where nobody does."""
    return _LISTENER.get()
