"""The edge: cone searches over HTTP, from the socket to the last byte of the VOTable, by one client and by many."""

import io
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from asking import ask
from astropy.io.votable import parse_single_table
from frame import Case, Job, Peer, Timed
from load import memory_mb
from postgres import postgresql
from sky import CATALOGUE, Sky

from awe.settings import Settings

__all__ = ["jobs"]

_HERE = Path(__file__).parent
_EACH = 25
"""Requests of a client in a round."""
_COMPARED = 12

Round = tuple[int, Sequence[tuple[float, float]]]
"""How many clients, and where they look."""


def jobs(sky: Sky) -> Iterable[Job]:
    """Requests a second, by the number of clients."""
    rounds = sky.times(5)
    cases = [
        Case(
            f"{clients} client" + "s" * (clients > 1),
            [(clients, sky.positions(clients * _EACH))] * rounds,
            clients,
        )
        for clients in (1, 8, 16)
    ]
    many = _processes(sky)
    yield Job(
        "requests",
        f"Cone searches of 1 arcmin, all columns, as VOTables, asked for before: requests a second; each client makes {_EACH}, one after "
        f"another. Server processes: {many} each, which is what `awe up` begins on this machine; the memory is theirs.",
        (
            Peer("awe", lambda: _awe(sky)),
            Peer("a service over q3c", lambda: _q3c(sky)),
        ),
        cases,
        goals={("a service over q3c", "8 clients"): 3},
        per="clients",
        unit="/s",
    )


def _processes(sky: Sky) -> int:
    return Settings.load(sky.archive).processes


@contextmanager
def _awe(sky: Sky) -> Iterator[Callable[[Round], Timed]]:
    command = ["-m", "awe", "up", "--data", str(sky.archive), "--port", "0"]
    with _served(command, r"awe is up at (http://\S+)") as (url, process):
        yield lambda given: _asked(url, f"/scs/{CATALOGUE}", process, given)


@contextmanager
def _q3c(sky: Sky) -> Iterator[Callable[[Round], Timed]]:
    command = [str(_HERE / "q3c_service.py"), postgresql(sky), str(_processes(sky))]
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
    """Let the clients ask; the answer is how many rows the first places have."""
    clients, places = given
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    asking = [_request(f"{path}?{_where(*place)}") for place in places]
    answered = ask(parts.hostname, parts.port, asking, clients)
    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answered.answers)
    bodies = [answer.partition(b"\r\n\r\n")[2] for answer in answered.answers[:_COMPARED]]
    rows = [len(parse_single_table(io.BytesIO(body)).array) for body in bodies]
    return Timed(rows, answered.seconds / len(places), memory_mb(process))


def _where(ra: float, dec: float) -> str:
    return urlencode({"RA": ra, "DEC": dec, "SR": 1 / 60, "VERB": 3})


def _request(address: str) -> bytes:
    return f"GET {address} HTTP/1.1\r\nHost: bench\r\nAccept: */*\r\nUser-Agent: bench\r\n\r\n".encode()
