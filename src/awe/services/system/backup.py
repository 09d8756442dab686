"""A backup: everything that is not a catalogue, in one file that every kind of database can be restored from.

It is a ZIP file. ``tables/NAME.jsonl`` holds the rows of a table of the system database, one JSON object a line, all
of one moment; ``files/`` holds what lies beside it in the data folder: the settings, the notebooks' token, the files
of jobs. ``manifest.json``, written last, names the schema and every part with its SHA-256. Published tables (Parquet)
and sky maps (HiPS) are large, do not change once they are there, and can be copied as they are: they are not in it,
but their records are.
"""

import hashlib
import json
import os
import secrets
import shutil
import tomllib
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from sqlalchemy import Connection, Row, Table, delete, func, insert, select

from awe.errors import InputFileError, UnavailableError, UsageError
from awe.services.system._database import SystemDatabase, UtcDateTime, metadata

__all__ = ["Manifest", "backup", "restore", "write_backup"]

_FORMAT = 1
_MANIFEST = "manifest.json"
_SETTINGS = "awe.toml"
_FILES = (_SETTINGS, "keystone.token")
_FOLDERS = ("jobs",)
_CHUNK = 1 << 20
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    Attributes
    ----------
    created
        The moment of which the rows are (ISO 8601, UTC).
    rows
        Rows of each table of the system database.
    sha256
        Digest of each part of the file.
    """

    format: int
    schema: str
    created: str
    rows: Mapping[str, int]
    sha256: Mapping[str, str]


def backup(system: SystemDatabase, folder: Path, file: Path) -> Manifest:
    """Write a backup while the service runs; `file` is the earlier one or the new one, whatever happens.

    A job that is removed while the backup is written may come back without its files.

    Parameters
    ----------
    folder
        The data folder.

    Raises
    ------
    UnavailableError
        If the schema is not this version's.
    """
    half = file.with_name(f".{file.name}.{secrets.token_hex(4)}.half")
    try:
        with _private(half) as out:
            manifest = write_backup(system, folder, out)
            out.flush()
            os.fsync(out.fileno())
        half.replace(file)
    finally:
        half.unlink(missing_ok=True)
    return manifest


def write_backup(system: SystemDatabase, folder: Path, out: BinaryIO) -> Manifest:
    """Write a backup into an open file, while the service runs; see `backup`."""
    digests: dict[str, str] = {}
    rows: dict[str, int] = {}
    with system.reading() as connection, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as parts:
        schema = system.schema(connection)
        created = datetime.now(UTC).isoformat(timespec="seconds")
        for table in metadata.sorted_tables:
            name = f"tables/{table.name}.jsonl"
            digest, rows[table.name] = hashlib.sha256(), 0
            with parts.open(name, "w", force_zip64=True) as part:
                for line in _lines(connection, table):
                    digest.update(line)
                    part.write(line)
                    rows[table.name] += 1
            digests[name] = digest.hexdigest()
        for path in _beside(folder):
            name = f"files/{path.relative_to(folder).as_posix()}"
            try:
                source = path.open("rb")
            except FileNotFoundError:
                continue  # its job was removed meanwhile
            with source, parts.open(name, "w", force_zip64=True) as part:
                digests[name] = _copied(source, part)
        manifest = Manifest(_FORMAT, schema, created, rows, digests)
        parts.writestr(_MANIFEST, json.dumps(asdict(manifest), indent=1))
    return manifest


def restore(file: Path, system: SystemDatabase, folder: Path, database_url: str) -> Manifest:
    """Make an archive of a backup: the whole of it, or none.

    The files come first and the rows last, in one transaction: a folder without them is no archive yet, and can be
    restored into again.

    Parameters
    ----------
    system, folder
        An empty database, and the data folder; settings that are there already stay.
    database_url
        The setting under which `system` was opened.

    Raises
    ------
    ConflictError
        If the database is not empty.
    InputFileError
        If the file is damaged, or no backup.
    UsageError
        If the file's settings name another database than this one.
    """
    with _opened(file) as parts:
        manifest = _checked(file, parts, system)
        system.check_empty()
        _same_database(parts, manifest, folder, database_url)
        for name in manifest.sha256:
            if name.startswith("files/"):
                _put(parts, name, folder / name.removeprefix("files/"))
        system.create(lambda connection: _fill(connection, parts, manifest))
    return manifest


def _private(path: Path) -> BinaryIO:
    """Make a file that only its owner reads: tokens and hashes are in it."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _lines(connection: Connection, table: Table) -> Iterator[bytes]:
    result = connection.execution_options(yield_per=_BATCH).execute(select(table))
    for row in result:
        yield json.dumps(_values(row), ensure_ascii=True).encode() + b"\n"


