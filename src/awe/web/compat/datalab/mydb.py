"""The caller's own tables, as the Data Lab's ``mydb_*`` functions have them.

Most of these requests change something and are GETs; `known` sees to it that no page can make a browser send them. The
client takes ``error`` and ``not`` in an answer for a failure, so they are in no other one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from starlette.responses import PlainTextResponse, Response

from awe.errors import AweError, ConflictError, NotFoundError, ParameterError
from awe.services.catalogs import TableRecord
from awe.services.identity import READ, WRITE, Identity
from awe.web.compat.datalab._asked import flag, given, known, need, profile_asked
from awe.web.compat.datalab._types import columns_said, type_word
from awe.web.http import Call

__all__ = [
    "copy",
    "create",
    "delete",
    "done",
    "familiar",
    "flush",
    "index",
    "list_tables",
    "new_table",
    "rename",
    "truncate",
]

_WHEN = "%Y-%m-%d %H:%M:%S UTC"


def list_tables(call: Call) -> Response:
    """List the caller's tables, or the columns of one; with ``index``, which columns the positions are."""
    identity = known(call, READ)
    profile_asked(call)
    name = given(call, "table").removeprefix("mydb://")
    if not name:
        lines = [f"{one.name},created:{_when(one)}" for one in call.platform.tables.tables(identity)]
    else:
        record = _table(call, name, identity)
        placed = {record.ra, record.dec} if flag(call, "index") else set()
        lines = [
            f"{one.name},{type_word(one.type)},{'q3c' if one.name in placed else ''}"
            for one in record.columns
        ]
    return PlainTextResponse("".join(f"{line}\n" for line in lines))


def create(call: Call) -> Response:
    """Make an empty table of the columns in ``schema``."""
    identity = _writer(call)
    if not given(call, "schema"):
        raise ParameterError("schema", "", "is needed: lines NAME,TYPE, as a text, a file or an OrderedDict")
    exists: Literal["replace", "error"] = "replace" if flag(call, "drop", unset=True) else "error"
    with new_table():
        call.platform.tables.create(
            need(call, "table"), columns_said(given(call, "schema")), identity, exists=exists
        )
    return done()


def delete(call: Call) -> Response:
    """Drop a table."""
    return _changed(call, lambda identity: call.platform.tables.drop(need(call, "table"), identity))


def truncate(call: Call) -> Response:
    """Remove all rows of a table."""
    return _changed(call, lambda identity: call.platform.tables.truncate(need(call, "table"), identity))


def rename(call: Call) -> Response:
    """Give a table another name."""
    names = need(call, "source"), need(call, "target")
    return _changed(call, lambda identity: call.platform.tables.rename(*names, identity))


def copy(call: Call) -> Response:
    """Copy a table that the caller may read, also a published one, into the caller's own."""
    names = need(call, "source"), need(call, "target")
    return _changed(call, lambda identity: call.platform.tables.copy(*names, identity))


def index(call: Call) -> Response:
    """Bring a table into the order of its positions (``q3c``); other columns are quick without an index."""
    identity = _writer(call)
    name, column, places = need(call, "tbl"), given(call, "col"), given(call, "q3c")
    record = _table(call, name, identity)
    if places:
        ra, comma, dec = places.partition(",")
        if not comma:
            raise ParameterError(
                "q3c", places, "is two columns with a comma between them", hint="q3c='ra,dec'"
            )
        call.platform.tables.index(name, identity, ra.strip(), dec.strip())
    elif not column:
        raise ParameterError("col", "", "is needed: a column, or q3c='ra,dec'")
    elif column not in record.columns:
        raise NotFoundError(f"{record.name} has no column {column}")
    return done()


def flush(call: Call) -> Response:
    """Do nothing: what was written is there for everybody at once."""
    _writer(call)
    return done()


def done() -> Response:
    """Return the answer of what was done."""
    return PlainTextResponse("OK")


@contextmanager
def new_table() -> Iterator[None]:
    """Say of a name that is taken what the client's users know."""
    try:
        yield
    except ConflictError as error:
        raise familiar(error) from None


def familiar(error: AweError) -> AweError:
    """Return an error as Data Lab words it: that of a name that is taken."""
    if "already an object" not in error.message:
        return error
    return ConflictError(
        "Table name already exists. It can be dropped with queryClient.mydb_drop() or add drop=True to your "
        "current request"
    )


def _writer(call: Call) -> Identity:
    profile_asked(call)
    return known(call, WRITE)


def _changed(call: Call, change: Callable[[Identity], object]) -> Response:
    identity = _writer(call)
    with new_table():
        change(identity)
    return done()


def _table(call: Call, name: str, identity: Identity) -> TableRecord:
    try:
        return call.platform.tables.table(name, identity)
    except NotFoundError as error:
        raise NotFoundError(f'relation "{name}" is not known', hint=error.hint) from None


def _when(record: TableRecord) -> str:
    return record.created.strftime(_WHEN) if record.created else ""
