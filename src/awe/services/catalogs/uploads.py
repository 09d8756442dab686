"""Tables that come with a query (TAP 1.1 section 2.5): stored while it runs, and gone with its rows.

An upload is written as a version of a table that no record names, so that it is read as fast as a published
one, by nobody else, and never held in memory. The process that stored it holds a lock: what a killed process
leaves is removed by whoever looks next.
"""

import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import urlsplit

import pyarrow as pa

from awe.core.tables import TableStream
from awe.core.tables.formats import format_for, format_of
from awe.errors import LimitError, ParameterError
from awe.services.catalogs._folders import locked
from awe.services.catalogs._locations import new_location
from awe.services.catalogs.fetching import Fetcher
from awe.services.catalogs.interface import Engine, StoredTable, WriteSpec
from awe.services.catalogs.model import UPLOAD_SCHEMA, TableRecord, split_name
from awe.services.catalogs.staging import normalised
from awe.settings import LimitSettings, UploadSettings

__all__ = ["HeldTable", "SentFile", "StoredUploads", "Uploads"]

_PART = "param:"
_CHUNK = 1 << 20
_PART_ROWS = 100_000
_ENDING = re.compile(r"(?:\.[A-Za-z0-9]{1,10}){1,2}$")
_PREFIX = f"{UPLOAD_SCHEMA.casefold()}."


class SentFile(NamedTuple):
    """A file that came with a request; its sender's name for it and its media type may be empty."""

    content: BinaryIO
    filename: str = ""
    media_type: str = ""


class StoredUploads:
    """The uploads of one query, which can be read until they are closed."""

    def __init__(self) -> None:
        self.records: tuple[TableRecord, ...] = ()
        self.held = ExitStack()

    def close(self) -> None:
        """Remove the tables. Closing twice is allowed."""
        self.held.close()


@dataclass(frozen=True, slots=True)
class HeldTable:
    """A table that can be read until it is closed."""

    record: TableRecord
    close: Callable[[], None]


