"""A server of files on a loopback port: lists folders, answers with ranges, and counts what it is asked for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class ObjectServer:
    """What it serves, where, and what it was asked for: method, path, bytes sent."""

    folder: Path
    url: str = ""
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    down: bool = False

    @property
    def sent(self) -> int:
        """Bytes of files sent."""
        return sum(count for _, _, count in self.asked)


@contextmanager
def object_server(folder: Path) -> Iterator[ObjectServer]:
    """Serve a folder."""
    served = ObjectServer(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            path = folder / self.path.strip("/")
            if served.down or not path.exists():
                self._send(503 if served.down else 404, b"", {})
            elif path.is_dir():
                names = (f"{p.name}/" if p.is_dir() else p.name for p in sorted(path.iterdir()))
                links = "".join(f'<a href="{name}">{name}</a>\n' for name in names)
                self._send(200, links.encode(), {"Content-Type": "text/html"})
            else:
                self._file(path)

        def _file(self, path: Path) -> None:
            size, first, last, status = path.stat().st_size, 0, path.stat().st_size, 200
            headers = {
                "Accept-Ranges": "bytes",
                "Last-Modified": formatdate(path.stat().st_mtime, usegmt=True),
            }
            if wanted := self.headers.get("Range"):
                begin, _, end = wanted.removeprefix("bytes=").partition("-")
                first, last, status = int(begin), min(size, int(end) + 1) if end else size, 206
                headers["Content-Range"] = f"bytes {first}-{last - 1}/{size}"
            with path.open("rb") as stream:
                stream.seek(first)
                content = stream.read(last - first)
            self._send(status, content, headers)
            served.asked.append((self.command, self.path, len(content) if self.command == "GET" else 0))

        def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
