"""What all faces share: parameters, who asks, formats, streaming tables, errors, headers.

No rule of a protocol and no use case of a service stands here.
"""

from awe.web.http._admission import Admission
from awe.web.http._call import Call, Handler, base_url, endpoint, platform_of
from awe.web.http._errors import (
    VOTABLE_TYPE,
    Renderer,
    dali_error,
    error_headers,
    json_error,
    scs_error,
    sia1_error,
    sia2_error,
    soda_error,
    wants_json,
)
from awe.web.http._identity import caller, token_of
from awe.web.http._middleware import Envelope, scrubbed
from awe.web.http._negotiation import chosen_format
from awe.web.http._stream import TableResponse, absolute_links

__all__ = [
    "VOTABLE_TYPE",
    "Admission",
    "Call",
    "Envelope",
    "Handler",
    "Renderer",
    "TableResponse",
    "absolute_links",
    "base_url",
    "caller",
    "chosen_format",
    "dali_error",
    "endpoint",
    "error_headers",
    "json_error",
    "platform_of",
    "scrubbed",
    "scs_error",
    "sia1_error",
    "sia2_error",
    "soda_error",
    "token_of",
    "wants_json",
]
