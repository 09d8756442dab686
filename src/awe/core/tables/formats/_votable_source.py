"""The bytes of a VOTable document on their way to its parser, and past it.

They are handed out in pieces that end where a STREAM or TABLEDATA begins, so that what follows can be taken as it is:
the base64 text of a STREAM, or rows that are read without a parser. What is not taken stays for the parser.
"""

import binascii
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from pybase64 import b64decode

from awe.core.tables.formats._files import read_some
from awe.core.tables.formats._votable_stream import StreamError
from awe.errors import InputFileError

__all__ = ["Source"]

_CHUNK = 1 << 22
"""Read at once: so much that threads seldom wait for each other."""
_DATA = re.compile(rb"<(?:[\w.-]+:)?(?:STREAM|TABLEDATA)\b[^>]*>")
_ROW_END = re.compile(rb"</(?:[\w.-]+:)?TR\s*>")
_BLANKS = bytes(range(33))
_MOST_BYTES = 1 << 26
"""Bytes without the end of a tag at the most: no cell is as large, but what is no document may be."""


class Source:
    """The bytes that nobody has got yet.

    Attributes
    ----------
    held
        Those that are read already.
    passed_lines
        Line ends in what was taken past the parser.
    """

    def __init__(self, path: Path, content: BinaryIO) -> None:
        self.held = b""
        self.passed_lines = 0
        self._path = path
        self._content = content
        self._piece = b""
        self._lines = 0

    def fill(self) -> bool:
        """Hold a closed tag where possible; tell whether there are bytes at all.

        Raises
        ------
        InputFileError
            If there is none in 64 MiB, or the compressed data are damaged.
        """
        while b">" not in self.held:
            if len(self.held) > _MOST_BYTES:
                reason = f"{_MOST_BYTES >> 20} MiB without the end of a tag"
                raise InputFileError(self._path.name, reason, where=f"line {self._lines + 1}")
            more = self._read(_CHUNK)
            if not more:
                break
            self.held += more
        return bool(self.held)

    def piece(self) -> bytes:
        """Take what is held: up to the begin of rows, or else to the end of a tag where there is one."""
        match = _DATA.search(self.held)
        cut = match.end() if match else self.held.rfind(b">") + 1 or len(self.held)
        self._piece, self.held = self.held[:cut], self.held[cut:]
        return self._piece

    def end_piece(self) -> None:
        """Count the lines of the last piece, of which all is said that can be said."""
        self._lines += self._piece.count(b"\n")
        self._piece = b""

    def pass_lines(self, number: int) -> None:
        """Count lines of what was taken past the parser, and is not given back."""
        self._lines += number
        self.passed_lines += number

    def line_of_row(self, index: int) -> int:
        """Return the line where a row of the last piece ends (the parser's own count is slow and has an end)."""
        end = next(islice(_ROW_END.finditer(self._piece), index, None), None)
        return self._lines + self._piece.count(b"\n", 0, end.start() if end else None) + 1

    def rows(self, row_end: bytes, end_tag: bytes) -> Iterator[bytes]:
        """Take whole rows in pieces, until the tag that ends the table may be in what is held.

        Parameters
        ----------
        row_end, end_tag
            The tag that ends a row; how the tag begins that ends the table.
        """
        read = b""
        while len(self.held) + len(read) <= _MOST_BYTES:
            end = read.rfind(row_end)
            if end < 0:  # or over the border of two reads, or in what was held at first
                self.held, read = b"", self.held + read
                end = read.rfind(row_end)
            if end >= 0:
                end += len(row_end)
                rows, self.held = b"".join((self.held, memoryview(read)[:end])), read[end:]
                yield rows
            else:
                self.held = read
                if end_tag in self.held:
                    return
            read = self._read(min(max(_CHUNK, len(self.held)), _MOST_BYTES + 1 - len(self.held)))
            if not read:
                return
        self.held += read

    def give_back(self, *pieces: bytes) -> None:
        """Hold again what was taken last."""
        self.held = b"".join((*pieces, self.held))

    def pass_over(self, piece: bytes) -> None:
        """Take a piece that is held first past the parser."""
        self.held = self.held[len(piece) :]
        self.pass_lines(piece.count(b"\n"))

    def base64(self) -> Iterator[bytes]:
        """Take the content of the STREAM that has just begun, decoded; its end tag is not taken.

        Raises
        ------
        StreamError
            If it is damaged.
        """
        waiting, ended = b"", False
        while not ended:
            text = self._up_to_tag()
            ended = bool(self.held) or not text
            waiting += text.replace(b"\n", b"")
            whole = len(waiting) if ended else len(waiting) // 4 * 4
            try:
                yield b64decode(waiting[:whole], validate=True)
            except binascii.Error:
                waiting = waiting.translate(None, _BLANKS)
                whole = len(waiting) if ended else len(waiting) // 4 * 4
                yield _decoded(waiting[:whole])
            waiting = waiting[whole:]

    def skip_stream(self) -> None:
        """Pass over the content of a STREAM."""
        while not self.held.startswith(b"<") and self._up_to_tag():
            pass

    def _up_to_tag(self) -> bytes:
        """Take some bytes before the next tag; none when it is there, or at the end."""
        text = self.held or self._read(_CHUNK)
        end = text.find(b"<")
        text, self.held = (text, b"") if end < 0 else (text[:end], text[end:])
        self.pass_lines(text.count(b"\n"))
        return text

    def _read(self, size: int) -> bytes:
        return read_some(self._content, self._path, size)


def _decoded(text: bytes) -> bytes:
    try:
        return b64decode(text, validate=True)
    except binascii.Error as error:
        raise StreamError(f"the base64 text of the STREAM is damaged: {error}") from None
