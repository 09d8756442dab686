"""The way of a browser to another account system and back: with a real OpenID provider, and with who would misuse it."""

import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.testclient import TestClient
from tests.systems.openid import OpenIdProvider

from awe.platform import Platform
from awe.testing import tiny_archive
from awe.web import build_app

pytestmark = pytest.mark.slow

HERE = "http://127.0.0.1"
BEGIN, BACK, LINK, LEFT = (f"/auth/oidc/institute/{what}" for what in ("begin", "callback", "link", "logout"))
ADA = {"username": "ada", "password": "correct horse"}


@pytest.fixture
def archive(tmp_path: Path, openid_provider: OpenIdProvider) -> Iterator[Platform]:
    """Return an archive that lets in people of the institute; ``ada`` has a password."""
    login = {"providers": {"institute": openid_provider.settings().model_dump()}}
    with tiny_archive(tmp_path / "sky", login=login, base_url=HERE) as platform:
        platform.accounts.add("ada", by="local:test", password="correct horse")
        yield platform


@pytest.fixture
def web(archive: Platform) -> Iterator[TestClient]:
    with _browser(archive) as found:
        yield found


def _browser(archive: Platform) -> TestClient:
    return TestClient(
        build_app(archive), base_url=HERE, raise_server_exceptions=False, follow_redirects=False
    )


@pytest.fixture
def elsewhere() -> Iterator[httpx.Client]:
    """Return the same browser at the provider."""
    with httpx.Client() as found:
        yield found


def come_in(
    web: TestClient, elsewhere: httpx.Client, provider: OpenIdProvider, subject: str, wanted: str = "/account"
) -> httpx.Response:
    begun = web.get(BEGIN, params={"next": wanted})
    assert begun.status_code == 303
    back: httpx.Response = web.get(
        BACK, params=provider.log_in(elsewhere, begun.headers["location"], subject)
    )
    return back


def test_logging_in_and_out(
    web: TestClient, elsewhere: httpx.Client, openid_provider: OpenIdProvider, archive: Platform
) -> None:
    openid_provider.say("4711", preferred_username="maria", name="Maria")
    (way,) = web.get("/api/login", params={"next": "/api/docs"}).json()["providers"]
    assert (way["name"], way["title"]) == ("institute", "The Institute")
    assert way["path"] == f"{BEGIN}?next=%2Fapi%2Fdocs"
    back = come_in(web, elsewhere, openid_provider, "4711", "/api/docs")
    assert (back.status_code, back.headers["location"]) == (303, "/api/docs")
    assert "no-store" in back.headers["cache-control"]
    assert web.get("/api/whoami").json()["name"] == "maria"
    assert set(web.cookies) == {"awe_token"}
    gone = web.post("/auth/logout", headers={"Accept": "application/json"}).json()["next"]
    assert web.get("/api/whoami").json()["name"] == "anonymous"
    assert gone.startswith(openid_provider.issuer)
    assert openid_provider.log_out(elsewhere, gone).rstrip("/") == HERE
    assert web.post("/auth/login", data=ADA).status_code == 200  # and a login with a password leaves to us
    assert web.post("/auth/logout", headers={"Accept": "application/json"}).json() == {"next": "/"}


def test_the_provider_ends_a_login(
    web: TestClient, elsewhere: httpx.Client, openid_provider: OpenIdProvider, archive: Platform
) -> None:
    openid_provider.say("4712", preferred_username="nina")
    come_in(web, elsewhere, openid_provider, "4712")
    assert web.get("/api/whoami").json()["name"] == "nina"
    url = archive.federation.browser("institute").leave_url(f"{HERE}/")
    assert url
    before = len(openid_provider.logout_tokens)
    openid_provider.log_out(elsewhere, url)
    (told,) = openid_provider.logout_tokens[before:]
    assert web.post(LEFT, data={"logout_token": "x.y.z"}).status_code == 400
    assert web.get("/api/whoami").json()["name"] == "nina"
    done = web.post(LEFT, data={"logout_token": told})
    assert (done.status_code, done.headers["cache-control"]) == (200, "no-store")
    assert web.get("/api/whoami").json()["name"] == "anonymous"


def test_an_identity_is_added_to_an_account_and_taken_away(
    web: TestClient, elsewhere: httpx.Client, openid_provider: OpenIdProvider, archive: Platform
) -> None:
    openid_provider.say("4713", preferred_username="countess")
    assert web.post(LINK).status_code == 401
    web.post("/auth/login", data=ADA)
    url = web.post(LINK).json()["url"]
    back = web.get(BACK, params=openid_provider.log_in(elsewhere, url, "4713"))
    assert back.headers["location"] == "/account#identities"
    (one,) = web.get("/api/me/identities").json()["identities"]
    assert (one["provider"], one["title"], one["name"], one["subject"]) == (
        "institute", "The Institute", "countess", "4713",
    )  # fmt: skip
    with _browser(archive) as another:
        come_in(another, elsewhere, openid_provider, "4713")
        assert another.get("/api/whoami").json()["name"] == "ada"
        which = {"provider": "institute", "subject": "4713"}
        assert web.delete("/api/me/identities", params=which).status_code == 200
        assert web.delete("/api/me/identities", params=which).status_code == 404
        assert another.get("/api/whoami").json()["name"] == "anonymous"  # what came by it ended
    assert web.get("/api/me/identities").json()["identities"] == []


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.test"}, {"Sec-Fetch-Site": "cross-site"}])
def test_no_other_sites_page_adds_an_identity(web: TestClient, headers: dict[str, str]) -> None:
    web.post("/auth/login", data=ADA)
    assert web.post(LINK, headers=headers).status_code == 403


