"""A published file that lies in an object store, passed on: all of it, or the range of bytes that is asked for."""

import re
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

from starlette.responses import Response, StreamingResponse

from awe.services.observations import Storage

__all__ = ["stored_response"]

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_CHUNK = 4 << 20


def stored_response(storage: Storage, path: Path, media_type: str, wanted: str | None) -> Response:
    """Answer with a file of a store.

    Parameters
    ----------
    wanted
        The header Range (RFC 9110 section 14.2); several ranges are answered with the whole file.

    Raises
    ------
    InputFileError
        If it is not there, or cannot be asked for.
    """
    size, modified = storage.stat(path)
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{path.name}"',
        **({"Last-Modified": formatdate(modified, usegmt=True)} if modified else {}),
    }
    found = _RANGE.fullmatch(wanted.strip()) if wanted else None
    first, last = 0, size
    if found is not None and found[1] + found[2]:
        first = int(found[1]) if found[1] else max(0, size - int(found[2]))
        last = min(size, int(found[2]) + 1) if found[1] and found[2] else size
        if first >= last:
            return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
        headers["Content-Range"] = f"bytes {first}-{last - 1}/{size}"
    headers["Content-Length"] = str(last - first)
    status = 206 if "Content-Range" in headers else 200
    return StreamingResponse(
        _read(storage, path, first, last), status, headers=headers, media_type=media_type
    )


def _read(storage: Storage, path: Path, first: int, last: int) -> Iterator[bytes]:
    with storage.open(path) as source:
        for at in range(first, last, _CHUNK):
            yield from source.read([(at, min(_CHUNK, last - at))])
