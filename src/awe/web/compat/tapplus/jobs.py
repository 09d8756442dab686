"""``/tap/jobs/async`` and ``/tap/deletejobs``: look among one's jobs, and remove several at once."""

from collections.abc import Callable
from datetime import UTC, datetime

from starlette.responses import PlainTextResponse, Response

from awe.core.vo import tapplus, uws
from awe.core.vo.params import Values
from awe.services.catalogs import QUERY
from awe.services.identity import RUN
from awe.services.jobs import Job, Phase
from awe.web.http import Call, Handler

__all__ = ["delete_jobs", "search"]

_NEVER = datetime.min.replace(tzinfo=UTC)
_ORDER: dict[str, Callable[[Job], str | datetime]] = {
    "jobid": lambda job: job.id,
    "name": lambda job: job.run_id,
    "phaseid": lambda job: job.phase.value,
    "creation_time": lambda job: job.created,
    "start_time": lambda job: job.started or _NEVER,
    "end_time": lambda job: job.ended or _NEVER,
}
Describe = Callable[[Call, Job], uws.JobDescription]


def search(describe: Describe) -> Handler:
    """Return the handler of ``/tap/jobs/async``.

    Parameters
    ----------
    describe
        Says of a job of the query service what its document says.
    """

    def find(call: Call) -> Response:
        """List the caller's jobs that have a name, a phase, words in their query, a time."""
        wanted = tapplus.JOBS.parse(call.pairs)
        phases = [Phase(word) for word in wanted.all(tapplus.PHASEID)]
        jobs = [
            job for job in call.platform.jobs.jobs(call.identity, QUERY, phases=phases) if _fits(job, wanted)
        ]
        first = wanted.get(tapplus.OFFSET) or 0
        last = first + (wanted.get(tapplus.LIMIT) or len(jobs))
        listed = (describe(call, job) for job in _sorted(jobs, wanted)[first:last])
        return Response(uws.full_jobs_document(listed), media_type="application/xml")

    return find


def delete_jobs(call: Call) -> Response:
    """Remove jobs of the caller: ``JOB_IDS=a,b``; all of them or, where one is not there, none."""
    wanted = tapplus.REMOVAL.parse(call.pairs).need(tapplus.JOB_IDS)
    jobs = [call.platform.jobs.job(name, call.identity, QUERY, action=RUN) for name in wanted]
    for job in jobs:
        call.platform.jobs.delete(job.id, call.identity)
    return PlainTextResponse(f"removed {len(jobs)} jobs\n")


def _fits(job: Job, wanted: Values) -> bool:
    names = {*wanted.all(tapplus.NAME), *wanted.all(tapplus.JOBNAME)}
    words = wanted.get(tapplus.QUERY)
    query = next((value for name, value in job.parameters if name.upper() == "QUERY"), "")
    return (
        names <= {job.run_id}
        and wanted.get(tapplus.JOBID) in {None, job.id}
        and (words or "").casefold() in query.casefold()
        and _between(job.started, wanted.get(tapplus.START_FROM), wanted.get(tapplus.START_TO))
        and _between(job.ended, wanted.get(tapplus.END_FROM), wanted.get(tapplus.END_TO))
    )


def _between(moment: datetime | None, first: datetime | None, end: datetime | None) -> bool:
    if moment is None:
        return first is None and end is None
    return (first is None or first <= moment) and (end is None or moment < end)


def _sorted(jobs: list[Job], wanted: Values) -> list[Job]:
    order = wanted.get(tapplus.ORDER)
    if order is None:
        return jobs
    word, last_first = order
    return sorted(jobs, key=_ORDER[word], reverse=last_first)
