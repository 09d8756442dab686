"""Ask an account system over HTTP: the one place from which identity goes out by it.

Redirects are not followed: what is sent holds passwords and secrets, and goes where the operator said, or nowhere.
"""

import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode, urlsplit

from awe.errors import UnavailableError

__all__ = ["Answer", "Http", "is_safe"]

_MOST_BYTES = 1 << 20
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the headers in small letters, and the JSON object of the body, empty without one."""

    status: int
    headers: Mapping[str, str]
    json: Mapping[str, Any]


class Http:
    """Ask one account system.

    Parameters
    ----------
    title
        What errors call it.
    timeout_s
        Seconds to wait for an answer.
    ca_file
        Certificates that are trusted; those of the machine when None.
    insecure
        Allow addresses without TLS.
    """

    def __init__(self, title: str, timeout_s: float, ca_file: Path | None, *, insecure: bool) -> None:
        self._title = title
        self._timeout_s = timeout_s
        self._insecure = insecure
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context), _NoRedirect()
        )

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to GET; errors as `send`."""
        return self.send("GET", url, None, headers or {})

    def post_form(self, url: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """Return the answer to a form; errors as `send`."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", url, urlencode(fields).encode(), {**headers, **kind})

    def post_json(self, url: str, body: Mapping[str, object]) -> Answer:
        """Return the answer to a JSON object; errors as `send`."""
        return self.send("POST", url, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def send(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Return the answer, whatever its status below 500.

        Raises
        ------
        UnavailableError
            If there is none in time, the system says that it cannot, or the address has no TLS.
        """
        if not is_safe(url, insecure=self._insecure):
            raise UnavailableError(f"{self._title} names an address without TLS", hint="it is not used")
        asked = urllib.request.Request(  # noqa: S310  # checked above
            url, body, {"Accept": "application/json", **headers}, method=method
        )
        try:
            with self._opener.open(asked, timeout=self._timeout_s) as answer:
                found = _read(answer.status, answer.headers, answer)
        except urllib.error.HTTPError as error:
            with error:
                found = _read(error.code, error.headers, error)
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise UnavailableError(f"{self._title} does not answer: {reason}") from None
        if found.status >= 500 or found.status == 429 or 300 <= found.status < 400:
            raise UnavailableError(f"{self._title} cannot answer now (status {found.status})")
        return found


def is_safe(url: str, *, insecure: bool = False) -> bool:
    """Tell whether what is sent to an address can be read by nobody on the way."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return True
    return parts.scheme == "http" and (insecure or parts.hostname in _LOOPBACK)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002  # the base class's signature
        return None


def _read(status: int, headers: Message, body: IO[bytes]) -> Answer:
    try:
        found = json.loads(body.read(_MOST_BYTES))
    except (ValueError, RecursionError):
        found = {}
    lower = {name.lower(): value for name, value in headers.items()}
    return Answer(status, lower, found if isinstance(found, dict) else {})
