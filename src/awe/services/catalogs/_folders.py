"""Folders that appear whole or not at all, also when the power fails or the process is killed.

Words: a *staging* folder is hidden (its name begins with a dot) and somebody's work in progress; the
lock beside it is held by the living process that works on it, so that what a killed process left over
can be told from what is being made now, whoever looks.
"""

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

__all__ = ["locked", "remove", "scratch", "staged", "sweep", "sync", "waited_for"]

STAGING = ".staging-"
GONE = ".gone-"
_LOCK = ".lock"
_LOOK_S = 0.02


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Hold the lock file `path`; yields False at once where another process (or thread) holds it."""
    handle = _acquire(path)
    try:
        yield handle is not None
    finally:
        if handle is not None:
            path.unlink(missing_ok=True)
            handle.close()


@contextmanager
def waited_for(path: Path, seconds: float) -> Iterator[bool]:
    """Hold the lock file `path` as soon as nobody else does; yields False where that takes longer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + seconds
    while True:
        with locked(path) as ours:
            if ours or time.monotonic() >= until:
                yield ours
                return
        time.sleep(_LOOK_S)


def _acquire(path: Path) -> IO[bytes] | None:
    while True:
        handle = path.open("ab")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Somebody may have let go of it and removed it between our opening and our locking.
            if path.exists() and os.path.samestat(path.stat(), os.fstat(handle.fileno())):
                return handle
        except BlockingIOError:
            handle.close()
            return None
        except FileNotFoundError:  # removed between our two looks at it: try again
            pass
        handle.close()


@contextmanager
def staged(root: Path, name: str) -> Iterator[Path]:
    """Yield an empty hidden folder; it becomes ``root/name`` if the block ends well, else it is gone."""
    folder = root / f"{STAGING}{name}"
    with locked(folder.with_name(folder.name + _LOCK)):
        try:
            folder.mkdir(parents=True)
            yield folder
            sync(folder)
            folder.rename(root / name)
            _sync_one(root)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def scratch(root: Path) -> Iterator[Path]:
    """Yield the path of a hidden folder of this process's own, for what nobody keeps; it is not made yet."""
    folder = root / f"{STAGING}scratch-{secrets.token_hex(6)}"
    with locked(folder.with_name(folder.name + _LOCK)):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sweep(root: Path) -> None:
    """Remove the staging and scratch folders whose makers are dead, and what was half removed."""
    for folder in root.glob(f"{GONE}*"):
        shutil.rmtree(folder, ignore_errors=True)
    for lock in root.glob(f"{STAGING}*{_LOCK}"):
        with locked(lock) as ours:
            if ours:
                shutil.rmtree(lock.with_name(lock.name.removesuffix(_LOCK)), ignore_errors=True)


def remove(folder: Path) -> None:
    """Remove a folder: it disappears at once, its files one after the other."""
    gone = folder.with_name(f"{GONE}{folder.name}")
    if folder.is_dir():
        folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def sync(folder: Path) -> None:
    """Bring a folder and everything in it to the disk."""
    for parent, _, files in os.walk(folder):
        for name in files:
            _sync_one(Path(parent) / name)
        _sync_one(Path(parent))


def _sync_one(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
