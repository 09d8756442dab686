"""Work on the pieces of a batch in several threads, in their order.

numpy and Arrow let other threads go on while they work, so that the pieces of one batch are converted side by side on all
cores. Nothing is asked of whoever makes the rows before all that is known of the batch before has been given out.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import pyarrow as pa

__all__ = ["in_order"]

T = TypeVar("T")
R = TypeVar("R")

_THREADS = min(4, int(pa.cpu_count()))


def in_order(work: Callable[[T], R], groups: Iterable[Sequence[T]]) -> Generator[R, None, None]:
    """Yield what `work` makes of each item of each group; the items of a group are worked on at once.

    The first item of all is done before others begin, so that its reader need not wait for them.
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
            pool = pool or ThreadPoolExecutor(_THREADS)
            yield from _ahead(pool, work, rest)
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)


def _ahead(pool: ThreadPoolExecutor, work: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
    waiting: deque[Future[R]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > _THREADS:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
