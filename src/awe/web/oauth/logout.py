"""Where a client sends a person to log out here, too (OpenID Connect RP-Initiated Logout 1.0)."""

from urllib.parse import quote

from authlib.common.urls import add_params_to_uri
from starlette.responses import RedirectResponse, Response

from awe.errors import UsageError
from awe.services.identity import Client
from awe.web.http import Call, forget_cookie, token_of
from awe.web.oauth._errors import NO_STORE

__all__ = ["logout"]

_PAGE = "/auth/logout"


def logout(call: Call) -> Response:
    """End the login of who asks, and send them back to the client, where that may be.

    Only with a token that says who logs out of what (``id_token_hint``) it is done at once: else anybody's page could
    log people out (section 6), and they are asked.
    """
    given = dict(call.pairs)
    hint = given.get("id_token_hint", "")
    provider = call.platform.provider
    claims = provider.keys.read(hint) if hint else None
    if hint and (claims is None or claims.get("iss") != call.base_url):
        raise UsageError("the id_token_hint was not issued here")
    audience = str(claims["aud"]) if claims else ""
    if claims and given.get("client_id", audience) != audience:
        raise UsageError("the client_id is not that of the id_token_hint")
    client = provider.client(audience) if claims else None
    back = _back(client, given)
    if claims is None or claims.get("sub") != call.identity.name:
        if not call.identity.is_anonymous:
            return RedirectResponse(f"{_PAGE}?next={quote('/', safe='')}", 303, headers=NO_STORE)
    else:
        token = token_of(call.request)
        if token:
            call.platform.identity.revoke(token)
        forget_cookie(call.request)
        call.request.state.caller = ""
    return RedirectResponse(back or "/", 303, headers=NO_STORE)


def _back(client: Client | None, given: dict[str, str]) -> str | None:
    """Return the address to go back to, if it is one of the client's, letter by letter."""
    address = given.get("post_logout_redirect_uri", "")
    if client is None or address not in client.post_logout_redirect_uris:
        return None
    state = [("state", given["state"])] if given.get("state") else []
    told: str = add_params_to_uri(address, state)
    return told
