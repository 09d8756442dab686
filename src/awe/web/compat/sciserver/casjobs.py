"""``/CasJobs/RestApi``: batches in T-SQL, the caller's own tables, jobs, and what contexts hold.

Anything but status 200 is failure to its clients (SciScript-Python, all versions), a token is optional
for public contexts, and the Accept header chooses the format.
"""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from starlette.responses import JSONResponse, PlainTextResponse, Response

from awe.core.tables.formats import FORMATS
from awe.errors import AuthenticationError, ForbiddenError, NotFoundError, ParameterError, UsageError
from awe.services.catalogs import MYDB, TableRecord
from awe.web.compat.sciserver import _jobs
from awe.web.compat.sciserver._account import wsid_of
from awe.web.compat.sciserver._batch import BatchAnswer, as_json, as_table, context_of, run_batch
from awe.web.http import Call, chosen_format

__all__ = ["cancel", "contexts", "job", "jobs", "not_offered", "query", "submit", "tables", "upload", "user"]

_YEAR_ONE = datetime(1, 1, 1, tzinfo=UTC)
_KILO = 1024
_JSON = "application/json+array"


def contexts(call: Call) -> Response:
    """List the contexts that the caller may query, the own one first: ``/contexts``."""
    counted: dict[str, int] = {}
    for record in call.platform.catalogs.tables(call.identity):
        if record.owner == "":
            counted[record.schema] = counted.get(record.schema, 0) + 1
    own = (
        [] if call.identity.is_anonymous else [_context("MyDB", "Your own tables", len(_own(call)), own=True)]
    )
    schemas = {schema.name: schema for schema in call.platform.catalogs.schemas(call.identity)}
    public = [_context(name, schemas[name].title, n) for name, n in counted.items() if name in schemas]
    return JSONResponse([*own, *public])


def query(call: Call) -> Response:
    """Run a batch in the quick queue: ``/contexts/<context>/query``."""
    text, _, _ = _given(call)
    wanted = call.accept.split(",")[0].split(";")[0].strip().lower()
    if wanted in {"", "*/*", "application/json", _JSON}:
        shape, media_type = as_json(text), _JSON
    elif wanted == "text/plain":
        shape, media_type = as_table(FORMATS["csv"]), "text/plain; charset=utf-8"
    else:
        form, media_type = chosen_format(None, call.accept)
        shape = as_table(form)
    return BatchAnswer(run_batch(call, text, call.path("context")), shape, media_type, call.base_url)


def tables(call: Call) -> Response:
    """List the tables of a context: ``/contexts/<context>/Tables``."""
    context = context_of(call, call.path("context"))
    if context is None:
        raise _unknown()
    if context == MYDB:
        return JSONResponse([_table(record) for record in _own(call)])
    found = [
        record
        for record in call.platform.catalogs.tables(call.identity)
        if record.schema.casefold() == context.casefold()
    ]
    if not found:
        known = ", ".join(schema.name for schema in call.platform.catalogs.schemas(call.identity))
        raise NotFoundError(f"there is no context {context}", hint=f"there are {known}" if known else None)
    return JSONResponse([_table(record) for record in found])


def upload(call: Call) -> Response:
    """Make a table of CSV with a header line: ``/contexts/<context>/Tables/<table>``."""
    if call.identity.is_anonymous:
        raise _unknown()
    if context_of(call, call.path("context")) != MYDB:
        raise ForbiddenError(f"nobody uploads into {call.path('context')}", hint="upload into MyDB")
    made = write_csv(call, call.path("table"), call.body)
    return JSONResponse({"Name": made.name, "Rows": made.rows})


def write_csv(call: Call, table: str, content: bytes, *, append: bool = False) -> TableRecord:
    """Write CSV into a table of the caller's.

    Raises
    ------
    ParameterError
        If there is nothing in it.
    ConflictError, InputFileError, QuotaError
        As `TableService.write`.
    """
    if not content.strip():
        raise ParameterError("data", "", "is empty: CSV with a header line is expected")
    with tempfile.TemporaryDirectory(prefix="awe-upload-") as folder:
        file = Path(folder) / f"{table.rpartition('.')[2][:64].replace('/', '_') or 'table'}.csv"
        file.write_bytes(content)
        stream = FORMATS["csv"].read(file)
        mode: Literal["append", "create"] = "append" if append else "create"
        return call.platform.tables.write(
            table, stream, call.identity, mode=mode, origin="CSV sent to CasJobs"
        )


