"""Datasets by name: ``/api/datasets/...``: what is known, the file, a preview, a spectrum as a table."""

from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import Query, Request
from fastapi.responses import FileResponse, Response

from awe.core.science.spectra import spectrum_table
from awe.core.sky import Circle
from awe.core.tables.formats import VOTableOptions
from awe.core.vo.sdm import spectrum_params
from awe.errors import NotFoundError
from awe.services.identity import subject_of
from awe.services.observations import Dataset, is_object
from awe.web.api._angles import angle_deg
from awe.web.api._caller import Caller, Services, get, make_router, place
from awe.web.http import FairResponse, TableResponse, base_url, chosen_format, json_error, stored_response

__all__ = ["router"]

router = make_router(tags=["datasets"])

_A_DAY = {"Cache-Control": "public, max-age=86400"}
_OWN_DAY = {"Cache-Control": "private, max-age=86400"}


@get(router, "/datasets/{name:path}/file", response_class=FileResponse)
def file(name: str, request: Request, services: Services, caller: Caller) -> Response:
    """Return the published file as it is; ranges of bytes can be asked for."""
    dataset = services.observations.dataset(name, caller)
    path = services.observations.file(name, caller)
    if is_object(path):
        storage = services.observations.storage
        return stored_response(storage, path, dataset.media_type, request.headers.get("range"))
    return FileResponse(path, media_type=dataset.media_type, filename=path.name)


@get(router, "/datasets/{name:path}/preview", response_class=Response)
def preview(
    name: str,
    services: Services,
    caller: Caller,
    size: Annotated[int, Query(description="Pixels of the longer side")] = 512,
    position: Annotated[str, Query(description="Centre of a part of it, a position or a name")] = "",
    radius: Annotated[str, Query(description="Radius of the part, such as 30 arcsec")] = "1 arcmin",
    stretch: Annotated[Literal["linear", "asinh"], Query(description="How brightness is shown")] = "linear",
) -> Response:
    """Draw an image or a part of it, z-scaled, a spectrum as a line, or a light curve as dots, as PNG."""
    region = Circle(*place(services, position), angle_deg("radius", radius)) if position else None

    def drawn() -> Response:
        png = services.observations.preview(name, region=region, size=size, stretch=stretch, identity=caller)
        if png is None:
            raise NotFoundError(f"{name} has no pixel within {radius} of {position}")
        return Response(png, media_type="image/png", headers=_A_DAY if caller.is_nobody else _OWN_DAY)

    return FairResponse(subject_of(caller), drawn)


@get(router, "/datasets/{name:path}/spectrum", response_class=Response)
def spectrum(
    name: str,
    services: Services,
    caller: Caller,
    form: Annotated[
        str, Query(alias="format", description="votable, votable/b2, csv, fits, ...")
    ] = "votable",
) -> Response:
    """Return a spectrum as a table in the words of the Spectral Data Model 1.1, with the values of its file."""
    chosen, media_type = chosen_format(form, parameter="format")
    dataset = services.observations.dataset(name, caller)
    found = services.observations.spectrum(name, caller)
    params = spectrum_params(dataset.to_row(), len(found.flux.values), services.settings.archive.title)
    title = str(dataset.header.get("obs_title") or dataset.header.get("target_name") or dataset.obs_id)
    stream = spectrum_table(found, "spectrum", f"Spectrum: {title}", dataset.about)
    made = TableResponse(stream, chosen, VOTableOptions(params=tuple(params)), media_type=media_type)
    made.on_error = json_error
    filename = f"{quote(dataset.obs_id, safe='')}_spectrum{chosen.extensions[0]}"
    made.headers["Content-Disposition"] = f'inline; filename="{filename}"'
    return made


@get(router, "/datasets/{name:path}")
def dataset(name: str, request: Request, services: Services, caller: Caller) -> dict[str, Any]:
    """Say what is known of a dataset: its row of the index, and where its file is."""
    return _dataset(
        services.observations.dataset(name, caller), base_url(request), services.settings.tells_paths
    )


def _dataset(dataset: Dataset, base: str, tells_path: bool) -> dict[str, Any]:
    place = f"{base}/api/datasets/{quote(dataset.publisher_did, safe='')}"
    return {
        "publisher_did": dataset.publisher_did,
        "obs_id": dataset.obs_id,
        "collection": dataset.collection,
        "filename": dataset.path.name,
        "media_type": dataset.media_type,
        "size": dataset.size,
        "file": f"{place}/file",
        "preview": f"{place}/preview",
        "spectrum": f"{place}/spectrum" if dataset.dataproduct_type == "spectrum" else None,
        "path": str(dataset.path) if tells_path and not is_object(dataset.path) else None,
        "metadata": dict(dataset.about),
        "index": dict(dataset.header),
    }
