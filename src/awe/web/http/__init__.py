"""What all faces share: parameters, who asks, formats, streaming tables, errors, headers.

No rule of a protocol and no use case of a service stands here.
"""

from awe.core.tables import absolute_links
from awe.web.http._address import base_url, platform_of
from awe.web.http._batch import BatchResponse
from awe.web.http._call import Call, Handler, endpoint
from awe.web.http._cutouts import cutouts_response
from awe.web.http._errors import (
    VOTABLE_TYPE,
    Renderer,
    dali_error,
    datalink_error,
    error_body,
    error_headers,
    json_error,
    request_line,
    request_number,
    scs_error,
    sia1_error,
    sia2_error,
    soda_error,
    ssa_error,
    wants_json,
)
from awe.web.http._fair import FairResponse, FairStream, FairTurns, Room
from awe.web.http._identity import NOBODYS, admit, caller, token_of
from awe.web.http._login import (
    SESSION,
    LoginHeaders,
    begin_session,
    check_origin,
    credentials,
    forget_cookie,
    offer_login,
)
from awe.web.http._metrics import CONTENT_TYPE as METRICS_TYPE
from awe.web.http._metrics import Metrics
from awe.web.http._middleware import Envelope, asked, scrubbed
from awe.web.http._negotiation import chosen_format, takes_gzip
from awe.web.http._next import next_page
from awe.web.http._parameters import Given, read_body, read_given
from awe.web.http._receiving import Receiver, receiving
from awe.web.http._results import result_response
from awe.web.http._shared_figures import SharedFigures
from awe.web.http._stored import stored_response
from awe.web.http._straight import Straight
from awe.web.http._stream import SILENT, TableResponse
from awe.web.http._turn import TurnResponse
from awe.web.http._waiting import Waiters, WaitingResponse

__all__ = [
    "METRICS_TYPE",
    "NOBODYS",
    "SESSION",
    "SILENT",
    "VOTABLE_TYPE",
    "BatchResponse",
    "Call",
    "Envelope",
    "FairResponse",
    "FairStream",
    "FairTurns",
    "Given",
    "Handler",
    "LoginHeaders",
    "Metrics",
    "Receiver",
    "Renderer",
    "Room",
    "SharedFigures",
    "Straight",
    "TableResponse",
    "TurnResponse",
    "Waiters",
    "WaitingResponse",
    "absolute_links",
    "admit",
    "asked",
    "base_url",
    "begin_session",
    "caller",
    "check_origin",
    "chosen_format",
    "credentials",
    "cutouts_response",
    "dali_error",
    "datalink_error",
    "endpoint",
    "error_body",
    "error_headers",
    "forget_cookie",
    "json_error",
    "next_page",
    "offer_login",
    "platform_of",
    "read_body",
    "read_given",
    "receiving",
    "request_line",
    "request_number",
    "result_response",
    "scrubbed",
    "scs_error",
    "sia1_error",
    "sia2_error",
    "soda_error",
    "ssa_error",
    "stored_response",
    "takes_gzip",
    "token_of",
    "wants_json",
]
