"""``awe check`` over a small archive that something happens to."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from awe.cli import load_command
from awe.testing import tiny_archive


def check(folder: Path, *options: str) -> tuple[int, list[dict[str, str]]]:
    done = CliRunner().invoke(load_command("check"), ["--data", str(folder), "--json", *options])
    found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return done.exit_code, found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with tiny_archive(tmp_path):
        pass
    return tmp_path


def test_what_is_missing_is_told_and_no_error(folder: Path) -> None:
    code, found = check(folder)
    assert code == 0
    assert {one["severity"] for one in found} == {"warning", "advice"}
    assert "organisation" in {one["rule"] for one in found}
    assert check(folder, "--errors") == (0, [])


def test_files_that_are_gone_or_changed(folder: Path) -> None:
    gone, changed = sorted((folder / "tiny-images").iterdir())
    gone.unlink()
    changed.write_bytes(changed.read_bytes() + b"\0")
    code, found = check(folder)
    told = {one["rule"]: one for one in found}
    assert code == 1
    assert gone.name in told["file-gone"]["message"]
    assert changed.name in told["file-changed"]["message"]
    assert told["file-gone"]["where"] == "collection tiny"


def test_rows_that_are_gone(folder: Path) -> None:
    (stored,) = (folder / "tables").glob("tiny.sources-*")
    stored.rename(folder / "elsewhere")
    code, found = check(folder, "--errors")
    assert code == 1
    assert [(one["rule"], one["where"]) for one in found] == [("lost", "tiny.sources")]


def test_for_people(folder: Path) -> None:
    done = CliRunner().invoke(load_command("check"), ["--data", str(folder)])
    assert "warning  settings, [archive] organisation: nobody knows who publishes" in done.stdout
    assert "set its name" in done.stdout
    assert "of warning" in done.stderr
