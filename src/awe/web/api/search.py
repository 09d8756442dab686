"""Searches: ``/api/query``, ``/api/cone``, ``/api/cones``, ``/api/images``, ``/api/spectra``, ``/api/position``."""

import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from awe.core.sky import Circle
from awe.core.tables import TableStream
from awe.services.catalogs import MOST_CONES, Reading
from awe.services.identity import READ
from awe.services.observations import IMAGES, Criteria
from awe.web.api._angles import angle_deg
from awe.web.api._caller import Caller, Services, get, make_router, needs, place
from awe.web.api._intervals import interval_of
from awe.web.api._sql import SqlQuery, asked_for, body_of
from awe.web.http import (
    Given,
    TableResponse,
    absolute_links,
    base_url,
    chosen_format,
    json_error,
)

__all__ = ["router"]

router = make_router(tags=["searches"])

Position = Annotated[
    str, Query(description='Such as 187.7059 12.3911 or "12:30:49.4 +12:23:28", ICRS, or a name such as M87')
]
Radius = Annotated[str, Query(description="Such as 2 arcmin; degrees without a unit")]
Rows = Annotated[int | None, Query(ge=0, description="Rows at the most")]
Form = Annotated[str, Query(alias="format", description="votable, votable/b2, csv, fits, json, parquet ...")]


@router.post("/query", response_class=Response, openapi_extra=body_of(SqlQuery) | needs(READ))
def query(
    asked: Annotated[tuple[SqlQuery, Given], Depends(asked_for(SqlQuery))],
    request: Request,
    services: Services,
    caller: Caller,
) -> Response:
    """Run a query next to the data; in a form, each file is a table TAP_UPLOAD.name, named by its part."""
    given, sent = asked
    with closing(sent), tempfile.TemporaryDirectory(prefix="awe-upload-") as folder:
        answer = _answer(request, given.format)
        wanted = [(name, f"param:{name}") for name in sent.parts]
        stream = services.catalogs.query(
            given.query,
            dialect=given.lang,
            context=given.context,
            identity=caller,
            max_rows=given.max_rows,
            uploads=services.catalogs.receive(wanted, sent.parts, Path(folder)),
        )
    return answer(stream)


@router.post("/estimate", openapi_extra=body_of(SqlQuery) | needs(READ))
def estimate(
    asked: Annotated[tuple[SqlQuery, Given], Depends(asked_for(SqlQuery))], services: Services, caller: Caller
) -> dict[str, Any]:
    """Say what a query would read, without running it: rows, bytes and files, of each table and of all."""
    given, sent = asked
    with closing(sent), tempfile.TemporaryDirectory(prefix="awe-upload-") as folder:
        wanted = [(name, f"param:{name}") for name in sent.parts]
        found = services.catalogs.estimate(
            given.query,
            dialect=given.lang,
            context=given.context,
            identity=caller,
            uploads=services.catalogs.receive(wanted, sent.parts, Path(folder)),
        )
    return {
        "engine": found.engine,
        "rows": found.rows,
        "bytes": found.bytes,
        "partitions": found.partitions,
        "pairs": found.pairs,
        "why": found.why,
        "gives": found.gives,
        "gives_most": found.gives_most,
        "readings": [_reading(one) for one in found.readings],
    }


def _reading(one: Reading) -> dict[str, Any]:
    return {
        "table": one.table,
        "rows": one.rows,
        "bytes": one.bytes,
        "files": one.files,
        "of_files": one.of_files,
        "area_deg2": one.area_deg2,
    }


@get(router, "/cone", response_class=Response)
def cone(
    request: Request,
    services: Services,
    caller: Caller,
    table: Annotated[str, Query(description="schema.name of a table with positions")],
    position: Position,
    radius: Radius = "1 arcmin",
    max_rows: Rows = None,
    form: Form = "json",
) -> Response:
    """Return the rows of a table around a position."""
    answer = _answer(request, form)
    radius_deg = angle_deg("radius", radius)
    stream = services.catalogs.cone(
        table, *place(services, position), radius_deg, identity=caller, max_rows=max_rows
    )
    return answer(stream)


