"""Who asks, as SPARCL's client has it, what it is told when it begins, and its tokens.

That client wants JSON Web Tokens (RFC 7519), of which it reads nothing but when they end. So a token here has the
archive's own in place of a signature: whoever holds it holds a login, as with every other token.
"""

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Mapping

from starlette.responses import JSONResponse, PlainTextResponse, Response

from awe.errors import AuthenticationError, QueryError
from awe.services.identity import ANONYMOUS, Identity
from awe.web.compat.datalab.sparcl._asked import body, datasets
from awe.web.http import Call

__all__ = ["announcement", "auth_status", "get_token", "renew_token", "version"]

_VERSION = "14.2"
"""Of SPARCL's interface, as sparclclient 1.3 knows it."""
_UNKEPT = {"Cache-Control": "no-store"}
_ALGORITHM = {"alg": "HS256", "typ": "JWT"}


def version(call: Call) -> Response:  # noqa: ARG001  # a handler
    """Say which version of SPARCL's interface this is."""
    return PlainTextResponse(_VERSION)


def announcement(call: Call) -> Response:
    """Say what users should know now."""
    return JSONResponse({"announcement": call.platform.settings.archive.notice})


def get_token(call: Call) -> Response:
    """Return a token for a user's name (``email``) and password."""
    said = _texts(call, "email", "password")
    secret = call.platform.identity.login(said["email"], said["password"])
    ends = int(time.time() + call.platform.settings.token_hours * 3600)
    made = ".".join(map(_packed, (json.dumps(_ALGORITHM), json.dumps({"exp": ends}), secret)))
    return JSONResponse({"access": made, "refresh": made}, headers=_UNKEPT)


def renew_token(call: Call) -> Response:
    """Return a token that is still good as it is: who wants a longer one logs in again."""
    made = _texts(call, "refresh_token")["refresh_token"]
    call.platform.identity.identify(_secret(made))
    return JSONResponse({"access": made}, headers=_UNKEPT)


def auth_status(call: Call) -> Response:
    """Say whose token it is. Only what everybody may see is served, so nobody may see more."""
    who = _holder(call)
    return JSONResponse(
        {
            "Loggedin_User": "Anonymous" if who.is_anonymous else who.name,
            "Authorized_Private_Datasets": [],
            "All_Private_Datasets": [],
            "All_Public_Datasets": datasets(call),
        },
        headers=_UNKEPT,
    )


def _holder(call: Call) -> Identity:
    said = call.request.headers.get("authorization", "")
    return call.platform.identity.identify(_secret(said)) if said else ANONYMOUS


def _texts(call: Call, *names: str) -> Mapping[str, str]:
    found = body(call)
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in names):
        raise QueryError(f"the body is no object with {' and '.join(names)}")
    return found


def _packed(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _secret(token: str) -> str:
    try:
        _, _, secret = token.split(".")
        return urlsafe_b64decode(secret + "===").decode()
    except (Error, ValueError):
        raise AuthenticationError(
            "this is no token of SPARCL's", hint="client.login(email, password)"
        ) from None
