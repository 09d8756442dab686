"""What somebody would try who wants more than is theirs; codes, verifiers and devices stand in ``oauth/test_attacks.py``.

Requests that another site's page makes are tried at every address in ``test_authorization.py``.
"""

import gzip
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from starlette.testclient import TestClient

from awe.errors import AuthenticationError
from awe.platform import Platform
from awe.services.identity import ADMINISTRATOR, LocalAuthenticator
from awe.testing import TINY_TABLE, tiny_archive
from awe.web import build_app

pytestmark = pytest.mark.slow

PASSWORD = "correct horse"
COUNT = {"LANG": "ADQL", "QUERY": f"SELECT COUNT(*) AS n FROM {TINY_TABLE}"}
HOME = "https://archive.example.org"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Return an archive with a public address, a user and an administrator."""
    with tiny_archive(tmp_path_factory.mktemp("site"), base_url=HOME) as platform:
        platform.accounts.add("ann", by="local:test", password=PASSWORD)
        platform.accounts.add("chief", [ADMINISTRATOR], by="local:test", password=PASSWORD)
        yield platform


@pytest.fixture
def browser(site: Platform) -> Iterator[Callable[..., TestClient]]:
    """Return what makes a browser of its own, at an address in the network of its own."""
    made: list[TestClient] = []

    def make(address: str = "192.0.2.1") -> TestClient:
        client = TestClient(
            build_app(site), base_url=HOME, raise_server_exceptions=False, follow_redirects=False,
            client=(address, 50000),
        )  # fmt: skip
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def ann(site: Platform) -> dict[str, str]:
    return {"X-Auth-Token": site.identity.login("ann", PASSWORD)}


def test_a_session_that_was_planted_is_not_the_one_that_is_logged_in(
    site: Platform, browser: Callable[..., TestClient]
) -> None:
    planted = site.identity.login("ann", PASSWORD)
    victim = browser()
    victim.cookies.set("awe_token", planted)
    assert victim.post("/auth/login", data={"username": "chief", "password": PASSWORD}).status_code == 200
    kept = [
        cookie.value
        for cookie in victim.cookies.jar
        if cookie.name == "awe_token" and cookie.value != planted
    ]
    assert len(kept) == 1
    assert site.identity.identify(str(kept[0])).name == "chief"
    with pytest.raises(AuthenticationError):  # and who planted it does not find it again
        site.identity.identify(planted)


def test_an_address_plants_no_session(browser: Callable[..., TestClient], ann: dict[str, str]) -> None:
    answer = browser().get("/", params={"awe_token": ann["X-Auth-Token"]})
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("name", ["token", "access_token", "auth_token", "X-Auth-Token", "awe_token", "key"])
def test_a_token_in_an_address_is_none_and_reaches_no_log(
    browser: Callable[..., TestClient], ann: dict[str, str], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    secret = ann["X-Auth-Token"]
    with caplog.at_level(logging.DEBUG, logger="awe"):
        answer = browser().get("/api/whoami", params={name: secret})
        form = browser().post("/tap/sync", data={**COUNT, name: secret})
    assert answer.json()["name"] == "anonymous"
    assert "x-vo-authenticated" not in form.headers
    assert secret not in answer.text + form.text
    said = [record.getMessage() for record in caplog.records]
    assert len([line for line in said if "/api/whoami" in line]) == 1
    assert secret not in " ".join(said)


def test_answers_that_hold_secrets_are_not_kept(browser: Callable[..., TestClient], site: Platform) -> None:
    for path, order in (
        ("/auth/login", {"data": {"username": "ann", "password": PASSWORD}}),
        ("/login-portal/keystone/v3/tokens",
         {"json": {"auth": {"identity": {"password": {"user": {"name": "ann", "password": PASSWORD}}}}}}),
        ("/api/login", {"json": {"user": "ann", "password": PASSWORD}}),
    ):  # fmt: skip
        answer = browser().post(path, **order)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), path
    token = site.identity.login("ann", PASSWORD)
    made = browser().post("/api/tokens", json={"label": "mine"}, headers={"X-Auth-Token": token})
    assert (made.status_code, made.headers["cache-control"]) == (200, "no-store")


ELSEWHERE = ("https://evil.test/", "//evil.test/", "/\\evil.test", "https:evil.test", "javascript:alert(1)",
             "https://archive.example.org.evil.test/", "https://archive.example.org@evil.test/")  # fmt: skip


@pytest.mark.parametrize("target", ELSEWHERE)
@pytest.mark.parametrize(
    ("path", "name"),
    [("/auth", "next"), ("/auth/login", "next"), ("/auth/logout", "next"), ("/oauth/logout", "post_logout_redirect_uri"),
     ("/oauth/authorize", "redirect_uri"), ("/", "next")],
)  # fmt: skip
def test_nobody_is_sent_elsewhere(
    browser: Callable[..., TestClient], ann: dict[str, str], path: str, name: str, target: str
) -> None:
    client = browser()
    for headers in ({}, ann):
        for answer in (
            client.get(path, params={name: target}, headers=headers),
            client.post(path, params={name: target}, headers=headers),
            client.post(path, data={name: target, "username": "ann", "password": PASSWORD}, headers=headers),
        ):
            place = urljoin(HOME + path, answer.headers.get("location", "/").replace("\\", "/"))
            assert place == HOME or place.startswith(f"{HOME}/"), f"{path} sends to {place}"


@pytest.mark.parametrize(
    "path", ["//evil.test/", "//evil.test/tap", "/%2F%2Fevil.test", "/\\evil.test", "/auth/..//evil.test"]
)
def test_a_path_sends_nobody_elsewhere(browser: Callable[..., TestClient], path: str) -> None:
    answer = browser().get(HOME + path)
    assert answer.status_code == 404
    assert "location" not in answer.headers


def test_the_host_that_a_request_names_becomes_no_link(browser: Callable[..., TestClient]) -> None:
    wrong = {"Host": "evil.test", "X-Forwarded-Host": "evil.test", "Forwarded": "host=evil.test"}
    client = browser()
    for path in (
        "/tap/capabilities",
        "/.well-known/openid-configuration",
        "/api/datasets/tiny_acs_f606w",
        "/oai?verb=Identify",
    ):
        answer = client.get(path, headers=wrong)
        assert answer.status_code == 200
        assert HOME in answer.text
        assert "evil.test" not in answer.text
    assert (
        client.post("/tap/async", data=COUNT, headers=wrong)
        .headers["location"]
        .startswith(f"{HOME}/tap/async/")
    )


HEADERS = (
    "X-DL-User", "X-DL-OriginIP", "X-Forwarded-User", "X-Forwarded-Preferred-Username", "X-Remote-User", "Remote-User",
    "REMOTE_USER", "X-User", "X-Auth-User", "X-Authenticated-User", "X-VO-Authenticated", "X-WEBAUTH-USER",
    "X-Auth-Request-User", "X-Ssl-Client-S-Dn", "Ssl-Client-Verify", "X-Identity-Status", "X-User-Id", "X-Roles",
    "X-Is-Admin-Project", "X-Service-Token", "X-Subject-Token", "Cf-Access-Authenticated-User-Email",
)  # fmt: skip
"""What proxies, Keystone's middleware and the Data Lab's services take for who somebody is."""


@pytest.mark.parametrize("name", HEADERS)
def test_no_header_makes_somebody_else(
    browser: Callable[..., TestClient], ann: dict[str, str], name: str
) -> None:
    client = browser()
    for value in ("chief", "administrator", "Confirmed", "SUCCESS", "1"):
        answer = client.get("/api/whoami", headers={name: value})
        assert answer.json() == {"name": "anonymous", "roles": [], "groups": []}
        assert answer.headers.get("x-vo-authenticated") is None
        assert client.get("/api/whoami", headers={name: value, **ann}).json()["name"] == "ann"
        assert client.get("/api/admin/users", headers={name: value}).status_code == 401
        assert client.get("/api/admin/users", headers={name: value, **ann}).status_code == 403


@pytest.mark.parametrize(
    "name",
    ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL"],
)
def test_no_header_makes_it_another_request(
    browser: Callable[..., TestClient], ann: dict[str, str], name: str, site: Platform
) -> None:
    client = browser()
    value = "/api/admin/users" if "URL" in name else "DELETE"
    assert client.get("/api/whoami", headers={name: value, **ann}).json()["name"] == "ann"
    kept = site.identity.tokens("ann")[0].id
    assert client.get(f"/api/tokens/{kept}", headers={name: value, **ann}).status_code == 405
    assert kept in {token.id for token in site.identity.tokens("ann")}


@pytest.mark.parametrize(
    "path",
    ["/API/admin/users", "/api//admin/users", "/api/admin//users", "/api/./admin/users", "/api/x/../admin/users", "/api/admin/users/",
     "/api/admin/users%2f", "/api/admin/users;x", "/api%2fadmin%2fusers", "/CasJobs/../api/admin/users", "/api/admin/users%00"],
)  # fmt: skip
def test_no_spelling_leads_past_the_question_who_asks(
    browser: Callable[..., TestClient], ann: dict[str, str], path: str
) -> None:
    answer = browser().get(HOME + path, headers=ann)
    assert answer.status_code in {400, 403, 404, 405}
    assert "chief" not in answer.text


@pytest.fixture
def checks(site: Platform, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the hashes that passwords are compared to, as they are."""
    seen: list[str] = []
    verify: Any = LocalAuthenticator._verify

    def counting(self: LocalAuthenticator, password_hash: str, password: str) -> bool:
        seen.append(password_hash)
        return bool(verify(self, password_hash, password))

    monkeypatch.setattr(LocalAuthenticator, "_verify", counting)
    return seen


