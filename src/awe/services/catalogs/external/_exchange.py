"""One conversation over HTTP with a service that the operator named, and with nobody else."""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

from awe.errors import CancelledError, LimitError, TimeLimitError, UnavailableError

__all__ = ["Answer", "Exchange"]

_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEPING = frozenset({307, 308})
"""Redirects after which the same is sent again (RFC 9110 section 15.4); after the others a GET follows."""
_MOST_REDIRECTS = 5
_CHUNK = 1 << 18
_CONNECT_S = 10.0
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, and the address that it came from in the end."""

    status: int
    reason: str
    url: str


class Exchange:
    """Requests to one service, in a limited time.

    Parameters
    ----------
    name
        What errors call the service.
    url
        Its address: only its host and port are asked.
    seconds
        Time of all requests together, from the first one.
    most_bytes
        Size of an answer at the most.
    """

    def __init__(self, name: str, url: str, seconds: float, most_bytes: int) -> None:
        self._name, self._seconds, self._most_bytes = name, seconds, most_bytes
        self._home = urlsplit(url)
        self._deadline = 0.0
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._late = threading.Event()
        self._socket: socket.socket | None = None
        # an answer may come byte by byte, each in time: what hangs up when all of it is not there is this
        self._watch = threading.Timer(seconds, self._run_out)
        self._watch.daemon = True

    def get(self, url: str, to: Path) -> Answer:
        """Fetch an address into a file; errors as `send`."""
        return self.send("GET", url, None, to)

    def post(self, url: str, form: Mapping[str, str], to: Path) -> Answer:
        """Send a form, and keep the answer in a file; errors as `send`."""
        return self.send("POST", url, form, to)

    def send(self, method: str, url: str, form: Mapping[str, str] | None, to: Path) -> Answer:
        """Send a request, follow where it leads on the same host, and keep the answer in a file, whatever its status.

        Raises
        ------
        UnavailableError
            If nobody answers, or the answer leads to another host.
        TimeLimitError
            If it takes too long.
        LimitError
            If the answer is too large.
        CancelledError
            If it was closed.
        """
        body = urlencode(form) if form is not None else None
        self._begin()
        for _ in range(_MOST_REDIRECTS + 1):
            try:
                place = self._place(url)
                with (
                    contextlib.closing(self._connect(place)) as connection,
                    self._ask(connection, method, place, body) as answer,
                ):
                    where = answer.headers["Location"]
                    if answer.status not in _REDIRECTS or not where:
                        with to.open("wb") as out:
                            self._copy(answer, out)
                        return Answer(answer.status, answer.reason, url)
                    url = urljoin(url, where)
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise self._failed(error) from None
            if answer.status not in _KEEPING:
                method, body = "GET", None
        raise UnavailableError(f"{self._name} redirects more than {_MOST_REDIRECTS} times")

    def wait(self, seconds: float) -> None:
        """Wait; errors as `check`."""
        self._closed.wait(min(seconds, self._left()))
        self.check()

    def check(self) -> None:
        """Raise `TimeLimitError` where its time is over, `CancelledError` where it was closed."""
        if self._closed.is_set() or self._late.is_set():
            raise self._failed(None)

    def close(self) -> None:
        """End it, from whichever thread: a request that waits fails. Closing twice is allowed."""
        with self._lock:
            self._closed.set()
            self._watch.cancel()
        self._hang_up()

    def _begin(self) -> None:
        with self._lock:
            if not self._deadline and not self._closed.is_set():
                self._deadline = time.monotonic() + self._seconds
                self._watch.start()
        self.check()

    def _run_out(self) -> None:
        self._late.set()
        self._hang_up()

    def _place(self, url: str) -> SplitResult:
        """Return an address that may be asked: the operator's host by the operator's way, or by TLS."""
        place, home = urlsplit(url), self._home
        same = (place.scheme, place.hostname, _port(place)) == (home.scheme, home.hostname, _port(home))
        safer = (
            home.scheme == "http"
            and place.scheme == "https"
            and (place.hostname, place.port, home.port) == (home.hostname, None, None)
        )
        if not (same or safer):
            raise UnavailableError(
                f"{self._name} sends on to {place.scheme}://{place.netloc.rpartition('@')[2]}, which the operator did not name",
                hint="the operator can set the address at which it answers (tap.profiles)",
            )
        return place

    def _connect(self, place: SplitResult) -> http.client.HTTPConnection:
        host, port = place.hostname or "", _port(place)
        seconds = min(self._left(), _CONNECT_S)
        if place.scheme == "https":
            made: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=seconds, context=ssl.create_default_context()
            )
        else:
            made = http.client.HTTPConnection(host, port, timeout=seconds)
        made.connect()
        made.sock.settimeout(self._left())
        with self._lock:
            self._socket = made.sock
        self.check()  # whoever ended it may not have seen this connection
        return made

    @staticmethod
    def _ask(
        connection: http.client.HTTPConnection, method: str, place: SplitResult, body: str | None
    ) -> http.client.HTTPResponse:
        path = (place.path or "/") + (f"?{place.query}" if place.query else "")
        headers = {
            "Accept": "application/x-votable+xml, text/xml;q=0.8, */*;q=0.5",
            "Accept-Encoding": "identity",
            "Connection": "close",
            "User-Agent": "awe",
        }
        if body is not None:
            headers["Content-Type"] = _FORM
        connection.request(method, path, body, headers)
        return connection.getresponse()

    def _copy(self, answer: http.client.HTTPResponse, out: BinaryIO) -> None:
        size = 0
        while chunk := answer.read(_CHUNK):
            size += len(chunk)
            if size > self._most_bytes:
                raise LimitError(
                    f"the answer of {self._name} is larger than {self._most_bytes} bytes",
                    hint="ask for fewer rows or columns, or ask the operator (tap.bytes)",
                )
            out.write(chunk)
        self.check()  # who hung up may have been this
        if answer.length:
            raise http.client.IncompleteRead(b"", answer.length)

    def _failed(self, error: Exception | None) -> CancelledError | TimeLimitError | UnavailableError:
        if self._closed.is_set():
            return CancelledError("the query was stopped")
        if self._late.is_set() or (isinstance(error, TimeoutError) and time.monotonic() >= self._deadline):
            return TimeLimitError(f"{self._name} did not answer within {self._seconds:g} seconds")
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return UnavailableError(f"{self._name} does not answer properly: {reason}")

    def _left(self) -> float:
        return max(self._deadline - time.monotonic(), 0.001)

    def _hang_up(self) -> None:
        with self._lock:
            used = self._socket
        if used is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(used, socket.SHUT_RDWR)


def _port(place: SplitResult) -> int:
    return place.port or _PORTS.get(place.scheme, 0)
