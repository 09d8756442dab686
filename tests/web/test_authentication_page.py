"""The page about logging in: its commands and its Python, against a running archive with a closed table."""

import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from tests.systems.programs import program

from awe.platform import Platform
from awe.settings import Settings
from awe.testing import log_in, tiny_archive

pytestmark = pytest.mark.slow
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "howto" / "authentication.md").read_text(
    encoding="utf-8"
)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with tiny_archive(tmp_path / "sky") as found:
        found.accounts.add("ada", by="local:test", password="correct horse")
        rows, describe = tmp_path / "numbers.csv", tmp_path / "numbers.toml"
        rows.write_text("n\n17\n")
        describe.write_text('[table]\nreaders = ["user:ada"]\n')
        found.catalogs.publish("mine.numbers", [rows], describe=describe)
        yield found


@pytest.fixture
def address(platform: Platform, serving: Callable[[Platform], AbstractContextManager[str]]) -> Iterator[str]:
    with serving(platform) as found:
        yield found


def test_curl(address: str, tmp_path: Path) -> None:
    program("curl", "curl")
    (tmp_path / "password.txt").write_text("correct horse")
    (block,) = blocks("sh")
    answers = []
    for line in block.replace("https://archive.example.org", address).splitlines():
        done = subprocess.run(
            ["bash", "-ec", line], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        answers.append(done.stdout)
    login, rows, logout = answers
    assert login == "ada is logged in\n"
    assert "<FIELD" in rows
    assert 'value="ERROR"' not in rows
    assert logout == "logged out\n"


def test_pyvo(address: str, platform: Platform) -> None:
    (block,) = blocks("python")
    last = block.rstrip().splitlines()[-1]
    code = block.replace("https://archive.example.org", address).replace(last, f"found = {last}")
    names: dict[str, Any] = {"token": log_in(platform, "ada")}
    exec(compile(code, "authentication.md", "exec"), names)
    assert list(names["found"].to_table()["n"]) == [17]


def test_the_settings_of_the_page_are_settings(tmp_path: Path) -> None:
    (block,) = blocks("toml")
    given = tomllib.loads(block)
    (tmp_path / "awe.toml").write_text(block)
    assert Settings.load(tmp_path).login.registration == given["login"]["registration"]
