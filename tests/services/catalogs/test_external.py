"""TAP services of other archives: what they may do to us, and where we go for them."""

import contextlib
import re
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
from awe.services.catalogs import Results
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

    def rows(self, answer: Answer, *, seconds: float | None = None, queued: bool = False) -> list[object]:
        self.answer, text = answer, "SELECT x FROM t"
        with self.platform.external.run(
            "FAR", text, identity=ANONYMOUS, seconds=seconds, queued=queued
        ) as results:
            return [row for one in results for batch in one.stream for row in batch.column(0).to_pylist()]


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    far = Far()
    with listening(far.handle) as address:
        tap = {"profiles": {"far": {"url": f"{address}/tap/"}}, "bytes": 5000}
        made = tiny_settings(tmp_path_factory.mktemp("sky"), tap=tap, limits={"rows": 5, "seconds": 60.0})
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


@contextlib.contextmanager
def stopped(run: Results) -> Iterator[None]:
    """Ask for a result in another thread, and stop that at the end: it says that it was stopped."""
    failed: list[AweError] = []

    def ask() -> None:
        try:
            next(run)
        except AweError as error:
            failed.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    yield
    run.close()
    thread.join(10)
    assert [type(error) for error in failed] == [CancelledError]


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
    with stopped(run):
        assert going.wait(10)


def uws(*phases: str, error: bytes = b"", result: bytes = GOOD) -> Answer:
    """Answer as a service of jobs (UWS 1.1) whose one job goes through some phases, the last of which stays."""
    left = list(phases)

    def answer(request: BaseHTTPRequestHandler) -> None:
        what = request.path.removeprefix("/tap/async").removeprefix("/7")
        if request.path == "/tap/async":
            said(303, b"", Location="/tap/async/7")(request)
        elif what == "/phase" and request.command == "GET":
            said(200, (left.pop(0) if len(left) > 1 else left[0]).encode())(request)
        elif what == "/error":
            said(200, error)(request)
        elif what == "/results/result":
            said(200, result)(request)
        else:
            said(200, b"<job/>")(request)

    return answer


def test_a_job_there_is_started_waited_for_read_and_removed(far: Far) -> None:
    far.asked.clear()
    assert far.rows(uws("QUEUED", "EXECUTING", "COMPLETED"), queued=True) == [1, 2]
    asked = [" ".join(one.split()[:2]) for one in far.asked]
    assert asked == [
        "POST /tap/async", "GET /tap/async/7", "POST /tap/async/7/phase", *["GET /tap/async/7/phase"] * 3,
        "GET /tap/async/7/results/result", "POST /tap/async/7",
    ]  # fmt: skip
    assert "'PHASE': ['RUN']" in far.asked[2]


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (uws("EXECUTING", "ERROR", error=WRONG), QueryError, "far: no column <nix>"),
        (uws("ERROR", error=b"out of luck"), QueryError, "far: out of luck"),
        (uws("ERROR"), QueryError, "far: its job ended as ERROR"),
        (uws("ABORTED"), QueryError, "far: its job ended as ABORTED"),
        (uws("COMPLETED", result=CUT), LimitError, "more rows than the 2"),
        (said(200, b"no job"), UnavailableError, "far makes no job of a query"),
        (said(400, WRONG), QueryError, "far: no column <nix>"),
    ],
)
def test_a_job_there_that_goes_wrong(answer: Answer, kind: type[AweError], text: str, far: Far) -> None:
    far.asked.clear()
    with pytest.raises(kind, match=re.escape(text)):
        far.rows(answer, queued=True)
    removed = [one for one in far.asked if "DELETE" in one]
    assert len(removed) == any("/tap/async/7" in one for one in far.asked)


def test_a_job_there_is_removed_when_nobody_waits_for_it(far: Far) -> None:
    far.asked.clear()
    far.answer = uws("EXECUTING")
    run = far.platform.external.run("far", "SELECT 1", identity=ANONYMOUS, queued=True)
    with stopped(run):
        while not any("/7/phase" in one for one in far.asked):
            threading.Event().wait(0.01)
    assert "POST /tap/async/7 " in far.asked[-1]
    assert "{'ACTION': ['DELETE']}" in far.asked[-1]


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
