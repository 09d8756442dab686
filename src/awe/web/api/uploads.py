"""Files that become tables: ``/api/uploads``.

Announce a file, send its bytes in pieces, say which table it becomes, ask until it is one. Each piece says at which
byte it begins, and counts when it is whole: after a broken connection the sender asks where the file stands and goes on.
"""

import asyncio
import base64
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import Query, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from awe.errors import LimitError, ParameterError, UsageError
from awe.platform import Platform
from awe.services.catalogs import LoadOrder, Piece, Upload, UploadPhase
from awe.services.identity import WRITE, Identity
from awe.web.api._caller import Caller, Services, Writer, get, make_router, needs

__all__ = ["router"]

router = make_router(tags=["tables"])
_WRITTEN_AT_ONCE = 1 << 20
_LOOK_S = (0.02, 0.5)
_DIGEST = "content-digest"


class NewUpload(BaseModel, extra="forbid"):
    """A file that is going to be sent."""

    file: str = Field(min_length=1, max_length=1000, description="Its name; the ending may tell its format")
    size: int = Field(description="Its bytes")
    sha256: str = Field(
        "", description="What it adds up to, in hexadecimal digits; compared when all has come"
    )
    new_table: str = Field(
        "", description="The table that it is to create: refused at once where there is one"
    )


class NewTable(BaseModel, extra="forbid"):
    """What a file that has come is to become."""

    table: str = Field(description="mydb.name")
    mode: Literal["create", "replace", "append"] = Field(
        "create", description="What to do with a table of that name"
    )
    ra: str | None = Field(
        None, description="Column of right ascensions; recognised without it, none if empty"
    )
    dec: str | None = Field(None, description="Column of declinations; likewise")
    part: str = Field("", description="Which table or HDU of the file; the first one without it")
    title: str = Field("", max_length=255, description="What the table is, in a few words")
    description: str = Field("", max_length=10_000, description="What the table is")
    wait: float = Field(20.0, ge=0, le=60, description="Seconds to wait until it is one")


@get(router, "/uploads")
def uploads(
    services: Services,
    caller: Caller,
    sha256: Annotated[str, Query(description="Only those of a file that adds up to this")] = "",
) -> dict[str, Any]:
    """List your files on their way, the newest first."""
    found = services.uploads.uploads(caller, sha256)
    return {"uploads": [_upload(services, one) for one in found]}


@router.post("/uploads", openapi_extra=needs(WRITE))
def begin(given: NewUpload, services: Services, caller: Writer) -> dict[str, Any]:
    """Announce a file; the answer says how large a piece of it may be at the most."""
    made = services.uploads.begin(caller, given.file, given.size, given.sha256, new_table=given.new_table)
    return _upload(services, made)


@get(router, "/uploads/{upload_id}")
async def upload(
    upload_id: str,
    services: Services,
    caller: Caller,
    wait: Annotated[float, Query(ge=0, description="Seconds to wait while it is being loaded")] = 0.0,
) -> dict[str, Any]:
    """Say how far a file is, and what became of it."""
    return await _after(services, caller, upload_id, min(wait, services.settings.jobs.longest_wait))


@router.put("/uploads/{upload_id}", openapi_extra=needs(WRITE))
async def send(
    upload_id: str,
    request: Request,
    services: Services,
    caller: Writer,
    offset: Annotated[int, Query(ge=0, description="At which byte of the file the piece begins")],
) -> dict[str, Any]:
    """Send a piece; a header Content-Digest with its sha-256 (RFC 9530) is compared with what comes."""
    digest = _digest(request)
    with ExitStack() as stack:
        piece: Piece = await run_in_threadpool(
            stack.enter_context, services.uploads.receive(upload_id, caller, offset)
        )
        try:
            await _received(request, piece, services.settings.limits.upload_bytes)
        except ClientDisconnect:
            raise UsageError("the piece did not come whole") from None
        after = await run_in_threadpool(piece.done, digest)
    return _upload(services, after)


@router.post("/uploads/{upload_id}/table", openapi_extra=needs(WRITE))
async def load(upload_id: str, given: NewTable, services: Services, caller: Writer) -> dict[str, Any]:
    """Make a file that has come a table; while its phase is `loading`, ask again how it is."""
    order = LoadOrder(
        given.table, given.mode, given.ra, given.dec, given.part, given.title, given.description
    )
    await run_in_threadpool(services.uploads.load, upload_id, caller, order)
    return await _after(services, caller, upload_id, given.wait)


@router.delete("/uploads/{upload_id}", openapi_extra=needs(WRITE))
def remove(upload_id: str, services: Services, caller: Writer) -> dict[str, str]:
    """Forget a file, and stop loading it; a table that it became stays."""
    services.uploads.remove(upload_id, caller)
    return {"id": upload_id}


async def _received(request: Request, piece: Piece, most: int) -> None:
    came = 0
    waiting = bytearray()
    async for data in request.stream():
        came += len(data)
        if came > most:
            raise LimitError(f"a piece may have {most:,} bytes", hint="send the rest in further pieces")
        waiting += data
        if len(waiting) >= _WRITTEN_AT_ONCE:
            await run_in_threadpool(piece.write, bytes(waiting))
            waiting.clear()
    await run_in_threadpool(piece.write, bytes(waiting))


async def _after(services: Platform, caller: Identity, upload_id: str, wait_s: float) -> dict[str, Any]:
    until = time.monotonic() + wait_s
    look_s, longest_s = _LOOK_S
    while True:
        found = await run_in_threadpool(services.uploads.upload, upload_id, caller)
        if found.phase is not UploadPhase.LOADING or time.monotonic() >= until:
            return await run_in_threadpool(_upload, services, found)
        await asyncio.sleep(look_s)
        look_s = min(2 * look_s, longest_s)


def _digest(request: Request) -> bytes:
    """Return the SHA-256 that a header states; empty without one (RFC 9530 section 2)."""
    said = request.headers.get(_DIGEST, "")
    for member in said.split(","):
        name, _, value = member.strip().partition("=")
        if name.lower() == "sha-256":
            try:
                return base64.b64decode(value.strip(":"), validate=True)
            except ValueError:
                raise ParameterError("Content-Digest", said, "is no sum in base 64") from None
    return b""


def _upload(services: Platform, one: Upload) -> dict[str, Any]:
    settings = services.settings
    expires = datetime.fromtimestamp(one.touched, UTC) + timedelta(days=settings.uploads.keep_days)
    return {
        "id": one.id,
        "file": one.file,
        "size": one.size,
        "offset": one.offset,
        "sha256": one.sha256,
        "phase": str(one.phase),
        "table": one.table or None,
        "notes": list(one.notes),
        "progress": services.uploads.progress(one),
        "piece_bytes": settings.limits.upload_bytes,
        "expires": expires.isoformat(timespec="seconds"),
        **(one.error or {"error": None}),
    }
