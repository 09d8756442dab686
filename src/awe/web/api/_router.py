"""All of the API in one router; a GET may also be asked as HEAD."""

from fastapi import APIRouter

from awe.web.api import (
    admin,
    archive,
    coverage,
    cutouts,
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
    tables,
    uploads,
    usage,
)

__all__ = ["router"]

router = APIRouter(prefix="/api")
for _part in (
    archive,
    tables,
    uploads,
    coverage,
    identity,
    identities,
    search,
    sql,
    jobs,
    history,
    names,
    cutouts,
    datasets,
    groups,
    shares,
    quotas,
    usage,
    admin,
    system,
):
    router.include_router(_part.router)
