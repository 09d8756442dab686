"""An ASGI application called in this process: no port, no socket, and answers still stream.

The application runs on an event loop in a thread of its own; a bounded queue carries the answer's
chunks to the caller, so that a slow reader holds the writer back.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import httpx

__all__ = ["Application", "InProcessTransport"]

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]
"""An ASGI 3 application."""

_QUEUED_CHUNKS = 8


class InProcessTransport(httpx.BaseTransport):
    """Send httpx requests to an ASGI application in this process."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="awe-in-process", daemon=True)
        self._thread.start()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Run one request; returns when the answer's head is known."""
        exchange = _Exchange(request.read())
        scope = _scope(request)
        asyncio.run_coroutine_threadsafe(exchange.run(self._app, scope), self._loop)
        exchange.started.wait()
        if exchange.failure is not None:
            raise httpx.TransportError(f"the application failed: {exchange.failure!r}", request=request)
        return httpx.Response(exchange.status, headers=exchange.headers, stream=exchange, request=request)

    def close(self) -> None:
        """Stop the event loop."""
        if self._loop.is_running():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()


class _Exchange(httpx.SyncByteStream):
    """One request and its answer; as a stream it is the answer's body."""

    def __init__(self, body: bytes) -> None:
        self.started = threading.Event()
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.failure: BaseException | None = None
        self._body = body
        self._sent = False
        self._closed = False
        self._chunks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    async def run(self, app: Application, scope: Message) -> None:
        self._loop = asyncio.get_running_loop()
        self._gone = asyncio.Event()
        self._room = asyncio.Semaphore(_QUEUED_CHUNKS)
        try:
            await app(scope, self._receive, self._send)
        except Exception as error:  # noqa: BLE001  # whatever the application raises is the caller's to see
            self.failure = error
        finally:
            self.started.set()
            self._chunks.put(None)

    async def _receive(self) -> Message:
        if not self._sent:
            self._sent = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", []))
            self.started.set()
        elif message.get("body"):
            await self._room.acquire()
            if not self._closed:
                self._chunks.put(bytes(message["body"]))

    def __iter__(self) -> Iterator[bytes]:
        while (chunk := self._chunks.get()) is not None:
            self._call(self._room.release)
            yield chunk
        if self.failure is not None:
            raise httpx.ReadError(f"the answer broke off: {self.failure}")

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._call(self._leave)

    def _leave(self) -> None:
        self._gone.set()
        for _ in range(_QUEUED_CHUNKS):  # let a writer that waits for room run into `_closed`
            self._room.release()

    def _call(self, what: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(what)


def _scope(request: httpx.Request) -> Message:
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.split(b"?")[0],
        "query_string": url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "server": (url.host, url.port or 80),
        "client": ("127.0.0.1", 0),
        "state": {},
    }
