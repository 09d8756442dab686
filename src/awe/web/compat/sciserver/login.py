"""``/login-portal``: tokens in the manner of OpenStack's Keystone, and what SciServer's portal tells of accounts."""

import json

from starlette.responses import JSONResponse, PlainTextResponse, Response

from awe.errors import AuthenticationError, NotFoundError, UsageError
from awe.services.identity import Identity
from awe.web.http import Call

__all__ = ["authenticate", "health", "login", "not_offered", "user_of", "users", "validate"]

_UNKEPT = {"Cache-Control": "no-store"}
_PLAIN_SHAPE = '{"userName": ..., "password": ...}'
_SHAPE = '{"auth": {"identity": {"password": {"user": {"name": ..., "password": ...}}}}}'


def login(call: Call) -> Response:
    """Return a token in ``X-Subject-Token`` for a name and a password; its clients want status 200."""
    name, password = _credentials(call.body)
    token = call.platform.identity.login(name, password)
    identity = call.platform.identity.identify(token)
    return JSONResponse(_token(identity), headers={"X-Subject-Token": token, **_UNKEPT})


def validate(call: Call) -> Response:
    """Say whose token it is: ``/tokens/<token>``."""
    identity = call.platform.identity.identify(call.path("token"))
    return JSONResponse(_token(identity), headers=_UNKEPT)


def authenticate(call: Call) -> Response:
    """Return a token, as text, for a name and a password: ``/login-portal/api/auth``."""
    try:
        given = json.loads(call.body)
        name, password = given["userName"], given["password"]
        f"{name}{password}".encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError("the request's body is not a login", hint=f"send {_PLAIN_SHAPE}") from None
    if not isinstance(name, str) or not isinstance(password, str):
        raise UsageError("the request's body is not a login", hint=f"send {_PLAIN_SHAPE}")
    if given.get("trustId"):
        raise UsageError("trusts are not offered", hint="make a token of your own: awe token new")
    return PlainTextResponse(call.platform.identity.login(name, password), headers=_UNKEPT)


def user_of(call: Call) -> Response:
    """Say who the owner of a token is: ``/login-portal/api/validate/<token>``."""
    return JSONResponse(_user(call, call.platform.identity.identify(call.path("token"))), headers=_UNKEPT)


def users(call: Call) -> Response:
    """Return the caller's account where it has the name that is asked for; of others nothing is told."""
    if call.identity.is_anonymous:
        raise AuthenticationError("a token is needed", hint="log in first")
    wanted = call.request.path_params.get("user") or dict(call.pairs).get("name")
    mine = wanted is None or str(wanted).casefold() == call.identity.name.casefold()
    if not mine and "user" in call.request.path_params:
        raise NotFoundError(f"there is no user {wanted} that you may see")
    found = _user(call, call.identity)
    if "user" in call.request.path_params:
        return JSONResponse(found, headers=_UNKEPT)
    return JSONResponse([found] if mine else [], headers=_UNKEPT)


def health(_call: Call) -> Response:
    """Say that logging in is possible: ``/login-portal/api/health``."""
    return JSONResponse({"status": "ok"})


def not_offered(call: Call) -> Response:
    """Say that an address of the login portal is not here."""
    hint = "accounts are looked after at /account, passwords set anew at /auth/password"
    raise NotFoundError(f"the login portal has no {call.path('service')} here", hint=hint)


def _user(call: Call, identity: Identity) -> dict[str, object]:
    email = "" if identity.is_nobody else call.platform.identity.account(identity.name).email
    return {"id": identity.name, "userName": identity.name, "email": email}


def _credentials(body: bytes) -> tuple[str, str]:
    try:
        user = json.loads(body)["auth"]["identity"]["password"]["user"]
        name, password = user["name"], user["password"]
        f"{name}{password}".encode()  # JSON can spell halves of characters
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError("the request's body is not a login", hint=f"send {_SHAPE}") from None
    if not isinstance(name, str) or not isinstance(password, str):
        raise UsageError("the request's body is not a login", hint=f"send {_SHAPE}")
    return name, password


def _token(identity: Identity) -> dict[str, object]:
    return {"token": {"user": {"id": identity.name, "name": identity.name}}}
