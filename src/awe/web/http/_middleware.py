"""Around every request: a number, the security headers, a line in the log without secrets."""

import logging
import random
import re
import time
from collections.abc import Iterable
from urllib.parse import quote, unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from awe import __version__
from awe.errors import BusyError
from awe.services.identity import ORIGIN, Origin
from awe.web.http._agent import agent_of
from awe.web.http._errors import json_error, unexpected
from awe.web.http._metrics import Metrics

__all__ = ["Envelope", "asked", "scrubbed"]

_LOG = logging.getLogger("awe.access")

_HEADERS: dict[str, str] = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; "
    "connect-src 'self' http://localhost:21012; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Server": f"awe/{__version__}",
}
_RAW_HEADERS = tuple((name.lower().encode(), value.encode()) for name, value in _HEADERS.items())
_GENERAL = frozenset(name for name, _ in _RAW_HEADERS)
_REQUEST_ID, _ERROR = b"x-request-id", b"x-awe-error"
_ASKED = "asked"
_NUMBER = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SECRETS = (
    (re.compile(r"\$1\$[^/?&\s]+"), "***"),
    (re.compile(r"(/(?:keystone/v3/tokens|login-portal/+api/+validate)/+)[^/?]+", re.IGNORECASE), r"\1***"),
    (re.compile(r"((?:token|password|auth|key|secret|pw|ticket)[^=&]*=)[^&]*", re.IGNORECASE), r"\1***"),
    (
        re.compile(r"([?&](?:code|state)=)[^&]*", re.IGNORECASE),
        r"\1***",
    ),  # of OAuth: good once, but in our log
)
_SAFE = "/?&=:+*,;@!$'()[]-._~ "
_PLAIN = re.compile(rf"[A-Za-z0-9{re.escape(_SAFE)}]*")
_WORDS = ("$1$", "validate", "token", "password", "auth", "key", "secret", "pw", "ticket", "code=", "state=")
"""One of them is in every address in which a secret is looked for: in most is none, which is found out sooner."""


def scrubbed(address: str) -> str:
    """Return a path with its query without tokens and passwords."""
    lower = address.lower()
    if _PLAIN.fullmatch(address) and not any(word in lower for word in _WORDS):
        return address
    address = unquote(address)  # a secret may hide behind %74oken=
    for pattern, replacement in _SECRETS:
        address = pattern.sub(replacement, address)
    return quote(address, safe=_SAFE)  # no line break or control character into the log


def asked(scope: Scope) -> str:
    """Return what was asked of the service, a path with its query, without tokens and passwords."""
    query = scope.get("query_string", b"").decode("latin-1")
    address = scope["path"] + (f"?{query}" if query else "")
    known: tuple[str, str] | None = scope["state"].get(_ASKED)
    if known is None or known[0] != address:
        known = scope["state"][_ASKED] = (address, scrubbed(address))
    return known[1]


def _header(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> str:
    """Return a header, of those of a request or an answer as ASGI has them; empty if it is not there."""
    for name, value in headers:
        if name == wanted:
            return value.decode("latin-1")
    return ""


def _completed(headers: list[tuple[bytes, bytes]], number: str) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer with the number of the request, and those of every answer that it has not itself."""
    names = {name for name, _ in headers}
    own = headers if _REQUEST_ID not in names else [one for one in headers if one[0] != _REQUEST_ID]
    general = (
        _RAW_HEADERS if _GENERAL.isdisjoint(names) else [one for one in _RAW_HEADERS if one[0] not in names]
    )
    return [*own, (_REQUEST_ID, number.encode()), *general]


class Envelope:
    """ASGI middleware; the number of a request is ``request.state.request_id``.

    Parameters
    ----------
    app
        What answers.
    most
        Requests in hand at the same time: each holds a socket and some memory, so one more is told at once to
        come back later.
    metrics
        Where requests are counted.
    trusting
        Whether a proxy before the service gives the requests their numbers.
    """

    def __init__(self, app: ASGIApp, most: int, metrics: Metrics, *, trusting: bool = False) -> None:
        self._app = app
        self._most = most
        self._metrics = metrics
        self._trusting = trusting
        self._in_hand = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log it when it is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = self._number(scope)
        scope.setdefault("state", {})["request_id"] = number
        # whoever records below what this request does need not know of requests
        agent = agent_of(_header(scope["headers"], b"user-agent"))
        face = scope["path"].strip("/").partition("/")[0].lower()
        came = ORIGIN.set(Origin((scope.get("client") or ("", 0))[0], number, agent, face))
        begun = time.perf_counter()
        status, code = 0, ""
        answer = self._app if self._in_hand < self._most else _too_many
        self._in_hand += 1
        self._metrics.in_hand += 1

        async def sending(message: Message) -> None:
            nonlocal status, code
            if message["type"] == "http.response.start":
                status = message["status"]
                code = _header(message["headers"], _ERROR)
                message = {**message, "headers": _completed(message["headers"], number)}
            await send(message)

        try:
            await answer(scope, receive, sending)
        except Exception:  # noqa: BLE001  # a fault of ours; it is logged, and the caller told its number
            _LOG.exception("request %s failed", number)
            if not status:
                await json_error(unexpected(number))(scope, receive, sending)
        finally:
            self._in_hand -= 1
            taken_s = time.perf_counter() - begun
            self._metrics.answered(scope["path"], scope["method"], status, code, taken_s)
            _log(scope, number, status, taken_s)
            ORIGIN.reset(came)

    def _number(self, scope: Scope) -> str:
        """Return the number of a request: that of a trusted proxy, else a new one."""
        if self._trusting:
            given = _header(scope["headers"], _REQUEST_ID)
            if _NUMBER.fullmatch(given):
                return given
        return f"{random.getrandbits(48):012x}"  # it tells requests apart, and opens nothing


async def _too_many(scope: Scope, receive: Receive, send: Send) -> None:
    error = BusyError("too many requests at the same time", retry_after=2)
    await json_error(error)(scope, receive, send)


def _log(scope: Scope, number: str, status: int, taken_s: float) -> None:
    if not _LOG.isEnabledFor(logging.INFO):
        return
    address = asked(scope)
    fields = {
        "request": number,
        "method": scope["method"],
        "path": address,
        "status": status,
        "ms": round(1e3 * taken_s, 1),
        "user": scope["state"].get("caller", ""),
        "address": (scope.get("client") or ("", 0))[0],
    }
    _LOG.info(
        "%s %s %s %d %.0f ms",
        number,
        scope["method"],
        address,
        status,
        1e3 * taken_s,
        extra={"fields": fields},
    )
