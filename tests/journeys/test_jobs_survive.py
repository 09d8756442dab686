"""The server is killed while it runs jobs, when some of them have ended: no job is lost, none has two results."""

import hashlib
import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree
from tests.systems.processes import alive, started_by

from awe.testing import TINY_TABLE, tiny_archive

pytestmark = pytest.mark.slow

UWS = "{http://www.ivoa.net/xml/UWS/v1.0}"
ENDS = {"COMPLETED", "ERROR", "ABORTED"}
KILLS = 5
SEED = 20261125
Up = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("survivor")
    tiny_archive(made).close()
    return made


class Submitted:
    """What a client remembers of the jobs it made: their addresses, and what each must answer."""

    def __init__(self) -> None:
        self.expected: dict[str, bytes] = {}
        self.seen: dict[str, str] = {}

    def add(self, web: httpx.Client, number: int, slow: bool) -> None:
        """Make a job; it counts once the service has said that it is there."""
        rows = f"SELECT COUNT(*) + {number} AS n FROM {TINY_TABLE} a"
        more = f", {TINY_TABLE} b, {TINY_TABLE} c WHERE a.id + b.id > -c.id" if slow else ""
        form = {"LANG": "ADQL", "QUERY": rows + more, "RESPONSEFORMAT": "csv", "PHASE": "RUN"}
        made = web.post("/tap/async", data=form)
        assert made.status_code == 303, made.text
        job = made.headers["location"].rpartition("/")[2]
        self.expected[job] = b"n\r\n%d\r\n" % ((500**3 if slow else 500) + number)

    def check(self, web: httpx.Client) -> bool:
        """Look at every job: it is there, and what has ended once stays as it is; True when all have ended."""
        for job, answer in self.expected.items():
            phase, result = look(web, job)
            if phase == "COMPLETED":
                assert result.replace(b"\r\n", b"\n") == answer.replace(b"\r\n", b"\n")
            state = f"{phase} {hashlib.sha256(result).hexdigest()}"
            if phase in ENDS:
                assert self.seen.setdefault(job, state) == state
        return self.seen.keys() == self.expected.keys()


def look(web: httpx.Client, job: str) -> tuple[str, bytes]:
    """Return the phase of a job and its result, or else the reason why it failed."""
    described = web.get(f"/tap/async/{job}")
    assert described.status_code == 200, f"{job} is lost: {described.text}"
    document = etree.fromstring(described.content)
    phase = str(document.findtext(f"{UWS}phase"))
    if phase == "COMPLETED":
        return phase, web.get(f"/tap/async/{job}/results/result").content
    if phase in ENDS:
        reason = document.findtext(f"{UWS}errorSummary/{UWS}message")
        assert reason
        return phase, reason.encode()
    return phase, b""


def test_kill_minus_nine_while_some_have_ended_and_some_run(folder: Path, up: Up) -> None:
    chance = random.Random(SEED)
    jobs = Submitted()
    number = 0
    for _ in range(KILLS):
        with up(folder, AWE_JOBS__IDLE="1") as service, httpx.Client(base_url=service.url, timeout=30) as web:
            jobs.check(web)
            for _ in range(chance.randint(4, 10)):
                number += 1
                jobs.add(web, number, slow=chance.random() < 0.4)
            ended = len(jobs.seen) + chance.randint(0, 3)
            while len(jobs.seen) < ended:
                jobs.check(web)
                time.sleep(0.05)
            workers = started_by(service.pid)
            os.kill(service.pid, signal.SIGKILL)
            deadline = time.monotonic() + 30
            while any(map(alive, workers)):  # nobody works on for a service that is gone
                assert time.monotonic() < deadline
    with up(folder) as service, httpx.Client(base_url=service.url, timeout=30) as web:
        deadline = time.monotonic() + 180
        while not jobs.check(web):
            assert time.monotonic() < deadline, jobs.seen.keys() ^ jobs.expected.keys()
            time.sleep(0.5)
    completed = {job for job, state in jobs.seen.items() if state.startswith("COMPLETED")}
    for job in jobs.expected:
        attempts = list((folder / "jobs" / job).glob("attempt-*"))
        assert len(attempts) == (job in completed), "one result, of one attempt, or none"
    assert len(completed) > len(jobs.expected) / 2


def test_told_to_stop_it_queues_its_jobs_and_the_next_one_runs_them(folder: Path, up: Up) -> None:
    jobs = Submitted()
    with up(folder, AWE_JOBS__GRACE="0") as service, httpx.Client(base_url=service.url, timeout=30) as web:
        for number in range(3):
            jobs.add(web, number, slow=True)
        deadline = time.monotonic() + 60
        while look(web, next(iter(jobs.expected)))[0] == "QUEUED":
            assert time.monotonic() < deadline
    with up(folder) as service, httpx.Client(base_url=service.url, timeout=30) as web:
        deadline = time.monotonic() + 120
        while not jobs.check(web):
            assert time.monotonic() < deadline
            time.sleep(0.2)
    assert all(state.startswith("COMPLETED") for state in jobs.seen.values())
