"""Files that become tables: ``/storage/xfer``, ``/query/import`` and ``/query/ingest``.

The client sends a file in pieces under its own name, then says which table it becomes. It does not look at what is
answered to a piece, so a file of which one was refused is not there when it is asked for.
"""

import csv
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pyarrow as pa
from starlette.responses import PlainTextResponse, Response

from awe.core.tables import Schema, TableStream
from awe.core.tables.formats import FORMATS, DelimitedFormat, Format, format_of
from awe.errors import InputFileError, NotFoundError, ParameterError
from awe.services.catalogs import aligned
from awe.services.identity import WRITE, Identity
from awe.web.compat.datalab._asked import flag, given, known, need, profile_asked
from awe.web.compat.datalab._places import local, place
from awe.web.compat.datalab._types import columns_said, plain_name
from awe.web.compat.datalab.mydb import done, new_table
from awe.web.http import Call

__all__ = ["import_file", "ingest", "receive"]

_TEXTS = frozenset({"csv", "tsv"})
_WORDS = {"\\t": "\t", "tab": "\t", "comma": ",", "space": " "}
_CHUNK = 1 << 20


def receive(call: Call) -> Response:
    """Take a piece of a file."""
    identity = known(call, WRITE)
    name = call.request.headers.get("x-dl-filename", "").strip()
    if not name:
        raise ParameterError("X-DL-FileName", "", "is needed: the name of the file")
    first = call.request.headers.get("x-dl-initxfer", "true").strip().lower() in {"true", "1"}
    call.platform.uploads.stage(identity, name, call.body, first=first)
    return done()


def import_file(call: Call) -> Response:
    """Make a file a table, or add its rows to one (``append``)."""
    profile_asked(call)
    identity = known(call, WRITE)
    name = need(call, "table")
    said = columns_said(given(call, "schema_def")) if given(call, "schema_def") else None
    mode: Literal["create", "append"] = (
        "append" if flag(call, "append") and _is_there(call, name, identity) else "create"
    )
    return _written(call, identity, _Wanted(name, mode, said, flag(call, "csv_header", unset=True)))


def ingest(call: Call) -> Response:
    """Add the rows of a file to a table that is there."""
    profile_asked(call)
    identity = known(call, WRITE)
    name = need(call, "table")
    columns = call.platform.tables.table(name, identity, action=WRITE).columns
    header = flag(call, "csv_header", unset=True)
    return _written(call, identity, _Wanted(name, "append", None if header else columns, header))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a file becomes: `columns` are those that it has, where that is said; `header` whether it names them itself."""

    table: str
    mode: Literal["create", "append"]
    columns: Schema | None
    header: bool


def _is_there(call: Call, name: str, identity: Identity) -> bool:
    try:
        call.platform.tables.table(name, identity)
    except NotFoundError:
        return False
    return True


def _written(call: Call, identity: Identity, wanted: _Wanted) -> Response:
    rows = 0

    def counted(batch: pa.RecordBatch) -> pa.RecordBatch:
        nonlocal rows
        rows += batch.num_rows
        return batch

    file = need(call, "filename")
    with _brought(call, identity, file) as path, _readable(call, path, wanted) as (form, source), new_table():
        stream = _named(form.read(source), wanted)
        record = call.platform.tables.write(
            wanted.table,
            stream.map(stream.schema, counted),
            identity,
            mode=wanted.mode,
            origin=f"file {file}",
        )
    return PlainTextResponse(f'{rows} row(s) imported to {record.schema}."{record.name}"')


@contextmanager
def _brought(call: Call, identity: Identity, file: str) -> Iterator[Path]:
    """Yield where a file is that was sent, or stands at an address, or is a file of the caller's or a published one."""
    scheme, mark, _ = file.partition("://")
    if not mark:
        with call.platform.uploads.staged(identity, file) as path:
            yield path
    elif scheme.lower() in {"http", "https"}:
        with tempfile.TemporaryDirectory(prefix="awe-import-") as folder:
            yield call.platform.catalogs.receive([("file", file)], {}, Path(folder))["file"]
    else:
        with local(call, place(call, file, identity), identity) as path:
            yield path


@contextmanager
def _readable(call: Call, path: Path, wanted: _Wanted) -> Iterator[tuple[Format, Path]]:
    """Yield the format of a file and what is read: the file, a part of it, or a copy with a header."""
    form = _format(path, given(call, "delimiter"))
    part = given(call, "extnum") or given(call, "extname")
    if part:
        yield form, path.with_name(f"{path.name}[{part}]")
    elif wanted.header or not isinstance(form, DelimitedFormat):
        yield form, path
    else:
        with tempfile.TemporaryDirectory(prefix="awe-import-") as folder:
            yield form, _headed(path, Path(folder), wanted.columns, form.delimiter)


def _format(path: Path, delimiter: str) -> Format:
    """Return the format of a file: text with a delimiter where nothing else is told by its content."""
    try:
        found = format_of(path)
    except InputFileError:  # the client's own files have names without an ending
        found = FORMATS["csv"]
    mark = _WORDS.get(delimiter.lower(), delimiter)
    if found.name not in _TEXTS or mark in {
        "",
        ",",
    }:  # the comma is what the client says where nobody says anything
        return found
    if len(mark) != 1:
        raise ParameterError("delimiter", delimiter, "is one character")
    return DelimitedFormat("csv", (), (), mark)


def _headed(path: Path, folder: Path, columns: Schema | None, delimiter: str) -> Path:
    """Return a copy of a text without a header that has one."""
    with path.open("rb") as content, (folder / path.name).open("wb") as out:
        first = content.readline(_CHUNK)
        count = len(next(csv.reader([first.decode("utf-8", "replace")], delimiter=delimiter), []))
        names = list(columns.names) if columns is not None else [f"col{n}" for n in range(1, count + 1)]
        if len(names) != count:
            raise InputFileError(
                path.name, f"{count} cells, the table has {len(names)} columns", where="line 1"
            )
        quoted = ('"' + name.replace('"', '""') + '"' for name in names)
        out.write(delimiter.join(quoted).encode() + b"\n" + first)
        shutil.copyfileobj(content, out, _CHUNK)
    return folder / path.name


def _named(stream: TableStream, wanted: _Wanted) -> TableStream:
    """Return the rows in columns called as they are kept, and of the types that were said."""
    columns = tuple(replace(column, name=plain_name(column.name)) for column in stream.schema)
    named = stream.map(
        stream.schema.with_columns(columns), lambda batch: batch.rename_columns([c.name for c in columns])
    )
    return named if wanted.columns is None else aligned(named, wanted.columns)
