"""Where published files lie: in folders of this machine, and in object stores."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO

from awe.core.science.source import Source, open_local
from awe.errors import InputFileError
from awe.services.observations.objects import Objects, is_object

__all__ = ["Storage"]


class Storage:
    """Reads files by their paths, wherever they are.

    Parameters
    ----------
    options
        Of object stores, by the beginning of their addresses: keywords of fsspec's file systems.
    """

    def __init__(self, options: Mapping[str, Mapping[str, object]] | None = None) -> None:
        self._objects = Objects(options or {})

    def objects(self, folder: Path) -> list[Path]:
        """Return all objects below an address; see `Objects.find`."""
        return self._objects.find(folder)

    def stat(self, path: Path) -> tuple[int, float]:
        """Return the size of a file, and when it changed (seconds since 1970).

        Raises
        ------
        InputFileError
            If it is not there, or cannot be asked for.
        """
        if is_object(path):
            return self._objects.stat(path)
        try:
            status = path.stat()
        except OSError as error:
            raise InputFileError(path.name, f"it cannot be read: {error.strerror}") from None
        return status.st_size, status.st_mtime

    def open(self, path: Path) -> AbstractContextManager[Source]:
        """Open a file; errors as `stat`."""
        return self._objects.open(path) if is_object(path) else open_local(path)

    def binary(self, path: Path) -> BinaryIO:
        """Open a file to be read from its beginning; errors as `stat`."""
        if is_object(path):
            return self._objects.binary(path)
        try:
            return path.open("rb")
        except OSError as error:
            raise InputFileError(path.name, f"it cannot be read: {error.strerror}") from None

    @contextmanager
    def local(self, path: Path) -> Iterator[Path]:
        """Yield a path of this machine where a file can be read: its own, or that of a copy which is removed then."""
        if not is_object(path):
            yield path
            return
        with tempfile.TemporaryDirectory(prefix="awe-object-") as folder:
            copy = Path(folder, path.name)
            with self.binary(path) as stream, copy.open("wb") as out:
                shutil.copyfileobj(stream, out, 1 << 20)
            yield copy
