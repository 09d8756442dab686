"""``/auth/login`` and ``/auth/logout``: a name and a password for a cookie (AuthVO 1.0 section 3.2.1).

The page where people log in sends the same form with one field more, ``next``: where they were going.
"""

from urllib.parse import parse_qs, urlsplit

from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from awe.web.http import (
    Call,
    begin_session,
    check_origin,
    credentials,
    forget_cookie,
    next_page,
    token_of,
    wants_json,
)

__all__ = ["login", "logout"]

_NEXT = "next"
_UNKEPT = {"Cache-Control": "no-store"}


def login(call: Call) -> Response:
    """Exchange ``username`` and ``password``, a form, for a cookie that later requests are known by."""
    check_origin(call.request)
    name, password = credentials(call.request, call.pairs)
    identity = call.platform.identity
    token = identity.login(name, password)
    answer = _welcome(call, name)
    begin_session(answer, call.request, identity, token)
    return answer


def _welcome(call: Call, name: str) -> Response:
    """Say that somebody is logged in, and lead on where the form says to where."""
    wanted = next((value for key, value in call.pairs if key == _NEXT), None)
    if wanted == "":  # the page's script, which fills it in, has not run: the page's own address says it
        asked = parse_qs(urlsplit(call.request.headers.get("referer", "")).query)
        wanted = asked.get(_NEXT, ["/"])[0]
    if wants_json(call.request):
        return JSONResponse({"name": name, "next": next_page(wanted)}, headers=_UNKEPT)
    if wanted is not None:
        return RedirectResponse(next_page(wanted), 303, headers=_UNKEPT)
    return PlainTextResponse(f"{name} is logged in\n", headers=_UNKEPT)


def logout(call: Call) -> Response:
    """End the login that the request carries; ``next``, where JSON is asked for, ends it at a login provider, too."""
    token = token_of(call.request)
    onward = None
    if token:
        held = call.platform.identity.held(token)
        onward = call.platform.federation.leave_url(held.id, f"{call.base_url}/") if held else None
        call.platform.identity.revoke(token)
    forget_cookie(call.request)
    call.request.state.caller = ""
    if wants_json(call.request):
        return JSONResponse({"next": onward or "/"}, headers=_UNKEPT)
    return PlainTextResponse("logged out\n", headers=_UNKEPT)
