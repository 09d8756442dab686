"""What all faces share: streams that stop, faults that tell nothing, logs without secrets."""

import asyncio
import logging
import threading
import time
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.testclient import TestClient

from awe.core.tables import Column, Schema, TableStream
from awe.core.tables.formats import FORMATS
from awe.errors import ParameterError
from awe.platform import Platform
from awe.settings import LimitSettings
from awe.testing import TINY_TABLE, tiny_settings
from awe.web import build_app
from awe.web.http import FairTurns, Metrics, Room, TableResponse, chosen_format, scrubbed
from awe.web.http._call import _address_of

Message = MutableMapping[str, Any]
SCHEMA = Schema((Column("n", pa.int64()),))


class Source:
    """Batches that come slowly, and know whether they were stopped."""

    def __init__(self, first_s: float = 0.0, each_s: float = 0.01) -> None:
        self.first_s, self.each_s = first_s, each_s
        self.stopped = threading.Event()
        self.made = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        self.stopped.wait(self.first_s)
        while not self.stopped.wait(self.each_s):
            self.made += 1
            yield pa.RecordBatch.from_arrays([pa.array(range(1000))], schema=SCHEMA.to_arrow())

    def stream(self) -> TableStream:
        return TableStream(SCHEMA, self.batches(), self.stopped.set).map(SCHEMA, lambda batch: batch)


def request_scope(platform: Platform) -> dict[str, object]:
    """Return what a response needs to know of its request."""
    turns, metrics = FairTurns(Room.of_queries(LimitSettings())), Metrics(platform, ())
    app = SimpleNamespace(state=SimpleNamespace(turns=turns, platform=platform, metrics=metrics))
    return {"type": "http", "method": "GET", "state": {"request_id": "x"}, "app": app}


def answer(platform: Platform, source: Source, gone_after_s: float) -> list[Message]:
    """Send a response to a client that goes away."""
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(gone_after_s)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = request_scope(platform)
    asyncio.run(TableResponse(source.stream(), FORMATS["votable"])(scope, receive, send))
    return sent


@pytest.mark.parametrize(("first_s", "each_s"), [(0.0, 0.01), (30.0, 0.01), (0.0, 30.0)])
def test_when_nobody_listens_the_source_is_stopped(platform: Platform, first_s: float, each_s: float) -> None:
    source = Source(first_s, each_s)
    begun = time.perf_counter()
    answer(platform, source, 0.2)
    assert source.stopped.is_set()
    assert time.perf_counter() - begun < 25  # it would be half a minute
    assert platform.quotas.running() == 0


def test_a_slow_client_holds_the_source_back(web: TestClient, platform: Platform) -> None:
    """Nothing is made before it is asked for: the answer's first chunk needs one batch."""
    source = Source()
    response = TableResponse(source.stream(), FORMATS["votable"])
    sent = asyncio.Event()

    async def run() -> None:
        async def receive() -> Message:
            await sent.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.body":
                await asyncio.sleep(0.3)
                sent.set()

        scope = request_scope(platform)
        await response(scope, receive, send)

    asyncio.run(run())
    assert source.made <= 3