class Uploads:
    """Receive and keep uploaded tables.

    Parameters
    ----------
    engine
        Who keeps the rows.
    locks
        A folder for locks; made when it is first needed.
    settings, limits
        How many there may be, how large, and what may be fetched.
    """

    def __init__(self, engine: Engine, locks: Path, settings: UploadSettings, limits: LimitSettings) -> None:
        self._engine = engine
        self._locks = locks
        self._settings = settings
        self._fetcher = Fetcher(settings, limits.upload_bytes)

    def receive(
        self, wanted: Iterable[tuple[str, str]], parts: Mapping[str, SentFile], folder: Path
    ) -> dict[str, Path]:
        """Write the tables that a request brings or names as files into a folder.

        Parameters
        ----------
        wanted
            Names and where each table is: ``param:part`` or an http or https address.
        parts
            What came with the request, by the name of its part.
        folder
            Is there already; a file in it has the name of its table, and an ending that may tell its format.

        Raises
        ------
        ParameterError
            If a name is no identifier or stands twice (in the folder too), a part did not come, or an address
            may not be asked.
        LimitError
            If there are too many or too large ones.
        """
        files: dict[str, Path] = {}
        taken = {path.name.partition(".")[0].casefold() for path in folder.iterdir()}
        for name, place in wanted:
            self._check(name, taken)
            taken.add(name.casefold())
            if place.startswith(_PART):
                files[name] = _save(parts, place.removeprefix(_PART), folder, name)
            else:
                files[name] = folder / (name + _ending(_path_of(place)))
                self._fetcher.fetch(place, files[name])
        return files

    def store(self, files: Mapping[str, Path]) -> StoredUploads:
        """Give the rows of files to the engine.

        Raises
        ------
        ParameterError
            If a name is no identifier or stands twice.
        InputFileError
            If a file is no table: with the table's name, the line or row, and the reason.
        LimitError
            If there are too many, or one has too many rows or bytes when it is unpacked.
        """
        kept = StoredUploads()
        taken: set[str] = set()
        try:
            for name, file in files.items():
                self._check(name, taken)
                taken.add(name.casefold())
                kept.records += (self._store(name, file, kept.held),)
        except BaseException:
            kept.close()
            raise
        return kept

    def hold(self, schema: str, name: str, stream: TableStream) -> HeldTable:
        """Give rows that come from a query to the engine, as a table of a batch.

        Raises
        ------
        LimitError
            If there are too many rows or bytes.
        """
        held = ExitStack()
        location = new_location(UPLOAD_SCHEMA, name.strip("#@"))
        try:
            held.enter_context(locked(self._lock_of(location)))
            rows = self._bounded(normalised(stream, name, index=True), name)
            stored = self._engine.write(WriteSpec(location, rows_per_partition=_PART_ROWS), rows)
        except BaseException:
            held.close()
            raise
        held.callback(self._engine.drop, stored)
        return HeldTable(TableRecord(schema, name, rows.schema, stored), held.close)

    def sweep(self) -> None:
        """Remove what killed processes left."""
        for location in self._engine.tables():
            if location.startswith(_PREFIX):
                with locked(self._lock_of(location)) as ours:
                    if ours:
                        self._engine.drop(StoredTable(location, 0, 0))

    def _check(self, name: str, taken: set[str]) -> None:
        try:
            split_name(f"{UPLOAD_SCHEMA}.{name}", internal=True)
        except ParameterError as error:
            raise ParameterError("UPLOAD", name, "not the name of a table", hint=error.hint) from None
        if name.casefold() in taken:
            raise ParameterError("UPLOAD", name, "stands for two tables")
        if len(taken) >= self._settings.tables:
            raise LimitError(
                f"a query may bring {self._settings.tables} tables", hint="make one table of several"
            )

    def _store(self, name: str, file: Path, held: ExitStack) -> TableRecord:
        spec = WriteSpec(new_location(UPLOAD_SCHEMA, name), rows_per_partition=_PART_ROWS)
        held.enter_context(locked(self._lock_of(spec.location)))
        # the file has the name of the table, so its errors say which
        with format_of(file).read(file) as source:
            stream = self._bounded(normalised(source, name, index=True), name)
            stored = self._engine.write(spec, stream)
        held.callback(self._engine.drop, stored)
        return TableRecord(UPLOAD_SCHEMA, name, stream.schema, stored)

    def _lock_of(self, location: str) -> Path:
        self._locks.mkdir(parents=True, exist_ok=True)
        return self._locks / f"{location}.lock"

    def _bounded(self, stream: TableStream, name: str) -> TableStream:
        """Return the stream, which fails where it becomes too much: a small file may hold a large table."""
        rows = size = 0
        most = self._settings

        def counted(batch: pa.RecordBatch) -> pa.RecordBatch:
            nonlocal rows, size
            rows, size = rows + batch.num_rows, size + batch.nbytes
            if rows > most.rows or size > most.unpacked_bytes:
                reason = f"{name} has more than {most.rows} rows or {most.unpacked_bytes} bytes"
                raise LimitError(reason, hint="send only what the query needs")
            return batch

        return stream.map(stream.schema, counted)


def _save(parts: Mapping[str, SentFile], part: str, folder: Path, name: str) -> Path:
    if part not in parts:
        known = ", ".join(parts) or "none"
        raise ParameterError(
            "UPLOAD", f"{_PART}{part}", "no such part came with the request", hint=f"parts: {known}"
        )
    sent = parts[part]
    file = folder / (name + (_ending(sent.filename) or _usual_ending(sent.media_type)))
    with file.open("wb") as out:
        sent.content.seek(0)
        shutil.copyfileobj(sent.content, out, _CHUNK)
    return file


def _ending(filename: str) -> str:
    """Return the ending of a name (``.csv.gz`` whole): the only part of a sender's name that is used."""
    found = _ENDING.search(filename)
    return found[0].lower() if found else ""


def _usual_ending(media_type: str) -> str:
    try:
        return format_for(media_type).extensions[0]
    except ParameterError:
        return ""


def _path_of(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:  # whoever fetches it says what is wrong
        return ""
