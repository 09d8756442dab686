"""What there is, as the Data Lab's client prints it: ``/query/schema``, ``profiles`` and ``services``."""

import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from starlette.responses import PlainTextResponse, Response

from awe.core.tables import Column
from awe.errors import NotFoundError, ParameterError
from awe.services.catalogs import TableRecord
from awe.web.compat.datalab._asked import given, profile_asked
from awe.web.compat.datalab._types import type_word
from awe.web.compat.datalab.service import ROOT
from awe.web.http import Call

__all__ = ["profiles", "schema", "services"]

_WIDE = 100
_MOST_PARTS = 3


def schema(call: Call) -> Response:
    """Describe the public schemas, a schema's tables, a table's columns, or one column.

    The client does not say who asks here; tables of one's own are told by ``mydb_list``.
    """
    profile = profile_asked(call)
    parts = [part for part in given(call, "value").split(".") if part]
    if len(parts) > _MOST_PARTS:
        raise ParameterError(
            "value", ".".join(parts), "is none of schema, schema.table and schema.table.column"
        )
    head = "".join(
        f"{' ' * depth}{word}: {part}\n"
        for depth, (word, part) in enumerate(zip(("Schema", "Table"), parts, strict=False))
    )
    if profile:
        lines = _elsewhere(call, profile, *parts)
    elif not parts:
        lines = _schemas(call)
    else:
        lines = _tables(call, *parts) if len(parts) == 1 else _columns(call, *parts)
    if given(call, "format").lower() == "json":
        return PlainTextResponse(json.dumps([dict(zip(lines[0], line, strict=True)) for line in lines[1:]]))
    return PlainTextResponse(f"\n{head}\n" + "".join(f"{line}\n" for line in _laid_out(lines)))


def profiles(call: Call) -> Response:
    """List who answers queries: this archive, and those that its operator named. One that is named is described as JSON."""
    title, here = call.platform.settings.archive.title, f"{call.base_url}/tap"
    listed = [("default", title, here)]
    listed += [(one.name, one.description, one.url) for one in call.platform.external.services()]
    if given(call, "profile"):
        wanted = profile_asked(call) or "default"
        listed = [one for one in listed if one[0] == wanted]
    said = [
        {"name": name, "description": about, "accessURL": url, "type": "tap"} for name, about, url in listed
    ]
    if given(call, "profile"):
        return PlainTextResponse(json.dumps(said[0]))
    if given(call, "format").lower() == "json":
        return PlainTextResponse(json.dumps(said))
    lines = [f"{name}  {about}".rstrip() if name != "default" else name for name, about, _ in listed]
    return PlainTextResponse("\n".join(lines))


class _Service(NamedTuple):
    """A service as it is listed."""

    name: str
    kind: str
    address: str
    about: str


def services(call: Call) -> Response:
    """List the services whose names are like a pattern of SQL, or say their addresses (``mode=resolve``)."""
    pattern, kind = given(call, "name"), given(call, "type").lower()
    like = re.compile(
        "".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in pattern or "%"), re.IGNORECASE
    )
    found = [
        service
        for service in _all_services(call)
        if like.fullmatch(service.name) and kind in {"", "all", service.kind}
    ]
    if given(call, "mode").lower() == "resolve":
        return PlainTextResponse(json.dumps({service.name: service.address for service in found}))
    head = ("Name", "Type", "Description")
    lines = [head, *((one.name, one.kind, one.about) for one in found)]
    return PlainTextResponse("".join(f"{line}\n" for line in _laid_out(lines)))


def _all_services(call: Call) -> Iterator[_Service]:
    title = call.platform.settings.archive.title
    yield _Service("tap", "tap", f"{call.base_url}/tap", f"Queries of all tables of {title}")
    for table in call.platform.catalogs.tables(call.identity):
        if table.ra is not None and table.dec is not None:
            name, about = f"{table.schema}/{table.name}", table.title or table.description
            yield _Service(name, "scs", f"{call.base_url}/scs/{table.full_name}", about)
    for collection in call.platform.observations.collections(call.identity):
        address = f"{call.base_url}{ROOT}/sia/{collection.name}"
        yield _Service(collection.name, "sia", address, collection.about.get("title", ""))
    for one in call.platform.external.services():
        yield _Service(one.name, "tap", one.url, one.description)
    yield _Service("vos", "vos", "vos://", "Files of your own")
    for collection in call.platform.observations.collections(call.identity):
        about = f"Files of {collection.about.get('title') or collection.name}"
        yield _Service(collection.name, "vos", f"{collection.name}://", about)


_Lines = Sequence[tuple[str, ...]]


def _schemas(call: Call) -> _Lines:
    found = call.platform.catalogs.schemas()
    return [("Schema Name", "Description"), *((one.name, one.title or one.description) for one in found)]


def _tables(call: Call, name: str) -> _Lines:
    found = [one for one in call.platform.catalogs.tables() if one.schema.casefold() == name.casefold()]
    if not found:
        raise NotFoundError(f"there is no schema {name}", hint="queryClient.schema('') lists them")
    return [("Table Name", "Description"), *((one.name, _about(one)) for one in found)]


def _columns(call: Call, of: str, table: str, only: str = "") -> _Lines:
    record = call.platform.catalogs.table(f"{of}.{table}")
    found = [column for column in record.columns if not only or column.name.casefold() == only.casefold()]
    if not found:
        raise NotFoundError(f"{record.full_name} has no column {only}")
    return [("Column Name", "Datatype", "Description"), *map(_described, found)]


def _elsewhere(call: Call, profile: str, schema: str = "", table: str = "", only: str = "") -> _Lines:
    """Ask another archive's TAP_SCHEMA; its names are matched as they are written."""
    external = call.platform.external
    if not schema:
        return [("Schema Name", "Description"), *external.schemas(profile)]
    if not table:
        found = external.tables_of(profile, schema)
        if not found:
            raise NotFoundError(f"{profile} has no schema {schema}")
        return [("Table Name", "Description"), *found]
    columns = external.columns_of(profile, f"{schema}.{table}") or external.columns_of(profile, table)
    columns = [one for one in columns if not only or one[0].casefold() == only.casefold()]
    if not columns:
        raise NotFoundError(
            f"{profile} has no {'column' if only else 'table'} {'.'.join(filter(None, (schema, table, only)))}"
        )
    return [("Column Name", "Datatype", "Description"), *columns]


def _described(column: Column) -> tuple[str, str, str]:
    unit = f" [{column.unit}]" if column.unit else ""
    return column.name, type_word(column.type), f"{column.description}{unit}".strip()


def _about(table: TableRecord) -> str:
    return table.title or table.description


def _laid_out(lines: _Lines) -> Iterator[str]:
    """Yield the lines in columns: names to the right, the last column wrapped behind a hanging indent."""
    *fixed, _ = zip(*lines, strict=True)
    widths = [max(map(len, column)) for column in fixed]
    for number, line in enumerate(lines):
        cells = [
            line[0].rjust(widths[0]),
            *(cell.ljust(w) for cell, w in zip(line[1:-1], widths[1:], strict=True)),
        ]
        lead = "   ".join(cells) + "   "
        rest = textwrap.wrap(" ".join(line[-1].split()), max(_WIDE - len(lead), 20)) or [""]
        yield (lead + rest[0]).rstrip()
        yield from (" " * len(lead) + more for more in rest[1:])
        if number == 0:
            yield "   ".join("-" * width for width in [*widths, len(line[-1])])
