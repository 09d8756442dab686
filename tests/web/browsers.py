"""A real browser that can reach nothing but the service."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route

__all__ = ["DESKTOP", "PHONE", "fits_the_width", "unnamed", "until", "visiting"]

DESKTOP, PHONE = (1280, 900), (360, 740)

SAMP_HUB = "http://localhost:21012/"
"""Where a page of this computer looks for other programs (SAMP 1.3 section 5.1)."""


def noteworthy(message: ConsoleMessage) -> bool:
    return message.type == "error" and message.location["url"] != SAMP_HUB


@contextmanager
def visiting(browser: Browser, server: str, size: tuple[int, int], **options: object) -> Iterator[Page]:
    """Open a page; fails when it asks anybody else for anything, or says something in the console."""
    viewport = {"width": size[0], "height": size[1]}
    context = browser.new_context(viewport=viewport, base_url=server, **options)  # type: ignore[arg-type]
    foreign: list[str] = []
    said: list[str] = []

    def only_ours(route: Route) -> None:
        if route.request.url.startswith((server, "data:")):
            route.continue_()
        elif route.request.url == SAMP_HUB:
            route.abort("connectionrefused")  # no hub is running; tests/web/test_page_samp.py has one
        else:
            foreign.append(route.request.url)
            route.abort()

    context.route("**/*", only_ours)
    made = context.new_page()
    made.on("pageerror", lambda error: said.append(str(error)))
    made.on("console", lambda message: said.append(message.text) if noteworthy(message) else None)
    yield made
    context.close()
    assert not foreign
    assert [text for text in said if "status of 40" not in text] == []


def fits_the_width(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def until(page: Page, condition: str) -> None:
    """Wait for a condition; the page's policy forbids Playwright's own way, which evaluates text in it."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never came true: {condition}")


def unnamed(page: Page) -> list[str]:
    """Return what a screen reader could not name."""
    found: list[str] = page.evaluate(
        """[...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a, img')].filter(e =>
           !(e.labels?.length || e.textContent.trim() || e.hasAttribute('alt') || e.ariaLabel)).map(e => e.outerHTML)"""
    )
    return found
