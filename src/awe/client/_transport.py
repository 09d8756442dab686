"""How the client reaches a service: over HTTP, or the same application inside this process.

The only module that knows httpx. A `Transport` sends requests, raises the error that the service
raised, and streams answers to files; it knows no service of awe.
"""

import json
import secrets
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any, BinaryIO, Self

import httpx

from awe import __version__
from awe.client._inprocess import Application, InProcessTransport
from awe.client._progress import Progress
from awe.errors import (
    AuthenticationError,
    AweError,
    ForbiddenError,
    NotFoundError,
    ServiceError,
    UnavailableError,
    UsageError,
)

__all__ = ["Files", "OverflowWarning", "Params", "Transport"]

Params = Mapping[str, str | int | float | Sequence[str] | None]
"""Query parameters; a None is left out, a sequence is repeated."""

Files = Mapping[str, tuple[str, BinaryIO]]
"""Parts of a form: file name and content by the name of the part."""

_CHUNK = 1 << 18
_NO_CONTENT = 204
_BY_STATUS: dict[int, type[AweError]] = {
    400: UsageError,
    401: AuthenticationError,
    403: ForbiddenError,
    404: NotFoundError,
    503: UnavailableError,
}


class OverflowWarning(UserWarning):
    """Rows were left out of an answer because of a limit."""


