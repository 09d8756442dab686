"""``/CasJobs/services/jobs.asmx``: CasJobs' older interface, as ``casjobs`` and ``mastcasjobs`` speak it.

Operations take form fields, among them who asks (``wsid`` and ``pw``), and answer one value in XML. Errors are plain
text: the clients show its first two lines.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse, Response

from awe.core.vo import asmx
from awe.errors import AuthenticationError, AweError, LimitError, NotFoundError, ParameterError, UsageError
from awe.services.catalogs import MYDB, ResultSet
from awe.services.identity import READ, RUN, WRITE
from awe.services.jobs import Job
from awe.web.compat.sciserver import _jobs
from awe.web.compat.sciserver._account import known_by, name_of, wsid_of
from awe.web.compat.sciserver._batch import BatchAnswer, as_table, run_batch
from awe.web.compat.sciserver._typed_csv import TypedCsv
from awe.web.compat.sciserver.casjobs import write_csv
from awe.web.http import Call, TableResponse, error_headers, request_line

__all__ = ["asmx_error", "casusers", "fast_table", "operation"]

Fields = Mapping[str, str]

_XML = "text/xml; charset=utf-8"
_MOST_BYTES = 1 << 26
_TRUE = frozenset({"true", "1", "yes"})
_MINUTE = 60


def asmx_error(error: AweError) -> Response:
    """Render as text, in two lines."""
    text = " ".join(f"{error.message}".split())
    hint = f"\n{' '.join(error.hint.split())}" if error.hint else ""
    return PlainTextResponse(f"{text}{hint}\n{request_line()}", error.status, error_headers(error))


def operation(call: Call) -> Response:
    """Do an operation of the older interface: ``/CasJobs/services/jobs.asmx/<operation>``."""
    found = _OPERATIONS.get(call.path("operation").casefold())
    if found is None:
        raise NotFoundError(f"there is no operation {call.path('operation')}", hint=f"there are {_NAMES}")
    act, scope = found
    fields = _fields(call)
    user = fields.get("owner_wsid") or fields.get("wsid", "")
    password = fields.get("owner_pw") or fields.get("pw", "")
    identity = known_by(call, name_of(user), password, scope)
    return act(replace(call, identity=identity), fields)


def casusers(call: Call) -> Response:
    """Return the number of a user for the name and the password, -1 if they are wrong: ``GetWebServiceId``."""
    if call.path("operation").casefold() != "getwebserviceid":
        raise NotFoundError(f"there is no operation {call.path('operation')}", hint="GetWebServiceId is")
    fields = _fields(call)
    try:
        found = known_by(call, fields.get("userid", ""), fields.get("password", ""), READ)
    except AuthenticationError:
        return _scalar("long", "-1")
    return _scalar("long", str(wsid_of(found.name)))


def fast_table(call: Call) -> Response:
    """Return a table of the caller's with a typed header, tabs between its cells: ``/CasJobs/quick_casjobs.cgi``."""
    fields = _fields(call)
    user, password = fields.get("userid", ""), fields.get("pw", "")
    known = replace(call, identity=known_by(call, name_of(user), password, READ))
    record = known.platform.tables.table(_need(fields, "table"), known.identity)
    text = f'SELECT * FROM "{record.schema}"."{record.name}"'
    stream = known.platform.catalogs.query(text, identity=known.identity, whole=True, asked=False)
    return TableResponse(stream, TypedCsv("\t"), media_type="text/plain; charset=utf-8")


def _quick(call: Call, fields: Fields) -> Response:
    results = run_batch(call, _need(fields, "qry"), fields.get("context") or MYDB)
    return BatchAnswer(results, _as_string, _XML, call.base_url)


def _as_string(results: Iterator[ResultSet], headers: MutableHeaders) -> Iterator[bytes]:
    """Yield the document whose one text is typed CSV."""
    parts: list[bytes] = []
    size = 0
    for part in as_table(TypedCsv())(results, headers):
        parts.append(part)
        size += len(part)
        if size > _MOST_BYTES:
            raise LimitError(
                f"the quick queue answers {_MOST_BYTES // 2**20} MiB at the most",
                hint="SELECT ... INTO mydb.name, and request its output",
            )
    yield asmx.scalar("string", b"".join(parts).decode())


def _submit(call: Call, fields: Fields) -> Response:
    made = _jobs.submit(call, _need(fields, "qry"), fields.get("context") or MYDB, fields.get("taskname", ""))
    return _scalar("long", str(_jobs.number_of(made)))


def _extract(call: Call, fields: Fields) -> Response:
    made = _jobs.extract(call, _need(fields, "tablename"), _need(fields, "type"))
    return _scalar("long", str(_jobs.number_of(made)))


