"""An archive on PostgreSQL from its first start to another machine: accounts, groups, limits, tokens and jobs go along."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from awe.platform import Platform
from awe.services.jobs import FINAL
from awe.settings import Settings
from awe.testing import TINY_TABLE, tiny_archive

pytestmark = pytest.mark.slow

PASSWORD = "a long enough one"
KEPT = (
    "/api/admin/users",
    "/api/admin/groups",
    "/api/admin/quotas",
    "/api/admin/tokens?user=maria",
    "/api/jobs",
    "/api/tables",
)
"""What has to be the same on another machine."""


def first_link(folder: Path, environment: dict[str, str]) -> tuple[Any, str]:
    """Start an archive; return its process and the link that makes its administrator."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "awe", "up", "--data", str(folder), "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
    )  # fmt: skip
    assert process.stdout is not None
    printed = []
    for line in process.stdout:
        printed.append(line)
        if found := re.search(r"http://\S+/auth/password#\w+", line):
            return process, found[0]
    raise AssertionError("".join(printed))


def seen(url: str, token: str) -> dict[str, Any]:
    """Return what an administrator sees; when things were last used changes by looking."""
    with httpx.Client(base_url=url, headers={"X-Auth-Token": token}, timeout=60) as web:
        found = {path: web.get(path).raise_for_status().json() for path in KEPT}
    return dict(json.loads(re.sub(r'"last_used": "[^"]*"', '"last_used": null', json.dumps(found))))


def finished(url: str, token: str) -> str:
    """Run a job to its end; return its result."""
    with httpx.Client(base_url=url, headers={"X-Auth-Token": token}, timeout=120) as web:
        query = f"SELECT TOP 3 id FROM {TINY_TABLE} ORDER BY id"
        job = web.post("/api/jobs", json={"query": query, "format": "csv"}).raise_for_status().json()
        while job["phase"] not in FINAL:
            job = web.get(f"/api/jobs/{job['id']}", params={"wait": 30}).raise_for_status().json()
        return web.get(f"/api/jobs/{job['id']}/result").raise_for_status().text


def test_from_the_first_start_to_another_machine(
    tmp_path: Path,
    new_postgresql: Callable[[], str],
    environment: Callable[..., dict[str, str]],
    up: Callable[..., Any],
    awe: Callable[..., Any],
) -> None:
    folder, other = tmp_path / "sky", tmp_path / "other"
    database = {"AWE_DATABASE_URL": new_postgresql()}
    tiny_archive(folder, database_url=database["AWE_DATABASE_URL"]).close()
    assert not (folder / "awe.db").exists()

    process, link = first_link(folder, environment(**database))
    try:
        url, _, key = link.partition("/auth/password#")
        httpx.post(f"{url}/api/password", json={"key": key, "password": PASSWORD}).raise_for_status()
        token = httpx.post(f"{url}/api/login", json={"user": "admin", "password": PASSWORD}).json()["token"]
        with httpx.Client(base_url=url, headers={"X-Auth-Token": token}, timeout=60) as web:
            assert web.get("/api/admin/system").json()["database"].startswith("postgresql 15")
            made = web.post("/api/admin/users", json={"name": "maria", "roles": ["scientist"]}).json()
            web.post("/api/password", json={"key": made["key"], "password": PASSWORD}).raise_for_status()
            limit = {"principal": "user:maria", "measure": "queries_per_day", "amount": 77}
            web.post("/api/admin/quotas", json=limit).raise_for_status()
        maria = httpx.post(f"{url}/api/login", json={"user": "maria", "password": PASSWORD}).json()["token"]
        assert finished(url, maria).split() == ["id", "1", "2", "3"]
        opens = shared(url, maria)
    finally:
        process.terminate()
        process.communicate(timeout=60)

    with up(folder, **database) as service:
        before = seen(service.url, token)
        mine, shares = asked(service.url, maria, "/api/jobs"), asked(service.url, maria, "/api/shares")
        assert {one["principal"].partition(":")[0] for one in shares["given"]} == {"group", "link"}
        with httpx.stream(
            "POST", f"{service.url}/api/admin/backup", headers={"X-Auth-Token": token}, timeout=60
        ) as answer:
            (tmp_path / "archive.zip").write_bytes(answer.read())

    # an empty machine, with the other kind of database
    restored = awe("admin", "restore", str(tmp_path / "archive.zip"), "--data", str(other))
    assert restored.returncode == 0, restored.stderr
    (folder / "tables").rename(other / "tables")
    with up(other) as service:
        assert seen(service.url, token) == before
        assert asked(service.url, maria, "/api/jobs") == mine
        assert asked(service.url, maria, "/api/shares") == shares
        assert asked(service.url, opens, "/api/shared")["name"] == mine["jobs"][0]["id"]
        job = mine["jobs"][0]["id"]
        rows = httpx.get(f"{service.url}/api/jobs/{job}/result", headers={"X-Auth-Token": maria})
        assert rows.text.split() == ["id", "1", "2", "3"]
        login = {"user": "maria", "password": PASSWORD}
        assert httpx.post(f"{service.url}/api/login", json=login).status_code == 200
        assert finished(service.url, maria).split() == ["id", "1", "2", "3"]
    with Platform.open(Settings.load(other)) as platform:
        acts = platform.audit.entries(action="backup")
        assert [act.action for act in acts] == [
            "backup.restored"
        ]  # the one in the backup is of the moment before


def shared(url: str, token: str) -> str:
    """Share a user's job with a group of the user, and by a link; return the link's key."""
    job = asked(url, token, "/api/jobs")["jobs"][0]["id"]
    with httpx.Client(base_url=url, headers={"X-Auth-Token": token}, timeout=60) as web:
        web.post("/api/groups", json={"name": "survey", "title": "The survey"}).raise_for_status()
        web.post("/api/groups/survey/invitations", json={"user": "admin"}).raise_for_status()
        thing = {"kind": "job", "name": job}
        web.post("/api/shares", json={**thing, "principal": "group:survey"}).raise_for_status()
        return str(web.post("/api/shares/links", json=thing).raise_for_status().json()["key"])


def asked(url: str, token: str, path: str) -> Any:
    """Return what somebody is told."""
    return httpx.get(f"{url}{path}", headers={"X-Auth-Token": token}).raise_for_status().json()
