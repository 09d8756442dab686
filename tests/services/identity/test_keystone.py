"""A real Keystone, and one that lies; what all account systems do is in the conformance suite."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests.systems.keystone import Keystone
from tests.systems.programs import listening

from awe.errors import AuthenticationError, AweError, ForbiddenError, UnavailableError
from awe.platform import Platform
from awe.services.identity import ADMIN, ADMINISTRATOR
from awe.services.identity.backends.keystone import KeystoneAuthenticator
from awe.settings import LoginSettings, Settings
from awe.settings.login import KeystoneSettings

PASSWORD = "correct horse"


def of(keystone: Keystone, **settings: Any) -> KeystoneAuthenticator:
    return KeystoneAuthenticator("institute", keystone.settings(**settings), Path())


@pytest.mark.slow
def test_keystone_says_who_it_is(keystone: Keystone) -> None:
    found = of(keystone).authenticate("ann", PASSWORD)
    assert (found.name, found.display_name, found.email) == ("ann", "Ann Example", "ann@example.org")
    assert len(found.subject) == 32
    assert found.groups == {"hst"}


@pytest.mark.slow
def test_projects_are_groups_where_the_operator_says_so(keystone: Keystone) -> None:
    user = keystone.add("user", name="pia", password=PASSWORD)
    keystone.work_on(user, keystone.add("project", name="survey", domain_id="default"))
    assert of(keystone).authenticate("pia", PASSWORD).groups == set()
    found = of(keystone, projects=True).authenticate("pia", PASSWORD)
    assert found.groups == {"project:survey"}
    assert found.attributes == {"project": ("survey",)}


@pytest.mark.slow
def test_groups_end_and_names_change_and_the_person_stays(keystone: Keystone) -> None:
    user, group = keystone.add("user", name="gus", password=PASSWORD), keystone.add("group", name="golf")
    keystone.join(user, group)
    before = of(keystone).authenticate("gus", PASSWORD)
    keystone.leave(user, group)
    keystone.change(user, name="august")
    after = of(keystone).authenticate("august", PASSWORD)
    assert before.groups == {"golf"}
    assert not after.groups
    assert after.subject == before.subject
    with pytest.raises(AuthenticationError):
        of(keystone).authenticate("gus", PASSWORD)


@pytest.mark.slow
def test_the_same_name_in_another_domain_is_somebody_else(keystone: Keystone) -> None:
    domain = keystone.add("domain", name="guests")
    keystone.add("user", name="ann", password="battery staple", domain_id=domain)
    with pytest.raises(AuthenticationError):
        of(keystone).authenticate("ann", "battery staple")
    theirs = of(keystone, domain="guests").authenticate("ann", "battery staple")
    assert theirs.subject != of(keystone).authenticate("ann", PASSWORD).subject


@pytest.mark.slow
def test_who_is_disabled_there_does_not_come_in(keystone: Keystone) -> None:
    user = keystone.add("user", name="dora", password=PASSWORD)
    token = keystone.token("dora", PASSWORD)
    keystone.change(user, enabled=False)
    with pytest.raises(AuthenticationError):
        of(keystone).authenticate("dora", PASSWORD)
    with pytest.raises(AuthenticationError):
        of(keystone, tokens=True).authenticate_token(token)


@pytest.mark.slow
def test_a_token_is_good_where_the_operator_says_so_until_it_is_revoked(keystone: Keystone) -> None:
    keystone.add("user", name="theo", password=PASSWORD)
    token = keystone.token("theo", PASSWORD)
    with pytest.raises(AuthenticationError):
        of(keystone).authenticate_token(token)
    takes = of(keystone, tokens=True)
    assert takes.authenticate_token(token) == takes.authenticate("theo", PASSWORD)
    keystone.revoke(token)
    with pytest.raises(AuthenticationError):
        takes.authenticate_token(token)


@pytest.mark.slow
@pytest.mark.parametrize("token", ["", "x", "a\r\nX-Auth-Token: b", "é", "gAAAAA", "x" * 5000])
def test_what_is_no_token(keystone: Keystone, token: str) -> None:
    with pytest.raises(AuthenticationError):
        of(keystone, tokens=True).authenticate_token(token)


@pytest.mark.slow
def test_a_token_of_keystone_is_one_here_but_for_the_account(keystone: Keystone, tmp_path: Path) -> None:
    user = keystone.add("user", name="tom", password=PASSWORD)
    keystone.join(user, keystone.add("group", name="admins"))
    token = keystone.token("tom", PASSWORD)
    given = keystone.settings(
        tokens=True, roles={"admins": ADMINISTRATOR, "x": "y"}, groups={"admins": "staff"}
    )
    now = [1_000_000.0]
    with Platform.open(Settings(data=tmp_path, login=LoginSettings(providers={"cloud": given}))) as platform:
        platform.identity._foreign_tokens._clock = lambda: now[0]
        found = platform.identity.identify(token)
        assert (found.name, ADMIN in found.scopes) == ("tom", False)
        assert not found.is_administrator
        assert found.groups == {"staff"}
        with pytest.raises(AuthenticationError):
            platform.identity.identify("x" + token)
        keystone.revoke(token)
        assert platform.identity.identify(token).name == "tom"  # it is asked for once a minute
        now[0] += 61
        with pytest.raises(AuthenticationError):
            platform.identity.identify(token)
        platform.accounts.disable("tom", by="chief")
        with pytest.raises(ForbiddenError):
            platform.identity.login("tom", PASSWORD)


class Liar:
    """What answers as Keystone, but for what a test changes: `answers` by path, each a status and a body."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: dict[str, tuple[int, Any]] = {}
        self.header = "t"

    def __call__(self, request: BaseHTTPRequestHandler) -> None:
        request.rfile.read(int(request.headers.get("Content-Length") or 0))
        user = {"id": "4711", "name": "ann", "domain": {"id": "default", "name": "Default"}}
        known = {
            "/v3/auth/tokens": (201, {"token": {"user": user}}),
            "/v3/users/4711/groups": (200, {"groups": [{"name": "hst"}, {"id": 3}, "x"]}),
            "/v3/users/4711": (200, {"user": {}}),
        }
        status, body = {**known, **self.answers}.get(request.path, (404, {}))
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        request.send_response(status)
        if self.header:
            request.send_header("X-Subject-Token", self.header)
        request.send_header("Content-Length", str(len(sent)))
        request.end_headers()
        request.wfile.write(sent)


