"""Tables as answers: rows leave while the engine makes them, and stop when nobody listens.

The first batch is made before the answer's head is sent, so that what goes wrong early has its proper
status; what goes wrong later is stated in the document. All waiting for the engine happens in threads.
When the client goes away, at any moment, the stream is closed, which cancels the query. A table takes its
turn (`Admission`) before its first batch is made, and holds it until its stream is closed. Each is a query of its
caller's, whose quota it counts for from before its turn to its end, and the last thing that the client hears comes
after that. Who accepts gzip gets it, packed piece by piece as the rows come.
"""

import logging
import zlib
from collections.abc import Callable, Iterator
from typing import TypeVar

import anyio
import pyarrow as pa
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from awe.core.tables import TableStream
from awe.core.tables.formats import Format, VOTableOptions
from awe.errors import AweError, BusyError
from awe.platform import Platform
from awe.services.identity import ANONYMOUS, Identity, RunningQuery
from awe.web.http._admission import Admission
from awe.web.http._errors import unexpected
from awe.web.http._metrics import Metrics
from awe.web.http._negotiation import takes_gzip

__all__ = ["TableResponse"]

_LOG = logging.getLogger(__name__)
T = TypeVar("T")

_SILENT = frozenset({"csv", "tsv", "ecsv"})
"""Formats that cannot say behind the rows that some were left out: for them a header has to say it before."""
_PACKED = frozenset({"parquet"})
"""Formats that are compressed in themselves."""
_GZIP = 16 + zlib.MAX_WBITS
_AHEAD_ROWS = 200_000
"""Rows made before the header of such an answer goes; more than an answer has unless its caller asks for more."""


class TableResponse(Response):
    """The rows of a stream in a format.

    Parameters
    ----------
    stream
        Closed by this response, whatever happens.
    form
        The format.
    options
        What the protocol adds to the document.
    media_type
        Content type; the format's own when None.
    """

    def __init__(
        self,
        stream: TableStream,
        form: Format,
        options: VOTableOptions | None = None,
        *,
        media_type: str | None = None,
    ) -> None:
        super().__init__(media_type=media_type or form.media_types[0])
        del self.headers["content-length"]
        self._stream = stream
        self._format = form
        self._options = options or VOTableOptions()
        self._ahead = _AHEAD_ROWS if form.name in _SILENT else 1
        self._query: RunningQuery | None = None
        self._metrics: Metrics | None = None
        self._rows = self._size = 0
        self.on_error: Callable[[AweError], Response] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the table; stop when the client goes."""
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
            await anyio.to_thread.run_sync(self._begin, scope)  # not abandoned: it would never end
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

    def _begin(self, scope: Scope) -> None:
        platform: Platform = scope["app"].state.platform
        self._metrics = scope["app"].state.metrics
        identity: Identity = scope["state"].get("identity", ANONYMOUS)
        self._query = platform.quotas.begin(identity)
        self._stream = self._stream.map(self._stream.schema, self._counted)

    def _counted(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        self._rows += batch.num_rows
        return batch

    async def _send(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._stream = await _in_thread(self._stream.primed, self._ahead)
            self.headers.update(_told(self._stream, self._format))
            chunks = self._encoded(self._format.write(self._stream, self._options), scope)
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
        if self._format.name in _PACKED:
            return chunks
        self.headers.add_vary_header("Accept-Encoding")
        if not takes_gzip(Headers(raw=scope.get("headers", [])).get("accept-encoding", "")):
            return chunks
        self.headers["Content-Encoding"] = "gzip"
        return _gzipped(chunks)

    async def _fail(self, error: AweError, scope: Scope, receive: Receive, send: Send) -> None:
        if self.on_error is None:
            raise error
        await self.on_error(error)(scope, receive, send)

    async def _close(self) -> None:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._close_stream)

    def _close_stream(self) -> None:
        try:
            self._stream.close()
        except Exception:  # noqa: BLE001  # a fault of ours; the answer has gone, so only the log can say it
            _LOG.exception("a stream could not be closed")
        try:
            if self._query is not None and self._metrics is not None:
                query, self._query = self._query, None
                self._metrics.queried(self._rows, self._size, query.end(self._rows, self._size))
        except Exception:  # noqa: BLE001  # likewise
            _LOG.exception("a query could not be counted")


def _told(stream: TableStream, form: Format) -> dict[str, str]:
    """Return the header that says whether rows were left out, where the format itself cannot."""
    if form.name not in _SILENT:
        return {}
    known = "true" if stream.overflow else "false"
    return {"X-Awe-Overflow": known if stream.complete else "unknown"}


async def _until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


async def _in_thread(function: Callable[..., T], *arguments: object) -> T:
    # abandoned when the client goes: the thread ends when closing the stream cancels the query
    return await anyio.to_thread.run_sync(function, *arguments, abandon_on_cancel=True)


def _next(chunks: Iterator[bytes]) -> bytes | None:
    return next(chunks, None)


def _gzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in gzip; what is known of the rows leaves with every piece, and nothing waits."""
    packer = zlib.compressobj(1, wbits=_GZIP)  # a higher level takes several times as long for a tenth less
    for chunk in chunks:
        yield packer.compress(chunk) + packer.flush(zlib.Z_SYNC_FLUSH)
    yield packer.flush()
