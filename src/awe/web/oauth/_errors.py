"""Errors as OAuth 2.0 has them, and as a person reads them who was sent here by a client that asks wrongly."""

from starlette.responses import JSONResponse, PlainTextResponse, Response

from awe.errors import AuthenticationError, AweError, ForbiddenError, UnavailableError, UsageError
from awe.web.http import error_headers, request_line, request_number

__all__ = ["NO_STORE", "oauth_error", "page_error"]

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

_WORDS: tuple[tuple[type[AweError], str], ...] = (
    (AuthenticationError, "invalid_token"),
    (ForbiddenError, "insufficient_scope"),
    (UnavailableError, "temporarily_unavailable"),
    (UsageError, "invalid_request"),
)


def oauth_error(error: AweError) -> Response:
    """Render as RFC 6749 section 5.2 and RFC 6750 section 3.1 say."""
    word = next((word for kind, word in _WORDS if isinstance(error, kind)), "server_error")
    headers = {**error_headers(error), **NO_STORE}
    if word in {"invalid_token", "insufficient_scope"}:
        headers["WWW-Authenticate"] = f'Bearer realm="awe", error="{word}"'
    body = {"error": word, "error_description": error.message, "request": request_number()}
    return JSONResponse(body, error.status, headers=headers)


def page_error(error: AweError) -> Response:
    """Render for a person."""
    return PlainTextResponse(f"{error}\n{request_line()}", error.status, {**error_headers(error), **NO_STORE})
