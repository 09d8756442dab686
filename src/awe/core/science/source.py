"""Files of which parts are read: where they lie, and several ranges of bytes at once.

A file of this machine is a `LocalSource`. What lies elsewhere is opened by a service and looks the same from here.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from awe.errors import InputFileError

__all__ = ["LocalSource", "Range", "Source", "State", "open_local"]

State = tuple[int | str, ...]
"""What changes with a file."""

Range = tuple[int, int]
"""The place of the first byte, and how many are wanted."""


class Source(Protocol):
    """An open file.

    Attributes
    ----------
    name
        Of the file, for messages.
    near
        Bytes between two wanted ranges that are read rather than left out.
    """

    name: str
    near: int

    @property
    def state(self) -> State:
        """What changes with the file."""
        ...

    @property
    def size(self) -> int:
        """Bytes of the file."""
        ...

    def read(self, ranges: Sequence[Range]) -> list[bytes]:
        """Return the bytes of some ranges; `EOFError` where the file ends before."""
        ...

    def stream(self) -> AbstractContextManager[BinaryIO]:
        """Open the file to be read from the beginning, for what only astropy understands."""
        ...


class LocalSource:
    """A file of this machine; as many threads as like may read it.

    Parameters
    ----------
    path, number
        The file, and the number of the open one.
    """

    near = 4096

    def __init__(self, path: Path, number: int) -> None:
        self.name = path.name
        self._path, self._number = path, number

    @property
    def state(self) -> State:
        """Device, number, size, time."""
        return _state(self._number)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return os.fstat(self._number).st_size

    def read(self, ranges: Sequence[Range]) -> list[bytes]:
        """Return the bytes of some ranges; `EOFError` where the file ends before."""
        take, number = os.pread, self._number
        found = [take(number, count, place) for place, count in ranges]
        for data, (place, count) in zip(found, ranges, strict=True):
            if len(data) != count:
                raise EOFError(f"the file ends before byte {place + count:,}")
        return found

    @contextmanager
    def stream(self) -> Iterator[BinaryIO]:
        """Open the file once more; `InputFileError` where another one is there now."""
        with self._path.open("rb") as stream:
            if _state(stream.fileno()) != self.state:
                raise InputFileError(self.name, "it was replaced while it was read", hint="ask again")
            yield stream


def _state(number: int) -> State:
    found = os.fstat(number)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


@contextmanager
def open_local(path: Path) -> Iterator[LocalSource]:
    """Open a file of this machine.

    Raises
    ------
    InputFileError
        If it cannot be read.
    """
    try:
        stream = path.open("rb", buffering=0)
    except OSError as error:
        raise InputFileError(path.name, f"it cannot be read: {error.strerror}") from None
    with stream:
        yield LocalSource(path, stream.fileno())
