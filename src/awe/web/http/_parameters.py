"""Reading the parameters of a request: query string, form, multipart; the body has a limit."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

from awe.errors import LimitError, UsageError
from awe.services.catalogs import SentFile

__all__ = ["Given", "read_body", "read_given"]

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
        If a form cannot be read.
    """
    pairs = list(request.query_params.multi_items())
    if request.method in {"GET", "HEAD"}:
        return Given(tuple(pairs))
    if not request.headers.get("content-type", "").lower().startswith(_FORMS):
        return Given(tuple(pairs), body=await read_body(request, limit))
    try:
        form = await Request(request.scope, _limited(request.receive, limit)).form(max_part_size=limit)
    except HTTPException as error:
        raise UsageError(f"the form cannot be read: {error.detail}") from None
    parts: dict[str, SentFile] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            parts[name] = SentFile(value.file, value.filename or "", value.content_type or "")
        else:
            pairs.append((name, value))
    return Given(tuple(pairs), parts)


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
    """
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    return b"".join(parts)


def _too_large(limit: int) -> LimitError:
    return LimitError(
        f"the request's body is larger than {limit} bytes", hint="the operator can raise the limit"
    )
