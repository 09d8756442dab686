"""What is published: ``/api/status``, ``/api/tables``, ``/api/collections``."""

from typing import Any

from awe import __version__
from awe.core.tables import Column, votable_type
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


@get(router, "/tables")
def tables(services: Services, caller: Caller) -> dict[str, Any]:
    """List the tables that the caller may read."""
    return {"tables": [_table(record) for record in services.catalogs.tables(caller)]}


@get(router, "/tables/{name}")
def table(name: str, services: Services, caller: Caller) -> dict[str, Any]:
    """Describe one table, ``schema.name``, with its columns."""
    record = services.catalogs.table(name, caller)
    return {**_table(record), "columns": [_column(column) for column in record.columns]}


@get(router, "/collections")
def collections(services: Services, caller: Caller) -> dict[str, Any]:
    """List the collections of images."""
    return {"collections": [_collection(one) for one in services.observations.collections(caller)]}


def _table(record: TableRecord) -> dict[str, Any]:
    return {
        "schema": record.schema,
        "name": record.name,
        "full_name": record.full_name,
        "title": record.title,
        "description": record.description,
        "kind": record.kind,
        "rows": record.rows if record.kind == "table" else None,
        "bytes": record.bytes,
        "ra": record.ra,
        "dec": record.dec,
        "id_column": record.id_column,
        "version": record.version,
        "created": record.created.isoformat() if record.created else None,
        "metadata": dict(record.metadata),
        "functions": [function.name for function in record.functions],
    }


def _column(column: Column) -> dict[str, Any]:
    datatype, arraysize, _ = votable_type(column)
    return {
        "name": column.name,
        "datatype": datatype,
        "arraysize": arraysize,
        "unit": column.unit,
        "ucd": column.ucd,
        "utype": column.utype,
        "description": column.description,
        "principal": column.principal,
    }


def _collection(one: Collection) -> dict[str, Any]:
    return {"name": one.name, "datasets": one.datasets, "bytes": one.bytes, "metadata": dict(one.about)}


def _simulated(tables: tuple[TableRecord, ...], collections: list[Collection]) -> list[str]:
    """Return the names of what is simulated, so that nobody takes it for the sky."""
    found = [record.full_name for record in tables if record.metadata.get("simulated")]
    return found + [one.name for one in collections if one.about.get("simulated")]
