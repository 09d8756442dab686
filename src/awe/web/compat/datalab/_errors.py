"""Errors as the Data Lab's client shows them: a text that begins with ``Error:``, and a status that is not 200."""

from starlette.responses import PlainTextResponse, Response

from awe.errors import AweError, TimeLimitError
from awe.web.http import error_headers, request_line

__all__ = ["datalab_error"]


def datalab_error(error: AweError) -> Response:
    """Render for the Data Lab's client, which shows the body as it is."""
    text = str(error)
    if isinstance(error, TimeLimitError):
        text = f"Query timeout: {error.message} (ask for less, or give it hours: async_=True, timeout=3600)"
    return PlainTextResponse(f"Error: {text}\n{request_line()}", error.status, error_headers(error))
