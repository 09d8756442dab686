"""How many tables are made at once: the others wait their turn, or are told when to come back.

Queries share the engine's memory and processors. Past a number of them each further one makes all others
slower, or fail for want of memory, so it waits, without a thread; where too many wait already, or the wait
becomes long, the answer is 503 with ``Retry-After`` instead of a time-out that nobody can tell from a fault.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from awe.errors import BusyError
from awe.settings import LimitSettings

__all__ = ["Admission"]


class Admission:
    """The turns of one application; to be used inside its event loop.

    Parameters
    ----------
    limits
        `queries` at once, `waiting` behind them, each for `patience` seconds at the most.
    """

    def __init__(self, limits: LimitSettings) -> None:
        self._turns = limits.queries
        self._most_waiting = limits.waiting
        self._patience_s = limits.patience
        self._semaphore: anyio.Semaphore | None = None
        self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold a turn while the block lasts.

        Raises
        ------
        BusyError
            If too many wait, or this one waited too long.
        """
        if self._semaphore is None:  # the first use is inside the loop, the constructor is not
            self._semaphore = anyio.Semaphore(self._turns)
        await self._wait(self._semaphore)
        try:
            yield
        finally:
            self._semaphore.release()

    async def _wait(self, semaphore: anyio.Semaphore) -> None:
        try:
            semaphore.acquire_nowait()
        except anyio.WouldBlock:
            if self._waiting >= self._most_waiting:
                raise self._busy() from None
            self._waiting += 1
            try:
                with anyio.fail_after(self._patience_s):
                    await semaphore.acquire()
            except TimeoutError:
                raise self._busy() from None
            finally:
                self._waiting -= 1

    def _busy(self) -> BusyError:
        # longer the more wait, so that those who come back do not all come at once
        wait_s = 1 + self._waiting // self._turns
        return BusyError("the service is answering as many queries as it can", wait_s)
