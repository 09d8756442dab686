"""Batches whose worker or whole service is killed in their middle: done once and whole, or an error that says what is."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest
from tests.systems.processes import alive, parents, started_by

from awe.core.tables import TableStream
from awe.platform import Platform
from awe.services.catalogs._folders import waited_for
from awe.settings import Settings
from awe.testing import log_in, tiny_archive

pytestmark = pytest.mark.slow

ROWS = 500
GATES = 3
# A batch goes through a gate where it may change a table, which nobody else changes meanwhile.
GATE = "INSERT INTO mydb.gate{number}_{gate} (id) SELECT id FROM tiny.sources WHERE id < 0"
BATCH = f"""
SELECT 1 AS one
{GATE.replace("{gate}", "0")}
SELECT id INTO mydb.made{{number}} FROM tiny.sources
{GATE.replace("{gate}", "1")}
INSERT INTO mydb.made{{number}} (id) SELECT -id FROM tiny.sources
{GATE.replace("{gate}", "2")}
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
    children = {pid for pid, parent in parents().items() if parent == service}
    workers = started_by(service) - children
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    wait_for(lambda: not any(map(alive, workers)))


def wait_for(said: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 180
    while not said():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ended(web: httpx.Client, job: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def look() -> bool:
        found.update(web.get(f"/api/jobs/{job}").json())
        return found["phase"] in {"COMPLETED", "ERROR", "ABORTED"}

    wait_for(look)
    return found


def stands_at(web: httpx.Client, number: int, job: str, gate: int) -> bool:
    """Tell whether a batch has come to a gate; if that is closed, it goes no further."""
    if gate == 0:
        return bool(web.get(f"/api/jobs/{job}").json()["phase"] == "EXECUTING")
    return rows_of(web, number) == (gate * ROWS, gate * ROWS)


@contextmanager
def closed(folder: Path, number: int, gate: int) -> Iterator[None]:
    """Close a gate: while this lasts, its table is one that somebody else changes."""
    with waited_for(folder / "publishing" / "locks" / f"user_ada.gate{number}_{gate}.lock", 60) as ours:
        assert ours
        yield


def kill_service(service: int) -> None:
    """Kill the service and see its workers go: nobody works on for a service that is gone."""
    workers = started_by(service)
    os.kill(service, signal.SIGKILL)
    wait_for(lambda: not any(map(alive, workers)))


def test_killed_in_the_middle(tmp_path: Path, database_url: str, up: Up) -> None:
    """At each gate a batch's worker is killed, and its whole service."""
    folder = tmp_path / "sky"
    with tiny_archive(folder, database_url=database_url) as platform:
        platform.accounts.add("ada", by="local:test")
        token = {"X-Auth-Token": log_in(platform, "ada")}
        for number, gate in product(range(2 * GATES), range(GATES)):
            nothing = TableStream.from_table(pa.table({"id": pa.array([], pa.int64())}))
            platform.tables.write(f"gate{number}_{gate}", nothing, platform.identity.known("ada"))
    serving = {
        "AWE_DATABASE_URL": database_url,
        "AWE_JOBS__WORKERS": str(GATES),
        "AWE_TABLES__WAIT_SECONDS": "600",
    }
    jobs: list[str] = []
    for kill in (kill_workers, kill_service):
        with (
            up(folder, **serving) as service,
            httpx.Client(base_url=service.url, headers=token, timeout=60) as web,
            ExitStack() as held,
        ):
            first = len(jobs)
            for gate in range(GATES):
                held.enter_context(closed(folder, first + gate, gate))
                jobs.append(submit(web, first + gate))

            def all_stand(web: httpx.Client = web, first: int = first) -> bool:
                return all(stands_at(web, first + gate, jobs[first + gate], gate) for gate in range(GATES))

            wait_for(all_stand)
            kill(service.pid)
            held.close()
            if kill is kill_workers:
                for job in jobs:
                    ended(web, job)
    with (
        up(folder, **serving) as service,
        httpx.Client(base_url=service.url, headers=token, timeout=60) as web,
    ):
        told = [ended(web, job) for job in jobs]
        made = [rows_of(web, number) for number in range(len(jobs))]
    for gate, end, rows in zip([*range(GATES)] * 2, told, made, strict=True):
        if gate:
            assert "stopped in its middle" in end["error"]["message"], end
            assert rows == (gate * ROWS, gate * ROWS), end
        else:
            assert end["phase"] == "COMPLETED", end
            assert rows == (WHOLE, WHOLE), end
            assert [one["rows"] for one in end["results"]] == [1, 0, ROWS, 0, ROWS, 0, ROWS]
    with Platform.open(Settings.load(folder, database_url=database_url)) as platform:
        known = [platform.jobs.known(job) for job in jobs]
        assert [job and job.attempt for job in known] == [2] * len(jobs)
        usage = platform.quotas.usage(platform.identity.known("ada"))
        used = {one.measure.value: one.used for one in usage}
        assert used["table_rows"] == sum(rows[0] for rows in made if rows)
