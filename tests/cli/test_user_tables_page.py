"""The operator's page about users' tables: every command of it, on a small archive."""

import re
import shlex
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from awe.cli import load_command
from awe.core.tables import TableStream
from awe.platform import Platform
from awe.services.identity import Identity
from awe.settings import Settings, TableSettings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "user-tables.md"
MARIA = Identity("maria")
pytestmark = pytest.mark.slow


def run(line: str) -> Result:
    words = shlex.split(line)
    return CliRunner().invoke(load_command(words[1]), words[2:])


def test_every_command_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Platform.open(Settings.load("sky")) as platform:
        platform.accounts.add("maria", by="local:test", password="correct horse")
        for number, mode in ((1, "create"), (2, "replace")):
            rows = TableStream.from_table(pa.table({"n": [0] * number}))
            platform.tables.write("stars", rows, MARIA, mode=mode)  # type: ignore[arg-type]  # of the two words above
    said = {}
    for line in re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)[0].splitlines():
        done = run(line)
        assert done.exit_code == 0, f"{line}\n{done.output}"
        said[line.removeprefix("awe admin tables ").removesuffix(" --data sky")] = done.output
    assert "user_maria.stars" in said["ls maria"]
    assert "user_maria.stars" in said["ls maria --dropped"]
    assert "is version 2 again: 2 rows" in said["restore user_maria.stars"]
    assert "is version 1 again: 1 rows" in said["restore user_maria.stars --version 1"]
    with Platform.open(Settings.load("sky")) as platform:
        assert platform.tables.table("mydb.stars", MARIA).rows == 1
        actions = [line.action for line in platform.audit.entries() if line.action.startswith("table.")]
    assert sorted(actions) == [
        "table.dropped", "table.listed", "table.listed", "table.restored", "table.restored",
    ]  # fmt: skip
    refused = run("awe admin tables ls nobody --data sky")
    assert (refused.exit_code, "nobody has no tables" in str(refused.exception)) == (1, True)
    assert run("awe admin tables drop user_maria.none --data sky").exit_code == 1


def test_the_page_names_every_setting() -> None:
    text = PAGE.read_text()
    assert [name for name in TableSettings.model_fields if f"`tables.{name}`" not in text] == []
