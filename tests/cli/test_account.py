"""The page about one's account: every command and every line of Python of it."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from awe.cli import load_command
from awe.client import Client, connect
from awe.errors import AuthenticationError
from awe.platform import Platform
from awe.services.identity import TokenKind
from awe.testing import tiny_archive

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "account.md"
pytestmark = pytest.mark.slow


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with tiny_archive(tmp_path / "sky") as opened:
        opened.accounts.add("ada", by="local:test", password="correct horse")
        yield opened


@pytest.fixture
def archive(platform: Platform) -> Iterator[Client]:
    with connect(platform.settings.folder, token=platform.identity.login("ada", "correct horse")) as found:
        yield found


def test_the_commands(platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("AWE_TOKEN", raising=False)
    (block,) = blocks("sh")
    for line in block.splitlines():
        words = [*shlex.split(line), "--at", str(platform.settings.folder)]
        done = CliRunner().invoke(load_command(words[1]), words[2:], catch_exceptions=False)
        assert done.exit_code == 0, f"{line}\n{done.output}"
        if words[1] == "login":
            monkeypatch.setenv("AWE_TOKEN", done.stdout.strip())
    made = [token.label for token in platform.identity.tokens("ada") if token.kind is TokenKind.PERSONAL]
    assert made == ["my script"]


def test_the_python(platform: Platform, archive: Client) -> None:
    elsewhere = platform.identity.login("ada", "correct horse")
    (block,) = blocks("python")
    names: dict[str, object] = {"archive": archive}
    for line in block.splitlines():
        exec(line, names)  # the page's own
        if "end_logins" in line:
            with pytest.raises(AuthenticationError):
                platform.identity.identify(elsewhere)
            assert archive.me().display_name == "Ada Lovelace"
    assert platform.identity.account("ada").email == "ada@example.org"
    assert platform.identity.login("ada", "battery staple")
    assert platform.identity.tokens("ada")
