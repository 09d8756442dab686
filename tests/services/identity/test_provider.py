"""What the provider keeps, on every kind of database: nothing is given twice, and everything ends when it should."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from awe.errors import ForbiddenError, NotFoundError, UsageError
from awe.platform import Platform
from awe.services.identity import (
    COMMAND_LINE,
    SCOPES,
    AccountStore,
    AuditLog,
    AuditStore,
    Authorization,
    AuthorizationRequest,
    Client,
    DeviceState,
    Identity,
    Issued,
    ProviderService,
    ProviderStore,
    TokenStore,
    provider_clients,
)
from awe.services.system import SystemDatabase, backup, restore
from awe.settings import Settings
from awe.settings.provider import ProviderClientSettings, ProviderSettings

BACK = "https://tool.test/back"
TOOL = Client("tool", "Tool", (BACK,), scopes=frozenset({"openid", "read", "write"}), secret_hash="0" * 64)
ASKED = AuthorizationRequest("tool", BACK, frozenset({"openid", "read"}), nonce="n", challenge="c")
ADA = Identity("ada")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """The moment it is."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider(system: SystemDatabase, clock: Clock) -> ProviderService:
    accounts = AccountStore(system)
    accounts.add("ada", None)
    audit = AuditLog(AuditStore(system), clock)
    clients = (COMMAND_LINE, TOOL)
    return ProviderService(
        ProviderStore(system), accounts, TokenStore(system), audit, ProviderSettings(), clients, clock
    )


def allowed(provider: ProviderService) -> tuple[Authorization, ...]:
    return provider._store.authorizations("ada", provider._now())


def redeemed(provider: ProviderService) -> Issued:
    code = provider.code(provider.allow(ADA, ASKED, BEGIN), TOOL)
    assert code is not None
    issued = provider.redeem(code)
    assert issued is not None
    return issued


def at_once(do: Callable[[], object]) -> list[object]:
    with ThreadPoolExecutor(8) as pool:
        return [done for done in pool.map(lambda _: do(), range(8)) if done is not None]


def test_of_many_who_come_with_a_code_one_is_given_something(provider: ProviderService) -> None:
    secret = provider.allow(ADA, ASKED, BEGIN)
    code = provider.code(secret, TOOL)
    assert code is not None
    assert len(at_once(lambda: provider.redeem(code))) == 1
    assert allowed(provider) == ()  # the others had stolen it, or it was stolen from them


def test_of_many_who_come_with_a_refresh_token_one_is_given_something(provider: ProviderService) -> None:
    refresh = provider.refresh(redeemed(provider).refresh_token, TOOL)
    assert refresh is not None
    assert len(at_once(lambda: provider.rotate(refresh, frozenset({"read"})))) == 1
    assert allowed(provider) == ()


def test_of_many_who_come_with_a_device_code_one_is_given_something(provider: ProviderService) -> None:
    codes = provider.begin_device(COMMAND_LINE, SCOPES)
    decided = at_once(lambda: decide(provider, codes.user_code))
    assert len(decided) == 1
    device = provider.device(codes.device_code)
    assert device is not None
    assert device.state is DeviceState.ALLOWED
    assert len(at_once(lambda: provider.redeem_device(device))) == 1
    assert len(allowed(provider)) == 1


def decide(provider: ProviderService, user_code: str) -> Client | None:
    try:
        return provider.decide(ADA, user_code, BEGIN, allowed=True)
    except NotFoundError:
        return None


def test_a_rotated_token_knows_its_family_however_long(provider: ProviderService, clock: Clock) -> None:
    first = issued = redeemed(provider)
    for _ in range(10):
        clock.now += timedelta(days=2)
        refresh = provider.refresh(issued.refresh_token, TOOL)
        assert refresh is not None
        following = provider.rotate(refresh, refresh.authorization.scopes)
        assert following is not None
        issued = following
    assert len(allowed(provider)) == 1
    assert provider.refresh(first.refresh_token, TOOL) is None
    assert allowed(provider) == ()


