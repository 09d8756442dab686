"""Tables of one's own on the query service, as CADC's YouCat has them and pyvo knows it.

``PUT /tap/tables/NAME`` makes a table of a description, ``POST /tap/load/NAME`` adds rows, a job of
``/tap/table-update`` makes an index, ``DELETE /tap/tables/NAME`` drops the table, and ``/tap/permissions/NAME`` says who
may read and write it.
"""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from starlette.responses import PlainTextResponse, Response

from awe.core.tables import Schema
from awe.core.tables.formats import DelimitedFormat, format_for, votable_schema
from awe.core.vo import vosi, youcat
from awe.core.vo.auth import SECURITY
from awe.core.vo.youcat import Permissions
from awe.services.catalogs import INDEX, TABLE, IndexOrder
from awe.services.identity import EVERYBODY, READ, WRITE, Grant
from awe.web.http import Call, dali_error
from awe.web.vo.uws import JobFace

__all__ = ["INDEXING", "drop", "load", "make", "offered", "permissions", "set_permissions"]

_VODATASERVICE = frozenset({"text/xml", "application/xml"})
_GROUP = "group:"


def make(call: Call) -> Response:
    """Make a table without rows, as a VODataService table or a VOTable describes it: ``PUT /tap/tables/NAME``."""
    call.platform.tables.schema_of(call.identity)  # who has none is told that first
    made = call.platform.tables.create(call.path("table"), _described(call), call.identity)
    return PlainTextResponse(f"{made.full_name} is made\n", 201)


def _described(call: Call) -> Schema:
    name = call.path("table")
    media_type = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    table = youcat.votable_of(call.body, name) if media_type in _VODATASERVICE else call.body
    return votable_schema(table, name)


def drop(call: Call) -> Response:
    """Drop a table: ``DELETE /tap/tables/NAME``."""
    call.platform.tables.drop(call.path("table"), call.identity.finding)
    return PlainTextResponse(f"{call.path('table')} is dropped\n")


def load(call: Call) -> Response:
    """Add rows to a table, of any format that is read here: ``POST /tap/load/NAME``."""
    name, tables, caller = call.path("table"), call.platform.tables, call.identity.finding
    record = tables.table(name, caller, action=WRITE)
    form = format_for(call.request.headers.get("content-type", "") or "text/tab-separated-values")
    with tempfile.TemporaryDirectory(prefix="awe-upload-") as folder:
        file = Path(folder) / f"rows{form.extensions[0]}"
        file.write_bytes(call.body)
        # text has no types of its own: the columns have
        rows = form.read_as(file, record.columns) if isinstance(form, DelimitedFormat) else form.read(file)
        with rows:
            after = tables.write(name, rows, caller, mode="append", origin=f"load {form.name}")
    return PlainTextResponse(f"{after.full_name} has {after.rows} rows\n")


def _index(call: Call, pairs: Sequence[tuple[str, str]]) -> dict[str, object]:
    values = youcat.UPDATE_PARAMS.parse(pairs)
    table, column = values.need(youcat.TABLE), values.need(youcat.COLUMN)
    call.platform.tables.table(table, call.identity, action=WRITE)
    return IndexOrder(table, column, unique=values.get(youcat.UNIQUE) == "true").to_json()


INDEXING = JobFace("tap/table-update", INDEX, _index, dali_error)
"""``/tap/table-update``: jobs that make an index."""


def permissions(call: Call) -> Response:
    """Say who may read and write a table, to those who may share it: ``/tap/permissions/NAME``."""
    name = call.path("table")
    record = call.platform.tables.table(name, call.identity.finding)
    grants = call.platform.shares.of(call.identity, TABLE, record.full_name)
    said = Permissions(
        record.owner,
        any(grant.principal == EVERYBODY for grant in grants),
        _groups(grants, READ),
        _groups(grants, WRITE),
    )
    groups = f"ivo://{call.platform.settings.archive.authority}/gms"
    return PlainTextResponse(said.to_text(groups), headers={"Cache-Control": "no-store"})


def set_permissions(call: Call) -> Response:
    """Change who may read and write a table; what is not said stays: ``POST /tap/permissions/NAME``."""
    record = call.platform.tables.table(call.path("table"), call.identity.finding)
    wanted = Permissions.from_text(call.body.decode("utf-8", "replace").splitlines())
    if wanted.public is not None:
        _grant(call, record.full_name, READ, [EVERYBODY] * wanted.public, lambda one: one == EVERYBODY)
    for action, named in ((READ, wanted.readers), (WRITE, wanted.writers)):
        if named is not None:
            groups = [f"{_GROUP}{name}" for name in named]
            _grant(call, record.full_name, action, groups, lambda one: one.startswith(_GROUP))
    return PlainTextResponse("done\n")


def _groups(grants: Iterable[Grant], action: str) -> tuple[str, ...]:
    principals = (grant.principal for grant in grants if grant.action == action)
    return tuple(one.removeprefix(_GROUP) for one in principals if one.startswith(_GROUP))


def _grant(call: Call, table: str, action: str, wanted: Iterable[str], theirs: Callable[[str], bool]) -> None:
    """Let exactly those whom somebody names do something with a table, of those of one sort."""
    shares, left = call.platform.shares, set(wanted)
    for grant in shares.of(call.identity, TABLE, table):
        if grant.action == action and theirs(grant.principal):
            if grant.principal in left:
                left.remove(grant.principal)
            else:
                shares.revoke(call.identity, grant.id)
    for principal in sorted(left):
        shares.share(call.identity, TABLE, table, principal, action=action)


def offered(call: Call) -> tuple[vosi.Capability, ...]:
    """Return the capabilities, as CADC's clients look for them."""
    places = {youcat.LOAD: "load", youcat.UPDATE: "table-update", youcat.PERMISSIONS: "permissions"}
    return tuple(
        vosi.Capability(standard, f"{call.base_url}/tap/{place}", security=SECURITY)
        for standard, place in places.items()
    )
