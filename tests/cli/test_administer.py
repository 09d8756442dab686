"""The administrator's guide: every command and the program of the page, on a small archive."""

import re
import shlex
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # starlette's client asks for a newer httpx than awe's client uses
    from starlette.testclient import TestClient

from awe.cli import load_command
from awe.platform import Platform
from awe.services.identity import ADMINISTRATOR
from awe.settings import Settings
from awe.testing import tiny_archive
from awe.web import build_app

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "administer.md"
pytestmark = pytest.mark.slow


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture
def sky(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go where there is an archive `sky`."""
    monkeypatch.chdir(tmp_path)
    tiny_archive(tmp_path / "sky").close()
    return tmp_path / "sky"


def run(line: str) -> str:
    words = shlex.split(line)
    done = CliRunner().invoke(load_command(words[1]), words[2:], catch_exceptions=False)
    assert done.exit_code == 0, f"{line}\n{done.output}"
    return done.output


@pytest.fixture
def opened(sky: Path) -> Iterator[Platform]:
    with Platform.open(Settings.load(sky)) as platform:
        yield platform


def test_every_command_of_the_page(opened: Platform) -> None:
    said: dict[str, str] = {}
    for line in "".join(blocks("sh")).splitlines():
        if line.startswith("awe admin token ls maria"):
            opened.accounts.new_token("maria", "lost", frozenset({"read"}), days=1.0, by="local:test")
        if "revoke ID" in line:
            line = line.replace("ID", opened.identity.tokens("maria")[0].id)  # noqa: PLW2901
        said[line.partition(" --data")[0]] = run(line)
    assert re.fullmatch(
        r"http://\S+/auth/password#[0-9a-f]{32}\n", said["awe admin user add maria --link --role scientist"]
    )
    assert "maria@example.org" in said["awe admin user show maria"]
    assert "developer scientist" in said["awe admin user ls"]
    made = said['awe admin token new pipeline "nightly build" --scope read --scope run --days 30'].strip()
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert "nightly build" in said["awe admin token ls pipeline"]
    assert made not in "".join(text for line, text in said.items() if " new " not in line)
    assert opened.identity.tokens("maria") == ()
    assert opened.identity.account("pipeline").state.value == "removed"
    assert "5,000" in said["awe admin quota show maria"]
    assert "sqlite" in said["awe admin system"]
    acts = opened.audit.entries(target="user:maria")
    assert {act.user.partition(":")[0] for act in acts} == {"local"}
    assert [act.action for act in reversed(acts)] == [
        "user.added", "user.reset", "user.described", "user.roles", "user.disabled", "user.enabled", "user.reset",
        "quota.set",
    ]  # fmt: skip


def test_an_account_with_a_password_that_is_asked_for(opened: Platform) -> None:
    words = ["user", "add", "maria", "--data", "sky"]
    done = CliRunner().invoke(load_command("admin"), words, input="correct horse\ncorrect horse\n")
    assert done.exit_code == 0, done.output
    assert "correct horse" not in done.output
    assert opened.identity.login("maria", "correct horse")
    words = ["user", "password", "maria", "--data", "sky"]
    CliRunner().invoke(load_command("admin"), words, input="another horse\nanother horse\n")
    assert opened.identity.login("maria", "another horse")
    acts = opened.audit.entries(target="user:maria", action="user")
    assert [(act.action, act.user[:6]) for act in acts] == [
        ("user.password", "local:"),
        ("user.added", "local:"),
    ]


def test_the_program_of_the_page(opened: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    opened.accounts.add("chief", [ADMINISTRATOR], by="local:test", password="correct horse")
    opened.accounts.add("maria", by="local:test")
    (program,) = blocks("python")
    with TestClient(build_app(opened)) as web:
        monkeypatch.setattr(httpx, "Client", lambda **told: _with(web, told["headers"]))
        names = {"url": "http://testserver", "token": opened.identity.login("chief", "correct horse")}
        exec(compile(program, str(PAGE), "exec"), names)
    assert opened.identity.account("maria").roles == ("scientist",)
    assert zipfile.is_zipfile("archive.zip")


def _with(web: TestClient, headers: dict[str, str]) -> TestClient:
    web.headers.update(headers)
    return web
