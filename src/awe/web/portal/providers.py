"""``/auth/oidc/PROVIDER/...``: the way of a browser to another account system and back.

While the person is away the browser keeps what the answer is checked with, in a cookie that only the provider's way
back is sent: an answer that another browser asked for is good for nothing here (OpenID Connect Core 1.0 section
15.5.2). What a login began for it also ends with: an answer to a login links nothing, and one for linking is good for
the user alone who asked. Where a login leads then is asked of `next_page`, whatever the cookie says.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from awe.errors import (
    AuthenticationError,
    AweError,
    ConflictError,
    ForbiddenError,
    UnavailableError,
    UsageError,
)
from awe.services.identity import Identity
from awe.web.http import Call, begin_session, next_page

__all__ = ["backchannel", "begin", "callback", "link"]

_WAY = "awe_way"
_WAY_LIFE_S = 600
_LOGIN, _LINK = "login", "link"
_ACCOUNT = "/account#identities"
_UNKEPT = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_TOLD = (AuthenticationError, ForbiddenError, ConflictError, UnavailableError)
"""What a person is told on a page; the rest are errors of a program, or ours."""


@dataclass(frozen=True, slots=True)
class _Way:
    """What a browser keeps while its person is away: the key of the login, what it is for, and where it leads then."""

    key: str
    what: str
    wanted: str

    def packed(self) -> str:
        return base64.urlsafe_b64encode(json.dumps([self.key, self.what, self.wanted]).encode()).decode()

    @classmethod
    def of(cls, request: Request) -> "_Way":
        """Return what the browser kept; nothing that is good for anything, if it kept none."""
        try:
            kept = json.loads(base64.urlsafe_b64decode(request.cookies.get(_WAY, "")))
            key, what, wanted = (str(part) for part in kept)
        except (binascii.Error, ValueError, TypeError):
            return cls("", _LOGIN, "/")
        return cls(key, _LINK if what == _LINK else _LOGIN, next_page(wanted))


def begin(call: Call) -> Response:
    """Send a person to log in at a provider; ``next`` is where they were going."""
    wanted = next_page(next((value for key, value in call.pairs if key == "next"), None))
    try:
        url, way = _begun(call, _LOGIN, _LOGIN, wanted)
    except UnavailableError as error:
        return _told(call, _Way("", _LOGIN, wanted), error)
    return _keep(RedirectResponse(url, 303, headers=_UNKEPT), call, way)


def link(call: Call) -> Response:
    """Say where a person who is logged in shows who they are at a provider, to log in by it from then on."""
    if call.identity.is_anonymous:
        raise AuthenticationError("log in first: this adds a way to log in to your account")
    url, way = _begun(call, _LINK, _purpose(call.identity), _ACCOUNT)
    return _keep(JSONResponse({"url": url}, headers=_UNKEPT), call, way)


def callback(call: Call) -> Response:
    """Take a person who comes back from a provider."""
    way = _Way.of(call.request)
    provider = call.platform.federation.browser(call.path("provider"))
    answer = dict(call.pairs)
    purpose = _purpose(call.identity) if way.what == _LINK else _LOGIN
    try:
        claims = provider.complete(way.key, _back(call), answer, purpose=purpose)
        if way.what == _LINK:
            call.platform.federation.link(call.identity, claims)
            return _forget(RedirectResponse(_ACCOUNT, 303, headers=_UNKEPT), call)
        token = call.platform.identity.enter(claims)
    except _TOLD as error:
        return _forget(_told(call, way, error), call)
    done = RedirectResponse(way.wanted, 303, headers=_UNKEPT)
    begin_session(done, call.request, call.platform.identity, token)
    return _forget(done, call)


def backchannel(call: Call) -> Response:
    """End the logins here that ended at a provider, which says so itself (Back-Channel Logout 1.0 section 2.5)."""
    token = next((value for key, value in call.pairs if key == "logout_token"), "")
    try:
        call.platform.federation.ended(call.path("provider"), token)
    except AuthenticationError as error:
        raise UsageError(error.message) from None  # section 2.8: the provider is told 400
    return Response(status_code=200, headers=_UNKEPT)


def _begun(call: Call, what: str, purpose: str, wanted: str) -> tuple[str, _Way]:
    begun = call.platform.federation.browser(call.path("provider")).begin(_back(call), purpose=purpose)
    return begun.url, _Way(begun.key, what, wanted)


def _purpose(identity: Identity) -> str:
    return f"{_LINK} {identity.name}"


def _path(call: Call) -> str:
    return f"/auth/oidc/{call.path('provider')}/"


def _back(call: Call) -> str:
    return f"{call.base_url}{_path(call)}callback"


def _told(call: Call, way: _Way, error: AweError) -> Response:
    """Lead to the page that says what went wrong; its words are its own, since an address is anybody's text."""
    said = {"failed": error.code, "provider": call.path("provider")}
    if way.what == _LINK:
        return RedirectResponse(f"/account?{urlencode(said)}#identities", 303, headers=_UNKEPT)
    return RedirectResponse(f"/auth?{urlencode({'next': way.wanted, **said})}", 303, headers=_UNKEPT)


def _keep(answer: Response, call: Call, way: _Way) -> Response:
    return _with_cookie(answer, call, way.packed(), _WAY_LIFE_S)


def _forget(answer: Response, call: Call) -> Response:
    return _with_cookie(answer, call, "", 0)


def _with_cookie(answer: Response, call: Call, value: str, life_s: int) -> Response:
    secure = call.base_url.startswith("https:")
    answer.set_cookie(
        _WAY, value, max_age=life_s, path=_path(call), secure=secure, httponly=True, samesite="lax"
    )
    return answer
