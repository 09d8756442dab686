"""What is published: ``/api/status``, ``/api/collections``."""

from typing import Any

from awe import __version__
from awe.services.catalogs import TableRecord
from awe.services.observations import Collection
from awe.web.api._caller import Caller, Services, get, make_router

__all__ = ["router"]

router = make_router(tags=["what is published"])


@get(router, "/status")
def status(services: Services, caller: Caller) -> dict[str, Any]:
    """Say what this archive is and how much it holds."""
    archive = services.settings.archive
    tables = services.catalogs.tables(caller)
    collections = services.observations.collections(caller)
    return {
        "title": archive.title,
        "description": archive.description,
        "authority": archive.authority,
        "contact": archive.contact,
        "version": __version__,
        "tables": sum(record.kind == "table" for record in tables),
        "rows": sum(record.rows for record in tables),
        "datasets": sum(collection.datasets for collection in collections),
        "bytes": sum(record.bytes for record in tables) + sum(one.bytes for one in collections),
        "simulated": _simulated(tables, collections),
    }


@get(router, "/collections")
def collections(services: Services, caller: Caller) -> dict[str, Any]:
    """List the collections of images."""
    return {"collections": [_collection(one) for one in services.observations.collections(caller)]}


def _collection(one: Collection) -> dict[str, Any]:
    return {"name": one.name, "datasets": one.datasets, "bytes": one.bytes, "metadata": dict(one.about)}


def _simulated(tables: tuple[TableRecord, ...], collections: list[Collection]) -> list[str]:
    """Return the names of what is simulated, so that nobody takes it for the sky."""
    found = [record.full_name for record in tables if record.metadata.get("simulated")]
    return found + [one.name for one in collections if one.about.get("simulated")]
