"""The page about operating an archive: every command of it, on a small archive."""

import re
import shlex
import sqlite3
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from awe.cli import load_command
from awe.platform import Platform
from awe.settings import Settings
from awe.testing import tiny_archive

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "operate.md"
pytestmark = pytest.mark.slow


def run(line: str) -> Result:
    words = shlex.split(line)
    return CliRunner().invoke(load_command(words[1]), words[2:], catch_exceptions=False)


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Go where there is an archive `sky`; return a token of an account in it."""
    monkeypatch.chdir(tmp_path)
    with tiny_archive(tmp_path / "sky") as platform:
        platform.accounts.add("maria", by="local:test", password="correct horse")
        return platform.identity.login("maria", "correct horse")


def test_every_command_of_the_page(token: str) -> None:
    lines = commands()
    assert {line.split()[2] for line in lines} == {"backup", "restore", "migrate", "audit"}
    for line in lines:
        done = run(line)
        assert done.exit_code == 0, f"{line}\n{done.output}"
    with Platform.open(Settings.load("restored")) as platform:
        assert platform.identity.identify(token).name == "maria"
        assert platform.identity.login("maria", "correct horse")


def test_what_the_commands_say(token: str) -> None:
    assert "records of" in run("awe admin backup archive.zip --data sky").output
    assert zipfile.is_zipfile("archive.zip")
    assert Path("archive.zip").stat().st_mode & 0o777 == 0o600
    again = CliRunner().invoke(load_command("admin"), ["restore", "archive.zip", "--data", "sky"])
    assert again.exit_code != 0
    assert not Path("elsewhere").exists()
    missing = CliRunner().invoke(load_command("admin"), ["backup", "x.zip", "--data", "elsewhere"])
    assert missing.exit_code != 0
    assert not Path("x.zip").exists()
    assert "nothing is changed" in run("awe admin migrate --data sky").output


def test_an_older_archive_is_refused_until_it_is_migrated(token: str) -> None:
    from alembic import command
    from alembic.config import Config

    from awe.errors import UnavailableError
    from awe.services.system import SystemDatabase

    system = SystemDatabase.in_folder(Path("sky"))
    config = Config()
    config.set_main_option("script_location", "awe.services.system:migrations")
    config.set_main_option("path_separator", "os")
    with system.engine.begin() as connection:  # an older schema counts no changes
        config.attributes["connection"] = connection
        command.downgrade(config, "-1")
    system.close()
    with pytest.raises(UnavailableError) as refused:
        Platform.open(Settings.load("sky"))
    assert "awe admin migrate" in str(refused.value.hint)
    assert "nothing is changed" in run("awe admin migrate --data sky --dry-run").output
    said = run("awe admin migrate --data sky").output
    copy = re.search(r"the database as it was: (\S+)", said)
    assert copy
    with sqlite3.connect(copy[1]) as before:
        assert before.execute("SELECT count(*) FROM users").fetchone() == (1,)
    before.close()
    Platform.open(Settings.load("sky")).close()
