"""Logging in, asking for an account and setting a password in a real browser, by keyboard where people would."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.web.browsers import DESKTOP, PHONE, fits_the_width, unnamed, visiting

from awe.platform import Platform
from awe.services.identity import ADMINISTRATOR
from awe.testing import tiny_archive

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Return an archive that takes registrations; ``ada`` has an account, ``chief`` administers."""
    told = {"title": "Tiny sky", "authority": "tiny.test", "contact": "help@example.org"}
    folder = tmp_path_factory.mktemp("sky")
    with tiny_archive(folder, login={"registration": "approval"}, archive=told) as platform:
        platform.accounts.add("ada", by="local:test", password="correct horse")
        platform.accounts.add("chief", [ADMINISTRATOR], by="local:test", password="correct horse")
        yield platform


@pytest.fixture(scope="module")
def address(archive: Platform, serving: Callable[[Platform], AbstractContextManager[str]]) -> Iterator[str]:
    with serving(archive) as found:
        yield found


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    with visiting(browser, address, request.param) as opened:
        yield opened


def log_in(page: Page, name: str, password: str = "correct horse", *, script: bool = True) -> None:
    if script:
        expect(page.get_by_role("button", name="Show: Password")).to_be_visible()
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("Password", exact=True).press("Enter")


def of_size(name: str, page: Page) -> str:
    """Return a name that no other run of the same test has."""
    assert page.viewport_size
    return f"{name}{page.viewport_size['width']}"


def test_from_a_page_to_the_login_and_back(page: Page, address: str) -> None:
    page.goto("/?position=M87&radius=1+arcmin")
    page.get_by_role("link", name="Log in").click()
    expect(page).to_have_title("Log in · Tiny sky")
    assert fits_the_width(page)
    assert unnamed(page) == []
    page.keyboard.type("ada")  # the first field waits for it
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse")
    page.keyboard.press("Enter")
    expect(page.locator("#who")).to_contain_text("ada")
    assert page.url.startswith(f"{address}/?position=M87&radius=1+arcmin")
    (cookie,) = [one for one in page.context.cookies() if one["name"] == "awe_token"]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    page.get_by_role("button", name="Log out").click()
    expect(page.locator("#who")).to_contain_text("Log in")
    assert page.context.cookies() == []


def test_a_wrong_password_is_said_and_typed_anew(page: Page, archive: Platform) -> None:
    page.goto("/auth")
    log_in(page, "ada", "a wrong one")
    expect(page.get_by_role("alert")).to_have_text("The user name or the password is wrong")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    assert "wrong" not in page.url
    show = page.get_by_role("button", name="Show: Password")
    show.click()
    assert page.get_by_label("Password", exact=True).get_attribute("type") == "text"
    assert show.get_attribute("aria-pressed") == "true"
    archive.identity.login("ada", "correct horse")  # forgets the failure


@pytest.mark.parametrize(
    "wanted", ["//evil.test/", "/\\evil.test/", "https://evil.test/", "javascript:alert(1)", "/%5cevil.test",
               "/..//evil.test", "/%09/evil.test", "%0a//evil.test"],
)  # fmt: skip
def test_no_address_leads_to_another_site(page: Page, address: str, wanted: str) -> None:
    page.goto(f"/auth?next={wanted}")
    log_in(page, "ada")
    page.wait_for_url(f"{address}/")
    page.goto(f"/auth?next={wanted}")  # who is logged in already is led no further
    page.get_by_role("link", name="Go on").click()
    page.wait_for_url(f"{address}/")


def test_who_is_logged_in_may_become_somebody_else(page: Page, address: str) -> None:
    page.goto("/auth?next=/api/docs")
    log_in(page, "ada")
    expect(page).to_have_url(f"{address}/api/docs")
    (ada,) = page.context.cookies()
    page.goto("/auth?next=/api/docs")
    expect(page.locator("#already")).to_contain_text("You are logged in as ada.")
    page.get_by_role("button", name="Log in as somebody else").click()
    log_in(page, "chief")
    expect(page.locator("#who")).to_contain_text("chief")
    (chief,) = page.context.cookies()
    assert chief["value"] != ada["value"]
    assert page.request.get("/api/whoami", headers={"X-Auth-Token": ada["value"]}).status == 401


def test_a_planted_session_is_never_logged_in(page: Page, archive: Platform, address: str) -> None:
    planted = archive.identity.login("ada", "correct horse")
    for value in (planted, "0" * 32):
        page.context.add_cookies([{"name": "awe_token", "value": value, "url": address}])
        page.goto("/auth")
        if value == planted:
            page.get_by_role("button", name="Log in as somebody else").click()
        log_in(page, "chief")
        expect(page.locator("#who")).to_contain_text("chief")
        answer = page.request.get("/api/whoami", headers={"X-Auth-Token": value})
        assert answer.status == 401
        page.context.clear_cookies()


def test_asking_for_an_account(page: Page, archive: Platform, address: str) -> None:
    page.goto("/auth?next=/api/docs")
    page.get_by_role("link", name="Ask for one").click()
    expect(page.get_by_label("User name")).to_be_focused()
    assert fits_the_width(page)
    assert unnamed(page) == []
    name = of_size("maria", page)
    page.get_by_label("User name").fill(name)
    page.get_by_label("Your name").fill("Maria")
    page.get_by_label("Password", exact=True).fill("correct horse")
    page.get_by_label("E-mail").fill("maria@example.org")
    page.get_by_role("button", name="Ask for the account").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text("maria@example.org")
    assert fits_the_width(page)
    archive.registration.approve(name, by="chief")
    page.get_by_role("link", name="Log in").click()
    log_in(page, name)
    expect(page).to_have_url(f"{address}/api/docs")


def test_what_is_wrong_is_said_at_the_field(page: Page) -> None:
    page.goto("/auth/register")
    page.get_by_label("User name").fill("maria")
    page.get_by_label("Your name").fill("Maria")
    page.get_by_label("E-mail").fill("maria@example.org")
    page.get_by_label("Password", exact=True).fill("correct horse")
    page.evaluate("document.getElementById('display_name').value = 'a\\u202eb'")
    page.get_by_role("button", name="Ask for the account").click()
    expect(page.get_by_role("alert")).to_contain_text("At most 100 printable characters")
    expect(page.get_by_label("Your name")).to_be_focused()
    assert page.get_by_label("Your name").get_attribute("aria-invalid") == "true"


def test_a_link_sets_a_password(page: Page, archive: Platform) -> None:
    name = of_size("eva", page)
    archive.accounts.add(name, [], by="chief")
    page.goto(f"/auth/password#{archive.accounts.link(name, by='chief')}")
    page.get_by_label("New password", exact=True).fill("correct horse")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text(f"The password of {name} is set.")
    assert "#" not in page.url
    page.keyboard.press("Enter")  # on the link that leads on
    log_in(page, name)
    expect(page.locator("#who")).to_contain_text(name)


@pytest.mark.parametrize(
    ("wanted", "leads"),
    [("/api/docs", "/api/docs"), ("//evil.example/", "/"), ("https://evil.example/", "/")],
)
def test_without_javascript_a_password_still_logs_in(
    browser: Browser, address: str, wanted: str, leads: str
) -> None:
    with visiting(browser, address, DESKTOP, java_script_enabled=False) as page:
        page.goto(f"/auth?next={wanted}")
        log_in(page, "ada", script=False)
        page.wait_for_url(f"{address}{leads}")
        assert page.context.cookies()
