"""Work of several threads as one stream: what they do, reading and arithmetic on arrays, lets others run."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from awe.errors import AweError

__all__ = ["Shared", "side_by_side"]

T = TypeVar("T")

_WAIT_S = 0.05


def side_by_side(
    work: Sequence[Callable[[], Iterable[T]]], workers: int, check: Callable[[], None]
) -> Iterator[T]:
    """Yield what all of `work` gives, in any order, while as many threads are at it.

    Parameters
    ----------
    check
        Raises when it is time to stop; asked all the time.
    """
    out: queue.Queue[object] = queue.Queue(2 * workers)
    left = Shared(work)
    over = threading.Event()

    def put(thing: object) -> None:
        waiting = True
        while waiting and not over.is_set():
            try:
                out.put(thing, timeout=_WAIT_S)
                waiting = False
            except queue.Full:
                check()

    def run() -> None:
        try:
            for part in left:
                for thing in part():
                    put(thing)
                    if over.is_set():
                        return
            put(_END)
        except BaseException as error:  # noqa: BLE001  # it is raised where the stream is read
            with suppress(AweError):
                put(_Failed(error))

    threads = [
        threading.Thread(target=run, name=f"sky-join-{i}", daemon=True)
        for i in range(min(workers, len(work)))
    ]
    for thread in threads:
        thread.start()
    running = len(threads)
    try:
        while running:
            check()
            try:
                thing = out.get(timeout=_WAIT_S)
            except queue.Empty:
                continue
            if thing is _END:
                running -= 1
            elif isinstance(thing, _Failed):
                raise thing.error
            else:
                yield cast("T", thing)
    finally:
        over.set()


_END = object()


@dataclass(frozen=True, slots=True)
class _Failed:
    error: BaseException


class Shared(Generic[T]):
    """An iterator that several threads take from."""

    def __init__(self, things: Iterable[T]) -> None:
        self._things = iter(things)
        self._lock = threading.Lock()

    def __iter__(self) -> "Shared[T]":
        return self

    def __next__(self) -> T:
        with self._lock:
            return next(self._things)