def _values(row: Row[Any]) -> dict[str, object]:
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in row._mapping.items()}  # noqa: SLF001  # public


def _beside(folder: Path) -> Iterator[Path]:
    yield from (folder / name for name in _FILES if (folder / name).is_file())
    for name in _FOLDERS:
        for root, folders, files in os.walk(folder / name):
            # what begins with a dot is of running processes
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            yield from (Path(root, f) for f in sorted(files) if not f.startswith("."))


def _copied(source: Any, target: Any) -> str:
    digest = hashlib.sha256()
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
        target.write(chunk)
    return digest.hexdigest()


class _Nowhere:
    def write(self, _chunk: bytes) -> None:
        pass


def _opened(file: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except FileNotFoundError:
        raise InputFileError(file, "there is no such file") from None
    except (zipfile.BadZipFile, OSError):
        raise InputFileError(file, "it is no backup, or not all of one") from None


def _checked(file: Path, parts: zipfile.ZipFile, system: SystemDatabase) -> Manifest:
    """Return the manifest of a file of which every byte is as it was written."""
    try:
        manifest = Manifest(**json.loads(parts.read(_MANIFEST)))
    except (KeyError, ValueError, TypeError, zipfile.BadZipFile, zlib.error):
        raise InputFileError(file, "it is no backup, or not all of one", where=_MANIFEST) from None
    if manifest.format != _FORMAT or manifest.schema != system.head():
        raise UnavailableError(
            f"the backup has the schema {manifest.schema}; this awe needs {system.head()}",
            hint="restore it with the awe that wrote it, then `awe admin migrate` with this one",
        )
    if set(parts.namelist()) != {*manifest.sha256, _MANIFEST}:
        raise InputFileError(file, "its parts are not those that it names", where=_MANIFEST)
    for name, digest in manifest.sha256.items():
        if not _is_ours(name):
            raise InputFileError(file, "this is no part of a backup", where=name)
        try:
            with parts.open(name) as part:
                found = _copied(part, _Nowhere())
        except (zipfile.BadZipFile, zlib.error, EOFError):
            found = ""
        if found != digest:
            raise InputFileError(file, "it is damaged: the bytes are not those that were written", where=name)
    return manifest


def _is_ours(name: str) -> bool:
    kind, *rest = PurePosixPath(name).parts
    if kind == "tables":
        return name in {f"tables/{table.name}.jsonl" for table in metadata.sorted_tables}
    clean = ".." not in rest and "\\" not in name and name == str(PurePosixPath(name))
    return kind == "files" and clean and ("/".join(rest) in _FILES or rest[:1] in [[f] for f in _FOLDERS])


def _same_database(parts: zipfile.ZipFile, manifest: Manifest, folder: Path, database_url: str) -> None:
    name = f"files/{_SETTINGS}"
    if name not in manifest.sha256 or (folder / _SETTINGS).exists():
        return
    if tomllib.loads(parts.read(name).decode()).get("database_url", "") != database_url:
        raise UsageError(
            "the settings in the backup name another system database than the one to restore into",
            hint=f"set AWE_DATABASE_URL to it, or write {folder / _SETTINGS} first",
        )


def _put(parts: zipfile.ZipFile, name: str, target: Path) -> None:
    if target.name == _SETTINGS and target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f".{target.name}.half")
    half.unlink(missing_ok=True)
    with parts.open(name) as part, _private(half) as out:
        shutil.copyfileobj(part, out, _CHUNK)
        out.flush()
        os.fsync(out.fileno())
    half.replace(target)


def _fill(connection: Connection, parts: zipfile.ZipFile, manifest: Manifest) -> None:
    for table in reversed(metadata.sorted_tables):
        connection.execute(delete(table))  # what a new database begins with
    for table in metadata.sorted_tables:
        name = f"tables/{table.name}.jsonl"
        if name in manifest.sha256:
            with parts.open(name) as part:
                _insert(connection, table, part)


def _insert(connection: Connection, table: Table, lines: Iterable[bytes]) -> None:
    moments = {column.name for column in table.columns if isinstance(column.type, UtcDateTime)}
    left = iter(lines)
    while some := [json.loads(line) for line in islice(left, _BATCH)]:
        for row in some:
            row.update(
                {k: datetime.fromisoformat(v) for k, v in row.items() if k in moments and v is not None}
            )
        connection.execute(insert(table), some)
    counted = table.autoincrement_column
    if counted is not None and connection.dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(f'"{table.name}"', counted.name)
        highest = select(func.max(counted)).scalar_subquery()
        connection.execute(select(func.setval(sequence, func.coalesce(highest, 1), highest.is_not(None))))
