"""Bodies that are taken as they come: files of any size, of which no more than a piece is in memory.

While a slow client sends, no thread waits: each piece is handed to one when it is there.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from awe.errors import AweError, UsageError
from awe.web.http._call import Call, Endpoint, make_call
from awe.web.http._errors import Renderer, unexpected

__all__ = ["Receiver", "receiving"]

_LOG = logging.getLogger(__name__)
_AT_ONCE = 1 << 20


class Sink(Protocol):
    """What takes a body; it counts when it is `done`."""

    def write(self, data: bytes) -> None:
        """Take a piece."""

    def done(self) -> object:
        """Know that this was all."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A handler of what brings a file as its body; `begin` gives what takes it, from a call without a body."""

    begin: Callable[[Call], AbstractContextManager[Sink]]


def receiving(receiver: Receiver, render: Renderer, scope: str) -> Endpoint:
    """Return the endpoint that gives a body to a receiver: 201 when all of it is kept."""

    async def run(request: Request) -> Response:
        try:
            call = await make_call(request, scope, body=False)
            await _received(receiver, call)
        except ClientDisconnect:
            return render(UsageError("the file did not come whole"))
        except AweError as error:
            return render(error)
        except Exception:  # noqa: BLE001  # a fault of ours; it is logged, and the caller told its number
            _LOG.exception("request %s failed", request.state.request_id)
            return render(unexpected(request.state.request_id))
        return PlainTextResponse("OK", 201)

    return run


async def _received(receiver: Receiver, call: Call) -> None:
    with ExitStack() as stack:
        sink: Sink = await run_in_threadpool(stack.enter_context, receiver.begin(call))
        waiting = bytearray()
        async for data in call.request.stream():
            waiting += data
            if len(waiting) >= _AT_ONCE:
                await run_in_threadpool(sink.write, bytes(waiting))
                waiting.clear()
        await run_in_threadpool(sink.write, bytes(waiting))
        await run_in_threadpool(sink.done)
