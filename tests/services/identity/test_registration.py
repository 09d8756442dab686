"""People who ask for an account: with approval, without, and too many of them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from argon2 import PasswordHasher

from awe.errors import (
    AuthenticationError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    ParameterError,
    RateLimitError,
)
from awe.services.identity import (
    LOCAL,
    ORIGIN,
    AccountService,
    AccountState,
    AccountStore,
    AuditLog,
    AuditStore,
    ExternalStore,
    FederationService,
    IdentityService,
    LocalAuthenticator,
    Origin,
    RegistrationMode,
    RegistrationService,
    TokenStore,
)
from awe.services.system import SystemDatabase

MARIA = {"password": "correct horse", "display_name": "Maria", "email": "maria@example.org"}


class Clock:
    now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Counting(PasswordHasher):
    """Counts what costs an attacker's time, and ours."""

    done = 0

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.done += 1
        return super().hash(password, salt=salt)


class Desk:
    def __init__(self, system: SystemDatabase, mode: RegistrationMode) -> None:
        self.clock, self.hasher = Clock(), Counting(time_cost=1, memory_cost=8, parallelism=1)
        self.audit = AuditLog(AuditStore(system), self.clock)
        self.accounts = AccountStore(system)
        local = LocalAuthenticator(self.accounts, self.hasher)
        tokens, systems = TokenStore(system), {LOCAL: local}
        federation = FederationService(self.accounts, ExternalStore(system), tokens, self.audit, systems, {})
        self.identity = IdentityService(self.accounts, tokens, self.audit, local, federation)
        self.administration = AccountService(self.accounts, tokens, self.audit, local)
        self.registration = RegistrationService(self.accounts, self.audit, local, mode, self.clock)

    def states(self) -> dict[str, str]:
        return {account.name: account.state.value for account in self.accounts.accounts()}


@pytest.fixture
def desk(system: SystemDatabase) -> Callable[[RegistrationMode], Desk]:
    return lambda mode: Desk(system, mode)


@pytest.fixture
def address() -> Iterator[Callable[[str], None]]:
    """Return what says where requests come from."""
    before = ORIGIN.get()
    yield lambda text: ORIGIN.set(Origin(text, "1")) and None
    ORIGIN.set(before)


def test_a_closed_archive_takes_nobody(desk: Callable[[RegistrationMode], Desk]) -> None:
    closed = desk("closed")
    with pytest.raises(ForbiddenError, match="administrators"):
        closed.registration.register("maria", **MARIA)
    assert closed.states() == {}


def test_whoever_registers_waits_for_approval(desk: Callable[[RegistrationMode], Desk]) -> None:
    here = desk("approval")
    assert here.registration.register("maria", **MARIA) is AccountState.PENDING
    with pytest.raises(AuthenticationError):
        here.identity.login("maria", "correct horse")
    here.registration.approve("maria", by="chief")
    token = here.identity.login("maria", "correct horse")
    assert here.identity.identify(token).roles == frozenset()
    account = here.identity.account("maria")
    assert (account.display_name, account.email) == ("Maria", "maria@example.org")
    with pytest.raises(NotFoundError):
        here.registration.approve("maria", by="chief")
    with pytest.raises(NotFoundError):
        here.registration.decline("maria", by="chief")
    acts = [(e.user, e.action) for e in here.audit.entries(action="user", target="user:maria")]
    assert acts == [("chief", "user.approved"), ("", "user.registered")]


def test_who_is_declined_is_forgotten(desk: Callable[[RegistrationMode], Desk]) -> None:
    here = desk("approval")
    here.registration.register("maria", **MARIA)
    here.registration.decline("maria", by="chief")
    assert here.states() == {}
    assert "example.org" not in repr(here.audit.entries())
    here.registration.register("maria", **MARIA)  # the name is free again
    assert here.states() == {"maria": "pending"}


@pytest.mark.parametrize("name", ["ada", "ADA", "gone", "administrator", "root", "waits"])
def test_the_answer_tells_nothing_of_names(desk: Callable[[RegistrationMode], Desk], name: str) -> None:
    here = desk("approval")
    here.administration.add("ada", by="local:test", password="correct horse")
    here.administration.add("gone", by="local:test", password="correct horse")
    here.accounts.remove("gone")
    here.registration.register("waits", **MARIA)
    before = here.hasher.done
    assert here.registration.register(name, **MARIA) is here.registration.register("new", **MARIA)
    assert here.hasher.done == before + 2  # the same work for both
    assert here.states() == {"ada": "active", "gone": "removed", "waits": "pending", "new": "pending",
                             f"{name}-2": "pending"}  # fmt: skip
    assert here.audit.entries(target=f"user:{name}-2")[0].details == {"wanted": name}
    assert here.identity.login("ada", "correct horse")