class Transport:
    """Requests to one service.

    Parameters
    ----------
    url
        Address of the service, without a slash at the end.
    token
        Sent as ``X-Auth-Token``; never part of an address. Or what returns it, asked before each request.
    app
        An ASGI application to call in this process instead of the network.
    timeout_s
        Seconds to wait for the next bytes of an answer.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | Callable[[], str] = "",
        app: Application | None = None,
        timeout_s: float = 300.0,
    ) -> None:
        self.url = url.rstrip("/")
        self._token = token
        self._http = httpx.Client(
            transport=InProcessTransport(app) if app is not None else None,
            timeout=httpx.Timeout(timeout_s, connect=10.0),
            headers={
                "User-Agent": f"awe/{__version__}",
                # JSON among what is accepted: errors of every face then come with code, hint and fields
                "Accept": "*/*, application/json",
                # packing takes longer than the rows: on the way from an archive's own machine it is only in the way
                "Accept-Encoding": "identity",
            },
            follow_redirects=True,
            trust_env=app is None,
        )

    def login(self, token: str | Callable[[], str]) -> None:
        """Use another token from now on."""
        self._token = token

    @property
    def has_token(self) -> bool:
        """True where a token of its own is sent, not that of a login that is kept on this machine."""
        return isinstance(self._token, str) and bool(self._token)

    def authorization(self) -> dict[str, str]:
        """Return the headers with which another program asks this service on behalf of who asks here."""
        token = self._current_token()
        return {"Authorization": f"Bearer {token}"} if token else {}

    def unknown(self) -> "Transport":
        """Return a transport over the same connections that sends no token."""
        other = copy(self)
        other.login("")
        return other

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: object = None,
        files: Files | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[httpx.Response]:
        """Send a request and yield its answer, not read yet.

        Raises
        ------
        AweError
            The error that the service answered, of the class that the service raised.
        UnavailableError
            If nothing answers at the address.
        """
        sent = dict(headers or {})
        url = path if path.startswith(("http://", "https://")) else self.url + path
        if url.startswith(self.url + "/"):  # a token goes to the service it belongs to and nowhere else
            if token := self._current_token():
                sent["X-Auth-Token"] = token
        else:
            sent.pop("X-Auth-Token", None)
        try:
            with self._http.stream(
                method, url, params=_pairs(params), headers=sent, **_content(body, files, form)
            ) as answer:
                if answer.status_code >= 400:
                    answer.read()
                    raise _error(answer)
                yield answer
        except httpx.TransportError as error:
            raise UnavailableError(
                f"no answer from {self.url}: {error}", hint="is the service running? `awe up` starts one"
            ) from None

    def _current_token(self) -> str:
        return self._token() if callable(self._token) else self._token

    def get_json(self, path: str, params: Params | None = None) -> object:
        """GET a JSON document."""
        with self.stream("GET", path, params=params) as answer:
            return json.loads(answer.read())

    def post_json(self, path: str, body: object, params: Params | None = None) -> object:
        """POST a JSON document and return the answer's."""
        with self.stream("POST", path, params=params, body=body) as answer:
            return json.loads(answer.read())

    def send_json(self, method: str, path: str, body: object = None, params: Params | None = None) -> Any:
        """Send a JSON document by any method and return the answer's."""
        with self.stream(method, path, params=params, body=body) as answer:
            return json.loads(answer.read())

    def put_bytes(
        self,
        path: str,
        content: bytes,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """PUT bytes as they are and return the answer's JSON document."""
        with self.stream("PUT", path, params=params, body=content, headers=headers) as answer:
            return json.loads(answer.read())

    def post_form(self, path: str, form: Mapping[str, str]) -> Any:
        """POST a form and return the answer's JSON document."""
        with self.stream("POST", path, form=form) as answer:
            return json.loads(answer.read())

    def get_bytes(self, path: str, params: Params | None = None) -> bytes:
        """GET a small answer whole; empty where the service has nothing (HTTP 204)."""
        with self.stream("GET", path, params=params) as answer:
            return answer.read()

    def save(
        self,
        method: str,
        path: str,
        to: Path,
        *,
        params: Params | None = None,
        body: object = None,
        files: Files | None = None,
    ) -> bool:
        """Write an answer to a file: whole, or not at all. Shows progress when it takes long.

        Warns with `OverflowWarning` where rows were left out and the format cannot say so itself.

        Returns
        -------
        False, and no file is written, where the service has nothing (HTTP 204).
        """
        with self.stream(method, path, params=params, body=body, files=files) as answer:
            if answer.status_code == _NO_CONTENT:
                return False
            to.parent.mkdir(parents=True, exist_ok=True)
            size = int(answer.headers.get("Content-Length", 0)) or None
            partial = to.with_name(f".{to.name}-{secrets.token_hex(4)}")
            try:
                with partial.open("xb") as part, Progress(to.name, size) as progress:
                    for chunk in answer.iter_bytes(_CHUNK):
                        part.write(chunk)
                        progress.advance(len(chunk))
                partial.replace(to)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
            if answer.headers.get("X-Awe-Overflow") == "true":
                warnings.warn(
                    OverflowWarning(f"{to.name} was cut at the row limit; max_rows asks for more"),
                    stacklevel=2,
                )
        return True


def _content(body: object, files: Files | None, form: Mapping[str, str] | None) -> dict[str, Any]:
    """Return the body as httpx takes it: bytes, a form, JSON, or with files a form whose fields are those of the object."""
    if form is not None:
        return {"data": dict(form)}
    if isinstance(body, bytes):
        return {"content": body}
    if not files or not isinstance(body, Mapping):
        return {"json": body}
    return {"data": {k: str(v) for k, v in body.items() if v is not None}, "files": files}


def _pairs(params: Params | None) -> httpx.QueryParams | None:
    if params is None:
        return None
    pairs: list[tuple[str, str]] = []
    for name, value in params.items():
        if value is None:
            continue
        values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        pairs += [(name, repr(v) if isinstance(v, float) else str(v)) for v in values]
    return httpx.QueryParams(tuple(pairs))


def _error(answer: httpx.Response) -> AweError:
    kind = answer.headers.get("Content-Type", "")
    if "json" in kind:
        try:
            body = answer.json()
        except ValueError:
            body = None
        if isinstance(body, Mapping) and isinstance(body.get("error"), Mapping):
            return AweError.from_json(body)
        if isinstance(body, Mapping) and isinstance(body.get("error"), str):  # RFC 6749 section 5.2
            word = body["error"]
            said = f"{word}: {body.get('error_description', '')}".removesuffix(": ")
            return _BY_STATUS.get(answer.status_code, ServiceError)(said, oauth=word)
    text = answer.text.strip() if kind.startswith("text/plain") else ""
    message = text or f"the service answered {answer.status_code} {answer.reason_phrase}"
    return _BY_STATUS.get(answer.status_code, ServiceError)(message)
