"""An archive with tools that people log in to, behind the real application and behind a real server."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

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
        platform.identity.add_user("ada", "correct horse", roles=("scientist",))
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
