"""Around every request: a number, the security headers, a line in the log without secrets."""

import logging
import re
import secrets
import time
from urllib.parse import quote, unquote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from awe import __version__
from awe.errors import BusyError
from awe.services.identity import ORIGIN, Origin
from awe.web.http._errors import json_error, unexpected

__all__ = ["Envelope", "scrubbed"]

_LOG = logging.getLogger("awe.access")

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; "
    "connect-src 'self' http://localhost:21012; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Server": f"awe/{__version__}",
}
_TOO_MANY = json_error(BusyError("too many requests at the same time", retry_after=2))
_SECRETS = (
    (re.compile(r"\$1\$[^/?&\s]+"), "***"),
    (re.compile(r"(/keystone/v3/tokens/+)[^/?]+", re.IGNORECASE), r"\1***"),
    (re.compile(r"((?:token|password|auth|key|secret)[^=&]*=)[^&]*", re.IGNORECASE), r"\1***"),
)


def scrubbed(address: str) -> str:
    """Return a path with its query without tokens and passwords."""
    address = unquote(address)  # a secret may hide behind %74oken=
    for pattern, replacement in _SECRETS:
        address = pattern.sub(replacement, address)
    return quote(address, safe="/?&=:+*,;@!$'()[]-._~ ")  # no line break or control character into the log


class Envelope:
    """ASGI middleware; the number of a request is ``request.state.request_id``.

    Parameters
    ----------
    app
        What answers.
    most
        Requests in hand at the same time: each holds a socket and some memory, so one more is told at once to
        come back later.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most
        self._in_hand = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log it when it is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = secrets.token_hex(6)
        scope.setdefault("state", {})["request_id"] = number
        # whoever records below what this request does need not know of requests
        came = ORIGIN.set(Origin((scope.get("client") or ("", 0))[0], number))
        begun = time.perf_counter()
        status = 0
        answer = self._app if self._in_hand < self._most else _TOO_MANY
        self._in_hand += 1

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = number
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await answer(scope, receive, sending)
        except Exception:  # noqa: BLE001  # a fault of ours; it is logged, and the caller told its number
            _LOG.exception("request %s failed", number)
            if not status:
                await json_error(unexpected(number))(scope, receive, sending)
        finally:
            ORIGIN.reset(came)
            self._in_hand -= 1
            query = scope.get("query_string", b"").decode("latin-1")
            address = scrubbed(scope["path"] + (f"?{query}" if query else ""))
            taken_ms = 1e3 * (time.perf_counter() - begun)
            _LOG.info("%s %s %s %d %.0f ms", number, scope["method"], address, status, taken_ms)
