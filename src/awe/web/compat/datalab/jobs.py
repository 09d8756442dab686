"""Jobs of queries in the Data Lab's words: ``/query/status``, ``results``, ``error``, ``abort``; ``/res/findJobs``."""

import json
from collections.abc import Iterator, Sequence

from starlette.responses import PlainTextResponse, Response, StreamingResponse

from awe.core.tables.formats import format_for
from awe.errors import ParameterError
from awe.services.catalogs import SQL_KINDS
from awe.services.identity import READ, RUN
from awe.services.jobs import RUNNING, Job, Phase
from awe.web.compat.datalab._answers import AS_A_WHOLE, format_asked, whole
from awe.web.compat.datalab._asked import given, known, need, willing
from awe.web.compat.datalab._into import LOCAL
from awe.web.compat.datalab.mydb import done, familiar
from awe.web.http import Call

__all__ = ["abort", "error", "find", "results", "status"]

_WORDS = {Phase.PENDING: "QUEUED", Phase.HELD: "QUEUED", Phase.SUSPENDED: "EXECUTING"}
_SPELT = {"ABORT": "ABORTED", "WAITING": "QUEUED"}
_WHEN = "%Y-%m-%d %H:%M:%S"


def status(call: Call) -> Response:
    """Say the phase of a job."""
    return PlainTextResponse(_word(_found(call)))


def results(call: Call) -> Response:
    """Return the rows of a job in the format that its query asked for; ``OK`` of one whose rows went elsewhere."""
    job = _found(call)
    if job.error is not None:
        raise familiar(job.error)
    asked = dict(job.parameters)
    if "://" in asked.get("OUT", "").removeprefix(LOCAL):
        return done()
    form = format_asked(asked.get("OFMT", ""))
    result, path = call.platform.jobs.result(job, job.results[0].name if job.results else "result")
    stream = format_for(result.media_type).read(path)  # another face may have made the job
    stream.overflow = result.overflow
    return StreamingResponse(form.write(whole(stream), AS_A_WHOLE), media_type=form.media_types[0])


def error(call: Call) -> Response:
    """Say why a job failed; nothing where it has not."""
    job = _found(call)
    return PlainTextResponse(f"Error: {familiar(job.error)}" if job.error is not None else "")


def abort(call: Call) -> Response:
    """Stop a job."""
    identity = willing(call, RUN)
    job = _found(call, RUN)
    call.platform.jobs.abort(job.id, identity)
    return PlainTextResponse("OK")


def find(call: Call) -> Response:
    """List the caller's jobs, or remove those that do not run: ``/res/findJobs``."""
    wanted, option = given(call, "jobid"), given(call, "option").lower() or "list"
    if option not in {"list", "delete"}:
        raise ParameterError("option", option, "is neither list nor delete")
    found = (
        [_found(call)] if wanted not in {"", "*"} else list(call.platform.jobs.jobs(call.identity, SQL_KINDS))
    )
    phase = given(call, "status").upper() or "ALL"
    found = [job for job in found if phase == "ALL" or _word(job) == _SPELT.get(phase, phase)]
    if option == "delete":
        return PlainTextResponse(_deleted(call, found))
    if given(call, "format").lower() == "json":
        rows = [_described(job) for job in found]
        # the client cuts off the outer characters, and takes each ' for a "
        return PlainTextResponse('"' + json.dumps(rows).replace("'", "\\u0027") + '"')
    return PlainTextResponse("".join(f"{line}\n" for line in _listed(found)))


def _found(call: Call, action: str = READ) -> Job:
    return call.platform.jobs.job(need(call, "jobid"), call.identity, SQL_KINDS, action=action)


def _word(job: Job) -> str:
    return _WORDS.get(job.phase, str(job.phase))


def _deleted(call: Call, jobs: Sequence[Job]) -> str:
    done = [job for job in jobs if job.phase not in RUNNING]
    identity = known(call, RUN)
    for job in done:
        call.platform.jobs.delete(job.id, identity)
    return f"{len(done)} jobs deleted\n"


def _described(job: Job) -> dict[str, str]:
    start, end = (when.strftime(_WHEN) if when else "" for when in (job.started, job.ended))
    asked = dict(job.parameters)
    return {
        "jobid": job.id,
        "start_date": start,
        "end_date": end,
        "status": _word(job),
        "query": asked.get("QUERY", ""),
        "results": asked.get("OUT", ""),
    }


def _listed(jobs: Sequence[Job]) -> Iterator[str]:
    """Yield the lines of a list for people."""
    yield f"{'JobID':<32}  {'Start':<19}  {'End':<19}  Status"
    yield f"{'-' * 32}  {'-' * 19}  {'-' * 19}  {'-' * 9}"
    for job in jobs:
        said = _described(job)
        yield f"{said['jobid']:<32}  {said['start_date']:<19}  {said['end_date']:<19}  {said['status']}"