def test_a_name_that_nobody_has_costs_as_much_as_a_wrong_password(
    site: Platform, browser: Callable[..., TestClient], checks: list[str]
) -> None:
    site.accounts.add("nokey", by="local:test")
    site.accounts.add("closed", by="local:test", password=PASSWORD)
    site.accounts.disable("closed", by="local:test")
    answers = set()
    for name in ("ann", "nobody-has-this", "nokey", "closed"):
        checks.clear()
        answer = browser(f"192.0.2.{len(name)}").post(
            "/api/login", json={"user": name, "password": "a wrong one"}
        )
        assert len(checks) == 1, name
        assert checks[0].startswith("$argon2id$")
        answers.add(
            (
                answer.status_code,
                answer.json()["error"]["message"],
                answer.json()["error"].get("hint"),
                len(checks[0].split("$")[3]),
            )
        )
    assert len(answers) == 1  # nor does the answer tell
    assert checks[0].split("$")[2:4] == site.accounts._local.hash("x").split("$")[2:4]  # the same work


def test_a_name_is_guessed_five_times(site: Platform, browser: Callable[..., TestClient]) -> None:
    site.accounts.add("dora", by="local:test", password=PASSWORD)
    guesses = [
        browser(f"198.51.100.{n}").post("/api/login", json={"user": user, "password": "a wrong one"})
        for n, user in enumerate(
            ("dora", "DORA", "dora", "Dora", "dora")
        )  # from wherever, however it is spelt
    ]
    assert [guess.status_code for guess in guesses] == [401] * 5
    # then also whoever knows the password waits: otherwise the answer would tell which guess was right
    later = browser("198.51.100.99")
    keystone = {"auth": {"identity": {"password": {"user": {"name": "dora", "password": PASSWORD}}}}}
    for answer in (
        later.post("/api/login", json={"user": "dora", "password": PASSWORD}),
        later.post("/auth/login", data={"username": "dora", "password": PASSWORD}),
        later.get("/tap/sync", params=COUNT, auth=("dora", PASSWORD)),
        later.post("/login-portal/keystone/v3/tokens", json=keystone),
    ):
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
    assert later.post("/api/login", json={"user": "ann", "password": PASSWORD}).status_code == 200


