"""``/auth/login`` and ``/auth/logout``: a name and a password for a cookie (AuthVO 1.0 section 3.2.1)."""

from starlette.responses import PlainTextResponse, Response

from awe.core.vo import auth
from awe.errors import ParameterError
from awe.web.http import Call, check_origin, forget_cookie, set_cookie, token_of

__all__ = ["login", "logout"]


def login(call: Call) -> Response:
    """Exchange ``username`` and ``password``, a form, for a cookie that later requests are known by."""
    check_origin(call.request)
    name, password = (_field(call, field) for field in (auth.USERNAME, auth.PASSWORD))
    identity = call.platform.identity
    token = identity.login(name, password)
    call.request.state.caller = identity.identify(token).name
    answer = PlainTextResponse(f"{name} is logged in\n", headers={"Cache-Control": "no-store"})
    set_cookie(answer, call.request, token, identity.token_life_s)
    return answer


def logout(call: Call) -> Response:
    """End the login that the request carries."""
    token = token_of(call.request)
    if token:
        call.platform.identity.revoke(token)
    forget_cookie(call.request)
    call.request.state.caller = ""
    return PlainTextResponse("logged out\n", headers={"Cache-Control": "no-store"})


def _field(call: Call, name: str) -> str:
    """Return a field of the form as it was typed; what stands in the address is refused: addresses are logged."""
    in_address = len(call.request.query_params.multi_items())
    if any(key.lower() == auth.PASSWORD for key, _ in call.pairs[:in_address]):
        raise ParameterError(auth.PASSWORD, "***", "is not taken from an address", hint="POST it as a form")
    value = next((value for key, value in call.pairs[in_address:] if key.lower() == name), "")
    if not value:
        raise ParameterError(name, "", "is needed", hint="POST username and password as a form")
    return value
