"""TAP services of other archives: what they may do to us, and where we go for them."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from tests.systems.programs import listening

from awe.errors import (
    AweError,
    CancelledError,
    LimitError,
    NotFoundError,
    QueryError,
    TimeLimitError,
    UnavailableError,
)
from awe.platform import Platform
from awe.services.identity import ANONYMOUS
from awe.testing import tiny_settings

_HEAD = b'<?xml version="1.0"?><VOTABLE version="1.3" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE type="results">'
_ROWS = (
    b'<TABLE><FIELD name="x" datatype="int" unit="mag"/><DATA><TABLEDATA><TR><TD>1</TD></TR><TR><TD>2</TD></TR>'
    b"</TABLEDATA></DATA></TABLE>"
)
_END = b"</RESOURCE></VOTABLE>"
GOOD = _HEAD + b'<INFO name="QUERY_STATUS" value="OK"/>' + _ROWS + _END
CUT = (
    _HEAD
    + b'<INFO name="QUERY_STATUS" value="OK"/>'
    + _ROWS
    + b'<INFO name="QUERY_STATUS" value="OVERFLOW"/>'
    + _END
)
WRONG = _HEAD + b'<INFO name="QUERY_STATUS" value="ERROR">no column &lt;nix&gt;</INFO>' + _END

Answer = Callable[[BaseHTTPRequestHandler], None]


def said(status: int, body: bytes, **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return answer


class Far:
    """An archive that knows a service ``far``, which answers as it is told to."""

    def __init__(self) -> None:
        self.answer: Answer = said(200, GOOD)
        self.asked: list[str] = []
        self.platform: Platform

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0)).decode()
        self.asked.append(f"{request.command} {request.path} {dict(request.headers)} {parse_qs(body)}")
        self.answer(request)

    def rows(
        self, answer: Answer, text: str = "SELECT x FROM t", seconds: float | None = None
    ) -> list[object]:
        self.answer = answer
        with self.platform.external.run("FAR", text, identity=ANONYMOUS, seconds=seconds) as results:
            return [row for one in results for batch in one.stream for row in batch.column(0).to_pylist()]


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    far = Far()
    with listening(far.handle) as address:
        tap = {"profiles": {"far": {"url": f"{address}/tap/"}}, "bytes": 5000}
        made = tiny_settings(tmp_path_factory.mktemp("sky"), tap=tap, limits={"rows": 5, "seconds": 3.0})
        with Platform.open(made) as platform:
            far.platform = platform
            yield far


def test_rows_and_their_descriptions_come_and_nothing_of_ours_goes(far: Far) -> None:
    far.asked.clear()
    assert far.rows(said(200, GOOD)) == [1, 2]
    (asked,) = far.asked
    assert "POST /tap/sync" in asked
    assert "'QUERY': ['SELECT x FROM t']" in asked
    assert not {"cookie", "authorization", "x-auth-token"} & {word.lower() for word in asked.split("'")}
    with far.platform.external.run("far", "SELECT x FROM t", identity=ANONYMOUS) as results:
        (unit,) = [one.stream.schema.columns[0].unit for one in results]
    assert unit == "mag"
    assert not list((far.platform.settings.folder / "external").iterdir())


REFUSED = {
    "an error in a document": (said(200, WRONG), QueryError, "far: no column <nix>"),
    "an error with its status": (said(400, WRONG), QueryError, "far: no column <nix>"),
    "an error as text": (said(400, b"line 1: what is this"), QueryError, "far: line 1: what is this"),
    "rows left out": (said(200, CUT), LimitError, "more rows than the 2"),
    "too many rows": (
        said(200, GOOD.replace(b"<TR><TD>2</TD></TR>", b"<TR><TD>2</TD></TR>" * 5)),
        LimitError,
        "more rows than the 5",
    ),
    "too many bytes": (said(200, b" " * 6000), LimitError, "larger than 5000 bytes"),
    "a failure": (said(503, b"down"), UnavailableError, "far answers 503 Service Unavailable: down"),
    "a login": (said(401, b"who?"), UnavailableError, "far answers 401"),
    "a page": (said(200, b"<html><body>Welcome</body></html>"), UnavailableError, "cannot be read"),
    "half an answer": (said(200, GOOD, **{"Content-Length": "100000"}), UnavailableError, "properly"),
    "another host": (
        said(303, b"", Location="http://localhost.example/tap/sync"),
        UnavailableError,
        "sends on to http://localhost.example",
    ),
    "another port": (said(303, b"", Location="http://127.0.0.1:9/"), UnavailableError, "sends on to"),
    "a file": (said(303, b"", Location="file:///etc/passwd"), UnavailableError, "sends on to file://"),
    "a name and password": (
        said(303, b"", Location="http://a:secret@localhost.example/"),
        UnavailableError,
        "sends on to http://localhost.example,",
    ),
    "itself for ever": (said(303, b"", Location="/tap/sync"), UnavailableError, "more than 5 times"),
    "no address": (said(303, b"", Location="http://[::1/"), UnavailableError, "properly"),
    "entities": (said(200, b'<!DOCTYPE x [<!ENTITY e "boo">]>' + GOOD), UnavailableError, "cannot be read"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_goes_wrong_there_is_said_clearly(case: str, far: Far) -> None:
    answer, kind, text = REFUSED[case]
    with pytest.raises(kind) as caught:
        far.rows(answer)
    assert text in str(caught.value)
    assert "secret" not in str(caught.value)
    assert not list((far.platform.settings.folder / "external").iterdir())


def test_a_slow_answer_ends_in_time_and_a_stopped_one_at_once(far: Far) -> None:
    going = threading.Event()

    def drip(request: BaseHTTPRequestHandler) -> None:
        going.set()
        request.send_response(200)
        request.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(60):
                request.wfile.write(b" ")
                threading.Event().wait(0.05)

    with pytest.raises(TimeLimitError, match="far did not answer within"):
        far.rows(drip, seconds=0.2)
    going.clear()
    run = far.platform.external.run("far", "SELECT 1", identity=ANONYMOUS)
    failed: list[AweError] = []

    def ask() -> None:
        try:
            next(run)
        except AweError as error:
            failed.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert going.wait(10)
    run.close()
    thread.join(10)
    assert [type(error) for error in failed] == [CancelledError]


def test_only_who_was_named_is_asked(far: Far) -> None:
    far.asked.clear()
    for name in ("", "near", "default", "http://127.0.0.1:1/tap"):
        with pytest.raises(NotFoundError, match="there is no profile"):
            far.platform.external.run(name, "SELECT 1", identity=ANONYMOUS)
    assert far.asked == []


@pytest.mark.parametrize("profiles", [{"default": {"url": "http://a/"}}, {"Far Away": {"url": "http://a/"}}, {"far": {"url": "ftp://a"}}, {"far": {"url": "http://me:secret@a/tap"}}])  # fmt: skip
def test_settings_that_cannot_be_meant(profiles: object, tmp_path: Path) -> None:
    with pytest.raises(AweError, match="settings"):
        tiny_settings(tmp_path, tap={"profiles": profiles})
