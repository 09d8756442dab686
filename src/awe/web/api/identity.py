"""Who is asking: ``/api/login``, ``/api/logout``, ``/api/whoami``."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, SecretStr

from awe.web.api._caller import Caller, Services, get
from awe.web.http import token_of

__all__ = ["router"]

router = APIRouter(tags=["your account"])


class Login(BaseModel, extra="forbid"):
    """Name and password."""

    user: str
    password: SecretStr


@router.post("/login")
def login(given: Login, services: Services) -> dict[str, str]:
    """Return a token for a name and a password; send it as ``X-Auth-Token`` or ``Authorization: Bearer``."""
    return {"token": services.identity.login(given.user, given.password.get_secret_value())}


@router.post("/logout")
def logout(request: Request, services: Services, caller: Caller) -> dict[str, str]:
    """End the token that the request carries."""
    token = token_of(request)
    if token:
        services.identity.revoke(token)
    return {"name": caller.name or "anonymous"}


@get(router, "/whoami")
def whoami(caller: Caller) -> dict[str, Any]:
    """Say whose token the request carries."""
    return {
        "name": caller.name or "anonymous",
        "roles": sorted(caller.roles),
        "groups": sorted(caller.groups),
    }
