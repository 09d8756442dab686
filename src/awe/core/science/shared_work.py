"""Small pieces of work that free cores help with: the caller does them too, and waits for nobody who is busy."""

import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

__all__ = ["share"]

T = TypeVar("T")

_HELPERS = min(3, (os.cpu_count() or 1) - 1)


def share(work: Callable[[T], None], items: Iterable[T]) -> None:
    """Do `work` with each item, in any order, on the cores that are free.

    Raises
    ------
    Exception
        What `work` raises; other items may have been done then.
    """
    waiting = deque(items)

    def do() -> None:
        while waiting:
            try:
                item = waiting.popleft()
            except IndexError:  # another thread took the last one
                return
            work(item)

    helpers = [_pool().submit(do) for _ in range(min(_HELPERS, len(waiting) - 1))]
    try:
        do()
    finally:
        waiting.clear()
        begun = [helper for helper in helpers if not helper.cancel()]
        for helper in begun:
            helper.exception()  # waits; nothing is written any more when this function is left
    for helper in begun:
        helper.result()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, _HELPERS), thread_name_prefix="pixels")
