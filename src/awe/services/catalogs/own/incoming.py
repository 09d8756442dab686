"""Files that come in pieces, for as long as that takes: on disk, one folder each.

Words: an *upload* is a file on its way, of a size that was told before; a *piece* is what one request brings. A piece
counts when it is whole, checked and on the disk: then the record moves on, and what a killed process wrote behind
that place is written over. Whoever works on an upload holds its lock, so that others see whether somebody does.
"""

import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from awe.errors import ConflictError, InputFileError, LimitError, NotFoundError, UnavailableError
from awe.services.catalogs.own.upload import Upload, UploadPhase

__all__ = ["Incoming", "Piece"]

_ABOUT, _PROGRESS, _LOCK, _CONTENT = "about.json", "progress.json", "lock", "content"
_UNSAFE = re.compile(r"[^\w.+\-]")
_LONGEST_NAME = 100
_ID = re.compile(r"[0-9a-f]{24}")
_CHUNK = 1 << 20
_PATIENCE_S = 0.5
_LOOK_S = 0.02


class Incoming:
    """The uploads of everybody, in a folder.

    Parameters
    ----------
    root
        Where they are; made when the first one comes.
    keep_s
        So long an upload is kept behind its last piece, and what became of it can be asked.
    """

    def __init__(self, root: Path, keep_s: float) -> None:
        self._root = root
        self._keep_s = keep_s

    def make(self, owner: str, file: str, size: int, sha256: str) -> Upload:
        """Begin an upload."""
        made = Upload(secrets.token_hex(12), owner, file, size, sha256, time.time())
        folder = self._of(owner) / made.id
        with _told_of_full_disk():
            folder.mkdir(parents=True)
            self.content(made).touch()
            _write(folder / _ABOUT, made.to_json())
        return made

    def all(self, owner: str) -> tuple[Upload, ...]:
        """Return the uploads of an owner, the newest first."""
        found = (self._read(folder) for folder in self._of(owner).glob("*"))
        return tuple(sorted((one for one in found if one is not None), key=lambda one: -one.touched))

    def one(self, owner: str, upload_id: str) -> Upload:
        """Return an upload; `NotFoundError` if this owner has none with this id (any more)."""
        found = self._read(self._of(owner) / upload_id) if _ID.fullmatch(upload_id) else None
        if found is None:
            raise NotFoundError(f"there is no upload {upload_id}", hint="begin it again")
        return found

    def content(self, upload: Upload) -> Path:
        """Return where the bytes are: a file of the sender's name, as far as a name may be told to a disk."""
        last = re.split(r"[/\\]", upload.file)[-1]
        name = _UNSAFE.sub("_", last)[-_LONGEST_NAME:].lstrip(".") or "file"
        folder = self._folder(upload) / _CONTENT
        folder.mkdir(exist_ok=True)
        return folder / name

    def save(self, upload: Upload) -> None:
        """Remember how an upload is; whoever saves holds its lock."""
        with _told_of_full_disk():
            _write(self._folder(upload) / _ABOUT, upload.to_json())

    def tell(self, upload: Upload, what: str, done: int, total: int | None) -> None:
        """Remember how far the work on an upload is, for whoever asks."""
        with suppress(OSError):  # it is there to be looked at, and nothing depends on it
            _write(self._folder(upload) / _PROGRESS, {"what": what, "done": done, "total": total}, sync=False)

    def told(self, upload: Upload) -> Mapping[str, object] | None:
        """Return what `tell` said last; None where nothing was said."""
        found: Mapping[str, object] | None = _load(self._folder(upload) / _PROGRESS)
        return found

    def forget_content(self, upload: Upload) -> None:
        """Remove the bytes: they are rows now."""
        shutil.rmtree(self._folder(upload) / _CONTENT, ignore_errors=True)
        (self._folder(upload) / _PROGRESS).unlink(missing_ok=True)

    def remove(self, upload: Upload) -> None:
        """Remove an upload and its bytes: the record first, so that nobody meets half of it."""
        folder = self._folder(upload)
        (folder / _ABOUT).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what nobody went on with."""
        now = time.time()
        for folder in self._root.glob("*/*"):
            found = self._read(folder)
            if found is None:
                age_s = now - _changed(folder)
            elif found.phase is UploadPhase.LOADING:
                continue
            else:
                age_s = now - found.touched
            if age_s > self._keep_s:
                shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def held(self, owner: str, upload_id: str) -> Iterator[Upload]:
        """Yield an upload that nobody else changes meanwhile.

        Raises
        ------
        NotFoundError
            If this owner has no such upload.
        ConflictError
            If somebody else is sending or loading it.
        """
        found = self.one(owner, upload_id)
        with (self._folder(found) / _LOCK).open("ab") as lock:
            if not _acquired(lock):
                doing = "being loaded" if self.one(owner, upload_id).phase is UploadPhase.LOADING else "sent"
                raise ConflictError(
                    f"the upload {upload_id} is {doing} at this moment by another request",
                    hint="ask how it is, and go on where it stands",
                )
            yield self.one(owner, upload_id)

    @contextmanager
    def piece(self, owner: str, upload_id: str, offset: int) -> Iterator["Piece"]:
        """Yield what takes the bytes that stand at an offset; they count once `Piece.done` was called.

        Raises
        ------
        ConflictError
            If the upload stands elsewhere, is no longer received, or somebody else sends it at this moment.
        NotFoundError
            If this owner has no such upload.
        """
        with self.held(owner, upload_id) as upload:
            if upload.phase is not UploadPhase.RECEIVING:
                raise ConflictError(f"the upload {upload_id} has come already", offset=upload.offset)
            if offset != upload.offset:
                raise ConflictError(
                    f"the upload {upload_id} stands at byte {upload.offset}, not at {offset}",
                    hint="go on there",
                    offset=upload.offset,
                )
            with _opened(self.content(upload), offset) as content:
                yield Piece(self, upload, content)

    def check(self, upload: Upload) -> None:
        """Compare a whole file with what its sender says it adds up to; `InputFileError` if it differs."""
        if not upload.sha256:
            return
        sum_ = hashlib.sha256()
        with self.content(upload).open("rb") as content:
            while chunk := content.read(_CHUNK):
                sum_.update(chunk)
        if sum_.hexdigest() != upload.sha256:
            raise InputFileError(
                upload.file,
                "what has come is not what was sent: its SHA-256 differs",
                hint="remove the upload and begin it again; did the file change meanwhile?",
            )

    def _of(self, owner: str) -> Path:
        # a name of somebody may hold anything; no two have the same sum
        return self._root / hashlib.sha256(owner.encode()).hexdigest()[:32]

    def _folder(self, upload: Upload) -> Path:
        return self._of(upload.owner) / upload.id

    def _read(self, folder: Path) -> Upload | None:
        said = _load(folder / _ABOUT)
        if said is None:
            return None
        found = Upload.from_json(said)
        if found.phase is not UploadPhase.LOADING or _busy(folder / _LOCK):
            return found
        said = _load(folder / _ABOUT)  # whoever loaded it may have said what became of it since it was read
        if said is None:
            return None
        found = Upload.from_json(said)
        dead = found.phase is UploadPhase.LOADING
        return replace(found, phase=UploadPhase.RECEIVING) if dead else found


class Piece:
    """Takes the bytes of one piece.

    Attributes
    ----------
    upload
        As it is before the piece.
    """

    def __init__(self, incoming: Incoming, upload: Upload, content: BinaryIO) -> None:
        self.upload = upload
        self._incoming = incoming
        self._content = content
        self._sum = hashlib.sha256()
        self._came = 0

    def write(self, data: bytes) -> None:
        """Take some bytes; `LimitError` if these are more than the upload was to have."""
        self._came += len(data)
        if self.upload.size and self.upload.offset + self._came > self.upload.size:
            raise LimitError(
                f"more has come than the {self.upload.size} bytes that were announced",
                hint="did the file grow meanwhile? Begin it again",
            )
        with _told_of_full_disk():
            self._content.write(data)
        self._sum.update(data)

    def done(self, digest: bytes = b"") -> Upload:
        """Let the piece count.

        Parameters
        ----------
        digest
            The SHA-256 of its bytes; nothing is compared when empty.

        Raises
        ------
        InputFileError
            If it is another one: something was changed on the way.
        """
        if digest and digest != self._sum.digest():
            raise InputFileError(
                self.upload.file,
                "a piece was changed on its way: its SHA-256 differs",
                where=f"byte {self.upload.offset}",
                hint="send it again",
            )
        with _told_of_full_disk():
            self._content.flush()
            os.fsync(self._content.fileno())
        after = replace(self.upload, offset=self.upload.offset + self._came, touched=time.time(), error=None)
        self._incoming.save(after)
        return after


def _opened(path: Path, offset: int) -> BinaryIO:
    """Open a file for writing behind an offset; what stands there came with a piece that was never done."""
    with _told_of_full_disk():
        content = path.open("r+b")
        content.seek(offset)
        content.truncate()
    return content


def _acquired(lock: BinaryIO) -> bool:
    """Lock a file; others only look now and then whether it is locked, and let go at once."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(_LOOK_S)
        else:
            return True


def _busy(path: Path) -> bool:
    try:
        with path.open("rb") as lock:
            fcntl.flock(lock.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def _write(path: Path, said: Mapping[str, object], *, sync: bool = True) -> None:
    part = path.with_suffix(".part")
    with part.open("w") as out:
        json.dump(said, out)
        if sync:
            out.flush()
            os.fsync(out.fileno())
    part.replace(path)


def _load(path: Path) -> dict[str, object] | None:
    try:
        found: dict[str, object] = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # somebody else was quicker
        return time.time()


@contextmanager
def _told_of_full_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            f"the file cannot be kept: {error.strerror or error}",
            hint="the disk of the service is full, or cannot be written to; what came before is kept",
        ) from None
