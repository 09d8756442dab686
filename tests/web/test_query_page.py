"""The page for queries in a real browser: what a query reads and who runs it, before and after."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from playwright.sync_api import Browser, Page
from tests.web.browsers import DESKTOP, PHONE, fits_the_width, unnamed, until, visiting
from tests.web.test_routing import CONE, SCAN
from tests.web.test_routing import platform as routed

from awe.platform import Platform
from awe.testing import TINY_TABLE

__all__ = ["routed"]

pytestmark = pytest.mark.slow


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(
    request: pytest.FixtureRequest,
    browser: Browser,
    routed: Platform,
    serving: Callable[[Platform], AbstractContextManager[str]],
) -> Iterator[Page]:
    with serving(routed) as address, visiting(browser, address, request.param) as opened:
        opened.goto("/query")
        yield opened


def test_it_says_what_a_query_would_read_and_who_made_its_rows(page: Page) -> None:
    page.locator("#query").fill(SCAN)
    page.get_by_role("button", name="What would it read?").click()
    until(page, "document.getElementById('estimate').textContent !== ''")
    told = page.locator("#estimate").inner_text()
    assert told.startswith("Reads 500 rows, ")
    assert told.endswith("with cluster: it reads more than 1e-06 GB.")
    assert not page.locator("#answer").is_visible()
    page.get_by_role("button", name="Run").click()
    page.get_by_text("1 row, made by cluster in").wait_for()
    assert page.locator("#rows tbody td").inner_text() == "250.5"
    page.locator("#query").fill(CONE)
    page.get_by_role("button", name="Run").click()
    page.get_by_text("made by duckdb in").wait_for()
    assert "rows are looked up by their position" in page.locator("#estimate").inner_text()
    assert fits_the_width(page)
    assert unnamed(page) == []


def test_who_made_the_rows_is_told_and_not_who_was_expected(page: Page) -> None:
    page.locator("#query").fill(f"SELECT SQRT(mag) AS m, name FROM {TINY_TABLE}")
    page.get_by_role("button", name="Run").click()
    page.get_by_text("The first 200 rows, made by duckdb in").wait_for()
    assert "with cluster" in page.locator("#estimate").inner_text()
    assert page.locator("#rows tbody tr").count() == 200
    assert fits_the_width(page)


def test_the_tables_of_a_join_are_told_one_by_one(page: Page) -> None:
    page.locator("#query").fill(
        f"SELECT COUNT(*) AS n FROM {TINY_TABLE} AS a JOIN {TINY_TABLE} AS b ON a.id = b.id"
    )
    page.get_by_role("button", name="What would it read?").click()
    page.locator("#readings li").nth(1).wait_for()
    assert page.locator("#readings li").first.inner_text().startswith(f"{TINY_TABLE} · 500 rows, ")


def test_what_is_wrong_is_said(page: Page) -> None:
    page.locator("#query").fill("SELECT nothing FROM nowhere.at_all")
    page.get_by_role("button", name="What would it read?").click()
    page.get_by_role("alert").wait_for()
    assert "nowhere" in page.get_by_role("alert").inner_text()
    page.locator("#query").fill(f"SELECT CAST(name AS INTEGER) AS n FROM {TINY_TABLE}")
    page.get_by_role("button", name="Run").click()
    page.get_by_text("Could not convert").wait_for()
    assert page.locator("#estimate").inner_text().startswith("Reads 500 rows")
    assert not page.locator("#answer").is_visible()


def test_an_address_may_bring_a_query(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Query in SQL").click()
    page.goto("/query#lang=tsql&query=SELECT+1+AS+one")
    page.reload()
    until(page, "document.getElementById('query').value === 'SELECT 1 AS one'")
    assert page.locator("#lang").input_value() == "tsql"
