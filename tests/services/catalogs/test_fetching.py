"""Fetching what a caller names: only what the whole world may reach, whatever the name says a moment later."""

import contextlib
import http.server
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from awe.errors import AweError, LimitError, ParameterError, UnavailableError
from awe.services.catalogs.fetching import Fetcher
from awe.settings import UploadSettings

PRIVATE = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "0.0.0.0", "0",
    "10.0.0.1", "172.16.3.4", "192.168.1.1", "100.64.0.1", "169.254.169.254", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "192.0.2.1", "[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[ff02::1]", "[::ffff:127.0.0.1]",
    "192.0.0.192", "168.63.129.16", "[fec0::1]", "[::ffff:a9fe:a9fe]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2001:db8::1]", "[fd00:ec2::254]",
]  # fmt: skip


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/to?"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to?"))
            self.end_headers()
        elif self.path == "/missing":
            self.send_error(404)
        elif self.path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"x")
        elif self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            self.server.stop.wait(20)  # type: ignore[attr-defined]
        elif self.path == "/drip":
            with contextlib.suppress(OSError):
                for _ in range(400):
                    self.wfile.write(b"H")
                    self.server.stop.wait(0.02)  # type: ignore[attr-defined]
        elif self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            for _ in range(1000):
                self.wfile.write(b"x" * 1000)
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"a table, " + str(self.headers["Host"]).encode())

    def log_message(self, *_: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients hang up on purpose."""


@pytest.fixture
def site() -> Iterator[str]:
    server = Server(("127.0.0.1", 0), Handler)
    server.stop = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.stop.set()  # type: ignore[attr-defined]
    server.shutdown()
    thread.join()
    server.server_close()


def fetcher(most_bytes: int = 100_000, **settings: Any) -> Fetcher:
    return Fetcher(UploadSettings(**settings), most_bytes)


OURS: Any = {"allow_networks": ["127.0.0.0/8"], "seconds": 5.0}


def test_a_file_arrives(site: str, tmp_path: Path) -> None:
    fetcher(**OURS).fetch(f"{site}/to?/to?{site}/table", tmp_path / "t")
    assert (tmp_path / "t").read_bytes() == b"a table, " + site.removeprefix("http://").encode()


@pytest.mark.parametrize("host", PRIVATE)
def test_no_host_of_an_inner_network_is_asked(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("it was asked"))
    with pytest.raises(ParameterError, match=r"not a host of the public network|there is no host"):
        fetcher().fetch(f"http://{host}:8000/", tmp_path / "t")


def test_a_redirect_is_checked_too(site: str, tmp_path: Path) -> None:
    port = site.rpartition(":")[2]
    only = fetcher(allow_networks=["127.0.0.1/32"], seconds=5.0)
    with pytest.raises(ParameterError, match=r"127\.0\.0\.2 is not a host of the public network"):
        only.fetch(f"{site}/to?http://127.0.0.2:{port}/table", tmp_path / "t")
    with pytest.raises(ParameterError, match="only http and https"):
        only.fetch(f"{site}/to?file:///etc/passwd", tmp_path / "t")
    with pytest.raises(ParameterError, match="redirects more than"):
        only.fetch(f"{site}{'/to?' * 9}/table", tmp_path / "t")


def test_a_name_is_resolved_once_and_every_address_of_it_counts(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        first = "127.0.0.1" if len(asked) == 1 else "10.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (first, port))]

    monkeypatch.setattr(socket, "getaddrinfo", _only_for("rebinding.test", resolve))
    port = site.rpartition(":")[2]
    fetcher(**OURS).fetch(f"http://rebinding.test:{port}/table", tmp_path / "t")
    assert asked == ["rebinding.test"]
    with pytest.raises(ParameterError, match="public network"):
        fetcher(**OURS).fetch(f"http://rebinding.test:{port}/table", tmp_path / "t")

    def two(_: str, port: int, **__: object) -> list[tuple[object, ...]]:
        addresses = ("93.184.216.34", "192.168.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", _only_for("two.test", two))
    with pytest.raises(ParameterError, match="public network"):
        fetcher().fetch("http://two.test/table", tmp_path / "t")


def _only_for(name: str, resolve: Any) -> Any:
    real = socket.getaddrinfo
    return lambda host, *a, **k: resolve(host, *a, **k) if host == name else real(host, *a, **k)


@pytest.mark.parametrize(
    ("path", "kind", "told"),
    [
        ("/missing", ParameterError, "answers 404"),
        ("/short", UnavailableError, "stopped|too early"),
        ("/endless", LimitError, "larger than 100000 bytes"),
    ],
)
def test_what_does_not_arrive(site: str, tmp_path: Path, path: str, kind: type[AweError], told: str) -> None:
    with pytest.raises(kind, match=told):
        fetcher(**OURS).fetch(site + path, tmp_path / "t")


@pytest.mark.parametrize("path", ["slow", "drip"])
def test_a_host_may_not_keep_us_waiting(site: str, tmp_path: Path, path: str) -> None:
    begun = time.monotonic()
    with pytest.raises(LimitError, match="takes too long"):
        fetcher(allow_networks=["127.0.0.0/8"], seconds=0.2).fetch(f"{site}/{path}", tmp_path / "t")
    assert time.monotonic() - begun < 7  # each byte of the drip comes in time, all of them in eight seconds


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://ada:secret@example.org/", "may not hold a name or password"),
        ("http://example.org:22/", "port 22"),
        ("ftp://example.org/", "only http and https"),
        ("http:///x", "only http and https"),
        ("http://[::1/", "not an address"),
        ("http://127.0.0.1:99999/", "not an address"),
    ],
)
def test_addresses_that_are_none(url: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=told):
        fetcher(**OURS).fetch(url, tmp_path / "t")


def test_nothing_is_fetched_where_the_operator_does_not_want_it(site: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="fetches nothing"):
        fetcher(http=False, **OURS).fetch(f"{site}/table", tmp_path / "t")
