"""Tokens: their scopes, their forms, their end; and what is written of them."""

import base64
import logging

import pytest
from starlette.testclient import TestClient

from awe.platform import Platform
from awe.services.identity import ADMINISTRATOR, SCOPES, Resource
from awe.testing import TINY_TABLE
from awe.web import build_app

COUNT = {"LANG": "ADQL", "QUERY": f"SELECT COUNT(*) AS n FROM {TINY_TABLE}"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def made(web: TestClient, token: str) -> dict[str, str]:
    """Return what the service says of a new token that may only read."""
    answer = web.post("/api/tokens", json={"label": "TOPCAT"}, headers=bearer(token))
    assert answer.status_code == 200, answer.text
    found: dict[str, str] = answer.json()
    return found


def test_a_token_is_shown_once_and_listed_without_it(
    web: TestClient, token: str, made: dict[str, str], platform: Platform
) -> None:
    listed = web.get("/api/tokens", headers=bearer(token))
    assert made["token"] not in listed.text
    entry = next(one for one in listed.json()["tokens"] if one["id"] == made["id"])
    assert (entry["label"], entry["kind"], entry["scopes"]) == ("TOPCAT", "personal", ["read"])
    logged = platform.audit.entries(target=f"token:{made['id']}")
    assert [(e.user, e.action, e.details["scopes"]) for e in logged] == [("ada", "token.made", "read")]
    assert logged[0].request
    assert logged[0].address


def test_every_way_to_send_it(web: TestClient, made: dict[str, str]) -> None:
    def basic(name: str, password: str) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}

    for token in (made["token"], made["datalab_token"]):
        for headers in (
            bearer(token),
            {"X-Auth-Token": token},
            {"X-DL-AuthToken": token},
            basic("ada", token),
            basic("topcat", token),
            {"Cookie": f"awe_token={token}"},
        ):
            answer = web.get("/tap/sync", params=COUNT, headers=headers)
            assert (answer.status_code, answer.headers.get("x-vo-authenticated")) == (200, "ada")
    path = f"/login-portal/keystone/v3/tokens/{made['token']}"
    assert web.get(path).json()["token"]["user"]["name"] == "ada"


def test_who_has_not_logged_in_at_the_data_lab_is_nobody(web: TestClient) -> None:
    nobody, demo = "anonymous.0.0.anon_access", "dldemo.99999.99999.demo_access"
    for headers in (
        {"X-DL-AuthToken": nobody}, {"X-Auth-Token": nobody}, bearer(nobody), {"X-DL-AuthToken": demo},
    ):  # fmt: skip
        assert web.get("/api/whoami", headers=headers).json()["name"] == "anonymous"
        assert web.get("/tap/sync", params=COUNT, headers=headers).status_code == 200
        assert web.get("/api/me", headers=headers).status_code == 401
    refused = {"X-DL-AuthToken": "dltest.99998.99998.test_access"}
    assert web.get("/api/whoami", headers=refused).status_code == 401


def test_the_long_form_counts_for_its_owner_only(web: TestClient, made: dict[str, str]) -> None:
    name, _, rest = made["datalab_token"].partition(".")
    assert name == "ada"
    assert len(made["datalab_token"]) <= 128
    assert web.get("/api/me", headers=bearer(f"root.{rest}")).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/api/tokens", "admin"),
        ("POST", "/api/me/password", "admin"),
        ("POST", "/api/jobs", "run"),
        ("DELETE", "/api/jobs/x", "run"),
        ("POST", "/tap/async", "run"),
        ("DELETE", "/soda/async/x", "run"),
    ],
)
def test_a_missing_scope_is_named(
    web: TestClient, made: dict[str, str], method: str, path: str, scope: str
) -> None:
    headers = {**bearer(made["token"]), "Accept": "application/json"}
    body = {"query": "SELECT 1"} if path == "/api/jobs" else None
    answer = web.request(method, path, headers=headers, json=body)
    assert answer.status_code == 403
    assert answer.json()["error"]["fields"] == {"scope": scope}
    assert f"lacks the scope {scope}" in answer.json()["error"]["message"]


def test_a_question_by_post_is_a_read(web: TestClient, made: dict[str, str]) -> None:
    assert web.post("/tap/sync", data=COUNT, headers=bearer(made["token"])).status_code == 200


