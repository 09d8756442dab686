"""awe's own API of jobs."""

import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from awe.testing import TINY_TABLE

pytestmark = pytest.mark.slow

QUERY = f"SELECT TOP 3 id FROM {TINY_TABLE} ORDER BY id"


def ended(web: TestClient, job: str, headers: dict[str, str]) -> Any:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = web.get(f"/api/jobs/{job}", params={"wait": 10}, headers=headers).json()
        if found["ended"]:
            return found
    raise AssertionError(found)


def test_a_job_is_the_same_in_both_faces(web: TestClient, token: str) -> None:
    ada = {"X-Auth-Token": token}
    made = web.post("/api/jobs", json={"query": QUERY, "format": "csv", "run_id": "mine"}, headers=ada).json()
    done = ended(web, made["id"], ada)
    assert (done["phase"], done["run_id"], done["owner"]) == ("COMPLETED", "mine", "ada")
    rows = web.get(f"/api/jobs/{made['id']}/result", headers=ada)
    assert rows.text.split() == ["id", "1", "2", "3"]
    assert rows.headers["x-awe-overflow"] == "false"
    vo = f"/tap/async/{made['id']}"
    assert web.get(f"{vo}/results/result", headers=ada).content == rows.content
    assert f">{QUERY}<" in web.get(vo, headers=ada).text
    assert web.delete(f"/api/jobs/{made['id']}", headers=ada).json() == {"deleted": made["id"]}
    assert web.get(vo, headers=ada).status_code == 404


def test_the_list_comes_in_pages(web: TestClient, token: str) -> None:
    ada = {"X-Auth-Token": token}
    made = [web.post("/api/jobs", json={"query": QUERY}, headers=ada).json()["id"] for _ in range(3)][::-1]
    first = web.get("/api/jobs", params={"last": 2}, headers=ada).json()
    assert [job["id"] for job in first["jobs"]] == made[:2]
    rest = web.get("/api/jobs", params={"last": 2, "before": first["more"]}, headers=ada).json()
    assert rest["jobs"][0]["id"] == made[2]
    assert web.get("/api/jobs").json() == {"jobs": [], "more": None}
    for job in made:
        web.delete(f"/api/jobs/{job}", headers=ada)


def test_errors_are_those_of_every_other_address(web: TestClient, token: str) -> None:
    ada = {"X-Auth-Token": token}
    mine = web.post("/api/jobs", json={"query": "SELECT nix FROM tiny.sources"}, headers=ada).json()
    failed = ended(web, mine["id"], ada)
    assert failed["error"]["code"] == "unknown_name"
    assert failed["error"]["fields"] == {"line": 1, "column": 8}
    assert web.get(f"/api/jobs/{mine['id']}/result", headers=ada).status_code == 404
    # somebody else's job is told of like one that is not there
    assert web.get(f"/api/jobs/{mine['id']}").json()["error"]["code"] == "not_found"
    assert web.get("/api/jobs/0123").json()["error"]["code"] == "not_found"
    refused = web.post("/api/jobs", json={"query": QUERY, "format": "stone"})
    assert refused.json()["error"]["code"] == "bad_parameter"