def test_an_address_guesses_fifty_times(site: Platform, browser: Callable[..., TestClient]) -> None:
    here = browser("203.0.113.7")
    for n in range(50):
        spoofed = {
            "X-Forwarded-For": f"10.0.0.{n}",
            "X-Real-Ip": f"10.0.0.{n}",
            "X-DL-OriginIP": f"10.0.0.{n}",
        }
        guess = here.post(
            "/api/login", json={"user": f"guess{n}", "password": "a wrong one"}, headers=spoofed
        )
        assert guess.status_code == 401
    assert here.post("/api/login", json={"user": "ann", "password": PASSWORD}).status_code == 429
    assert (
        browser("203.0.113.8").post("/api/login", json={"user": "ann", "password": PASSWORD}).status_code
        == 200
    )
    entries = site.audit.entries(action="login", last=1000)
    failed = [e.target for e in entries if e.outcome == "refused" and e.address == "203.0.113.7"]
    # what nobody is called may be a password, typed into the wrong field
    assert failed == ["user:ann", *[""] * 50]


@pytest.mark.parametrize("packed", [False, True])
def test_nobody_makes_the_service_read_much_json(browser: Callable[..., TestClient], packed: bool) -> None:
    body = b'{"user": "' + b"x" * 2_000_000 + b'", "password": "y"}'
    headers = {"Content-Type": "application/json"}
    sent = gzip.compress(body) if packed else body
    answer = browser().post(
        "/api/login", content=sent, headers={**headers, **({"Content-Encoding": "gzip"} if packed else {})}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "limit")


def test_what_somebody_sees_is_kept_for_nobody_else(
    browser: Callable[..., TestClient], ann: dict[str, str]
) -> None:
    client, preview = browser(), "/api/datasets/tiny_acs_f606w/preview"
    assert client.get(preview).headers["cache-control"] == "public, max-age=86400"
    cookie = {"Cookie": f"awe_token={ann['X-Auth-Token']}"}
    for known in (ann, cookie, {"Authorization": f"Bearer {ann['X-Auth-Token']}"}):
        assert client.get(preview, headers=known).headers["cache-control"] == "private, max-age=86400"
        assert client.get("/api/tables", headers=known).headers["cache-control"] == "private"
        assert client.get("/tap/tables", headers=known).headers["cache-control"] == "private"


def test_a_name_writes_no_line_into_log_or_headers(
    site: Platform, browser: Callable[..., TestClient], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    forged = "ann\r\nX-Evil: 1\r\n\r\n12:00 done chief"
    with caplog.at_level(logging.INFO, logger="awe"):
        answer = browser().post("/auth/login", data={"username": forged, "password": "a wrong one"})
        browser().get("/api/tables/" + forged.replace("\r", "%0d").replace("\n", "%0a"))
    assert answer.status_code == 401
    assert "x-evil" not in answer.headers
    assert all("\n" not in record.getMessage() for record in caplog.records)
    assert all("\n" not in entry.user for entry in site.audit.entries(action="login"))
