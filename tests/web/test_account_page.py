"""The page where people look after their account, in a real browser."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.web.browsers import DESKTOP, PHONE, fits_the_width, unnamed, visiting

from awe.errors import AuthenticationError
from awe.platform import Platform
from awe.services.identity import ADMINISTRATOR, AccountState, AccountStore
from awe.testing import tiny_archive

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with tiny_archive(tmp_path_factory.mktemp("sky"), login={"registration": "approval"}) as platform:
        platform.accounts.add("chief", [ADMINISTRATOR], by="local:test", password="correct horse")
        yield platform


@pytest.fixture(scope="module")
def address(archive: Platform, serving: Callable[[Platform], AbstractContextManager[str]]) -> Iterator[str]:
    with serving(archive) as found:
        yield found


@pytest.fixture
def ada(archive: Platform, request: pytest.FixtureRequest) -> str:
    """Return the name of somebody who has an account, another one in each test."""
    name = "ada" + "".join(sign for sign in request.node.name if sign.isalnum())[-50:]
    archive.accounts.add(name, by="local:test", password="correct horse")
    return name


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    with visiting(browser, address, request.param) as opened:
        yield opened


def enter(page: Page, name: str) -> None:
    page.goto("/account")  # which leads to the login, and back
    expect(page.get_by_role("button", name="Show: Password")).to_be_visible()  # the page's script is there
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password", exact=True).fill("correct horse")
    page.get_by_label("Password", exact=True).press("Enter")
    expect(page.locator("#description")).to_contain_text(f"You are {name}")
    expect(page.locator("#usage-list li").first).to_be_visible()


def test_it_fits_and_everything_has_a_name(page: Page, ada: str) -> None:
    enter(page, ada)
    assert fits_the_width(page)
    assert unnamed(page) == []
    titles = page.get_by_role("heading", level=2)
    assert titles.all_inner_texts()[:2] == ["Profile", "Tokens for programs"]


def test_the_profile_is_changed(page: Page, ada: str, archive: Platform) -> None:
    enter(page, ada)
    page.get_by_label("Your name").fill("Ada Lovelace")
    page.get_by_label("E-mail").fill("ada@example.org")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#profile-said")).to_have_text("Saved.")
    account = archive.identity.account(ada)
    assert (account.display_name, account.email) == ("Ada Lovelace", "ada@example.org")
    page.get_by_label("Your name").fill("x")
    page.evaluate("document.getElementById('display_name').value = '\\u202e'")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#profile-form").get_by_role("alert")).to_contain_text("printable")


def test_a_token_is_made_shown_once_and_revoked(page: Page, ada: str, archive: Platform) -> None:
    enter(page, ada)
    page.get_by_label("What is it for?").fill("<b>TOPCAT</b>")
    page.get_by_label("run").check()
    page.get_by_label("How long is it good?").select_option("a week")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_role("heading", name="Your new token")).to_be_focused()
    secret = page.locator("#secret").inner_text()
    caller = archive.identity.identify(secret)
    assert (caller.name, caller.scopes) == (ada, frozenset({"read", "run"}))
    assert (page.locator("#datalab").text_content() or "").startswith(f"{ada}.")
    assert secret not in page.url
    row = page.locator("#token-list li")
    expect(row).to_contain_text("<b>TOPCAT</b>")
    assert fits_the_width(page)
    page.reload()
    expect(row).to_have_count(1)
    assert secret not in page.content()
    row.get_by_role("button").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert archive.identity.identify(secret)
    row.get_by_role("button").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.locator("#tokens-said")).to_have_text("“<b>TOPCAT</b>” is revoked.")
    with pytest.raises(AuthenticationError):
        archive.identity.identify(secret)


def test_logins_elsewhere_are_ended(page: Page, ada: str, archive: Platform) -> None:
    others = [archive.identity.login(ada, "correct horse") for _ in range(3)]
    enter(page, ada)
    logins = page.locator("#login-list li")
    expect(logins).to_have_count(4)
    expect(logins.first).to_contain_text("Chrome on Linux, 127.0.0.1 this browser")
    logins.last.get_by_role("button").click()
    expect(logins).to_have_count(3)
    page.get_by_role("button", name="End all other logins").click()
    page.get_by_role("dialog").get_by_role("button", name="End them").click()
    expect(page.locator("#logins-said")).to_have_text("2 ended.")
    for token in others:
        with pytest.raises(AuthenticationError):
            archive.identity.identify(token)
    page.reload()
    expect(page.locator("#description")).to_contain_text(ada)


def test_a_new_password_ends_all_else(page: Page, ada: str, archive: Platform) -> None:
    enter(page, ada)
    before = page.context.cookies()[0]["value"]
    page.get_by_label("Password until now", exact=True).fill("a wrong one")
    page.get_by_label("New password", exact=True).fill("battery staple")
    page.get_by_role("button", name="Change the password").click()
    expect(page.locator("#password-form").get_by_role("alert")).to_contain_text("wrong")
    page.get_by_label("Password until now", exact=True).fill("correct horse")
    page.get_by_role("button", name="Change the password").click()
    expect(page.locator("#password-said")).to_have_text("The password is changed.")
    assert page.context.cookies()[0]["value"] != before
    with pytest.raises(AuthenticationError):
        archive.identity.identify(before)
    assert archive.identity.login(ada, "battery staple")


def test_administrators_decide_who_gets_an_account(page: Page, archive: Platform) -> None:
    assert page.viewport_size
    names = [f"{what}{page.viewport_size['width']}" for what in ("yes", "no")]
    for name in names:
        AccountStore(archive.system).add(name, None, state=AccountState.PENDING, email=f"{name}@example.org")
    enter(page, "chief")
    page.get_by_role("button", name=f"Approve {names[0]}").click()
    expect(page.locator("#people-said")).to_contain_text(f"{names[0]} can log in now")
    page.get_by_role("button", name=f"Decline {names[1]}").click()
    page.get_by_role("dialog").get_by_role("button", name="Decline").click()
    expect(page.locator("#people-said")).to_have_text(f"{names[1]} is declined.")
    states = {account.name: account.state for account in archive.identity.users()}
    assert states[names[0]] is AccountState.ACTIVE
    assert names[1] not in states


def test_an_invitation_is_accepted_and_another_declined(page: Page, ada: str, archive: Platform) -> None:
    chief = archive.identity.identify(archive.identity.login("chief", "correct horse"))
    assert page.viewport_size
    names = [f"{what}{page.viewport_size['width']}" for what in ("m87", "m31")]
    for name in names:
        archive.groups.add(chief, name, "People of a survey")
        archive.groups.invite(chief, name, ada)
    enter(page, ada)
    page.get_by_role("button", name=f"Accept the invitation to {names[0]}").click()
    expect(page.locator("#groups-said")).to_have_text(f"You belong to {names[0]} now.")
    page.get_by_role("button", name=f"Decline the invitation to {names[1]}").click()
    page.get_by_role("dialog").get_by_role("button", name="Decline").click()
    expect(page.locator("#groups-said")).to_have_text("The invitation is declined.")
    expect(page.locator("#group-list li")).to_have_count(1)
    expect(page.locator("#group-list")).to_contain_text("you are member")
    assert fits_the_width(page)
    assert archive.identity.known(ada).groups == {names[0]}


def test_others_see_nothing_of_that(page: Page, ada: str) -> None:
    enter(page, ada)
    expect(page.locator("#people")).to_be_hidden()


def test_ways_to_log_in_are_shown_where_there_are_any(page: Page, ada: str) -> None:
    enter(page, ada)
    expect(page.locator("#identities")).to_be_hidden()


def test_tables_are_loaded_dropped_and_restored(
    page: Page, ada: str, archive: Platform, tmp_path: Path
) -> None:
    enter(page, ada)
    expect(page.locator("#tables-said")).to_have_text("You have no table yet.")
    file = tmp_path / "stars.csv"
    file.write_text("name,ra,dec,mag\na,187.7,12.3,20\nb,187.8,12.4,?\nc,187.9,12.5,21\n")
    page.get_by_label("CSV, ECSV, FITS, VOTable or Parquet").set_input_files(file)
    page.get_by_label("Name of the table").fill("stars")
    page.get_by_role("button", name="Load it").click()
    expect(page.locator("#tables-said")).to_contain_text("stars.csv is a table now.")
    expect(page.locator("#tables-said")).to_contain_text("'?' in line 3 is no number")
    row = page.locator("#table-list li")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("3 rows")
    expect(row).to_contain_text("positions in ra, dec")
    assert fits_the_width(page)
    assert unnamed(page) == []
    with page.expect_download() as got:
        page.get_by_role("link", name="stars as CSV").click()
    assert min(Path(got.value.path()).read_text().splitlines()) == "a,187.7,12.3,20"
    page.get_by_label("CSV, ECSV, FITS, VOTable or Parquet").set_input_files(file)
    page.get_by_label("Name of the table").fill("stars")
    page.get_by_role("button", name="Load it").click()
    expect(page.locator("#table-form").get_by_role("alert")).to_contain_text(
        "There is already an object named"
    )
    page.get_by_role("button", name="Drop stars").click()
    page.get_by_role("dialog").get_by_role("button", name="Drop").click()
    expect(page.locator("#tables-said")).to_have_text("stars is dropped.")
    assert archive.tables.tables(archive.identity.known(ada)) == ()
    page.get_by_role("button", name="Restore stars").click()
    expect(page.locator("#tables-said")).to_have_text("stars is back.")
    assert [one.rows for one in archive.tables.tables(archive.identity.known(ada))] == [3]
