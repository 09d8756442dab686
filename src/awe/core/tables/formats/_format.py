"""What a format is: it turns a `TableStream` into bytes and a file into a `TableStream`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from awe.core.tables._stream import TableStream
from awe.core.tables.formats._votable_options import NO_OPTIONS, VOTableOptions

__all__ = ["Format"]


class Format(Protocol):
    """Write a stream as bytes; read a file as a stream. Neither keeps more than a few batches."""

    @property
    def name(self) -> str:
        """The short name."""

    @property
    def media_types(self) -> tuple[str, ...]:
        """Media types, the first the one to answer with."""

    @property
    def extensions(self) -> tuple[str, ...]:
        """File name endings with the dot, the first the one to save with."""

    def write(self, stream: TableStream, options: VOTableOptions = NO_OPTIONS) -> Iterator[bytes]:
        """Yield the document; the stream is closed at its end, on an error and when the caller stops.

        Raises
        ------
        UsageError
            If a value has no representation in this format.
        """

    def read(self, path: Path) -> TableStream:
        """Return the rows of a file; its head is read before this returns.

        Raises
        ------
        InputFileError
            From here or from the stream: with the line, row or HDU.
        """
