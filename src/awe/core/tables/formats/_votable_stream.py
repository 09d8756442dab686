"""What a STREAM of a VOTable says of its bytes (VOTable 1.5 section 5.5), and how they become rows.

The bytes stand inside the element as base64, or in a ``data:`` address (RFC 2397); either way they may be packed
with gzip. Any other address is refused: who sends a document could make the service read for them.
"""

import binascii
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from pybase64 import b64decode

__all__ = ["Encoding", "StreamError", "encoding_of", "unpacked"]

_DATA_URL = re.compile(r"\s*data:([^,]*),", re.IGNORECASE)
_PIECE = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS


class StreamError(Exception):
    """A STREAM cannot be read: why, and what would help."""

    def __init__(self, reason: str, hint: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class Encoding(NamedTuple):
    """Whether the bytes are packed, and the bytes themselves where an address holds them."""

    packed: bool
    held: bytes | None


def encoding_of(href: str | None, encoding: str | None) -> Encoding:
    """Return how a STREAM with these attributes is to be read.

    Raises
    ------
    StreamError
        If the rows are elsewhere, or encoded in a way that is not read.
    """
    words = {word for word in re.split(r"[\s,+;]+", (encoding or "none").lower()) if word}
    if not words <= {"base64", "gzip", "none"}:
        raise StreamError(f"STREAM encoding={encoding!r} is not read", "use base64")
    if href is not None and href.strip():
        return Encoding("gzip" in words, _held(href, base64="base64" in words))
    if words == {"none"}:
        raise StreamError(f"STREAM encoding={encoding!r} is not read", "use base64")
    return Encoding("gzip" in words, None)


def _held(href: str, *, base64: bool) -> bytes:
    match = _DATA_URL.match(href)
    if match is None:
        raise StreamError(
            f"the rows are elsewhere (STREAM href={href[:80]!r}), which is not opened",
            "write them inline, as BINARY2 or as FITS in base64",
        )
    content = unquote_to_bytes(href[match.end() :])
    said = match[1].lower().replace(" ", "").endswith(";base64")
    for coded in (said, base64 and not said):
        if coded:
            try:
                content = b64decode(b"".join(content.split()), validate=True)
            except binascii.Error as error:
                raise StreamError(f"the base64 text of the STREAM's address is damaged: {error}") from None
    return content


def unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what is packed with gzip, a bounded piece at a time whatever the bytes make of themselves.

    Raises
    ------
    StreamError
        If the bytes are damaged or end early.
    """
    inflater = zlib.decompressobj(_GZIP)
    begun = False
    for chunk in chunks:
        left = chunk
        while left:
            if inflater.eof:  # members may follow each other (RFC 1952 section 2.2)
                inflater = zlib.decompressobj(_GZIP)
            try:
                piece = inflater.decompress(left, _PIECE)
            except zlib.error as error:
                raise StreamError(f"the gzip data of the STREAM are damaged: {error}") from None
            begun = True
            left = inflater.unconsumed_tail or inflater.unused_data
            if piece:
                yield piece
    if begun and not inflater.eof:
        raise StreamError("the gzip data of the STREAM end early")
