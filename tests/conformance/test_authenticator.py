"""The Authenticator seam: what every account system does, wherever it keeps the accounts.

A backend is added to `AUTHENTICATORS` with what makes it and gives it the one account of `ANN`.
"""

import time
from collections.abc import Callable

import pytest
from argon2 import PasswordHasher

from awe import plugins
from awe.errors import AuthenticationError
from awe.services.identity import AccountStore, Authenticator, GroupStore, Identity, LocalAuthenticator
from awe.services.system import SystemDatabase

ANN = Identity("ann", roles=frozenset({"staff"}), groups=frozenset({"hst"}))
PASSWORD = "correct horse"


def make_local(system: SystemDatabase) -> Authenticator:
    store = AccountStore(system)
    # dear enough for a difference to be seen, cheap enough for a test
    local = LocalAuthenticator(store, PasswordHasher(time_cost=2, memory_cost=16384, parallelism=1))
    store.add(ANN.name, local.hash(PASSWORD), sorted(ANN.roles))
    GroupStore(system).assign(ANN.name, "example", ANN.groups)
    return local


AUTHENTICATORS: dict[str, Callable[[SystemDatabase], Authenticator]] = {"local": make_local}


@pytest.fixture(params=AUTHENTICATORS)
def authenticator(request: pytest.FixtureRequest, system: SystemDatabase) -> Authenticator:
    return AUTHENTICATORS[request.param](system)


def test_every_registered_authenticator_stands_here() -> None:
    assert set(plugins.names("awe.authenticators")) == set(AUTHENTICATORS)


def test_the_right_password_says_who_it_is(authenticator: Authenticator) -> None:
    assert authenticator.authenticate(ANN.name, PASSWORD) == ANN


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
