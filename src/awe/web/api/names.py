"""Names of objects: ``/api/resolve``."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from awe.web.api._caller import Services, get

__all__ = ["router"]

router = APIRouter(tags=["searches"])


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
