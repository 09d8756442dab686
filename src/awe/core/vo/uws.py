"""Universal Worker Service 1.1 (REC 2016-10-24): the parameters that steer a job, and its documents.

All moments are in UTC and end with ``Z`` (section 2.2.1). Elements that the schema lets be nil are always there,
because clients look for them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from awe.core.vo._xml import NAMESPACES, Element, comment, document, node
from awe.core.vo.params import Param, Params, choice, integer, text

__all__ = [
    "ACTION", "AFTER", "COMMAND", "CONTROL", "DESTRUCTION", "EXECUTIONDURATION", "JOBNAME", "LAST", "LIST", "PHASE", "PHASES",
    "RUNID", "WAIT", "WAITING", "JobDescription", "ResultReference", "full_jobs_document", "job_document",
    "jobs_document", "moment", "moment_of", "parameters_document", "results_document",
]  # fmt: skip

_VERSION = "1.1"

PHASES = (
    "PENDING", "QUEUED", "EXECUTING", "COMPLETED", "ERROR", "ABORTED", "UNKNOWN", "HELD", "SUSPENDED", "ARCHIVED",
)  # fmt: skip
"""Section 2.1.3."""


def moment_of(given: str) -> datetime:
    """Parse a moment as ISO 8601 writes it, in UTC if it does not say; ValueError if it is none."""
    try:
        found = datetime.fromisoformat(given.replace(" ", "T"))
    except ValueError:
        raise ValueError("is not a moment as ISO 8601 writes it") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _wait(given: str) -> float:
    seconds = integer(-1)(given)
    return float("inf") if seconds < 0 else float(seconds)


PHASE: Param[str] = Param(
    "PHASE", choice(*PHASES), "Only jobs in this phase", repeated=True, values=PHASES, example="EXECUTING"
)
AFTER: Param[datetime] = Param(
    "AFTER", moment_of, "Only jobs that were made after this moment, UTC", xtype="timestamp",
    example="2026-01-31T10:00:00Z",
)  # fmt: skip
LAST: Param[int] = Param("LAST", integer(1), "Only so many jobs, the newest", "int", example="10")
LIST = Params(PHASE, AFTER, LAST)
"""Of the job list (section 2.2.2.1)."""

WAIT: Param[float] = Param(
    "WAIT", _wait, "Seconds to wait for the next phase; -1 as long as the service allows", "int", example="60"
)
WAITING = Params(WAIT, PHASE)
"""Of a job (section 2.2.1.2)."""

ACTION: Param[str] = Param("ACTION", choice("DELETE"), "What to do with the job", example="DELETE")
COMMAND: Param[str] = Param("PHASE", choice("RUN", "ABORT"), "What the job is to do", example="RUN")
RUNID: Param[str] = Param("RUNID", text, "Your own name for the job", example="m87-1")
JOBNAME: Param[str] = Param("JOBNAME", text, "The same, as astroquery's TapPlus calls it", example="m87-1")
EXECUTIONDURATION: Param[int] = Param(
    "EXECUTIONDURATION", integer(0), "Seconds that the job may take; 0 for as many as possible", "int",
    unit="s", example="600",
)  # fmt: skip
DESTRUCTION: Param[datetime] = Param(
    "DESTRUCTION", moment_of, "When the job and its results are removed, UTC", xtype="timestamp",
    example="2026-01-31T10:00:00Z",
)  # fmt: skip
CONTROL = Params(ACTION, COMMAND, RUNID, JOBNAME, EXECUTIONDURATION, DESTRUCTION)
"""What steers a job and is no parameter of its work (section 2.2.3)."""


@dataclass(frozen=True, slots=True)
class ResultReference:
    """One result: its name, where it is, what it is."""

    name: str
    href: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class JobDescription:
    """A job as its document tells it.

    Attributes
    ----------
    owner
        None where nobody logged in.
    parameters, parts
        Name and value, in order; name and address, of those that are files (section 2.2.3.1.1).
    error, transient
        The message, if there is one, and whether to try again may help.
    info
        Name and value of what else there is to know (how far it is).
    """

    id: str
    phase: str
    created: datetime
    duration_s: int
    destruction: datetime
    run_id: str = ""
    owner: str | None = None
    started: datetime | None = None
    ended: datetime | None = None
    parameters: Sequence[tuple[str, str]] = ()
    parts: Sequence[tuple[str, str]] = ()
    results: Sequence[ResultReference] = ()
    error: str | None = None
    transient: bool = False
    info: Sequence[tuple[str, str]] = ()


def moment(when: datetime) -> str:
    """Return a moment as UWS writes it."""
    return when.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def job_document(job: JobDescription) -> bytes:
    """Return the document of a job (section 2.2.2.2), its elements in the order of the schema."""
    return _document("job", _VERSION, *_said(job))


def full_jobs_document(jobs: Iterable[JobDescription]) -> bytes:
    """Return a list of jobs with all that is said of each, as TAP+ has it."""
    return _document("jobs", _VERSION, *(node("uws:job", None, *_said(job)) for job in jobs))


def jobs_document(jobs: Iterable[tuple[JobDescription, str]], note: str = "") -> bytes:
    """Return the document of a list of jobs, each with its address (section 2.2.2.1).

    Parameters
    ----------
    note
        What is to be said about the list as a whole, such as that it is not complete.
    """
    said = [comment(f" {note} ")] if note else []
    return _document("jobs", _VERSION, *said, *(_reference(job, href) for job, href in jobs))


def parameters_document(job: JobDescription) -> bytes:
    """Return the document of ``/parameters`` (section 2.2.2.4)."""
    return _document("parameters", None, *_parameters(job))


def results_document(job: JobDescription) -> bytes:
    """Return the document of ``/results`` (section 2.2.2.3)."""
    return _document("results", None, *_results(job))


def _said(job: JobDescription) -> tuple[Element | None, ...]:
    return (
        node("uws:jobId", None, job.id),
        node("uws:runId", None, job.run_id) if job.run_id else None,
        _nillable("ownerId", job.owner),
        node("uws:phase", None, job.phase),
        _nillable("quote", None),  # nobody can tell how long a query will take
        node("uws:creationTime", None, moment(job.created)),
        _nillable("startTime", moment(job.started) if job.started else None),
        _nillable("endTime", moment(job.ended) if job.ended else None),
        node("uws:executionDuration", None, str(job.duration_s)),
        _nillable("destruction", moment(job.destruction)),
        node("uws:parameters", None, *_parameters(job)),
        node("uws:results", None, *_results(job)),
        _error(job),
        node("uws:jobInfo", None, *(node(name, None, value) for name, value in job.info))
        if job.info
        else None,
    )


def _reference(job: JobDescription, href: str) -> Element:
    return node(
        "uws:jobref",
        {"id": job.id, "xlink:type": "simple", "xlink:href": href},
        node("uws:phase", None, job.phase),
        node("uws:runId", None, job.run_id) if job.run_id else None,
        _nillable("ownerId", job.owner),
        node("uws:creationTime", None, moment(job.created)),
    )


def _parameters(job: JobDescription) -> Iterator[Element]:
    yield from (node("uws:parameter", {"id": name}, value) for name, value in job.parameters)
    yield from (node("uws:parameter", {"id": name, "byReference": "true"}, href) for name, href in job.parts)


def _results(job: JobDescription) -> Iterator[Element]:
    for result in job.results:
        attributes = {
            "id": result.name,
            "xlink:type": "simple",
            "xlink:href": result.href,
            "size": str(result.size),
            "mime-type": result.media_type,
        }
        yield node("uws:result", attributes)


def _error(job: JobDescription) -> Element | None:
    if job.error is None:
        return None
    attributes = {"type": "transient" if job.transient else "fatal", "hasDetail": "true"}
    return node("uws:errorSummary", attributes, node("uws:message", None, job.error))


def _nillable(tag: str, value: str | None) -> Element:
    return node(f"uws:{tag}", {"xsi:nil": "true"} if value is None else None, value)


def _document(tag: str, version: str | None, *children: Element | None) -> bytes:
    prefixes: dict[str | None, str] = {p: NAMESPACES[p] for p in ("uws", "xlink", "xsi")}
    attributes = {"version": version, "xsi:schemaLocation": f"{NAMESPACES['uws']} {NAMESPACES['uws']}"}
    return document(node(f"uws:{tag}", attributes, *children, prefixes=prefixes))
