"""Large answers over a real connection: the first bytes leave early, a client that goes stops its query."""

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from http.client import HTTPConnection
from urllib.parse import quote, urlsplit

import httpx
import pytest

from awe.platform import Platform
from awe.testing import TINY_TABLE, tiny_archive

pytestmark = pytest.mark.slow

Serving = Callable[[Platform], AbstractContextManager[str]]
ENDLESS = f"SELECT a.id FROM {TINY_TABLE} AS a, {TINY_TABLE} AS b, {TINY_TABLE} AS c, {TINY_TABLE} AS d WHERE a.mag < 90"
"""62,500,000,000 rows: hours of work, which nobody waits for."""


@pytest.fixture(scope="module")
def address(serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return a service that answers one query at a time."""
    limits = {"rows": 10**12, "queries": 1, "seconds": 600.0}
    with tiny_archive(tmp_path_factory.mktemp("one"), limits=limits) as platform, serving(platform) as url:
        yield url


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.parametrize("form", ["votable", "votable/b2", "csv", "json"])
def test_the_first_rows_leave_before_the_last_are_made_and_a_dropped_client_stops_the_query(
    address: str, form: str, encoding: str
) -> None:
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=60) as client:
        path = f"/tap/sync?LANG=ADQL&MAXREC=100000000000&RESPONSEFORMAT={form}&QUERY={quote(ENDLESS)}"
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: {encoding}\r\n\r\n".encode())
        got = b""
        while len(got) < 200_000:
            got += client.recv(65_536)
    assert got.startswith(b"HTTP/1.1 200")
    # there is one turn: the next query gets it only if that of the client that went was stopped
    after = httpx.get(f"{address}/scs/{TINY_TABLE}?RA=187.7&DEC=12.39&SR=0.1", timeout=60)
    assert after.status_code == 200
    assert b"</VOTABLE>" in after.content


def test_rows_that_are_looked_up_come_as_one_answer_without_a_turn(address: str) -> None:
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=60) as holder:
        path = f"/tap/sync?LANG=ADQL&MAXREC=100000000000&RESPONSEFORMAT=csv&QUERY={quote(ENDLESS)}"
        holder.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert holder.recv(100).startswith(b"HTTP/1.1 200")  # it has the only turn, and keeps it
        where = f"{address}/scs/{TINY_TABLE}?RA=187.7&DEC=12.39&SR=0.1"
        cones = [httpx.request(method, where, timeout=60) for method in ("GET", "HEAD")]
        api = httpx.get(f"{address}/api/cone?table={TINY_TABLE}&position=187.7 12.39&radius=0.1", timeout=60)
    assert int(cones[0].headers["content-length"]) == int(cones[1].headers["content-length"])
    assert b"</VOTABLE>" in cones[0].content
    assert cones[1].content == b""
    assert api.status_code == 200


@pytest.mark.parametrize("size", [50_000, 70_000, 1_500_000])
def test_an_address_may_be_very_long(address: str, size: int) -> None:
    connection = HTTPConnection(address.removeprefix("http://"), timeout=60)
    note = "%41" * (size // 3)
    connection.request("GET", f"/scs/{TINY_TABLE}?RA=187.7&DEC=12.39&NOTE={note}&SR=0.1")
    found = connection.getresponse()
    body = found.read()
    connection.close()
    assert found.status == 200, body[:500]
    assert b"</VOTABLE>" in body


@pytest.mark.parametrize(
    "head", [b"GET /?" + b"x" * 65536, b"GET / HTTP/1.1\r\nHost: x\r\nNote: " + b"x" * 65536]
)
def test_a_head_without_end_is_refused(address: str, head: bytes) -> None:
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=60) as client:
        client.sendall(head)
        sent = 0
        with suppress(ConnectionError):
            while sent < 32 << 20:
                sent += client.send(b"x" * 65536)
        assert sent < 16 << 20
