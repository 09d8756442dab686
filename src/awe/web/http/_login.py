"""How to log in, said around every answer; and the cookie that a login leaves.

`LoginHeaders` adds what AuthVO 1.0 section 4 asks for: challenges to whoever is refused and to whoever reads the
capabilities unknown, and the caller's name to whoever is known. What is answered to somebody is for no cache.

A browser sends a cookie with every request to this site, whoever's page made it. Therefore the cookie is
``SameSite=Lax``, and a request that changes something and is known by its cookie alone has to come from here
(`check_origin`): the browser says so in ``Sec-Fetch-Site`` or ``Origin``.
"""

from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from awe.core.vo.auth import AUTHENTICATED, PASSWORD, USERNAME, challenges
from awe.errors import ForbiddenError, ParameterError
from awe.services.identity import IdentityService, is_token
from awe.web.http._address import base_url

__all__ = [
    "COOKIE",
    "LOGIN_PATH",
    "SESSION",
    "LoginHeaders",
    "begin_session",
    "check_origin",
    "cookie_of",
    "credentials",
    "forget_cookie",
    "may_say_who",
    "offer_login",
]

COOKIE = "awe_token"
"""Name of the cookie; its value is a token."""

SESSION = "SESSION"
"""Its name for astroquery's TapPlus, which keeps a cookie of no other name. Other services may set one, too: only a
value that looks like a token is read."""

LOGIN_PATH = "/auth/login"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_CREDENTIALS = ("authorization", "x-auth-token", "x-dl-authtoken")
_SHOWING = frozenset({b"cookie", *(name.encode() for name in _CREDENTIALS)})
_STATES = frozenset({"offers_login", "forgets_cookie"})
_HERE = frozenset({"same-origin", "none"})


class LoginHeaders:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; complete the headers of its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and _concerns_login(scope, message["status"]):
                _complete(MutableHeaders(scope=message), message["status"], Request(scope))
            await send(message)

        await self._app(scope, receive, sending)


def _concerns_login(scope: Scope, status: int) -> bool:
    """Say whether a login has to do with a request or its answer: with most it has not."""
    return (
        status == 401
        or bool(scope["state"].get("caller"))
        or not _STATES.isdisjoint(scope["state"])
        or may_say_who(scope)
    )


def may_say_who(scope: Scope) -> bool:
    """Say whether a request has a header that could say who asks: most have none, and need not be looked at closely."""
    return not _SHOWING.isdisjoint([name for name, _ in scope["headers"]])


def _complete(headers: MutableHeaders, status: int, request: Request) -> None:
    name = getattr(request.state, "caller", "")
    if name:
        headers[AUTHENTICATED] = quote(name, safe="@")
    if _shows_who(request):
        # a cache between here and there shall not show it to others (RFC 9111 section 5.2.2.7)
        said = headers.get("Cache-Control", "private")
        headers["Cache-Control"] = said.replace("public", "private")
    if status == 401 or (getattr(request.state, "offers_login", False) and not name):
        # a browser that is offered Basic lays its own question for a password over the page
        basic = not request.url.path.startswith(("/api/", "/auth/", "/oauth/"))
        for challenge in challenges(base_url(request) + LOGIN_PATH, basic=basic):
            headers.append("WWW-Authenticate", challenge)
    if getattr(request.state, "forgets_cookie", False) and "set-cookie" not in headers:
        for cookie in (COOKIE, *([SESSION] if _session(request) else [])):
            headers.append("Set-Cookie", f"{cookie}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax")


def _shows_who(request: Request) -> bool:
    return bool(cookie_of(request)) or any(name in request.headers for name in _CREDENTIALS)


def cookie_of(request: Request) -> str:
    """Return the token that the caller's client keeps in a cookie; empty if there is none."""
    return request.cookies.get(COOKIE, "") or _session(request)


def _session(request: Request) -> str:
    value = request.cookies.get(SESSION, "")
    return value if is_token(value) else ""


def credentials(request: Request, pairs: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Return the name and the password of a form as they were typed.

    Parameters
    ----------
    pairs
        What came with the request: what stands in its address first.

    Raises
    ------
    ParameterError
        If one is missing, or the password stands in the address: addresses are logged.
    """
    in_address = len(request.query_params.multi_items())
    if any(key.lower() == PASSWORD for key, _ in pairs[:in_address]):
        raise ParameterError(PASSWORD, "***", "is not taken from an address", hint="POST it as a form")
    given = {key.lower(): value for key, value in reversed(pairs[in_address:])}
    for field in (USERNAME, PASSWORD):
        if not given.get(field):
            raise ParameterError(field, "", "is needed", hint="POST username and password as a form")
    return given[USERNAME], given[PASSWORD]


def offer_login(scope: Scope) -> None:
    """Let the answer say how to log in, though nobody needs to."""
    scope["state"]["offers_login"] = True


def check_origin(request: Request) -> None:
    """Refuse a request of another site's page.

    Raises
    ------
    ForbiddenError
        If the request may change something, and the browser says that it comes from elsewhere.
    """
    if request.method in _READS:
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    # programs say neither; whoever can make them say something can send a cookie anyhow
    here = site in _HERE if site else origin is None or _same(origin, base_url(request))
    if not here:
        raise ForbiddenError(
            "the request comes from a page of another site",
            hint="send a token in the Authorization header instead of the cookie",
        )


def begin_session(
    response: Response, request: Request, identity: IdentityService, token: str, cookie: str = COOKIE
) -> None:
    """Let the caller's client keep the token of a login in a cookie, and end the login that it had before.

    Whoever becomes somebody else in a browser leaves no login behind.
    """
    if earlier := cookie_of(request):
        identity.revoke(earlier)
    request.state.caller = identity.identify(token).name
    response.set_cookie(
        cookie,
        token,
        max_age=int(identity.token_life_s),
        path="/",
        secure=base_url(request).startswith("https:"),
        httponly=True,
        samesite="lax",
    )


def forget_cookie(request: Request) -> None:
    """Let the caller's client forget the token, whatever the answer is."""
    request.state.forgets_cookie = True


def _same(origin: str, address: str) -> bool:
    one, other = urlsplit(origin), urlsplit(address)
    return (one.scheme, one.netloc) == (other.scheme, other.netloc)
