"""Files in a folder of this machine: what a program that sees the folder does is seen here at once, and the other way.

Such programs are the owners' own, and may put links anywhere, also while this looks. So no path is ever given to the
operating system as a whole: each folder is opened in the one before, and a link is refused where a folder or a file
is wanted. What is being written, or removed, is in the folder `_PARTS` beside the spaces, locked by whoever works on
it; what a killed process left there is removed by whoever looks next.
"""

import errno
import fcntl
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from awe.errors import ConflictError, NotFoundError, UnavailableError, UsageError
from awe.services.space.interface import Entry, Key
from awe.services.space.model import NodeKind, is_proper

__all__ = ["FolderDraft", "FolderStore"]

_PARTS = ".parts"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600
_ELSEWHERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
"""What it is called when a path does not lead to what is wanted."""
_NO_LINKS = frozenset({errno.EPERM, errno.EMLINK, errno.EXDEV, errno.ENOTSUP})
_SWEEP_S = 3600.0
_YOUNG_S = 60.0
"""So long something may be there that its maker has not locked yet."""


class FolderStore:
    """A `awe.services.space.Store`.

    Parameters
    ----------
    root
        Where the files are; made when the first one comes. It is one file system.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._swept = float("-inf")

    def stat(self, key: Key) -> Entry | None:
        """Return what is there; None for nothing."""
        with suppress(NotFoundError), self._folder(key[:-1]) as folder, _at(key):
            return _entry(key[-1], os.stat(key[-1], dir_fd=folder, follow_symlinks=False))
        return None

    def list(self, key: Key) -> Iterator[Entry]:
        """Yield what is in a folder; what has a name that cannot be asked for is left out."""
        with self._folder(key) as folder, os.scandir(folder) as found:
            for one in found:
                if not is_proper(one.name):
                    continue
                with suppress(FileNotFoundError):
                    entry = _entry(one.name, one.stat(follow_symlinks=False))
                    if entry is not None:
                        yield entry

    def open(self, key: Key) -> BinaryIO:
        """Return a file to be read."""
        with self._folder(key[:-1]) as folder, _at(key):
            handle = os.open(key[-1], _READ, dir_fd=folder)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise _absent(key)
        return os.fdopen(handle, "rb")

    @contextmanager
    def local(self, key: Key) -> Iterator[Path]:
        """Yield a path of the file: another name of it, or a copy where the file system has no such names."""
        name = secrets.token_hex(12)
        with self._parts(key) as parts:
            os.mkdir(name, _PRIVATE_FOLDER, dir_fd=parts)
            held = os.open(name, _FOLDER, dir_fd=parts)
            try:
                fcntl.flock(held, fcntl.LOCK_EX)
                self._name_in(held, key)
                yield self._root / _PARTS / key[0] / name / key[-1]
            finally:
                shutil.rmtree(name, ignore_errors=True, dir_fd=parts)
                os.close(held)

    @contextmanager
    def write(self, key: Key, *, replace: bool) -> Iterator["FolderDraft"]:
        """Yield what takes the bytes of a file."""
        self._sweep()
        name = secrets.token_hex(12)
        with self._parts(key) as parts:
            with _told():
                handle = os.open(name, _WRITE, _PRIVATE_FILE, dir_fd=parts)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield FolderDraft(self, key, handle, (name, parts), replace=replace)
            finally:
                os.close(handle)
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=parts)

    def make(self, key: Key) -> None:
        """Make a folder in one that is there."""
        if len(key) == 1:
            self._root.mkdir(_PRIVATE_FOLDER, parents=True, exist_ok=True)
        with self._folder(key[:-1], "container") as folder, _at(key), _told():
            os.mkdir(key[-1], _PRIVATE_FOLDER, dir_fd=folder)
            os.fsync(folder)

    def move(self, old: Key, new: Key) -> None:
        """Give something another key."""
        found = self.stat(old)
        if found is None:
            raise _absent(old)
        here_, there_ = self._folder(old[:-1]), self._folder(new[:-1], "container")
        with here_ as here, there_ as there, _at(new), _told():
            if found.kind is NodeKind.CONTAINER:
                if new[: len(old)] == old:
                    raise ConflictError(f"{'/'.join(old)} cannot be moved into itself")
                if self.stat(new) is not None:
                    raise _taken(new)
                os.rename(old[-1], new[-1], src_dir_fd=here, dst_dir_fd=there)
            else:
                _link(old[-1], here, new[-1], there)
                os.unlink(old[-1], dir_fd=here)
            os.fsync(there)
            os.fsync(here)

    def remove(self, key: Key) -> None:
        """Remove something; a folder is moved aside first, so that nobody meets half of it."""
        name = secrets.token_hex(12)
        with self._folder(key[:-1]) as folder, self._parts(key) as parts, _at(key), _told():
            os.rename(key[-1], name, src_dir_fd=folder, dst_dir_fd=parts)
            os.fsync(folder)
            found = os.stat(name, dir_fd=parts, follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                shutil.rmtree(name, ignore_errors=True, dir_fd=parts)
            else:
                os.unlink(name, dir_fd=parts)

    def place(self, key: Key, part: tuple[str, int], *, replace: bool) -> Entry:
        """Let a file that was written aside (its name, and the folder's descriptor) be there under a key."""
        name, parts = part
        with self._folder(key[:-1], "container") as folder, _at(key), _told():
            if replace:
                os.rename(name, key[-1], src_dir_fd=parts, dst_dir_fd=folder)
            else:
                _link(name, parts, key[-1], folder)
            os.fsync(folder)
            made = _entry(key[-1], os.stat(key[-1], dir_fd=folder, follow_symlinks=False))
        if made is None:
            raise _absent(key)
        return made

    @contextmanager
    def _folder(self, key: Key, missing: str = "node") -> Iterator[int]:
        """Yield the descriptor of a folder, reached without following a link."""
        handle = -1
        try:
            try:
                handle = os.open(self._root, _FOLDER)
                for name in key:
                    inner = os.open(name, _FOLDER, dir_fd=handle)
                    os.close(handle)
                    handle = inner
            except OSError as error:
                if error.errno in _ELSEWHERE:
                    raise _absent(key, missing) from None
                raise
            yield handle
        finally:
            if handle >= 0:
                os.close(handle)

    @contextmanager
    def _parts(self, key: Key) -> Iterator[int]:
        """Yield the descriptor of the folder for what is in work in a space."""
        with _told():
            self._root.mkdir(_PRIVATE_FOLDER, parents=True, exist_ok=True)
            for folder in (self._root / _PARTS, self._root / _PARTS / key[0]):
                folder.mkdir(_PRIVATE_FOLDER, exist_ok=True)
        with self._folder((_PARTS, key[0])) as found:
            yield found

    def _name_in(self, folder: int, key: Key) -> None:
        with self._folder(key[:-1]) as here, _at(key):
            try:
                _link(key[-1], here, key[-1], folder)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                with self.open(key) as source, _told():
                    copy = os.open(key[-1], _WRITE, _PRIVATE_FILE, dir_fd=folder)
                    with os.fdopen(copy, "wb") as out:
                        shutil.copyfileobj(source, out, 1 << 20)
            if not stat.S_ISREG(os.stat(key[-1], dir_fd=folder, follow_symlinks=False).st_mode):
                raise _absent(key)

    def _sweep(self) -> None:
        """Remove what nobody works on any more; now and then."""
        if time.monotonic() - self._swept < _SWEEP_S:
            return
        self._swept = time.monotonic()
        for owner in (self._root / _PARTS).glob("*"):
            with self._folder((_PARTS, owner.name)) as parts:
                with os.scandir(parts) as found:
                    names = [one.name for one in found]
                for name in names:
                    with suppress(FileNotFoundError, BlockingIOError):
                        _remove_left(name, parts)


class FolderDraft:
    """A file that is being written."""

    def __init__(
        self, store: FolderStore, key: Key, handle: int, part: tuple[str, int], *, replace: bool
    ) -> None:
        self._store = store
        self._key = key
        self._handle = handle
        self._part = part
        self._replace = replace

    def write(self, data: bytes) -> None:
        """Add bytes."""
        left = memoryview(data)
        with _told():
            while left:
                left = left[os.write(self._handle, left) :]

    def done(self) -> Entry:
        """Let the whole file be there."""
        with _told():
            os.fsync(self._handle)
        return self._store.place(self._key, self._part, replace=self._replace)


def _link(old: str, here: int, new: str, there: int) -> None:
    """Give a file a second name, if nothing has that name: the one way to move that replaces nothing."""
    os.link(old, new, src_dir_fd=here, dst_dir_fd=there, follow_symlinks=False)


def _entry(name: str, found: os.stat_result) -> Entry | None:
    """Return what is shown; None of what is neither file, folder nor link."""
    kinds = {stat.S_IFDIR: NodeKind.CONTAINER, stat.S_IFREG: NodeKind.FILE, stat.S_IFLNK: NodeKind.LINK}
    kind = kinds.get(stat.S_IFMT(found.st_mode))
    if kind is None:
        return None
    size = found.st_size if kind is NodeKind.FILE else 0
    return Entry(name, kind, size, datetime.fromtimestamp(found.st_mtime, UTC))


def _remove_left(name: str, parts: int) -> None:
    if time.time() - os.stat(name, dir_fd=parts, follow_symlinks=False).st_ctime < _YOUNG_S:
        return
    handle = os.open(name, _READ, dir_fd=parts)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            shutil.rmtree(name, ignore_errors=True, dir_fd=parts)
        else:
            os.unlink(name, dir_fd=parts)
    finally:
        os.close(handle)


def _absent(key: Key, missing: str = "node") -> NotFoundError:
    return NotFoundError(f"there is no {'/'.join(key)}", missing=missing)


def _taken(key: Key) -> ConflictError:
    return ConflictError(f"{'/'.join(key)} is there already")


@contextmanager
def _at(key: Key) -> Iterator[None]:
    """Say of a key what an operating system says of a name."""
    try:
        yield
    except (FileExistsError, IsADirectoryError):
        raise _taken(key) from None
    except OSError as error:
        if error.errno in _ELSEWHERE:
            raise _absent(key) from None
        if error.errno in {errno.ENOTEMPTY, errno.EINVAL}:
            raise _taken(key) from None
        if error.errno == errno.ENAMETOOLONG:
            raise UsageError(f"{key[-1]} is too long for a name here") from None
        raise


@contextmanager
def _told() -> Iterator[None]:
    """Say what hinders a disk from keeping something."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.EFBIG}:
            raise
        raise UnavailableError(
            f"the file cannot be kept: {error.strerror or error}",
            hint="the disk of the service is full, or cannot be written to; what was there is there still",
        ) from None
