"""``/hips/...`` and ``/hipslist``: tiles of images for Aladin and its kin (HiPS 1.0 section 5)."""

from starlette.responses import FileResponse, Response

from awe.core.science.hips_files import properties
from awe.errors import AweError
from awe.web.http import Call, json_error

__all__ = ["hips_error", "hips_file", "hips_list"]

# Aladin Lite runs in pages of other sites, and shows what anybody may see.
_ANYWHERE = {"Access-Control-Allow-Origin": "*"}
_MINUTES = {"Cache-Control": "public, max-age=300"}
_OWN = {"Cache-Control": "private, max-age=300"}
_TYPES = {"fits": "application/fits", "png": "image/png", "jpg": "image/jpeg"}


def hips_file(call: Call) -> Response:
    """Return a file of a HiPS: ``/hips/<name>/properties``, ``/hips/<name>/Norder3/Dir0/Npix271.png``."""
    path = call.path("path")
    file = call.platform.hips.file(call.path("name"), path, call.identity)
    kind = _TYPES.get(path.rpartition(".")[2], "text/plain; charset=utf-8")
    return FileResponse(
        file, media_type=kind, headers=_ANYWHERE | (_MINUTES if call.identity.is_nobody else _OWN)
    )


def hips_list(call: Call) -> Response:
    """List the HiPS (section 5.2): the properties of each, and where it is."""
    records = []
    for one in call.platform.hips.all(call.identity):
        said = {**one.properties, "hips_service_url": f"{call.base_url}/hips/{one.name}"}
        records.append(properties(said))
    return Response("\n".join(records), media_type="text/plain; charset=utf-8", headers=_ANYWHERE)


def hips_error(error: AweError) -> Response:
    """Render an error so that a page of another site may read it."""
    answer = json_error(error)
    answer.headers.update(_ANYWHERE)
    return answer
