"""Jobs over HTTP: the rules of UWS 1.1, on the TAP service of the tiny sky."""

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from starlette.testclient import TestClient

from awe.platform import Platform
from awe.testing import TINY_TABLE, tiny_archive
from awe.web import build_app

pytestmark = pytest.mark.slow

UWS = "{http://www.ivoa.net/xml/UWS/v1.0}"
QUERY = f"SELECT TOP 3 id FROM {TINY_TABLE}"
# more pairs of rows than can be counted before it is stopped
LONG = f"SELECT COUNT(*) AS n FROM {TINY_TABLE} a, {TINY_TABLE} b, {TINY_TABLE} c, {TINY_TABLE} d WHERE a.mag + b.mag + c.mag > d.mag"
ENDS = {"COMPLETED", "ERROR", "ABORTED"}


class Tap:
    """The async endpoint, as a client without any memory sees it."""

    def __init__(self, web: TestClient, token: str = "") -> None:
        self._web = web
        self._headers = {"X-Auth-Token": token} if token else {}

    def send(self, method: str, path: str, **form: str) -> Any:
        data = form if method == "POST" else None
        params = form if method != "POST" else None
        return self._web.request(method, path, data=data, params=params, headers=self._headers)

    def create(self, **form: str) -> str:
        made = self.send("POST", "/tap/async", **form)
        assert made.status_code == 303, made.text
        return str(made.headers["location"]).removeprefix("http://testserver")

    def job(self, path: str, **params: str) -> "etree._Element":
        found = self.send("GET", path, **params)
        assert found.status_code == 200, found.text
        return etree.fromstring(found.content)

    def phase(self, path: str) -> str:
        return str(self.send("GET", f"{path}/phase").text)

    def ended(self, path: str) -> str:
        deadline = time.monotonic() + 60
        phase = self.phase(path)
        while phase not in ENDS:
            assert time.monotonic() < deadline
            self.job(path, WAIT="20", PHASE=phase)
            phase = self.phase(path)
        return phase


@pytest.fixture(scope="module")
def tap(web: TestClient) -> Tap:
    return Tap(web)


@pytest.fixture(scope="module")
def ada(web: TestClient, token: str) -> Tap:
    return Tap(web, token)


@pytest.fixture(scope="module")
def bob(web: TestClient, platform: Platform) -> Tap:
    platform.accounts.add("bob", by="local:test", password="correct horse")
    return Tap(web, platform.identity.login("bob", "correct horse"))


@pytest.fixture
def long(tap: Tap) -> Iterator[str]:
    """Return a job that runs for as long as anybody likes."""
    path = tap.create(QUERY=LONG, LANG="ADQL", PHASE="RUN")
    deadline = time.monotonic() + 60
    while tap.phase(path) != "EXECUTING":
        assert time.monotonic() < deadline
    yield path
    tap.send("DELETE", path)


def test_a_job_is_made_run_and_fetched(tap: Tap) -> None:
    path = tap.create(QUERY=QUERY, LANG="ADQL", RUNID="mine")
    job = tap.job(path)
    assert job.findtext(f"{UWS}phase") == "PENDING"
    assert job.findtext(f"{UWS}runId") == "mine"
    assert {p.get("id"): p.text for p in job.iter(f"{UWS}parameter")} == {"QUERY": QUERY, "LANG": "ADQL"}
    assert tap.send("GET", f"{path}/results/result").status_code == 404
    run = tap.send("POST", f"{path}/phase", PHASE="RUN")
    assert (run.status_code, run.headers["location"]) == (303, f"http://testserver{path}")
    assert tap.ended(path) == "COMPLETED"
    (result,) = tap.job(path).iter(f"{UWS}result")
    assert result.get("id") == "result"
    assert result.get("mime-type") == "application/x-votable+xml"
    found = tap.send("GET", f"{path}/results/result")
    assert found.headers["content-type"] == "application/x-votable+xml"
    assert len(found.content) == int(str(result.get("size")))
    assert found.content.count(b"<TR>") == 3
    assert tap.send("GET", f"{path}/error").status_code == 404


@pytest.mark.parametrize(
    ("form", "media_type", "start"),
    [
        ("csv", "text/csv", b"id"),
        ("fits", "application/fits", b"SIMPLE"),
        ("application/json", "application/json", b"{"),
        ("parquet", "application/vnd.apache.parquet", b"PAR1"),
        ("votable/b2", "application/x-votable+xml;serialization=binary2", b"<?xml"),
    ],
)
def test_results_come_in_every_format(tap: Tap, form: str, media_type: str, start: bytes) -> None:
    path = tap.create(QUERY=QUERY, LANG="ADQL", PHASE="RUN", RESPONSEFORMAT=form)
    assert tap.ended(path) == "COMPLETED"
    found = tap.send("GET", f"{path}/results/result")
    assert found.headers["content-type"].startswith(media_type)
    assert found.headers["content-disposition"].startswith("attachment")
    assert found.content.startswith(start)


