"""Logging in from a program: shown a code, allowed in a browser, kept on this machine, renewed, ended."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from awe.cli import load_command
from awe.client import connect
from awe.client._device import Waiting
from awe.client._logins import Kept, Logins
from awe.errors import AuthenticationError, ForbiddenError
from awe.platform import Platform
from awe.testing import log_in, tiny_settings

pytestmark = pytest.mark.slow

ADA = {"username": "ada", "password": "correct horse"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    settings = tiny_settings(tmp_path_factory.mktemp("site"), provider={"poll_seconds": 1})
    with Platform.open(settings) as platform:
        platform.accounts.add("ada", by="local:test", password="correct horse")
        yield platform


@pytest.fixture(scope="module")
def url(site: Platform, serving: Callable[[Platform], AbstractContextManager[str]]) -> Iterator[str]:
    with serving(site) as address:
        yield address


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep logins in a folder of the test."""
    monkeypatch.setenv("AWE_CONFIG", str(tmp_path / "config"))
    monkeypatch.delenv("AWE_TOKEN", raising=False)
    return tmp_path / "config"


def decide(url: str, code: str, decision: str) -> None:
    """Enter a code in a browser in which Ada is logged in."""
    with requests.Session() as browser:
        assert browser.post(f"{url}/auth/login", data=ADA, timeout=30).status_code == 200
        answer = browser.post(
            f"{url}/oauth/device", data={"user_code": code, "decision": decision}, timeout=30
        )
        assert answer.status_code == 200, answer.text


def allowing(url: str, decision: str = "allow") -> Callable[[Waiting], None]:
    return lambda waiting: decide(url, waiting.code, decision)


def test_one_line_logs_in_and_later_programs_find_it(url: str, config: Path) -> None:
    with connect(url) as archive:
        assert archive.whoami() == "anonymous"
        archive.login(tell=allowing(url))
        assert archive.whoami() == "ada"
    with connect(url) as later:
        assert later.whoami() == "ada"
        assert [token.kind for token in later.tokens()] == ["client", "login"]
        assert set(later.me().scopes) >= {"read", "write", "share", "run", "publish", "admin"}
    with connect(url, token="") as unknown:
        assert unknown.whoami() == "anonymous"
    assert (config / "logins.json").stat().st_mode & 0o777 == 0o600
    assert config.stat().st_mode & 0o777 == 0o700
    with connect(url) as archive:
        assert archive.logout()
        assert archive.whoami() == "anonymous"
        assert not archive.logout()
    assert json.loads((config / "logins.json").read_text()) == {}


def test_a_token_of_the_environment_wins(url: str, site: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    site.accounts.add("bob", by="local:test", password="correct horse")
    with connect(url) as archive:
        archive.login(tell=allowing(url))
    monkeypatch.setenv("AWE_TOKEN", log_in(site, "bob"))
    with connect(url) as archive:
        assert archive.whoami() == "bob"


def aged(config: Path) -> dict[str, Any]:
    """Let the tokens that are kept be at their end."""
    file = config / "logins.json"
    kept: dict[str, Any] = json.loads(file.read_text())
    for one in kept.values():
        one["expires"] = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    file.write_text(json.dumps(kept))
    return kept


def test_a_login_is_renewed_by_one_of_many(url: str, config: Path) -> None:
    with connect(url) as archive:
        archive.login(tell=allowing(url))
    before = aged(config)[url]
    said: list[str] = []

    def ask() -> None:
        with connect(url) as archive:
            said.append(archive.whoami())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == ["ada"] * 8  # a refresh token used twice would have ended the login
    after = json.loads((config / "logins.json").read_text())[url]
    assert after["refresh_token"] != before["refresh_token"]


def test_a_login_that_has_ended_says_so_once(url: str, site: Platform, config: Path) -> None:
    with connect(url) as archive:
        archive.login(tell=allowing(url))
    site.accounts.set_password("ada", "correct horse", by="local:test")
    aged(config)
    with connect(url) as archive:
        with pytest.raises(AuthenticationError, match="has ended") as caught:
            archive.whoami()
        assert "awe login" in str(caught.value.hint)
        assert archive.whoami() == "anonymous"


def test_a_login_that_is_refused(url: str, config: Path) -> None:
    with connect(url) as archive:
        with pytest.raises(ForbiddenError, match="refused"):
            archive.login(tell=allowing(url, "deny"))
        assert archive.whoami() == "anonymous"
    assert not (config / "logins.json").exists()


def test_a_token_goes_to_its_own_service_only(tmp_path: Path) -> None:
    logins = Logins(tmp_path / "config")
    logins.keep("http://one", Kept("a", "r", datetime.now(UTC) + timedelta(hours=1)))

    def never(_token: str) -> Kept:
        raise AssertionError

    assert logins.token("http://one", never) == "a"
    assert logins.token("http://two", never) == ""
    assert logins.token("http://one.evil.test", never) == ""
    (tmp_path / "config" / "logins.json").write_text("{ damaged")
    assert logins.token("http://one", never) == ""


def test_the_commands(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def command(name: str, *words: str) -> str:
        done = CliRunner().invoke(load_command(name), [*words, "--at", url], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    told: list[str] = []

    def tell(message: str, **_: object) -> None:
        told.append(message)
        if len(told) == 2:
            decide(url, re.findall(r"\b[A-Z]{4}-[A-Z]{4}\b", message)[0], "allow")

    monkeypatch.setattr("awe.client.identity.print", tell, raising=False)
    assert command("login") == f"ada is logged in at {url}\n"
    assert told[0].startswith(f"Open {url}/auth/device#")
    assert "client" in command("token", "ls")
    told.clear()
    assert json.loads(command("login", "--json", "--scope", "read")) == {"user": "ada"}
    assert command("logout") == "logged out\n"
    assert command("logout") == f"no login at {url} is kept here\n"
