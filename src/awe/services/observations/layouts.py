"""What image files say of themselves, kept in bounded memory for the requests that follow."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from awe.core.science.layout import Layout, Reader
from awe.errors import InputFileError

__all__ = ["Layouts"]


class Layouts:
    """The layouts of the files that were asked for last.

    A file that has changed is read again; a file that two threads ask for at once is read by both.

    Parameters
    ----------
    max_bytes
        What they may take in memory, about.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._known: OrderedDict[Path, tuple[Layout, int]] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def open(self, path: Path) -> Iterator[tuple[Layout, Reader]]:
        """Open a file with what it says of itself.

        Raises
        ------
        InputFileError
            If it is no FITS file, holds no image of the sky, cannot be read, or changes meanwhile.
        """
        try:
            stream = path.open("rb")
        except OSError as error:
            raise InputFileError(path.name, f"it cannot be read: {error.strerror}") from None
        with stream:
            reader = Reader(path, stream.fileno())
            layout = self._of(path)
            if layout is None or layout.state != reader.state:
                layout = Layout.read(path)
                self._keep(path, layout)
            if layout.state != reader.state:
                raise InputFileError(path.name, "it was replaced while it was read", hint="ask again")
            yield layout, reader

    def _of(self, path: Path) -> Layout | None:
        with self._lock:
            known = self._known.get(path)
            if known is None:
                return None
            self._known.move_to_end(path)
            return known[0]

    def _keep(self, path: Path, layout: Layout) -> None:
        size = layout.size
        with self._lock:
            _, old = self._known.pop(path, (None, 0))
            self._bytes -= old
            if size > self._max_bytes:
                return
            self._known[path] = layout, size
            self._bytes += size
            while self._bytes > self._max_bytes:
                _, (_, oldest) = self._known.popitem(last=False)
                self._bytes -= oldest
