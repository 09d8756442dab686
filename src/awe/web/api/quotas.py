"""What callers may use: ``/api/me/usage`` for each, ``/api/admin/quotas`` for administrators."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from awe.services.identity import ADMIN, MEASURES, Limit, Usage
from awe.web.api._caller import Caller, Services, administrator, get, make_router, needs

__all__ = ["router"]

router = make_router(tags=["quotas"])


class NewLimit(BaseModel, extra="forbid"):
    """How much of something somebody may use."""

    principal: str = Field(description="user:NAME, group:NAME, role:NAME, everybody or anonymous")
    measure: str = Field(description=f"One of {', '.join(MEASURES)}")
    amount: int | None = Field(description="null for as much as there is")
    since: datetime | None = Field(None, description="From this moment on")
    until: datetime | None = Field(None, description="Before this moment")
    why: str = Field("", description="For other administrators")


@get(router, "/me/usage", openapi_extra=needs(""))
def my_usage(services: Services, caller: Caller) -> dict[str, Any]:
    """Say what you may use, and how much of it you use; of callers without an account that of their address."""
    return {
        "name": caller.name or "anonymous",
        "usage": [_usage(one) for one in services.quotas.usage(caller)],
    }


@get(router, "/admin/quotas", openapi_extra=needs(ADMIN))
def quotas(
    services: Services,
    caller: Caller,
    user: Annotated[str | None, Query(description="Also what this user may use and uses")] = None,
) -> dict[str, Any]:
    """List the limits that were set."""
    administrator(caller)
    found: dict[str, Any] = {"quotas": [_limit(one) for one in services.quotas.limits()]}
    if user is not None:
        found["usage"] = [_usage(one) for one in services.quotas.usage(services.identity.known(user))]
    return found


@router.post("/admin/quotas", openapi_extra=needs(ADMIN))
def set_quota(given: NewLimit, services: Services, caller: Caller) -> dict[str, Any]:
    """Set a limit; it takes the place of one for the same principal, measure and days."""
    made = services.quotas.set(
        given.principal,
        given.measure,
        given.amount,
        by=administrator(caller),
        since=given.since,
        until=given.until,
        why=given.why,
    )
    return _limit(made)


@router.delete("/admin/quotas/{limit_id}", openapi_extra=needs(ADMIN))
def drop_quota(limit_id: str, services: Services, caller: Caller) -> dict[str, Any]:
    """Drop a limit."""
    return _limit(services.quotas.drop(limit_id, by=administrator(caller)))


def _usage(one: Usage) -> dict[str, Any]:
    return {
        "measure": one.measure,
        "what": MEASURES[one.measure],
        "limit": one.limit,
        "used": one.used,
        "resets": one.resets.isoformat() if one.resets else None,
        "principal": one.principal,
    }


def _limit(one: Limit) -> dict[str, Any]:
    return {
        "id": one.id,
        "principal": one.principal,
        "measure": one.measure,
        "amount": one.amount,
        "since": one.since.isoformat() if one.since else None,
        "until": one.until.isoformat() if one.until else None,
        "why": one.why,
        "by": one.by,
        "created": one.created.isoformat(),
    }
