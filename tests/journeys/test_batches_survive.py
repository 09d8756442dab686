"""Batches whose worker or whole service is killed in their middle: done once and whole, or an error that says what is."""

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
from tests.journeys.test_jobs_survive import alive, started_by

from awe.platform import Platform
from awe.settings import Settings
from awe.testing import log_in, tiny_archive

pytestmark = pytest.mark.slow

SEED = 20261129
ROUNDS = 4
ROWS = 500
SLOW = "SELECT COUNT(*) AS n FROM tiny.sources a, tiny.sources b, tiny.sources c WHERE a.id + b.id > -c.id"
BATCH = f"""
SELECT 1 AS one
{SLOW}
SELECT id INTO mydb.made{{number}} FROM tiny.sources
{SLOW}
INSERT INTO mydb.made{{number}} (id) SELECT -id FROM tiny.sources
{SLOW}
INSERT INTO mydb.made{{number}} (id) SELECT id + 1000 FROM tiny.sources
"""
WHOLE = 3 * ROWS
Up = Callable[..., AbstractContextManager[Any]]


def submit(web: httpx.Client, number: int) -> str:
    asked = {"query": BATCH.format(number=number), "lang": "tsql", "format": "csv"}
    made = web.post("/api/jobs", json=asked)
    assert made.status_code == 200, made.text
    return str(made.json()["id"])


def rows_of(web: httpx.Client, number: int) -> tuple[int, int] | None:
    """Return how many rows a batch has made, and how many of them differ; None where there is no table."""
    text = f"SELECT COUNT(*) AS total, COUNT(DISTINCT id) AS different FROM mydb.made{number}"
    answer = web.post("/api/sql", json={"query": text, "lang": "tsql", "format": "csv"})
    if answer.status_code != 200:
        assert f"made{number}" in answer.text, answer.text
        return None
    total, different = answer.text.split()[1].split(",")
    return int(total), int(different)


def kill_workers(service: int) -> None:
    """Kill the processes that do jobs: those that the service's own children have started."""
    children = [int(pid) for pid in Path(f"/proc/{service}/task/{service}/children").read_text().split()]
    for worker in started_by(service) - set(children):
        os.kill(worker, signal.SIGKILL)


def wait_for_rows(web: httpx.Client, number: int, rows: int) -> None:
    deadline = time.monotonic() + 120
    while rows and ((found := rows_of(web, number)) is None or found[0] < rows):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ended(web: httpx.Client, job: str) -> dict[str, Any]:
    deadline = time.monotonic() + 180
    while True:
        found: dict[str, Any] = web.get(f"/api/jobs/{job}").json()
        if found["phase"] in {"COMPLETED", "ERROR", "ABORTED"}:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def test_killed_in_the_middle(tmp_path: Path, database_url: str, up: Up) -> None:
    folder, chance = tmp_path / "sky", random.Random(SEED)
    with tiny_archive(folder, database_url=database_url) as platform:
        platform.accounts.add("ada", by="local:test")
        token = {"X-Auth-Token": log_in(platform, "ada")}
    serving = {"AWE_DATABASE_URL": database_url, "AWE_JOBS__WORKERS": "2"}
    jobs: list[str] = []
    for number in range(ROUNDS):
        with (
            up(folder, **serving) as service,
            httpx.Client(base_url=service.url, headers=token, timeout=60) as web,
        ):
            jobs += [submit(web, len(jobs)), submit(web, len(jobs) + 1)]
            wait_for_rows(web, len(jobs) - 1, chance.choice([0, ROWS, 2 * ROWS]))
            time.sleep(chance.uniform(0.0, 0.5))
            workers = started_by(service.pid)
            if number % 2:
                os.kill(service.pid, signal.SIGKILL)
                deadline = time.monotonic() + 30
                while any(map(alive, workers)):  # nobody works on for a service that is gone
                    assert time.monotonic() < deadline
            else:
                kill_workers(service.pid)
                for job in jobs[-2:]:
                    ended(web, job)
    with (
        up(folder, **serving) as service,
        httpx.Client(base_url=service.url, headers=token, timeout=60) as web,
    ):
        told = [ended(web, job) for job in jobs]
        made = [rows_of(web, number) for number in range(len(jobs))]
    for end, rows in zip(told, made, strict=True):
        if end["phase"] == "COMPLETED":
            assert rows == (WHOLE, WHOLE), end
            assert [one["rows"] for one in end["results"]] == [1, 1, ROWS, 1, ROWS, 1, ROWS]
        else:
            assert "stopped in its middle" in end["error"]["message"], end
            assert rows in {(ROWS, ROWS), (2 * ROWS, 2 * ROWS), (WHOLE, WHOLE)}, end
    with Platform.open(Settings.load(folder, database_url=database_url)) as platform:
        again = [job for job in jobs if (known := platform.jobs.known(job)) and known.attempt > 1]
        assert len(again) >= ROUNDS / 2, "hardly anything was killed in its middle"
        usage = platform.quotas.usage(platform.identity.known("ada"))
        used = {one.measure.value: one.used for one in usage}
        assert used["table_rows"] == sum(rows[0] for rows in made if rows)
