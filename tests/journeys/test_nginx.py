"""Behind nginx with TLS: the very configuration of the page, in front of `awe up`."""

import os
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from awe.testing import TINY_TABLE, tiny_archive

pytestmark = pytest.mark.slow

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "nginx.md"
NAME = "archive.example.org"
HOME = f"https://{NAME}"
PASSWORD = "correct horse"


def block(language: str) -> str:
    """Return the one block of a language on the page."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(found)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass(frozen=True)
class Proxy:
    """A running nginx: the ports for plain and for TLS, its certificate, and the folder of the archive behind it."""

    plain: int
    port: int
    certificate: Path
    folder: Path

    def client(self, address: str = "127.0.0.1", **options: Any) -> httpx.Client:
        """Return a client that comes from an address of this machine, and looks at the certificate."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        transport = httpx.HTTPTransport(verify=context, local_address=address)
        headers = {"Host": NAME}
        return httpx.Client(
            transport=transport,
            base_url=f"https://127.0.0.1:{self.port}",
            headers=headers,
            timeout=120,
            **options,
        )


@pytest.fixture(scope="module")
def proxy(
    tmp_path_factory: pytest.TempPathFactory,
    up: Callable[..., AbstractContextManager[Any]],
    nginx: str,
) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("nginx")
    with tiny_archive(folder / "sky") as platform:
        platform.accounts.add("ann", by="local:test", password=PASSWORD)
    key, certificate = folder / "archive.key", folder / "archive.pem"
    names = f"subjectAltName=DNS:{NAME},IP:127.0.0.1"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={NAME}", "-addext", names, "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    (folder / "sky" / "awe.toml").write_text(block("toml"))
    with up(folder / "sky") as service:
        plain, port = free_port(), free_port()
        site = block("nginx")
        for text, own in {
            "listen 80;": f"listen 127.0.0.1:{plain};",
            "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
            "/etc/ssl/archive.pem": str(certificate),
            "/etc/ssl/archive.key": str(key),
            "http://127.0.0.1:8765": service.url,
        }.items():
            assert site.count(text) == 1
            site = site.replace(text, own)
        temporary = "".join(
            f"{kind}_temp_path {folder}/temp-{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;\n" if os.getuid() == 0 else ""
        configuration = folder / "nginx.conf"
        configuration.write_text(
            f"{user}worker_processes 1;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
            f"http {{\naccess_log {folder}/access.log;\n{temporary}{site}}}\n"
        )
        said = (folder / "said").open("wb")
        running = subprocess.Popen(
            [nginx, "-p", str(folder), "-c", str(configuration), "-g", "daemon off;"],
            stdout=said,
            stderr=said,
        )
        try:
            while True:
                assert running.poll() is None, (folder / "said").read_text()
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except ConnectionRefusedError:
                    time.sleep(0.02)
            yield Proxy(plain, port, certificate, folder / "sky")
        finally:
            running.terminate()
            running.wait(30)
            said.close()


def test_who_comes_without_tls_is_sent_to_it(proxy: Proxy) -> None:
    answer = httpx.get(f"http://127.0.0.1:{proxy.plain}/tap?x=1", headers={"Host": NAME})
    assert (answer.status_code, answer.headers["location"]) == (301, f"{HOME}/tap?x=1")


def test_a_login_leaves_a_cookie_for_tls_only(proxy: Proxy) -> None:
    with proxy.client() as web:
        form = {"username": "ann", "password": PASSWORD}
        assert web.post("/auth/login", data=form, headers={"Origin": "http://evil.test"}).status_code == 403
        answer = web.post("/auth/login", data=form, headers={"Origin": HOME, "Sec-Fetch-Site": "same-origin"})
        assert answer.status_code == 200
        said = answer.headers["set-cookie"].lower()
        assert all(word in said for word in ("; secure", "; httponly", "samesite=lax"))
        assert answer.headers["strict-transport-security"]
        cookie = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
        assert web.get("/api/whoami", headers=cookie).json()["name"] == "ann"
        # a page of this archive, and of no other, may act with it
        assert web.post("/auth/logout", headers={**cookie, "Origin": HOME}).status_code == 200


def test_every_link_has_the_public_address(proxy: Proxy) -> None:
    with proxy.client() as web:
        for headers in ({}, {"Host": "evil.test", "X-Forwarded-Host": "evil.test"}):
            text = web.get("/tap/capabilities", headers=headers).text
            links = set(re.findall(r"https?://[^/\"<\s]+(?=/(?:tap|auth))", text))
            assert links == {HOME}
        made = web.post(
            "/tap/async", data={"LANG": "ADQL", "QUERY": f"SELECT TOP 1 id FROM {TINY_TABLE}", "PHASE": "RUN"}
        )
        assert made.headers["location"].startswith(f"{HOME}/tap/async/")
        job = made.headers["location"].removeprefix(HOME)
        phase = "QUEUED"
        while phase in {"QUEUED", "EXECUTING"}:  # long polls pass
            web.get(job, params={"WAIT": "30", "PHASE": phase})
            phase = web.get(f"{job}/phase").text
        assert phase == "COMPLETED"


def test_a_query_of_a_megabyte_in_the_address(proxy: Proxy) -> None:
    query = f"SELECT id FROM {TINY_TABLE} WHERE id < 3 AND name <> '{'é' * 200_000}'"
    context = ssl.create_default_context(cafile=str(proxy.certificate))
    web = HTTPSConnection("127.0.0.1", proxy.port, context=context, timeout=120)
    address = "/tap/sync?" + urlencode({"LANG": "ADQL", "QUERY": query, "RESPONSEFORMAT": "csv"})
    assert len(address) > 1_000_000
    web.request("GET", address, headers={"Host": NAME})
    answer = web.getresponse()
    text = answer.read().decode()
    web.close()
    assert answer.status == 200, text[:500]
    assert sorted(text.split()) == ["1", "2", "id"]


def test_large_tables_come_and_go(proxy: Proxy) -> None:
    rows = "n,text\n" + "".join(f"{n},{'x' * 90}\n" for n in range(60_000))
    query = "SELECT COUNT(*) AS n FROM TAP_UPLOAD.mine"
    many = f"SELECT a.id AS one, b.id AS other, a.name AS text FROM {TINY_TABLE} a, {TINY_TABLE} b"
    with proxy.client() as web:
        sent = web.post(
            "/tap/sync",
            data={"LANG": "ADQL", "QUERY": query, "UPLOAD": "mine,param:mine", "RESPONSEFORMAT": "csv"},
            files={"mine": ("mine.csv", rows, "text/csv")},
        )
        assert sent.text.split() == ["n", "60000"]
        form = {"LANG": "ADQL", "QUERY": many, "MAXREC": "300000", "RESPONSEFORMAT": "csv"}
        with web.stream("POST", "/tap/sync", data=form) as answer:
            # its length is not known before its end: it is sent while it is made
            assert answer.headers["transfer-encoding"] == "chunked"
            assert sum(chunk.count(b"\n") for chunk in answer.iter_bytes()) == 1 + 500 * 500


def test_the_address_of_a_caller_is_what_nginx_saw(
    proxy: Proxy, awe: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    with proxy.client("127.0.0.3") as web:
        spoofed = {
            "X-Forwarded-For": "203.0.113.9",
            "X-Real-IP": "203.0.113.9",
            "Forwarded": "for=203.0.113.9",
        }
        wrong = {"user": "ann", "password": "a wrong one"}
        assert web.post("/api/login", json=wrong, headers=spoofed).status_code == 401
    line = awe("admin", "audit", "--target", "user:ann", "--data", str(proxy.folder)).stdout
    assert " 127.0.0.3 " in line
    assert "203.0.113.9" not in line


@pytest.mark.parametrize("name", ["X-Remote-User", "X-Forwarded-User", "X-DL-User", "X-Ssl-Client-S-Dn"])
def test_nobody_becomes_somebody_by_a_header(proxy: Proxy, name: str) -> None:
    with proxy.client() as web:
        assert web.get("/api/whoami", headers={name: "admin"}).json()["name"] == "anonymous"


def test_the_commands_of_the_page(
    proxy: Proxy, awe: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    token = awe("admin", "token", "new", "ann", "for curl", "--data", str(proxy.folder)).stdout.strip()
    (tmp_path / ".curlrc").write_text(
        f'cacert = "{proxy.certificate}"\nconnect-to = "{NAME}:443:127.0.0.1:{proxy.port}"\nfail\nsilent\nshow-error\n'
    )
    done = subprocess.run(
        ["bash", "-e", "-c", block("sh")], capture_output=True, text=True, check=False,
        env={**os.environ, "CURL_HOME": str(tmp_path), "AWE_TOKEN": token},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "<vosi:available" in done.stdout or "available>true" in done.stdout
    assert '"ann"' in done.stdout
