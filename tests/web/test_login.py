"""Logging in as the Virtual Observatory does: challenges, cookie, Basic, Bearer; and what must not work."""

import base64
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
import pyvo
from starlette.testclient import TestClient

from awe.platform import Platform
from awe.testing import TINY_TABLE, tiny_archive
from awe.web import build_app

pytestmark = pytest.mark.slow

ADA = {"username": "ada", "password": "correct horse"}
COUNT = {"LANG": "ADQL", "QUERY": f"SELECT COUNT(*) AS n FROM {TINY_TABLE}"}


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


@pytest.fixture
def web(platform: Platform) -> Iterator[TestClient]:
    """Return a client with cookies of its own."""
    with TestClient(build_app(platform), raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path", ["/tap", "/tap/capabilities", "/sia2/capabilities", f"/scs/{TINY_TABLE}/capabilities"]
)
def test_capabilities_say_how_to_log_in(web: TestClient, token: str, method: str, path: str) -> None:
    answer = web.request(method, path)
    assert answer.status_code == 200
    cookie, plain, bearer = answer.headers.get_list("www-authenticate")
    login = 'ivoa_cookie standard_id="ivo://ivoa.net/sso#tls-with-password", access_url="http://testserver/auth/login"'
    assert (cookie, bearer) == (login, 'Bearer realm="awe"')
    assert plain.startswith('Basic realm="awe"')
    assert "x-vo-authenticated" not in answer.headers
    known = web.request(method, path, headers={"Authorization": f"Bearer {token}"})
    assert known.headers["x-vo-authenticated"] == "ada"
    assert "www-authenticate" not in known.headers


def test_a_refusal_says_how_to_log_in(web: TestClient) -> None:
    refused = web.get("/tap/sync", params=COUNT, headers={"Authorization": "Bearer nobodys"})
    assert refused.status_code == 401
    assert len(refused.headers.get_list("www-authenticate")) == 3
    assert "x-vo-authenticated" not in refused.headers
    # a browser that is offered Basic asks by itself: not on behalf of the page
    page = web.get("/api/whoami", headers={"Authorization": "Bearer nobodys"})
    assert [c.split()[0] for c in page.headers.get_list("www-authenticate")] == ["ivoa_cookie", "Bearer"]


def test_a_cookie_is_a_login(web: TestClient) -> None:
    answer = web.post("/auth/login", data=ADA)
    assert answer.status_code == 200
    assert answer.headers["x-vo-authenticated"] == "ada"
    assert answer.headers["cache-control"] == "no-store"
    said = answer.headers["set-cookie"].lower()
    assert all(word in said for word in ("httponly", "samesite=lax", "path=/", "max-age=86400"))
    assert "secure" not in said
    assert web.get("/tap/sync", params=COUNT).headers["x-vo-authenticated"] == "ada"
    assert web.post("/tap/sync", data=COUNT).headers["x-vo-authenticated"] == "ada"
    kept = dict(web.cookies)
    web.post("/auth/logout")
    assert not web.cookies
    web.cookies.update(kept)
    ended = web.get("/tap/sync", params=COUNT)
    assert ended.status_code == 200
    assert "x-vo-authenticated" not in ended.headers
    assert "max-age=0" in ended.headers["set-cookie"].lower()


def test_under_https_a_cookie_is_secure(platform: Platform) -> None:
    with TestClient(build_app(platform), base_url="https://testserver") as web:
        assert "; secure" in web.post("/auth/login", data=ADA).headers["set-cookie"].lower()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://testserver:81"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, 403),
        ({"Origin": "http://testserver"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 200),
    ],
)
def test_no_other_sites_page_acts_with_the_cookie(
    web: TestClient, token: str, headers: dict[str, str], status: int
) -> None:
    assert web.post("/auth/login", data=ADA, headers=headers).status_code == status
    web.post("/auth/login", data=ADA)
    assert web.post("/tap/sync", data=COUNT, headers=headers).status_code == status
    assert web.post("/tap/sync", data=COUNT, headers={**headers, "X-Auth-Token": token}).status_code == 200


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"username": "ada", "password": "wrong"}, 401),
        ({"username": "nobody", "password": "wrong"}, 401),
        ({"username": "ada"}, 400),
        ({"password": "correct horse"}, 400),
        ({}, 400),
    ],
)
def test_a_login_that_fails(web: TestClient, platform: Platform, form: dict[str, str], status: int) -> None:
    answer = web.post("/auth/login", data=form)
    assert answer.status_code == status
    assert "set-cookie" not in answer.headers
    platform.identity.login("ada", "correct horse")  # which forgets the failures


