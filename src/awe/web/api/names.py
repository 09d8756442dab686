"""Names of objects: ``/api/resolve``."""

from typing import Annotated, Any

from fastapi import Query

from awe.web.api._caller import Services, get, make_router

__all__ = ["router"]

router = make_router(tags=["searches"])


@get(router, "/resolve")
def resolve(
    services: Services, name: Annotated[str, Query(description="Such as M87, alf Vir, NGC 4486, Sgr A*")]
) -> dict[str, Any]:
    """Say where an object is (ICRS degrees), what it is, what else it is called, and who says so."""
    found = services.names.resolve(name)
    return {
        "name": found.name,
        "ra": found.ra,
        "dec": found.dec,
        "kind": found.kind,
        "aliases": list(found.aliases),
        "source": found.source,
    }
