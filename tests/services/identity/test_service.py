import hashlib

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from awe.errors import (
    AuthenticationError,
    AweError,
    ConflictError,
    NotFoundError,
    ParameterError,
    RateLimitError,
)
from awe.services.identity import (
    ANONYMOUS,
    LOCAL,
    AccountService,
    AccountStore,
    AuditLog,
    AuditStore,
    ExternalStore,
    FederationService,
    GroupStore,
    Identity,
    IdentityService,
    LocalAuthenticator,
    TokenStore,
)
from awe.services.system import SystemDatabase


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(system: SystemDatabase, clock: Clock) -> IdentityService:
    store = AccountStore(system)
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    tokens, audit, local = TokenStore(system), AuditLog(AuditStore(system)), LocalAuthenticator(store, cheap)
    federation = FederationService(store, ExternalStore(system), tokens, audit, {LOCAL: local}, {})
    found = IdentityService(
        store,
        tokens,
        audit,
        local,
        federation,
        token_hours=2,
        clock=clock,
    )
    AccountService(store, tokens, audit, local).add(
        "ann", ["administrator"], by="local:test", password="correct horse"
    )
    GroupStore(system).assign("ann", "example", ["hst"])
    return found


@pytest.fixture
def accounts(system: SystemDatabase) -> AccountService:
    store, cheap = AccountStore(system), PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    audit = AuditLog(AuditStore(system))
    return AccountService(store, TokenStore(system), audit, LocalAuthenticator(store, cheap))


def test_login_gives_a_token_that_says_who_it_is(service: IdentityService) -> None:
    token = service.login("ann", "correct horse")
    assert len(token) == 32
    assert set(token) <= set("0123456789abcdef")
    assert service.identify(token) == Identity("ann", frozenset({"administrator"}), frozenset({"hst"}))


def test_only_hashes_are_kept(service: IdentityService, system: SystemDatabase) -> None:
    token = service.login("ann", "correct horse")
    with system.reading() as connection:
        kept = connection.scalar(text("SELECT hash FROM tokens"))
        password = connection.scalar(text("SELECT password_hash FROM users"))
    assert kept == hashlib.sha256(token.encode()).hexdigest()
    assert password.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("user", "password"), [("ann", "wrong"), ("bob", "correct horse"), ("", ""), ("ANN", "x")]
)
def test_a_wrong_name_and_a_wrong_password_look_the_same(
    service: IdentityService, user: str, password: str
) -> None:
    with pytest.raises(AuthenticationError) as caught:
        service.login(user, password)
    assert caught.value.message == "the user name or the password is wrong"


def test_a_token_ends(service: IdentityService, clock: Clock) -> None:
    token = service.login("ann", "correct horse")
    clock.now += 7199
    assert service.identify(token).name == "ann"
    clock.now += 2
    with pytest.raises(AuthenticationError, match="expired"):
        service.identify(token)


def test_a_revoked_token_is_nobodys(service: IdentityService) -> None:
    token = service.login("ann", "correct horse")
    service.revoke(token)
    service.revoke(token)
    with pytest.raises(AuthenticationError):
        service.identify(token)


def test_a_new_password_ends_the_logins(service: IdentityService, accounts: AccountService) -> None:
    token = service.login("ann", "correct horse")
    accounts.set_password("ann", "battery staple", by="local:test")
    with pytest.raises(AuthenticationError):
        service.identify(token)
    with pytest.raises(AuthenticationError):
        service.login("ann", "correct horse")
    assert service.login("ann", "battery staple")


def test_guessing_is_slowed_down_for_that_user_only(
    service: IdentityService, accounts: AccountService
) -> None:
    accounts.add("bob", by="local:test", password="12345678")
    for _ in range(5):
        with pytest.raises(AuthenticationError):
            service.login("ann", "guess")
    with pytest.raises(RateLimitError, match="too many") as caught:
        service.login("ann", "correct horse")
    assert caught.value.status == 429
    assert 0 < int(str(caught.value.fields["retry_after"])) <= 60
    assert service.login("bob", "12345678")


def test_a_success_forgets_the_failures(service: IdentityService) -> None:
    for _ in range(12):
        with pytest.raises(AuthenticationError):
            service.login("ann", "guess")
        service.login("ann", "correct horse")


def test_accounts(service: IdentityService, accounts: AccountService) -> None:
    accounts.add("bob@example.org", by="local:test", password="12345678")
    assert [(a.name, a.roles, a.groups) for a in service.users()] == [
        ("ann", ("administrator",), ("hst",)),
        ("bob@example.org", (), ()),
    ]
    with pytest.raises(ConflictError, match="ann"):
        accounts.add("ann", by="local:test", password="12345678")
    with pytest.raises(NotFoundError, match="carl"):
        accounts.set_password("carl", "12345678", by="local:test")


@pytest.mark.parametrize(
    ("name", "password"), [("", "12345678"), ("a b", "12345678"), ("../x", "12345678"), ("eve", "short")]
)
def test_unusable_names_and_passwords(accounts: AccountService, name: str, password: str) -> None:
    with pytest.raises(ParameterError) as caught:
        accounts.add(name, by="local:test", password=password)
    assert "short" not in str(caught.value).split(":")[0]


def test_whom_a_caller_can_be_named_as() -> None:
    ann = Identity("ann", roles=frozenset({"scientist"}), groups=frozenset({"hst"}))
    assert ann.principals == {"everybody", "user:ann", "group:hst", "role:scientist"}
    assert ANONYMOUS.principals == {"everybody"}
    assert ANONYMOUS.is_anonymous
    assert Identity("", link="x").principals == {"everybody", "link:x"}


def test_the_rate_limit_travels(service: IdentityService) -> None:
    assert isinstance(AweError.from_json(RateLimitError("slow").to_json()), RateLimitError)
