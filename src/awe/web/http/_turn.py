"""Answers that an engine works for: they take their turn, count for their caller's quota, and stop when nobody listens.

What goes wrong before the answer's head is sent has its proper status. All waiting for the engine happens in threads.
When the client goes away, at any moment, the work is closed, which cancels the query. An answer takes its turn
(`FairTurns`) before the work begins, and holds it until the work is closed. Each is a query of its caller's, whose
quota it counts for from before its turn to its end, and the last thing that the client hears comes after that. Who
accepts gzip gets it, packed piece by piece as the rows come.

What is *prompt* (rows that are looked up) needs no engine, so no turn: it is made whole by the thread that began it and
sent as one, unless it is long.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TypeVar

import anyio
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from awe.core.tables.formats import gzipped
from awe.core.waiting import WouldWaitError
from awe.errors import AweError, BusyError
from awe.platform import Platform
from awe.services.identity import ANONYMOUS, Identity, RunningQuery, subject_of
from awe.web.http._errors import unexpected
from awe.web.http._fair import FairTurns
from awe.web.http._metrics import Metrics
from awe.web.http._negotiation import takes_gzip

__all__ = ["TurnResponse"]

_LOG = logging.getLogger(__name__)
_PROMPT_BYTES = 1 << 21
"""What is longer takes its turn, however prompt it is: each way to a thread and back takes as long as many rows."""
T = TypeVar("T")


class TurnResponse(Response, ABC):
    """Work whose answer is sent while it is made: `begun` begins it, `closed` ends it.

    Parameters
    ----------
    media_type
        Content type.
    packed
        Whether the answer is compressed in itself.
    prompt
        Whether no engine works for it.

    Attributes
    ----------
    rows
        How many were made, for the quota; counted by the subclass.
    on_error
        Renders what goes wrong before the head is sent.
    """

    def __init__(self, media_type: str, *, packed: bool = False, prompt: bool = False) -> None:
        # as answers of the framework begin whose length is not known yet
        self.status_code, self.media_type, self.background = 200, media_type, None
        self.init_headers(None)
        self.prompt = prompt
        self.rows = 0
        self.on_error: Callable[[AweError], Response] | None = None
        self._packed = packed
        self._chunks: Iterator[bytes] | None = None
        self._made: list[bytes] = []
        self._whole = False
        self._size = 0
        self._query: RunningQuery | None = None
        self._metrics: Metrics | None = None

    @abstractmethod
    def begun(self) -> Iterator[bytes]:
        """Begin the work; return the pieces of the answer. What it sets in the headers is sent."""

    @abstractmethod
    def closed(self) -> None:
        """End the work, from whichever thread; called once or more often."""

    def hurry(self, scope: Scope) -> None:
        """Make a prompt answer, in this thread; a long one is only begun.

        Raises
        ------
        AweError
            What goes wrong, and `QuotaError`.
        """
        self._count(scope, prompt=True)
        try:
            self._chunks = self._encoded(self.begun(), scope)
            self._whole = self._make(self._chunks)
        except WouldWaitError:
            self._query = None  # it is begun, and counted, by a thread that may wait
            self._end()
            raise
        except BaseException:
            self._end()
            raise
        if self._whole:
            self._end()
        self._query = None

    def _make(self, chunks: Iterator[bytes]) -> bool:
        """Make pieces until it is whole, or long."""
        for chunk in chunks:
            self._made.append(chunk)
            self._size += len(chunk)
            if self._size > _PROMPT_BYTES:
                return False
        self._made = [b"".join(self._made)]
        self.headers["Content-Length"] = str(self._size)
        return True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer; stop when the client goes."""
        if self.prompt and self._chunks is None:
            try:
                await anyio.to_thread.run_sync(self.hurry, scope)  # not abandoned: it takes no time
            except AweError as error:
                await self._fail(error, scope, receive, send)
                return
        if self._whole:
            await send(self._head())
            body = b"" if scope["method"] == "HEAD" else self._made[0]
            await send({"type": "http.response.body", "body": body})
            return
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_until_gone, receive, tasks.cancel_scope)
                await self._send_in_turn(scope, receive, send)
                tasks.cancel_scope.cancel()
        finally:
            await self._close()

    async def _send_in_turn(self, scope: Scope, receive: Receive, send: Send) -> None:
        turns: FairTurns = scope["app"].state.turns
        subject = subject_of(scope["state"].get("identity", ANONYMOUS))
        try:
            await anyio.to_thread.run_sync(self._count, scope)  # not abandoned: it would never end
        except AweError as error:
            await self._fail(error, scope, receive, send)
            return
        try:
            async with turns.turn(subject):
                try:
                    await self._send(scope, receive, send)
                finally:
                    await self._close()  # before the next one's turn: it needs what this query held
        except BusyError as error:
            await self._fail(error, scope, receive, send)

    def _head(self) -> Message:
        return {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}

    def _count(self, scope: Scope, *, prompt: bool = False) -> None:
        platform: Platform = scope["app"].state.platform
        self._metrics = scope["app"].state.metrics
        identity: Identity = scope["state"].get("identity", ANONYMOUS)
        self._query = platform.quotas.begin(identity, prompt=prompt)

    async def _send(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if self._chunks is None:
                self._chunks = self._encoded(await _in_thread(self.begun), scope)
            chunks = chain(self._made, self._chunks)
            first = await _in_thread(_next, chunks)
        except AweError as error:
            await self._fail(error, scope, receive, send)
            return
        except Exception:  # noqa: BLE001  # a fault of ours; it is logged, and the caller told its number
            _LOG.exception("request %s failed", scope["state"]["request_id"])
            await self._fail(unexpected(scope["state"]["request_id"]), scope, receive, send)
            return
        self._size = 0
        await send(self._head())
        if scope["method"] != "HEAD":
            chunk = first
            while chunk is not None:
                self._size += len(chunk)
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                chunk = await _in_thread(_next, chunks)
        await self._close()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _encoded(self, chunks: Iterator[bytes], scope: Scope) -> Iterator[bytes]:
        """Return the body as the client accepts it, and say so in the head."""
        if self._packed:
            return chunks
        self.headers.add_vary_header("Accept-Encoding")
        accepted = next((v for name, v in scope.get("headers", ()) if name == b"accept-encoding"), None)
        if accepted is None or not takes_gzip(accepted.decode("latin-1")):
            return chunks
        self.headers["Content-Encoding"] = "gzip"
        return gzipped(chunks)

    async def _fail(self, error: AweError, scope: Scope, receive: Receive, send: Send) -> None:
        if self.on_error is None:
            raise error
        await self.on_error(error)(scope, receive, send)

    async def _close(self) -> None:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._end)

    def _end(self) -> None:
        try:
            self.closed()
        except Exception:  # noqa: BLE001  # a fault of ours; the answer has gone, so only the log can say it
            _LOG.exception("a query could not be closed")
        try:
            if self._query is not None and self._metrics is not None:
                query, self._query = self._query, None
                self._metrics.queried(self.rows, self._size, query.end(self.rows, self._size))
        except Exception:  # noqa: BLE001  # likewise
            _LOG.exception("a query could not be counted")


async def _until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


async def _in_thread(function: Callable[..., T], *arguments: object) -> T:
    # abandoned when the client goes: the thread ends when closing the work cancels the query
    return await anyio.to_thread.run_sync(function, *arguments, abandon_on_cancel=True)


def _next(chunks: Iterator[bytes]) -> bytes | None:
    return next(chunks, None)