def test_a_fault_of_ours_tells_a_number_and_nothing_else(
    web: TestClient, monkeypatch: pytest.MonkeyPatch, platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of the inside at /home/somebody")

    monkeypatch.setattr(type(platform.catalogs), "query", broken)
    monkeypatch.setattr(type(platform.catalogs), "tables", broken)
    for path in ("/tap/sync?QUERY=x&LANG=ADQL", f"/scs/{TINY_TABLE}?RA=1&DEC=1&SR=1", "/api/tables"):
        answer = web.get(path)
        assert "secret" not in answer.text
        assert answer.headers["X-Request-Id"] in answer.text
        assert answer.headers["X-Awe-Error"] == "internal"
        assert answer.headers["X-Request-Id"] in caplog.text
        assert "secret of the inside" in caplog.text
    assert web.get("/api/tables").status_code == 500


def test_a_body_may_be_too_large(platform: Platform) -> None:
    small = tiny_settings(platform.settings.folder, limits={"upload_bytes": 100})
    with TestClient(build_app(_with_settings(platform, small))) as web:
        answer = web.post("/tap/sync", data={"QUERY": "x" * 200})
    assert answer.status_code == 413
    assert "100 bytes" in answer.text


def _with_settings(platform: Platform, settings: object) -> Any:
    class Other:
        def __getattr__(self, name: str) -> object:
            return settings if name == "settings" else getattr(platform, name)

    return Other()


def test_the_log_keeps_no_secrets(web: TestClient, token: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="awe.access"):
        web.get(f"/login-portal/keystone/v3/tokens/{token}")
        web.get(f"/api/whoami?token={token}&x=1")
    assert token not in caplog.text
    assert "/login-portal/keystone/v3/tokens/***" in caplog.text
    assert scrubbed("/a?X-Auth-Token=abc&b=2&password=p") == "/a?X-Auth-Token=***&b=2&password=***"
    assert scrubbed("/a?%74oken=abc") == "/a?token=***"
    assert scrubbed("/a%0D%0Aforged line") == "/a%0D%0Aforged line"


_BITS = (
    *(
        "token",
        "TOKEN=",
        "pw=",
        "%74oken=",
        "$1$",
        "&",
        "?",
        "=",
        "/",
        "keystone/v3/tokens/",
        "State=",
        "code=",
        "ticket",
    ),
    *(
        "login-portal/api/validate/",
        "x",
        "1",
        "\n",
        "é",
        "%",
        "KEY",
        "a.b",
        " ",
        "+",
        '"',
        "\u017f",
        "\u212a",
        "\u0131",
    ),
)
"""Parts of addresses, among them letters that a search without regard to case takes for those of ASCII."""


@given(st.lists(st.sampled_from(_BITS), max_size=9).map("".join))
def test_addresses_without_suspicion_are_what_a_close_look_leaves_of_them(address: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        found = scrubbed(address)
        patch.setattr("awe.web.http._middleware._WORDS", ("",))  # each is looked at closely
        assert scrubbed(address) == found


@given(
    st.lists(st.sampled_from(("a", "B", "=", "&", "+", "%41", "%", "é", ";", "1.5", "-")), max_size=12).map(
        "".join
    )
)
def test_parameters_are_those_of_the_standard_library(query: str) -> None:
    request = Request({"type": "http", "query_string": query.encode("latin-1")})
    assert list(_address_of(request).pairs) == parse_qsl(query, keep_blank_values=True)


@pytest.mark.parametrize(
    ("named", "accept", "name"),
    [
        (None, "", "votable"),
        (None, "*/*", "votable"),
        (None, "text/html,*/*;q=0.8", "votable"),
        (None, "application/fits", "fits"),
        (None, "application/x-votable+xml;serialization=BINARY2", "votable/b2"),
        ("CSV", "application/fits", "csv"),
        ("application/x-votable+xml;serialization=TABLEDATA", "", "votable"),
        ("Parquet", "", "parquet"),
    ],
)
def test_formats_are_chosen(named: str | None, accept: str, name: str) -> None:
    assert chosen_format(named, accept)[0].name == name


def test_a_format_that_is_not_there() -> None:
    with pytest.raises(ParameterError, match="xls"):
        chosen_format("xls")


def test_addresses_in_answers_are_those_by_which_each_caller_came(tmp_path: Path) -> None:
    """What is remembered of one caller's address is not told to another."""
    with Platform.open(tiny_settings(tmp_path)) as platform:
        client = TestClient(build_app(platform))
        hosts = (
            "one.example.org",
            "two.example.org:8000",
            "[::1]:8765",
            f"{'a' * 60}.{'b' * 60}." * 4 + "org",
        )
        for host in (*hosts, *hosts):
            text = client.get("/tap/capabilities", headers={"Host": host}).text
            assert f"http://{host}/tap" in text
            assert not any(f"//{other}/" in text for other in hosts if other != host)
