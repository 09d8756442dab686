"""``/tap/users`` and ``/tap/notification``: whether there is a user, and what users should know."""

from starlette.responses import PlainTextResponse, Response

from awe.core.vo.tapplus import USER, USERS
from awe.errors import AuthenticationError, NotFoundError
from awe.web.http import Call

__all__ = ["notification", "users"]

_UNKEPT = {"Cache-Control": "no-store"}


def users(call: Call) -> Response:
    """Say that there is a user, ``name:name``; nothing if there is none. What people call them is their own affair."""
    if call.identity.is_anonymous:
        raise AuthenticationError("who has an account here is told to those who have one", hint="log in")
    name = USERS.parse(call.pairs).need(USER)
    try:
        known = call.platform.identity.known(name)
    except NotFoundError:
        return PlainTextResponse("", headers=_UNKEPT)
    return PlainTextResponse(f"{known.name}:{known.name}", headers=_UNKEPT)


def notification(call: Call) -> Response:
    """Say what the operators want users to know now, a line each: ``notice=...``."""
    lines = call.platform.settings.archive.notice.splitlines()
    return PlainTextResponse("".join(f"notice={line}\n" for line in lines))