def test_a_password_in_an_address_is_refused(web: TestClient) -> None:
    answer = web.post("/auth/login", params=ADA)
    assert answer.status_code == 400
    assert "is not taken from an address" in answer.text
    assert "correct" not in answer.text


def test_blanks_belong_to_a_password(web: TestClient, platform: Platform) -> None:
    platform.accounts.add("blank", by="local:test", password=" two blanks ")
    assert web.post("/auth/login", data={"username": "blank", "password": " two blanks "}).status_code == 200


def test_basic_takes_a_token_or_a_password(web: TestClient, token: str) -> None:
    for headers in (basic("ada", token), basic("", token), basic(token, ""), basic("ada", "correct horse")):
        answer = web.get("/tap/sync", params=COUNT, headers=headers)
        assert (answer.status_code, answer.headers["x-vo-authenticated"]) == (200, "ada")
    assert web.get("/tap/sync", params=COUNT, headers=basic("ada", "wrong horse")).status_code == 401
    web.get("/tap/sync", params=COUNT, headers=basic("ada", "correct horse"))  # forgets the failure


def test_guessing_with_basic_is_slowed_down(web: TestClient) -> None:
    tries = [web.get("/tap/capabilities", headers=basic("eve", f"guess {n}")) for n in range(6)]
    assert [answer.status_code for answer in tries] == [401] * 5 + [429]
    assert int(tries[-1].headers["retry-after"]) > 0


def test_no_secret_reaches_the_log(web: TestClient, token: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        cookie = web.post("/auth/login", data=ADA).cookies["awe_token"]
        web.post("/auth/login", params=ADA)
        web.get("/tap/sync", params=COUNT)
        web.get("/tap/sync", params=COUNT, headers=basic("ada", token))
        web.get("/tap/sync", params={**COUNT, "token": token})
    own = [record.getMessage() for record in caplog.records if record.name.startswith("awe")]
    assert len(own) == 5
    assert not re.search(f"{cookie}|{token}|correct.horse", " ".join(own))


@pytest.fixture(scope="module")
def closed(
    tmp_path_factory: pytest.TempPathFactory, serving: Callable[[Platform], AbstractContextManager[str]]
) -> Iterator[str]:
    """Return the address of an archive with a table that only ada may read."""
    folder = tmp_path_factory.mktemp("closed")
    with tiny_archive(folder) as platform:
        platform.accounts.add("ada", by="local:test", password="correct horse")
        describe, rows = folder / "mine.toml", folder / "mine.csv"
        describe.write_text('[table]\nreaders = ["ada"]\n')
        rows.write_text("n\n1\n2\n3\n")
        platform.catalogs.publish("mine.numbers", [rows], describe=describe)
        with serving(platform) as address:
            yield address


def _cookie_session(address: str) -> Any:
    session = pyvo.auth.AuthSession()
    jar = httpx.post(f"{address}/auth/login", data=ADA).cookies.jar
    for cookie in jar:
        session.credentials.set_cookie(cookie.name, cookie.value or "", domain="127.0.0.1")
    return session


def _basic_session(address: str) -> Any:
    assert address
    session = pyvo.auth.AuthSession()
    session.credentials.set_password("ada", "correct horse")
    return session


def _token_session(address: str) -> Any:
    session = pyvo.auth.AuthSession()
    token = httpx.post(f"{address}/api/login", json={"user": "ada", "password": "correct horse"}).json()[
        "token"
    ]
    known = pyvo.utils.http.create_session()
    known.headers["Authorization"] = f"Bearer {token}"
    session.credentials.set("ivo://ivoa.net/sso#OAuth", known)
    return session


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # pyvo leaves its connections open
@pytest.mark.parametrize("make", [_cookie_session, _basic_session, _token_session])
def test_pyvo_logs_in(closed: str, make: Callable[[str], Any]) -> None:
    query = "SELECT n FROM mine.numbers"
    with pytest.raises(pyvo.dal.DALQueryError, match=r"mine\.numbers"):
        pyvo.dal.TAPService(f"{closed}/tap").search(query)
    service = pyvo.dal.TAPService(f"{closed}/tap", session=make(closed))
    service.capabilities  # noqa: B018  # from which the session learns how the service lets it in
    assert sorted(service.search(query)["n"]) == [1, 2, 3]


def test_tables_that_only_some_may_read_are_not_announced_to_others(closed: str) -> None:
    def names(**headers: str) -> set[str]:
        text = httpx.get(f"{closed}/tap/tables", headers={"Accept": "*/*", **headers}).text
        return set(re.findall(r"<name>(\w+\.\w+)</name>", text))

    assert names(**basic("ada", "correct horse")) - names() == {"mine.numbers"}
