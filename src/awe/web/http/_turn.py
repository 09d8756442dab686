"""Answers that an engine works for: they take their turn, count for their caller's quota, and stop when nobody listens.

What goes wrong before the answer's head is sent has its proper status. All waiting for the engine happens in threads.
When the client goes away, at any moment, the work is closed, which cancels the query. An answer takes its turn
(`Admission`) before the work begins, and holds it until the work is closed. Each is a query of its caller's, whose
quota it counts for from before its turn to its end, and the last thing that the client hears comes after that. Who
accepts gzip gets it, packed piece by piece as the rows come.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TypeVar

import anyio
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from awe.core.tables.formats import gzipped
from awe.errors import AweError, BusyError
from awe.platform import Platform
from awe.services.identity import ANONYMOUS, Identity, RunningQuery
from awe.web.http._admission import Admission
from awe.web.http._errors import unexpected
from awe.web.http._metrics import Metrics
from awe.web.http._negotiation import takes_gzip

__all__ = ["TurnResponse"]

_LOG = logging.getLogger(__name__)
T = TypeVar("T")


class TurnResponse(Response, ABC):
    """Work whose answer is sent while it is made: `begun` begins it, `closed` ends it.

    Parameters
    ----------
    media_type
        Content type.
    packed
        Whether the answer is compressed in itself.

    Attributes
    ----------
    rows
        How many were made, for the quota; counted by the subclass.
    on_error
        Renders what goes wrong before the head is sent.
    """

    def __init__(self, media_type: str, *, packed: bool = False) -> None:
        super().__init__(media_type=media_type)
        del self.headers["content-length"]
        self.rows = 0
        self.on_error: Callable[[AweError], Response] | None = None
        self._packed = packed
        self._size = 0
        self._query: RunningQuery | None = None
        self._metrics: Metrics | None = None

    @abstractmethod
    def begun(self) -> Iterator[bytes]:
        """Begin the work; return the pieces of the answer. What it sets in the headers is sent."""

    @abstractmethod
    def closed(self) -> None:
        """End the work, from whichever thread; called once or more often."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer; stop when the client goes."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_until_gone, receive, tasks.cancel_scope)
                await self._send_in_turn(scope, receive, send)
                tasks.cancel_scope.cancel()
        finally:
            await self._close()

    async def _send_in_turn(self, scope: Scope, receive: Receive, send: Send) -> None:
        admission: Admission = scope["app"].state.admission
        try:
            await anyio.to_thread.run_sync(self._count, scope)  # not abandoned: it would never end
        except AweError as error:
            await self._fail(error, scope, receive, send)
            return
        try:
            async with admission.turn():
                try:
                    await self._send(scope, receive, send)
                finally:
                    await self._close()  # before the next one's turn: it needs what this query held
        except BusyError as error:
            await self._fail(error, scope, receive, send)

    def _count(self, scope: Scope) -> None:
        platform: Platform = scope["app"].state.platform
        self._metrics = scope["app"].state.metrics
        identity: Identity = scope["state"].get("identity", ANONYMOUS)
        self._query = platform.quotas.begin(identity)

    async def _send(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            chunks = self._encoded(await _in_thread(self.begun), scope)
            first = await _in_thread(_next, chunks)
        except AweError as error:
            await self._fail(error, scope, receive, send)
            return
        except Exception:  # noqa: BLE001  # a fault of ours; it is logged, and the caller told its number
            _LOG.exception("request %s failed", scope["state"]["request_id"])
            await self._fail(unexpected(scope["state"]["request_id"]), scope, receive, send)
            return
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
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
        if not takes_gzip(Headers(raw=scope.get("headers", [])).get("accept-encoding", "")):
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
