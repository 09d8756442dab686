"""Which part of the sky something covers: ``/api/coverage``."""

from typing import Annotated, Any

from fastapi import Query, Request

from awe.core.sky import Moc
from awe.core.suggestions import did_you_mean
from awe.errors import NotFoundError
from awe.platform import Platform
from awe.services.identity import Identity
from awe.web.api._caller import Caller, Services, get, make_router
from awe.web.http import base_url

__all__ = ["router"]

router = make_router(tags=["what is published"])


@get(router, "/coverage")
def coverage(
    request: Request,
    services: Services,
    caller: Caller,
    of: Annotated[str, Query(description="A table (schema.name) or a collection")],
) -> dict[str, Any]:
    """Say how much of the sky a table or a collection covers, and where its MOC is."""
    path, moc = _found(services, caller, of)
    around = moc.bounding_circle()
    return {
        "of": of,
        "moc": f"{base_url(request)}/moc/{path}",
        "order": moc.order,
        "sky_fraction": moc.sky_fraction,
        "area_deg2": moc.area,
        "around": {"ra": around.ra, "dec": around.dec, "radius_deg": around.radius},
    }


def _found(services: Platform, caller: Identity, of: str) -> tuple[str, Moc]:
    tables = {record.full_name.casefold(): record.full_name for record in services.catalogs.tables(caller)}
    if of.casefold() in tables:
        name = tables[of.casefold()]
        return name, services.catalogs.coverage(name, caller)
    collections = [one.name for one in services.observations.collections(caller)]
    if of not in collections:
        hint = did_you_mean(of, [*tables.values(), *collections])
        raise NotFoundError(f"no table or collection is called {of!r}", hint=hint)
    return f"collection/{of}", services.observations.coverage(of, caller)
