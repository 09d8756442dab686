"""The page that a link leads to, in a real browser without a login."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from tests.web.browsers import DESKTOP, PHONE, fits_the_width, unnamed, visiting

from awe.client import connect
from awe.platform import Platform
from awe.services.identity import ADMINISTRATOR
from awe.services.jobs import Phase
from awe.testing import TINY_TABLE, log_in, tiny_archive

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with tiny_archive(tmp_path_factory.mktemp("sky")) as platform:
        platform.accounts.add("ann", [ADMINISTRATOR], by="local:test", password="correct horse")
        yield platform


@pytest.fixture(scope="module")
def address(archive: Platform, serving: Callable[[Platform], AbstractContextManager[str]]) -> Iterator[str]:
    with serving(archive) as found:
        yield found


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    with visiting(browser, address, request.param) as opened:
        yield opened


def test_what_a_query_found_is_fetched_until_the_link_is_taken_back(
    page: Page, archive: Platform, address: str
) -> None:
    with connect(address, token=log_in(archive, "ann")) as ann:
        job = ann.submit(f"SELECT TOP 3 id FROM {TINY_TABLE} ORDER BY id", format="csv")
        job.wait(60)
        made = ann.share_link(f"job:{job.id}", days=1)
        page.goto(made.address)
        expect(page.get_by_role("heading", level=1)).to_contain_text("job")
        expect(page.locator("#about")).to_contain_text("shared by ann, until")
        assert fits_the_width(page)
        assert unnamed(page) == []
        with page.expect_download() as fetched:
            page.get_by_role("button", name="csv").click()
        expect(page.locator("#said")).to_contain_text("is fetched")
        assert fetched.value.path().read_text().splitlines()[0] == "id"
        ann.unshare(made.id)
    page.reload()
    expect(page.locator("#said")).to_contain_text("log in")
    assert page.get_by_role("button").count() == 0


def test_a_table_is_offered_in_every_format(page: Page, archive: Platform, address: str) -> None:
    with connect(address, token=log_in(archive, "ann")) as ann:
        page.goto(ann.share_link(f"table:{TINY_TABLE}", days=1).address)
    for title in ("CSV", "VOTable", "FITS", "Parquet"):
        with page.expect_download() as fetched:
            page.get_by_role("button", name=f"({title})").click()
        assert fetched.value.path().stat().st_size > 100


def test_a_cutout_is_fetched_from_where_cutouts_are(page: Page, archive: Platform, address: str) -> None:
    token = log_in(archive, "ann")
    wanted = {"ID": "tiny_acs_f606w", "CIRCLE": "187.7059 12.3911 0.001", "PHASE": "RUN"}
    made = httpx.post(f"{address}/soda/async", data=wanted, headers={"X-Auth-Token": token})
    job = made.headers["location"].rpartition("/")[2]
    while archive.jobs.job(job, archive.identity.known("ann")).phase in {Phase.QUEUED, Phase.EXECUTING}:
        time.sleep(0.1)
    with connect(address, token=token) as ann:
        page.goto(ann.share_link(f"job:{job}", days=1).address)
    with page.expect_download() as fetched:
        page.get_by_role("button", name=".fits").click()
    assert fetched.value.path().read_bytes().startswith(b"SIMPLE  =")
