"""The Store seam: bytes under keys, in folders.

A store knows no owner, no access and no quota. A backend passes ``tests/conformance/test_store.py``.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from awe.services.space.model import NodeKind

__all__ = ["Draft", "Entry", "Key", "Store"]

Key = tuple[str, ...]
"""Names from the outermost folder on; each is one that `is_proper`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept under a key: its last name, what it is, its bytes, when it was written."""

    name: str
    kind: NodeKind
    size: int
    modified: datetime


class Draft(Protocol):
    """A file that is being written: nobody meets it before it is `done`, and one that never is leaves nothing."""

    def write(self, data: bytes) -> None:
        """Add bytes; `UnavailableError` if they cannot be kept."""

    def done(self) -> Entry:
        """Let the whole file be there, on the disk, at once.

        Raises
        ------
        ConflictError
            If a folder has its name, or anything that it may not replace.
        NotFoundError
            If the folder that it is for is gone.
        UnavailableError
            If it cannot be kept.
        """


class Store(Protocol):
    """Keep files. No method follows a link out of, or within, what is kept."""

    def stat(self, key: Key) -> Entry | None:
        """Return what is there; None for nothing."""

    def list(self, key: Key) -> Iterator[Entry]:
        """Yield what is in a folder, in no order; `NotFoundError` if it is none."""

    def open(self, key: Key) -> BinaryIO:
        """Return a file to be read, as it is now whatever is written meanwhile; `NotFoundError` if it is none."""

    def local(self, key: Key) -> AbstractContextManager[Path]:
        """Return where a program on this machine can read a file, which has its name; errors as `open`."""

    def write(self, key: Key, *, replace: bool) -> AbstractContextManager[Draft]:
        """Return what takes the bytes of a file; what is left undone when it is closed is gone.

        Parameters
        ----------
        replace
            Whether it may take the place of another file.
        """

    def make(self, key: Key) -> None:
        """Make a folder in one that is there; `ConflictError` if anything has its name."""

    def move(self, old: Key, new: Key) -> None:
        """Give a file, a folder with all in it, or a link another key.

        Raises
        ------
        NotFoundError
            If it is not there, or the folder that it is for is not.
        ConflictError
            If anything has the new key, or a folder would be within itself.
        """

    def remove(self, key: Key) -> None:
        """Remove a file, a folder with all in it, or a link itself; at once, for whoever looks."""