class ManyPositions(BaseModel):
    """Cones around many positions."""

    table: str = Field(description="schema.name of a table with positions")
    positions: list[tuple[float, float]] = Field(
        max_length=MOST_CONES, description="Right ascension and declination of each, ICRS degrees"
    )
    radius: str = Field("1 arcmin", description="Such as 2 arcmin; degrees without a unit")
    max_rows: int | None = Field(None, ge=0, description="Rows at the most, of all together")
    format: str = Field("json", description="votable, votable/b2, csv, fits, json, parquet ...")


@router.post("/cones", response_class=Response, openapi_extra=needs(READ))
def cones(asked: ManyPositions, request: Request, services: Services, caller: Caller) -> Response:
    """Return the rows of a table around many positions; the column `target` says around which, from 0."""
    answer = _answer(request, asked.format)
    radius_deg = angle_deg("radius", asked.radius)
    stream = services.catalogs.cones(
        asked.table, asked.positions, radius_deg, identity=caller, max_rows=asked.max_rows
    )
    return answer(stream)


@get(router, "/images", response_class=Response)
def images(
    request: Request,
    services: Services,
    caller: Caller,
    position: Position,
    radius: Radius = "0",
    max_rows: Rows = None,
    form: Form = "json",
) -> Response:
    """Return the images that touch a circle on the sky; with radius 0, those that cover the position."""
    answer = _answer(request, form)
    region = Circle(*place(services, position), angle_deg("radius", radius))
    return answer(
        services.observations.find(
            Criteria(regions=(region,), dataproduct_types=IMAGES), max_rows=max_rows, identity=caller
        )
    )


@get(router, "/spectra", response_class=Response)
def spectra(
    request: Request,
    services: Services,
    caller: Caller,
    position: Annotated[str, Query(description="Centre of a circle; everywhere when empty")] = "",
    radius: Radius = "1 arcmin",
    band: Annotated[
        str, Query(description="Lowest and highest wavelength in metres, such as 4e-7 7e-7")
    ] = "",
    time: Annotated[str, Query(description="First and last MJD, such as 52000 +Inf")] = "",
    redshift: Annotated[str, Query(description="Lowest and highest redshift of the target")] = "",
    target: Annotated[list[str] | None, Query(description="Target's name, case ignored")] = None,
    instrument: Annotated[list[str] | None, Query(description="Instrument")] = None,
    collection: Annotated[list[str] | None, Query(description="Collection")] = None,
    max_rows: Rows = None,
    form: Form = "json",
) -> Response:
    """Return the spectra taken within a circle on the sky, the nearest first; everywhere without a position."""
    answer = _answer(request, form)
    centre = place(services, position) if position.strip() else None
    criteria = Criteria(
        regions=() if centre is None else (Circle(*centre, angle_deg("radius", radius)),),
        band=_one(interval_of("band", band)),
        time=_one(interval_of("time", time)),
        redshift=_one(interval_of("redshift", redshift)),
        names=tuple(target or ()),
        instruments=tuple(instrument or ()),
        collections=tuple(collection or ()),
        dataproduct_types=("spectrum",),
    )
    return answer(services.observations.find(criteria, max_rows=max_rows, nearest_to=centre, identity=caller))


def _one(found: tuple[float, float] | None) -> tuple[tuple[float, float], ...]:
    return () if found is None else (found,)


@get(router, "/position")
def position(services: Services, text: Position, radius: Radius = "0") -> dict[str, float | str]:
    """Read a position, or a name, and a radius as people type them; answers ICRS degrees."""
    found = services.names.resolve(text)
    return {
        "ra": found.ra,
        "dec": found.dec,
        "radius": angle_deg("radius", radius),
        "name": found.name,
        "kind": found.kind,
        "source": found.source,
    }


def _answer(request: Request, named: str) -> Callable[[TableStream], Response]:
    """Return what makes the answer of a stream; a format that is not offered is refused before the work."""
    form, media_type = chosen_format(named, parameter="format")

    def answer(stream: TableStream) -> Response:
        links = absolute_links(stream, base_url(request))
        made = TableResponse(links, form, media_type=media_type)
        made.on_error = json_error
        return made

    return answer
