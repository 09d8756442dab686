"""Reading the parameters of a request: query string, form, multipart; the body may be packed, and has a limit."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

from awe.errors import LimitError, UsageError
from awe.services.catalogs import SentFile

__all__ = ["Given", "read_body", "read_given"]

_GZIP_NAMES = frozenset({"gzip", "x-gzip"})
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True, slots=True)
class Given:
    """What a request holds besides its headers.

    Attributes
    ----------
    pairs
        Name-value pairs in order, those of the address first.
    parts
        Files of a form by the name of their part: in memory where they are small, else on disk; whoever reads
        them closes them.
    body
        The body when it was no form; empty otherwise.
    """

    pairs: tuple[tuple[str, str], ...]
    parts: Mapping[str, SentFile] = field(default_factory=dict)
    body: bytes = b""

    def close(self) -> None:
        """Let go of the files."""
        for part in self.parts.values():
            part.content.close()


async def read_given(request: Request, limit: int) -> Given:
    """Read a request.

    Raises
    ------
    LimitError
        If the body is larger than `limit` bytes.
    UsageError
        If a form cannot be read, or the body is packed in a way that is not read.
    """
    pairs = list(request.query_params.multi_items())
    if request.method in {"GET", "HEAD"}:
        return Given(tuple(pairs))
    if not request.headers.get("content-type", "").lower().startswith(_FORMS):
        return Given(tuple(pairs), body=await read_body(request, limit))
    try:
        form = await _sent(request, limit).form(max_part_size=limit)
    except HTTPException as error:
        raise UsageError(f"the form cannot be read: {error.detail}") from None
    parts: dict[str, SentFile] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            parts[name] = SentFile(value.file, value.filename or "", value.content_type or "")
        else:
            pairs.append((name, value))
    return Given(tuple(pairs), parts)


def _sent(request: Request, limit: int) -> Request:
    """Return the request with its body unpacked, which fails where that becomes too large.

    Raises
    ------
    UsageError
        If the body is encoded in a way that is not read (RFC 9110 section 8.4).
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "", *_GZIP_NAMES}:
        raise UsageError(f"Content-Encoding: {encoding} is not read", hint="send it plain or in gzip")
    receive = _limited(request.receive, limit)
    return Request(request.scope, _unpacked(receive, limit) if encoding in _GZIP_NAMES else receive)


def _unpacked(receive: Receive, limit: int) -> Receive:
    """Return what receives a body out of gzip; small bytes may become very many, so these are counted too."""
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    size = 0

    async def unpacking() -> Message:
        nonlocal size
        message = await receive()
        if message["type"] != "http.request":
            return message
        try:
            body = inflater.decompress(message.get("body", b""), limit - size + 1)
        except zlib.error as error:
            raise UsageError(f"the gzip data of the body are damaged: {error}") from None
        size += len(body)
        if size > limit:
            raise _too_large(limit)
        if not message.get("more_body", False) and not inflater.eof:
            raise UsageError("the gzip data of the body end early")
        return {**message, "body": body}

    return unpacking


def _limited(receive: Receive, limit: int) -> Receive:
    """Return what receives the same body, and fails where it becomes too large."""
    size = 0

    async def counting() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise _too_large(limit)
        return message

    return counting


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body.

    Raises
    ------
    LimitError
        If it is larger than `limit` bytes; what is too much is not kept.
    UsageError
        If it is packed in a way that is not read.
    """
    parts: list[bytes] = []
    size = 0
    async for part in _sent(request, limit).stream():
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    return b"".join(parts)


def _too_large(limit: int) -> LimitError:
    return LimitError(
        f"the request's body is larger than {limit} bytes", hint="the operator can raise the limit"
    )
