"""Asking for an account, and being approved, over HTTP."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from awe.client import connect
from awe.errors import ForbiddenError
from awe.platform import Platform
from awe.services.identity import ADMINISTRATOR
from awe.testing import tiny_archive
from awe.web import build_app

pytestmark = pytest.mark.slow

MARIA = {"name": "maria", "password": "correct horse", "email": "maria@example.org"}


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Platform]:
    """Return an archive that takes registrations, with an administrator ``chief``."""
    with tiny_archive(tmp_path / "sky", login={"registration": "approval"}) as platform:
        platform.accounts.add("chief", [ADMINISTRATOR], by="local:test", password="correct horse")
        yield platform


@pytest.fixture
def visitor(archive: Platform) -> Iterator[TestClient]:
    with TestClient(build_app(archive), raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@pytest.fixture
def chief(archive: Platform) -> dict[str, str]:
    return {"X-Auth-Token": archive.identity.login("chief", "correct horse")}


def test_from_the_request_to_the_first_login(visitor: TestClient, chief: dict[str, str]) -> None:
    assert visitor.get("/api/login").json() == {
        "passwords": [{"name": "local", "title": "local"}],
        "providers": [],
        "registration": "approval",
        "next": "/",
    }
    assert visitor.post("/api/register", json=MARIA).json() == {"state": "pending"}
    login = {"username": "maria", "password": "correct horse"}
    assert visitor.post("/auth/login", data=login).status_code == 401
    waiting = visitor.get("/api/admin/users", params={"state": "pending"}, headers=chief).json()["users"]
    assert [(user["name"], user["email"]) for user in waiting] == [("maria", "maria@example.org")]
    approved = visitor.post("/api/admin/users/maria/approve", headers=chief)
    assert approved.json()["state"] == "active"
    assert visitor.post("/auth/login", data=login).status_code == 200
    assert visitor.post("/api/admin/users/maria/approve", headers=chief).status_code == 404


def test_who_is_declined_is_gone(visitor: TestClient, chief: dict[str, str]) -> None:
    visitor.post("/api/register", json=MARIA)
    assert visitor.post("/api/admin/users/maria/decline", headers=chief).status_code == 200
    users = visitor.get("/api/admin/users", headers=chief).json()["users"]
    assert [user["name"] for user in users] == ["chief"]


@pytest.mark.parametrize("act", ["approve", "decline"])
def test_only_administrators_decide(visitor: TestClient, archive: Platform, act: str) -> None:
    archive.accounts.add("ada", by="local:test", password="correct horse")
    visitor.post("/api/register", json=MARIA)
    path = f"/api/admin/users/maria/{act}"
    assert visitor.post(path).status_code == 401
    token = archive.identity.login("ada", "correct horse")
    assert visitor.post(path, headers={"X-Auth-Token": token}).status_code == 403
    assert archive.identity.account("maria").state == "pending"


def test_a_taken_name_is_answered_as_a_free_one(visitor: TestClient) -> None:
    free, taken = (visitor.post("/api/register", json={**MARIA, "name": name}) for name in ("new", "chief"))
    assert (free.status_code, free.content) == (taken.status_code, taken.content)
    login = {"username": "chief", "password": MARIA["password"] + "!"}
    tries = [visitor.post("/auth/login", data={**login, "username": name}) for name in ("new", "chief")]
    said = [answer.json()["error"] for answer in tries]
    for one in said:
        one.pop("request")  # its number
    assert said[0] == said[1]


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.test"}, {"Sec-Fetch-Site": "cross-site"}])
def test_no_other_sites_page_registers_its_visitors(
    visitor: TestClient, archive: Platform, headers: dict[str, str]
) -> None:
    assert visitor.post("/api/register", json=MARIA, headers=headers).status_code == 403
    assert [account.name for account in archive.identity.users()] == ["chief"]


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"])
def test_a_form_of_another_site_is_no_registration(visitor: TestClient, archive: Platform, kind: str) -> None:
    body = '{"name": "maria", "password": "correct horse", "email": "maria@example.org", "display_name": ""}'
    assert visitor.post("/api/register", content=body, headers={"Content-Type": kind}).status_code == 400
    assert len(archive.identity.users()) == 1


def test_a_flood_is_told_when_to_come_back(visitor: TestClient) -> None:
    answers = [visitor.post("/api/register", json={**MARIA, "name": f"bot{n}"}) for n in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 3600


def test_no_password_is_written_down(
    visitor: TestClient, archive: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="awe"):
        visitor.post("/api/register", json=MARIA)
        missing = visitor.post("/api/register", json={"name": "maria", "password": "correct horse"})
    assert missing.status_code == 400
    assert "correct horse" not in missing.text + caplog.text + repr(archive.audit.entries())


def test_from_python(archive: Platform, tmp_path: Path) -> None:
    with connect(archive.settings.folder, token="") as sky:
        with pytest.raises(ForbiddenError):  # the folder's own settings say nothing of registration
            sky.register("maria", "correct horse", email="maria@example.org")
        (archive.settings.folder / "awe.toml").write_text('[login]\nregistration = "approval"\n')
    with connect(archive.settings.folder, token="") as sky:
        assert sky.register("maria", "correct horse", email="maria@example.org") == "pending"
    assert archive.identity.account("maria").state == "pending"
