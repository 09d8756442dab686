"""How much people's files take, told by the folders themselves: programs that see them write there too.

A figure is looked up again after a time that grows with how long that takes. What this process writes and removes
counts at once, also files that are still coming.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from awe.errors import NotFoundError
from awe.services.space.interface import Key, Store
from awe.services.space.model import NodeKind

__all__ = ["SpaceUsage"]

_FRESH_S = 5.0
_PATIENCE = 20.0
"""A figure is good for so many times as long as it took to look it up, at least."""


@dataclass(slots=True)
class _Figure:
    bytes: int
    until: float


class SpaceUsage:
    """Count bytes.

    Parameters
    ----------
    store
        What keeps them.
    now
        Seconds of a clock that never goes back.
    """

    def __init__(self, store: Store, now: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._now = now
        self._known: dict[Key, _Figure] = {}
        self._coming: Counter[Key] = Counter()
        self._lock = threading.Lock()

    def bytes(self, key: Key) -> int:
        """Return the bytes of all files in a folder."""
        with self._lock:
            known = self._known.get(key)
            if known is not None and self._now() < known.until:
                return known.bytes + self._coming[key]
        begun = self._now()
        found = self._counted(key)
        ended = self._now()
        with self._lock:
            self._known[key] = _Figure(found, ended + max(_FRESH_S, _PATIENCE * (ended - begun)))
            return found + self._coming[key]

    def come(self, key: Key, size: int) -> None:
        """Say that so many bytes more (or less) are of files that are not there yet."""
        with self._lock:
            self._coming[key] += size
            if not self._coming[key]:
                del self._coming[key]

    def add(self, key: Key, size: int) -> None:
        """Say that so many bytes more (or less) are there."""
        with self._lock:
            if key in self._known:
                self._known[key].bytes += size

    def forget(self, key: Key) -> None:
        """Say that something went, so that it is looked up again."""
        with self._lock:
            self._known.pop(key, None)

    def _counted(self, key: Key) -> int:
        found = self._store.stat(key)
        if found is None or found.kind is not NodeKind.CONTAINER:
            return 0
        size, waiting = 0, [key]
        while waiting:
            folder = waiting.pop()
            with suppress(NotFoundError):  # it went meanwhile
                for entry in self._store.list(folder):
                    size += entry.size
                    if entry.kind is NodeKind.CONTAINER:
                        waiting.append((*folder, entry.name))
        return size
