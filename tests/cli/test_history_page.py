"""The page about the two queues and the history: every command, every line of Python and every cell of it."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import awe
from awe.cli import load_command
from awe.client import Client, Job, connect
from awe.testing import log_in, tiny_archive

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "history.md"
NUMBER = "5d6159b67c5ba72d"
pytestmark = pytest.mark.slow


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)


def run(line: str) -> Result:
    words = shlex.split(line)
    return CliRunner().invoke(load_command(words[1]), words[2:], catch_exceptions=False)


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Return maria's connection to an archive with the table of the page; commands ask the same one."""
    rows = ["MatchID,MatchRA,MatchDec,CI,A_F814W"]
    rows += [f"{n},{187.7 + n / 1e4},{12.39 + n / 1e4},{1 + n / 100},{19 + n / 5}" for n in range(1, 21)]
    (tmp_path / "sumcat.csv").write_text("\n".join(rows))
    with tiny_archive(tmp_path / "sky") as platform:
        for name in ("maria", "bob"):
            platform.accounts.add(name, by="local:test", password="correct horse")
        platform.catalogs.publish("hsc.SumCat", [tmp_path / "sumcat.csv"])
        token = log_in(platform, "maria")
    monkeypatch.setenv("AWE_URL", str(tmp_path / "sky"))
    monkeypatch.setenv("AWE_TOKEN", token)
    with connect() as opened:
        yield opened


def test_every_command(archive: Client) -> None:
    said: dict[str, str] = {}
    for line in (line for block in blocks("sh") for line in block.splitlines()):
        bright = archive.history.find("A_F814W < 20", last=1)
        done = run(line.replace(NUMBER, bright[0].id) if NUMBER in line else line)
        assert done.exit_code == 0, f"{line}\n{done.output}"
        said[line] = done.output
    told = {line: output for line, output in said.items() if line.startswith("awe query")}
    assert [re.findall(r"^ *(\d+) *$", output, re.MULTILINE) for output in told.values()] == [
        ["20"],
        ["4"],
        ["15", "15"],
        ["9"],
    ]
    assert "mydb.bright" in said["awe jobs ls"]
    assert "INTO mydb.ids" in said['awe history ls "mydb.ids"']
    assert archive.history.find("the bright ones") == []
    kept = json.loads(run("awe query --json 'SELECT COUNT(*) AS n FROM mydb.again'").output)
    assert kept["rows"] == [{"n": 4}]


def test_every_line_of_python(archive: Client) -> None:
    statements, history = (block for block in blocks("python") if "%" not in block)
    names: dict[str, Any] = {"awe": awe}
    exec(statements.replace("job.wait().phase", "phase = job.wait().phase"), names)  # the page's
    assert isinstance(names["job"], Job)
    assert names["phase"] == "COMPLETED"
    with pytest.raises(awe.errors.UnknownNameError):
        archive.sql("SELECT nothing FROM hsc.SumCat")
    archive.history.name(archive.history.find("CI > 1.05")[0], "the compact ones")
    archive.sql("DROP TABLE mydb.compact", lang="tsql")
    names["archive"].close()
    names["archive"] = archive
    exec(history, names)  # the page's
    assert [one.query for one in names["failed"]] == ["SELECT nothing FROM hsc.SumCat"]
    assert list(names["again"]["Rows Affected"]) == [15]


def test_every_cell(archive: Client) -> None:
    make: Any = InteractiveShell
    shell = make()
    (load,) = (block for block in blocks("python") if "%" in block)
    with capture_output():
        for cell in (load, *blocks("sql")):
            shell.run_cell(cell.rstrip("\n")).raise_error()
    assert len(shell.user_ns["bright"]) == 4
    assert len(archive.sql("SELECT * FROM mydb.compact")) == 15
    shell.history_manager.end_session()
