"""The page about login systems: every configuration with a real system, every command on a small archive."""

import re
import shlex
import tomllib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from tests.systems.keystone import Keystone
from tests.systems.ldap import Directory
from tests.systems.openid import OpenIdProvider
from tests.systems.programs import free_port

from awe.cli import load_command
from awe.errors import AuthenticationError, ConflictError, ForbiddenError, UnavailableError, UsageError
from awe.platform import Platform
from awe.settings import Settings
from awe.testing import tiny_archive

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "login-systems.md"
CONFIGURATIONS = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
PASSWORD = "correct horse"
pytestmark = pytest.mark.slow


def configured(number: int, folder: Path, **addresses: str) -> Platform:
    """Open an archive with a configuration of the page, whose addresses are those of the tests."""
    text = CONFIGURATIONS[number]
    for there, here in addresses.items():
        assert there in text, text
        text = text.replace(there, here)
    folder.mkdir(exist_ok=True)
    (folder / "awe.toml").write_text(text)
    return Platform.open(Settings.load(folder))


@pytest.fixture
def directory_here(directory: Directory, tmp_path: Path) -> Callable[[int], Platform]:
    """Open an archive with a configuration of the page for the directory."""
    (tmp_path / "ldap.secret").write_text(directory.password + "\n")
    trusted = f'\nca_file = "{directory.ca_file}"\n'

    def opened(number: int) -> Platform:
        url = re.search(r'url = "(ldaps?)://[\w.]+"', CONFIGURATIONS[number])
        assert url
        port = directory.tls_port if url[1] == "ldaps" else directory.port
        return configured(number, tmp_path, **{url[0]: f'url = "{url[1]}://localhost:{port}"{trusted}'})

    return opened


def test_every_configuration_stands_in_a_test() -> None:
    kinds = [next(iter(tomllib.loads(one)["login"]["providers"].values()))["kind"] for one in CONFIGURATIONS]
    assert kinds == ["ldap", "ldap", "ldap", "keystone", "oidc", "ldap"]


@pytest.mark.parametrize(("number", "groups"), [(0, ()), (1, ())])
def test_people_of_a_directory_log_in(
    directory_here: Callable[[int], Platform], number: int, groups: tuple[str, ...]
) -> None:
    with directory_here(number) as platform:
        platform.accounts.add("chief", by="local:test", password="battery staple")
        found = platform.identity.identify(platform.identity.login("ann", PASSWORD))
        assert (found.name, tuple(found.groups)) == ("ann", groups)
        assert platform.identity.login("chief", "battery staple")
        with pytest.raises(AuthenticationError):
            platform.identity.login("ann", "")


def test_an_active_directorys_names_are_settings_that_are_taken(
    directory_here: Callable[[int], Platform],
) -> None:
    with (
        directory_here(2) as platform,
        pytest.raises(UnavailableError),
    ):  # the directory of the tests is another
        platform.identity.login("ann", PASSWORD)


def test_people_of_keystone_log_in(keystone: Keystone, tmp_path: Path) -> None:
    with configured(3, tmp_path, **{"https://keystone.example.org:5000": keystone.url}) as platform:
        assert platform.identity.identify(platform.identity.login("ann", PASSWORD)).name == "ann"
        assert platform.identity.identify(keystone.token("ann", PASSWORD)).name == "ann"


def test_people_of_an_openid_provider_log_in_and_out(openid_provider: OpenIdProvider, tmp_path: Path) -> None:
    (tmp_path / "sso.secret").write_text(openid_provider.secret)
    openid_provider.say("s-1", preferred_username="sofia", groups=["hst"])
    with (
        configured(4, tmp_path, **{"https://login.example.org": openid_provider.issuer}) as platform,
        httpx.Client() as browser,
    ):
        login = platform.federation.browser("sso")
        begun = login.begin(openid_provider.redirect_uri)
        answer = openid_provider.log_in(browser, begun.url, "s-1")
        token = platform.identity.enter(login.complete(begun.key, openid_provider.redirect_uri, answer))
        assert platform.identity.identify(token).name == "sofia"
        (held,) = platform.identity.tokens("sofia")
        leave = platform.federation.leave_url(held.id, "http://127.0.0.1/")
        assert leave is not None
        openid_provider.log_out(browser, leave)
        assert sum(platform.federation.ended("sso", said) for said in openid_provider.logout_tokens) == 1
        with pytest.raises(AuthenticationError):
            platform.identity.identify(token)


