"""Real account systems for the tests: what makes one, and what a test does with it.

Each is started once for a session, listens at a loopback address, keeps its files in a folder of its own, and is
stopped at the end.
"""

import fcntl
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from ldap3 import MODIFY_REPLACE, NONE, Connection, Server

from awe.login_settings import KeystoneSettings, LdapSettings, OidcSettings

__all__ = [
    "Directory",
    "Keystone",
    "OpenIdProvider",
    "directory",
    "free_port",
    "keystone",
    "listening",
    "openid_provider",
    "program",
]

_NPM_PACKAGE = "oidc-provider@8.8.1"  # the newest that runs with Debian's Node.js
_CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "awe-tests"


def program(package: str, *names: str, path: str | None = None) -> str:
    """Return the path of a program that the set-up installs; where it is absent: fail under CI, else skip."""
    found = next((found for name in names if (found := shutil.which(name, path=path))), None)
    if found is None:
        said = f"{names[0]} is not installed (Debian package {package})"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(said)
    return found


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def listening(handle: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    """Serve what `handle` answers, in a thread; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            handle(self)

        def do_POST(self) -> None:
            handle(self)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


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
            [sys.executable, str(script), str(config), str(port)], stdout=out, stderr=out
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


BASE = "dc=example,dc=org"
_PEOPLE: dict[str, dict[str, str]] = {
    "uid=ann,ou=people": {"cn": "Ann Example", "mail": "ann@example.org", "employeeType": "staff"},
    "uid=ben,ou=people": {"cn": "Ben", "employeeType": "guest"},
    "uid=twin,ou=people": {"cn": "One Twin"},
    "uid=twin,ou=guests": {"cn": "Other Twin"},
    "uid=o'brien,ou=people": {"cn": "Flann"},
    "uid=a\\+b\\,c,ou=people": {"cn": "Odd"},
    "uid=*,ou=people": {"cn": "Star"},
    "uid=ü(x),ou=people": {"cn": "Umlaut"},
}
_GROUPS = {"hst": ("uid=ann,ou=people",), "jwst": ("uid=ann,ou=people", "uid=ben,ou=people")}
_SLAPD = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
# the worst that a directory can do: say yes to a name without a password (RFC 4513 section 5.1.2)
allow bind_anon_dn
database mdb
suffix {base}
rootdn cn=root,{base}
rootpw "{password}"
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=awe,{base}" read by self read by * none
"""


@dataclass
class Directory:
    """OpenLDAP's ``slapd`` with a few people; everybody has the same password.

    Attributes
    ----------
    elsewhere
        The address that it refers to for some people.
    """

    folder: Path
    port: int
    tls_port: int
    elsewhere: str
    password: str = _PASSWORD

    @property
    def ca_file(self) -> Path:
        """The certificate to trust."""
        return self.folder / "ca.pem"

    def settings(self, **others: object) -> LdapSettings:
        """Return the settings of awe for it."""
        given: dict[str, object] = {
            "kind": "ldap",
            "title": "The Institute",
            "url": f"ldap://localhost:{self.port}",
            "ca_file": self.ca_file,
            "bind_dn": f"cn=awe,{BASE}",
            "secret": self.password,
            "user_base": BASE,
            "group_base": f"ou=groups,{BASE}",
        }
        return LdapSettings.model_validate(given | others)

    def change(self, dn: str, **attributes: str | list[str]) -> None:
        """Change attributes of an entry."""
        values = {
            name: [(MODIFY_REPLACE, [value] if isinstance(value, str) else value)]
            for name, value in attributes.items()
        }
        with self._root() as connection:
            assert connection.modify(f"{dn},{BASE}", values), connection.result

    def rename(self, dn: str, name: str) -> None:
        """Give an entry another name."""
        with self._root() as connection:
            assert connection.modify_dn(f"{dn},{BASE}", name), connection.result

    def binds(self) -> int:
        """Return how often somebody tried to bind until now."""
        return len(re.findall(r" BIND dn=.* method=128", (self.folder / "log").read_text()))

    @contextmanager
    def _root(self) -> Iterator[Connection]:
        server = Server("127.0.0.1", self.port, get_info=NONE)
        with Connection(server, f"cn=root,{BASE}", self.password) as connection:
            yield connection


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    """Return a running LDAP directory."""
    search = os.pathsep.join(["/usr/sbin", os.environ.get("PATH", "")])
    slapd, slapadd = (program("slapd", name, path=search) for name in ("slapd", "slapadd"))
    folder = tmp_path_factory.mktemp("slapd")
    (folder / "data").mkdir()
    _certificates(folder)
    found = Directory(folder, free_port(), free_port(), f"127.0.0.1:{free_port()}")
    config = folder / "slapd.conf"
    config.write_text(_SLAPD.format(folder=folder, base=BASE, password=_PASSWORD))
    added = subprocess.run(
        [slapadd, "-f", str(config)], input=_ldif(found.elsewhere).encode(), capture_output=True, check=False
    )
    assert added.returncode == 0, added.stderr.decode()
    addresses = f"ldap://127.0.0.1:{found.port}/ ldaps://127.0.0.1:{found.tls_port}/"
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [slapd, "-f", str(config), "-h", addresses, "-d", "stats"], stdout=log, stderr=log
        )
    try:
        while True:
            assert server.poll() is None, (folder / "log").read_text()
            try:
                for port in (found.port, found.tls_port):
                    socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.02)
        yield found
    finally:
        server.terminate()
        server.wait(30)


def _ldif(elsewhere: str) -> str:
    entries = [
        {"dn": BASE, "objectClass": "domain"},
        *({"dn": f"ou={name},{BASE}", "objectClass": "organizationalUnit"} for name in ("people", "guests", "groups")),
        {"dn": f"cn=awe,{BASE}", "objectClass": "organizationalRole\nobjectClass: simpleSecurityObject",
         "userPassword": _PASSWORD},
        {"dn": f"cn=elsewhere,ou=people,{BASE}", "objectClass": "referral\nobjectClass: extensibleObject",
         "ref": f"ldap://{elsewhere}/{BASE}"},
        *(
            {"dn": f"{dn},{BASE}", "objectClass": "inetOrgPerson", "sn": "x", "userPassword": _PASSWORD, **told}
            for dn, told in _PEOPLE.items()
        ),
        *(
            {"dn": f"cn={name},ou=groups,{BASE}", "objectClass": "groupOfNames",
             "member": "\nmember: ".join(f"{dn},{BASE}" for dn in members)}
            for name, members in _GROUPS.items()
        ),
    ]  # fmt: skip
    return "\n\n".join("\n".join(f"{name}: {value}" for name, value in one.items()) for one in entries)


def _certificates(folder: Path) -> None:
    """Write a certificate authority, and a certificate of it for ``localhost``."""
    now = datetime.now(UTC)
    signer, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the tests")])

    def made(subject: x509.Name, public: ec.EllipticCurvePublicKey, extension: x509.ExtensionType) -> bytes:
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(authority)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(extension, critical=True)
            .sign(signer, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM)

    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    here = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    (folder / "ca.pem").write_bytes(
        made(authority, signer.public_key(), x509.BasicConstraints(ca=True, path_length=None))
    )
    (folder / "server.pem").write_bytes(made(here, key.public_key(), names))
    (folder / "server.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