def test_a_part_of_a_result(tap: Tap, web: TestClient) -> None:
    path = tap.create(QUERY=QUERY, LANG="ADQL", PHASE="RUN")
    assert tap.ended(path) == "COMPLETED"
    whole = web.get(f"{path}/results/result").content
    part = web.get(f"{path}/results/result", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])


def _without_request(answer: bytes) -> bytes:
    """Leave out which request it was, and when: of that an answer says the truth."""
    kept, count = re.subn(rb'<INFO name="request(_date)?" value="[^"]*"/>', b"", answer)
    assert count == 2
    return kept


def test_a_result_is_what_the_synchronous_query_answers(tap: Tap, web: TestClient) -> None:
    for query, told in (
        (f"SELECT * FROM {TINY_TABLE} ORDER BY id", b'value="OVERFLOW"'),
        ("SELECT * FROM ivoa.obscore ORDER BY obs_id", b'utype="adhoc:service"'),
    ):
        form = {"QUERY": query, "LANG": "ADQL", "MAXREC": "40"}
        path = tap.create(**form, PHASE="RUN")
        assert tap.ended(path) == "COMPLETED"
        found = web.get(f"{path}/results/result").content
        assert _without_request(found) == _without_request(web.post("/tap/sync", data=form).content)
        assert b'name="request" value="http://testserver/tap/async"' in found
        assert told in found


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({"QUERY": "DUFF QUERY", "LANG": "ADQL"}, b"line 1, column 1"),
        ({"QUERY": "SELECT nix FROM tiny.sources", "LANG": "ADQL"}, b"no column nix"),
        ({"QUERY": QUERY, "LANG": "OOBLECK"}, b"LANG=OOBLECK"),
        ({"LANG": "ADQL"}, b"QUERY is needed"),
        ({"QUERY": QUERY, "LANG": "ADQL", "RESPONSEFORMAT": "stone"}, b"RESPONSEFORMAT=stone"),
        ({"QUERY": QUERY, "LANG": "ADQL", "MAXREC": "many"}, b"MAXREC=many"),
    ],
)
def test_a_wrong_query_makes_a_job_that_fails(tap: Tap, form: dict[str, str], reason: bytes) -> None:
    path = tap.create(**form, PHASE="RUN")
    assert tap.ended(path) == "ERROR"
    told = tap.send("GET", f"{path}/error")
    assert told.status_code == 200
    assert told.headers["content-type"] == "application/x-votable+xml"
    assert b'name="QUERY_STATUS" value="ERROR"' in told.content
    assert reason in told.content
    (summary,) = tap.job(path).iter(f"{UWS}errorSummary")
    assert (summary.get("type"), summary.get("hasDetail")) == ("fatal", "true")
    assert reason.decode() in str(summary.findtext(f"{UWS}message"))
    assert tap.send("GET", f"{path}/results/result").status_code == 404


def test_parameters_come_in_several_requests_until_it_is_run(tap: Tap) -> None:
    path = tap.create(QUERY="SELECT nonsense", LANG="ADQL")
    for form in ({"query": QUERY}, {"runId": "later"}, {"RESPONSEFORMAT": "csv", "DUMMY": "ignore-me"}):
        assert tap.send("POST", f"{path}/parameters", **form).status_code == 303
    job = tap.job(path)
    assert job.findtext(f"{UWS}runId") == "later"
    given = {str(p.get("id")).upper(): p.text for p in tap.job(f"{path}/parameters")}
    assert given == {"QUERY": QUERY, "LANG": "ADQL", "RESPONSEFORMAT": "csv", "DUMMY": "ignore-me"}
    tap.send("POST", f"{path}/phase", PHASE="RUN")
    assert tap.ended(path) == "COMPLETED"
    assert tap.send("GET", f"{path}/results/result").text.splitlines()[0] == "id"
    assert tap.send("POST", f"{path}/parameters", QUERY=QUERY).status_code == 403
    assert tap.send("POST", f"{path}/phase", PHASE="RUN").status_code == 403


