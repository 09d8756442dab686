"""Queries that take their time: ``/api/jobs``."""

from contextlib import closing
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.responses import FileResponse
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from awe.platform import Platform
from awe.services.catalogs import BATCH, QUERY, SQL_KINDS, QueryOrder
from awe.services.identity import RUN
from awe.services.jobs import ACTIVE, Job, Phase
from awe.web.api._caller import Caller, Services, get, make_router, needs
from awe.web.api._sql import SqlBatch, asked_for, body_of
from awe.web.http import Given, Waiters, base_url, chosen_format, result_response

__all__ = ["router"]

router = make_router(tags=["jobs"])


class LongQuery(SqlBatch):
    """Statements that take their time; one query in ADQL."""

    format: str = Field("votable/b2", description="Format of the answer")
    run_id: str = Field("", max_length=1000, description="Your own name for the job")


@get(router, "/jobs")
def jobs(
    services: Services,
    caller: Caller,
    phase: Annotated[list[Phase] | None, Query(description="Only jobs in one of these phases")] = None,
    before: Annotated[datetime | None, Query(description="Only jobs made before: for the next page")] = None,
    last: Annotated[int | None, Query(ge=1, description="So many at the most")] = None,
    shared: Annotated[bool, Query(description="Jobs of others that you may see, instead of yours")] = False,
) -> dict[str, Any]:
    """List your jobs, the newest first; `more` says where the next page begins."""
    found = services.jobs.jobs(caller, SQL_KINDS, phases=phase or (), before=before, last=last, shared=shared)
    full = bool(found) and len(found) == min(last or len(found) + 1, services.settings.jobs.listed)
    return {"jobs": [_job(job) for job in found], "more": found[-1].created.isoformat() if full else None}


@router.post("/jobs", openapi_extra=body_of(LongQuery) | needs(RUN))
def submit(
    asked: Annotated[tuple[LongQuery, Given], Depends(asked_for(LongQuery))],
    request: Request,
    services: Services,
    caller: Caller,
) -> dict[str, Any]:
    """Put a query into the queue; it goes on without you. In a form, each file is a table TAP_UPLOAD.name.

    Statements in T-SQL and PostgreSQL have the results Table1, Table2 ...; a query in ADQL has one, `result`.
    """
    given, sent = asked
    with closing(sent):
        form, media_type = chosen_format(given.format, parameter="format")
        order = _order(given, form.name, media_type, request, sent)
        kind = QUERY if given.lang == "adql" else BATCH
        job = services.jobs.submit(
            kind, caller, order.to_json(), parameters=_said(given), parts=sent.parts, run_id=given.run_id
        )
    return _job(job)


@get(router, "/jobs/{job_id}")
async def job(
    job_id: str,
    request: Request,
    services: Services,
    caller: Caller,
    wait: Annotated[float, Query(ge=0, description="Seconds to wait for its next phase")] = 0.0,
) -> dict[str, Any]:
    """Describe a job, after its next phase if you wait for that."""
    found = await run_in_threadpool(services.jobs.job, job_id, caller, SQL_KINDS)
    if wait and found.phase in ACTIVE:
        waiters: Waiters = request.app.state.waiters
        await waiters.changed(job_id, found.phase, min(wait, services.settings.jobs.longest_wait))
        found = await run_in_threadpool(services.jobs.job, job_id, caller, SQL_KINDS)
    return _job(found)


@get(router, "/jobs/{job_id}/result", response_class=FileResponse)
def result(job_id: str, services: Services, caller: Caller) -> FileResponse:
    """Return the rows, those of the first result where there are several; ranges of bytes can be asked for."""
    found = services.jobs.job(job_id, caller, SQL_KINDS)
    return _file(services, found, found.results[0].name if found.results else "result")


@get(router, "/jobs/{job_id}/results/{name}", response_class=FileResponse)
def one_result(job_id: str, name: str, services: Services, caller: Caller) -> FileResponse:
    """Return the rows of one result."""
    return _file(services, services.jobs.job(job_id, caller, SQL_KINDS), name)


def _file(services: Platform, job: Job, name: str) -> FileResponse:
    made, path = services.jobs.result(job, name)
    return result_response(made, path)


@router.post("/jobs/{job_id}/abort", openapi_extra=needs(RUN))
def abort(job_id: str, services: Services, caller: Caller) -> dict[str, Any]:
    """Stop a job; one that has ended is left as it is."""
    services.jobs.job(job_id, caller, SQL_KINDS, action=RUN)
    return _job(services.jobs.abort(job_id, caller))


@router.delete("/jobs/{job_id}", openapi_extra=needs(RUN))
def delete(job_id: str, services: Services, caller: Caller) -> dict[str, str]:
    """Remove a job and its result."""
    services.jobs.job(job_id, caller, SQL_KINDS, action=RUN)
    services.jobs.delete(job_id, caller)
    return {"deleted": job_id}


def _job(job: Job) -> dict[str, Any]:
    step = job.progress
    return {
        "id": job.id,
        "run_id": job.run_id,
        "owner": job.owner,
        "phase": str(job.phase),
        "parameters": [{"name": name, "value": value} for name, value in job.parameters],
        "created": job.created.isoformat(),
        "started": job.started.isoformat() if job.started else None,
        "ended": job.ended.isoformat() if job.ended else None,
        "destruction": job.destruction.isoformat(),
        "execution_duration": job.duration_s,
        "progress": {"what": step.what, "done": step.done, "total": step.total} if step else None,
        "results": [
            {
                "name": one.name,
                "media_type": one.media_type,
                "size": one.size,
                "overflow": one.overflow,
                "engine": one.engine,
                "rows": one.rows,
            }
            for one in job.results
        ],
        **(job.error.to_json() if job.error else {"error": None}),
    }


def _order(given: LongQuery, form: str, media_type: str, request: Request, sent: Given) -> QueryOrder:
    return QueryOrder(
        text=given.query,
        dialect=given.lang,
        context=given.context,
        max_rows=given.max_rows,
        into=given.into,
        replace=given.replace,
        format=form,
        media_type=media_type,
        base_url=base_url(request),
        uploads=tuple((name, f"param:{name}") for name in sent.parts),
    )


def _said(given: LongQuery) -> list[tuple[str, str]]:
    """Return what was asked, in the words of TAP, as every face shows the parameters of a job."""
    said = {
        "QUERY": given.query,
        "LANG": given.lang,
        "CONTEXT": given.context,
        "MAXREC": given.max_rows,
        "INTO": given.into,
        "RESPONSEFORMAT": given.format,
    }
    return [(name, str(value)) for name, value in said.items() if value is not None]
