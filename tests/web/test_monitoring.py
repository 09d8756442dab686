"""What an operator sees: numbers of requests, logs in JSON, figures for Prometheus and by day."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from awe.errors import AweError, NotFoundError, ServiceError
from awe.logs import JsonLines
from awe.platform import Platform
from awe.services.identity import ADMINISTRATOR, OPERATOR, ORIGIN, Origin
from awe.testing import TINY_TABLE, tiny_archive
from awe.web import build_app

pytestmark = pytest.mark.slow

CONE = f"/scs/{TINY_TABLE}?RA=187.7059&DEC=12.3911&SR=0.2"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with tiny_archive(tmp_path_factory.mktemp("sky")) as opened:
        opened.accounts.add("ada", by="local:test", password="correct horse")
        opened.accounts.add("olga", [OPERATOR], by="local:test", password="correct horse")
        opened.accounts.add("warden", [ADMINISTRATOR], by="local:test", password="correct horse")
        yield opened


@pytest.fixture(scope="module")
def service(archive: Platform) -> Iterator[TestClient]:
    with TestClient(build_app(archive), raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def headers(archive: Platform, name: str) -> dict[str, str]:
    return {"X-Auth-Token": archive.identity.login(name, "correct horse")}


WRONG: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("GET", "/tap/sync?LANG=ADQL&QUERY=SELECT+x", {}),
    ("GET", "/tap/async/none", {}),
    ("GET", "/scs/no.table?RA=1&DEC=1&SR=1", {}),
    ("GET", "/sia?POS=x&SIZE=1", {}),
    ("GET", "/sia2/query?POS=x", {}),
    ("GET", "/ssa?REQUEST=queryData&POS=x", {}),
    ("GET", "/soda/sync?ID=nothing", {}),
    ("GET", "/datalink/links?RESPONSEFORMAT=x", {}),
    ("GET", "/hips/none/properties", {}),
    ("GET", "/moc/no.table", {}),
    ("GET", "/api/tables/no.table", {}),
    ("POST", "/api/query", {"json": {"query": "SELECT x"}}),
    ("POST", "/api/query", {"json": {}}),
    ("POST", "/CasJobs/RestApi/contexts/tiny/query", {"json": {"Query": "SELECT x FROM"}}),
    ("GET", "/login-portal/keystone/v3/tokens/nothing", {}),
    ("POST", "/oauth/token", {"data": {"grant_type": "nothing"}}),
    ("GET", "/nowhere", {}),
    ("GET", "/api/nowhere", {}),
)


@pytest.mark.parametrize(("method", "path", "sent"), WRONG, ids=[f"{m} {p}" for m, p, _ in WRONG])
def test_every_face_says_the_number_of_the_request_that_failed(
    service: TestClient, method: str, path: str, sent: dict[str, Any]
) -> None:
    answer = service.request(method, path, **sent)
    number = answer.headers["x-request-id"]
    assert len(number) == 12
    assert number in answer.text, answer.text


def test_the_client_keeps_the_number(service: TestClient) -> None:
    answer = service.get("/api/tables/no.table")
    error = AweError.from_json(answer.json())
    assert isinstance(error, NotFoundError)
    assert error.request == answer.headers["x-request-id"]
    assert AweError.from_json(error.to_json()).request == error.request


def test_a_number_is_taken_over_from_a_trusted_proxy_only(archive: Platform, service: TestClient) -> None:
    given = {"X-Request-Id": "proxy-17.a_b"}
    assert service.get("/nowhere", headers=given).headers["x-request-id"] != "proxy-17.a_b"
    trusting = archive.settings.model_copy(update={"trust_request_ids": True})
    object.__setattr__(archive, "settings", trusting)
    try:
        with TestClient(build_app(archive)) as behind:
            assert behind.get("/nowhere", headers=given).headers["x-request-id"] == "proxy-17.a_b"
            assert "proxy-17.a_b" in behind.get("/api/nowhere", headers=given).text
            for bad in ("a b", "x" * 65, "<x>", ""):
                made = behind.get("/nowhere", headers={"X-Request-Id": bad}).headers["x-request-id"]
                assert len(made) == 12
            behind.post("/api/login", json={"user": "ada", "password": "wrong password"}, headers=given)
    finally:
        object.__setattr__(archive, "settings", trusting.model_copy(update={"trust_request_ids": False}))
    assert archive.audit.entries(action="login", last=1)[0].request == "proxy-17.a_b"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Return what is logged, as lines of JSON."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines(lambda: ORIGIN.get().request))
    logger = logging.getLogger("awe")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield written
    logger.removeHandler(handler)
    logger.setLevel(before)


def read(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_each_request_is_a_line_of_json_without_secrets(
    archive: Platform, service: TestClient, lines: io.StringIO
) -> None:
    answer = service.get(f"{CONE}&token=abcdef", headers=headers(archive, "ada"))
    line = read(lines)[-1]
    assert datetime.fromisoformat(line.pop("at")).tzinfo is not None
    assert line.pop("ms") >= 0
    assert line.pop("message").startswith(line["request"])
    assert line == {
        "level": "info", "logger": "awe.access", "request": answer.headers["x-request-id"], "method": "GET",
        "path": f"{CONE}&token=***", "status": 200, "user": "ada", "address": "testclient",
    }  # fmt: skip
    service.get("/nowhere%0d%0a{}")
    assert len(read(lines)) == 2


def test_a_fault_of_ours_is_one_line_with_its_trace_and_its_number(
    archive: Platform, service: TestClient, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("nothing for the caller")

    monkeypatch.setattr(type(archive.catalogs), "cone", broken)
    answer = service.get(CONE)
    assert "nothing for the caller" not in answer.text
    failed = next(line for line in read(lines) if line["level"] == "error")
    assert failed["request"] == answer.headers["x-request-id"]
    assert "nothing for the caller" in failed["error"]
    assert answer.headers["x-awe-error"] == ServiceError.code


def figures(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(f"{k}={v}" for k, v in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_prometheus_reads_what_was_answered(archive: Platform, service: TestClient) -> None:
    olga = headers(archive, "olga")
    before = figures(service.get("/metrics", headers=olga).text)
    rows = service.get(f"{CONE}&RESPONSEFORMAT=csv")
    service.get("/api/tables/no.table")
    service.get("/nowhere/else")
    answer = service.get("/metrics", headers=olga)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    after = figures(answer.text)

    def more(*sample: str) -> float:
        return after.get(sample, 0.0) - before.get(sample, 0.0)

    assert more("awe_query_rows_total") == len(rows.text.splitlines()) - 1
    assert more("awe_query_bytes_total") > 1000
    assert more("awe_query_seconds_count") == 1
    assert more("awe_request_seconds_count", "face=scs", "method=GET", "status=200") == 1
    assert more("awe_errors_total", "code=not_found", "face=api") == 1
    assert more("awe_request_seconds_count", "face=other", "method=GET", "status=404") == 1
    assert after["awe_requests_in_hand",] == 1  # the one that asks
    assert after["awe_queries_running",] == 0
    assert after["awe_accounts", "state=active"] == 3
    assert not any("nowhere" in part for sample in after for part in sample)


def test_figures_are_for_operators(archive: Platform, service: TestClient) -> None:
    assert service.get("/metrics").status_code == 401
    assert service.get("/metrics", headers=headers(archive, "ada")).status_code == 403
    assert service.get("/metrics", headers=headers(archive, "warden")).status_code == 200


@pytest.mark.parametrize(
    ("allowed", "address", "sent", "status"),
    [
        (True, "127.0.0.1", {}, 200),
        (True, "::1", {}, 200),
        (False, "127.0.0.1", {}, 401),
        (True, "192.0.2.1", {}, 401),
        (True, "127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 401),
        (True, "127.0.0.1", {"X-Real-IP": "192.0.2.1"}, 401),
    ],
)
def test_figures_without_a_token_are_for_this_machine_where_it_is_allowed(
    archive: Platform, allowed: bool, address: str, sent: dict[str, str], status: int
) -> None:
    before = archive.settings
    object.__setattr__(archive, "settings", before.model_copy(update={"local_metrics": allowed}))
    try:
        with TestClient(build_app(archive), client=(address, 1)) as client:
            assert client.get("/metrics", headers=sent).status_code == status
    finally:
        object.__setattr__(archive, "settings", before)


def test_figures_by_day_and_by_caller(archive: Platform, service: TestClient) -> None:
    today = datetime.now(UTC).date().isoformat()
    chief, ada = headers(archive, "warden"), headers(archive, "ada")
    period = {"since": today, "until": today}

    def day() -> dict[str, Any]:
        found = service.get("/api/admin/usage", params=period, headers=chief).json()["days"]
        assert [one["day"] for one in found] == [today]
        return dict(found[0])

    before = day()
    archive.identity.login("ada", "correct horse")
    assert service.get(f"{CONE}&MAXREC=7", headers=ada).status_code == 200
    after = day()
    assert [after[n] - before[n] for n in ("logins", "queries", "rows")] == [1, 1, 7]
    assert after["people"] >= 1
    asked = {**period, "by": "caller"}
    callers = service.get("/api/admin/usage", params=asked, headers=chief).json()["callers"]
    assert next(one for one in callers if one["caller"] == "user:ada")["rows"] >= 7
    olga = headers(archive, "olga")
    assert service.get("/api/admin/usage", params=period, headers=olga).status_code == 200
    assert service.get("/api/admin/usage", params=asked, headers=olga).status_code == 403
    month = service.get("/api/admin/usage", headers=olga).json()["days"]
    assert (len(month), month[-1]["day"]) == (30, today)
    wrong = service.get("/api/admin/usage", params={"since": today, "until": "2000-01-01"}, headers=chief)
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "bad_parameter")


def test_a_line_outside_of_requests_has_no_number(lines: io.StringIO) -> None:
    logging.getLogger("awe.test").warning("it is %d", 7)
    before = ORIGIN.set(Origin("", "n1"))
    logging.getLogger("awe.test").warning("in one")
    ORIGIN.reset(before)
    first, second = read(lines)
    assert (first["message"], first["level"], "request" in first) == ("it is 7", "warning", False)
    assert second["request"] == "n1"
