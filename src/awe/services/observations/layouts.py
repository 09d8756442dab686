"""What image files say of themselves, kept in bounded memory for the requests that follow."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from awe.core.science.layout import Layout, Reader
from awe.errors import InputFileError
from awe.services.observations.copies import Copies
from awe.services.observations.storage import Storage

__all__ = ["Layouts"]


class Layouts:
    """The layouts of the files that were asked for last.

    A file that has changed is read again; a file that two threads ask for at once is read by both.

    Parameters
    ----------
    max_bytes
        What they may take in memory, about.
    storage
        Reads the files; this machine's when None.
    copies
        Of images in large tiles, which are read instead of them.
    """

    def __init__(self, max_bytes: int, storage: Storage | None = None, copies: Copies | None = None) -> None:
        self._max_bytes = max_bytes
        self._storage = storage or Storage()
        self._copies = copies
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
        with self._storage.open(path) as source:
            layout, state = self._of(path), source.state
            if layout is None or layout.state != state:
                layout = Layout.read(source)
                self._keep(path, layout)
                if layout.state != state:
                    raise InputFileError(path.name, "it was replaced while it was read", hint="ask again")
            if layout.in_large_tiles and self._copies is not None:
                found = self._copies.onto(path, layout)
                if found is not layout:
                    layout = found
                    self._keep(path, layout)
            yield layout, Reader(source)

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
