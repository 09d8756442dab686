"""Which processes are alive: each holds a lock, which the operating system lets go when it dies.

A lease says until when whoever holds it is believed to live; where the processes share a folder, the lock tells at
once, so that after a crash nobody waits for a lease to end.
"""

import fcntl
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import IO

__all__ = ["Presence"]

_LOCK = ".lock"


class Presence:
    """One holder of leases, alive until it is closed or its process dies.

    Parameters
    ----------
    folder
        Shared by the holders; made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = secrets.token_hex(8)
        self._path = folder / f"{self.name}{_LOCK}"
        # Under another name until the lock is held: nobody may see this one without its lock.
        new = folder / f".new-{self.name}"
        self._lock = new.open("wb")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        new.rename(self._path)

    def gone(self) -> tuple[str, ...]:
        """Return the names of the holders that are dead and not forgotten yet."""
        others = (path for path in self._path.parent.glob(f"*{_LOCK}") if path != self._path)
        return tuple(path.name.removesuffix(_LOCK) for path in others if _is_free(path))

    def forget(self, names: Iterable[str]) -> None:
        """Remove what is left of dead holders, once what they held is looked after."""
        for name in names:
            (self._path.parent / f"{name}{_LOCK}").unlink(missing_ok=True)

    def close(self) -> None:
        """Be gone."""
        self._path.unlink(missing_ok=True)
        self._lock.close()


def _is_free(path: Path) -> bool:
    try:
        with path.open("rb") as lock:
            return _try(lock)
    except FileNotFoundError:  # it was closed, or forgotten by somebody else
        return False


def _try(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
