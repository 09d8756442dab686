"""Who asks: the token of a request, wherever a client puts it, or a name with its password."""

import base64
import binascii

from starlette.requests import Request

from awe.errors import AuthenticationError, ForbiddenError
from awe.services.identity import ANONYMOUS, READ, WRITE, Identity, IdentityService, is_token
from awe.web.http._login import check_origin, cookie_of, forget_cookie, may_say_who

__all__ = ["NOBODYS", "admit", "caller", "token_of"]

NOBODYS = frozenset({"anonymous.0.0.anon_access", "dldemo.99999.99999.demo_access"})
"""What the Data Lab's client sends for who has not logged in, and for the demonstration's user, who is nobody here."""


def token_of(request: Request) -> str | None:
    """Return the token, or None.

    SciServer's clients send ``X-Auth-Token``, the Data Lab's ``X-DL-AuthToken``, others ``Authorization:
    Bearer``; clients that only know Basic (TOPCAT) send the token as the password, or as the name with an empty
    password; whoever logged in with a form sends a cookie.
    """
    return _header_token(request) or cookie_of(request) or None


def caller(request: Request, identity: IdentityService, scope: str | None = None) -> Identity:
    """Return who asks; `ANONYMOUS` without a token.

    A cookie whose login has ended counts as none, and the answer lets the client forget it: a browser sends it
    whether or not anything asks for it.

    Parameters
    ----------
    scope
        What a token must allow for this; when None, `READ` for what only reads and `WRITE` for the rest. Every
        token allows the empty one.

    Raises
    ------
    AuthenticationError
        If there is a token and it is not known, or a password and it is wrong.
    RateLimitError
        If passwords of this user were wrong too often lately.
    ForbiddenError
        If another site's page made the browser send the cookie with something that is no question, or the
        token lacks the scope.
    """
    found = None
    if may_say_who(request.scope):
        found = _by_header(request, identity) or _by_cookie(request, identity)
    found = found or ANONYMOUS
    needed = scope if scope is not None else READ if request.method in {"GET", "HEAD"} else WRITE
    return admit(request, found, needed)


def admit(request: Request, found: Identity, needed: str) -> Identity:
    """Let somebody be the caller of a request; here, and nowhere else, a token's scopes are enforced.

    Raises
    ------
    ForbiddenError
        If the token lacks the scope that is needed.
    """
    request.state.caller, request.state.identity = found.name, found
    if needed and needed not in found.scopes:
        raise ForbiddenError(
            f"the token lacks the scope {needed}",
            hint=f"awe token new --scope {needed}, or log in with a password",
            scope=needed,
        )
    return found


def _by_header(request: Request, identity: IdentityService) -> Identity | None:
    token = _header_token(request)
    if token:
        return identity.identify(token)
    name, password = _basic(request)
    return identity.authenticate(name, password) if name or password else None


def _by_cookie(request: Request, identity: IdentityService) -> Identity | None:
    token = cookie_of(request)
    if not token:
        return None
    try:
        found = identity.identify(token)
    except AuthenticationError:
        forget_cookie(request)
        return None
    check_origin(request)
    return found


def _header_token(request: Request) -> str | None:
    token = _sent_token(request)
    return None if token in NOBODYS else token


def _sent_token(request: Request) -> str | None:
    for header in ("x-auth-token", "x-dl-authtoken"):
        if token := request.headers.get(header, "").strip():
            return token
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip() or None
    name, password = _basic(request)
    secret = password or name
    return secret if is_token(secret) else None


def _basic(request: Request) -> tuple[str, str]:
    """Return the name and the password of Basic authentication (RFC 7617); nothing of nothing without it."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise AuthenticationError("the Authorization header cannot be read") from None
    return name, password
