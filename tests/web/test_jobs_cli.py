"""``awe query --long`` and ``awe jobs`` against a real server."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from astropy.table import Table

from awe.cli import main
from awe.client import connect
from awe.testing import TINY_TABLE

pytestmark = pytest.mark.slow

QUERY = f"SELECT TOP 5 id, ra FROM {TINY_TABLE} ORDER BY id"


def test_the_command_line(
    server: str,
    token: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWE_URL", server)
    monkeypatch.setenv("AWE_TOKEN", token)
    awe = _commands(monkeypatch, capsys)
    said = awe("query", "--long", QUERY, "--json")
    assert [row["id"] for row in json.loads(said)["rows"]] == [1, 2, 3, 4, 5]
    said = awe("query", "--long", QUERY, "--save", "five.fits")
    assert re.match(r"five.fits: [\d,]+ bytes", said)
    assert (tmp_path / "five.fits").read_bytes().startswith(b"SIMPLE")
    listed = json.loads(awe("jobs", "ls", "--json"))["rows"]
    first = listed[0]["id"]
    assert QUERY in awe("jobs", "ls")
    assert json.loads(awe("jobs", "show", first, "--json"))["phase"] == "COMPLETED"
    assert "COMPLETED" in awe("jobs", "wait", first)
    assert awe("jobs", "fetch", first, "--save", "again.fits").startswith("again.fits")
    assert (tmp_path / "again.fits").read_bytes() == (tmp_path / "five.fits").read_bytes()
    assert "COMPLETED" in awe("jobs", "abort", first)
    assert awe("jobs", "rm", first) == f"removed {first}\n"
    assert first not in awe("jobs", "ls")


def test_ctrl_c_stops_the_waiting_and_says_how_to_come_back(
    server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("AWE_URL", server)
    monkeypatch.setattr("awe.client.jobs.Job.wait", interrupted)
    monkeypatch.setattr(sys, "argv", ["awe", "query", "--long", QUERY])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    said = capsys.readouterr().err
    assert said.startswith("reads 500 rows, ")
    told = re.search(r"awe jobs fetch ([0-9a-f]{32})", said)
    assert told
    monkeypatch.undo()
    with connect(server) as opened:  # it was made without login, so its id is what gives it back
        rows = opened.job(told[1]).result()
    assert isinstance(rows, Table)
    assert len(rows) == 5


def _commands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def awe(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["awe", *arguments])
        main()
        return capsys.readouterr().out

    return awe
