"""How much the archive is used: ``/api/admin/usage``, for administrators and operators."""

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import Query

from awe.services.identity import ADMIN, OPERATOR
from awe.web.api._caller import Caller, Services, administrator, get, make_router, needs

__all__ = ["router"]

router = make_router(tags=["administration"])

_DAYS = timedelta(days=29)


@get(router, "/admin/usage", openapi_extra=needs(ADMIN))
def usage(
    services: Services,
    caller: Caller,
    since: Annotated[date | None, Query(description="First day; 30 days in all when not given")] = None,
    until: Annotated[date | None, Query(description="Last day; today when not given (UTC)")] = None,
    by: Annotated[Literal["day", "caller"], Query(description="caller is for administrators only")] = "day",
) -> dict[str, Any]:
    """Say how many people, logins, queries, rows, bytes and jobs there were, by day or by caller."""
    administrator(caller, *([OPERATOR] if by == "day" else []))
    last = until or datetime.now(UTC).date()
    first = since or last - _DAYS
    if by == "day":
        days = services.figures.days(first, last)
        listed = [
            {"day": one.day.isoformat(), "people": one.people, "logins": one.logins, **asdict(one.amounts)}
            for one in days
        ]
        return {"days": listed}
    callers = services.figures.callers(first, last)
    return {"callers": [{"caller": name, **asdict(amounts)} for name, amounts in callers]}