def test_a_long_name_that_is_taken_stays_a_name(desk: Callable[[RegistrationMode], Desk]) -> None:
    here = desk("approval")
    here.registration.register("m" * 64, **MARIA)
    here.registration.register("m" * 64, **MARIA)
    assert set(here.states()) == {"m" * 64, "m" * 62 + "-2"}


def test_an_open_archive_says_what_cannot_be_had(desk: Callable[[RegistrationMode], Desk]) -> None:
    here = desk("open")
    assert here.registration.register("maria", **MARIA) is AccountState.ACTIVE
    assert here.identity.login("maria", "correct horse")
    for name in ("maria", "Maria", "administrator"):
        with pytest.raises(ConflictError):
            here.registration.register(name, **{**MARIA, "password": "another horse"})
    assert here.identity.login("maria", "correct horse")
    assert [e.outcome for e in here.audit.entries(action="user.registered")] == ["refused"] * 3 + ["done"]


@pytest.mark.parametrize(
    ("name", "told", "wrong"),
    [
        ("a b", {}, "name"), ("", {}, "name"), ("../x", {}, "name"), ("x" * 65, {}, "name"),
        ("maria", {"password": "short"}, "password"), ("maria", {"email": ""}, "email"),
        ("maria", {"email": "nobody"}, "email"), ("maria", {"email": "a@b\r\nBcc: c@d"}, "email"),
        ("maria", {"email": "<a@b>"}, "email"), ("maria", {"display_name": "a\nb"}, "display_name"),
        ("maria", {"display_name": "a\u202eb"}, "display_name"), ("maria", {"display_name": "x" * 101}, "display_name"),
    ],
)  # fmt: skip
def test_what_cannot_be_used(
    desk: Callable[[RegistrationMode], Desk], name: str, told: dict[str, str], wrong: str
) -> None:
    here = desk("open")
    with pytest.raises(ParameterError) as refused:
        here.registration.register(name, **{**MARIA, **told})
    assert refused.value.fields["name"] == wrong
    assert here.states() == {}
    assert here.hasher.done == 0


@pytest.mark.parametrize("mode", ["approval", "open"])
def test_a_flood_from_one_address_is_stopped(
    desk: Callable[[RegistrationMode], Desk], address: Callable[[str], None], mode: RegistrationMode
) -> None:
    here = desk(mode)
    address("192.0.2.1")
    for number in range(5):
        here.registration.register(f"bot{number}", **MARIA)
    hashed = here.hasher.done
    with pytest.raises(RateLimitError) as refused:
        desk(mode).registration.register("bot5", **MARIA)  # another process of the service counts the same
    assert refused.value.fields["retry_after"] == 3600
    address("192.0.2.2")
    here.registration.register("maria", **MARIA)
    address("192.0.2.1")
    here.clock.now += timedelta(minutes=59)
    with pytest.raises(RateLimitError) as refused:
        here.registration.register("bot5", **MARIA)
    assert refused.value.fields["retry_after"] == 60
    assert here.hasher.done == hashed + 1  # who is refused costs no hashing
    here.clock.now += timedelta(minutes=1, seconds=1)
    here.registration.register("bot5", **MARIA)


def test_names_cannot_be_probed_quickly(
    desk: Callable[[RegistrationMode], Desk], address: Callable[[str], None]
) -> None:
    here = desk("open")
    here.registration.register("maria", **MARIA)
    address("192.0.2.1")
    for _ in range(5):
        with pytest.raises(ConflictError):
            here.registration.register("maria", **MARIA)
    with pytest.raises(RateLimitError):
        here.registration.register("maria", **MARIA)


def test_a_flood_from_everywhere_is_stopped(
    desk: Callable[[RegistrationMode], Desk], address: Callable[[str], None]
) -> None:
    here = desk("approval")
    for number in count():
        address(f"2001:db8::{number:x}")
        try:
            here.registration.register(f"bot{number}", **MARIA)
        except RateLimitError:
            break
    assert number == 100
