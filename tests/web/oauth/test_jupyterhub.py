"""A real JupyterHub, configured as the page says, logs people in with their account here."""

import os
import re
import secrets
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from click.testing import CliRunner

from awe.cli import load_command
from awe.platform import Platform
from awe.services.identity import GroupRole, GroupStore
from awe.testing import tiny_settings

PAGE = Path(__file__).resolve().parents[3] / "docs" / "howto" / "single-sign-on.md"
PASSWORD = "correct horse"
pytestmark = pytest.mark.slow

# What the site's own set-up does: where the hub listens, and what a person's server is. There is no proxy before it, and
# the server is a stand-in that keeps what a notebook in it would find.
SITE = """
import sys
from jupyterhub.proxy import Proxy


class NoProxy(Proxy):
    should_start = False
    routes = {{}}

    async def add_route(self, routespec, target, data):
        self.routes[routespec] = dict(routespec=routespec, target=target, data=data)

    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)

    async def get_all_routes(self):
        return self.routes


c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.bind_url = c.JupyterHub.hub_bind_url = "{hub}"
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.spawner_class = "simple"
c.Spawner.cmd = [sys.executable, "{notebook}"]
c.Spawner.env_keep = ["PATH", "PYTHONPATH"]
"""
NOTEBOOK = """
import http.server, os, urllib.parse
from pathlib import Path
import awe

with awe.connect() as archive:
    Path(os.environ["FOUND"]).write_text(archive.whoami() + " " + " ".join(archive.me().scopes))
here = urllib.parse.urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()


http.server.HTTPServer((here.hostname, here.port), Answer).serve_forever()
"""


def block(language: str, which: int = 0) -> str:
    return str(re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)[which])


@pytest.fixture(scope="module")
def hub_url() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("site")
    subprocess.run(["bash", "-euc", block("sh")], cwd=made, check=True)
    assert (made / "jupyterhub.secret").stat().st_mode & 0o777 == 0o600
    return made


@pytest.fixture(scope="module")
def archive(
    folder: Path, hub_url: str, serving: Callable[[Platform], AbstractContextManager[str]]
) -> Iterator[str]:
    """Return the address of an archive that knows the hub; Ada and Eve have accounts, and Ada may use notebooks."""
    told = block("toml").replace("https://hub.example.org", hub_url).replace("/etc/awe", str(folder))
    (folder / "sky").mkdir()
    (folder / "sky" / "awe.toml").write_text(told)
    with Platform.open(tiny_settings(folder / "sky")) as platform:
        for name in ("ada", "eve"):
            platform.accounts.add(name, by="local:test", password=PASSWORD)
        groups = GroupStore(platform.system)
        groups.add("notebooks", "Who may use notebooks", "ada")
        groups.put_member("notebooks", "ada", GroupRole.MEMBER)
        with serving(platform) as address:
            yield address


@pytest.fixture(scope="module")
def hub(folder: Path, archive: str, hub_url: str) -> Iterator[str]:
    """Run the hub; return its address."""
    told = block("python").replace("https://archive.example.org", archive)
    told = told.replace("https://hub.example.org", hub_url).replace("/etc/awe", str(folder))
    (folder / "notebook.py").write_text(NOTEBOOK)
    (folder / "jupyterhub_config.py").write_text(
        told + SITE.format(hub=hub_url, notebook=folder / "notebook.py")
        + f'\nc.Spawner.environment = {{"FOUND": "{folder / "found"}"}}\n'
    )  # fmt: skip
    environment = {**os.environ, "JUPYTERHUB_CRYPT_KEY": secrets.token_hex(32)}
    with (folder / "hub.log").open("wb") as log:
        running = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "jupyterhub", "-f", "jupyterhub_config.py"],
            cwd=folder, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        while True:
            assert running.poll() is None, (folder / "hub.log").read_text()[-5000:]
            try:
                if requests.get(f"{hub_url}/hub/health", timeout=5).ok:
                    break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield hub_url
    finally:
        running.terminate()
        running.wait(30)


def test_every_block_of_the_page_is_run() -> None:
    assert re.findall(r"```(\w+)\n", PAGE.read_text()) == ["sh", "toml", "python", "sh"]


def test_the_commands_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Platform.open(tiny_settings(tmp_path / "sky")).close()
    for line in block("sh", 1).splitlines():
        words = shlex.split(line)
        done = CliRunner().invoke(load_command(words[1]), words[2:], catch_exceptions=False)
        assert done.exit_code == 0, f"{line}\n{done.output}"


def log_in(browser: requests.Session, hub: str, archive: str, name: str) -> requests.Response:
    """Begin at the hub, log in at the archive where it is asked for, and come back."""
    asked = browser.get(f"{hub}/hub/oauth_login", params={"next": "/hub/home"}, timeout=60)
    page = urlsplit(asked.url)
    assert f"{page.scheme}://{page.netloc}{page.path}" == f"{archive}/auth"
    sent = browser.post(f"{archive}/auth/login", data={"username": name, "password": PASSWORD}, timeout=60)
    assert sent.status_code == 200
    return browser.get(archive + parse_qs(page.query)["next"][0], timeout=60)


def test_who_has_an_account_and_is_in_the_group_logs_in(hub: str, archive: str, folder: Path) -> None:
    with requests.Session() as browser:
        home = log_in(browser, hub, archive, "ada")
        assert (home.status_code, urlsplit(home.url).path) == (200, "/hub/home"), home.text
        assert "ada" in home.text
        # the same browser, at the hub that has forgotten her: not asked for a password again
        for cookie in [c.name for c in browser.cookies if c.path.startswith("/hub")]:
            browser.cookies.set(cookie, None, domain="127.0.0.1", path="/hub/")
        again = browser.get(f"{hub}/hub/oauth_login", params={"next": "/hub/home"}, timeout=60)
        assert (again.status_code, urlsplit(again.url).path) == (200, "/hub/home")
        # a notebook in her server knows who she is
        browser.get(f"{hub}/hub/spawn", timeout=60, allow_redirects=False)
        while not (found := folder / "found").exists() or not found.read_text():
            time.sleep(0.1)
        name, *scopes = found.read_text().split()
        assert name == "ada"
        assert {"read", "write", "run", "share"} <= set(scopes)
        assert "admin" not in scopes


def test_who_is_in_no_group_does_not(hub: str, archive: str) -> None:
    with requests.Session() as browser:
        answer = log_in(browser, hub, archive, "eve")
        assert answer.status_code == 403
        assert urlsplit(answer.url).path == "/hub/oauth_callback"
