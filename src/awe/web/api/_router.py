"""All of the API in one router; a GET may also be asked as HEAD."""

from fastapi import APIRouter

from awe.web.api import admin, archive, coverage, datasets, identity, jobs, names, quotas, search, system

__all__ = ["router"]

router = APIRouter(prefix="/api")
for _part in (archive, coverage, identity, search, jobs, names, datasets, quotas, admin, system):
    router.include_router(_part.router)
