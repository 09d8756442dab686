"""Jobs as CasJobs tells of them: numbers for names, numbers for phases, and what became of them.

The number of a job is what the first 52 bits of its id say: as large as every client's numbers hold exactly.
"""

import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from starlette.responses import FileResponse, Response

from awe.errors import NotFoundError, UsageError
from awe.services.catalogs import BATCH, MYDB, QUERY, QueryOrder
from awe.services.jobs import Job, Phase
from awe.web.compat.sciserver._account import wsid_of
from awe.web.compat.sciserver._batch import context_of
from awe.web.http import Call

__all__ = ["STATUSES", "extract", "find", "listed", "number_of", "output", "submit", "told"]

STATUSES: Mapping[Phase, int] = {
    Phase.PENDING: 0, Phase.HELD: 0, Phase.QUEUED: 0, Phase.EXECUTING: 1, Phase.SUSPENDED: 1, Phase.ABORTED: 3,
    Phase.ERROR: 4, Phase.COMPLETED: 5, Phase.ARCHIVED: 5, Phase.UNKNOWN: 4,
}  # fmt: skip
"""ready, started, (canceling,) cancelled, failed, finished."""
_WORDS = {Phase.COMPLETED: "Query Complete", Phase.ABORTED: "Query Canceled"}
_HEX = 13
_KEY, _TABLE, _TYPE, _FACE = "OUTPUTKEY", "TABLENAME", "OUTPUTTYPE", "CASJOBS"
_FORMATS = {"csv": ("csv", "text/csv"), "fits": ("fits", "application/fits"),
            "votable": ("votable", "application/x-votable+xml")}  # fmt: skip


def number_of(job: Job) -> int:
    """Return the number of a job."""
    return int(job.id[:_HEX], 16)


def find(call: Call, number: str) -> Job:
    """Return one of the caller's jobs by its number.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    digits = number.strip()
    if not (digits.isascii() and digits.isdigit()) or int(digits[:20]) >> (4 * _HEX):
        raise NotFoundError(
            f"there is no job {number[:40]}", hint="the number of a job is what submitting it gave"
        )
    return call.platform.jobs.numbered(f"{int(digits):0{_HEX}x}", call.identity)


def listed(call: Call, *, after: datetime | None = None, before: datetime | None = None) -> list[Job]:
    """Return the caller's jobs that run SQL, the newest first."""
    found = call.platform.jobs.jobs(call.identity, after=after, before=before)
    return [job for job in found if job.kind in {BATCH, QUERY}]


def submit(call: Call, text: str, context: str, task: str = "", table: str = "") -> Job:
    """Put a batch into the long queue; `table` is what its one query makes, if that is said so."""
    if not text.strip():
        raise UsageError("the request has no query", hint="send a batch in T-SQL")
    form, media_type = _FORMATS["csv"]
    order = QueryOrder(
        text, "tsql", context_of(call, context), into=f"{MYDB}.{table}" if table else None, format=form,
        media_type=media_type, base_url=call.base_url,
    )  # fmt: skip
    said = {"QUERY": text, "LANG": "tsql", "CONTEXT": context, _TABLE: table, _KEY: secrets.token_urlsafe(16)}
    return call.platform.jobs.submit(
        BATCH, call.identity, order.to_json(), parameters=_said(said), run_id=task
    )


def extract(call: Call, table: str, kind: str) -> Job:
    """Put the writing of a table into a file into the long queue.

    Raises
    ------
    UsageError
        If that kind of file is not offered.
    NotFoundError
        If there is no such table of the caller's.
    """
    if kind.casefold() not in _FORMATS:
        raise UsageError(f"output of the type {kind} is not offered", hint="CSV, FITS or VOTable")
    record = call.platform.tables.table(table, call.identity)
    form, media_type = _FORMATS[kind.casefold()]
    text = f'SELECT * FROM "{record.schema}"."{record.name}"'
    order = QueryOrder(text, whole=True, format=form, media_type=media_type, base_url=call.base_url)
    said = {"QUERY": text, "LANG": "adql", "CONTEXT": MYDB, _TYPE: kind, _KEY: secrets.token_urlsafe(16)}
    return call.platform.jobs.submit(
        QUERY, call.identity, order.to_json(), parameters=_said(said), run_id="extract"
    )


def told(call: Call, job: Job) -> dict[str, object]:
    """Return what CasJobs tells of a job."""
    said = dict(job.parameters)
    message = str(job.error) if job.error else _WORDS.get(job.phase, "")
    rows = [result.rows for result in job.results if result.rows is not None]
    return {
        "JobID": number_of(job),
        "Status": STATUSES[job.phase],
        "Rows": sum(rows) if rows else None,
        "WebServicesID": wsid_of(job.owner),
        "TimeSubmit": _moment(job.created),
        "TimeStart": _moment(job.started),
        "TimeEnd": _moment(job.ended),
        "TaskName": job.run_id,
        "Query": said.get("QUERY", ""),
        "ModifiedQuery": "",
        "Target": said.get("CONTEXT") or "",
        "Message": message,
        "Created_Table": said.get(_TABLE, ""),
        "OutputLoc": _place(call, job, said.get(_KEY, "")),
        "OutputType": said.get(_TYPE, "QUERY"),
        "Estimate": job.duration_s // 60,
        "SendEmail": False,
        "AutoComplete": False,
        "HostIP": "",
        "Params": "",
    }


def output(call: Call) -> Response:
    """Return what a job made to whoever has the address that its owner was given: ``/CasJobs/output/<job>``.

    CasJobs' clients fetch it without saying who they are; the key in the address is the job's own.
    """
    job = call.platform.jobs.known(call.path("job"))
    key = dict(job.parameters).get(_KEY, "") if job is not None else ""
    given = dict(call.pairs).get("key", "")
    if job is None or not key or not hmac.compare_digest(key.encode(), given.encode()) or not job.results:
        raise NotFoundError("there is no such output", hint="ask for the job's OutputLoc again")
    result, path = call.platform.jobs.result(job, job.results[0].name)
    return FileResponse(path, media_type=result.media_type, filename=result.file)


def _place(call: Call, job: Job, key: str) -> str:
    if not key or not job.results:
        return ""
    return f"{call.base_url}/CasJobs/output/{job.id}?key={quote(key, safe='')}"


def _said(values: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in values.items() if value]


def _moment(when: datetime | None) -> str | None:
    return when.isoformat(timespec="milliseconds") if when else None
