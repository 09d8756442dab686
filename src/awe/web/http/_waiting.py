"""Answers that wait for a job's next phase, without a thread: one watcher looks for all of them.

Jobs change in workers, in other requests and in other processes; what all of them change is the database. The
watcher asks it for the phases of all the jobs that somebody waits for, in one query, while anybody does.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from awe.errors import AweError
from awe.services.jobs import Phase

__all__ = ["Waiters", "WaitingResponse"]

_LOG = logging.getLogger(__name__)

_LOOK_S = 0.04


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    job: str
    phase: Phase
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Waiters:
    """Those who wait for a job's next phase; to be used inside one event loop.

    Parameters
    ----------
    phases
        Asked for the phases of the jobs that somebody waits for.
    """

    def __init__(self, phases: Callable[[Sequence[str]], Mapping[str, Phase]]) -> None:
        self._phases = phases
        self._waiting: set[_Waiter] = set()
        self._watcher: asyncio.Task[None] | None = None
        self._released = False

    async def changed(self, job: str, phase: Phase, seconds: float) -> None:
        """Return when the job is in another phase, or gone; after `seconds` at the latest."""
        if self._released:
            return
        waiter = _Waiter(job, phase)
        self._waiting.add(waiter)
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.create_task(self._watch())
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(waiter.over.wait(), seconds)
        finally:
            self._waiting.discard(waiter)

    def release(self) -> None:
        """Let everybody go, and nobody wait any more: the service stops."""
        self._released = True
        for waiter in self._waiting:
            waiter.over.set()

    async def _watch(self) -> None:
        while self._waiting:
            waiting = tuple(self._waiting)
            try:
                phases = await run_in_threadpool(self._phases, sorted({waiter.job for waiter in waiting}))
            except Exception:  # noqa: BLE001  # it is looked again; who waits is answered when the time is over
                _LOG.exception("the phases of jobs could not be read")
            else:
                for waiter in waiting:
                    if phases.get(waiter.job) != waiter.phase:
                        waiter.over.set()
            await asyncio.sleep(_LOOK_S)


class WaitingResponse(Response):
    """An answer that is made when a job has left a phase, or after a time.

    Parameters
    ----------
    job, phase, seconds
        What to wait for.
    answer
        Makes the answer, in a thread.
    """

    def __init__(self, job: str, phase: Phase, seconds: float, answer: Callable[[], Response]) -> None:
        super().__init__()
        self._what = (job, phase, seconds)
        self._answer = answer
        self.on_error: Callable[[AweError], Response] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, and answer; nobody is answered who has gone."""
        waiters: Waiters = scope["app"].state.waiters
        gone = False
        async with anyio.create_task_group() as tasks:

            async def until_gone() -> None:
                nonlocal gone
                while (await receive())["type"] != "http.disconnect":
                    pass
                gone = True
                tasks.cancel_scope.cancel()

            tasks.start_soon(until_gone)
            await waiters.changed(*self._what)
            tasks.cancel_scope.cancel()
        if not gone:
            await (await self._made())(scope, receive, send)

    async def _made(self) -> Response:
        try:
            return await run_in_threadpool(self._answer)
        except AweError as error:
            if self.on_error is None:
                raise
            return self.on_error(error)
