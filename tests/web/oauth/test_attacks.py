"""What somebody tries who wants in: each is refused, and what was stolen is worth nothing afterwards."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from awe.platform import Platform

pytestmark = pytest.mark.slow

BACK = "http://127.0.0.1:9999/callback"


def test_a_code_is_good_once_and_who_comes_again_ends_what_was_made_of_it(app: Any, site: Platform) -> None:
    code = app.code()
    given = app.exchange(code).json()
    assert app.whose(given["access_token"]) == 200
    replayed = app.exchange(code)
    assert (replayed.status_code, replayed.json()["error"]) == (400, "invalid_grant")
    assert app.whose(given["access_token"]) == 401
    assert app.refresh(given["refresh_token"]).json()["error"] == "invalid_grant"
    line = site.audit.entries(action="client.ended", last=1)[0]
    assert (line.outcome, line.details["why"]) == ("refused", "a code was used twice")


def test_a_code_ends_soon(app: Any, later: Callable[[timedelta], None]) -> None:
    code = app.code()
    later(timedelta(seconds=61))
    assert app.exchange(code).json()["error"] == "invalid_grant"


def test_a_used_refresh_token_ends_the_whole_family(app: Any, site: Platform) -> None:
    first = app.exchange(app.code()).json()
    other = app.exchange(app.code()).json()
    second = app.refresh(first["refresh_token"]).json()
    assert app.whose(second["access_token"]) == 200
    assert app.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert [app.whose(one["access_token"]) for one in (first, second, other)] == [401, 401, 200]
    assert app.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.refresh(other["refresh_token"]).status_code == 200
    line = site.audit.entries(action="client.ended", last=1)[0]
    assert line.details["why"] == "a refresh token was used twice"


@pytest.mark.parametrize("verifier", ["w" * 43, "v" * 44, "v" * 42, "", None])
def test_a_wrong_verifier(app: Any, verifier: str | None) -> None:
    code = app.code()
    answer = app.exchange(code, code_verifier=verifier)
    assert (answer.status_code, answer.json()["error"] in {"invalid_grant", "invalid_request"}) == (400, True)
    assert "access_token" not in answer.text


@pytest.mark.parametrize(
    "changed",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": "short"},
        {"code_challenge": None},
    ],
)
def test_a_public_tool_without_a_hashed_challenge(app: Any, changed: dict[str, str | None]) -> None:
    answer = app.ask(**changed)
    back = urlsplit(answer.headers["location"])
    assert answer.headers["location"].startswith(f"{BACK}?")
    assert parse_qs(back.query)["error"] == ["invalid_request"]
    assert parse_qs(back.query)["state"] == ["the state"]


def test_a_verifier_for_a_code_that_had_no_challenge(hub: Any) -> None:
    """Else a code stolen from elsewhere could be given to this tool (RFC 9700 section 4.8)."""
    code = hub.code(code_challenge=None, code_challenge_method=None)
    assert hub.exchange(code).json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    "foreign",
    [
        "http://evil.test/callback",
        f"{BACK}/",
        f"{BACK}?x=1",
        f"{BACK}#x",
        f"{BACK}/../x",
        BACK.upper(),
        BACK.replace("127.0.0.1", "127.0.0.1@evil.test"),
        BACK.replace("http:", "https:"),
        "javascript:alert(1)",
        "//evil.test",
        'http://evil.test/"',
        "http://evil.test/ü\r\nX: y",
        "",
        None,
    ],
)
def test_a_foreign_address_is_never_gone_to(hub: Any, foreign: str | None) -> None:
    for changed in (
        {},
        {"response_type": "token"},
        {"prompt": "none"},
        {"scope": "nothing"},
        {"request": "x"},
    ):
        answer = hub.ask(**{**changed, "redirect_uri": foreign})
        assert answer.status_code == 400
        assert "location" not in answer.headers
        told = hub.web.get("/oauth/consent", params={"client_id": "hub", "redirect_uri": foreign or ""})
        assert told.status_code == 400


def test_a_code_is_exchanged_with_the_address_it_was_sent_to(hub: Any) -> None:
    for other in ("http://127.0.0.1:9999/other", "http://evil.test", None):
        assert hub.exchange(hub.code(), redirect_uri=other).json()["error"] == "invalid_grant"


def test_a_logout_goes_to_no_foreign_address(hub: Any) -> None:
    hint = hub.exchange(hub.code()).json()["id_token"]
    for foreign in ("http://evil.test", "//evil.test", "http://127.0.0.1:9999/bye/"):
        given = {"id_token_hint": hint, "post_logout_redirect_uri": foreign}
        assert hub.web.get("/oauth/logout", params=given).headers["location"] == "/"
    forged = hint.rpartition(".")[0] + "." + "A" * 342
    answer = hub.web.get("/oauth/logout", params={"id_token_hint": forged})
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    mixed = hub.web.get("/oauth/logout", params={"id_token_hint": hint, "client_id": "viewer"})
    assert mixed.status_code == 400


def test_the_state_comes_back_as_it_was_sent(hub: Any) -> None:
    state = "a b&c=d#e%20ü\u2028<script>"
    back = parse_qs(urlsplit(hub.ask(state=state).headers["location"]).query)
    assert (back["state"], back["iss"], list(back)) == (
        [state],
        ["http://testserver"],
        ["code", "state", "iss"],
    )
    assert "state" not in parse_qs(urlsplit(hub.ask(state=None).headers["location"]).query)


def test_parameters_that_come_twice(hub: Any) -> None:
    twice = (
        f"/oauth/authorize?response_type=code&client_id=hub&redirect_uri={BACK}&redirect_uri=http://evil.test"
    )
    assert hub.web.get(twice).status_code == 400
    form = b"grant_type=refresh_token&grant_type=authorization_code"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = hub.web.post("/oauth/token", content=form, headers=headers, auth=("hub", "secret of the hub"))
    assert answer.json()["error"] == "invalid_request"


def test_what_one_tool_was_given_is_of_no_use_to_another(app: Any, hub: Any) -> None:
    code = app.code()
    assert hub.exchange(code).json()["error"] == "invalid_grant"
    given = app.exchange(code).json()  # nothing ended by the other's try
    assert hub.refresh(given["refresh_token"]).json()["error"] == "invalid_grant"
    hub.post("/oauth/revoke", token=given["refresh_token"])
    assert app.refresh(given["refresh_token"]).status_code == 200
    device = app.web.post("/oauth/device_authorization", data={"client_id": "awe"}).json()["device_code"]
    assert hub.poll(device).json()["error"] == "unauthorized_client"
    assert app.poll(device).json()["error"] == "unauthorized_client"


@pytest.mark.parametrize("secret", ["wrong", "", "secret of the viewer"])
def test_a_wrong_secret(ada: TestClient, hub: Any, secret: str, site: Platform) -> None:
    form = {
        "grant_type": "authorization_code",
        "code": hub.code(),
        "redirect_uri": BACK,
        "code_verifier": "v" * 43,
    }
    answers = [
        ada.post("/oauth/token", data=form, auth=("hub", secret)),
        ada.post("/oauth/token", data={**form, "client_id": "hub", "client_secret": secret}),
        ada.post("/oauth/token", data={**form, "client_id": "hub"}),
        ada.post(
            "/oauth/token", params={"client_id": "hub", "client_secret": "secret of the hub"}, data=form
        ),
        ada.post("/oauth/introspect", data={"token": "x", "client_id": "store", "client_secret": secret}),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]) in {
            (401, "invalid_client"),
            (400, "invalid_client"),
        }
    if secret:
        assert site.audit.entries(action="client.login", last=1)[0].outcome == "refused"


def test_a_client_is_no_user(ada: TestClient, hub: Any, site: Platform) -> None:
    """A client's name and secret are checked as no user's: nobody is locked out by them."""
    before = len(site.audit.entries(action="login", last=10_000))
    for _ in range(10):
        hub.web.post("/oauth/token", data={"grant_type": "x"}, auth=("ada", "wrong"))
    assert len(site.audit.entries(action="login", last=10_000)) == before
    assert ada.post("/auth/login", data={"username": "ada", "password": "correct horse"}).status_code == 200
    assert ada.get("/api/whoami", auth=("hub", "secret of the hub")).status_code == 401


def test_a_device_code_ends(ada: TestClient, app: Any, later: Callable[[timedelta], None]) -> None:
    app.name = "awe"
    codes = ada.post("/oauth/device_authorization", data={"client_id": "awe"}).json()
    later(timedelta(minutes=11))
    assert app.poll(codes["device_code"]).json()["error"] == "expired_token"
    late = ada.post("/oauth/device", data={"user_code": codes["user_code"], "decision": "allow"})
    assert late.status_code == 404


def test_a_device_code_that_was_allowed_and_not_fetched_ends(
    ada: TestClient, app: Any, later: Callable[[timedelta], None]
) -> None:
    app.name = "awe"
    codes = ada.post("/oauth/device_authorization", data={"client_id": "awe"}).json()
    ada.post("/oauth/device", data={"user_code": codes["user_code"], "decision": "allow"})
    later(timedelta(minutes=11))
    assert app.poll(codes["device_code"]).json()["error"] == "expired_token"


def test_who_asks_too_fast_has_to_wait_longer(
    ada: TestClient, app: Any, later: Callable[[timedelta], None]
) -> None:
    app.name = "awe"
    code = ada.post("/oauth/device_authorization", data={"client_id": "awe"}).json()["device_code"]
    said = [app.poll(code).json()["error"] for _ in range(3)]
    assert said == ["authorization_pending", "slow_down", "slow_down"]
    later(timedelta(seconds=12))
    assert app.poll(code).json()["error"] == "slow_down"  # 15 seconds by now
    later(timedelta(seconds=40))
    assert app.poll(code).json()["error"] == "authorization_pending"


def test_nobody_finds_a_code_by_trying(web: TestClient, site: Platform) -> None:
    site.accounts.add("mallory", by="local:test", password="correct horse")
    web.post("/auth/login", data={"username": "mallory", "password": "correct horse"})
    said = [web.post("/oauth/device", data={"user_code": f"BBBB-BB{n}"}).status_code for n in "BCDFGHJKLMN"]
    assert said == [404] * 10 + [429]
    good = web.post("/oauth/device_authorization", data={"client_id": "awe"}).json()["user_code"]
    assert web.post("/oauth/device", data={"user_code": good}).status_code == 429


@pytest.mark.parametrize("path", ["/oauth/consent", "/oauth/device"])
def test_no_other_sites_page_decides(ada: TestClient, path: str) -> None:
    form = {"response_type": "code", "client_id": "viewer", "redirect_uri": BACK, "scope": "openid"}
    for headers in ({"Origin": "http://evil.test"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = ada.post(path, data={**form, "decision": "allow", "user_code": "BBBB"}, headers=headers)
        assert answer.status_code == 403
        assert "location" not in answer.json()


def test_no_secret_reaches_the_log(app: Any, hub: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    code = hub.code()
    given = hub.exchange(code).json()
    later = hub.refresh(given["refresh_token"]).json()
    hub.post("/oauth/revoke", token=later["access_token"])
    hub.web.get("/oauth/logout", params={"id_token_hint": given["id_token"]})
    secrets = [code, "secret of the hub", given["id_token"]]
    secrets += [one[kind] for one in (given, later) for kind in ("access_token", "refresh_token")]
    written = "\n".join(
        line.getMessage() for line in caplog.records if line.name != "httpx"
    )  # the test's own
    assert "/oauth/token" in written
    assert not [secret for secret in secrets if secret in written]


def test_no_secret_is_kept(hub: Any, site: Platform) -> None:
    code = hub.code()
    given = hub.exchange(code).json()
    with site.system.reading() as connection:
        tables = (
            connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        )
        kept = "".join(str(connection.exec_driver_sql(f'SELECT * FROM "{t}"').all()) for t in tables)
    assert "hub" in kept
    assert not [one for one in (code, given["access_token"], given["refresh_token"]) if one in kept]


def test_old_ways_are_not_there(hub: Any) -> None:
    for grant in ("password", "client_credentials", "implicit", ""):
        form = {"username": "ada", "password": "correct horse"}
        assert hub.post("/oauth/token", grant_type=grant, **form).json()["error"] == "unsupported_grant_type"
    for kind in ("token", "id_token", "code id_token", "code token", None):
        answer = hub.ask(response_type=kind)
        assert parse_qs(urlsplit(answer.headers["location"]).query)["error"] == ["unsupported_response_type"]
    assert hub.web.get("/oauth/token").status_code == 405