def test_a_token_of_a_program_adds_no_identity(web: TestClient, archive: Platform) -> None:
    ada = archive.identity.identify(archive.identity.login("ada", "correct horse"))
    secret, _ = archive.identity.new_token(ada, "reads", frozenset({"read", "write"}), days=1)
    assert web.post(LINK, headers={"X-Auth-Token": secret}).status_code == 403


def test_a_login_adds_nothing_and_an_addition_logs_nobody_in(
    web: TestClient, elsewhere: httpx.Client, openid_provider: OpenIdProvider, archive: Platform
) -> None:
    """An answer is good for what was asked, and for who asked, only."""
    openid_provider.say("4714", preferred_username="mallory")
    archive.accounts.add("eva", by="local:test", password="correct horse")
    web.post("/auth/login", data=ADA)
    url = web.post(LINK).json()["url"]
    answer = openid_provider.log_in(elsewhere, url, "4714")
    web.post(
        "/auth/login", data={**ADA, "username": "eva"}
    )  # somebody else sits down at the browser meanwhile
    assert web.get(BACK, params=answer).headers["location"].startswith("/account?failed=not_authenticated")
    web.post("/auth/logout")
    assert web.get(BACK, params=answer).headers["location"].startswith("/auth?")
    assert web.get("/api/whoami").json()["name"] == "anonymous"
    assert archive.federation.links("ada") == archive.federation.links("eva") == ()


def test_an_answer_is_good_in_the_browser_that_asked_and_once(
    web: TestClient, elsewhere: httpx.Client, openid_provider: OpenIdProvider, archive: Platform
) -> None:
    openid_provider.say("4715", preferred_username="olga")
    begun = web.get(BEGIN)
    answer = openid_provider.log_in(elsewhere, begun.headers["location"], "4715")
    with _browser(archive) as victim:  # whom somebody sends the address, to be logged in as themselves
        refused = victim.get(BACK, params=answer)
        assert refused.headers["location"] == "/auth?next=%2F&failed=not_authenticated&provider=institute"
        assert "awe_token" not in victim.cookies
        victim.get(BEGIN)
        assert victim.get(BACK, params=answer).headers["location"].startswith("/auth?")
        assert "awe_token" not in victim.cookies
    kept = dict(web.cookies)
    assert web.get(BACK, params=answer).headers["location"] == "/"
    web.cookies.clear()
    web.cookies.update(kept)
    assert web.get(BACK, params=answer).headers["location"].startswith("/auth?")  # replayed
    assert "awe_token" not in web.cookies


@pytest.mark.parametrize("value", ["", "x", "e30=", "WzFd", "WyIiLCAibG9naW4iLCAiLy9ldmlsLnRlc3QiXQ==", "\\"])
def test_a_cookie_that_is_not_ours_is_good_for_nothing(web: TestClient, value: str) -> None:
    answer = web.get(BACK, params={"state": "", "code": "c"}, headers={"Cookie": f"awe_way={value}"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/auth?next=%2F&failed=not_authenticated")


def test_a_planted_session_is_replaced(
    web: TestClient, elsewhere: httpx.Client, openid_provider: OpenIdProvider, archive: Platform
) -> None:
    openid_provider.say("4716", preferred_username="petra")
    planted = archive.identity.login("ada", "correct horse")
    web.cookies.set("awe_token", planted)
    back = come_in(web, elsewhere, openid_provider, "4716")
    assert planted not in str(back.headers)
    assert web.get("/api/whoami", headers={"X-Auth-Token": planted, "Cookie": ""}).status_code == 401


@pytest.mark.parametrize("wanted", ["//evil.test", "/\\evil.test", "https://evil.test", "/%2fevil.test"])
def test_no_login_leads_to_another_site(
    web: TestClient, elsewhere: httpx.Client, openid_provider: OpenIdProvider, wanted: str
) -> None:
    openid_provider.say("4717", preferred_username="rita")
    assert come_in(web, elsewhere, openid_provider, "4717", wanted).headers["location"] == "/"


def test_whose_name_is_taken_is_told_so(
    web: TestClient, elsewhere: httpx.Client, openid_provider: OpenIdProvider
) -> None:
    openid_provider.say("4718", preferred_username="ada")
    back = come_in(web, elsewhere, openid_provider, "4718")
    assert parse_qs(urlsplit(back.headers["location"]).query)["failed"] == ["conflict"]
    assert "awe_token" not in web.cookies


def test_a_provider_that_is_not_there(tmp_path: Path, openid_provider: OpenIdProvider) -> None:
    away = openid_provider.settings(issuer="http://127.0.0.1:9").model_dump()
    login = {"providers": {"away": away}}
    with tiny_archive(tmp_path, login=login, base_url=HERE) as platform, _browser(platform) as web:
        answer = web.get("/auth/oidc/away/begin", params={"next": "/account"})
        assert answer.headers["location"] == "/auth?next=%2Faccount&failed=unavailable&provider=away"
        assert web.get("/auth/oidc/nobody/begin").status_code == 404


def test_nothing_that_lets_somebody_in_is_written_down(
    web: TestClient,
    elsewhere: httpx.Client,
    openid_provider: OpenIdProvider,
    archive: Platform,
    caplog: pytest.LogCaptureFixture,
) -> None:
    openid_provider.say("4719", preferred_username="sofia")
    with caplog.at_level(logging.DEBUG, logger="awe"):
        begun = web.get(BEGIN)
        answer = openid_provider.log_in(elsewhere, begun.headers["location"], "4719")
        web.get(BACK, params=answer)
    said = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("awe"))
    said += repr(archive.audit.entries())
    assert "callback" in said
    for secret in (answer["code"], answer["state"], web.cookies["awe_token"], *begun.cookies.values()):
        assert secret not in said
