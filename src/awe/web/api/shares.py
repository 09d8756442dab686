"""Sharing: ``/api/shares``; what a link opens: ``/api/shared``."""

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Query, Request
from pydantic import BaseModel, Field

from awe.errors import ParameterError
from awe.services.catalogs import BATCH, QUERY, TABLE
from awe.services.history import ASKED
from awe.services.identity import READ, SHARE, Grant
from awe.services.jobs import JOB
from awe.services.observations import CUTOUT
from awe.web.api._caller import Caller, Services, get, make_router, needs
from awe.web.http import base_url

__all__ = ["router"]

router = make_router(tags=["sharing"])
_JOBS = {QUERY: "/tap/async", BATCH: "/api/jobs", CUTOUT: "/soda/async"}
"""Where the jobs of a kind are."""
_FORMATS = {"CSV": "csv", "VOTable": "votable", "FITS": "fits", "Parquet": "parquet"}


class NewShare(BaseModel, extra="forbid"):
    """Who may do what with something of yours."""

    kind: str = Field(description="table, collection, job or query")
    name: str = Field(
        description="schema.table, the name of a collection, the id of a job or of a query of the history"
    )
    principal: str = Field(description="user:NAME, group:NAME, role:NAME or everybody")
    action: str = Field(READ, description="What they may do")
    days: float | None = Field(None, description="So long; for good without it")


class NewLink(BaseModel, extra="forbid"):
    """A link by which whoever has it may read something of yours."""

    kind: str = Field(description="table, collection, job or query")
    name: str = Field(
        description="schema.table, the name of a collection, the id of a job or of a query of the history"
    )
    days: float = Field(30.0, description="Its life, in days")
    label: str = Field("", description="What you call it")


@get(router, "/shares")
def shares(
    services: Services,
    caller: Caller,
    kind: Annotated[str | None, Query(description="With name: who may do what with this one")] = None,
    name: Annotated[str | None, Query(description="With kind")] = None,
) -> dict[str, Any]:
    """List what you shared and what people shared with you; or, for those who may share it, all of one thing."""
    if (kind is None) != (name is None):
        raise ParameterError("kind", kind or "", "and name come together")
    if kind is not None and name is not None:
        return {"shares": [_grant(one) for one in services.shares.of(caller, kind, name)]}
    return {
        "given": [_grant(one) for one in services.shares.given(caller)],
        "received": [_grant(one) for one in services.shares.received(caller)],
    }


@router.post("/shares", openapi_extra=needs(SHARE))
def share(given: NewShare, services: Services, caller: Caller) -> dict[str, Any]:
    """Let somebody do something with a thing of yours; with everybody, the token needs the scope publish, too."""
    made = services.shares.share(
        caller, given.kind, given.name, given.principal, action=given.action, days=given.days
    )
    return _grant(made)


@router.post("/shares/links", openapi_extra=needs(SHARE))
def link(given: NewLink, request: Request, services: Services, caller: Caller) -> dict[str, Any]:
    """Make a link; the answer is the only place where its `key` is shown. Programs send it as a token."""
    key, made = services.shares.link(caller, given.kind, given.name, days=given.days, label=given.label)
    return {**_grant(made), "key": key, "address": f"{base_url(request)}/shared#{key}"}


@router.delete("/shares/{share_id}", openapi_extra=needs(SHARE))
def revoke(share_id: str, services: Services, caller: Caller) -> dict[str, str]:
    """Take back what was shared, at once."""
    services.shares.revoke(caller, share_id)
    return {"id": share_id}


@get(router, "/shared")
def shared(services: Services, caller: Caller) -> dict[str, Any]:
    """Say what the link opens that the request carries the key of, and where it can be fetched."""
    grant = services.shares.opened(caller)
    resource = services.shares.resource(grant.kind, grant.name, caller)
    told: dict[str, Any] = {"title": "", "description": "", "files": []}
    if grant.kind == TABLE:
        record = services.catalogs.table(resource.name, caller)
        query = f"SELECT * FROM {record.schema}.{record.name}"
        most = {"LANG": "ADQL", "QUERY": query, "MAXREC": services.settings.limits.rows}
        told = {
            "title": record.title,
            "description": record.description,
            "files": [
                _file(
                    f"{record.full_name}.{form}",
                    title,
                    f"/tap/sync?{urlencode(most | {'RESPONSEFORMAT': form})}",
                )
                for title, form in _FORMATS.items()
            ],
        }
    elif grant.kind == JOB:
        job = services.jobs.job(resource.name, caller)
        told = {
            "title": job.run_id,
            "description": "\n".join(value for name, value in job.parameters if name.upper() == "QUERY"),
            "files": [
                _file(one.file, one.media_type, f"{_JOBS[job.kind]}/{job.id}/results/{quote(one.name)}")
                for one in job.results
            ],
        }
    elif grant.kind == ASKED:
        asked = services.history.entry(resource.name, caller)
        told = {"title": asked.name, "description": asked.text, "files": []}
    return {
        "kind": grant.kind,
        "name": resource.name,
        "label": grant.label,
        "by": grant.by,
        "expires": grant.expires.isoformat() if grant.expires else None,
        **told,
    }


def _file(name: str, title: str, address: str) -> dict[str, str]:
    return {"name": name, "title": title, "address": address}


def _grant(one: Grant) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "name": one.name,
        "action": one.action,
        "principal": one.principal,
        "by": one.by,
        "label": one.label,
        "created": one.created.isoformat(),
        "expires": one.expires.isoformat() if one.expires else None,
    }
