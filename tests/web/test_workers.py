"""Several processes that serve one archive: what they share is right, one that dies is replaced, all end together."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from awe.testing import TINY_TABLE, tiny_archive, tiny_settings

pytestmark = pytest.mark.slow

MANY = 2
CONE = f"/scs/{TINY_TABLE}?RA=187.7&DEC=12.39&SR=0.1"
_LONG_S = 120.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sky")
    with tiny_archive(made) as platform:
        platform.accounts.add("ada", by="local:test", password="correct horse")
        return platform.settings.folder


def test_each_process_has_its_share_of_the_turns(tmp_path: Path) -> None:
    given = {"limits": {"queries": 5, "waiting": 7}, "images": {"at_once": 8, "each": 1, "waiting": 9}}
    own = tiny_settings(tmp_path, workers=2, **given).for_process()
    assert (own.limits.queries, own.limits.waiting) == (3, 4)
    assert (own.images.at_once, own.images.each, own.images.waiting) == (4, 1, 5)


@contextmanager
def up(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-u", "-m", "awe", "up", "--data", str(folder), "--port", "0"]
    environment = os.environ | {"AWE_LOCAL_METRICS": "true"}
    with subprocess.Popen(
        [*command, "--workers", str(MANY)], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            yield next(m[1] for line in process.stdout if (m := re.search(r"up at (\S+)", line))), process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def serving(folder: Path) -> Iterator[tuple[str, int]]:
    with up(folder) as (url, process):
        wait_for(lambda: len(processes(url)) == MANY)
        yield url, process.pid


def wait_for(holds: Callable[[], object]) -> None:
    until = time.monotonic() + _LONG_S
    while not holds():
        assert time.monotonic() < until, "that did not happen"
        time.sleep(0.05)


def children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    return [int(number) for number in listed.split()]


def answered(url: str) -> dict[str, float]:
    """Return how many cone searches each process has answered; a new connection goes to any of them."""
    text = httpx.get(f"{url}/metrics", timeout=_LONG_S).text
    pattern = r'awe_request_seconds_count\{process="(\d)",face="scs",method="GET",status="200"\} (\S+)'
    return {found[1]: float(found[2]) for found in re.finditer(pattern, text)}


def processes(url: str) -> set[str]:
    httpx.get(url + CONE, timeout=_LONG_S)
    time.sleep(0.05)
    return {number for number, count in answered(url).items() if count}


def told(url: str) -> float:
    """Return how many all have answered: each tells it when it answers after two seconds, so all are asked then."""
    time.sleep(2.5)
    for _ in range(40):
        httpx.get(f"{url}/api/docs", timeout=_LONG_S)
    return sum(answered(url).values())


def test_every_process_answers_and_their_figures_are_told_together(serving: tuple[str, int]) -> None:
    url, process = serving
    assert len(children(process)) == MANY
    before = told(url)
    for _ in range(20):
        assert httpx.get(url + CONE, timeout=_LONG_S).status_code == 200
    assert told(url) == before + 20
    assert httpx.get(f"{url}/metrics").text.count("# HELP awe_request_seconds ") == 1


def test_guessing_is_slowed_down_whichever_process_is_asked(serving: tuple[str, int]) -> None:
    said = [
        httpx.post(f"{serving[0]}/auth/login", data={"username": "ada", "password": "wrong"}, timeout=_LONG_S)
        for _ in range(9)
    ]
    assert [answer.status_code for answer in said] == [401] * 5 + [429] * 4


def test_one_process_runs_the_jobs_of_all(serving: tuple[str, int], folder: Path) -> None:
    url = serving[0]
    query = {"LANG": "ADQL", "QUERY": f"SELECT TOP 3 id FROM {TINY_TABLE}", "PHASE": "RUN"}
    jobs = [httpx.post(f"{url}/tap/async", data=query, timeout=_LONG_S).headers["location"] for _ in range(6)]
    for job in jobs:
        wait_for(lambda job=job: httpx.get(f"{job}/phase", timeout=_LONG_S).text == "COMPLETED")  # type: ignore[misc]
        assert b"</VOTABLE>" in httpx.get(f"{job}/results/result", timeout=_LONG_S).content
    assert len(list((folder / "jobs" / ".runners").glob("*.lock"))) == 1


def test_a_process_that_dies_is_replaced_and_its_work_goes_on(serving: tuple[str, int]) -> None:
    url, process = serving
    before = children(process)
    for child in before:
        os.kill(child, signal.SIGKILL)
    wait_for(lambda: len(children(process)) == MANY and not set(children(process)) & set(before))
    assert httpx.get(url + CONE, timeout=_LONG_S).status_code == 200
    job = httpx.post(
        f"{url}/tap/async",
        data={"LANG": "ADQL", "QUERY": f"SELECT TOP 3 id FROM {TINY_TABLE}", "PHASE": "RUN"},
        timeout=_LONG_S,
    ).headers["location"]
    wait_for(lambda: httpx.get(f"{job}/phase", timeout=_LONG_S).text == "COMPLETED")


@pytest.mark.parametrize(
    ("told", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_all_end_when_the_one_that_watches_ends(folder: Path, told: signal.Signals, code: int) -> None:
    with up(folder) as (url, process):
        assert httpx.get(url + CONE, timeout=_LONG_S).status_code == 200
        alive = children(process.pid)
        process.send_signal(told)
        assert process.wait(_LONG_S) == code

        def gone(child: int) -> bool:
            with suppress(ProcessLookupError):
                os.kill(child, 0)
                return "Z" in Path(f"/proc/{child}/stat").read_text(encoding="ascii").rpartition(")")[2][:3]
            return True

        wait_for(lambda: all(map(gone, alive)))
        with pytest.raises(httpx.TransportError):
            httpx.get(url, timeout=_LONG_S)
