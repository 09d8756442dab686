"""Administrators through ``/api/admin``, and the link that sets a password."""

import pytest
from starlette.testclient import TestClient

from awe.platform import Platform
from awe.services.identity import ADMINISTRATOR


@pytest.fixture(scope="module")
def chief(platform: Platform) -> dict[str, str]:
    """Return the headers of an administrator."""
    platform.identity.add_user("warden", "correct horse", roles=[ADMINISTRATOR])
    return {"X-Auth-Token": platform.identity.login("warden", "correct horse")}


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
