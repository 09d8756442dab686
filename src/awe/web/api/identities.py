"""Who users are at other account systems: a further one, by its password, and what administrators do."""

from typing import Any

from pydantic import BaseModel, SecretStr

from awe.errors import AuthenticationError
from awe.platform import Platform
from awe.services.identity import ADMIN, Identity
from awe.web.api._caller import Caller, Services, administrator, get, make_router, needs

__all__ = ["router"]

router = make_router(tags=["administration"])


class Elsewhere(BaseModel, extra="forbid"):
    """Name and password at another account system."""

    user: str
    password: SecretStr


class Link(BaseModel, extra="forbid"):
    """Somebody of a login provider: what the provider calls the person for good."""

    provider: str
    subject: str


@router.post("/me/identities", openapi_extra=needs(ADMIN), tags=["your account"])
def add_identity(given: Elsewhere, services: Services, caller: Caller) -> dict[str, Any]:
    """Log in as somebody of another account system from now on, too; its name and password prove who you are there."""
    services.identity.link(_known(caller), given.user, given.password.get_secret_value())
    return _listed(services, caller.name)


@get(router, "/admin/users/{name}/identities", openapi_extra=needs(ADMIN))
def identities_of(name: str, services: Services, caller: Caller) -> dict[str, Any]:
    """List who a user is at other account systems."""
    administrator(caller)
    return _listed(services, services.identity.account(name).name)


@router.post("/admin/users/{name}/identities", openapi_extra=needs(ADMIN))
def link(name: str, given: Link, services: Services, caller: Caller) -> dict[str, Any]:
    """Let somebody of a login provider be a user."""
    by = administrator(caller)
    services.federation.link_for(name, given.provider, given.subject, by=by)
    return _listed(services, name)


@router.delete("/admin/users/{name}/identities", openapi_extra=needs(ADMIN))
def unlink(name: str, provider: str, subject: str, services: Services, caller: Caller) -> dict[str, Any]:
    """Let somebody of a login provider be a user no longer; what came by it ends."""
    services.federation.unlink(name, provider, subject, by=administrator(caller))
    return _listed(services, name)


def _known(caller: Identity) -> Identity:
    if caller.is_anonymous:
        raise AuthenticationError("this is for who is logged in", hint="awe login")
    return caller


def _listed(services: Platform, name: str) -> dict[str, Any]:
    return {
        "identities": [
            {
                "provider": one.provider,
                "subject": one.subject,
                "name": one.name,
                "created": one.created.isoformat(),
                "last_login": one.last_login.isoformat() if one.last_login else None,
            }
            for one in services.federation.links(name)
        ]
    }
