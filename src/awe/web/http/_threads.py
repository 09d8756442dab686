"""The threads that handlers run in: services may wait, the loop that serves may not."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

__all__ = ["in_thread"]

P = ParamSpec("P")
T = TypeVar("T")

_MOST = 40
"""Handlers at the same time. A thread is begun only where none is idle."""
_pool = ThreadPoolExecutor(_MOST, "handler")


def in_thread(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> Awaitable[T]:
    """Run a function in a thread, where it finds the context of whoever asked; who is cancelled does not wait for its end.

    The web framework's own way to a thread also limits and shields what is cancelled, and takes twice the time.
    """
    run = copy_context().run
    return asyncio.get_running_loop().run_in_executor(_pool, partial(run, function, *arguments, **named))
