"""Cutouts are made in turns that are fair between callers: who asks for many keeps nobody else waiting."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.services.observations.conftest import write_image

from awe.errors import BusyError
from awe.platform import Platform
from awe.settings import ImageSettings
from awe.testing import tiny_settings
from awe.web import build_app
from awe.web.http import FairTurns, Room

CUTOUT = "/soda/sync?ID=m87&CIRCLE=187.7+12.39+0.002"
MANY = "/soda/sync?ID=m87&CIRCLE=187.7+12.39+0.002&CIRCLE=187.701+12.39+0.001&CIRCLE=187.702+12.39+0.001"


def turns(*, patience_s: float = 30.0, **given: int) -> FairTurns:
    settings = ImageSettings(**{"at_once": 3, "each": 2, "waiting": 1000, **given})
    return FairTurns(Room.of_images(settings, patience_s))


def test_who_asks_for_little_waits_for_nobody_who_asks_for_much() -> None:
    order: list[str] = []
    running: dict[str, int] = {"greedy": 0, "modest": 0, "other": 0}
    most: dict[str, int] = dict.fromkeys(running, 0)

    async def one(fair: FairTurns, subject: str) -> None:
        async with fair.turn(subject):
            running[subject] += 1
            most[subject] = max(most[subject], running[subject])
            assert sum(running.values()) <= 3
            await asyncio.sleep(0.001)
            running[subject] -= 1
        order.append(subject)

    async def everyone() -> None:
        fair = turns()
        greedy = [asyncio.create_task(one(fair, "greedy")) for _ in range(200)]
        await asyncio.sleep(0)
        few = [asyncio.create_task(one(fair, subject)) for subject in ("modest", "other") * 5]
        await asyncio.gather(*greedy, *few)

    asyncio.run(everyone())
    assert order.count("greedy") == 200
    last = max(i for i, subject in enumerate(order) if subject != "greedy")
    assert (
        order[: last + 1].count("greedy") <= 2 * 10 + 4
    )  # two turns of the greedy one for each of theirs at the most
    assert most["greedy"] == 2


def test_a_caller_has_no_more_turns_than_his_own_though_others_are_free() -> None:
    async def run() -> None:
        fair = turns()
        async with fair.turn("greedy"), fair.turn("greedy"):
            third = asyncio.create_task(_hold(fair, "greedy"))
            await asyncio.sleep(0)
            async with fair.turn("modest"):
                assert not third.done()
        await third

    asyncio.run(run())


async def _hold(fair: FairTurns, subject: str) -> None:
    async with fair.turn(subject):
        pass


@pytest.mark.parametrize("given", [{"waiting": 0}, {"patience_s": 0.01}])
def test_who_has_too_many_waiting_or_waits_too_long_is_told(given: dict[str, float]) -> None:
    async def run() -> None:
        fair = turns(at_once=1, **given)  # type: ignore[arg-type]
        async with fair.turn("greedy"):
            with pytest.raises(BusyError, match="try again in"):
                await _hold(fair, "greedy")
            begun = asyncio.create_task(_begun(fair))
            await asyncio.sleep(0.02)
            assert not begun.done()
        await begun
        await _hold(fair, "greedy")

    async def _begun(fair: FairTurns) -> None:
        async with fair.turn("greedy", begun=True):
            pass

    asyncio.run(run())


def test_who_goes_away_leaves_the_place_to_others() -> None:
    async def run() -> None:
        fair = turns(at_once=1)
        async with fair.turn("a"):
            gone, stays = (asyncio.create_task(_hold(fair, subject)) for subject in "bc")
            await asyncio.sleep(0)
            gone.cancel()
        await asyncio.gather(gone, stays, return_exceptions=True)
        assert gone.cancelled()
        async with fair.turn("a"):
            called = asyncio.create_task(_hold(fair, "b"))
            await asyncio.sleep(0)
        called.cancel()  # when it has been called, and does not know it yet
        with pytest.raises(asyncio.CancelledError):
            await called
        await _hold(fair, "c")

    asyncio.run(run())


class _Gate:
    """Holds the cutouts of one caller until it is opened."""

    def __init__(self, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = 0
        self.reached, self.go = threading.Event(), threading.Event()
        original = platform.observations.cutout

        def cutout(name: str, wanted: object = None, identity: object = None) -> object:
            if not identity.is_anonymous:  # type: ignore[attr-defined]
                self.begun += 1
                self.reached.set()
                assert self.go.wait(20)
            return original(name, wanted, identity)  # type: ignore[arg-type]

        monkeypatch.setattr(type(platform.observations), "cutout", lambda _, *args: cutout(*args))


@contextmanager
def archive(folder: Path) -> Iterator[tuple[Platform, TestClient, dict[str, str]]]:
    settings = tiny_settings(folder / "archive", images={"at_once": 3, "each": 2, "waiting": 4})
    write_image(folder / "images", "m87.fits", shape=(300, 300))
    with Platform.open(settings) as platform:
        platform.observations.publish("hla", folder / "images")
        platform.accounts.add("ada", by="local:test", password="correct horse")
        token = platform.identity.login("ada", "correct horse")
        with TestClient(build_app(platform)) as web:
            yield platform, web, {"X-Auth-Token": token}


@pytest.mark.slow
def test_a_greedy_user_of_the_service_does_not_starve_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with archive(tmp_path) as (platform, web, greedy), ThreadPoolExecutor(10) as pool:
        gate = _Gate(platform, monkeypatch)
        asked = [pool.submit(web.get, MANY if n % 2 else CUTOUT, headers=greedy) for n in range(10)]
        assert gate.reached.wait(20)
        refused = [one.result() for one in islice(as_completed(asked, 20), 4)]
        for _ in range(5):
            assert web.get(CUTOUT).status_code == 200
            assert len(web.get(MANY).content) > 10_000
            assert web.get("/api/datasets/m87/preview").content.startswith(b"\x89PNG")
        assert gate.begun == 2
        gate.go.set()
        answers = [one.result(20) for one in asked]
    assert [answer.status_code for answer in refused] == [503] * 4
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    assert sorted(answer.status_code for answer in answers) == [200] * 6 + [503] * 4


@pytest.mark.slow
def test_errors_are_those_of_the_protocol_whoever_made_the_answer(tmp_path: Path) -> None:
    with archive(tmp_path) as (_, web, _):
        answer = web.get("/soda/sync?ID=nothing&CIRCLE=187.7+12.39+0.002")
        assert answer.status_code == 404
        assert answer.text.startswith("UsageError: no dataset is called 'nothing'")
        assert web.get("/soda/sync?ID=m87&CIRCLE=10+12.39+0.002").status_code == 204
        answer = web.get("/api/datasets/nothing/preview")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
        assert web.get("/api/datasets/m87/preview?size=0").status_code == 400
