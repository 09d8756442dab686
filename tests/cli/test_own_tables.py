"""The page about one's own tables: every command, the Python and the requests of it, and what the commands say."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from astropy.table import Table
from click.testing import CliRunner, Result

from awe.cli import load_command
from awe.testing import TINY_TABLE, log_in, tiny_archive

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "tables.md"
pytestmark = pytest.mark.slow

FILES = {
    "candidates.csv": "name,ra,dec,mag\nM87-1,187.7059,12.3911,20.5\nM87-2,187.71,12.4,\n",
    "second-night.csv": "name,mag,dec,ra\nM87-3,21.5,12.41,187.72\n",
    "targets.csv": "name,alpha,delta,mag\nM87,187.7059,12.3911,8.6\nM49,187.4446,8.0005,8.4\n",
}


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(), re.DOTALL)


def commands() -> list[list[str]]:
    """Return the words of every command of the page; a line with an open quotation goes on in the next one."""
    found, text = [], ""
    for line in "\n".join(blocks("sh")).splitlines():
        text = f"{text}\n{line}" if text else line
        try:
            found.append(shlex.split(text))
        except ValueError:
            continue
        text = ""
    assert not text
    return [words for words in found if words]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Go where there are an archive that ada is logged in to, and files."""
    monkeypatch.chdir(tmp_path)
    with tiny_archive(tmp_path / "sky") as platform:
        for name in ("ada", "bob"):
            platform.accounts.add(name, by="local:test", password="correct horse")
        platform.groups.add(platform.identity.known("ada"), "survey")
        monkeypatch.setenv("AWE_TOKEN", log_in(platform, "ada"))
        for name, text in FILES.items():
            Path(name).write_text(text)
        yield


def run(*words: str, code: int = 0) -> Result:
    done = CliRunner().invoke(load_command(words[0]), [*words[1:], "--at", "sky"])
    assert (done.exit_code != 0) == bool(code), f"{words}\n{done.output}\n{done.exception}"
    return done


@pytest.mark.usefixtures("here")
def test_every_command_of_the_page() -> None:
    said: dict[str, str] = {}
    lines = commands()
    known = set(load_command("tables").commands)  # type: ignore[attr-defined]  # it is a group
    assert {words[2] for words in lines if words[1] == "tables"} == known
    for words in lines:
        said[" ".join(words)] = run(*words[1:]).output
    assert "187.7" in said["awe cone mydb.targets 187.7059 12.3911 2 arcmin"]
    assert "positions in alpha and delta" in said["awe tables index mydb.targets --ra alpha --dec delta"]
    assert "positions" not in said["awe tables index mydb.targets"]
    assert (
        len(Table.read("targets.fits")) == len(Table.read("targets.vot")) == len(pd.read_csv("rows.txt")) == 2
    )
    assert "mydb.targets" in said["awe tables ls --dropped"]
    figures = {
        line.split()[0]: line.split()[1:]
        for line in said["awe tables statistics mydb.candidates"].splitlines()
    }
    assert figures["column"] == ["least", "greatest", "missing", "different"]
    values = pd.read_csv("candidates.csv")["ra"]
    assert [float(value) for value in figures["ra"]] == [values.min(), values.max(), 0, 2]
    versions = said["awe tables versions mydb.candidates"]
    assert re.findall(r"^ *(\d) +(\d) ", versions, re.MULTILINE) == [("1", "2"), ("2", "3"), ("3", "2")]
    assert "file candidates.csv" in versions
    kept = json.loads(run("tables", "ls", "--own", "--json").stdout)["rows"]
    assert {row["table"]: row["rows"] for row in kept} == {
        "mydb.candidates": 2,
        "mydb.targets": 2,
        "mydb.m87": 500,
    }


@pytest.mark.usefixtures("here")
def test_the_python_of_the_page() -> None:
    (block,) = blocks("python")
    names: dict[str, Any] = {"my_table": Table({"flux": [1.5, 2.5]})}
    for line in block.splitlines():
        exec(line.replace("awe.connect()", "awe.connect('sky')"), names)  # the page's own
    with names["archive"] as archive:
        (gone,) = archive.tables.dropped()
        assert (gone.name, gone.rows) == ("mydb.mine", 2)
        assert archive.tables.restore("mydb.mine").columns is None
        columns = archive.tables.show("mydb.mine").columns
        assert columns is not None
        assert list(columns["unit"]) == ["mJy"]


@pytest.mark.usefixtures("here")
def test_what_the_commands_say() -> None:
    made = run("tables", "load", "candidates.csv", "mydb.c").output
    assert re.search(r"mydb\.c: 2 rows, [\d,]+ bytes, version 1, positions in ra and dec", made)
    shown = run("tables", "show", TINY_TABLE)
    assert "Made-up sources" in shown.output
    said = json.loads(run("tables", "describe", "mydb.c", "--title", "C", "--json").stdout)
    assert (said["table"], said["title"], said["rows"]) == ("mydb.c", "C", 2)
    wrong = run("tables", "describe", "mydb.c", "--column", "mag=20", code=1)
    assert "COLUMN.FACT=VALUE" in wrong.output
    for words in (
        ("load", "candidates.csv", "mydb.c"),
        ("load", "nothing.csv", "mydb.d"),
        ("drop", "mydb.none"),
        ("restore", "mydb.none"),
        ("rename", "mydb.c", "mydb.select"),
    ):
        run("tables", *words, code=1)


@pytest.mark.usefixtures("here")
def test_who_is_not_logged_in_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWE_TOKEN", "")
    monkeypatch.setenv("AWE_CONFIG", "nowhere")
    refused = run("tables", "load", "candidates.csv", "mydb.c", code=1)
    assert "tables of one's own need an account" in str(refused.exception)
    assert TINY_TABLE in run("tables", "ls").output
