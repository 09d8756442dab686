"""The Authenticator seam: what every account system does, wherever it keeps the accounts.

A backend is added to `AUTHENTICATORS` with what makes it and gives it the one account of `ANN`.
"""

import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from awe.errors import AuthenticationError
from awe.services.identity import LOCAL, AccountStore, Authenticator, Claims, LocalAuthenticator
from awe.services.system import SystemDatabase

ANN = "ann"
PASSWORD = "correct horse"
PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
IN_BROWSERS = frozenset({"oidc"})
"""What takes over the browser instead of checking a password."""


def make_local(system: SystemDatabase) -> Authenticator:
    store = AccountStore(system)
    # dear enough for a difference to be seen, cheap enough for a test
    local = LocalAuthenticator(store, PasswordHasher(time_cost=2, memory_cost=16384, parallelism=1))
    store.add(ANN, local.hash(PASSWORD))
    return local


AUTHENTICATORS: dict[str, Callable[[SystemDatabase], Authenticator]] = {LOCAL: make_local}


@pytest.fixture(params=AUTHENTICATORS)
def authenticator(request: pytest.FixtureRequest, system: SystemDatabase) -> Authenticator:
    return AUTHENTICATORS[request.param](system)


def test_every_registered_authenticator_stands_here() -> None:
    registered = tomllib.loads(PROJECT.read_text())["project"]["entry-points"]["awe.authenticators"]
    assert set(registered) - IN_BROWSERS == set(AUTHENTICATORS) - {LOCAL}


def test_the_right_password_says_who_it_is(authenticator: Authenticator) -> None:
    found = authenticator.authenticate(ANN, PASSWORD)
    assert isinstance(found, Claims)
    assert (found.name, bool(found.subject)) == (ANN, True)


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("ann", "wrong"),
        ("ann", ""),
        ("bob", PASSWORD),
        ("", ""),
        ("", PASSWORD),
        ("ann'--", PASSWORD),
        ("ann", PASSWORD + "\0"),
        ("ann", "é" * 10_000),
    ],
)
def test_a_wrong_name_and_a_wrong_password_look_the_same(
    authenticator: Authenticator, user: str, password: str
) -> None:
    with pytest.raises(AuthenticationError) as expected:
        authenticator.authenticate("nobody", "nothing")
    with pytest.raises(AuthenticationError) as caught:
        authenticator.authenticate(user, password)
    assert caught.value.to_json() == expected.value.to_json()


def test_an_unknown_user_costs_as_much_as_a_wrong_password(authenticator: Authenticator) -> None:
    def seconds(user: str) -> float:
        begin = time.thread_time()  # of this thread's work alone: others run on the machine
        with pytest.raises(AuthenticationError):
            authenticator.authenticate(user, "wrong")
        return time.thread_time() - begin

    unknown, known = (min(seconds(user) for _ in range(5)) for user in ("bob", "ann"))
    assert 0.5 < unknown / known < 2
