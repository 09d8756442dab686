"""What administrators do: ``/api/admin``."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from awe.services.identity import ADMIN, Account, AccountState
from awe.web.api._caller import Caller, Services, administrator, get, make_router, needs
from awe.web.api.identity import described_token

__all__ = ["router"]

router = make_router(prefix="/admin", tags=["administration"])


class NewUser(BaseModel, extra="forbid"):
    """An account without a password."""

    name: str
    roles: list[str] = Field([], description="Such as administrator, scientist")


class UserChange(BaseModel, extra="forbid"):
    """What is given is changed."""

    roles: list[str] | None = None
    display_name: str | None = None
    email: str | None = None
    disabled: bool | None = Field(None, description="true closes the account, false opens it")


@get(router, "/users", openapi_extra=needs(ADMIN))
def users(
    services: Services,
    caller: Caller,
    state: Annotated[AccountState | None, Query(description="Only those in this state")] = None,
) -> dict[str, Any]:
    """List the accounts."""
    administrator(caller)
    found = services.identity.users()
    return {"users": [_user(account) for account in found if state in {None, account.state}]}


@router.post("/users", openapi_extra=needs(ADMIN))
def add_user(given: NewUser, services: Services, caller: Caller) -> dict[str, str]:
    """Make an account; `key` sets its password once within a day, at the page ``/auth/password#KEY``."""
    by = administrator(caller)
    services.accounts.add(given.name, given.roles, by=by)
    return {"name": given.name, "key": services.accounts.link(given.name, by=by)}


@router.patch("/users/{name}", openapi_extra=needs(ADMIN))
def change_user(name: str, given: UserChange, services: Services, caller: Caller) -> dict[str, Any]:
    """Change an account, all that is given or nothing."""
    services.accounts.change(name, by=administrator(caller), **given.model_dump())
    return _user(services.identity.account(name))


@router.post("/users/{name}/approve", openapi_extra=needs(ADMIN))
def approve(name: str, services: Services, caller: Caller) -> dict[str, Any]:
    """Let somebody who registered log in."""
    services.registration.approve(name, by=administrator(caller))
    return _user(services.identity.account(name))


@router.post("/users/{name}/decline", openapi_extra=needs(ADMIN))
def decline(name: str, services: Services, caller: Caller) -> dict[str, str]:
    """Forget somebody who registered and was not approved; the name is free again."""
    services.registration.decline(name, by=administrator(caller))
    return {"name": name}


@router.post("/users/{name}/reset", openapi_extra=needs(ADMIN))
def reset(name: str, services: Services, caller: Caller) -> dict[str, str]:
    """Return a `key` that sets the password once within a day, at the page ``/auth/password#KEY``."""
    return {"name": name, "key": services.accounts.link(name, by=administrator(caller))}


@router.delete("/users/{name}", openapi_extra=needs(ADMIN))
def remove_user(name: str, services: Services, caller: Caller) -> dict[str, Any]:
    """Remove an account for good; its name stays taken, and what belonged to it stays."""
    services.accounts.remove(name, by=administrator(caller))
    return {"name": name, "state": AccountState.REMOVED}


@get(router, "/tokens", openapi_extra=needs(ADMIN))
def tokens(user: str, services: Services, caller: Caller) -> dict[str, Any]:
    """List a user's tokens that are good."""
    administrator(caller)
    return {"tokens": [described_token(token) for token in services.identity.tokens(user)]}


@router.delete("/tokens/{token_id}", openapi_extra=needs(ADMIN))
def revoke_token(token_id: str, services: Services, caller: Caller) -> dict[str, str]:
    """End anybody's token at once."""
    services.accounts.revoke_token(token_id, by=administrator(caller))
    return {"id": token_id}


@get(router, "/audit", openapi_extra=needs(ADMIN))
def audit(
    services: Services,
    caller: Caller,
    user: Annotated[str | None, Query(description="Only what this user did")] = None,
    action: Annotated[str | None, Query(description="Only this; token is all that is done to tokens")] = None,
    target: Annotated[str | None, Query(description="Only what was done to this, such as user:ann")] = None,
    since: Annotated[datetime | None, Query(description="Only from this moment on")] = None,
    until: Annotated[datetime | None, Query(description="Only before this moment")] = None,
    before: Annotated[
        int | None, Query(description="Only lines before this number: for the next page")
    ] = None,
    last: Annotated[int, Query(ge=1, le=10_000, description="So many at the most")] = 100,
) -> dict[str, Any]:
    """Say who did what, the newest first."""
    administrator(caller)
    found = services.audit.entries(
        user=user, action=action, target=target, since=since, until=until, before=before, last=last
    )
    return {
        "entries": [
            {
                "number": e.number,
                "at": e.at.isoformat(),
                "user": e.user,
                "address": e.address,
                "request": e.request,
                "action": e.action,
                "target": e.target,
                "outcome": e.outcome,
                "details": e.details,
            }
            for e in found
        ]
    }


def _user(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "state": account.state,
        "display_name": account.display_name,
        "email": account.email,
        "roles": list(account.roles),
        "groups": list(account.groups),
        "has_password": account.has_password,
        "created": account.created.isoformat(),
        "last_login": account.last_login.isoformat() if account.last_login else None,
    }
