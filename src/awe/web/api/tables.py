"""Tables, published ones and your own: ``/api/tables``.

Your own tables are called ``mydb.name``; ``user_NAME.table`` names one of somebody else's, where that was shared.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from awe.core.tables import Column, ColumnStatistics, votable_type
from awe.services.catalogs import CONVENIENCE, ColumnChange, TableRecord, TableVersion
from awe.services.identity import WRITE, Identity
from awe.web.api._caller import Caller, Services, Writer, get, make_router, needs
from awe.web.http import TableResponse, absolute_links, base_url, chosen_format, json_error

__all__ = ["router"]

router = make_router(tags=["tables"])


class NewName(BaseModel, extra="forbid"):
    """The name of a table that is to be."""

    to: str = Field(description="mydb.name")


class VersionChoice(BaseModel, extra="forbid"):
    """Which version."""

    version: int | None = Field(
        None, ge=1, description="Its number; the newest that can be restored without it"
    )


class Positions(BaseModel, extra="forbid"):
    """Which columns are positions."""

    ra: str | None = Field(description="Column of right ascensions in degrees, ICRS; null for none")
    dec: str | None = Field(description="Column of declinations; likewise")


class ColumnWords(BaseModel, extra="forbid"):
    """What to say of a column; what is left out stays."""

    unit: str | None = Field(None, description="As VOUnits write it")
    ucd: str | None = Field(None, description="UCD1+")
    utype: str | None = Field(None, description="As data models name it")
    description: str | None = Field(None, description="For people")
    principal: bool | None = Field(None, description="Whether it is among the most important ones")


class Words(BaseModel, extra="forbid"):
    """What to say of a table; what is left out stays."""

    title: str | None = Field(None, max_length=255, description="What it is, in a few words")
    description: str | None = Field(None, max_length=10_000, description="What it is")
    columns: dict[str, ColumnWords] = Field(default_factory=dict, description="By the names of columns")


class Extension(BaseModel, extra="forbid"):
    """Columns that are computed from the positions."""

    columns: list[str] = Field(default_factory=list, description="Which ones; all without it")


@get(router, "/tables")
def tables(
    services: Services,
    caller: Caller,
    of: Annotated[
        Literal["own", "shared", "published", "dropped"] | None,
        Query(
            description="Only yours, those that others shared with you, the archive's, or yours that are dropped"
        ),
    ] = None,
) -> dict[str, Any]:
    """List the tables that you may read."""
    if of == "dropped":
        return {
            "tables": [
                _version(one) | {"name": one.record.name, "full_name": one.record.full_name}
                for one in services.versions.dropped(caller)
            ]
        }
    if of == "own":
        found: Sequence[TableRecord] = services.tables.tables(caller)
    elif of == "shared":
        found = services.tables.tables(caller, shared=True)
    else:
        found = services.catalogs.tables(caller)
        if of == "published":
            found = [record for record in found if not record.owner]
    return {"tables": [_table(record, caller) for record in found]}


@get(router, "/tables/{name}")
def table(name: str, services: Services, caller: Caller) -> dict[str, Any]:
    """Describe one table, ``schema.name``, with its columns."""
    record = services.catalogs.table(name, caller)
    return {**_table(record, caller), "columns": [_column(column) for column in record.columns]}


@get(router, "/tables/{name}/rows", response_class=Response)
def rows(
    name: str,
    request: Request,
    services: Services,
    caller: Caller,
    form: Annotated[
        str, Query(alias="format", description="votable, votable/b2, csv, fits, parquet ...")
    ] = "votable",
    max_rows: Annotated[int | None, Query(ge=0, description="Rows at the most")] = None,
) -> Response:
    """Return the rows of a table, all of them without `max_rows`."""
    chosen, media_type = chosen_format(form, parameter="format")
    record = services.catalogs.table(name, caller)
    text = f'SELECT * FROM "{record.schema}"."{record.name}"'
    stream = services.catalogs.query(text, identity=caller, max_rows=max_rows, whole=max_rows is None)
    made = TableResponse(absolute_links(stream, base_url(request)), chosen, media_type=media_type)
    made.on_error = json_error
    return made


@get(router, "/tables/{name}/files")
def files(
    name: str,
    request: Request,
    services: Services,
    caller: Caller,
    margin: Annotated[
        bool, Query(description="Also where the rows near the borders of partitions are, for cross-matches")
    ] = False,
) -> dict[str, Any]:
    """Say where the files of a table are, a HATS catalogue: LSDB and others open it there."""
    found = services.catalogs.hats(name, caller)
    place = f"{base_url(request)}/hats/{quote(found.name, safe='@')}"
    tells = services.settings.tells_paths
    near = services.catalogs.hats(found.name, caller, margin=True) if margin else None
    return {
        "table": found.record.full_name,
        "hats": place,
        "path": str(found.root) if tells else None,
        "margin": near and f"{place}/margin",
        "margin_path": str(near.root) if near and tells else None,
        "rows": found.record.rows,
        "bytes": found.record.bytes,
    }


@get(router, "/tables/{name}/statistics")
def statistics(name: str, services: Services, caller: Caller) -> dict[str, Any]:
    """Say what the values are like in each column of a table: least and greatest, how many are missing or different."""
    return {"columns": [_figures(one) for one in services.tables.statistics(name, caller)]}


@get(router, "/tables/{name}/versions")
def versions(name: str, services: Services, caller: Caller) -> dict[str, Any]:
    """List the versions of a table of yours that are kept, the oldest first."""
    return {"versions": [_version(one) for one in services.versions.kept(name, caller)]}


@router.delete("/tables/{name}", openapi_extra=needs(WRITE))
def drop(name: str, services: Services, caller: Writer) -> dict[str, str]:
    """Drop a table of yours; it can be restored for some time."""
    services.tables.drop(name, caller)
    return {"dropped": name}


@router.post("/tables/{name}/restore", openapi_extra=needs(WRITE))
def restore(name: str, given: VersionChoice, services: Services, caller: Writer) -> dict[str, Any]:
    """Bring back a table of yours that was dropped, or an earlier version of one."""
    return _table(services.versions.restore(name, caller, given.version), caller)


@router.post("/tables/{name}/rename", openapi_extra=needs(WRITE))
def rename(name: str, given: NewName, services: Services, caller: Writer) -> dict[str, Any]:
    """Give a table of yours another name."""
    return _table(services.tables.rename(name, given.to, caller), caller)


@router.post("/tables/{name}/copy", openapi_extra=needs(WRITE))
def copy(name: str, given: NewName, services: Services, caller: Writer) -> dict[str, Any]:
    """Copy a table that you may read into one of yours."""
    return _table(services.tables.copy(name, given.to, caller), caller)


@router.patch("/tables/{name}", openapi_extra=needs(WRITE))
def describe(name: str, given: Words, services: Services, caller: Writer) -> dict[str, Any]:
    """Say what a table of yours and its columns are."""
    columns = {column: ColumnChange(**words.model_dump()) for column, words in given.columns.items()}
    record = services.tables.describe(
        name, caller, title=given.title, description=given.description, columns=columns
    )
    return {**_table(record, caller), "columns": [_column(column) for column in record.columns]}


@router.post("/tables/{name}/index", openapi_extra=needs(WRITE))
def index(name: str, given: Positions, services: Services, caller: Writer) -> dict[str, Any]:
    """Say which columns of a table of yours are positions, so that it can be searched on the sky."""
    return _table(services.tables.index(name, caller, given.ra, given.dec), caller)


@router.post("/tables/{name}/extend", openapi_extra=needs(WRITE))
def extend(name: str, given: Extension, services: Services, caller: Writer) -> dict[str, Any]:
    """Add columns that are computed from the positions of a table of yours."""
    chosen = given.columns or CONVENIENCE
    record = services.tables.extend(name, caller, chosen)
    return {**_table(record, caller), "columns": [_column(column) for column in record.columns]}


def _table(record: TableRecord, caller: Identity) -> dict[str, Any]:
    return {
        "schema": record.schema,
        "name": record.name,
        "full_name": record.full_name,
        "owner": record.owner or None,
        "own": bool(record.owner) and record.owner == caller.name,
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


def _figures(one: ColumnStatistics) -> dict[str, Any]:
    """Return it as JSON, which has no infinite numbers."""
    return {
        name: str(value) if isinstance(value, float) and math.isinf(value) else value
        for name, value in asdict(one).items()
    }


def _version(one: TableVersion) -> dict[str, Any]:
    return {
        "version": one.number,
        "rows": one.record.rows,
        "bytes": one.record.bytes,
        "origin": one.origin,
        "created": one.created.isoformat(),
        "ended": one.ended.isoformat() if one.ended else None,
        "current": one.is_current,
    }
