"""The page hands what it found to another program, through a real hub's Web Profile, in a real browser."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

PEER = Path(__file__).parents[1] / "client" / "samp_peer.py"


@pytest.fixture
def topcat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["subprocess.Popen[str]"]:
    """Run a hub with the Web Profile, and a client that listens to tables and images."""
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{(tmp_path / 'samp-hub').as_uri()}")
    process = subprocess.Popen(
        [sys.executable, str(PEER), "TOPCAT", "--web", "table.load.votable", "image.load.fits"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert _line(process) == "ready"
    yield process
    process.communicate("\n", timeout=30)


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return next(line[2:].strip() for line in process.stdout if line.startswith("> "))


def _received(process: "subprocess.Popen[str]") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_line(process))
    return found


def test_results_go_to_another_program(
    server: str, browser: Browser, topcat: "subprocess.Popen[str]"
) -> None:
    page = browser.new_page()
    page.goto(f"{server}/?position=M87&radius=1+arcmin&table=tiny.sources")
    page.get_by_role("button", name="Send to TOPCAT or Aladin").click()
    page.get_by_text("Sent to TOPCAT.").wait_for()
    message = _received(topcat)
    assert message["from"] == "Tiny sky"
    assert message["params"]["name"] == "tiny.sources"
    assert b"<VOTABLE" in httpx.get(message["params"]["url"]).content
    page.get_by_role("button", name="Send to Aladin or DS9").first.click()
    image = _received(topcat)
    assert image["mtype"] == "image.load.fits"
    assert httpx.get(image["params"]["url"]).content[:6] == b"SIMPLE"
    page.close()
