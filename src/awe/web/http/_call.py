"""One request as a handler sees it: parameters, caller, services; nothing of the web framework's.

Every VO and compatibility handler is a plain function ``handler(call) -> Response``. It runs in a
thread, so that it may wait for a service, and raises the errors of `awe.errors`; `endpoint` makes a
handler into something that a route can hold, and gives its errors to the face's renderer.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from awe.core.waiting import WouldWaitError, at_once
from awe.errors import AweError
from awe.platform import Platform
from awe.services.catalogs import SentFile
from awe.services.identity import ANONYMOUS, READ, WRITE, Identity, subject_of
from awe.web.http._address import base_url, platform_of
from awe.web.http._errors import Renderer, json_error, unexpected, wants_json
from awe.web.http._fair import FairResponse
from awe.web.http._identity import caller
from awe.web.http._parameters import Given, read_given
from awe.web.http._threads import in_thread
from awe.web.http._turn import TurnResponse
from awe.web.http._waiting import WaitingResponse

__all__ = ["Call", "Endpoint", "Handler", "endpoint", "make_call"]

_READS = frozenset({"GET", "HEAD"})
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler is given.

    Attributes
    ----------
    pairs
        Parameters of the query string and of a form, in order, as they came.
    parts
        Files of a form, by the name of their part; closed when the handler is done.
    body
        The body when it was no form; empty otherwise.
    identity
        Who asks.
    platform
        The services.
    base_url
        Address of this service as the caller knows it, without a slash at the end.
    request
        For what is rarely needed: headers, path parameters.
    """

    pairs: tuple[tuple[str, str], ...]
    parts: Mapping[str, SentFile]
    body: bytes
    identity: Identity
    platform: Platform
    base_url: str
    request: Request

    @property
    def accept(self) -> str:
        """The Accept header."""
        return self.request.headers.get("accept", "")

    @property
    def subject(self) -> str:
        """Under which name the caller's turns are counted."""
        return subject_of(self.identity)

    @property
    def tapplus(self) -> bool:
        """Whether a client of TAP+ asks, which reads some documents in ESA's way only."""
        return bool(getattr(self.request.state, "tapplus", False))

    def path(self, name: str) -> str:
        """Return a part of the path."""
        return str(self.request.path_params[name])


Handler = Callable[[Call], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


async def make_call(request: Request, scope: str | None = READ, *, body: bool = True) -> Call:
    """Read a request; `scope` is what a token must allow for it, None where it carries no user's credentials.

    Without `body` that is left to whoever takes it as it comes.

    Raises
    ------
    LimitError
        If its body is too large.
    AuthenticationError
        If it has a token that is not known.
    ForbiddenError
        If it has a token that lacks the scope.
    """
    identity = ANONYMOUS if scope is None else await in_thread(_caller, request, scope)
    most = platform_of(request).settings.limits.upload_bytes
    return _call(request, identity, await read_given(request, most) if body else _address_of(request))


def endpoint(
    handler: Handler,
    render: Renderer,
    scope: str | None = WRITE,
    reads: str | None = READ,
    *,
    prompt: bool = False,
) -> Endpoint:
    """Return the endpoint that runs a handler in a thread and renders what it raises.

    Parameters
    ----------
    scope, reads
        What a token must allow for what changes something, and for what only reads; the empty one is any token's.
        None where what the request carries is not for `caller` to judge: then nobody is known.
    prompt
        Whether GET is often answered without waiting for anything: then no thread is woken for it.
    """

    def failed(request: Request, error: AweError) -> Response:
        return json_error(error) if wants_json(request) else render(error)

    async def run(request: Request) -> Response:
        try:
            if request.method in _READS:  # nothing is waited for but threads: one is enough
                answer = _tried(handler, request, reads) if prompt else None
                if answer is None:
                    answer = await in_thread(_asked, handler, request, reads)
            else:
                answer = await in_thread(_handled, handler, await make_call(request, scope))
        except AweError as error:
            return failed(request, error)
        except Exception:  # noqa: BLE001  # a fault of ours; it is logged, and the caller told its number
            _LOG.exception("request %s failed", request.state.request_id)
            return failed(request, unexpected(request.state.request_id))
        if isinstance(answer, TurnResponse | WaitingResponse | FairResponse):
            answer.on_error = lambda error: failed(request, error)
        return answer

    return run


def _tried(handler: Handler, request: Request, scope: str | None) -> Response | None:
    """Run a handler here and now; None where it would have to wait."""
    try:
        with at_once():
            return _asked(handler, request, scope)
    except WouldWaitError:
        return None


def _asked(handler: Handler, request: Request, scope: str | None) -> Response:
    identity = ANONYMOUS if scope is None else _caller(request, scope)
    return _handled(handler, _call(request, identity, _address_of(request)))


def _handled(handler: Handler, call: Call) -> Response:
    try:
        answer = handler(call)
    finally:
        for part in call.parts.values():
            part.content.close()
    if isinstance(answer, TurnResponse) and answer.prompt:
        answer.hurry(call.request.scope)
    return answer


def _caller(request: Request, scope: str) -> Identity:
    return caller(request, platform_of(request).identity, scope)


def _address_of(request: Request) -> Given:
    query = request.scope["query_string"].decode("latin-1")
    if "%" in query or "+" in query:
        return Given(tuple(parse_qsl(query, keep_blank_values=True)))
    return Given(
        tuple((name, value) for name, _, value in (pair.partition("=") for pair in query.split("&") if pair))
    )


def _call(request: Request, identity: Identity, given: Given) -> Call:
    platform = platform_of(request)
    return Call(given.pairs, given.parts, given.body, identity, platform, base_url(request), request)
