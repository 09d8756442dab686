"""What a person decides about a program that shows a code (RFC 8628 section 3.3); the page is the portal's."""

from starlette.responses import JSONResponse, Response

from awe.errors import ParameterError
from awe.web.http import Call
from awe.web.oauth._errors import NO_STORE
from awe.web.oauth._request import in_body
from awe.web.oauth.authorize import logged_in, meanings

__all__ = ["device"]


def device(call: Call) -> Response:
    """Say what the program asks for whose ``user_code`` is given, or keep the ``decision`` about it."""
    given = dict(in_body(call))
    user_code, decision = given.get("user_code", ""), given.get("decision", "")
    auth_time = logged_in(call)
    provider = call.platform.provider
    if decision in {"allow", "deny"}:
        client = provider.decide(call.identity, user_code, auth_time, allowed=decision == "allow")
        return JSONResponse({"title": client.title, "decision": decision}, headers=NO_STORE)
    if decision:
        raise ParameterError("decision", decision, "has to be allow or deny")
    asked, client = provider.entered(call.identity, user_code)
    told = {
        "client": client.id,
        "title": client.title,
        "user": call.identity.name,
        "scopes": meanings(asked.scopes),
    }
    return JSONResponse(told, headers=NO_STORE)
