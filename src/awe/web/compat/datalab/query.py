"""``/query``: the Data Lab's ``queryClient.query``, at once or as a job, and where its rows go.

``sql`` is PostgreSQL with Q3C, ``adql`` is ADQL. The client gives up after the seconds that it says in a header, so a
query at once ends before, and says why.
"""

from typing import NamedTuple

from starlette.responses import PlainTextResponse, Response

from awe.core.tables.formats import Format
from awe.errors import AweError, NotFoundError, ParameterError
from awe.services.catalogs import QUERY, QueryOrder
from awe.services.identity import RUN, WRITE
from awe.services.jobs import Job
from awe.services.space import NodePath
from awe.web.compat.datalab._answers import ARROW, AS_A_WHOLE, format_asked, format_named, whole
from awe.web.compat.datalab._asked import flag, given, known, profile_asked, willing
from awe.web.compat.datalab._into import LOCAL, FileFormat, saved, written
from awe.web.compat.datalab._places import own
from awe.web.http import Call, TableResponse, absolute_links

__all__ = ["query"]

_DIALECTS = {"sql": "postgres", "adql": "adql"}
_TIMEOUT = "x-dl-timeoutrequest"
_SPARE_S = 1.0
"""Seconds that an error needs to reach the client before it gives up."""


def query(call: Call) -> Response:
    """Run a query: its rows, or the number of its job."""
    profile = profile_asked(call)
    text, dialect = _text(call)
    if profile:
        dialect = "adql"  # the language that every TAP service knows, whichever parameter it came in
    form: Format = format_asked(given(call, "ofmt"))
    table, path = _target(call, given(call, "out"))
    if flag(call, "async"):
        return PlainTextResponse(_submit(call, text, dialect, _Destination(table, path), profile).id)
    if path is not None:
        form = FileFormat(form, call.platform.space, path, known(call, WRITE))
    if profile:
        return _elsewhere(call, profile, text, form, table)
    if table:
        return _saved(call, text, dialect, table)
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


class _Destination(NamedTuple):
    """Where rows go: into a table, into a file of the caller's, or back to the client."""

    table: str = ""
    path: NodePath | None = None


def _target(call: Call, out: str) -> _Destination:
    """Return where the rows go.

    Raises
    ------
    NotFoundError
        If that is no place for rows.
    ConflictError
        If there is a file already.
    """
    scheme, colon, name = out.partition("://")
    if not colon or out.startswith(LOCAL):
        return _Destination()
    if scheme == "mydb":
        if not name:
            raise ParameterError("out", out, "names no table", hint="out='mydb://table'")
        return _Destination(f"mydb.{name}")
    if scheme not in {"vos", call.identity.name}:
        raise NotFoundError(
            f"{scheme}:// is no place for results here",
            hint="name a local file, vos://file or mydb://table",
        )
    identity = known(call, WRITE)
    path = own(call, out, identity)
    with call.platform.space.write(
        path, identity, replace=False
    ):  # said before the query runs, not behind it
        return _Destination("", path)


def _saved(call: Call, text: str, dialect: str, table: str) -> Response:
    results = call.platform.batches.run(
        text,
        dialect=dialect,
        identity=known(call, WRITE),
        seconds=_sync_seconds(call),
        into=table,
        replace=flag(call, "drop"),
        address=call.base_url,
    )
    return saved(results)


def _elsewhere(call: Call, profile: str, text: str, form: Format, table: str) -> Response:
    """Let another archive answer, in the format that was asked for or into a table."""
    results = call.platform.external.run(
        profile,
        text,
        identity=known(call, WRITE) if table else call.identity,
        seconds=_sync_seconds(call),
        into=table or None,
        replace=flag(call, "drop"),
    )
    return saved(results) if table else written(results, form)


def _submit(call: Call, text: str, dialect: str, to: _Destination, profile: str) -> Job:
    """Put a query into the queue; its rows are kept exactly, and leave in the format that was asked for."""
    identity = willing(call, RUN)
    if to.table:
        known(call, WRITE)
    order = QueryOrder(
        text=text,
        dialect=dialect,
        max_rows=None if to.table else call.platform.settings.limits.rows,
        into=to.table or None,
        replace=flag(call, "drop"),
        format=ARROW.name,
        media_type=ARROW.media_types[0],
        base_url=call.base_url,
        profile=profile,
        file="/".join(to.path.parts) if to.path else "",
        file_format=format_named(given(call, "ofmt")),
    )
    said = (
        ("QUERY", text),
        ("LANG", dialect),
        ("OFMT", given(call, "ofmt") or "csv"),
        ("OUT", given(call, "out")),
        ("PROFILE", profile),
    )
    jobs = call.platform.jobs
    job = jobs.create(QUERY, identity, parameters=[pair for pair in said if pair[1]])
    try:
        if (seconds := _asked_seconds(call)) > job.duration_s:
            jobs.change(job.id, identity, duration_s=seconds)
        return jobs.run(job.id, identity, order.to_json())
    except AweError:
        jobs.delete(job.id, identity)
        raise


def _asked_seconds(call: Call) -> int:
    """Return after how many seconds the client gives up; 0 where it says nothing."""
    said = call.request.headers.get(_TIMEOUT, "").strip()
    return int(said) if said.isdecimal() and len(said) < 10 else 0


def _sync_seconds(call: Call) -> float | None:
    asked = _asked_seconds(call)
    return max(asked - _SPARE_S, asked / 2) if asked else None
