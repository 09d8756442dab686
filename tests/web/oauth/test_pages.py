"""What a person sees who allows a tool or a program, in a real browser."""

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, Page, Route, expect
from tests.web.browsers import DESKTOP, PHONE, fits_the_width, unnamed, visiting

BACK = "http://127.0.0.1:9999/callback"
ASKED = (
    "/oauth/authorize?response_type=code&client_id=viewer&scope=openid+profile+read&state=s&redirect_uri="
    + BACK
)
pytestmark = pytest.mark.slow


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, provider_url: str) -> Iterator[Page]:
    with visiting(browser, provider_url, request.param) as opened:

        def tool(route: Route) -> None:
            route.fulfill(body="back at the tool", content_type="text/plain")

        opened.route(f"{BACK}**", tool)
        yield opened


def log_in(page: Page) -> None:
    page.wait_for_url("**/auth?**")
    page.wait_for_load_state("networkidle")  # nobody types before the page is there
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password", exact=True).fill("correct horse")
    page.get_by_label("Password", exact=True).press("Enter")


def test_a_tool_is_allowed_or_not(page: Page) -> None:
    page.goto(ASKED)
    log_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Allow Viewer <b>?")
    expect(page.get_by_role("listitem")).to_have_text(
        ["know that it is you", "know your name", "see and query what you may see"]
    )
    expect(page.get_by_text("127.0.0.1:9999")).to_be_visible()
    expect(page).to_have_title("Allow a tool · Tiny sky")
    assert fits_the_width(page)
    assert unnamed(page) == []
    page.get_by_role("button", name="Do not allow").click()
    page.wait_for_url(f"{BACK}?error=access_denied**")
    page.goto(ASKED)  # who is logged in is asked without a password
    page.get_by_role("button", name="Allow", exact=True).click()
    page.wait_for_url(f"{BACK}?code=**&state=s**")


def test_who_has_not_decided_goes_nowhere(page: Page) -> None:
    page.goto(ASKED.replace(BACK, "http://evil.test/"))
    expect(page.locator("body")).to_contain_text("asked wrongly")
    page.goto(ASKED.replace("/oauth/authorize", "/auth/consent"))
    log_in(page)
    expect(page.get_by_role("button", name="Allow", exact=True)).to_be_visible()
    page.goto(ASKED.replace("/oauth/authorize", "/auth/consent").replace(BACK, "javascript:alert(1)"))
    expect(page.get_by_role("alert")).to_contain_text("asked wrongly")
    expect(page.get_by_role("button", name="Allow", exact=True)).to_be_hidden()


def test_a_program_is_allowed(page: Page, provider_url: str) -> None:
    begun = requests.post(
        f"{provider_url}/oauth/device_authorization", data={"client_id": "awe"}, timeout=30
    ).json()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(begun["verification_uri_complete"])
    log_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Allow this program?")
    expect(page.get_by_text(begun["user_code"])).to_be_visible()
    assert fits_the_width(page)
    assert unnamed(page) == []
    page.get_by_role("button", name="Allow", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("awe on the command line is logged in")
    assert not [url for url in asked if begun["user_code"] in url.partition("#")[0]]
    form = {
        "client_id": "awe",
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": begun["device_code"],
    }
    assert requests.post(f"{provider_url}/oauth/token", data=form, timeout=30).status_code == 200


def test_a_code_is_entered_by_hand(page: Page, provider_url: str) -> None:
    begun = requests.post(
        f"{provider_url}/oauth/device_authorization", data={"client_id": "awe"}, timeout=30
    ).json()
    page.goto("/auth/device")
    log_in(page)
    page.get_by_label("Code").fill("BBBB-BBBB")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="No program waits")).to_be_visible()
    page.get_by_label("Code").fill(begun["user_code"].lower().replace("-", ""))
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Do not allow").click()
    expect(page.get_by_role("status")).to_contain_text("gets nothing")


def test_logging_out_is_asked_for(page: Page) -> None:
    page.goto("/auth?next=/")
    log_in(page)
    expect(page.get_by_role("link", name="ada")).to_be_visible()
    page.goto("/oauth/logout")
    expect(page.get_by_text("still logged in here as ada")).to_be_visible()
    assert fits_the_width(page)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    page.goto("/auth/logout")
    expect(page.get_by_role("status")).to_contain_text("You are logged out")
