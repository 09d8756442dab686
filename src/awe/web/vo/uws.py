"""Jobs over HTTP as UWS 1.1 has it: written once, for every service that has long work.

A `JobFace` says where its jobs are, what kind they are, and what their parameters ask for. The parameters of a
job are what the client gave; they are understood when it is run, so that a wrong query makes a job that fails,
and not an error of the list (DALI 1.1 section 3.2).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response

from awe.core.vo import uws
from awe.core.vo.params import Values
from awe.errors import (
    AweError,
    ConflictError,
    ForbiddenError,
    LimitError,
    NotFoundError,
    ParameterError,
    UnavailableError,
)
from awe.services.identity import READ, RUN
from awe.services.jobs import ACTIVE, FINAL, Job, Phase
from awe.web.http import Call, Renderer, WaitingResponse, result_response
from awe.web.vo._vosi import XML

__all__ = ["JobFace"]

Pairs = Sequence[tuple[str, str]]

_CONTROL = frozenset(param.name for param in uws.CONTROL)


@dataclass(frozen=True, slots=True)
class JobFace:
    """The jobs of one service.

    Attributes
    ----------
    path
        Of the list, such as ``tap/async``.
    kind
        Of the jobs.
    order
        Parameters to what the kind is to do; raises the errors of `awe.errors`.
    render
        How the service tells its errors; also the document of ``/error``.
    """

    path: str
    kind: str
    order: Callable[[Call, Pairs], Mapping[str, object]]
    render: Renderer

    def errors(self, error: AweError) -> Response:
        """Render an error: what the state of a job does not allow is forbidden (UWS 1.1 section 2.2)."""
        answer = self.render(error)
        if isinstance(error, ConflictError):
            answer.status_code = ForbiddenError.status
        return answer

    def jobs(self, call: Call) -> Response:
        """List the caller's jobs, or make one (POST)."""
        if call.request.method == "POST":
            return self._create(call)
        values = uws.LIST.parse(call.pairs)
        found = call.platform.jobs.jobs(
            call.identity,
            self.kind,
            phases=map(Phase, values.all(uws.PHASE)),
            after=values.get(uws.AFTER),
            last=values.get(uws.LAST),
        )
        most = call.platform.settings.jobs.listed
        full = len(found) == most and (values.get(uws.LAST) or most + 1) > most
        note = (
            f"the newest {most}; there may be more: PHASE and AFTER choose, /api/jobs has pages"
            if full
            else ""
        )
        listed = ((self.described(call, job), self._place(call, job)) for job in found)
        return Response(uws.jobs_document(listed, note), media_type=XML)

    def job(self, call: Call) -> Response:
        """Describe a job, after its next phase if WAIT says so; remove it (DELETE, or ACTION=DELETE)."""
        if call.request.method in {"GET", "HEAD"}:
            return self._waited(call)
        job = self._found(call)
        action = uws.CONTROL.parse(call.pairs).get(uws.ACTION)
        if call.request.method == "POST" and action is None and call.tapplus:
            self.parameters(call)
            return self._document(call)  # a redirection is an error to it
        if call.request.method == "POST" and action is None:
            hint = f"POST parameters to {self._place(call, job)}/parameters"
            raise ParameterError("ACTION", "", "is needed: DELETE", hint=hint)
        call.platform.jobs.delete(job.id, call.identity)
        return _see(f"{call.base_url}/{self.path}")

    def phase(self, call: Call) -> Response:
        """Say the phase of a job; run or abort it (POST)."""
        job = self._found(call)
        if call.request.method != "POST":
            return PlainTextResponse(str(job.phase))
        command = uws.CONTROL.parse(call.pairs).need(uws.COMMAND)
        if command == "RUN":
            self._run(call, job)
        else:
            call.platform.jobs.abort(job.id, call.identity)
            if call.tapplus:
                return self._document(call)  # a redirection is an error to it
        return self._see_job(call, job)

    def duration(self, call: Call) -> Response:
        """Say how many seconds a job may take; change it before it begins (POST)."""
        job = self._found(call)
        if call.request.method != "POST":
            return PlainTextResponse(str(job.duration_s))
        seconds = uws.CONTROL.parse(call.pairs).need(uws.EXECUTIONDURATION)
        call.platform.jobs.change(job.id, call.identity, duration_s=seconds)
        return self._see_job(call, job)

    def destruction(self, call: Call) -> Response:
        """Say when a job is removed; change it (POST)."""
        job = self._found(call)
        if call.request.method != "POST":
            return PlainTextResponse(uws.moment(job.destruction))
        when = uws.CONTROL.parse(call.pairs).need(uws.DESTRUCTION)
        call.platform.jobs.change(job.id, call.identity, destruction=when)
        return self._see_job(call, job)

    def quote(self, call: Call) -> Response:
        """Say when a job will be done: nobody can tell, so nothing."""
        self._found(call)
        return PlainTextResponse("")

    def owner(self, call: Call) -> Response:
        """Say whose job it is; nothing for a job of nobody."""
        return PlainTextResponse(self._found(call).owner)

    def error(self, call: Call) -> Response:
        """Say why a job failed."""
        job = self._found(call)
        if job.error is None:
            raise NotFoundError(f"the job {job.id} has no error", hint=f"it is {job.phase}")
        told = self.render(job.error)
        return Response(told.body, media_type=told.media_type)  # the job failed, not this request

    def parameters(self, call: Call) -> Response:
        """List the parameters of a job; set some before it is run (POST)."""
        job = self._found(call)
        if call.request.method != "POST":
            return Response(uws.parameters_document(self.described(call, job)), media_type=XML)
        run_id = _name(uws.CONTROL.parse(call.pairs))
        given = _of_the_work(call.pairs)
        call.platform.jobs.change(job.id, call.identity, parameters=given, parts=call.parts, run_id=run_id)
        return self._see_job(call, job)

    def part(self, call: Call) -> Response:
        """Return a file that came with a job (section 2.2.3.1.1)."""
        part, path = call.platform.jobs.part(self._found(call), call.path("part"))
        # whatever its sender calls it: no browser shall run it
        return FileResponse(path, media_type="application/octet-stream", filename=part.filename or part.file)

    def results(self, call: Call) -> Response:
        """List what a job has made."""
        job = self._found(call)
        return Response(uws.results_document(self.described(call, job)), media_type=XML)

    def result(self, call: Call) -> Response:
        """Return one thing that a job has made; ranges of bytes can be asked for."""
        result, path = call.platform.jobs.result(self._found(call), call.path("result"))
        return result_response(result, path)

    def _create(self, call: Call) -> Response:
        service, control = call.platform.jobs, uws.CONTROL.parse(call.pairs)
        job = service.create(
            self.kind,
            call.identity,
            parameters=_of_the_work(call.pairs),
            run_id=_name(control) or "",
        )
        try:
            service.change(
                job.id,
                call.identity,
                parts=call.parts,
                duration_s=control.get(uws.EXECUTIONDURATION),
                destruction=control.get(uws.DESTRUCTION),
            )
            if control.get(uws.COMMAND) == "RUN":
                self._run(call, job)
        except (LimitError, UnavailableError):  # the queue is full: nobody knows of this job yet
            service.delete(job.id, call.identity)
            raise
        return self._see_job(call, job)

    def _run(self, call: Call, job: Job) -> None:
        try:
            order = self.order(call, job.parameters)
        except AweError as error:
            call.platform.jobs.refuse(job.id, call.identity, error)
        else:
            call.platform.jobs.run(job.id, call.identity, order)

    def _waited(self, call: Call) -> Response:
        job = self._found(call)
        values = uws.WAITING.parse(call.pairs)
        seconds = min(values.get(uws.WAIT) or 0.0, call.platform.settings.jobs.longest_wait)
        expected = values.all(uws.PHASE)
        if seconds and job.phase in ACTIVE and (not expected or job.phase in expected):
            return WaitingResponse(job.id, job.phase, seconds, lambda: self._document(call))
        return self._document(call)

    def _document(self, call: Call) -> Response:
        return Response(uws.job_document(self.described(call, self._found(call))), media_type=XML)

    def _found(self, call: Call) -> Job:
        return call.platform.jobs.job(
            call.path("job"),
            call.identity,
            self.kind,
            action=READ if call.request.method in {"GET", "HEAD"} else RUN,
        )

    def described(self, call: Call, job: Job) -> uws.JobDescription:
        """Return what is said of a job; to clients of TAP+ in the words that they look for."""
        return uws.JobDescription(
            id=job.id,
            phase=str(job.phase),
            created=job.created,
            duration_s=job.duration_s,
            destruction=job.destruction,
            run_id=job.run_id,
            owner=job.owner or None,
            started=job.started,
            ended=job.ended,
            parameters=_lower(job.parameters) if call.tapplus else job.parameters,
            parts=tuple(self._parts(call, job)),
            results=tuple(self._results(call, job)),
            error=str(job.error) if job.error else None,
            transient=isinstance(job.error, UnavailableError),
            info=(*_info(job), *(_named(job) if call.tapplus else ())),
        )

    def _results(self, call: Call, job: Job) -> Iterator[uws.ResultReference]:
        for result in job.results:
            place = f"{self._place(call, job)}/results/{result.name}"
            yield uws.ResultReference(result.name, place, result.media_type, result.size)

    def _parts(self, call: Call, job: Job) -> Iterator[tuple[str, str]]:
        for part in job.parts:
            yield part.name, f"{self._place(call, job)}/parameters/{quote(part.name, safe='')}"

    def _place(self, call: Call, job: Job) -> str:
        return f"{call.base_url}/{self.path}/{job.id}"

    def _see_job(self, call: Call, job: Job) -> Response:
        return _see(self._place(call, job))


def _name(control: Values) -> str | None:
    return control.get(uws.RUNID) or control.get(uws.JOBNAME)


def _of_the_work(pairs: Pairs) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in pairs if name.upper() not in _CONTROL)


def _see(place: str) -> Response:
    return RedirectResponse(place, 303)


def _lower(pairs: Pairs) -> tuple[tuple[str, str], ...]:
    return tuple((name.lower(), value) for name, value in pairs)


def _named(job: Job) -> tuple[tuple[str, str], ...]:
    return (("uws:name", job.run_id),) if job.run_id else ()


def _info(job: Job) -> Iterator[tuple[str, str]]:
    """Yield how far a job is, as pyvo 1.8 and later show it."""
    if job.progress is not None and job.phase not in FINAL:
        yield "progress", job.progress.what
        yield "done", str(job.progress.done)
        if job.progress.total is not None:
            yield "total", str(job.progress.total)
