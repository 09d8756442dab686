"""An archive with tools that people log in to, behind the real application and behind a real server."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from awe.platform import Platform
from awe.testing import tiny_settings
from awe.web import build_app

BACK = "http://127.0.0.1:9999/callback"
CLIENTS: dict[str, dict[str, Any]] = {
    "hub": {
        "title": "Notebooks",
        "redirect_uris": (BACK, "http://127.0.0.1:9999/other"),
        "post_logout_redirect_uris": ("http://127.0.0.1:9999/bye",),
        "secret": "secret of the hub",
        "trusted": True,
    },
    "viewer": {
        "title": "Viewer <b>",
        "redirect_uris": (BACK,),
        "secret": "secret of the viewer",
        "scopes": ("openid", "profile", "read", "write"),
    },
    "app": {"title": "App", "redirect_uris": (BACK,), "scopes": ("openid", "read"), "trusted": True},
    "store": {"secret": "secret of the store", "resource_server": True},
}
ADA = {"username": "ada", "password": "correct horse"}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Return the services of an archive with clients; user ``ada`` has the password ``correct horse``."""
    settings = tiny_settings(tmp_path_factory.mktemp("site"), provider={"clients": CLIENTS})
    with Platform.open(settings) as platform:
        platform.accounts.add("ada", ("scientist",), by="local:test", password="correct horse")
        platform.accounts.describe("ada", display_name="Ada L.", email="ada@example.org", by="")
        yield platform


@pytest.fixture
def web(site: Platform) -> Iterator[TestClient]:
    """Return a browser that nobody is logged in with."""
    with TestClient(build_app(site), raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@pytest.fixture
def ada(web: TestClient) -> TestClient:
    """Return the browser of Ada, who is logged in."""
    assert web.post("/auth/login", data=ADA).status_code == 200
    return web


@pytest.fixture(scope="session")
def provider_url(site: Platform, serving: Callable[[Platform], AbstractContextManager[str]]) -> Iterator[str]:
    """Return the address of the archive behind a real server."""
    with serving(site) as address:
        yield address


VERIFIER = "v" * 43
CHALLENGE = "7w_YNF9DSfIdPf_pRjSq646_kPr-2-o9NAl16JGghdM"
SECRETS = {"hub": "secret of the hub", "viewer": "secret of the viewer", "store": "secret of the store"}


class Tool:
    """A client that does by hand what the tests ask for, also what no client should do."""

    def __init__(self, web: TestClient, name: str) -> None:
        self.web = web
        self.name = name

    def ask(self, **changed: str | None) -> Any:
        """Send the person to the authorization endpoint."""
        given = {
            "response_type": "code",
            "client_id": self.name,
            "redirect_uri": BACK,
            "scope": "openid read" if self.name == "app" else "openid",
            "state": "the state",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changed,
        }
        return self.web.get("/oauth/authorize", params={k: v for k, v in given.items() if v is not None})

    def code(self, **changed: str | None) -> str:
        """Return a code."""
        answer = self.ask(**changed)
        assert answer.status_code == 302, answer.text
        return str(parse_qs(urlsplit(answer.headers["location"]).query)["code"][0])

    def post(self, path: str, **form: str | None) -> Any:
        """Send a form as this client: with its secret, or only with its name."""
        data = {k: v for k, v in form.items() if v is not None}
        if self.name in SECRETS:
            return self.web.post(path, data=data, auth=(self.name, SECRETS[self.name]))
        return self.web.post(path, data={"client_id": self.name, **data})

    def exchange(self, code: str, **changed: str | None) -> Any:
        """Exchange a code."""
        form = {"code": code, "redirect_uri": BACK, "code_verifier": VERIFIER, **changed}
        return self.post("/oauth/token", grant_type="authorization_code", **form)

    def refresh(self, token: str, **changed: str | None) -> Any:
        """Exchange a refresh token."""
        return self.post("/oauth/token", grant_type="refresh_token", refresh_token=token, **changed)

    def poll(self, device_code: str) -> Any:
        """Ask what became of a device code."""
        kind = "urn:ietf:params:oauth:grant-type:device_code"
        return self.post("/oauth/token", grant_type=kind, device_code=device_code)

    def whose(self, token: str) -> int:
        """Return the status of a question with a token."""
        headers = {"Authorization": f"Bearer {token}"}
        return int(self.web.get("/api/whoami", headers=headers).status_code)


@pytest.fixture
def hub(ada: TestClient) -> Tool:
    """Return a tool with a secret."""
    return Tool(ada, "hub")


@pytest.fixture
def app(ada: TestClient) -> Tool:
    """Return a tool without a secret."""
    return Tool(ada, "app")


@pytest.fixture
def later(site: Platform, monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Return what lets time pass for the provider."""

    def pass_(by: timedelta) -> None:
        monkeypatch.setattr(site.provider, "_now", lambda: datetime.now(UTC) + by)

    return pass_
