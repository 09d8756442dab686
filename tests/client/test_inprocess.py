"""The application in this process: answers stream, and leaving is told."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from awe.client._inprocess import InProcessTransport


class Endless:
    """An ASGI application that sends chunks until the caller leaves, and counts them."""

    def __init__(self) -> None:
        self.sent = 0
        self.left = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        import asyncio

        assert (await receive())["type"] == "http.request"
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"x-path", scope["path"].encode())]}
        )
        gone = asyncio.ensure_future(receive())
        while not gone.done():
            await send({"type": "http.response.body", "body": b"x" * 100, "more_body": True})
            self.sent += 1
            await asyncio.sleep(0)
        assert gone.result()["type"] == "http.disconnect"
        self.left.set()


async def _echo(scope: Any, receive: Any, send: Any) -> None:
    body = (await receive())["body"]
    await send({"type": "http.response.start", "status": 201, "headers": [(b"content-type", b"text/plain")]})
    await send(
        {"type": "http.response.body", "body": scope["query_string"] + b"|" + body, "more_body": False}
    )


async def _broken(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise RuntimeError("out of paper")


@pytest.fixture
def endless() -> Endless:
    return Endless()


@pytest.fixture
def client(endless: Endless) -> Iterator[httpx.Client]:
    with httpx.Client(transport=InProcessTransport(endless), base_url="http://here") as client:
        yield client


def test_a_request_and_its_answer() -> None:
    with httpx.Client(transport=InProcessTransport(_echo), base_url="http://here") as client:
        answer = client.post("/a", params={"q": "1 2"}, content=b"body")
    assert answer.status_code == 201
    assert answer.text == "q=1+2|body"


def test_a_slow_reader_holds_the_writer_back(client: httpx.Client, endless: Endless) -> None:
    with client.stream("GET", "/long") as answer:
        assert answer.headers["x-path"] == "/long"
        chunks = answer.iter_raw()
        next(chunks)
        before = endless.sent
        time.sleep(0.1)  # nobody reads: the writer must not go on
        assert endless.sent <= before + 10


def test_leaving_is_told_to_the_application(client: httpx.Client, endless: Endless) -> None:
    with client.stream("GET", "/long") as answer:
        next(answer.iter_raw())
    assert endless.left.wait(5)


def test_an_answer_that_breaks_off_is_an_error() -> None:
    client = httpx.Client(transport=InProcessTransport(_broken), base_url="http://here")
    with client, pytest.raises(httpx.TransportError, match="out of paper"):
        client.get("/")
