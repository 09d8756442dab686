"""Errors as answers: one renderer per face, and the JSON that every caller may ask for.

Every answer says the number of its request, under which the log of the service has more. A caller that accepts
``application/json`` gets awe's JSON error from every face; the others get what their protocol prescribes. Every
error has the header ``X-Awe-Error`` with its stable code.
"""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from awe.core.tables.formats import error_document
from awe.core.vo import dali, datalink, scs, soda, ssa
from awe.errors import (
    AuthenticationError,
    AweError,
    ForbiddenError,
    RateLimitError,
    ServiceError,
    TimeLimitError,
    UnavailableError,
)
from awe.services.identity import ORIGIN

__all__ = [
    "VOTABLE_TYPE", "Renderer", "dali_error", "datalink_error", "error_body", "error_headers", "json_error",
    "request_line", "request_number", "scs_error", "sia1_error", "sia2_error", "soda_error", "ssa_error", "unexpected", "wants_json",
]  # fmt: skip

Renderer = Callable[[AweError], Response]

VOTABLE_TYPE = "application/x-votable+xml"


def wants_json(request: Request) -> bool:
    """Say whether the caller accepts awe's JSON errors."""
    accepted = {part.partition(";")[0].strip() for part in request.headers.get("accept", "").split(",")}
    return "application/json" in accepted


def error_body(error: AweError) -> dict[str, Any]:
    """Return an error as JSON, with the number of the request that is answered now."""
    error.request = error.request or request_number()
    return error.to_json()


def request_number() -> str:
    """Return the number of the request that is answered now; empty outside of one."""
    return ORIGIN.get().request


def request_line() -> str:
    """Return the line that says the number of the request, for errors that are text."""
    number = request_number()
    return f"request {number}\n" if number else ""


def _infos() -> list[tuple[str, str, str]]:
    """Return what a VOTable says of the request besides its error."""
    number = request_number()
    return [("request_id", number, "Tell the operators this number.")] if number else []


def json_error(error: AweError) -> Response:
    """Render for awe's own API and client."""
    return JSONResponse(error_body(error), error.status, headers=error_headers(error))


def dali_error(error: AweError) -> Response:
    """Render as DALI 1.1 section 4.2 says: a VOTable with QUERY_STATUS ERROR."""
    return _votable(str(error), error)


def sia2_error(error: AweError) -> Response:
    """Render in the words of SIA 2.0 section 2.4, in a VOTable."""
    return _votable(f"{dali.fault_word(error)}: {error}", error)


def sia1_error(error: AweError) -> Response:
    """Render as SIA 1.0 section 4.3 says: a VOTable with QUERY_STATUS ERROR, HTTP status 200."""
    return Response(
        error_document(str(error), _infos()), _status_of_old(error), error_headers(error), VOTABLE_TYPE
    )


def scs_error(error: AweError) -> Response:
    """Render as Simple Cone Search 1.03 section 2.3 says: a VOTable with INFO Error, HTTP status 200."""
    return Response(
        scs.error_document(str(error), _infos()), _status_of_old(error), error_headers(error), VOTABLE_TYPE
    )


def ssa_error(error: AweError) -> Response:
    """Render as SSA 1.1 section 8.10 says: a VOTable with QUERY_STATUS ERROR, HTTP status 200."""
    document = error_document(str(error), [("SERVICE_PROTOCOL", ssa.VERSION, "SSAP"), *_infos()])
    return Response(document, _status_of_old(error), error_headers(error), VOTABLE_TYPE)


def _status_of_old(error: AweError) -> int:
    # clients log in after a 401 and come back after a 429 or 503 only; what these protocols call an error is a
    # request that cannot be answered
    return error.status if isinstance(error, _TOLD_BY_STATUS) else 200


_TOLD_BY_STATUS = (AuthenticationError, ForbiddenError, RateLimitError, UnavailableError)


def datalink_error(error: AweError) -> Response:
    """Render in the words of DataLink 1.1 section 3.4, in a VOTable."""
    return _votable(datalink.fault(error), error)


def soda_error(error: AweError) -> Response:
    """Render as SODA 1.0 section 4.2 says: text that begins with the kind of error."""
    text = f"{soda.error_text(error)}\n{request_line()}"
    return Response(text, error.status, error_headers(error), "text/plain; charset=utf-8")


def unexpected(number: str) -> ServiceError:
    """Return what a caller is told of a fault of ours; the log has the rest under the same number."""
    return ServiceError(
        "something went wrong inside the service",
        hint=f"tell its operators the request number {number}",
        request=number,
    )


def _votable(message: str, error: AweError) -> Response:
    # A query that took too long was answered, not lost: with 408 some clients would send it again.
    status = 200 if isinstance(error, TimeLimitError) else error.status
    return Response(error_document(message, _infos()), status, error_headers(error), VOTABLE_TYPE)


def error_headers(error: AweError) -> dict[str, str]:
    """Return the headers of an error's answer: its code, and when to try again if that helps."""
    headers = {"X-Awe-Error": error.code}
    if "retry_after" in error.fields:
        headers["Retry-After"] = str(error.fields["retry_after"])
    return headers
