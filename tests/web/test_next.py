"""Where a login may lead: a page of this service, and nowhere else."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awe.web.http import next_page


@pytest.mark.parametrize(
    "wanted",
    [
        "/",
        "/account",
        "/account#tokens",
        "/api/docs",
        "/?position=187.7059+12.3911&radius=1+arcmin&table=tiny.sources#search",
        "/oauth/authorize?client_id=hub&redirect_uri=https%3A%2F%2Fhub.example%2F%2Fback&state=a.b~c",
        "/a%20name/",
    ],
)
def test_a_page_of_ours_is_kept(wanted: str) -> None:
    assert next_page(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        None, "", "account", "//evil.test", "///evil.test", "////evil.test", "/\\evil.test", "\\\\evil.test", "\\/evil.test",
        "/\\/evil.test", "https://evil.test", "https:evil.test", "https:/evil.test", "HTTPS://evil.test", "javascript:alert(1)",
        "data:text/html,x", "/%2Fevil.test", "/%2fevil.test", "/%5Cevil.test", "/%5c/evil.test", "/%252Fevil.test",
        "/%25255cevil.test", "/./" + "/evil.test", "/.//evil.test", "/..//evil.test", "/a/..//evil.test", "/%2e%2e//evil.test",
        "/a/%2e%2e/%2fevil.test", "/a/../../evil.test", "/a//evil.test", "/\t/evil.test", "/\n/evil.test", "/\r\nSet-Cookie: a=b",
        "/%0d%0aSet-Cookie:a=b", "/%00", "/\x00/evil.test", " //evil.test", "/ /evil.test", "\t//evil.test", "/\u2028/evil.test",
        "/\u3002evil.test", "/\uff0fevil.test", "/%E2%80%A8", "?next=//evil.test", "#//evil.test", "@evil.test", "/" + "a" * 4000,
    ],
)  # fmt: skip
def test_everything_else_leads_home(wanted: str | None) -> None:
    assert next_page(wanted) == "/"


@given(st.text(alphabet="/\\.:@%25cfCF0adA?#\t\n evil", max_size=30))
def test_no_text_leads_to_another_site(wanted: str) -> None:
    led = next_page(wanted)
    # as browsers read it: without tabs and line breaks, a backslash being a slash
    read = led.translate({9: None, 10: None, 13: None, 92: "/"})
    for base in ("https://awe.test/auth?next=x", "https://awe.test/"):
        found = urlsplit(urljoin(base, read))
        assert (found.scheme, found.netloc) == ("https", "awe.test")
        assert not found.path.startswith("//")