def test_the_operators_rules_are_those_of_the_page(
    directory: Directory, directory_here: Callable[[int], Platform]
) -> None:
    with directory_here(5) as platform:
        found = platform.identity.identify(platform.identity.login("ann", PASSWORD))
        assert found.groups == {"hubble", "institute.jwst"}
        assert found.roles == {"developer"}
        with pytest.raises(ForbiddenError, match="institute"):
            platform.identity.login("ben", PASSWORD)
        token = platform.identity.login("ann", PASSWORD)
        directory.change("uid=ann,ou=people", employeeType="guest")
        try:
            with pytest.raises(ForbiddenError):
                platform.identity.login("ann", PASSWORD)
        finally:
            directory.change("uid=ann,ou=people", employeeType="staff")
        with pytest.raises(AuthenticationError):
            platform.identity.identify(token)


def test_a_directory_that_is_down_is_said_so_and_keeps_nobody_else_out(
    directory_here: Callable[[int], Platform], tmp_path: Path
) -> None:
    directory_here(0).close()
    text = (tmp_path / "awe.toml").read_text()
    (tmp_path / "awe.toml").write_text(re.sub(r"localhost:\d+", f"localhost:{free_port()}", text))
    with Platform.open(Settings.load(tmp_path)) as platform:
        platform.accounts.add("chief", by="local:test", password="battery staple")
        assert platform.identity.login("chief", "battery staple")
        with pytest.raises(UnavailableError):
            platform.identity.login("ann", PASSWORD)


def test_a_secret_in_the_settings_file_is_refused_and_one_in_the_environment_is_not(
    directory: Directory,
    directory_here: Callable[[int], Platform],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    directory_here(0).close()
    text = (tmp_path / "awe.toml").read_text().replace('secret_file = "ldap.secret"', "")
    (tmp_path / "awe.toml").write_text(f'{text}\nsecret = "{directory.password}"\n')
    with pytest.raises(UsageError, match=r"login.providers.institute.secret") as refused:
        Settings.load(tmp_path)
    assert directory.password not in str(refused.value)
    (tmp_path / "awe.toml").write_text(text)
    monkeypatch.setenv("AWE_LOGIN__PROVIDERS__INSTITUTE__SECRET", directory.password)
    with Platform.open(Settings.load(tmp_path)) as platform:
        assert platform.identity.login("ann", PASSWORD)
    monkeypatch.delenv("AWE_LOGIN__PROVIDERS__INSTITUTE__SECRET")
    (tmp_path / "awe.toml").write_text(f'{text}\nsecret_file = "nowhere"\n')
    with pytest.raises(UsageError, match="nowhere"):
        Platform.open(Settings.load(tmp_path))


def test_nobody_logs_in_with_a_password_of_here_where_only_the_institute_counts(
    directory_here: Callable[[int], Platform], tmp_path: Path
) -> None:
    with directory_here(0) as platform:
        platform.accounts.add("chief", by="local:test", password="battery staple")
    text = (tmp_path / "awe.toml").read_text()
    (tmp_path / "awe.toml").write_text(f"[login]\npasswords = false\n{text}")
    with Platform.open(Settings.load(tmp_path)) as platform:
        assert platform.identity.login("ann", PASSWORD)
        with pytest.raises(AuthenticationError):
            platform.identity.login("chief", "battery staple")


def test_every_command_of_the_page(
    directory_here: Callable[[int], Platform], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tiny_archive(tmp_path / "sky").close()
    directory_here(0).close()
    (tmp_path / "sky" / "awe.toml").write_text((tmp_path / "awe.toml").read_text())
    (tmp_path / "sky" / "ldap.secret").write_text((tmp_path / "ldap.secret").read_text())
    with Platform.open(Settings.load("sky")) as platform:
        platform.accounts.add("maria", by="local:test", password="battery staple")
        platform.accounts.add("ann", by="local:test", password="battery staple")
        with pytest.raises(ConflictError, match="Institute of Astronomy"):
            platform.identity.login("ann", PASSWORD)
        with suppress(AuthenticationError):
            platform.identity.login("nobody", "x")
    lines = [
        line
        for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
        for line in block.splitlines()
    ]
    said = []
    for line in lines:
        words = shlex.split(line)
        done = CliRunner().invoke(load_command(words[1]), words[2:], catch_exceptions=False)
        assert done.exit_code == 0, f"{line}\n{done.output}"
        said.append(done.output)
    assert "the name is taken" in said[0]
    assert "6f1a4e0c" in said[2]
    assert len(lines) == 4