def test_what_has_ended_is_not_kept(provider: ProviderService, clock: Clock, system: SystemDatabase) -> None:
    redeemed(provider)
    provider.begin_device(COMMAND_LINE, SCOPES)
    clock.now += timedelta(days=40)
    redeemed(provider)
    provider.begin_device(COMMAND_LINE, SCOPES)
    with system.reading() as connection:
        for table in ("authorizations", "refresh_tokens", "authorization_codes", "device_codes"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 1, table


def test_keys_change_by_themselves(provider: ProviderService, clock: Clock) -> None:
    old = provider.keys.sign({"sub": "ada"})
    assert [key for key, _ in provider.keys.known()] == [key["kid"] for key in keys(provider)]
    clock.now += timedelta(days=91)
    new = provider.keys.sign({"sub": "ada"})
    assert len(keys(provider)) == 2
    assert provider.keys.read(old) == provider.keys.read(new) == {"sub": "ada"}
    clock.now += timedelta(days=91)
    provider.keys.sign({"sub": "ada"})
    assert provider.keys.read(old) is None
    clock.now += timedelta(seconds=1)
    provider.keys.rotate(forget=True)
    assert len(keys(provider)) == 1
    assert provider.keys.read(new) is None
    assert provider.keys.read("no token") is None


def keys(provider: ProviderService) -> list[dict[str, str]]:
    found = provider.keys.public()["keys"]
    assert isinstance(found, list)
    return found


def test_many_processes_make_one_key(provider: ProviderService) -> None:
    at_once(lambda: provider.keys.sign({"sub": "ada"}))
    assert len(provider.keys.known()) == 1


def test_a_token_cannot_become_one_that_may_do_more(provider: ProviderService) -> None:
    less = Identity("ada", scopes=frozenset({"read", "write"}))
    with pytest.raises(ForbiddenError):
        provider.allow(less, ASKED, BEGIN)
    with pytest.raises(ForbiddenError):
        provider.entered(less, provider.begin_device(COMMAND_LINE, SCOPES).user_code)


@pytest.mark.slow
def test_what_was_given_is_good_after_a_restore(tmp_path: Path) -> None:
    with Platform.open(Settings.load(tmp_path / "here")) as here:
        here.accounts.add("ada", by="local:test", password="correct horse")
        codes = here.provider.begin_device(COMMAND_LINE, SCOPES)
        here.provider.decide(ADA, codes.user_code, BEGIN, allowed=True)
        device = here.provider.device(codes.device_code)
        assert device is not None
        issued = here.provider.redeem_device(device)
        assert issued is not None
        signed = here.provider.keys.sign({"sub": "ada"})
        backup(here.system, tmp_path / "here", tmp_path / "archive.zip")
    system = SystemDatabase.in_folder(tmp_path / "there")
    restore(tmp_path / "archive.zip", system, tmp_path / "there", "")
    system.close()
    with Platform.open(Settings.load(tmp_path / "there")) as there:
        assert there.identity.identify(issued.access_token).name == "ada"
        assert there.provider.keys.read(signed) == {"sub": "ada"}
        refresh = there.provider.refresh(issued.refresh_token, COMMAND_LINE)
        assert refresh is not None
        assert there.provider.rotate(refresh, SCOPES) is not None


def test_the_clients_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a secret\n")
    given = {"hub": ProviderClientSettings(secret_file=tmp_path / "secret", redirect_uris=(BACK,))}
    line, hub = provider_clients(ProviderSettings(clients=given))
    assert line is COMMAND_LINE
    assert not hub.is_public
    assert "a secret" not in repr(hub)
    for name, wrong in (
        ("awe", ProviderClientSettings()),
        ("a b", ProviderClientSettings()),
        ("hub", ProviderClientSettings(scopes=("everything",))),
        ("hub", ProviderClientSettings(secret_file=tmp_path / "missing")),
    ):
        with pytest.raises(UsageError, match=r"provider\.clients"):
            provider_clients(ProviderSettings(clients={name: wrong}))


@pytest.mark.parametrize(
    "wrong",
    ['redirect_uris = ["javascript:x"]', 'redirect_uris = ["https://x/#y"]', 'secret = "open"', "typo = 1"],
)
def test_settings_that_are_refused(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "awe.toml").write_text(f"[provider.clients.hub]\n{wrong}\n")
    with pytest.raises(UsageError, match=r"provider\.clients\.hub"):
        Settings.load(tmp_path)


def test_a_secret_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "awe.toml").write_text('[provider.clients.hub]\ntitle = "Hub"\n')
    monkeypatch.setenv("AWE_PROVIDER__CLIENTS__HUB__SECRET", "a secret")
    settings = Settings.load(tmp_path)
    assert "a secret" not in repr(settings)
    client = provider_clients(settings.provider)[1]
    assert (client.title, client.is_public) == ("Hub", False)
