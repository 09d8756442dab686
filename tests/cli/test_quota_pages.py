"""The pages about quotas and monitoring: every command of them, on a small archive."""

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from awe.cli import load_command
from awe.platform import Platform
from awe.services.identity import ANONYMOUS, MEASURES, Measure
from awe.settings import Settings
from awe.testing import tiny_archive

HOWTO = Path(__file__).resolve().parents[2] / "docs" / "howto"
pytestmark = pytest.mark.slow


def run(line: str) -> Result:
    words = shlex.split(line)
    return CliRunner().invoke(load_command(words[1]), words[2:], catch_exceptions=False)


def commands(page: str) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", (HOWTO / page).read_text(), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go where there is an archive `sky` with an account."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AWE_TOKEN", raising=False)
    with tiny_archive(tmp_path / "sky") as platform:
        platform.accounts.add("maria", by="local:test", password="correct horse")
        platform.groups.add(ANONYMOUS, "hst", by="local:test")
    return tmp_path


def test_every_command_about_quotas(here: Path) -> None:
    lines = commands("quotas.md")
    assert {line.split()[3] for line in lines if " admin " in line} == {"set", "ls", "show"}
    for line in lines:
        done = run(line)
        assert done.exit_code == 0, f"{line}\n{done.output}"
    shown = json.loads(run("awe admin quota show maria --data sky --json").output)["rows"]
    limits = {row["measure"]: (row["limit"], row["of"]) for row in shown}
    assert limits["jobs_at_once"] == ("20", "user:maria")
    assert limits["storage_bytes"] == ("no limit", "user:maria")
    assert limits["queries_at_once"] == ("200", "settings")
    listed = json.loads(run("awe admin quota ls --data sky --json").output)["rows"]
    assert [row["principal"] for row in listed] == ["group:hst", "user:maria", "user:maria"]
    assert "is dropped" in run(f"awe admin quota drop {listed[0]['id']} --data sky").output
    assert len(json.loads(run("awe admin quota ls --data sky --json").output)["rows"]) == 2
    wrong = run("awe admin quota set everybody tables much --data sky")
    assert (wrong.exit_code, "a number, or none" in wrong.output) == (2, True)


def test_the_page_names_every_measure() -> None:
    page = (HOWTO / "quotas.md").read_text()
    assert not [measure for measure in Measure if f"`{measure}`" not in page]
    assert set(MEASURES) == set(Measure)


def test_the_settings_of_the_page_are_settings(here: Path) -> None:
    for page in ("quotas.md", "monitor.md"):
        for block in re.findall(r"```toml\n(.*?)```", (HOWTO / page).read_text(), re.DOTALL):
            Path("sky/awe.toml").write_text(block)
            settings = Settings.load("sky")
            if page == "quotas.md":
                assert settings.quotas.anonymous.queries_per_day == 1000
                assert settings.quotas.anonymous.jobs_waiting is None
            else:
                assert settings.log_format == "json"


def test_every_command_about_monitoring(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for line in commands("monitor.md"):
        if line.startswith("awe token"):
            with Platform.open(Settings.load("sky")) as platform:
                monkeypatch.setenv("AWE_TOKEN", platform.identity.login("prometheus", "a long password"))
        done = run(line)
        assert done.exit_code == 0, f"{line}\n{done.output}"
    monkeypatch.delenv("AWE_TOKEN")
    run("awe cone tiny.sources '187.7059 12.3911' '2 arcmin' --at sky")
    today = json.loads(run("awe admin usage --data sky --json").output)["rows"][-1]
    assert (today["queries"], today["logins"], today["people"]) == ("1", "1", "0")
