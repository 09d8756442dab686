"""Who the person is that a client's token belongs to (OpenID Connect Core 1.0 section 5.3)."""

from starlette.responses import JSONResponse, Response

from awe.errors import AuthenticationError, ForbiddenError
from awe.services.identity import OPENID
from awe.web.http import Call
from awe.web.oauth._errors import NO_STORE, oauth_error

__all__ = ["userinfo"]


def userinfo(call: Call) -> Response:
    """Say who the token belongs to, as far as its scopes allow."""
    try:
        told = _told(call)
    except (AuthenticationError, ForbiddenError) as error:
        return oauth_error(error)
    return JSONResponse(told, headers=NO_STORE)


def _told(call: Call) -> dict[str, object]:
    scheme, _, token = call.request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise AuthenticationError("a token is needed in the Authorization header")
    identity = call.platform.identity.identify(token.strip())
    if OPENID not in identity.scopes:
        raise ForbiddenError("the token lacks the scope openid", scope=OPENID)
    return call.platform.provider.claims(identity.name, identity.scopes)
