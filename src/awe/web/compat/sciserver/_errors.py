"""Errors as SciServer's clients show them: verbatim, so they are short."""

from datetime import UTC, datetime

from starlette.responses import JSONResponse, Response

from awe.errors import AuthenticationError, AweError
from awe.web.http import error_body, error_headers, request_number

__all__ = ["casjobs_error", "keystone_error"]


def casjobs_error(error: AweError) -> Response:
    """Render for CasJobs and SkyServer; the clients show the body as it is."""
    body = {
        "ErrorCode": error.status,
        "ErrorType": type(error).__name__,
        "ErrorMessage": str(error),
        "LogMessageID": request_number(),
        "LogTime": datetime.now(UTC).isoformat(timespec="seconds"),
        **error_body(error),
    }
    return JSONResponse(body, error.status, error_headers(error))


def keystone_error(error: AweError) -> Response:
    """Render as OpenStack's Keystone does."""
    title = "Unauthorized" if isinstance(error, AuthenticationError) else type(error).__name__
    inner = {"code": error.status, "title": title, "message": str(error), "request": request_number()}
    return JSONResponse({"error": inner}, error.status, error_headers(error))
