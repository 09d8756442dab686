"""HTTP/1.1 by the quicker of the server's parsers, with heads of any length up to a limit.

That parser (llhttp) takes an address apart only up to 64 kB, and the Data Lab's client sends queries in addresses; and it
waits for the end of a head however long that becomes. Both are mended here.
"""

from typing import Any
from urllib.parse import unquote

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["Protocol"]

_LONGEST_HEAD = 2 << 20
"""Bytes of a request before its body: its address and its headers."""
_LONG_ADDRESS = 60_000


class Protocol(HttpToolsProtocol):
    """One connection of a client."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head: int | None = 0

    def data_received(self, data: bytes) -> None:
        """Take bytes; refuse a head that is too long."""
        if self._head is not None:
            self._head += len(data)
            if self._head > _LONGEST_HEAD + len(data):
                self.send_400_response("The head of the request is too long.")
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._head = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hand a request over; an address too long for the parser is taken apart here (RFC 9112 section 3.2.1)."""
        self._head = None
        address = self.url
        if len(address) <= _LONG_ADDRESS:
            super().on_headers_complete()
            return
        if not address.startswith(b"/"):
            raise ValueError("only an absolute path may be that long")  # the parser makes a refusal of it
        self.url = b"/"
        super().on_headers_complete()  # whoever answers begins after this and finds the address in the same scope
        path, _, query = address.partition(b"#")[0].partition(b"?")
        self.scope |= {
            "path": self.root_path + unquote(path.decode("ascii")),
            "raw_path": self.root_path.encode("ascii") + path,
            "query_string": query,
        }
