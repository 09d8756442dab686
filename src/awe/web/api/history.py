"""What you asked, and what became of it: ``/api/history``."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from awe.services.history import Entry
from awe.services.identity import WRITE
from awe.services.jobs import Phase
from awe.web.api._caller import Caller, Services, get, make_router, needs

__all__ = ["router"]

router = make_router(tags=["history"])


class Named(BaseModel, extra="forbid"):
    """What you call a query."""

    name: str = Field(description="Your own name for it; empty for none")


@get(router, "/history")
def history(
    services: Services,
    caller: Caller,
    text: Annotated[str, Query(description="In the query, its name, its table or what went wrong")] = "",
    phase: Annotated[list[Phase] | None, Query(description="Only in one of these phases")] = None,
    after: Annotated[datetime | None, Query(description="Only what was asked after")] = None,
    before: Annotated[
        datetime | None, Query(description="Only what was asked before: for the next page")
    ] = None,
    last: Annotated[int | None, Query(ge=1, description="So many at the most")] = None,
    shared: Annotated[bool, Query(description="What others let you see, instead of yours")] = False,
) -> dict[str, Any]:
    """List what you asked, the newest first; `more` says where the next page begins."""
    found = services.history.find(
        caller, text=text, phases=phase or (), after=after, before=before, most=last, shared=shared
    )
    full = bool(found) and len(found) == min(last or len(found) + 1, services.settings.history.listed)
    return {"queries": [_entry(one) for one in found], "more": found[-1].begun.isoformat() if full else None}


@get(router, "/history/{query_id}")
def entry(query_id: str, services: Services, caller: Caller) -> dict[str, Any]:
    """Describe one query."""
    return _entry(services.history.entry(query_id, caller))


@router.patch("/history/{query_id}", openapi_extra=needs(WRITE))
def name(query_id: str, given: Named, services: Services, caller: Caller) -> dict[str, Any]:
    """Give a query a name."""
    return _entry(services.history.name(query_id, caller, given.name))


@router.delete("/history/{query_id}", openapi_extra=needs(WRITE))
def forget(query_id: str, services: Services, caller: Caller) -> dict[str, str]:
    """Remove a query from your history; its job, if it was one, stays."""
    services.history.forget(query_id, caller)
    return {"forgotten": query_id}


def _entry(one: Entry) -> dict[str, Any]:
    return {
        "id": one.id,
        "owner": one.owner,
        "face": one.face,
        "dialect": one.dialect,
        "context": one.context,
        "query": one.text,
        "into": one.into,
        "begun": one.begun.isoformat(),
        "ended": one.ended.isoformat() if one.ended else None,
        "phase": str(one.phase),
        "seconds": one.seconds,
        "rows": one.rows,
        "bytes": one.bytes,
        "message": one.message,
        "job": one.job,
        "name": one.name,
        "engine": one.engine,
    }
