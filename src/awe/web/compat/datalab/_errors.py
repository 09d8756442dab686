"""Errors as the Data Lab's client shows them: a text that begins with ``Error:``, and a status that is not 200."""

from starlette.responses import PlainTextResponse, Response

from awe.errors import AweError
from awe.web.http import error_headers, request_line

__all__ = ["datalab_error"]


def datalab_error(error: AweError) -> Response:
    """Render for the Data Lab's client, which shows the body as it is."""
    return PlainTextResponse(f"Error: {error}\n{request_line()}", error.status, error_headers(error))
