"""The footers of Parquet files that DuckDB keeps from one query to the next.

To read a footer again takes a fifth of a millisecond, which shows where a table has many files. But DuckDB drops what it
has kept only when it takes it for more than the memory that all queries may use, and it takes it for an eighth of what it
is: the footers of 10,000 files would fill the machine. So it is told of which tables it may keep them.
"""

import threading

__all__ = ["KeptFooters"]

_MOST_BYTES = 16 << 20
"""As they are in the files; in memory they take five times as much."""
_FEW_FILES = 4


class KeptFooters:
    """Choose the versions of tables whose footers are kept; what was chosen once stays in memory, also when it is dropped."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._chosen: set[str] = set()
        self._bytes = 0
        self._lock = threading.Lock()

    def choose(self, location: str, files: int, size: int) -> bool:
        """Say whether the footers of a version may be kept.

        Parameters
        ----------
        files
            How many it has: those of a few are read as quickly.
        size
            Bytes of their footers.
        """
        with self._lock:
            if location in self._chosen:
                return True
            if files <= _FEW_FILES or self._bytes + size > self._most_bytes:
                return False
            self._chosen.add(location)
            self._bytes += size
            return True
