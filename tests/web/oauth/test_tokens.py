"""What tools do with what they were given: use it, renew it, end it, ask about it; and programs without a browser."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from awe.platform import Platform

pytestmark = pytest.mark.slow

HUB = ("hub", "secret of the hub")
STORE = ("store", "secret of the store")


def test_a_refresh_token_gives_the_next_ones(hub: Any) -> None:
    first = hub.exchange(hub.code()).json()
    second = hub.refresh(first["refresh_token"])
    assert second.status_code == 200
    assert second.headers["cache-control"] == "no-store"
    given = second.json()
    assert given["id_token"]
    assert (
        len({first["refresh_token"], given["refresh_token"], first["access_token"], given["access_token"]})
        == 4
    )
    assert [hub.whose(one["access_token"]) for one in (first, given)] == [200, 200]
    third = hub.refresh(given["refresh_token"]).json()
    headers = {"Authorization": f"Bearer {third['access_token']}"}
    assert hub.web.get("/oauth/userinfo", headers=headers).json() == {"sub": "ada"}
    hub.web.cookies.clear()
    assert (
        hub.web.get("/api/tokens", headers=headers).status_code == 403
    )  # openid alone lets a tool read nothing


def test_a_refresh_token_that_is_not_used_ends(hub: Any, later: Callable[[timedelta], None]) -> None:
    token = hub.exchange(hub.code()).json()["refresh_token"]
    later(timedelta(days=29))
    token = hub.refresh(token).json()["refresh_token"]
    later(timedelta(days=58))
    token = hub.refresh(token).json()["refresh_token"]
    later(timedelta(days=89))
    assert hub.refresh(token).json()["error"] == "invalid_grant"


def test_a_new_token_may_do_less_and_never_more(app: Any) -> None:
    given = app.exchange(app.code()).json()
    assert given["scope"] == "openid read"
    less = app.refresh(given["refresh_token"], scope="read").json()
    assert less["scope"] == "read"
    assert "id_token" not in less
    assert app.refresh(less["refresh_token"], scope="read write").json()["error"] == "invalid_scope"
    again = app.refresh(less["refresh_token"]).json()
    assert again["scope"] == "openid read"


def test_a_token_is_ended(app: Any) -> None:
    for kind in ("access_token", "refresh_token"):
        given = app.exchange(app.code()).json()
        assert app.whose(given["access_token"]) == 200
        assert app.post("/oauth/revoke", token=given[kind]).status_code == 200
        assert app.whose(given["access_token"]) == 401
        assert app.refresh(given["refresh_token"]).json()["error"] == "invalid_grant"
        assert app.post("/oauth/revoke", token=given[kind]).status_code == 200


def test_a_service_asks_what_a_token_is(app: Any, hub: Any, site: Platform) -> None:
    given = app.exchange(app.code()).json()
    asked = {"token": given["access_token"]}
    told = app.web.post("/oauth/introspect", data=asked, auth=STORE).json()
    assert (told["active"], told["sub"], told["client_id"], told["scope"]) == (
        True,
        "ada",
        "app",
        "openid read",
    )
    assert told["exp"] - told["iat"] == 3600
    assert app.web.post("/oauth/introspect", data=asked, auth=HUB).json() == {"active": False}
    assert app.web.post("/oauth/introspect", data={"token": "nobodys"}, auth=STORE).json() == {
        "active": False
    }
    personal, _ = site.identity.new_token(site.identity.known("ada"), "a", frozenset({"read"}), days=1)
    assert app.web.post("/oauth/introspect", data={"token": personal}, auth=STORE).json()["sub"] == "ada"
    own = hub.exchange(hub.code()).json()
    refresh = app.web.post("/oauth/introspect", data={"token": own["refresh_token"]}, auth=HUB).json()
    assert (refresh["active"], refresh["client_id"]) == (True, "hub")
    app.post("/oauth/revoke", token=given["access_token"])
    assert app.web.post("/oauth/introspect", data=asked, auth=STORE).json() == {"active": False}


def test_everything_ends_with_the_account(app: Any, site: Platform) -> None:
    site.accounts.add("eve", by="local:test", password="correct horse")
    assert (
        app.web.post("/auth/login", data={"username": "eve", "password": "correct horse"}).status_code == 200
    )
    given, code = app.exchange(app.code()).json(), app.code()
    site.accounts.disable("eve", by="")
    assert app.whose(given["access_token"]) == 401
    assert app.refresh(given["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.exchange(code).json()["error"] == "invalid_grant"


def test_who_looks_at_the_tokens_sees_the_tools(app: Any, site: Platform) -> None:
    """What a tool was allowed is one line, however often it renewed its token, and ends as a whole."""
    ada = site.identity.known("ada")
    given = app.refresh(app.exchange(app.code()).json()["refresh_token"]).json()
    mine = [token for token in site.identity.tokens("ada") if token.kind == "client"]
    token = mine[0]
    assert (token.label, token.scopes) == ("app", frozenset({"openid", "read"}))
    assert token.last_used is not None
    assert (token.expires - token.created).days == 30
    site.identity.revoke_token(ada, token.id)
    assert app.whose(given["access_token"]) == 401
    assert app.refresh(given["refresh_token"]).json()["error"] == "invalid_grant"
    assert len([token for token in site.identity.tokens("ada") if token.kind == "client"]) == len(mine) - 1


def test_a_new_password_ends_what_was_not_fetched_yet(app: Any, site: Platform) -> None:
    site.accounts.add("zoe", by="local:test", password="correct horse")
    app.web.post("/auth/login", data={"username": "zoe", "password": "correct horse"})
    code, codes = app.code(), start(app.web)
    app.web.post("/oauth/device", data={"user_code": codes["user_code"], "decision": "allow"})
    site.accounts.set_password("zoe", "another horse", by="local:test")
    assert app.exchange(code).json()["error"] == "invalid_grant"
    app.name = "awe"
    assert app.poll(codes["device_code"]).json()["error"] == "invalid_grant"


def start(web: TestClient) -> dict[str, Any]:
    answer = web.post("/oauth/device_authorization", data={"client_id": "awe", "scope": "openid read run"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_program_without_a_browser_is_allowed(ada: TestClient, hub: Any) -> None:
    hub.name = "awe"
    codes = start(ada)
    assert codes["verification_uri"] == "http://testserver/auth/device"
    assert codes["verification_uri_complete"] == f"http://testserver/auth/device#{codes['user_code']}"
    assert (codes["expires_in"], codes["interval"]) == (600, 5)
    assert hub.poll(codes["device_code"]).json()["error"] == "authorization_pending"
    entered = {"user_code": codes["user_code"].lower().replace("-", " ")}
    told = ada.post("/oauth/device", data=entered).json()
    assert (told["title"], [one["scope"] for one in told["scopes"]]) == (
        "awe on the command line",
        ["openid", "read", "run"],
    )
    assert ada.post("/oauth/device", data={**entered, "decision": "allow"}).status_code == 200
    given = hub.poll(codes["device_code"])
    assert given.status_code == 200
    assert hub.whose(given.json()["access_token"]) == 200
    assert hub.poll(codes["device_code"]).json()["error"] == "invalid_grant"
    assert hub.refresh(given.json()["refresh_token"]).status_code == 200
    assert ada.post("/oauth/device", data=entered).status_code == 404


def test_a_program_is_refused(ada: TestClient, hub: Any) -> None:
    hub.name = "awe"
    codes = start(ada)
    ada.post("/oauth/device", data={"user_code": codes["user_code"], "decision": "deny"})
    assert hub.poll(codes["device_code"]).json()["error"] == "access_denied"


def test_the_next_key_signs_and_the_one_before_is_known(hub: Any, site: Platform) -> None:
    old = hub.exchange(hub.code()).json()["id_token"]
    new = site.provider.keys.rotate()
    known = [key["kid"] for key in hub.web.get("/oauth/jwks").json()["keys"]]
    assert known[0] == new
    assert len(known) >= 2
    for token in (old, hub.exchange(hub.code()).json()["id_token"]):
        claims = site.provider.keys.read(token)
        assert claims is not None
        assert claims["sub"] == "ada"


def test_logging_out_at_a_tool_logs_out_here(hub: Any, site: Platform) -> None:
    given = hub.exchange(hub.code()).json()
    asked = {"post_logout_redirect_uri": "http://127.0.0.1:9999/bye", "state": "s"}
    unasked = hub.web.get("/oauth/logout", params={**asked, "client_id": "hub"})
    assert unasked.headers["location"].startswith(
        "/auth/logout"
    )  # anybody's page could have sent her: she is asked
    assert hub.ask().status_code == 302
    answer = hub.web.get("/oauth/logout", params={**asked, "id_token_hint": given["id_token"]})
    assert (answer.status_code, answer.headers["location"]) == (303, "http://127.0.0.1:9999/bye?state=s")
    assert hub.ask().headers["location"].startswith("/auth?next=")
