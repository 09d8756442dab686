"""All of the API in one router; a GET may also be asked as HEAD."""

from fastapi import APIRouter

from awe.web.api import (
    admin,
    archive,
    coverage,
    datasets,
    groups,
    history,
    identities,
    identity,
    jobs,
    names,
    quotas,
    search,
    shares,
    sql,
    system,
    usage,
)

__all__ = ["router"]

router = APIRouter(prefix="/api")
for _part in (
    archive,
    coverage,
    identity,
    identities,
    search,
    sql,
    jobs,
    history,
    names,
    datasets,
    groups,
    shares,
    quotas,
    usage,
    admin,
    system,
):
    router.include_router(_part.router)
