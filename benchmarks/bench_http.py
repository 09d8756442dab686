"""The edge: cone searches over HTTP, from the socket to the last byte of the VOTable, by one client and by many."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from asking import ask, body
from astropy.io.votable import parse_single_table
from frame import Case, Job, Peer, Timed
from load import memory_mb
from postgres import postgresql
from sky import CATALOGUE, Sky

from awe.settings import Settings

__all__ = ["jobs"]

_HERE = Path(__file__).parent
_ASKED = 400
"""Requests in a round."""
_COMPARED = 40

Round = tuple[int, Sequence[tuple[float, float]]]
"""How many clients, and where they look."""


def jobs(sky: Sky) -> Iterable[Job]:
    """Requests a second, by the number of clients, with the processes that `awe up` begins and with one for each core."""
    default, cores = Settings.load(sky.archive).processes, os.cpu_count() or 1
    yield _job(sky, "requests", default, "which is what `awe up` begins on this machine")
    if cores != default:
        yield _job(sky, "processes", cores, f"one for each core (`--workers {cores}`)")


def _job(sky: Sky, name: str, processes: int, why: str) -> Job:
    places = sky.positions(_ASKED)
    cases = [
        Case(f"{clients} client" + "s" * (clients > 1), [(clients, places)] * sky.times(5), clients)
        for clients in (1, 8, 16)
    ]
    return Job(
        name,
        f"Cone searches of 1 arcmin, all columns, as VOTables, asked for before: requests a second, of {_ASKED} that are "
        f"dealt out among the clients; each makes one after another. Server processes: {processes} each, {why}; the memory "
        "is theirs. The clients are one thread and share the cores with the servers.",
        (
            Peer("awe", lambda: _awe(sky, processes)),
            Peer("a service over q3c", lambda: _q3c(sky, processes)),
        ),
        cases,
        goals={("a service over q3c", "8 clients"): 3},
        per="clients",
        unit="/s",
    )


@contextmanager
def _awe(sky: Sky, processes: int) -> Iterator[Callable[[Round], Timed]]:
    command = ["-m", "awe", "up", "--data", str(sky.archive), "--port", "0", "--workers", str(processes)]
    with _served(command, r"awe is up at (http://\S+)") as (url, process):
        yield lambda given: _asked(url, f"/scs/{CATALOGUE}", process, given)


@contextmanager
def _q3c(sky: Sky, processes: int) -> Iterator[Callable[[Round], Timed]]:
    command = [str(_HERE / "q3c_service.py"), postgresql(sky), str(processes)]
    with _served(command, r"^(\d+)$") as (port, process):
        yield lambda given: _asked(f"http://127.0.0.1:{port}", "/scs", process, given)


@contextmanager
def _served(command: list[str], pattern: str) -> Iterator[tuple[str, int]]:
    with subprocess.Popen([sys.executable, "-u", *command], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield (
                next(found[1] for line in server.stdout if (found := re.search(pattern, line.strip()))),
                server.pid,
            )
        finally:
            server.terminate()


def _asked(url: str, path: str, process: int, given: Round) -> Timed:
    """Let the clients ask; the answer is which rows the first places have."""
    clients, places = given
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    asking = [_request(f"{path}?{_where(*place)}") for place in places]
    answered = ask(parts.hostname, parts.port, asking, clients)
    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answered.answers)
    tables = [parse_single_table(io.BytesIO(body(answer))) for answer in answered.answers[:_COMPARED]]
    rows = [sorted(table.array["source_id"].tolist()) for table in tables]
    return Timed(rows, answered.seconds / len(places), memory_mb(process))


def _where(ra: float, dec: float) -> str:
    return urlencode({"RA": ra, "DEC": dec, "SR": 1 / 60, "VERB": 3})


def _request(address: str) -> bytes:
    return f"GET {address} HTTP/1.1\r\nHost: bench\r\nAccept: */*\r\nUser-Agent: bench\r\n\r\n".encode()