def test_a_job_takes_tables_with_its_query(tap: Tap, web: TestClient) -> None:
    two = {"QUERY": f"SELECT TOP 2 id, name FROM {TINY_TABLE} ORDER BY id", "LANG": "ADQL"}
    mine = web.get("/tap/sync", params=two).content
    query = f"SELECT s.id FROM {TINY_TABLE} AS s JOIN TAP_UPLOAD.mine AS u ON u.name = s.name ORDER BY s.id"
    form = {"QUERY": query, "LANG": "ADQL", "UPLOAD": "mine,param:my file/ü", "RESPONSEFORMAT": "csv"}
    made = web.post("/tap/async", data=form, files={"my file/ü": ("mine.vot", mine, "text/xml")})
    path = str(made.headers["location"]).removeprefix("http://testserver")
    (part,) = tap.job(path).iterfind(f"{UWS}parameters/{UWS}parameter[@byReference='true']")
    assert part.get("id") == "my file/ü"
    assert web.get(str(part.text)).content == mine
    tap.send("POST", f"{path}/phase", PHASE="RUN")
    assert tap.ended(path) == "COMPLETED"
    assert web.get(f"{path}/results/result").text.splitlines() == ["id", "1", "2"]


def test_a_table_comes_as_text_and_is_told_by_its_name(tap: Tap, web: TestClient) -> None:
    query = "SELECT SUM(n) AS s FROM TAP_UPLOAD.mine"
    form = {"QUERY": query, "LANG": "ADQL", "UPLOAD": "mine,param:x", "RESPONSEFORMAT": "csv", "PHASE": "RUN"}
    made = web.post("/tap/async", data=form, files={"x": ("mine.csv", b"n\n1\n2\n", "text/csv")})
    table = web.get(
        "/tap/sync", params={"QUERY": "SELECT 3 AS n FROM TAP_SCHEMA.schemas", "LANG": "ADQL", "MAXREC": "1"}
    )
    text = tap.create(**form, x=table.text)
    for path in (made.headers["location"].removeprefix("http://testserver"), text):
        assert tap.ended(path) == "COMPLETED"
        assert web.get(f"{path}/results/result").text.split() == ["s", "3"]


def test_a_table_that_did_not_come_fails_the_job(tap: Tap) -> None:
    path = tap.create(QUERY=QUERY, LANG="ADQL", UPLOAD="mine,param:mine", PHASE="RUN")
    assert tap.ended(path) == "ERROR"
    assert b"no such part came" in tap.send("GET", f"{path}/error").content
    again = tap.create(QUERY=QUERY, LANG="ADQL", UPLOAD="mine,http://127.0.0.1:1/x.vot", PHASE="RUN")
    assert tap.ended(again) == "ERROR"


@pytest.mark.parametrize("name", ["phase", "executionduration", "destruction", "quote", "owner"])
def test_single_values_are_text_and_those_of_the_document(ada: Tap, name: str) -> None:
    path = ada.create(QUERY=QUERY)
    tags = {"executionduration": "executionDuration", "owner": "ownerId"}
    told = ada.send("GET", f"{path}/{name}")
    assert told.headers["content-type"].startswith("text/plain")
    assert told.text == (ada.job(path).findtext(f"{UWS}{tags.get(name, name)}") or "")


def test_the_time_of_a_job_is_changed_within_limits(tap: Tap) -> None:
    path = tap.create(QUERY=QUERY, EXECUTIONDURATION="100")
    for given, found in (("", "100"), ("50", "50"), ("0", "86400"), ("999999999", "86400")):
        if given:
            changed = tap.send("POST", f"{path}/executionduration", EXECUTIONDURATION=given)
            assert changed.status_code == 303
        assert tap.send("GET", f"{path}/executionduration").text == found
    assert tap.send("POST", f"{path}/executionduration", EXECUTIONDURATION="-1").status_code == 400
    tap.send("POST", f"{path}/destruction", DESTRUCTION="2100-01-01T00:00:00Z")
    days = float(tap.send("GET", f"{path}/destruction").text[:4])
    assert days < 2100


def test_what_takes_too_long_is_aborted_in_every_format(tap: Tap) -> None:
    for form in ("votable", "parquet"):
        path = tap.create(QUERY=LONG, LANG="ADQL", RESPONSEFORMAT=form, EXECUTIONDURATION="1", PHASE="RUN")
        assert tap.ended(path) == "ABORTED"
        assert b"longer than the 1 s it may" in tap.send("GET", f"{path}/error").content


def test_to_abort_stops_the_query(tap: Tap, long: str) -> None:
    aborted = tap.send("POST", f"{long}/phase", PHASE="ABORT")
    assert aborted.status_code == 303
    assert tap.phase(long) == "ABORTED"
    assert tap.send("POST", f"{long}/phase", PHASE="ABORT").status_code == 303
    assert tap.send("GET", f"{long}/results/result").status_code == 404


@pytest.mark.parametrize(("method", "form"), [("DELETE", {}), ("POST", {"ACTION": "DELETE"})])
def test_a_deleted_job_is_gone(tap: Tap, long: str, method: str, form: dict[str, str]) -> None:
    gone = tap.send(method, long, **form)
    assert (gone.status_code, gone.headers["location"]) == (303, "http://testserver/tap/async")
    for path in (long, f"{long}/phase", f"{long}/results/result"):
        assert tap.send("GET", path).status_code == 404


