"""Errors as SPARCL's client reads them: a JSON object with ``errorCode`` and ``errorMessage``."""

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from awe.errors import AweError, ParameterError, QueryError, RateLimitError, UnknownNameError
from awe.web.http import error_headers

__all__ = ["sparcl_error"]

_CODES: Mapping[type[AweError], str] = {
    UnknownNameError: "UNKFIELD",
    ParameterError: "BADCONST",
    QueryError: "BADQUERY",
}


def sparcl_error(error: AweError) -> Response:
    """Render for SPARCL's client, which makes its own errors of some codes."""
    code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), error.code.upper()[:8])
    said = {"errorCode": code, "errorMessage": str(error), "traceback": None}
    if isinstance(error, RateLimitError):
        said["detail"] = str(error)
    return JSONResponse(said, error.status, error_headers(error))
