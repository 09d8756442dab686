"""``/login-portal/keystone/v3/tokens``: tokens in the manner of OpenStack's Keystone."""

import json

from starlette.responses import JSONResponse, Response

from awe.errors import UsageError
from awe.services.identity import Identity
from awe.web.http import Call

__all__ = ["login", "validate"]

_SHAPE = '{"auth": {"identity": {"password": {"user": {"name": ..., "password": ...}}}}}'


def login(call: Call) -> Response:
    """Return a token in ``X-Subject-Token`` for a name and a password; its clients want status 200."""
    name, password = _credentials(call.body)
    token = call.platform.identity.login(name, password)
    identity = call.platform.identity.identify(token)
    return JSONResponse(_token(identity), headers={"X-Subject-Token": token, "Cache-Control": "no-store"})


def validate(call: Call) -> Response:
    """Say whose token it is: ``/tokens/<token>``."""
    identity = call.platform.identity.identify(call.path("token"))
    return JSONResponse(_token(identity), headers={"Cache-Control": "no-store"})


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
