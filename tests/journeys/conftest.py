"""A user's surroundings: the demonstration sky, published once, and `awe up` serving it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Service:
    """A running service and the data folder it serves."""

    url: str
    folder: Path


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which this checkout's awe is found and nothing of the caller's AWE_*."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWE_")}
    return {**kept, "PYTHONPATH": str(ROOT / "src"), **more}


def start(folder: Path, *arguments: str) -> tuple["subprocess.Popen[str]", str]:
    """Run `awe up` as a user would, on a free port; return the process and the printed address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "awe", "up", "--data", str(folder), "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
    )
    printed = []
    assert process.stdout is not None
    for line in process.stdout:
        printed.append(line)
        found = re.search(r"awe is up at (http://\S+)", line)
        if found:
            return process, found[1]
    raise AssertionError("awe up stopped: " + "".join(printed))


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
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
    process, _ = start(folder, "--demo")
    process.terminate()
    process.wait(30)
    ready.touch()
    return folder


@pytest.fixture(scope="session")
def service(demo_folder: Path) -> Iterator[Service]:
    """Run `awe up` over the demonstration sky."""
    process, url = start(demo_folder)
    yield Service(url, demo_folder)
    process.terminate()
    process.wait(30)
