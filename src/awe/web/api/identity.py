"""Who is asking: ``/api/login``, ``/api/register``, ``/api/logout``, ``/api/whoami``, ``/api/me``, ``/api/tokens``."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request
from pydantic import BaseModel, Field, SecretStr

from awe.errors import AuthenticationError
from awe.platform import Platform
from awe.services.identity import ADMIN, READ, Identity, Token, long_form
from awe.web.api._caller import Caller, Services, get, make_router, needs
from awe.web.http import check_origin, next_page, token_of

__all__ = ["described_token", "router"]

router = make_router(tags=["your account"])


class Login(BaseModel, extra="forbid"):
    """Name and password."""

    user: str
    password: SecretStr


class Registration(BaseModel, extra="forbid"):
    """An account that somebody asks for."""

    name: str = Field(description="The user name")
    password: SecretStr
    display_name: str = Field("", description="The name for people")
    email: str = Field(description="The address for electronic mail")


class Profile(BaseModel, extra="forbid"):
    """What is told of you; what is given is changed."""

    display_name: str | None = Field(None, description="The name for people")
    email: str | None = Field(None, description="The address for electronic mail")


class NewPassword(BaseModel, extra="forbid"):
    """The password until now, and the next one."""

    old_password: SecretStr
    password: SecretStr


class LinkedPassword(BaseModel, extra="forbid"):
    """The key of a link, and a password."""

    key: SecretStr
    password: SecretStr


class NewToken(BaseModel, extra="forbid"):
    """A token for a program."""

    label: str = Field(description="What you call it")
    scopes: list[str] = Field([READ], description="What it allows: read, write, share, run, publish, admin")
    days: float = Field(90.0, description="Its life, in days")


@get(router, "/login", openapi_extra=needs(None))
def ways(
    services: Services,
    wanted: Annotated[str | None, Query(alias="next", description="Where to go then")] = None,
) -> dict[str, Any]:
    """Say how one can log in, whether people may make accounts themselves, and where a login leads: never elsewhere."""
    found = services.federation.ways()
    leads = next_page(wanted)
    return {
        "passwords": [{"name": way.name, "title": way.title} for way in found if not way.browser],
        "providers": [
            {
                "name": way.name,
                "title": way.title,
                "path": f"/auth/oidc/{way.name}/begin?{urlencode({'next': leads})}",
            }
            for way in found
            if way.browser
        ],
        "registration": services.registration.mode,
        "next": leads,
    }


@router.post("/register", openapi_extra=needs(None))
def register(given: Registration, request: Request, services: Services) -> dict[str, str]:
    """Ask for an account; ``pending`` is one that an administrator has to approve first."""
    check_origin(request)
    state = services.registration.register(
        given.name, given.password.get_secret_value(), display_name=given.display_name, email=given.email
    )
    return {"state": state}


@router.post("/login", openapi_extra=needs(None))
def login(given: Login, services: Services) -> dict[str, str]:
    """Return a token for a name and a password; send it as ``X-Auth-Token`` or ``Authorization: Bearer``."""
    return {"token": services.identity.login(given.user, given.password.get_secret_value())}


@router.post("/logout", openapi_extra=needs(""))
def logout(request: Request, services: Services, caller: Caller) -> dict[str, str]:
    """End the token that the request carries."""
    token = token_of(request)
    if token:
        services.identity.revoke(token)
    return {"name": caller.name or "anonymous"}


@get(router, "/whoami", openapi_extra=needs(""))
def whoami(caller: Caller) -> dict[str, Any]:
    """Say whose token the request carries."""
    return {
        "name": caller.name or "anonymous",
        "roles": sorted(caller.roles),
        "groups": sorted(caller.groups),
    }


@get(router, "/me", openapi_extra=needs(""))
def me(services: Services, caller: Caller) -> dict[str, Any]:
    """Describe your account, and what the token of the request allows."""
    account = services.identity.account(_known(caller).name)
    return {
        "name": account.name,
        "display_name": account.display_name,
        "email": account.email,
        "state": account.state,
        "has_password": account.has_password,
        "roles": list(account.roles),
        "groups": sorted(caller.groups),
        "scopes": sorted(caller.scopes),
        "created": account.created.isoformat(),
        "last_login": account.last_login.isoformat() if account.last_login else None,
    }


@router.patch("/me", openapi_extra=needs(ADMIN))
def change_me(given: Profile, services: Services, caller: Caller) -> dict[str, Any]:
    """Change what is told of you."""
    name = _known(caller).name
    services.accounts.change(name, by=name, display_name=given.display_name, email=given.email)
    return me(services, caller)


@get(router, "/me/identities")
def identities(services: Services, caller: Caller) -> dict[str, Any]:
    """List who you are at login providers, and so can log in by."""
    titles = {way.name: way.title for way in services.federation.ways()}
    return {
        "identities": [
            {
                "provider": one.provider,
                "title": titles.get(one.provider, one.provider),
                "name": one.name,
                "subject": one.subject,
                "created": one.created.isoformat(),
                "last_login": one.last_login.isoformat() if one.last_login else None,
            }
            for one in services.federation.links(_known(caller).name)
        ]
    }


@router.delete("/me/identities", openapi_extra=needs(ADMIN))
def drop_identity(provider: str, subject: str, services: Services, caller: Caller) -> dict[str, str]:
    """Log in by a provider no longer; logins that came by it end."""
    name = _known(caller).name
    services.federation.unlink(name, provider, subject, by=name)
    return {"provider": provider, "subject": subject}


@router.post("/me/password", openapi_extra=needs(ADMIN))
def change_password(given: NewPassword, services: Services, caller: Caller) -> dict[str, str]:
    """Change your password; every login and token of yours ends."""
    old, new = given.old_password.get_secret_value(), given.password.get_secret_value()
    services.identity.change_password(_known(caller), old, new)
    return {"name": caller.name}


@router.post("/password", openapi_extra=needs(None))
def set_password(given: LinkedPassword, services: Services) -> dict[str, str]:
    """Set a password with the key of a link, once."""
    name = services.accounts.use_link(given.key.get_secret_value(), given.password.get_secret_value())
    return {"name": name}


@get(router, "/tokens")
def tokens(request: Request, services: Services, caller: Caller) -> dict[str, Any]:
    """List your tokens that are good, the newest first; a token itself is never shown again."""
    found = services.identity.tokens(_known(caller).name)
    used = _used(request, services)
    return {"tokens": [{**described_token(token), "current": token.id == used} for token in found]}


@router.delete("/logins", openapi_extra=needs(ADMIN))
def end_logins(request: Request, services: Services, caller: Caller) -> dict[str, int]:
    """End your logins, all but the one that the request carries."""
    return {"ended": services.identity.end_logins(_known(caller), but=_used(request, services))}


@router.post("/tokens", openapi_extra=needs(ADMIN))
def new_token(given: NewToken, services: Services, caller: Caller) -> dict[str, Any]:
    """Make a token for a program; the answer is the only place where it is shown."""
    secret, made = services.identity.new_token(
        _known(caller), given.label, frozenset(given.scopes), days=given.days
    )
    return {**described_token(made), "token": secret, "datalab_token": long_form(made.user, secret)}


@router.delete("/tokens/{token_id}", openapi_extra=needs(ADMIN))
def revoke_token(token_id: str, services: Services, caller: Caller) -> dict[str, str]:
    """End one of your tokens at once."""
    services.identity.revoke_token(_known(caller), token_id)
    return {"id": token_id}


def _used(request: Request, services: Platform) -> str:
    """Return the id of the token that a request carries; nothing for none."""
    token = token_of(request)
    held = services.identity.held(token) if token else None
    return held.id if held else ""


def _known(caller: Identity) -> Identity:
    if caller.is_anonymous:
        raise AuthenticationError("this is for who is logged in", hint="awe login")
    return caller


def described_token(token: Token) -> dict[str, Any]:
    """Return what is told of a token."""
    return {
        "id": token.id,
        "kind": token.kind,
        "label": token.label,
        "scopes": sorted(token.scopes),
        "created": token.created.isoformat(),
        "expires": token.expires.isoformat(),
        "last_used": token.last_used.isoformat() if token.last_used else None,
    }
