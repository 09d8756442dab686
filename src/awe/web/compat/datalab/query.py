"""``/query``: the Data Lab's ``queryClient.query``, at once or as a job, and where its rows go.

``sql`` is PostgreSQL with Q3C, ``adql`` is ADQL. The client gives up after the seconds that it says in a header, so a
query at once ends before, and says why.
"""

from starlette.responses import PlainTextResponse, Response

from awe.errors import AweError, NotFoundError, ParameterError
from awe.services.catalogs import QUERY, QueryOrder
from awe.services.identity import RUN
from awe.services.jobs import Job
from awe.web.compat.datalab._answers import ARROW, AS_A_WHOLE, format_asked, whole
from awe.web.compat.datalab._asked import check_profile, flag, given
from awe.web.http import Call, TableResponse, absolute_links, caller

__all__ = ["query"]

_DIALECTS = {"sql": "postgres", "adql": "adql"}
_TIMEOUT = "x-dl-timeoutrequest"
_SPARE_S = 1.0
"""Seconds that an error needs to reach the client before it gives up."""
_LOCAL = "file://"


def query(call: Call) -> Response:
    """Run a query: its rows, or the number of its job."""
    check_profile(call)
    text, dialect = _text(call)
    form = format_asked(given(call, "ofmt"))
    _check_target(given(call, "out"))
    if flag(call, "async"):
        return PlainTextResponse(_submit(call, text, dialect).id)
    stream = call.platform.catalogs.query(
        text,
        dialect=dialect,
        identity=call.identity,
        max_rows=call.platform.settings.limits.rows,
        seconds=_sync_seconds(call),
        address=call.base_url,
    )
    return TableResponse(whole(absolute_links(stream, call.base_url)), form, AS_A_WHOLE)


def _text(call: Call) -> tuple[str, str]:
    for name, dialect in _DIALECTS.items():
        if text := given(call, name):
            return text, dialect
    raise ParameterError("sql", "", "is needed", hint="queryClient.query(sql='SELECT ...')")


def _check_target(out: str) -> None:
    scheme, colon, _ = out.partition("://")
    if colon and scheme not in {"file", "mydb"}:
        raise NotFoundError(
            f"{scheme}:// is no place for results here", hint="name a local file, or mydb://table"
        )


def _submit(call: Call, text: str, dialect: str) -> Job:
    """Put a query into the queue; its rows are kept exactly, and leave in the format that was asked for."""
    caller(call.request, call.platform.identity, RUN)
    order = QueryOrder(
        text=text,
        dialect=dialect,
        max_rows=call.platform.settings.limits.rows,
        format=ARROW.name,
        media_type=ARROW.media_types[0],
        base_url=call.base_url,
    )
    said = (
        ("QUERY", text),
        ("LANG", dialect),
        ("OFMT", given(call, "ofmt") or "csv"),
        ("OUT", given(call, "out")),
    )
    jobs = call.platform.jobs
    job = jobs.create(QUERY, call.identity, parameters=[pair for pair in said if pair[1]])
    try:
        if (seconds := _asked_seconds(call)) > job.duration_s:
            jobs.change(job.id, call.identity, duration_s=seconds)
        return jobs.run(job.id, call.identity, order.to_json())
    except AweError:
        jobs.delete(job.id, call.identity)
        raise


def _asked_seconds(call: Call) -> int:
    """Return after how many seconds the client gives up; 0 where it says nothing."""
    said = call.request.headers.get(_TIMEOUT, "").strip()
    return int(said) if said.isdecimal() and len(said) < 10 else 0


def _sync_seconds(call: Call) -> float | None:
    asked = _asked_seconds(call)
    return max(asked - _SPARE_S, asked / 2) if asked else None
