"""Turns that are fair between callers, and answers that are made in them: queries, cutouts, pictures.

Queries share the engine's memory and processors, and to read and draw pixels takes a processor and a disk. Past a number of
them each further one makes all others slower, or fail for want of memory. So many are at it at once, and who waits is
called caller by caller in a circle, without a thread: who asks for a thousand things waits for his own, and nobody else
does. Where too many wait already, or the wait becomes long, the answer is 503 with ``Retry-After`` instead of a time-out
that nobody can tell from a fault; if the room is full, that is the caller's of whom most wait. A piece of an answer
that is sent to a slow client needs no turn, only the making of it.
"""

import logging
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import inf

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from awe.errors import AweError, BusyError
from awe.settings import ImageSettings, LimitSettings
from awe.web.http._errors import unexpected

__all__ = ["FairResponse", "FairStream", "FairTurns", "Room"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Room:
    """How many turns there are.

    Attributes
    ----------
    most, each
        At the same time, and of one caller among them.
    waiting, waiting_each
        Behind them, and of one caller.
    patience_s
        So long one waits at the most.
    busy
        What those are told who have no place.
    """

    most: int
    each: int
    waiting: float
    waiting_each: float
    patience_s: float
    busy: str

    @classmethod
    def of_queries(cls, limits: LimitSettings) -> "Room":
        """Return the turns of queries; how many one caller may run at once is a quota."""
        return cls(
            limits.queries, limits.queries, limits.waiting, inf, limits.patience,
            "the service is answering as many queries as it can",
        )  # fmt: skip

    @classmethod
    def of_images(cls, settings: ImageSettings, patience_s: float) -> "Room":
        """Return the turns of cutouts and pictures."""
        return cls(
            settings.at_once, settings.each, inf, settings.waiting, patience_s,
            "so many of your cutouts and pictures are being made already",
        )  # fmt: skip


@dataclass(slots=True, eq=False)
class _Place:
    """A place among those who wait; `begun` ones are never refused."""

    begun: bool
    called: anyio.Event = field(default_factory=anyio.Event)
    refused: bool = False


class FairTurns:
    """The turns of one application; to be used inside its event loop."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._running: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[_Place]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, subject: str, *, begun: bool = False) -> AsyncIterator[None]:
        """Hold a turn while the block lasts.

        Parameters
        ----------
        subject
            Whose turn it is.
        begun
            Whether it goes on with an answer that has begun: that waits as long as it takes.

        Raises
        ------
        BusyError
            If too many wait, or this one waited too long.
        """
        await self._take(subject, begun=begun)
        try:
            yield
        finally:
            self._leave(subject)

    async def _take(self, subject: str, *, begun: bool) -> None:
        if subject not in self._waiting and self._may(subject):
            self._running[subject] += 1
            return
        if not begun:
            self._find_room(subject)
        place = _Place(begun)
        self._waiting.setdefault(subject, deque()).append(place)
        try:
            with anyio.fail_after(inf if begun else self._room.patience_s):
                await place.called.wait()
        except BaseException as error:
            if not place.called.is_set():
                self._forget(subject, place)
            elif not place.refused:
                self._leave(subject)
            if isinstance(error, TimeoutError):
                raise self._busy(subject) from None
            raise
        if place.refused:
            raise self._busy(subject)

    def _may(self, subject: str) -> bool:
        return self._running.total() < self._room.most and self._running[subject] < self._room.each

    def _find_room(self, subject: str) -> None:
        """Make room for one more who waits: where there is none, it is taken from the caller of whom most wait."""
        own = len(self._waiting.get(subject, ()))
        if own >= self._room.waiting_each:
            raise self._busy(subject)
        if self._waits() < self._room.waiting:
            return
        longest = max(self._waiting, key=lambda one: len(self._waiting[one]), default=subject)
        last = next((place for place in reversed(self._waiting.get(longest, ())) if not place.begun), None)
        if last is None or len(self._waiting[longest]) <= own + 1:
            raise self._busy(subject)
        self._forget(longest, last)
        last.refused = True
        last.called.set()

    def _waits(self) -> int:
        return sum(map(len, self._waiting.values()))

    def _leave(self, subject: str) -> None:
        self._running[subject] -= 1
        if not self._running[subject]:
            del self._running[subject]
        while (after := next((one for one in self._waiting if self._may(one)), None)) is not None:
            called = self._waiting[after][0]
            self._forget(after, called)
            if after in self._waiting:
                self._waiting.move_to_end(after)
            self._running[after] += 1
            called.called.set()

    def _forget(self, subject: str, place: _Place) -> None:
        queue = self._waiting[subject]
        queue.remove(place)
        if not queue:
            del self._waiting[subject]

    def _busy(self, subject: str) -> BusyError:
        # longer the more wait, so that those who come back do not all come at once
        before = len(self._waiting.get(subject, ())) // self._room.each, self._waits() // self._room.most
        return BusyError(self._room.busy, 1 + max(before))


class FairResponse(Response):
    """An answer that is made in its caller's turn, by a thread.

    Parameters
    ----------
    subject
        Whose turn it is.
    make
        Makes the answer.

    Attributes
    ----------
    on_error
        Renders what goes wrong.
    """

    def __init__(self, subject: str, make: Callable[[], Response]) -> None:
        super().__init__()
        self.on_error: Callable[[AweError], Response] | None = None
        self._subject, self._make = subject, make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Make the answer and send it."""
        turns: FairTurns = scope["app"].state.fair
        try:
            async with turns.turn(self._subject):
                answer = await anyio.to_thread.run_sync(self._make)
        except AweError as error:
            if self.on_error is None:
                raise
            answer = self.on_error(error)
        except Exception:
            if self.on_error is None:
                raise
            _LOG.exception("request %s failed", scope["state"]["request_id"])
            answer = self.on_error(unexpected(scope["state"]["request_id"]))
        await answer(scope, receive, send)


class FairStream(Response):
    """An answer of many pieces, each of which is made in its caller's turn, by a thread, when the one before has gone."""

    def __init__(
        self, subject: str, pieces: Iterator[bytes], media_type: str, headers: Mapping[str, str]
    ) -> None:
        super().__init__(media_type=media_type, headers=dict(headers))
        del self.headers["content-length"]
        self._subject, self._pieces = subject, pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the pieces; stop when the client goes."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_until_gone, receive, tasks.cancel_scope)
            await self._send(scope["app"].state.fair, send)
            tasks.cancel_scope.cancel()

    async def _send(self, turns: FairTurns, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        piece: bytes | None = b""
        while piece is not None:
            async with turns.turn(self._subject, begun=True):
                piece = await anyio.to_thread.run_sync(next, self._pieces, None)
            await send({"type": "http.response.body", "body": piece or b"", "more_body": piece is not None})


async def _until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
