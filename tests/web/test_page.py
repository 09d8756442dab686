"""The page in a real browser that can reach nothing but the service."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from tests.web.browsers import DESKTOP, PHONE, fits_the_width, unnamed, until, visiting

from awe.testing import TINY_TABLE

pytestmark = pytest.mark.slow


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, server: str) -> Iterator[Page]:
    with visiting(browser, server, request.param) as opened:
        yield opened


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
    assert unnamed(page) == []


def test_the_addresses_are_described(page: Page) -> None:
    page.goto("/api/docs")
    page.get_by_text("GET /scs/{table}", exact=True).click()
    page.get_by_text("Right ascension of the centre, ICRS").wait_for()
    assert fits_the_width(page)
