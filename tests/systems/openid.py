"""A real OpenID provider: the npm package ``oidc-provider``, started once for a session, and a browser that goes there."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.systems.programs import free_port, listening, program

from awe.settings.login import OidcSettings

__all__ = ["OpenIdProvider", "openid_provider"]

_NPM_PACKAGE = "oidc-provider@8.8.1"  # the newest that runs with Debian's Node.js
_CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "awe-tests"


@dataclass
class OpenIdProvider:
    """The npm package ``oidc-provider``, and a browser that goes there.

    Attributes
    ----------
    logout_tokens
        What it said of logins that ended.
    """

    issuer: str
    control: str
    redirect_uri: str
    client_id: str = "awe"
    secret: str = "the secret of the archive"
    logout_tokens: list[str] = field(default_factory=list)

    def settings(self, **others: object) -> OidcSettings:
        """Return the settings of awe for it."""
        given: dict[str, object] = {
            "kind": "oidc",
            "title": "The Institute",
            "issuer": self.issuer,
            "client_id": self.client_id,
            "secret": self.secret,
            "scopes": ("openid", "profile", "email", "groups"),
        }
        return OidcSettings.model_validate(given | others)

    def say(self, subject: str, **claims: object) -> None:
        """Let it know a person."""
        httpx.put(f"{self.control}/people/{subject}", json=claims).raise_for_status()

    def forget(self, subject: str) -> None:
        """Let it know a person no longer."""
        httpx.delete(f"{self.control}/people/{subject}").raise_for_status()

    def log_in(self, browser: httpx.Client, url: str, subject: str) -> dict[str, str]:
        """Log a person in as in a browser, and consent; return what the browser comes back with."""
        answer = browser.get(url)
        while not answer.headers.get("location", "").startswith(self.redirect_uri):
            if answer.is_redirect:
                answer = browser.get(httpx.URL(self.issuer).join(answer.headers["location"]))
                continue
            assert answer.status_code == 200, answer.text
            address = re.search(r'action="([^"]+)"', answer.text)
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert address, answer.text
            assert prompt, answer.text
            fields = {"prompt": prompt[1], "login": subject, "password": "any"}
            answer = browser.post(httpx.URL(self.issuer).join(address[1]), data=fields)
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        return {name: values[0] for name, values in query.items()}

    def log_out(self, browser: httpx.Client, url: str) -> str:
        """Log out at the address to which awe sends the browser; return where it comes back to."""
        page = browser.get(url)
        assert page.status_code == 200, page.text
        address, secret = (
            re.search(pattern, page.text) for pattern in (r'action="([^"]+)"', r'name="xsrf" value="([^"]+)"')
        )
        assert address
        assert secret
        done = browser.post(address[1], data={"xsrf": secret[1], "logout": "yes"})
        return str(done.headers["location"])


@pytest.fixture(scope="session")
def openid_provider() -> Iterator[OpenIdProvider]:
    """Return a running OpenID provider that knows awe as a client."""
    node = program("nodejs", "node")
    folder = _installed(program("npm", "npm"))
    port, control = free_port(), free_port()
    found = OpenIdProvider(
        f"http://127.0.0.1:{port}",
        f"http://127.0.0.1:{control}",
        "http://127.0.0.1/auth/oidc/institute/callback",
    )

    def told(request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"])).decode()
        found.logout_tokens += parse_qs(body)["logout_token"]
        request.send_response(200)
        request.send_header("Content-Length", "0")
        request.end_headers()

    with listening(told) as receiver:
        client = {
            "client_id": found.client_id,
            "client_secret": found.secret,
            "redirect_uris": [found.redirect_uri],
            "post_logout_redirect_uris": ["http://127.0.0.1/"],
            "backchannel_logout_uri": f"{receiver}/auth/oidc/institute/logout",
            "backchannel_logout_session_required": True,
        }
        settings = {"issuer": found.issuer, "port": port, "control": control, "clients": [client]}
        server = subprocess.Popen(
            [node, str(folder / "openid_provider.mjs")],
            env=os.environ | {"AWE_OIDC": json.dumps(settings)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert server.stdout is not None
        try:
            said = ""
            while not said.endswith("ready\n"):
                line = server.stdout.readline()
                assert line, said
                said += line
            reading = threading.Thread(target=server.stdout.read, daemon=True)  # or it would stop to write
            reading.start()
            yield found
        finally:
            server.terminate()
            server.wait(30)
            reading.join()
            server.stdout.close()


def _installed(npm: str) -> Path:
    """Return a folder where the npm package is installed; once for all sessions, whoever comes first."""
    folder = _CACHE / _NPM_PACKAGE.replace("@", "-")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            (folder / "package.json").write_text('{"private": true}')
            asked = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", _NPM_PACKAGE]
            subprocess.run(asked, cwd=folder, check=True, capture_output=True)
            (folder / "installed").touch()
        shutil.copy(Path(__file__).with_name("openid_provider.mjs"), folder)
    return folder