def submit(call: Call) -> Response:
    """Put a batch into the long queue; its number is the answer: ``/contexts/<context>/jobs``."""
    if call.identity.is_anonymous:
        raise _unknown()
    text, task, table = _given(call)
    made = _jobs.submit(call, text, call.path("context"), task, table)
    return PlainTextResponse(str(_jobs.number_of(made)))


def jobs(call: Call) -> Response:
    """List the caller's jobs, the newest first: ``/jobs``."""
    if call.identity.is_anonymous:
        raise _unknown()
    given = {name.casefold(): value for name, value in call.pairs}
    after, before = (_moment(given, name) for name in ("submittedfrom", "submittedto"))
    return JSONResponse([_jobs.told(call, one) for one in _jobs.listed(call, after=after, before=before)])


def job(call: Call) -> Response:
    """Describe one of the caller's jobs: ``/jobs/<number>``."""
    return JSONResponse(_jobs.told(call, _jobs.find(call, call.path("job"))))


def cancel(call: Call) -> Response:
    """Stop one of the caller's jobs: ``/jobs/<number>``."""
    found = _jobs.find(call, call.path("job"))
    return JSONResponse(_jobs.told(call, call.platform.jobs.abort(found.id, call.identity)))


def user(call: Call) -> Response:
    """Return the caller's account: ``/users/<id>``."""
    name = call.identity.name
    if call.identity.is_anonymous:
        raise _unknown()
    if call.path("user").casefold() not in {name.casefold(), str(wsid_of(name))}:
        raise ForbiddenError(f"you are {name}, and see your own account only")
    schema = call.platform.tables.schema_of(call.identity)
    return JSONResponse(
        {"WebServicesId": wsid_of(name), "UserName": name, "MyDBName": "MyDB", "Schema": schema}
    )


def not_offered(call: Call) -> Response:
    """Say that an address of CasJobs is not here."""
    raise NotFoundError(
        f"CasJobs has no {call.path('service')} here",
        hint="RestApi/contexts, RestApi/jobs, RestApi/users and services/jobs.asmx are",
    )


def _own(call: Call) -> tuple[TableRecord, ...]:
    return call.platform.tables.tables(call.identity)


def _given(call: Call) -> tuple[str, str, str]:
    """Return the query of a request, the name of its task, and the table that it is to make."""
    try:
        given = json.loads(call.body or b"{}")
    except (ValueError, RecursionError):
        raise UsageError("the request's body is not JSON", hint='send {"Query": "SELECT ..."}') from None
    given = given if isinstance(given, dict) else {}
    text = given.get("Query")
    if not isinstance(text, str) or not text.strip():
        raise UsageError("the request has no query", hint='send {"Query": "SELECT ..."}')
    wanted = given.get("CreateTable")
    table = given.get("TableName") if wanted in {None, True, "true", "True"} else wanted
    return text, str(given.get("TaskName") or ""), str(table or "")


def _moment(given: dict[str, str], name: str) -> datetime | None:
    if not given.get(name):
        return None
    try:
        found = datetime.fromisoformat(given[name])
    except ValueError:
        raise ParameterError(name, given[name], "is no time", hint="such as 2026-11-29T12:00:00") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _unknown() -> AuthenticationError:
    return AuthenticationError("a token is needed", hint="log in first")


def _context(name: str, title: str, count: int, *, own: bool = False) -> dict[str, object]:
    return {"Name": name, "Description": title, "Tables": count, "Writable": own}


def _table(record: TableRecord) -> dict[str, object]:
    age = (record.created or _YEAR_ONE) - _YEAR_ONE
    ticks = (age.days * 86400 + age.seconds) * 10_000_000 + age.microseconds * 10
    return {"Date": ticks, "Name": record.name, "Rows": record.rows, "Size": record.bytes // _KILO}