def test_a_request_waits_for_the_next_phase_and_hears_of_it_at_once(tap: Tap) -> None:
    path = tap.create(QUERY=QUERY, LANG="ADQL")
    found: list[tuple[str | None, float]] = []

    def wait() -> None:
        phase = tap.job(path, WAIT="-1", PHASE="PENDING").findtext(f"{UWS}phase")
        found.append((phase, time.monotonic()))

    waiting = [threading.Thread(target=wait) for _ in range(5)]
    for thread in waiting:
        thread.start()
    time.sleep(0.3)  # they wait
    assert found == []
    tap.send("POST", f"{path}/phase", PHASE="ABORT")
    changed = time.monotonic()
    for thread in waiting:
        thread.join()
    assert {phase for phase, _ in found} == {"ABORTED"}
    assert max(when for _, when in found) - changed < 30  # it would be a minute


def test_a_request_does_not_wait_where_there_is_nothing_to_wait_for(tap: Tap) -> None:
    path = tap.create(QUERY=QUERY, LANG="ADQL")
    begun = time.monotonic()
    tap.job(path, WAIT="60", PHASE="QUEUED")  # it is in another phase already
    tap.job(path, WAIT="0")
    tap.send("POST", f"{path}/phase", PHASE="ABORT")
    tap.job(path, WAIT="60")
    assert time.monotonic() - begun < 10
    begun = time.monotonic()
    tap.job(tap.create(QUERY=QUERY), WAIT="1")
    assert 1 <= time.monotonic() - begun < 10
    assert tap.send("GET", path, WAIT="soon").status_code == 400


def test_a_job_is_its_owners_alone(ada: Tap, bob: Tap, tap: Tap) -> None:
    path = ada.create(QUERY=QUERY, LANG="ADQL")
    for sub in ("", "/phase", "/parameters", "/results", "/owner"):
        assert bob.send("GET", path + sub).status_code == 404
        assert tap.send("GET", path + sub).status_code == 404
    assert bob.send("POST", f"{path}/phase", PHASE="RUN").status_code == 404
    assert bob.send("DELETE", path).status_code == 404
    assert ada.send("GET", f"{path}/owner").text == "ada"
    assert path.rpartition("/")[2] in _listed(ada)
    assert path.rpartition("/")[2] not in _listed(bob)
    assert _listed(tap) == []


def test_the_list_is_filtered(bob: Tap) -> None:
    paths = [bob.create(QUERY=QUERY, RUNID=str(n)) for n in range(4)]
    ids = [path.rpartition("/")[2] for path in paths]
    bob.send("POST", f"{paths[0]}/phase", PHASE="ABORT")
    assert _listed(bob)[:4] == ids[::-1]
    assert _listed(bob, LAST="2") == ids[:1:-1]
    assert _listed(bob, PHASE="ABORTED") == ids[:1]
    second = bob.job(paths[1]).findtext(f"{UWS}creationTime")
    assert set(_listed(bob, AFTER=str(second), PHASE="PENDING")) - {ids[1]} == {ids[2], ids[3]}
    assert bob.send("GET", "/tap/async", LAST="0").status_code == 400
    (first,) = bob.job("/tap/async", LAST="1")
    assert first.findtext(f"{UWS}ownerId") == "bob"
    assert first.findtext(f"{UWS}runId") == "3"


def test_a_list_that_is_not_complete_says_so(tmp_path: Path) -> None:
    with tiny_archive(tmp_path, jobs={"listed": 2}) as archive, TestClient(build_app(archive)) as web:
        archive.accounts.add("eve", by="local:test", password="correct horse")
        eve = Tap(web, archive.identity.login("eve", "correct horse"))
        for _ in range(2):
            web.post("/tap/async", data={"QUERY": QUERY}, headers=eve._headers, follow_redirects=False)
        said = b"<!-- the newest 2; there may be more: PHASE and AFTER choose, /api/jobs has pages -->"
        assert said in eve.send("GET", "/tap/async").content
        assert b"<!--" not in eve.send("GET", "/tap/async", LAST="2").content


def test_what_is_not_there_is_told(tap: Tap) -> None:
    path = tap.create(QUERY=QUERY)
    assert tap.send("GET", "/tap/async/0123").status_code == 404
    assert tap.send("POST", f"{path}/phase", PHASE="FLY").status_code == 400
    assert tap.send("POST", path, QUERY=QUERY).status_code == 400


def _listed(tap: Tap, **params: str) -> list[str]:
    return [str(one.get("id")) for one in tap.job("/tap/async", **params)]
