"""The page about installing: each of its commands is run, in its order, by a shell."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from awe.settings import Settings

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "howto" / "install.md").read_text(encoding="utf-8")
PASSWORD = "correct horse\n"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


class Machine:
    """A shell that knows `awe`, a folder in the place of the page's, and a free port in the place of its ports."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.archive = folder / "archive"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        programs = folder / "bin"
        programs.mkdir()
        (programs / "awe").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m awe "$@"\n')
        (programs / "awe").chmod(0o755)
        self.environment = {**environment, "PATH": f"{programs}{os.pathsep}{environment['PATH']}"}

    def _here(self, line: str) -> str:
        return line.replace("/archive", str(self.archive)).replace("8000", str(self.port))

    def run(self, line: str, given: str = "") -> str:
        done = subprocess.run(
            ["bash", "-ec", self._here(line)], input=given, capture_output=True, text=True, check=False,
            env=self.environment, cwd=self.folder, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def running(self, line: str, cwd: Path) -> Iterator[str]:
        """Run a command that goes on; what it printed until the service was up."""
        process = subprocess.Popen(
            ["bash", "-ec", self._here(line)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=self.environment, cwd=cwd, start_new_session=True,
        )  # fmt: skip
        assert process.stdout is not None
        said = []
        try:
            for printed in process.stdout:
                said.append(printed)
                if printed.startswith("Ctrl-C"):
                    break
            else:
                pytest.fail(f"{line}\n{''.join(said)}")
            yield "".join(said)
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=60)


@pytest.fixture
def machine(tmp_path: Path, environment: Callable[..., dict[str, str]]) -> Machine:
    return Machine(tmp_path, environment())


def test_the_page_has_the_commands_that_are_tried_here() -> None:
    assert [line.split()[0] for block in blocks("sh") for line in block.splitlines()] == [
        "apt-get", "make", "awe", "awe", "AWE_TOKEN=$(awe",
    ]  # fmt: skip


def test_make_up(machine: Machine) -> None:
    if subprocess.run(["make", "-q", ".venv/.run"], cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip("the environment .venv is not the one that make makes")
    line = next(line for block in blocks("sh") for line in block.splitlines() if line.startswith("make"))
    assert "`make up DATA=/archive\nPORT=8000`" in PAGE
    with machine.running(f"{line} DATA=/archive PORT=8000", ROOT) as said:
        assert f"awe is up at http://127.0.0.1:{machine.port}" in said
        assert "hsc.SumCat" in said


def test_an_archive_of_ones_own_with_an_account(machine: Machine) -> None:
    machine.archive.mkdir()
    (machine.archive / "awe.toml").write_text(blocks("toml")[0])
    settings = Settings.load(machine.archive)
    assert (settings.archive.title, settings.limits.memory) == ("The Example Archive", "8GB")
    up, add, login = [
        line
        for block in blocks("sh")
        for line in block.splitlines()
        if line.split()[0] not in {"apt-get", "make"}
    ]
    with machine.running(up, machine.folder) as said:
        assert "The Example Archive" in said or f":{machine.port}" in said
        machine.run(add, PASSWORD * 2)
        assert machine.run(f"{login}; export AWE_TOKEN; awe status --at http://127.0.0.1:8000", PASSWORD)
        name = machine.run(
            f'{login}; curl -sf -H "X-Auth-Token: $AWE_TOKEN" http://127.0.0.1:8000/api/whoami', PASSWORD
        )
        assert '"name":"maria"' in name
