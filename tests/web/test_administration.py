"""Administrators through ``/api/admin``, and the link that sets a password."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from awe import __version__
from awe.platform import Platform
from awe.services.identity import ADMINISTRATOR, OPERATOR, AccountStore
from awe.services.system import SystemDatabase, restore
from awe.testing import log_in


@pytest.fixture(scope="module")
def chief(platform: Platform) -> dict[str, str]:
    """Return the headers of an administrator."""
    platform.accounts.add("warden", [ADMINISTRATOR], by="local:test", password="correct horse")
    return {"X-Auth-Token": platform.identity.login("warden", "correct horse")}


@pytest.mark.slow
def test_an_account_from_beginning_to_end(web: TestClient, chief: dict[str, str]) -> None:
    made = web.post("/api/admin/users", json={"name": "eva", "roles": ["scientist"]}, headers=chief).json()
    page = web.get("/auth/password")
    assert page.status_code == 200
    assert "://" not in page.text
    order = {"key": made["key"], "password": "correct horse"}
    assert web.post("/api/password", json=order).json() == {"name": "eva"}
    assert web.post("/api/password", json=order).status_code == 401
    token = web.post("/api/login", json={"user": "eva", "password": "correct horse"}).json()["token"]
    eva = {"X-Auth-Token": token}
    assert web.get("/api/me", headers=eva).json()["roles"] == ["scientist"]
    listed = web.get("/api/admin/tokens", params={"user": "eva"}, headers=chief).json()["tokens"]
    assert web.delete(f"/api/admin/tokens/{listed[0]['id']}", headers=chief).status_code == 200
    assert web.get("/api/me", headers=eva).status_code == 401
    changed = web.patch(
        "/api/admin/users/eva", json={"disabled": True, "email": "e@example.org"}, headers=chief
    )
    assert (changed.json()["state"], changed.json()["email"]) == ("disabled", "e@example.org")
    assert web.delete("/api/admin/users/eva", headers=chief).json()["state"] == "removed"
    acts = web.get("/api/admin/audit", params={"user": "warden", "target": "user:eva"}, headers=chief).json()
    assert [e["action"] for e in acts["entries"]] == [
        "user.removed", "user.disabled", "user.described", "user.reset", "user.added",
    ]  # fmt: skip
    assert all(e["address"] and e["request"] for e in acts["entries"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/admin/users"), ("PATCH", "/api/admin/users/ada"), ("DELETE", "/api/admin/users/ada"),
        ("POST", "/api/admin/users/ada/reset"), ("GET", "/api/admin/tokens?user=ada"),
        ("DELETE", "/api/admin/tokens/x"), ("GET", "/api/admin/audit"),
    ],
)  # fmt: skip
def test_others_are_no_administrators(
    web: TestClient, token: str, chief: dict[str, str], method: str, path: str
) -> None:
    body = {"email": "x"} if method == "PATCH" else None
    assert web.request(method, path, json=body).status_code == 401
    assert web.request(method, path, json=body, headers={"X-Auth-Token": token}).status_code == 403
    order = {"label": "all but one", "scopes": ["read", "write", "run", "share", "publish"]}
    less = web.post("/api/tokens", json=order, headers=chief).json()["token"]
    answer = web.request(method, path, json=body, headers={"X-Auth-Token": less})
    assert (answer.status_code, answer.json()["error"]["fields"]) == (403, {"scope": "admin"})


def test_a_change_is_made_whole_or_not_at_all(web: TestClient, chief: dict[str, str]) -> None:
    order = {"roles": [], "display_name": "Nobody", "disabled": True}
    assert web.patch("/api/admin/users/warden", json=order, headers=chief).status_code == 409
    (warden,) = [
        user
        for user in web.get("/api/admin/users", headers=chief).json()["users"]
        if user["name"] == "warden"
    ]
    assert (warden["roles"], warden["display_name"], warden["state"]) == ([ADMINISTRATOR], "", "active")


def test_what_is_refused_is_recorded(
    web: TestClient, token: str, chief: dict[str, str], platform: Platform
) -> None:
    web.delete("/api/admin/users/warden", headers={"X-Auth-Token": token})
    less = web.post("/api/tokens", json={"label": "reader"}, headers=chief).json()["token"]
    web.get("/api/admin/users", headers={"X-Auth-Token": less})
    before = len(platform.audit.entries(action="admin"))
    web.get("/api/admin/users")  # nobody known: whoever likes could fill the log
    scope, role = platform.audit.entries(action="admin", last=2)
    assert (role.user, role.target, role.outcome) == ("ada", "DELETE /api/admin/users/warden", "refused")
    assert (scope.user, scope.target) == ("warden", "GET /api/admin/users")
    assert "lacks the scope admin" in scope.details["why"]
    assert len(platform.audit.entries(action="admin")) == before


def test_a_backup_through_the_api_is_a_backup(
    web: TestClient, chief: dict[str, str], platform: Platform, tmp_path: Path
) -> None:
    before = set(platform.settings.folder.iterdir())
    answer = web.post("/api/admin/backup", headers=chief)
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["cache-control"] == "no-store"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert set(platform.settings.folder.iterdir()) == before
    file = tmp_path / "archive.zip"
    file.write_bytes(answer.content)
    url = f"sqlite:///{tmp_path / 'new.db'}"
    system = SystemDatabase(url)
    restore(file, system, tmp_path / "new", url)
    assert AccountStore(system).account("warden") == platform.identity.account("warden")
    system.close()
    made = platform.audit.entries(action="backup", last=1)[0]
    assert (made.user, made.action, made.outcome) == ("warden", "backup.made", "done")


def test_operators_see_the_state_of_the_system(web: TestClient, platform: Platform) -> None:
    platform.accounts.add("olga", [OPERATOR], by="local:test")
    olga = {"X-Auth-Token": log_in(platform, "olga")}
    state = web.get("/api/admin/system", headers=olga).json()
    assert (state["version"], state["schema"]) == (__version__, platform.system.head())
    assert state["database"].startswith("sqlite 3.")
    assert 0 < state["free_bytes"] < state["total_bytes"]
    assert "duckdb" in state["libraries"]
    for method, path in (
        ("GET", "/api/admin/users"),
        ("GET", "/api/admin/audit"),
        ("POST", "/api/admin/backup"),
    ):
        assert web.request(method, path, headers=olga).status_code == 403
