"""What operators look after: ``/api/admin/system``, ``/api/admin/backup``."""

import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, BinaryIO

from starlette.responses import StreamingResponse

from awe import __version__
from awe.services.identity import ADMIN, OPERATOR
from awe.services.system import system_state, write_backup
from awe.web.api._caller import Caller, Services, administrator, get, make_router, needs

__all__ = ["router"]

router = make_router(prefix="/admin", tags=["administration"])

_CHUNK = 1 << 20


@get(router, "/system", openapi_extra=needs(ADMIN))
def system(services: Services, caller: Caller) -> dict[str, Any]:
    """Say which version runs, on which database, with how much room; for operators, too."""
    administrator(caller, OPERATOR)
    return {"version": __version__, **asdict(system_state(services.system, services.settings.folder))}


@router.post("/backup", openapi_extra=needs(ADMIN), response_class=StreamingResponse)
def backup(services: Services, caller: Caller) -> StreamingResponse:
    """Make a backup of all that is no catalogue, and return it: a ZIP file, as secret as what is in it."""
    by = administrator(caller)
    folder = services.settings.folder
    # it has no name: whatever happens, nothing of it stays
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # the answer closes it
    try:
        manifest = write_backup(services.system, folder, file)
        size = file.seek(0, 2)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    services.audit.record("backup.made", user=by, schema=manifest.schema)
    name = f"awe-{manifest.created[:19].replace(':', '')}.zip"
    headers = {
        "Content-Length": str(size),
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(_read(file), media_type="application/zip", headers=headers)


def _read(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk
