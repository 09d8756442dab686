"""OpenStack's Keystone with SQLite, started once for a session, and its administrator."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.fernet import Fernet
from tests.systems.programs import free_port

from awe.settings.login import KeystoneSettings

__all__ = ["Keystone", "keystone"]

_PASSWORD = "correct horse"
_CHIEF = "chief secret"
_KEYSTONE = """
[DEFAULT]
use_stderr = false
log_file = {folder}/log
[database]
connection = sqlite:///{folder}/keystone.db
[fernet_tokens]
key_repository = {folder}/keys
[fernet_receipts]
key_repository = {folder}/keys
[credential]
key_repository = {folder}/keys
[identity]
password_hash_rounds = 4
[cache]
enabled = false
"""


class Keystone:
    """OpenStack's Keystone, and its administrator."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self._folder = folder
        self._http = httpx.Client(base_url=f"{url}/v3", timeout=30)
        scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
        self._http.headers["X-Auth-Token"] = self.token("chief", _CHIEF, scope)

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def settings(self, **others: object) -> KeystoneSettings:
        """Return the settings of awe for it."""
        given: dict[str, object] = {"kind": "keystone", "title": "The Institute", "url": self.url}
        return KeystoneSettings.model_validate(given | others)

    def token(self, user: str, password: str, scope: object = "unscoped") -> str:
        """Return a token of somebody."""
        who = {"name": user, "domain": {"id": "default"}, "password": password}
        identity = {"methods": ["password"], "password": {"user": who}}
        answer = self._http.post("/auth/tokens", json={"auth": {"identity": identity, "scope": scope}})
        answer.raise_for_status()
        return answer.headers["X-Subject-Token"]

    def add(self, what: str, **told: object) -> str:
        """Add a user, a group, a domain or a project; return its id."""
        answer = self._http.post(f"/{what}s", json={what: told})
        answer.raise_for_status()
        return str(answer.json()[what]["id"])

    def change(self, user: str, **told: object) -> None:
        """Change a user."""
        self._http.patch(f"/users/{user}", json={"user": told}).raise_for_status()

    def join(self, user: str, group: str) -> None:
        """Let a user be in a group."""
        self._http.put(f"/groups/{group}/users/{user}").raise_for_status()

    def leave(self, user: str, group: str) -> None:
        """Let a user be in a group no longer; the user's tokens of this second end, also those still to come."""
        self._http.delete(f"/groups/{group}/users/{user}").raise_for_status()
        time.sleep(1.1)

    def work_on(self, user: str, project: str) -> None:
        """Let a user have a role in a project."""
        (role,) = self._http.get("/roles", params={"name": "member"}).json()["roles"]
        self._http.put(f"/projects/{project}/users/{user}/roles/{role['id']}").raise_for_status()

    def revoke(self, token: str) -> None:
        """End a token."""
        self._http.delete("/auth/tokens", headers={"X-Subject-Token": token}).raise_for_status()


@pytest.fixture(scope="session")
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    """Return a running Keystone with its own database; user ``ann`` has a password."""
    folder = tmp_path_factory.mktemp("keystone")
    config = folder / "keystone.conf"
    config.write_text(_KEYSTONE.format(folder=folder))
    (folder / "keys").mkdir(mode=0o700)
    for number in range(2):
        (folder / "keys" / str(number)).write_bytes(Fernet.generate_key())
    manage = [str(Path(sys.executable).with_name("keystone-manage")), "--config-file", str(config)]
    admin = [
        "--bootstrap-username",
        "chief",
        "--bootstrap-password",
        _CHIEF,
        "--bootstrap-project-name",
        "admin",
    ]
    for command in (["db_sync"], ["bootstrap", *admin]):
        subprocess.run([*manage, *command], check=True, capture_output=True)
    port = free_port()
    script = Path(__file__).with_name("keystone_server.py")
    with (folder / "out").open("wb") as out:
        server = subprocess.Popen(
            # -P: this folder has a module of the name keystone, too
            [sys.executable, "-P", str(script), str(config), str(port)],
            stdout=out,
            stderr=out,
        )
    try:
        while True:
            assert server.poll() is None, (folder / "out").read_text()
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        found = Keystone(f"http://127.0.0.1:{port}", folder)
        user = found.add(
            "user", name="ann", password=_PASSWORD, email="ann@example.org", description="Ann Example"
        )
        found.join(user, found.add("group", name="hst"))
        yield found
        found.close()
    finally:
        server.terminate()
        server.wait(30)
