from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from awe.errors import AuthenticationError, ConflictError, NotFoundError, ParameterError
from awe.services.identity import (
    LOCAL,
    AccountService,
    AccountState,
    AccountStore,
    AuditLog,
    AuditStore,
    ExternalStore,
    FederationService,
    IdentityService,
    LocalAuthenticator,
    TokenStore,
)
from awe.services.system import SystemDatabase
from awe.testing import with_schema


class Clock:
    now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


class Desk:
    """The two services over one database, with a clock."""

    def __init__(self, system: SystemDatabase) -> None:
        self.system, self.clock = system, Clock()
        accounts, tokens, self.audit = AccountStore(system), TokenStore(system), AuditLog(AuditStore(system))
        local = LocalAuthenticator(accounts, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        federation = FederationService(
            accounts, ExternalStore(system), tokens, self.audit, {LOCAL: local}, {}
        )
        self.identity = IdentityService(accounts, tokens, self.audit, local, federation)
        self.accounts = AccountService(accounts, tokens, self.audit, local, self.clock)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    system = SystemDatabase.in_folder(with_schema(tmp_path))
    system.migrate()
    found = Desk(system)
    found.accounts.add("ann", ["scientist"], by="chief")
    yield found
    system.close()


def test_a_link_sets_a_password_once_and_ends_what_was(desk: Desk) -> None:
    with pytest.raises(AuthenticationError):
        desk.identity.login("ann", "correct horse")
    key = desk.accounts.link("ann", by="chief")
    with pytest.raises(ParameterError):
        desk.accounts.use_link(key, "short")
    assert desk.accounts.use_link(key, "correct horse") == "ann"
    token = desk.identity.login("ann", "correct horse")
    with pytest.raises(AuthenticationError):
        desk.accounts.use_link(key, "battery staple")
    desk.accounts.use_link(desk.accounts.link("ann", by="chief"), "battery staple")
    with pytest.raises(AuthenticationError):
        desk.identity.identify(token)


def test_a_link_ends(desk: Desk) -> None:
    key = desk.accounts.link("ann", by="chief", hours=1)
    desk.clock.now += timedelta(hours=1, seconds=1)
    with pytest.raises(AuthenticationError):
        desk.accounts.use_link(key, "correct horse")


def test_a_new_link_ends_the_earlier(desk: Desk) -> None:
    first = desk.accounts.link("ann", by="chief")
    second = desk.accounts.link("ann", by="chief")
    with pytest.raises(AuthenticationError):
        desk.accounts.use_link(first, "correct horse")
    assert desk.accounts.use_link(second, "correct horse")


def test_only_the_hash_of_a_key_is_kept(desk: Desk) -> None:
    key = desk.accounts.link("ann", by="chief")
    with desk.system.reading() as connection:
        kept = str(connection.execute(text("SELECT * FROM password_links")).all())
        kept += str(connection.execute(text("SELECT * FROM audit")).all())
    assert key not in kept


def test_a_disabled_account_is_shut_until_it_is_enabled(desk: Desk) -> None:
    desk.accounts.set_password("ann", "correct horse", by="local:test")
    token = desk.identity.login("ann", "correct horse")
    key = desk.accounts.link("ann", by="chief")
    desk.accounts.disable("ann", by="chief")
    for attempt in (
        lambda: desk.identity.identify(token),
        lambda: desk.identity.login("ann", "correct horse"),
    ):
        with pytest.raises(AuthenticationError):
            attempt()
    desk.accounts.use_link(key, "battery staple")
    with pytest.raises(AuthenticationError):
        desk.identity.login("ann", "battery staple")
    with pytest.raises(NotFoundError):
        desk.identity.known("ann")
    with pytest.raises(ConflictError):
        desk.accounts.link("ann", by="chief")
    desk.accounts.enable("ann", by="chief")
    assert desk.identity.login("ann", "battery staple")


def test_who_waits_is_approved_and_not_enabled(desk: Desk) -> None:
    AccountStore(desk.system).add("new", None, state=AccountState.PENDING)
    with pytest.raises(ConflictError, match="waits for approval") as caught:
        desk.accounts.enable("new", by="chief")
    assert caught.value.hint == "awe admin user approve new"
    assert desk.identity.account("new").state is AccountState.PENDING


def test_the_name_of_a_removed_account_stays_taken(desk: Desk) -> None:
    desk.accounts.set_password("ann", "correct horse", by="local:test")
    token = desk.identity.login("ann", "correct horse")
    key = desk.accounts.link("ann", by="chief")
    desk.accounts.remove("ann", by="chief")
    account = desk.identity.account("ann")
    assert (account.state, account.roles, account.has_password) == (AccountState.REMOVED, (), False)
    for attempt in (
        lambda: desk.identity.identify(token),
        lambda: desk.accounts.use_link(key, "correct horse"),
    ):
        with pytest.raises(AuthenticationError):
            attempt()
    with pytest.raises(ConflictError):
        desk.accounts.add("ann", [], by="chief")
    for act in (desk.accounts.enable, desk.accounts.remove, desk.accounts.link):
        with pytest.raises(NotFoundError):
            act("ann", by="chief")


def test_nobody_shuts_the_own_account(desk: Desk) -> None:
    for act in (desk.accounts.disable, desk.accounts.remove):
        with pytest.raises(ConflictError, match="your own"):
            act("ann", by="ann")


def test_every_act_is_recorded(desk: Desk) -> None:
    desk.accounts.set_roles("ann", ["developer"], by="chief")
    desk.accounts.describe("ann", display_name="Ann", email="ann@example.org", by="chief")
    desk.accounts.disable("ann", by="chief")
    desk.accounts.enable("ann", by="chief")
    desk.accounts.remove("ann", by="chief")
    acts = [e.action for e in desk.audit.entries(user="chief", target="user:ann")]
    assert acts == [
        "user.removed", "user.enabled", "user.disabled", "user.described", "user.roles", "user.added",
    ]  # fmt: skip
