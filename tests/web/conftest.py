"""The tiny sky behind the real application, in this process and as a server."""

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright
from tests.systems.certificates import write_certificates

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # starlette's client asks for a newer httpx than awe's client uses
    from starlette.testclient import TestClient

from awe.platform import Platform
from awe.testing import tiny_archive
from awe.web import build_app
from awe.web.server import bind, configured


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Return the services of the tiny sky; user ``ada`` has the password ``correct horse``."""
    with tiny_archive(tmp_path_factory.mktemp("sky")) as opened:
        opened.accounts.add("ada", by="local:test", password="correct horse")
        yield opened


@pytest.fixture(scope="session")
def web(platform: Platform) -> Iterator[TestClient]:
    """Return a client of the application in this process."""
    with TestClient(build_app(platform), raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@pytest.fixture(scope="session")
def token(platform: Platform) -> str:
    return platform.identity.login("ada", "correct horse")


@pytest.fixture(scope="module")  # no longer: while it is there no other event loop can run
def browser(chromium: str) -> Iterator[Browser]:
    """Return a real browser; `browsers.visiting` opens a page in it."""
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@contextmanager
def _serving(platform: Platform, **options: Any) -> Iterator[str]:
    listener = bind(platform.settings.model_copy(update={"port": 0}))
    config = configured(build_app(platform))
    config.timeout_graceful_shutdown = 1  # clients of other people leave answers unread
    for name, value in options.items():
        setattr(config, name, value)
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, args=([listener.socket],), daemon=True)
    thread.start()
    while not running.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.02)
    yield listener.url
    running.should_exit = True
    thread.join(10)


@pytest.fixture(scope="session")
def serving() -> Callable[..., AbstractContextManager[str]]:
    """Return what puts the application of a platform behind a real server, with options of its own; its address."""
    return _serving


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the certificate of ``localhost`` and that of whom to trust for it, ``ca.pem``."""
    folder = tmp_path_factory.mktemp("certificates")
    write_certificates(folder)
    return folder


@pytest.fixture(scope="session")
def server(platform: Platform) -> Iterator[str]:
    """Return the address of the application behind a real server."""
    with _serving(platform) as address:
        yield address
