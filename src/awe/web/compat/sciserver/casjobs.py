"""``/CasJobs/RestApi``: quick queries in T-SQL, and what their contexts hold.

Anything but status 200 is failure to its clients (SciScript-Python, all versions), a token is optional
for public contexts, and the Accept header chooses the format.
"""

import json
import zlib
from datetime import UTC, datetime

from starlette.responses import JSONResponse, Response

from awe.core.tables.formats import FORMATS, Format
from awe.errors import AuthenticationError, ForbiddenError, NotFoundError, UsageError
from awe.services.catalogs import TableRecord
from awe.web.compat.sciserver._result import CasJobsResult
from awe.web.http import Call, TableResponse, absolute_links, chosen_format

__all__ = ["query", "tables", "user"]

_YEAR_ONE = datetime(1, 1, 1, tzinfo=UTC)
_KILO = 1024


def query(call: Call) -> Response:
    """Run a quick query: ``/contexts/<context>/query``."""
    text = _query_text(call)
    form, media_type = _format(call, text)
    stream = call.platform.catalogs.query(
        text, dialect="tsql", context=call.path("context"), identity=call.identity
    )
    return TableResponse(absolute_links(stream, call.base_url), form, media_type=media_type)


def tables(call: Call) -> Response:
    """List the tables of a context: ``/contexts/<context>/Tables``."""
    context = call.path("context")
    found = [
        record
        for record in call.platform.catalogs.tables(call.identity)
        if record.schema.casefold() == context.casefold()
    ]
    if not found:
        known = ", ".join(schema.name for schema in call.platform.catalogs.schemas(call.identity))
        raise NotFoundError(f"there is no context {context}", hint=f"there are {known}" if known else None)
    return JSONResponse([_table(record) for record in found])


def user(call: Call) -> Response:
    """Return the caller's account: ``/users/<id>``."""
    if call.identity.is_anonymous:
        raise AuthenticationError("a token is needed", hint="log in first")
    if call.path("user").casefold() != call.identity.name.casefold():
        raise ForbiddenError(f"you are {call.identity.name}, and see your own account only")
    number = zlib.crc32(call.identity.name.encode())
    return JSONResponse({"WebServicesId": number, "UserName": call.identity.name, "MyDBName": "MyDB"})


def _query_text(call: Call) -> str:
    try:
        given = json.loads(call.body or b"{}")
    except (ValueError, RecursionError):
        raise UsageError("the request's body is not JSON", hint='send {"Query": "SELECT ..."}') from None
    text = given.get("Query") if isinstance(given, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise UsageError("the request has no query", hint='send {"Query": "SELECT ..."}')
    return text


def _format(call: Call, text: str) -> tuple[Format, str]:
    wanted = call.accept.split(",")[0].split(";")[0].strip().lower()
    if wanted == "text/plain":
        return FORMATS["csv"], "text/plain; charset=utf-8"
    if wanted in {"", "*/*", "application/json", "application/json+array"}:
        form = CasJobsResult(text)
        return form, form.media_types[0]
    return chosen_format(None, call.accept)


def _table(record: TableRecord) -> dict[str, object]:
    age = (record.created or _YEAR_ONE) - _YEAR_ONE
    ticks = (age.days * 86400 + age.seconds) * 10_000_000 + age.microseconds * 10
    return {"Date": ticks, "Name": record.name, "Rows": record.rows, "Size": record.bytes // _KILO}
