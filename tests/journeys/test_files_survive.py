"""The server is killed while it receives a file: the file that was there is there, and nothing of the new one."""

import os
import signal
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from awe.testing import log_in, tiny_archive

pytestmark = pytest.mark.slow
Up = Callable[..., AbstractContextManager[Any]]
NAME = "/datalab/storage/{}?name=vos://large"


def test_a_server_killed_in_a_put(tmp_path: Path, up: Up) -> None:
    folder = tmp_path / "sky"
    with tiny_archive(folder) as platform:
        platform.accounts.add("ada", by="local:test")
        token = log_in(platform, "ada")
    headers = {"X-DL-AuthToken": token}
    with up(folder) as service:
        whole = Request(
            service.url + NAME.format("upload"), data=b"first" * 1000, headers=headers, method="PUT"
        )
        assert urlopen(whole).status == 201
        host = urlsplit(service.url)
        with socket.create_connection((host.hostname, host.port)) as sending:
            lines = (
                f"PUT {NAME.format('upload')} HTTP/1.1\r\nHost: x\r\nX-DL-AuthToken: {token}\r\n"
                "Content-Length: 50000000\r\n\r\n"
            )
            sending.sendall(lines.encode() + b"x" * 20_000_000)
            parts = folder / "space" / ".parts" / "ada"
            while not any(one.stat().st_size > 5_000_000 for one in parts.iterdir()):
                sending.sendall(b"x" * 1000)
            os.kill(service.pid, signal.SIGKILL)
    with up(folder) as service:
        stat = urlopen(Request(service.url + NAME.format("stat"), headers=headers)).read()
        assert b'"size": 5000' in stat
        address = urlopen(Request(service.url + NAME.format("get"), headers=headers)).read().decode()
        assert urlopen(address).read() == b"first" * 1000
        listed = urlopen(Request(service.url + "/datalab/storage/ls?name=vos://", headers=headers)).read()
        assert listed == b"large,public,tmp"
        usage = urlopen(Request(service.url + "/api/me/usage", headers={"X-Auth-Token": token})).read()
        assert b'"used":5000' in usage.replace(b" ", b"")
