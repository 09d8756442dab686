"""Use cases of files that people send: receive them in pieces over any time, make them tables.

A file that has come is loaded by a thread of the process that was asked to: whoever asked may look how far it is, from
any process. A process that dies leaves the file, and the table as it was; loading begins anew when it is asked for
again, and rows that were added already are not added twice.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import get_args

from awe.core.tables import TableStream
from awe.core.tables.formats import format_of, unpacked_size
from awe.errors import (
    AuthenticationError,
    AweError,
    CancelledError,
    ConflictError,
    LimitError,
    NotFoundError,
    ParameterError,
    ServiceError,
)
from awe.services.catalogs.own.incoming import Incoming, Piece
from awe.services.catalogs.own.service import TableService
from awe.services.catalogs.own.upload import LoadOrder, Upload, UploadPhase, WriteMode
from awe.services.catalogs.own.versions import VersionService
from awe.services.identity import Identity, Measure, QuotaService
from awe.settings import UploadSettings

__all__ = ["UploadService"]

_LOG = logging.getLogger(__name__)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DAY_S = 86_400.0
_SWEEP_S = 3600.0
_AT_ONCE = 2
"""Files that one process loads at the same time; more wait."""
_TELL_S = 0.5
_STOPPING_S = 30.0


class UploadService:
    """Receive files in pieces, and make them tables of their senders.

    Parameters
    ----------
    tables, versions
        Whose tables they become, and what there was of them.
    quotas
        What may be kept.
    settings
        How large a file may be, and how long it waits for its rest.
    folder
        Where the files are; made when the first one comes.
    """

    def __init__(
        self,
        tables: TableService,
        versions: VersionService,
        quotas: QuotaService,
        settings: UploadSettings,
        folder: Path,
    ) -> None:
        self._tables = tables
        self._versions = versions
        self._quotas = quotas
        self._settings = settings
        self._incoming = Incoming(folder, settings.keep_days * _DAY_S)
        self._pool = ThreadPoolExecutor(_AT_ONCE, "awe-loading")
        self._running: dict[str, Future[None]] = {}
        self._stopped: set[str] = set()
        self._lock = threading.Lock()
        self._swept = float("-inf")
        quotas.bring(Measure.STORAGE_BYTES, self._bytes)

    def close(self) -> None:
        """Stop what is being loaded: the files stay."""
        with self._lock:
            self._stopped |= set(self._running)
        self._pool.shutdown()

    def begin(
        self, identity: Identity, file: str, size: int, sha256: str = "", *, new_table: str = ""
    ) -> Upload:
        """Announce a file.

        Parameters
        ----------
        file
            Its name; the ending may tell its format.
        size
            Its bytes.
        sha256
            What it adds up to, in hexadecimal digits: compared when all has come.
        new_table
            The table that it is to create, so that a name that is taken is known before the file has come.

        Raises
        ------
        AuthenticationError
            If nobody knows the caller.
        ParameterError
            If the size or the sum is none, or the name of the table.
        ConflictError
            If there is a table of that name.
        LimitError
            If the file is too large, or too many others wait for their rest.
        QuotaError
            If the caller may not keep that much.
        """
        _known(identity)
        if size < 1:
            raise ParameterError("size", size, "a file has at least one byte")
        if sha256 and not _SHA256.fullmatch(sha256):
            raise ParameterError("sha256", sha256, "64 hexadecimal digits are wanted")
        if size > self._settings.file_bytes:
            raise LimitError(
                f"{file} has {size:,} bytes; a file may have {self._settings.file_bytes:,}",
                hint="send it in parts, the second and later ones with the mode append",
            )
        if new_table:
            self._tables.check_new(new_table, identity)
        self._sweep()
        self._check_waiting(identity)
        self._check_room(identity, size)
        return self._incoming.make(identity.name, file, size, sha256)

    def uploads(self, identity: Identity, sha256: str = "") -> tuple[Upload, ...]:
        """Return the caller's uploads, the newest first; only those of files with this sum when one is given."""
        _known(identity)
        return tuple(one for one in self._incoming.all(identity.name) if not sha256 or one.sha256 == sha256)

    def upload(self, upload_id: str, identity: Identity) -> Upload:
        """Return an upload of the caller's; `NotFoundError` if there is none."""
        _known(identity)
        return self._incoming.one(identity.name, upload_id)

    def progress(self, upload: Upload) -> Mapping[str, object] | None:
        """Return how far the loading of an upload is: ``what``, ``done``, ``total``; None before and after it."""
        return self._incoming.told(upload) if upload.phase is UploadPhase.LOADING else None

    def receive(self, upload_id: str, identity: Identity, offset: int) -> AbstractContextManager[Piece]:
        """Return what takes a piece of a file; see `Incoming.piece`."""
        _known(identity)
        return self._incoming.piece(identity.name, upload_id, offset)

    def stage(self, identity: Identity, file: str, content: bytes, *, first: bool) -> Upload:
        """Take the next piece of a file of which nobody says how long it is; `staged` gives the file.

        The caller's files are told apart by their names. A file of which a piece cannot be kept is forgotten, so that
        nobody takes it for whole.

        Parameters
        ----------
        first
            Whether the file begins with this piece; one of that name that came before is forgotten.

        Raises
        ------
        AuthenticationError
            If nobody knows the caller.
        ConflictError
            If no earlier piece of it is there.
        LimitError, QuotaError
            If the file becomes too large, or too many others wait, or the caller may not keep that much.
        """
        _known(identity)
        found = self._open(identity, file)
        if first and found is not None:
            self._incoming.remove(found)
        if first:
            self._sweep()
            self._check_waiting(identity)
            found = self._incoming.make(identity.name, file, 0, "")
        if found is None:
            raise ConflictError(f"the beginning of {file} has not come", hint="send the file again")
        try:
            if found.offset + len(content) > self._settings.file_bytes:
                raise LimitError(f"a file may have {self._settings.file_bytes:,} bytes")
            self._check_room(identity, len(content))
            with self._incoming.piece(identity.name, found.id, found.offset) as piece:
                piece.write(content)
                return piece.done()
        except AweError:
            self._incoming.remove(found)
            raise

    @contextmanager
    def staged(self, identity: Identity, file: str) -> Iterator[Path]:
        """Yield the file that `stage` has received; it is forgotten afterwards.

        Raises
        ------
        NotFoundError
            If there is none of that name, or not all of it could be kept.
        """
        _known(identity)
        found = self._open(identity, file)
        if found is None:
            raise NotFoundError(f"no file {file} was sent, or not all of it", hint="send it again")
        with self._incoming.held(identity.name, found.id) as upload:
            try:
                yield self._incoming.content(upload)
            finally:
                self._incoming.remove(upload)

    def load(self, upload_id: str, identity: Identity, order: LoadOrder) -> Upload:
        """Begin to make a file a table; `upload` says what became of it. Asking twice for the same is asking once.

        Raises
        ------
        ParameterError
            If there is no such mode.
        NotFoundError
            If there is no such upload.
        ConflictError
            If not all has come, or it is or becomes another table.
        """
        if order.mode not in get_args(WriteMode):
            raise ParameterError("mode", order.mode, f"one of {', '.join(get_args(WriteMode))} is wanted")
        found = self.upload(upload_id, identity)
        if found.order == order and found.phase is not UploadPhase.RECEIVING:
            return found
        with ExitStack() as stack:
            upload = stack.enter_context(self._incoming.held(identity.name, upload_id))
            if upload.phase is UploadPhase.LOADED:
                raise ConflictError(f"the upload {upload_id} is {upload.table} already")
            if not upload.whole:
                raise ConflictError(
                    f"{upload.offset:,} of the {upload.size:,} bytes of {upload.file} have come",
                    hint="send the rest first",
                    offset=upload.offset,
                )
            begun = replace(upload, phase=UploadPhase.LOADING, order=order, error=None)
            self._incoming.save(begun)
            held = stack.pop_all()
            with self._lock:
                self._running[upload_id] = self._pool.submit(self._load, held, begun, order, identity)
        return begun

    def remove(self, upload_id: str, identity: Identity) -> None:
        """Forget an upload, and stop loading it; a table that it became stays.

        Raises
        ------
        NotFoundError
            If there is no such upload.
        ConflictError
            If another process loads it.
        """
        self.upload(upload_id, identity)
        with self._lock:
            running = self._running.get(upload_id)
            if running is not None:
                self._stopped.add(upload_id)
        if running is not None:
            wait([running], _STOPPING_S)
        with self._incoming.held(identity.name, upload_id) as upload:
            self._incoming.remove(upload)

    def _open(self, identity: Identity, file: str) -> Upload | None:
        """Return the caller's file of a name whose length nobody said."""
        for one in self._incoming.all(identity.name):
            if one.file == file and not one.size and one.phase is UploadPhase.RECEIVING:
                return one
        return None

    def _check_waiting(self, identity: Identity) -> None:
        waiting = sum(one.phase is not UploadPhase.LOADED for one in self._incoming.all(identity.name))
        if waiting >= self._settings.files:
            raise LimitError(
                f"{waiting} of your files wait for their rest", hint="finish or remove one of them first"
            )

    def _check_room(self, identity: Identity, size: int) -> None:
        self._quotas.check(
            identity,
            Measure.STORAGE_BYTES,
            self._quotas.used(identity, Measure.STORAGE_BYTES),
            size,
            retry_after=None,
            help_="drop tables or remove results of jobs that you do not need",
        )

    def _load(self, held: ExitStack, upload: Upload, order: LoadOrder, identity: Identity) -> None:
        """Make a file a table, in a thread; what goes wrong is kept for whoever asks."""
        with held:
            try:
                after = self._loaded(upload, order, identity)
            except AweError as error:
                after = replace(upload, phase=UploadPhase.RECEIVING, error=error.to_json())
            except Exception:  # noqa: BLE001  # a fault of ours; it is logged, and the caller told that it is one
                _LOG.exception("the upload %s could not be loaded", upload.id)
                told = ServiceError(
                    "the file could not be loaded: a fault of the service", hint="it is in its log"
                )
                after = replace(upload, phase=UploadPhase.RECEIVING, error=told.to_json())
            try:
                self._incoming.save(replace(after, touched=time.time()))
                if after.phase is UploadPhase.LOADED:
                    self._incoming.forget_content(after)
            except AweError:  # the disk is full: the record still says that it is being loaded, by nobody
                _LOG.exception("what became of the upload %s could not be kept", upload.id)
        with self._lock:
            self._running.pop(upload.id, None)
            self._stopped.discard(upload.id)

    def _loaded(self, upload: Upload, order: LoadOrder, identity: Identity) -> Upload:
        origin = f"file {upload.file} (upload {upload.id})"
        if self._became(order.table, identity, origin):
            record = self._tables.table(order.table, identity)
            return replace(upload, phase=UploadPhase.LOADED, table=record.full_name)
        tell = self._teller(upload)
        tell("checking", 0, upload.size)
        self._incoming.check(upload)
        path = self._incoming.content(upload)
        most = self._settings.file_bytes
        if unpacked_size(path, most + 1) > most:
            raise LimitError(
                f"{upload.file} has more than {most:,} bytes when it is unpacked",
                hint="send it in parts, the second and later ones with the mode append",
            )
        if order.part:
            path = path.with_name(f"{path.name}[{order.part}]")
        with format_of(path).read(path) as source:
            stream = _described(source, order)
            record = self._tables.write(
                order.table,
                stream,
                identity,
                mode=order.mode,
                ra=order.ra,
                dec=order.dec,
                origin=origin,
                progress=tell,
            )
            notes = source.notes
        if order.title:
            self._tables.describe(order.table, identity, title=order.title)
        return replace(upload, phase=UploadPhase.LOADED, table=record.full_name, notes=notes)

    def _became(self, table: str, identity: Identity, origin: str) -> bool:
        """Tell whether this file is in the table already: whoever put it there died before it could say so."""
        try:
            return any(version.origin == origin for version in self._versions.kept(table, identity))
        except NotFoundError:
            return False

    def _teller(self, upload: Upload) -> Callable[[str, int, int | None], None]:
        told_at = float("-inf")

        def tell(what: str, done: int, total: int | None) -> None:
            nonlocal told_at
            if upload.id in self._stopped:
                raise CancelledError(f"loading {upload.file} was stopped")
            if time.monotonic() - told_at > _TELL_S:
                told_at = time.monotonic()
                self._incoming.tell(upload, what, done, total)

        return tell

    def _bytes(self, identity: Identity) -> int:
        """Return how much of the disk the files of a caller take, with what is still to come of them.

        A file that is being loaded does not count: its rows do, and both would be twice.
        """
        waits = UploadPhase.RECEIVING
        return sum(one.bytes for one in self._incoming.all(identity.name) if one.phase is waits)

    def _sweep(self) -> None:
        if time.monotonic() - self._swept > _SWEEP_S:
            self._swept = time.monotonic()
            self._incoming.sweep()


def _known(identity: Identity) -> None:
    if identity.is_anonymous:
        raise AuthenticationError("tables of one's own need an account", hint="awe login")


def _described(stream: TableStream, order: LoadOrder) -> TableStream:
    if not order.description:
        return stream
    schema = replace(stream.schema, description=order.description)
    return stream.map(schema, lambda batch: batch)
