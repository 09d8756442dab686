"""What was decoded of tables, kept for whoever asks next: memory-mapped Arrow files that all processes share.

Words: a *parcel* is some columns of one row group. The first one of a group is its *places*: the cells and the positions,
as numbers, which is all that most of a look-up needs. The others are the columns of the table, a few in each, so that
one who wants five of five hundred columns decodes no others.

A parcel is a file in a folder that is bounded: whoever writes removes the files that nobody used for longest. A file that
is gone stays readable for those who have it mapped, until they look for it again. Files of another start of the machine are
not trusted, since nothing brought them to the disk.
"""

import os
import secrets
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from awe.core.waiting import waits

__all__ = ["Parcel", "Parcels"]

_LOOK_S = 30.0
"""So often a parcel in use is marked as used, and looked for."""
_MOST_OPEN = 20_000
_MOST_MADE = 16
_ABANDONED_S = 86_400.0
_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(slots=True, eq=False)
class Parcel:
    """Decoded columns of a row group, and what was made of them: that goes with them, so that it is bounded as they are.

    Attributes
    ----------
    batch
        The columns.
    seen
        When it was last looked for among the files.
    """

    batch: pa.RecordBatch
    seen: float
    _made: dict[object, object] = field(default_factory=dict)

    def made(self, key: object) -> object | None:
        """Return what was made of it under this name; None where nothing was."""
        return self._made.get(key)

    def keep(self, key: object, made: object) -> None:
        """Keep something that was made of it; a few such things are kept."""
        if len(self._made) >= _MOST_MADE:
            self._made.clear()
        self._made[key] = made


class Parcels:
    """A bounded folder of decoded columns.

    Parameters
    ----------
    folder
        Where they are, shared by all processes of this machine that serve the same tables.
    most_bytes
        Their size at the most; nothing is kept when 0.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._root = folder
        self._folder = folder / _boot()
        self._most_bytes = most_bytes
        self._open: OrderedDict[tuple[str, str], Parcel] = OrderedDict()
        self._bytes = 0
        self._written = 0
        self._lock = threading.Lock()
        self._sweep_others()

    def get(self, group: str, part: str, make: Callable[[], pa.RecordBatch]) -> Parcel:
        """Return a parcel of a row group, made when it is not there.

        Parameters
        ----------
        group
            A name of the row group that is its own for ever; its first part, up to a slash, is that of the version.
        part
            Which columns.
        """
        key = (group, part)
        known = self._open.get(key)
        if known is not None and time.monotonic() - known.seen < _LOOK_S:
            return known
        waits()
        now = time.monotonic()
        if self._most_bytes == 0:
            return Parcel(make(), now)
        path = self._folder / group / f"{part}.arrow"
        if known is not None:
            if _mark(path):
                known.seen = now
                self._remember(key, known)
                return known
            self._forget(key)
        batch = _mapped(path)
        if batch is None:
            made = make()
            batch = self._write(path, made) or made
        parcel = Parcel(batch, now)
        self._remember(key, parcel)
        return parcel

    def has(self, group: str, part: str) -> bool:
        """Say whether a parcel is at hand in this process."""
        return (group, part) in self._open

    def drop(self, version: str) -> None:
        """Remove what was decoded of a version."""
        with self._lock:
            for key in [key for key in self._open if key[0].startswith(f"{version}/")]:
                self._bytes -= self._open.pop(key).batch.nbytes
        shutil.rmtree(self._folder / version, ignore_errors=True)

    def _remember(self, key: tuple[str, str], parcel: Parcel) -> None:
        with self._lock:
            before = self._open.pop(key, None)
            self._open[key] = parcel
            self._bytes += parcel.batch.nbytes - (before.batch.nbytes if before is not None else 0)
            while self._open and (self._bytes > self._most_bytes or len(self._open) > _MOST_OPEN):
                _, oldest = self._open.popitem(last=False)
                self._bytes -= oldest.batch.nbytes

    def _forget(self, key: tuple[str, str]) -> None:
        with self._lock:
            parcel = self._open.pop(key, None)
            self._bytes -= parcel.batch.nbytes if parcel is not None else 0

    def _write(self, path: Path, batch: pa.RecordBatch) -> pa.RecordBatch | None:
        """Write a parcel and return it mapped; None where there is no room for it."""
        part = path.with_name(f".{secrets.token_hex(6)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as out:
                out.write_batch(batch)
            part.rename(path)
        except OSError:
            part.unlink(missing_ok=True)
            return None
        with self._lock:
            self._written += batch.nbytes
            full = self._written >= self._most_bytes // 16
            if full:
                self._written = 0
        if full:
            self._sweep()
        return _mapped(path)

    def _sweep(self) -> None:
        """Remove the files that were not used for longest, until there is room again."""
        files = []
        for parent, _, names in os.walk(self._folder):
            for name in names:
                path = Path(parent, name)
                try:
                    state = path.stat()
                except FileNotFoundError:
                    continue
                files.append((state.st_mtime, state.st_size, path))
        over = sum(size for _, size, _ in files) - self._most_bytes * 15 // 16
        for _, size, path in sorted(files):
            if over <= 0:
                return
            path.unlink(missing_ok=True)
            over -= size

    def _sweep_others(self) -> None:
        for folder in self._root.glob("*"):
            if folder != self._folder and time.time() - folder.stat().st_mtime > _ABANDONED_S:
                shutil.rmtree(folder, ignore_errors=True)
        if self._most_bytes == 0:
            shutil.rmtree(self._folder, ignore_errors=True)


def _boot() -> str:
    """Return the name of this start of the machine."""
    return _BOOT.read_text(encoding="ascii").strip() if _BOOT.exists() else f"since-{int(time.time())}"


def _mark(path: Path) -> bool:
    """Mark a file as used; False where it is gone."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _mapped(path: Path) -> pa.RecordBatch | None:
    try:
        return pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)
    except FileNotFoundError:
        return None
