"""A user's surroundings: the demonstration sky, published once, and `awe up` serving it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

Environment = Callable[..., dict[str, str]]


@dataclass(frozen=True)
class Service:
    """A running service, the data folder it serves, and its process."""

    url: str
    folder: Path
    pid: int


@pytest.fixture(scope="session")
def environment() -> Environment:
    """Return a function that gives the environment of a user of this checkout; nothing of the caller's AWE_*."""

    def make(**more: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("AWE_")}
        return {**kept, "PYTHONPATH": str(ROOT / "src"), "MPLBACKEND": "agg", **more}

    return make


@pytest.fixture(scope="session")
def awe(
    environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Return a function that runs the command line, in a folder of its own."""
    folder = tmp_path_factory.mktemp("work")

    def run(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "awe", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=environment(**more),
            cwd=folder,
            timeout=300,
        )

    return run


@contextmanager
def _up(folder: Path, environment: dict[str, str], *arguments: str) -> Iterator[Service]:
    """Run `awe up` on a free port and wait until it says where it is."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "awe", "up", "--data", str(folder), "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    printed = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            printed.append(line)
            found = re.search(r"awe is up at (http://\S+)", line)
            if found:
                yield Service(found[1], folder, process.pid)
                break
        else:
            raise AssertionError("awe up stopped: " + "".join(printed))
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture(scope="session")
def up(environment: Environment) -> Callable[..., AbstractContextManager[Service]]:
    """Return a function that serves a data folder while its block lasts, with further settings."""
    return lambda folder, **more: _up(folder, environment(**more))


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory, environment: Environment) -> Path:
    """Return a data folder with the demonstration sky; made once for all test processes."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder, ready = shared / "demo" / "sky", shared / "demo" / "ready"
    try:
        folder.parent.mkdir()
    except FileExistsError:
        deadline = time.monotonic() + 300
        while not ready.exists():
            assert time.monotonic() < deadline, "the demonstration sky was not made in five minutes"
            time.sleep(0.2)  # another test process makes it
        return folder
    with _up(folder, environment(), "--demo"):
        pass
    ready.touch()
    return folder


@pytest.fixture(scope="session")
def service(demo_folder: Path, environment: Environment) -> Iterator[Service]:
    """Run `awe up` over the demonstration sky."""
    with _up(demo_folder, environment()) as running:
        yield running
