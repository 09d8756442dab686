"""Where a client sends a person to log in (OpenID Connect Core 1.0 section 3.1.2), and what the person decides.

The page where a person decides is the portal's (``/auth/consent``). It is asked with the client's own parameters, and
asks `consent` what they mean.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749 import OAuth2Error
from authlib.oidc.core.errors import ConsentRequiredError, LoginRequiredError
from starlette.responses import JSONResponse, RedirectResponse, Response

from awe.errors import AuthenticationError, ForbiddenError, UsageError
from awe.services.identity import CLAIM_SCOPES, Client
from awe.web.http import Call, token_of
from awe.web.oauth._errors import NO_STORE
from awe.web.oauth._server import OAuthServer

__all__ = ["authorize", "consent", "logged_in", "meanings"]

_LOGIN, _CONSENT = "/auth", "/auth/consent"
_FRESH = timedelta(seconds=60)
"""A login that is so young counts as new, where a client asks for a new one."""
_NOT_HERE = {"request": "request_not_supported", "request_uri": "request_uri_not_supported"}

_MEANINGS = {
    "openid": "know that it is you",
    "profile": "know your name",
    "email": "know your address for electronic mail",
    "groups": "know your groups and roles",
    "read": "see and query what you may see",
    "write": "add, change and remove what you may change",
    "share": "give others access, and look after groups",
    "run": "start and stop jobs",
    "publish": "offer things to everybody",
    "admin": "look after your account and tokens; act as an administrator, if you are one",
}


def meanings(scopes: frozenset[str]) -> list[dict[str, str]]:
    """Return what scopes allow, in words: first what a client learns, then what it may do."""
    order = list(_MEANINGS)
    return [
        {"scope": one, "meaning": _MEANINGS[one], "kind": "learn" if one in CLAIM_SCOPES else "do"}
        for one in sorted(scopes, key=order.index)
    ]


def _since(call: Call) -> datetime | None:
    """Return when the person logged in who asks; None for nobody, and for a token that is no login."""
    token = token_of(call.request)
    return call.platform.provider.auth_time(token) if token and not call.identity.is_anonymous else None


def logged_in(call: Call) -> datetime:
    """Return when the person logged in who asks.

    Raises
    ------
    AuthenticationError
        If nobody is logged in.
    ForbiddenError
        If it is a token of a program: it would become another one, which may do more.
    """
    found = _since(call)
    if call.identity.is_anonymous:
        raise AuthenticationError("log in first: this is what a person decides")
    if found is None:
        raise ForbiddenError("a token cannot decide this", hint="log in with a password")
    return found


def authorize(call: Call) -> Response:
    """Log a person in to a client: send them back to it with a code, or first to log in or to decide."""
    if call.request.method == "POST":  # sent by another site's page, and so without the cookie
        return _redirect(f"/oauth/authorize?{urlencode(call.pairs)}")
    server = OAuthServer(call)
    auth_time = _since(call)
    try:
        request = server.request("GET", call.pairs)
        grant = server.get_consent_grant(request, (call.identity, auth_time) if auth_time else None)
        _check(grant)
        given = request.payload.data
        prompts = frozenset(given.get("prompt", "").split())
        if auth_time is None or _is_old(auth_time, given.get("max_age"), prompts):
            if "none" in prompts:
                raise LoginRequiredError(redirect_uri=grant.redirect_uri)
            return _redirect(f"{_LOGIN}?next={quote(_here(call), safe='')}")
        client: Client = request.client.client
        scopes = frozenset(request.scope.split())
        if "consent" in prompts or not call.platform.provider.remembers(call.identity.name, client, scopes):
            if "none" in prompts:
                raise ConsentRequiredError(redirect_uri=grant.redirect_uri)
            return _redirect(f"{_CONSENT}?{call.request.url.query}")
        return _sent_back(server, request, grant, (call.identity, auth_time))
    except OAuth2Error as error:
        return _refused(server, error, call)


def consent(call: Call) -> Response:
    """Say what a client asks for (GET), and send the person back who decided (POST, ``decision=allow`` or ``deny``)."""
    auth_time = logged_in(call)
    decision = dict(call.pairs).get("decision", "")
    server = OAuthServer(call)
    try:
        pairs = tuple(pair for pair in call.pairs if pair[0] not in {"decision", "prompt"})
        request = server.request("GET", pairs)
        grant = server.get_consent_grant(request, (call.identity, auth_time))
        _check(grant)
        client: Client = request.client.client
        if call.request.method == "GET":
            return JSONResponse(_asked(call, client, grant, request), headers=NO_STORE)
        if decision not in {"allow", "deny"}:
            raise UsageError("decision has to be allow or deny")
        if decision == "deny":
            call.platform.provider.deny(call.identity, client)
        answer = _sent_back(
            server, request, grant, (call.identity, auth_time) if decision == "allow" else None
        )
    except OAuth2Error as error:
        answer = _refused(server, error, call)
    if "location" not in answer.headers:
        return answer
    return JSONResponse({"location": answer.headers["location"]}, headers=NO_STORE)


def _asked(call: Call, client: Client, grant: Any, request: Any) -> dict[str, Any]:
    return {
        "client": client.id,
        "title": client.title,
        "user": call.identity.name,
        "site": urlsplit(grant.redirect_uri).netloc,
        "scopes": meanings(frozenset(request.scope.split())),
    }


def _check(grant: Any) -> None:
    for name, error in _NOT_HERE.items():
        if name in grant.request.payload.data:
            raise OAuth2Error(
                f"The parameter '{name}' is not supported.", error=error, redirect_uri=grant.redirect_uri,
                state=grant.request.payload.state,
            )  # fmt: skip


def _is_old(auth_time: datetime, max_age: str | None, prompts: frozenset[str]) -> bool:
    """Return whether the person has to log in anew."""
    age = datetime.now(UTC) - auth_time
    if prompts & {"login", "select_account"}:
        return age > _FRESH
    if max_age is None:
        return False
    if not max_age.isdecimal() or len(max_age) > 9:
        raise UsageError("max_age has to be seconds")
    return age > timedelta(seconds=int(max_age))


def _sent_back(server: OAuthServer, request: Any, grant: Any, user: object) -> Response:
    answer: Response = server.create_authorization_response(request, user, grant)
    answer.headers["location"] = _issued_here(server, answer.headers["location"])
    return answer


def _refused(server: OAuthServer, error: OAuth2Error, call: Call) -> Response:
    if error.redirect_uri:
        error.state = error.state or dict(call.pairs).get("state")
        answer = server.failed(error)
        answer.headers["location"] = _issued_here(server, answer.headers["location"])
        return answer
    raise UsageError(
        f"the site that sent you here asked wrongly: {error.error}: {error.get_error_description()}",
        hint="tell the people who run it",
    )


def _issued_here(server: OAuthServer, location: str) -> str:
    """Return the address with who answers (RFC 9207): so a client that knows several providers mixes none up."""
    told: str = add_params_to_uri(location, [("iss", server.issuer)])
    return told


def _here(call: Call) -> str:
    return f"/oauth/authorize?{call.request.url.query}"


def _redirect(path: str) -> Response:
    return RedirectResponse(path, 303, headers=NO_STORE)
