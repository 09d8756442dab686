"""Clients that cost little: so many connections, each with one request after another, by one thread of one process.

What asks shares the processors with what answers, so requests are made of bytes before the clock runs, and of an answer
nothing is read but where it ends. A few answers are looked at afterwards.
"""

import io
import re
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.client import HTTPResponse
from selectors import EVENT_READ, DefaultSelector
from typing import cast

__all__ = ["Answered", "ask", "body"]

_PIECE = 1 << 18
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_LAST_CHUNK = b"\r\n0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers, head and body as they came, in the order of the requests, and how long all of them took."""

    answers: list[bytes]
    seconds: float


@dataclass(slots=True)
class _Client:
    """One connection: the numbers of the requests that it still makes, the next one last, and what came of the one it made."""

    socket: socket.socket
    left: list[int]
    now: int = -1
    came: bytearray = field(default_factory=bytearray)
    size: int | None = None

    def whole(self) -> bool:
        """Say whether the answer has come (RFC 9112 section 6.3)."""
        if self.size is None:
            end = self.came.find(b"\r\n\r\n")
            if end < 0:
                return False
            head = bytes(self.came[: end + 2])
            length = _LENGTH.search(head)
            assert length or _CHUNKED.search(head), head
            self.size = end + 4 + int(length[1]) if length else 0
        return len(self.came) >= self.size if self.size else self.came.endswith(_LAST_CHUNK)


def ask(host: str, port: int, requests: Sequence[bytes], clients: int) -> Answered:
    """Let so many clients make the requests, dealt out among them; each waits for an answer before it asks again."""
    answers = [b""] * len(requests)
    with DefaultSelector() as selector:
        asking = []
        for first in range(min(clients, len(requests))):
            connection = socket.create_connection((host, port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client = _Client(connection, list(range(first, len(requests), clients))[::-1])
            selector.register(connection, EVENT_READ, client)
            asking.append(client)
        begun = time.perf_counter()
        for client in asking:
            _next(client, requests)
        while selector.get_map():
            for key, _ in selector.select():
                client = key.data
                piece = client.socket.recv(_PIECE)
                assert piece, "the service hung up"
                client.came += piece
                if client.whole():
                    answers[client.now] = bytes(client.came)
                    if not _next(client, requests):
                        selector.unregister(client.socket)
                        client.socket.close()
        return Answered(answers, time.perf_counter() - begun)


def body(answer: bytes) -> bytes:
    """Return what an answer carries, with its chunks joined."""
    response = HTTPResponse(cast("socket.socket", _Read(answer)))
    response.begin()
    return response.read()


@dataclass(frozen=True, slots=True)
class _Read:
    """An answer that came, where the standard library wants a socket to read it from."""

    answer: bytes

    def makefile(self, _mode: str) -> io.BytesIO:
        """Return the answer as a file."""
        return io.BytesIO(self.answer)


def _next(client: _Client, requests: Sequence[bytes]) -> bool:
    """Make a client's next request; false where it has none."""
    if not client.left:
        return False
    client.now = client.left.pop()
    client.came.clear()
    client.size = None
    client.socket.sendall(requests[client.now])
    return True
