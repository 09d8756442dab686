"""The Authenticator seam: what every account system does, wherever it keeps the accounts.

A backend is added to `AUTHENTICATORS` with what makes it, gives it the one account of `ANN` and counts the work it does.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from argon2 import PasswordHasher
from tests.systems.keystone import Keystone
from tests.systems.ldap import Directory
from tests.systems.programs import free_port

from awe.errors import AuthenticationError, UnavailableError
from awe.services.identity import LOCAL, AccountStore, Authenticator, Claims, LocalAuthenticator
from awe.services.identity.backends._http import Answer, Http
from awe.services.identity.backends.keystone import KeystoneAuthenticator
from awe.services.identity.backends.ldap import LdapAuthenticator
from awe.services.system import SystemDatabase

ANN = "ann"
PASSWORD = "correct horse"
PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
IN_BROWSERS = frozenset({"oidc"})
"""What takes over the browser instead of checking a password."""


@dataclass
class Subject:
    """An account system; `work` is how much it did until now; `down` is the same kind of system where nobody is."""

    authenticator: Authenticator
    work: Callable[[], int]
    down: Authenticator | None = None


class CountingHasher(PasswordHasher):
    hashed = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002  # the library's name
        self.hashed += 1
        return super().verify(hash, password)


class CountingHttp:
    def __init__(self, http: Http) -> None:
        self._http, self.count, self.get = http, 0, http.get

    def post_json(self, url: str, body: Mapping[str, object]) -> Answer:
        self.count += 1
        return self._http.post_json(url, body)


def make_local(request: pytest.FixtureRequest) -> Subject:
    system = SystemDatabase.in_folder(request.getfixturevalue("tmp_path"))
    request.addfinalizer(system.close)
    system.migrate()
    hasher = CountingHasher(time_cost=1, memory_cost=8, parallelism=1)
    store = AccountStore(system)
    local = LocalAuthenticator(store, hasher)
    store.add(ANN, local.hash(PASSWORD))
    return Subject(local, lambda: hasher.hashed)


def make_ldap(request: pytest.FixtureRequest) -> Subject:
    directory: Directory = request.getfixturevalue("directory")
    nowhere = directory.settings(url=f"ldap://localhost:{free_port()}")
    return Subject(
        LdapAuthenticator("institute", directory.settings(), Path()),
        directory.binds,
        LdapAuthenticator("institute", nowhere, Path()),
    )


def make_keystone(request: pytest.FixtureRequest) -> Subject:
    keystone: Keystone = request.getfixturevalue("keystone")
    found = KeystoneAuthenticator("institute", keystone.settings(), Path())
    asked = CountingHttp(found._http)
    found._http = asked  # type: ignore[assignment]
    nowhere = keystone.settings(url=f"http://127.0.0.1:{free_port()}")
    return Subject(found, lambda: asked.count, KeystoneAuthenticator("institute", nowhere, Path()))


AUTHENTICATORS: dict[str, Callable[[pytest.FixtureRequest], Subject]] = {
    LOCAL: make_local,
    "ldap": make_ldap,
    "keystone": make_keystone,
}


@pytest.fixture(
    params=[name if name == LOCAL else pytest.param(name, marks=pytest.mark.slow) for name in AUTHENTICATORS]
)
def subject(request: pytest.FixtureRequest) -> Subject:
    return AUTHENTICATORS[request.param](request)


def test_every_registered_authenticator_stands_here() -> None:
    registered = tomllib.loads(PROJECT.read_text())["project"]["entry-points"]["awe.authenticators"]
    assert set(registered) - IN_BROWSERS == set(AUTHENTICATORS) - {LOCAL}


def test_the_right_password_says_who_it_is(subject: Subject) -> None:
    found = subject.authenticator.authenticate(ANN, PASSWORD)
    assert isinstance(found, Claims)
    assert (found.name, bool(found.subject)) == (ANN, True)
    assert subject.authenticator.authenticate(ANN, PASSWORD) == found


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("ann", "wrong"),
        ("ann", ""),
        ("bob", PASSWORD),
        ("", ""),
        ("", PASSWORD),
        ("*", PASSWORD + "x"),
        ("ann'--", PASSWORD),
        ("ann)(uid=*", PASSWORD),
        ("an\\6e", PASSWORD),
        ("ann\0", PASSWORD),
        ("ann", PASSWORD + "\0"),
        ("ann", "é" * 10_000),
        ("é" * 10_000, PASSWORD),
    ],
    ids=lambda text: ascii(text)[:20],
)
def test_a_wrong_name_and_a_wrong_password_look_the_same(subject: Subject, user: str, password: str) -> None:
    with pytest.raises(AuthenticationError) as expected:
        subject.authenticator.authenticate("nobody", "nothing")
    with pytest.raises(AuthenticationError) as caught:
        subject.authenticator.authenticate(user, password)
    assert caught.value.to_json() == expected.value.to_json()


def test_an_unknown_user_is_as_much_work_as_a_wrong_password(subject: Subject) -> None:
    def work(user: str) -> int:
        before = subject.work()
        with pytest.raises(AuthenticationError):
            subject.authenticator.authenticate(user, "wrong")
        return subject.work() - before

    assert work("bob") == work(ANN) > 0


def test_a_system_that_is_down_is_not_there_now(subject: Subject) -> None:
    if subject.down is None:
        return  # awe's own accounts are where awe is
    with pytest.raises(UnavailableError, match="does not answer"):
        subject.down.authenticate(ANN, PASSWORD)