def _status(call: Call, fields: Fields) -> Response:
    found = _jobs.find(call, _need(fields, "jobid"))
    return _scalar("int", str(_jobs.STATUSES[found.phase]))


def _cancel(call: Call, fields: Fields) -> Response:
    found = _jobs.find(call, _need(fields, "jobid"))
    after = call.platform.jobs.abort(found.id, call.identity)
    return _scalar("int", str(_jobs.STATUSES[after.phase]))


def _list(call: Call, fields: Fields) -> Response:
    wanted = _conditions(fields.get("conditions", ""))
    number = next((values for name, values in wanted if name == "jobid"), None)
    found: list[Job] = _jobs.listed(call)
    if number is not None and len(number) == 1 and number[0][0] == number[0][1]:
        try:
            found = [_jobs.find(call, number[0][0])]
        except NotFoundError:
            found = []
    rows = [{name: _text(value) for name, value in _jobs.told(call, job).items()} for job in found]
    kept = (row for row in rows if all(_meets(row, name, ranges) for name, ranges in wanted))
    return Response(asmx.records("ArrayOfCJJob", "CJJob", kept), media_type=_XML)


def _upload(call: Call, fields: Fields) -> Response:
    content = _need(fields, "data").encode()
    exists = fields.get("tableexists", "").casefold() in _TRUE
    made = write_csv(call, _need(fields, "tablename"), content, append=exists)
    return _scalar("string", f"{made.name}: {made.rows} rows")


def _queues(call: Call, _fields: Fields) -> Response:
    """Return how many minutes each context gives a query: quick ones at once, long ones as jobs."""
    settings = call.platform.settings
    names = ["MyDB", *(schema.name for schema in call.platform.catalogs.schemas(call.identity))]
    limits = (settings.limits.seconds, settings.jobs.seconds)
    rows = ({"Context": name, "Timeout": f"{seconds / _MINUTE:g}"} for name in names for seconds in limits)
    return Response(asmx.records("ArrayOfCJQueue", "CJQueue", rows), media_type=_XML)


def _types(_call: Call, _fields: Fields) -> Response:
    rows = ({"Type": name} for name in ("CSV", "FITS", "VOTable"))
    return Response(asmx.records("ArrayOfCJType", "CJType", rows), media_type=_XML)


_OPERATIONS: Mapping[str, tuple[Callable[[Call, Fields], Response], str]] = {
    "executequickjob": (_quick, READ),
    "submitjob": (_submit, RUN),
    "submitextractjob": (_extract, RUN),
    "getjobstatus": (_status, READ),
    "getjobs": (_list, READ),
    "canceljob": (_cancel, RUN),
    "uploaddata": (_upload, WRITE),
    "getqueues": (_queues, READ),
    "getjobtypes": (_types, READ),
}
_NAMES = (
    "ExecuteQuickJob, SubmitJob, SubmitExtractJob, GetJobStatus, GetJobs, CancelJob, UploadData, GetQueues"
)

Ranges = list[tuple[str, str]]


def _conditions(text: str) -> list[tuple[str, Ranges]]:
    """Read ``name : value ; name : low,high ; name : a|b``: each value is a range, both ends included."""
    found: list[tuple[str, Ranges]] = []
    for part in filter(str.strip, text.split(";")):
        name, colon, values = part.partition(":")
        if not colon:
            raise ParameterError(
                "conditions", text, "is not name : value", hint="such as jobid : 12; status : 5"
            )
        ranges = []
        for value in values.split("|"):
            low, comma, high = (side.strip() for side in value.partition(","))
            ranges.append((low, high if comma else low))
        found.append((name.strip().casefold(), ranges))
    return found


def _meets(row: Mapping[str, str], name: str, ranges: Ranges) -> bool:
    folded = {key.casefold(): value for key, value in row.items()}
    if name not in folded:
        raise ParameterError("conditions", name, "is no property of a job", hint=", ".join(row))
    value = _comparable(folded[name])
    return any(
        (not low or _comparable(low) <= value) and (not high or value <= _comparable(high))
        for low, high in ranges
    )


def _comparable(text: str) -> tuple[int, float, str]:
    """Return what orders values: numbers, times, then text."""
    try:
        return (0, float(text), "")
    except ValueError:
        pass
    try:
        return (1, datetime.fromisoformat(text).timestamp(), "")
    except ValueError:
        return (2, 0.0, text.casefold())


def _fields(call: Call) -> dict[str, str]:
    return {name.casefold(): value for name, value in call.pairs}


def _need(fields: Fields, name: str) -> str:
    if not fields.get(name, "").strip():
        raise UsageError(f"{name} is needed")
    return fields[name]


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _scalar(kind: str, value: str) -> Response:
    return Response(asmx.scalar(kind, value), media_type=_XML)
