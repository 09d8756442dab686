"""Reading the parameters of a request: query string, form, multipart; the body has a limit."""

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from awe.errors import LimitError, UsageError

__all__ = ["read_body", "read_pairs"]

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


async def read_pairs(request: Request, limit: int) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """Return name-value pairs in order (those of the address first), and a body that is no form.

    Raises
    ------
    LimitError
        If the body is larger than `limit` bytes.
    UsageError
        If a form cannot be read.
    """
    pairs = list(request.query_params.multi_items())
    if request.method in {"GET", "HEAD"}:
        return tuple(pairs), b""
    body = await read_body(request, limit)
    if not request.headers.get("content-type", "").lower().startswith(_FORMS):
        return tuple(pairs), body

    async def again() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        form = await Request(request.scope, again).form()
    except HTTPException as error:
        raise UsageError(f"the form cannot be read: {error.detail}") from None
    pairs += [(name, value) for name, value in form.multi_items() if not isinstance(value, UploadFile)]
    await form.close()
    return tuple(pairs), b""


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
            raise LimitError(
                f"the request's body is larger than {limit} bytes", hint="the operator can raise the limit"
            )
        parts.append(part)
    return b"".join(parts)
