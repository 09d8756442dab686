"""Work on the pieces of a table in several threads, in their order.

numpy and Arrow let other threads go on while they work, so that pieces are converted side by side. Who writes does so in two
steps: the first, with the digits, in one other thread, the second where the pieces are asked for. Several threads for the first
would wait for each other, since digits are made with Python's lock held.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import TypeVar

import pyarrow as pa

__all__ = ["ahead", "in_order"]

T = TypeVar("T")
R = TypeVar("R")

_THREADS = min(4, int(pa.cpu_count()))


def in_order(work: Callable[[T], R], groups: Iterable[Sequence[T]]) -> Generator[R, None, None]:
    """Yield what `work` makes of each item of each group, while another thread works on those behind it in the group.

    The first item of all is done before others begin, so that its reader need not wait for them. Nothing is asked of whoever
    makes the groups before all that is known of the group before has been given out.
    """
    pool: ThreadPoolExecutor | None = None
    alone = 1
    try:
        for group in groups:
            yield from map(work, group[:alone])
            rest = group[alone:]
            alone = 0 if group else alone
            if _THREADS < 2 or len(rest) < 2:
                yield from map(work, rest)
                continue
            pool = pool or ThreadPoolExecutor(1)
            yield from _results(_begun(pool, work, rest))
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)


def ahead(work: Callable[[T], R], items: Iterable[T], *, together: bool = True) -> Generator[R, None, None]:
    """Yield what `work` makes of each item, while the items behind it are made and worked on.

    For items that are there for the taking, such as the parts of a file: they are asked for by whoever asks for results, a
    few before their turn. Where they fail, what was made of those before comes first. The first one is done before others
    are asked for. Unless they are worked on `together`, each one is begun when the one before is done.
    """
    pool: ThreadPoolExecutor | None = None
    left = iter(items)
    try:
        for item in left:
            yield work(item)
            if _THREADS > 1:
                break
        for second in left:
            pool = ThreadPoolExecutor(_THREADS if together else 1)
            yield from _results(_begun(pool, work, chain((second,), left)))
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)


def _begun(pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T]) -> Iterator[Future[R]]:
    """Yield what is being made of each item; where there is none because they fail, it fails in its turn."""
    try:
        for item in items:
            yield pool.submit(work, item)
    except Exception as error:  # noqa: BLE001 - raised by whoever waits for the result
        failed: Future[R] = Future()
        failed.set_exception(error)
        yield failed


def _results(begun: Iterable[Future[R]]) -> Iterator[R]:
    """Yield the results in order, while the next few are being made."""
    waiting: deque[Future[R]] = deque()
    for future in begun:
        waiting.append(future)
        if len(waiting) > _THREADS:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
