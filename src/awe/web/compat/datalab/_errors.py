"""Errors as the Data Lab's client shows them: a text, and a status that is not the one of success."""

from urllib.parse import quote

from starlette.responses import PlainTextResponse, Response

from awe.errors import (
    AuthenticationError,
    AweError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    TimeLimitError,
)
from awe.web.http import error_headers, request_line

__all__ = ["datalab_error", "storage_error", "upload_address_error", "upload_error"]

_SAID = {
    "node": "A Node does not exist with the requested URI.",
    "container": "A Container does not exist with the requested URI",
}
_REFUSED = (AuthenticationError, ForbiddenError)
_THERE = "A Node already exists with the requested URI."


def datalab_error(error: AweError) -> Response:
    """Render for the Data Lab's client, which shows the body as it is."""
    text = str(error)
    if isinstance(error, TimeLimitError):
        text = f"Query timeout: {error.message} (ask for less, or give it hours: async_=True, timeout=3600)"
    return PlainTextResponse(f"Error: {text}\n{request_line()}", error.status, error_headers(error))


def storage_error(error: AweError) -> Response:
    """Render for what is asked of files: what is missing, or there already, is said in VOSpace's words first."""
    if isinstance(error, NotFoundError) and "missing" in error.fields:
        phrase = _SAID[str(error.fields["missing"])]
    elif isinstance(error, ConflictError):
        phrase = _THERE
    else:
        return datalab_error(error)
    return PlainTextResponse(f"{phrase}\n{error}\n{request_line()}", error.status, error_headers(error))


def upload_address_error(error: AweError) -> Response:
    """Render for who asks where to send a file: the client takes most other statuses for an address."""
    answer = storage_error(error)
    if not isinstance(error, _REFUSED):
        answer.status_code = 500
    return answer


def upload_error(error: AweError) -> Response:
    """Render for who sends a file, and reads neither the status nor the text of what is answered to that.

    It follows a redirection, though, and shows the address where it cannot go on: so the reason stands there. Without it
    a file that could not be kept would be one that is.
    """
    answer = storage_error(error)
    if not isinstance(error, _REFUSED):
        reason = quote(str(error), safe="(),:;=/. ").replace(" ", "-")
        answer.headers["Location"] = f"refused:/{reason}"
        answer.status_code = 307
    return answer