def test_a_token_gives_no_more_than_it_has(web: TestClient, token: str) -> None:
    order = {"label": "keys", "scopes": ["admin"], "days": 1}
    keys = web.post("/api/tokens", json=order, headers=bearer(token)).json()["token"]
    answer = web.post("/api/tokens", json={**order, "scopes": ["write"]}, headers=bearer(keys))
    assert answer.status_code == 403
    assert "write" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "order",
    [{"label": ""}, {"label": "x", "scopes": ["root"]}, {"label": "x", "scopes": []},
     {"label": "x", "days": 0}, {"label": "x", "days": 1e9}, {"label": "x\n"}, {"label": "x", "user": "root"}],
)  # fmt: skip
def test_unusable_orders(web: TestClient, token: str, order: dict[str, object]) -> None:
    assert web.post("/api/tokens", json=order, headers=bearer(token)).status_code == 400


def test_a_revoked_token_is_nobodys_and_others_tokens_are_not_ours(
    web: TestClient, token: str, made: dict[str, str], platform: Platform
) -> None:
    platform.accounts.add("mallory", by="local:test", password="correct horse")
    other = bearer(platform.identity.login("mallory", "correct horse"))
    assert web.delete(f"/api/tokens/{made['id']}", headers=other).status_code == 404
    assert web.delete(f"/api/tokens/{made['id']}", headers=bearer(token)).status_code == 200
    assert web.get("/api/me", headers=bearer(made["token"])).status_code == 401
    assert platform.audit.entries(action="token.revoked")[0].details == {"owner": "ada"}


def test_an_administrators_token_without_the_scope_is_no_administrators(platform: Platform) -> None:
    platform.accounts.add("chief", [ADMINISTRATOR], by="local:test", password="correct horse")
    chief = platform.identity.identify(platform.identity.login("chief", "correct horse"))
    assert chief.is_administrator
    secret, _ = platform.identity.new_token(chief, "all but one", SCOPES - {"admin"}, days=1)
    reader = platform.identity.identify(secret)
    assert not reader.is_administrator
    assert ADMINISTRATOR not in reader.roles
    assert not platform.policy.allowed(reader, "read", Resource("job", "x", "somebody"))
    assert platform.policy.allowed(chief, "read", Resource("job", "x", "somebody"))


@pytest.mark.parametrize(
    "name",
    ["X-DL-User", "X-Forwarded-User", "Remote-User", "X-Remote-User", "X-User", "X-Auth-User", "REMOTE_USER"],
)
def test_no_header_makes_somebody_else(web: TestClient, made: dict[str, str], name: str) -> None:
    assert web.get("/api/whoami", headers={name: "chief"}).json()["name"] == "anonymous"
    assert web.get("/api/whoami", headers={name: "chief", **bearer(made["token"])}).json()["name"] == "ada"


def test_no_token_reaches_the_log(
    web: TestClient, made: dict[str, str], caplog: pytest.LogCaptureFixture, platform: Platform
) -> None:
    with caplog.at_level(logging.DEBUG, logger="awe"):
        web.get(f"/login-portal/keystone/v3/tokens/{made['token']}")
        web.get("/api/whoami", params={"token": made["datalab_token"]})
        web.get(f"/auth/isValidToken/{made['datalab_token']}")
    said = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("awe"))
    assert said.count("***") == 3
    assert made["token"] not in said
    assert made["token"] not in repr(platform.audit.entries(last=10_000))


def test_logins_are_recorded_also_those_that_fail(web: TestClient, platform: Platform) -> None:
    platform.accounts.add("carol", by="local:test", password="correct horse")
    for password in ("a wrong one", "correct horse"):
        web.post("/api/login", json={"user": "carol", "password": password})
    done, refused = platform.audit.entries(action="login", last=2)
    assert (done.user, done.outcome) == ("carol", "done")
    assert (refused.user, refused.target, refused.outcome) == ("", "user:carol", "refused")
    assert "a wrong one" not in repr(refused)


def test_a_login_begins_a_new_session(platform: Platform) -> None:
    with TestClient(build_app(platform)) as browser:
        browser.cookies.set("awe_token", "0" * 32)
        answer = browser.post("/auth/login", data={"username": "ada", "password": "correct horse"})
        assert answer.status_code == 200
        assert "0" * 32 not in answer.headers["set-cookie"]
