"""Who asks: the token of a request, wherever a client puts it."""

import base64
import binascii

from starlette.requests import Request

from awe.errors import AuthenticationError
from awe.services.identity import ANONYMOUS, Identity, IdentityService

__all__ = ["caller", "token_of"]


def token_of(request: Request) -> str | None:
    """Return the token, or None.

    SciServer's clients send ``X-Auth-Token``, others ``Authorization: Bearer``; clients that only know
    Basic (TOPCAT) send the token as the password, or as the name with an empty password.
    """
    if token := request.headers.get("x-auth-token", "").strip():
        return token
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    return _basic(value) if scheme.lower() == "basic" else None


def caller(request: Request, identity: IdentityService) -> Identity:
    """Return who asks; `ANONYMOUS` without a token.

    Raises
    ------
    AuthenticationError
        If there is a token and it is not known.
    """
    token = token_of(request)
    return identity.identify(token) if token else ANONYMOUS


def _basic(value: str) -> str | None:
    try:
        name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise AuthenticationError("the Authorization header cannot be read") from None
    return password or name or None
