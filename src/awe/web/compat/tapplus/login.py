"""``/tap/login`` and ``/tap/logout``: a name and a password for a cookie that astroquery's ``TapPlus`` keeps."""

from starlette.responses import PlainTextResponse, Response

from awe.web.http import SESSION, Call, begin_session, check_origin, credentials, forget_cookie, token_of

__all__ = ["login", "logout"]

_UNKEPT = {"Cache-Control": "no-store"}


def login(call: Call) -> Response:
    """Exchange ``username`` and ``password``, a form, for the cookie ``SESSION``."""
    check_origin(call.request)
    name, password = credentials(call.request, call.pairs)
    identity = call.platform.identity
    token = identity.login(name, password)
    answer = PlainTextResponse(f"{name} is logged in\n", headers=_UNKEPT)
    begin_session(answer, call.request, identity, token, SESSION)
    return answer


def logout(call: Call) -> Response:
    """End the login that the request carries."""
    token = token_of(call.request)
    if token:
        call.platform.identity.revoke(token)
    forget_cookie(call.request)
    call.request.state.caller = ""
    return PlainTextResponse("logged out\n", headers=_UNKEPT)
