"""Turns: so many tables at once, the next ones wait, and who would wait too long is told when to come back."""

import asyncio
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from awe.core.tables import Column, Schema, TableStream
from awe.errors import BusyError
from awe.platform import Platform
from awe.settings import LimitSettings
from awe.testing import TINY_TABLE, tiny_settings
from awe.web import build_app
from awe.web.http import FairTurns, Room

CONE = f"/scs/{TINY_TABLE}?RA=187.7&DEC=12.39&SR=0.1"
SYNC = f"/tap/sync?LANG=ADQL&QUERY=SELECT+*+FROM+{TINY_TABLE}"


def limits(**given: float) -> LimitSettings:
    return LimitSettings(**{"queries": 2, "waiting": 3, "patience": 30.0, **given})


def test_no_more_than_so_many_at_once_and_everyone_gets_a_turn() -> None:
    running: list[int] = []
    most = 0

    async def one(turns: FairTurns, number: int) -> int:
        nonlocal most
        async with turns.turn("ann"):
            running.append(number)
            most = max(most, len(running))
            await asyncio.sleep(0)
            running.remove(number)
        return number

    async def everyone() -> list[int]:
        turns = FairTurns(Room.of_queries(limits(waiting=100)))
        return await asyncio.gather(*(one(turns, n) for n in range(50)))

    assert asyncio.run(everyone()) == list(range(50))
    assert most == 2


@pytest.mark.parametrize("given", [{"waiting": 0}, {"patience": 0.01}])
def test_who_cannot_wait_is_told_when_to_come_back(given: dict[str, float]) -> None:
    async def run() -> None:
        turns = FairTurns(Room.of_queries(limits(queries=1, **given)))
        async with turns.turn("ann"):
            with pytest.raises(BusyError, match="try again in"):
                async with turns.turn("ann"):
                    pytest.fail("two had the only turn")
        async with turns.turn("ann"):
            pass

    asyncio.run(run())


def test_who_goes_away_while_waiting_leaves_his_place() -> None:
    async def run() -> None:
        turns = FairTurns(Room.of_queries(limits(queries=1, waiting=1)))

        async def wait() -> None:
            async with turns.turn("ann"):
                pass

        async with turns.turn("ann"):
            impatient = asyncio.create_task(wait())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            impatient.cancel()
            with pytest.raises(asyncio.CancelledError):
                await impatient
            patient = asyncio.create_task(wait())
            await asyncio.sleep(0)
        await patient

    asyncio.run(run())


def test_the_caller_of_whom_most_wait_makes_room_for_others() -> None:
    """Who asks for little is answered before those of one who asks for much, and is never the one who is refused."""
    order: list[str] = []

    async def one(turns: FairTurns, subject: str) -> None:
        async with turns.turn(subject):
            await asyncio.sleep(0.001)
        order.append(subject)

    async def run() -> list[BaseException | None]:
        turns = FairTurns(Room.of_queries(limits(queries=2, waiting=6)))
        greedy = [asyncio.create_task(one(turns, "greedy")) for _ in range(20)]
        await asyncio.sleep(0)
        few = [asyncio.create_task(one(turns, subject)) for subject in ("modest", "other")]
        told = await asyncio.gather(*greedy, return_exceptions=True)
        await asyncio.gather(*few)
        return told

    told = asyncio.run(run())
    assert [error for error in told if error is not None and not isinstance(error, BusyError)] == []
    assert (
        sum(isinstance(error, BusyError) for error in told) == 14
    )  # two run, six wait, two of those make room
    assert {"modest", "other"} <= set(order[:5])


class Blocking:
    """A platform whose queries go on until they are let go."""

    def __init__(self, platform: Platform, settings: object) -> None:
        self.platform, self.settings = platform, settings
        self.begun, self.go = threading.Event(), threading.Event()
        self.catalogs = _Catalogs(self)

    def batches(self) -> Iterator[pa.RecordBatch]:
        self.begun.set()
        assert self.go.wait(20)
        yield pa.RecordBatch.from_arrays([pa.array([1])], names=["n"])

    def __getattr__(self, name: str) -> object:
        return getattr(self.platform, name)


class _Catalogs:
    def __init__(self, blocking: Blocking) -> None:
        self._blocking = blocking

    def query(self, *_: object, **__: object) -> TableStream:
        return TableStream(Schema((Column("n", pa.int64()),)), self._blocking.batches())

    cone = query

    def __getattr__(self, name: str) -> object:
        return getattr(self._blocking.platform.catalogs, name)


def test_every_protocol_says_503_and_when_to_come_back(platform: Platform) -> None:
    settings = tiny_settings(platform.settings.folder, limits={"queries": 1, "waiting": 0})
    blocking = Blocking(platform, settings)
    with TestClient(build_app(blocking)) as web, ThreadPoolExecutor(1) as pool:  # type: ignore[arg-type]
        first = pool.submit(web.get, SYNC)
        assert blocking.begun.wait(20)
        refused = [web.get(CONE), web.get(SYNC), web.post("/api/query", json={"query": "SELECT 1"})]
        status = web.get("/api/status")
        blocking.go.set()
        assert first.result(20).status_code == 200
        assert web.get(CONE).status_code == 200
    assert status.status_code == 200
    for answer in refused:
        told(answer)
    assert ET.fromstring(refused[0].content).tag.endswith("VOTABLE")
    assert ET.fromstring(refused[1].content).tag.endswith("VOTABLE")
    assert refused[2].json()["error"]["fields"]["retry_after"] >= 1


def test_too_many_requests_at_once_are_told_at_the_door(platform: Platform) -> None:
    settings = tiny_settings(platform.settings.folder, limits={"requests": 1})
    blocking = Blocking(platform, settings)
    with TestClient(build_app(blocking)) as web, ThreadPoolExecutor(1) as pool:  # type: ignore[arg-type]
        first = pool.submit(web.get, SYNC)
        assert blocking.begun.wait(20)
        refused = web.get("/api/status")
        blocking.go.set()
        assert first.result(20).status_code == 200
        assert web.get("/api/status").status_code == 200
    told(refused)


def told(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    assert answer.headers["X-Awe-Error"] == "busy"
    assert int(answer.headers["Retry-After"]) >= 1
    assert "try again in" in answer.text
