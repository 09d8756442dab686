"""The first start of an archive: a link makes its administrator, in a real browser, once."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = pytest.mark.slow


@pytest.fixture
def link(tmp_path: Path, environment: Callable[..., dict[str, str]]) -> Iterator[str]:
    """Start an archive in an empty folder; return the link that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "awe", "up", "--data", str(tmp_path / "new"), "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(),
    )  # fmt: skip
    assert process.stdout is not None
    found = next(
        (at for line in process.stdout if (at := re.search(r"http://\S+/auth/password#\w+", line))), None
    )
    assert found, "awe up printed no link"
    yield found[0]
    process.terminate()
    process.communicate(timeout=30)


@pytest.fixture
def page(chromium: str) -> Iterator[Page]:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def test_the_first_administrator(link: str, page: Page, awe: Callable[..., Any]) -> None:
    address = link.partition("/auth/")[0]
    page.goto(link)
    page.fill("#password", "a long enough one")
    page.click("button[type=submit]")
    expect(page.locator("#said")).to_contain_text("The password of admin is set")
    assert "#" not in page.url
    # the link is good once
    page.goto("about:blank")
    page.goto(link)
    page.fill("#password", "somebody else's")
    page.click("button[type=submit]")
    expect(page.get_by_role("alert")).to_contain_text("link")
    login = awe("login", "admin", "--password", "a long enough one", AWE_URL=address)
    assert login.returncode == 0, login.stderr
    refused = awe("login", "admin", "--password", "somebody else's", AWE_URL=address)
    assert refused.returncode != 0
