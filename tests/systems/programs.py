"""What the tests' set-up installs, and what listens on this machine for a test."""

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

__all__ = ["free_port", "listening", "program"]


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
