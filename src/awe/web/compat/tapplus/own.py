"""``/tap/Upload``: tables of one's own, made of files, addresses and jobs, and dropped.

As at the Gaia archive, a table that comes by this way gets a column that numbers its rows, ``NAME_oid``: the results
of cross-matches refer to it.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
from starlette.responses import PlainTextResponse, Response

from awe.core.tables import Column, TableStream
from awe.core.tables.formats import format_for, format_of
from awe.core.vo import tapplus
from awe.core.vo.params import Values
from awe.errors import UsageError
from awe.services.catalogs import QUERY
from awe.web.http import Call

__all__ = ["upload"]

_FILE = "FILE"


def upload(call: Call) -> Response:
    """Make a table of a file, of what is at an address or of the result of a job (JOBID); or drop one (DELETE)."""
    values = tapplus.UPLOAD.parse(call.pairs)
    name, tables = values.need(tapplus.TABLE_NAME), call.platform.tables
    if values.get(tapplus.DELETE) == "TRUE":
        tables.drop(name, call.identity, missing_ok=values.get(tapplus.FORCE_REMOVAL) == "TRUE")
        return PlainTextResponse(f"{name} is dropped\n")
    with tempfile.TemporaryDirectory(prefix="awe-upload-") as folder:
        file, origin = _file(call, values, name, Path(folder))
        with format_of(file).read(file) as rows:
            about = values.get(tapplus.TABLE_DESC) or ""
            made = tables.write(name, _numbered(rows, name, about), call.identity, origin=origin)
    return PlainTextResponse(f"{made.full_name} has {made.rows} rows\n")


def _file(call: Call, values: Values, name: str, folder: Path) -> tuple[Path, str]:
    """Return the file with the rows, and what it comes from."""
    if job_id := values.get(tapplus.JOBID):
        job = call.platform.jobs.job(job_id, call.identity, QUERY)
        query = next((text for key, text in job.parameters if key.upper() == "QUERY"), job_id)
        return call.platform.jobs.result(job, "result")[1], query
    place, sent = values.get(tapplus.URL), call.parts.get(_FILE)
    if place is None and (sent is None or not sent.filename):
        raise UsageError("there is no table to upload", hint="send FILE, URL or JOBID")
    received = call.platform.catalogs.receive([(name, place or f"param:{_FILE}")], call.parts, folder)
    return _with_ending(received[name], values.get(tapplus.FORMAT)), place or (sent.filename if sent else "")


def _with_ending(file: Path, named: str | None) -> Path:
    """Return a file with the ending of the format that it is said to have, where it has none."""
    if file.suffix or not named:
        return file
    form = format_for(named.lower().removeprefix("ascii."))
    return file.rename(file.with_suffix(form.extensions[0]))


def _numbered(rows: TableStream, name: str, about: str) -> TableStream:
    """Return rows with their numbers, from one, in the last column, and with what is said of the table."""
    known = any(column.ucd.lower() == tapplus.MAIN_ID for column in rows.schema)
    ucd = "meta.id" if known else tapplus.MAIN_ID
    number = Column(f"{name}_oid", pa.int64(), ucd=ucd, description="Number of the row")
    said = replace(rows.schema, description=about or rows.schema.description)
    if number.name in said:
        return rows.map(said, lambda batch: batch)
    schema = said.with_columns((*said, number))
    arrow, done = schema.to_arrow(), 0

    def count(batch: pa.RecordBatch) -> pa.RecordBatch:
        nonlocal done
        first, done = done + 1, done + batch.num_rows
        numbers = pa.array(range(first, done + 1), pa.int64())
        return pa.RecordBatch.from_arrays([*batch.columns, numbers], schema=arrow)

    return rows.map(schema, count)
