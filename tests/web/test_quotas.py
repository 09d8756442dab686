"""Quotas through every face: what is too much is told with when to try again, and what is used is shown."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from awe.client import Client
from awe.client._transport import Transport
from awe.client.quotas import Usage
from awe.errors import QuotaError
from awe.platform import Platform
from awe.services.identity import ADMINISTRATOR, Identity
from awe.testing import TINY_TABLE, tiny_archive
from awe.web import build_app

pytestmark = pytest.mark.slow

WHERE = {"RA": "187.7059", "DEC": "12.3911"}
CASJOBS = f"/CasJobs/RestApi/contexts/{TINY_TABLE.partition('.')[0]}/query"
ONE = f"SELECT TOP 1 id FROM {TINY_TABLE}"
FACES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("GET", "/tap/sync", {"params": {"LANG": "ADQL", "QUERY": f"SELECT TOP 3 * FROM {TINY_TABLE}"}}),
    ("GET", f"/scs/{TINY_TABLE}", {"params": {**WHERE, "SR": "0.1"}}),
    ("POST", CASJOBS, {"json": {"Query": f"SELECT TOP 3 id FROM {TINY_TABLE.partition('.')[2]}"}}),
    ("POST", "/api/query", {"json": {"query": f"SELECT TOP 3 id FROM {TINY_TABLE}"}}),
    ("GET", "/api/cone", {"params": {"table": TINY_TABLE, "position": "187.7059 12.3911"}}),
    ("GET", "/sia2/query", {}),
    ("GET", "/ssa", {"params": {"REQUEST": "queryData"}}),
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    quotas = {"queries_at_once": 1, "jobs_waiting": 1, "anonymous": {"queries_per_day": 3}}
    with tiny_archive(
        tmp_path_factory.mktemp("sky"), quotas=quotas, archive={"contact": "help@example.org"}
    ) as opened:
        opened.accounts.add("ada", by="local:test", password="correct horse")
        opened.accounts.add("warden", [ADMINISTRATOR], by="local:test", password="correct horse")
        yield opened


@pytest.fixture(scope="module")
def service(archive: Platform) -> Iterator[TestClient]:
    with TestClient(build_app(archive), raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def headers(archive: Platform, name: str) -> dict[str, str]:
    return {"X-Auth-Token": archive.identity.login(name, "correct horse")}


@pytest.mark.parametrize(("method", "path", "sent"), FACES, ids=[path for _, path, _ in FACES])
def test_every_face_refuses_one_query_too_many_and_forgets_none(
    archive: Platform, service: TestClient, method: str, path: str, sent: dict[str, Any]
) -> None:
    ada = headers(archive, "ada")
    running = archive.quotas.begin(Identity("ada"))
    refused = service.request(method, path, headers=ada, **sent)
    assert refused.status_code == 429, refused.text
    assert (refused.headers["retry-after"], refused.headers["x-awe-error"]) == ("5", "quota")
    assert "you may have 1 queries at the same time, and have 1" in refused.text
    assert "help@example.org can allow more" in refused.text
    running.end()
    for _ in range(3):  # one after the other: each has ended when its answer has
        answer = service.request(method, path, headers=ada, **sent)
        assert answer.status_code == 200, answer.text


def test_rows_and_bytes_are_counted(archive: Platform, service: TestClient) -> None:
    before = archive.quotas._usage.of_day("anonymous", _today(archive))
    assert service.get("/tap/sync", params=FACES[0][2]["params"]).status_code == 200
    after = archive.quotas._usage.of_day("anonymous", _today(archive))
    assert after.queries > before.queries
    assert after.rows >= before.rows + 3
    assert after.bytes > before.bytes + 100
    assert archive.quotas._usage.running("anonymous", archive.quotas._now()) == 0


def _today(archive: Platform) -> str:
    return archive.quotas._now().date().isoformat()


def test_an_administrator_changes_what_somebody_may_use(archive: Platform, service: TestClient) -> None:
    chief, ada = headers(archive, "warden"), headers(archive, "ada")
    order = {"principal": "user:ada", "measure": "queries_per_day", "amount": 0, "why": "a test"}
    made = service.post("/api/admin/quotas", json=order, headers=chief).json()
    assert (made["principal"], made["amount"], made["by"]) == ("user:ada", 0, "warden")
    refused = service.post("/api/query", json={"query": ONE}, headers=ada)
    assert refused.status_code == 429
    assert refused.json()["error"]["fields"]["limit"] == 0
    assert 0 < int(refused.headers["retry-after"]) <= 86_400
    told = service.get("/api/admin/quotas", params={"user": "ada"}, headers=chief).json()
    assert made in told["quotas"]
    of_day = next(one for one in told["usage"] if one["measure"] == "queries_per_day")
    assert (of_day["limit"], of_day["principal"]) == (0, "user:ada")
    assert service.delete(f"/api/admin/quotas/{made['id']}", headers=chief).status_code == 200
    assert service.post("/api/query", json={"query": ONE}, headers=ada).status_code == 200
    assert service.delete(f"/api/admin/quotas/{made['id']}", headers=chief).status_code == 404


def test_the_client_sees_what_is_used_and_raises_the_same_error(archive: Platform) -> None:
    with Client(
        Transport(
            "http://awe.test", token=archive.identity.login("ada", "correct horse"), app=build_app(archive)
        )
    ) as mine:
        usage = {one.measure: one for one in mine.usage()}
        assert isinstance(usage["queries_at_once"], Usage)
        assert (usage["queries_at_once"].limit, usage["queries_at_once"].used) == (1, 0)
        assert usage["queries_per_day"].resets is not None
        assert usage["job_seconds"].used is None
        running = archive.quotas.begin(Identity("ada"))
        with pytest.raises(QuotaError) as refused:
            mine.query(ONE)
        running.end()
        assert refused.value.fields["measure"] == "queries_at_once"


def test_a_job_too_many_is_told_by_uws_and_the_api(
    archive: Platform, service: TestClient, tmp_path: Path
) -> None:
    chief = headers(archive, "warden")
    held = service.post(
        "/api/admin/quotas",
        json={"principal": "user:warden", "measure": "jobs_at_once", "amount": 0},
        headers=chief,
    ).json()
    asked = {"LANG": "ADQL", "QUERY": ONE, "PHASE": "RUN"}
    assert service.post("/tap/async", data=asked, headers=chief).status_code == 303
    refused = service.post("/tap/async", data=asked, headers=chief)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
    assert "1 jobs in the queue, and have 1" in refused.text
    again = service.post("/api/jobs", json={"query": ONE}, headers=chief)
    assert (again.status_code, again.json()["error"]["fields"]["measure"]) == (429, "jobs_waiting")
    used = {one["measure"]: one for one in service.get("/api/me/usage", headers=chief).json()["usage"]}
    assert (used["jobs_waiting"]["used"], used["jobs_at_once"]["used"]) == (1, 0)
    service.delete(f"/api/admin/quotas/{held['id']}", headers=chief)