@pytest.fixture
def liar() -> Iterator[Liar]:
    found = Liar()
    with listening(found) as found.url:
        yield found


def ask(liar: Liar) -> Any:
    settings = KeystoneSettings(kind="keystone", url=liar.url)
    return KeystoneAuthenticator("institute", settings, Path()).authenticate("ann", PASSWORD)


def test_what_is_not_a_name_is_left_out(liar: Liar) -> None:
    assert ask(liar).groups == {"hst"}


@pytest.mark.parametrize(
    ("path", "answer", "kind"),
    [
        ("/v3/auth/tokens", (401, {}), AuthenticationError),
        ("/v3/auth/tokens", (404, {}), UnavailableError),
        ("/v3/auth/tokens", (200, {}), UnavailableError),
        ("/v3/auth/tokens", (302, {}), UnavailableError),
        ("/v3/auth/tokens", (429, {}), UnavailableError),
        ("/v3/auth/tokens", (503, {}), UnavailableError),
        ("/v3/auth/tokens", (201, {}), UnavailableError),
        ("/v3/auth/tokens", (201, {"token": {"user": {"id": 7, "name": "ann"}}}), UnavailableError),
        ("/v3/auth/tokens", (201, b"no json"), UnavailableError),
        ("/v3/auth/tokens", (201, {"token": {"user": {"id": "1", "name": "ann", "domain": {"name": "x"}}}}),
         AuthenticationError),
        ("/v3/users/4711/groups", (403, {}), UnavailableError),
        ("/v3/users/4711/groups", (200, {}), UnavailableError),
        ("/v3/users/4711/groups", (500, {}), UnavailableError),
    ],
    ids=str,
)  # fmt: skip
def test_an_answer_that_is_not_keystones_lets_nobody_in(
    liar: Liar, path: str, answer: tuple[int, Any], kind: type[AweError]
) -> None:
    liar.answers[path] = answer
    with pytest.raises(kind):
        ask(liar)


def test_a_login_without_a_token_is_none(liar: Liar) -> None:
    liar.header = ""
    with pytest.raises(UnavailableError):
        ask(liar)


def test_passwords_go_to_no_address_without_tls() -> None:
    for url in ("http://keystone.example.org:5000", "ftp://keystone.example.org"):
        with pytest.raises(ValidationError):
            KeystoneSettings(kind="keystone", url=url)
    assert KeystoneSettings(kind="keystone", url="http://keystone.example.org:5000", insecure=True)
