"""Opening the files that people give us: compressed or not, told by their first bytes; one part of them by name."""

import bz2
import gzip
import re
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, cast

from awe.errors import InputFileError

__all__ = ["first_bytes", "open_file", "read_some", "split_part", "unpacked_size"]

_OPENERS: Mapping[bytes, Callable[[Path], object]] = {b"\x1f\x8b": gzip.GzipFile, b"BZh": bz2.BZ2File}
_PART = re.compile(r"(.+)\[([^\[\]]+)\]")
_CHUNK = 1 << 22
_DAMAGE = (EOFError, OSError, zlib.error)


def split_part(path: Path) -> tuple[Path, str | None]:
    """Return the file, and the HDU or table that ``file.fits[EVENTS]`` or ``file.vot[2]`` names."""
    match = _PART.fullmatch(path.name)
    if match is None or path.exists():
        return path, None
    return path.with_name(match[1]), match[2]


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading its content, through gzip or bzip2 where its first bytes say so.

    Raises
    ------
    InputFileError
        If it cannot be opened.
    """
    try:
        with path.open("rb") as raw:
            start = raw.read(4)
        for magic, opener in _OPENERS.items():
            if start.startswith(magic):
                return cast("BinaryIO", opener(path))
        return path.open("rb")
    except OSError as error:
        raise InputFileError(path.name, error.strerror or str(error)) from None


def first_bytes(path: Path, size: int = 4096) -> bytes:
    """Return the beginning of a file's content.

    Raises
    ------
    InputFileError
        If it cannot be read.
    """
    with open_file(path) as content:
        return read_some(content, path, size)


def unpacked_size(path: Path, most: int) -> int:
    """Return how many bytes a file holds, unpacked where it is compressed; at `most` it is no longer counted.

    Raises
    ------
    InputFileError
        If the compressed data are damaged or end early.
    """
    with open_file(path) as content:
        if not isinstance(content, gzip.GzipFile | bz2.BZ2File):
            return min(path.stat().st_size, most)
        size = 0
        while size < most and (chunk := read_some(content, path, _CHUNK)):
            size += len(chunk)
    return min(size, most)


def read_some(content: BinaryIO, path: Path, size: int) -> bytes:
    """Read up to `size` bytes.

    Raises
    ------
    InputFileError
        If the compressed data are damaged or end early.
    """
    try:
        return content.read(size)
    except _DAMAGE as error:
        raise InputFileError(path.name, f"the compressed data cannot be read: {error}") from None
