"""Turns that are fair between callers, and answers that are made in them: cutouts and pictures.

To read and draw pixels takes a processor and a disk. So many are at it at once, of each caller fewer, and who waits is
called caller by caller in a circle: who asks for a thousand pieces waits for his own, and nobody else does. A piece of an
answer that is sent to a slow client needs no turn, only the making of it.
"""

import logging
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from math import inf

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from awe.errors import AweError, BusyError
from awe.settings import ImageSettings
from awe.web.http._errors import unexpected

__all__ = ["FairResponse", "FairStream", "FairTurns"]

_LOG = logging.getLogger(__name__)


class FairTurns:
    """The turns of one application; to be used inside its event loop.

    Parameters
    ----------
    settings
        `at_once` for all, `each` for one caller, `waiting` behind them of one caller.
    patience_s
        So long one waits at the most.
    """

    def __init__(self, settings: ImageSettings, patience_s: float) -> None:
        self._most, self._each, self._most_waiting = settings.at_once, settings.each, settings.waiting
        self._patience_s = patience_s
        self._running: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[anyio.Event]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, subject: str, *, begun: bool = False) -> AsyncIterator[None]:
        """Hold a turn while the block lasts.

        Parameters
        ----------
        subject
            Whose turn it is.
        begun
            Whether it goes on with an answer that has begun: that waits as long as it takes.

        Raises
        ------
        BusyError
            If too many of this caller wait, or this one waited too long.
        """
        await self._take(subject, begun=begun)
        try:
            yield
        finally:
            self._leave(subject)

    async def _take(self, subject: str, *, begun: bool) -> None:
        queue = self._waiting.get(subject, ())
        if not queue and self._may(subject):
            self._running[subject] += 1
            return
        if len(queue) >= self._most_waiting and not begun:
            raise self._busy(len(queue))
        called = anyio.Event()
        self._waiting.setdefault(subject, deque()).append(called)
        try:
            with anyio.fail_after(inf if begun else self._patience_s):
                await called.wait()
        except BaseException as error:
            if called.is_set():
                self._leave(subject)
            else:
                self._forget(subject, called)
            if isinstance(error, TimeoutError):
                raise self._busy(len(queue)) from None
            raise

    def _may(self, subject: str) -> bool:
        return self._running.total() < self._most and self._running[subject] < self._each

    def _leave(self, subject: str) -> None:
        self._running[subject] -= 1
        if not self._running[subject]:
            del self._running[subject]
        while (after := next((one for one in self._waiting if self._may(one)), None)) is not None:
            called = self._waiting[after][0]
            self._forget(after, called)
            if after in self._waiting:
                self._waiting.move_to_end(after)
            self._running[after] += 1
            called.set()

    def _forget(self, subject: str, called: anyio.Event) -> None:
        queue = self._waiting[subject]
        queue.remove(called)
        if not queue:
            del self._waiting[subject]

    def _busy(self, before: int) -> BusyError:
        return BusyError(
            "so many of your cutouts and pictures are being made already", 1 + before // self._each
        )


class FairResponse(Response):
    """An answer that is made in its caller's turn, by a thread.

    Parameters
    ----------
    subject
        Whose turn it is.
    make
        Makes the answer.

    Attributes
    ----------
    on_error
        Renders what goes wrong.
    """

    def __init__(self, subject: str, make: Callable[[], Response]) -> None:
        super().__init__()
        self.on_error: Callable[[AweError], Response] | None = None
        self._subject, self._make = subject, make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Make the answer and send it."""
        turns: FairTurns = scope["app"].state.fair
        try:
            async with turns.turn(self._subject):
                answer = await anyio.to_thread.run_sync(self._make)
        except AweError as error:
            if self.on_error is None:
                raise
            answer = self.on_error(error)
        except Exception:
            if self.on_error is None:
                raise
            _LOG.exception("request %s failed", scope["state"]["request_id"])
            answer = self.on_error(unexpected(scope["state"]["request_id"]))
        await answer(scope, receive, send)


class FairStream(Response):
    """An answer of many pieces, each of which is made in its caller's turn, by a thread, when the one before has gone."""

    def __init__(
        self, subject: str, pieces: Iterator[bytes], media_type: str, headers: Mapping[str, str]
    ) -> None:
        super().__init__(media_type=media_type, headers=dict(headers))
        del self.headers["content-length"]
        self._subject, self._pieces = subject, pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the pieces; stop when the client goes."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_until_gone, receive, tasks.cancel_scope)
            await self._send(scope["app"].state.fair, send)
            tasks.cancel_scope.cancel()

    async def _send(self, turns: FairTurns, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        piece: bytes | None = b""
        while piece is not None:
            async with turns.turn(self._subject, begun=True):
                piece = await anyio.to_thread.run_sync(next, self._pieces, None)
            await send({"type": "http.response.body", "body": piece or b"", "more_body": piece is not None})


async def _until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
