"""The page in a real browser that can reach nothing but the service."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, sync_playwright

from awe.testing import TINY_TABLE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


SAMP_HUB = "http://localhost:21012/"
"""Where a page of this computer looks for other programs (SAMP 1.3 section 5.1)."""


def noteworthy(message: ConsoleMessage) -> bool:
    return message.type == "error" and message.location["url"] != SAMP_HUB


@pytest.fixture(params=[(1280, 900), (360, 740)], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, server: str) -> Iterator[Page]:
    """Open the page; fails when it asks anybody else for anything, or says something in the console."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, base_url=server)
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


def test_what_is_published_can_be_read(page: Page) -> None:
    page.goto("/")
    page.get_by_text("Simulated data.").wait_for()
    entry = page.locator("details", has_text=TINY_TABLE)
    entry.locator("summary").click()
    entry.get_by_text("pos.eq.ra;meta.main").wait_for()
    assert page.title() == "Tiny sky"
    assert "500 rows" in entry.inner_text()
    assert fits_the_width(page)


def test_a_position_finds_rows_and_images(page: Page) -> None:
    page.goto("/")
    page.locator("#table option").nth(1).wait_for(state="attached")
    page.locator("#position").fill("12:30:49.4 +12:23:28")
    page.locator("#position").press("Enter")
    page.locator("#images li").nth(1).wait_for()
    page.locator("#rows tbody tr").first.wait_for()
    picture = page.locator("#images img").first
    picture.scroll_into_view_if_needed()
    until(page, "document.querySelector('#images img').naturalWidth > 0")
    cutout = page.get_by_text("Cutout (FITS)").first.get_attribute("href")
    assert page.request.get(cutout or "").body()[:6] == b"SIMPLE"
    assert page.request.get(page.get_by_text("VOTable", exact=True).get_attribute("href") or "").ok
    assert fits_the_width(page)
    page.reload()  # the address holds the search
    page.locator("#images li").nth(1).wait_for()


def test_a_name_finds_them_too(page: Page) -> None:
    page.goto("/")
    page.locator("#table option").nth(1).wait_for(state="attached")
    page.locator("#position").fill("m87")
    page.locator("#position").press("Enter")
    page.locator("#images li").nth(1).wait_for()
    assert "M 87: 187.70592 12.39111 · Galaxy" in page.locator("#found").inner_text()
    assert fits_the_width(page)


def test_what_is_wrong_is_said_where_it_was_typed(page: Page) -> None:
    page.goto("/")
    page.locator("#table option").first.wait_for(state="attached")
    page.locator("#position").fill("M 877")
    page.get_by_role("button", name="Search").click()
    error = page.get_by_role("alert")
    error.wait_for()
    assert "M 877" in error.inner_text()
    assert page.evaluate("document.activeElement.id") == "position"
    page.locator("#position").fill("187.7 12.4")
    page.locator("#radius").fill("far")
    page.get_by_role("button", name="Search").click()
    until(page, "document.activeElement.id === 'radius'")
    assert "far" in error.inner_text()


def test_the_keyboard_reaches_everything(page: Page) -> None:
    page.goto("/")
    page.locator("#table option").first.wait_for(state="attached")
    reached = []
    for _ in range(14):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert [name for name in reached if name in {"position", "radius", "table", "go"}] == [
        "position", "radius", "table", "go",
    ]  # fmt: skip


def test_every_field_and_picture_has_a_name(page: Page) -> None:
    page.goto("/?position=187.7059+12.3911&radius=1+arcmin&table=tiny.sources")
    page.locator("#images li").first.wait_for()
    unnamed = page.evaluate(
        """[...document.querySelectorAll('input, select, button, a, img')].filter(e =>
           !(e.labels?.length || e.textContent.trim() || e.hasAttribute('alt') || e.ariaLabel)).map(e => e.outerHTML)"""
    )
    assert unnamed == []


def test_the_addresses_are_described(page: Page) -> None:
    page.goto("/api/docs")
    page.get_by_text("GET /scs/{table}", exact=True).click()
    page.get_by_text("Right ascension of the centre").wait_for()
    assert fits_the_width(page)
