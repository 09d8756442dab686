"""The bytes of files: ``/storage/get`` and ``put`` say where they go, ``fetch`` and ``upload`` are there, ``load``.

The client fetches a file without saying who it is; so the address that it is given holds a ticket, which lets whoever has
it read this one file for some minutes.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from starlette.responses import PlainTextResponse, Response, StreamingResponse

from awe.errors import ParameterError
from awe.services.identity import WRITE, Identity
from awe.services.space import NodePath, SpaceDraft
from awe.web.compat.datalab._asked import known, need
from awe.web.compat.datalab._places import Place, Published, called, opened, own, place
from awe.web.compat.datalab.images import cut
from awe.web.compat.datalab.service import ROOT
from awe.web.http import Call, Receiver

__all__ = ["ask_upload", "fetch", "get", "load", "upload"]

_CHUNK = 1 << 20
_BINARY = "application/octet-stream"


def get(call: Call) -> Response:
    """Say where a file can be fetched, for some minutes; whether it is there is told when it is fetched."""
    where = place(call, called(call, "name"))
    ticket = call.platform.tickets.issue(call.identity, json.dumps(_told(where)))
    return PlainTextResponse(f"{call.base_url}{ROOT}/storage/fetch?{urlencode({'ticket': ticket})}")


def fetch(call: Call) -> Response:
    """Return the file that a ticket is for."""
    identity, what = call.platform.tickets.read(need(call, "ticket"))
    where = _meant(what)
    content = opened(call, where, identity)
    size = content.seek(0, 2)
    content.seek(0)
    headers = {
        "Content-Length": str(size),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(where.parts[-1])}",
        "Cache-Control": "private, no-store",
    }
    return StreamingResponse(_chunks(content), media_type=_BINARY, headers=headers)


def ask_upload(call: Call) -> Response:
    """Say where a file can be sent, if it can: nobody reads what is answered to the file itself."""
    identity = known(call, WRITE)
    name = called(call, "name")
    with call.platform.space.write(own(call, name, identity), identity):
        address = f"{call.base_url}{ROOT}/storage/upload"
    return PlainTextResponse(f"{address}?name={quote(name, safe='/:')}")


def _uploading(call: Call) -> AbstractContextManager[SpaceDraft]:
    identity = known(call, WRITE)
    length = call.request.headers.get("content-length", "")
    size = int(length) if length.isdecimal() and len(length) < 19 else 0
    return call.platform.space.write(own(call, called(call, "name"), identity), identity, size=size)


upload = Receiver(_uploading)
"""Keep a file that is sent, in the place of one of that name."""


def load(call: Call) -> Response:
    """Keep what stands at an address: a link of this archive, or one of a host that may be asked."""
    identity = known(call, WRITE)
    target, address = own(call, called(call, "name"), identity), need(call, "endpoint")
    with _brought(call, address, identity) as chunks, call.platform.space.write(target, identity) as draft:
        for chunk in chunks:
            draft.write(chunk)
        draft.done()
    return PlainTextResponse("OK")


@contextmanager
def _brought(call: Call, address: str, identity: Identity) -> Iterator[Iterator[bytes]]:
    """Yield the bytes that stand at an address; this archive's own are made here and not fetched."""
    if address.startswith(f"{call.base_url}/"):
        yield _own_link(call, address.removeprefix(call.base_url), identity)
    elif address.partition("://")[0].lower() not in {"http", "https"}:
        yield _chunks(opened(call, place(call, address), identity))
    else:
        with tempfile.TemporaryDirectory(prefix="awe-load-") as folder:
            path = call.platform.catalogs.receive([("file", address)], {}, Path(folder))["file"]
            with path.open("rb") as content:
                yield _chunks(content)


def _own_link(call: Call, link: str, identity: Identity) -> Iterator[bytes]:
    parts = urlsplit(link)
    if parts.path == f"{ROOT}/svc/cutout":
        return cut(call, tuple(parse_qsl(parts.query)), identity).write()
    words = parts.path.strip("/").split("/")
    if words[:2] == ["api", "datasets"] and words[3:] == ["file"]:
        observations = call.platform.observations
        return _chunks(observations.storage.binary(observations.file(unquote(words[2]), identity)))
    raise ParameterError(
        "endpoint",
        link,
        "is no image of this archive",
        hint=f"load cutouts ({ROOT}/svc/cutout) and whole files (access_url)",
    )


def _chunks(content: BinaryIO) -> Iterator[bytes]:
    with content:
        while chunk := content.read(_CHUNK):
            yield chunk


def _told(where: Place) -> list[object]:
    if isinstance(where, Published):
        return ["collection", where.collection, *where.parts]
    return ["space", where.owner, *where.parts]


def _meant(what: str) -> Place:
    kind, whose, *parts = json.loads(what)
    return Published(whose, tuple(parts)) if kind == "collection" else NodePath(whose, tuple(parts))
