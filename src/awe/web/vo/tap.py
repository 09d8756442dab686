"""``/tap``: queries, answered at once or as jobs, and what the service says of itself (TAP 1.1)."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from starlette.responses import Response

from awe.core.sql import FUNCTIONS, Function
from awe.core.tables.formats import FORMATS, VOTableOptions
from awe.core.vo import dali, tap, tapplus, vosi
from awe.core.vo.auth import SECURITY
from awe.core.vo.links import with_links
from awe.errors import ParameterError, UsageError
from awe.services.catalogs import MYDB, QUERY, QueryOrder, TableRecord, as_written, example_query
from awe.web.http import Call, TableResponse, absolute_links, chosen_format, dali_error
from awe.web.vo._origin import origin_of
from awe.web.vo._vosi import XML, Capabilities, capabilities
from awe.web.vo.uws import JobFace
from awe.web.vo.youcat import offered

__all__ = ["JOBS", "described", "examples", "sync", "table", "tables", "tap_capabilities"]

_DATA_MODELS = {"ObsCore-1.1": ("ivoa.obscore", "ivo://ivoa.net/std/ObsCore#core-1.1")}


def sync(call: Call) -> Response:
    """Run a query: ``/tap/sync``."""
    order = _order(call, call.pairs, call.accept)
    if tapplus.crossmatch_of(order.text):
        raise UsageError("a cross-match makes a table", hint="run it as a job: launch_job_async, /tap/async")
    with tempfile.TemporaryDirectory(prefix="awe-upload-") as folder:
        stream = call.platform.catalogs.query(
            order.text,
            dialect=order.dialect,
            identity=call.identity,
            max_rows=order.max_rows,
            uploads=call.platform.catalogs.receive(order.uploads, order.sent(call.parts), Path(folder)),
            address=order.base_url,
        )
    links = absolute_links(stream, order.base_url)
    options = with_links(call.base_url, stream.schema, VOTableOptions(infos=order.infos))
    return TableResponse(
        links, FORMATS[order.format], options, media_type=order.media_type, gzip=order.packed
    )


def _order(call: Call, pairs: Sequence[tuple[str, str]], accept: str = "") -> QueryOrder:
    """Return what the parameters of a query ask for."""
    values = tap.PARAMS.parse(pairs)
    named = values.get(dali.RESPONSEFORMAT) or values.get(dali.FORMAT)
    plain, packed = tapplus.as_named(named, tapplus=call.tapplus) if named else (None, False)
    form, media_type = chosen_format(plain, "" if call.tapplus else accept)
    text = values.need(tap.QUERY)
    uploads = tuple(chain.from_iterable(values.all(dali.UPLOAD)))
    asked = {place for _, place in uploads}
    read = call.platform.catalogs.reads(text, dialect=values.get(tap.LANG) or "adql", identity=call.identity)
    return QueryOrder(
        text=text,
        dialect=values.get(tap.LANG) or "adql",
        max_rows=values.get(dali.MAXREC),
        format=form.name,
        media_type=media_type,
        base_url=call.base_url,
        infos=(("QUERY", text, ""), *origin_of(call, tap.STANDARD_ID, "services/tap", read)),
        uploads=uploads,
        packed=packed,
        # a part without a file name is a field to a form's reader, and a table all the same
        texts=tuple((name, value) for name, value in pairs if f"param:{name}" in asked),
    )


def _job_order(call: Call, pairs: Sequence[tuple[str, str]]) -> Mapping[str, object]:
    """Return what a job is to do: a query, or the cross-match of TAP+, which makes a table."""
    order = _order(call, pairs)
    match = tapplus.crossmatch_of(order.text)
    if match is not None:
        one, other = (_matched(call, name) for name in (match.one, match.other))
        order = replace(order, text=match.to_adql(one, other), dialect="adql", into=f"{MYDB}.{match.result}")
    return order.to_json()


def _matched(call: Call, full_name: str) -> tapplus.MatchedTable:
    record = call.platform.catalogs.table(full_name, call.identity)
    number = record.columns.find(f"{record.name}_oid")
    key = number.name if number else record.id_column
    if record.ra is None or record.dec is None or key is None:
        hint = "say so with flags Ra, Dec and PK, as update_user_table does"
        reason = "a cross-match needs its position, in degrees, and a column that identifies its rows"
        raise ParameterError("QUERY", record.full_name, reason, hint=hint)
    return tapplus.MatchedTable(record.schema, record.name, record.ra, record.dec, key)


JOBS = JobFace("tap/async", QUERY, _job_order, dali_error)
"""``/tap/async``: queries that take their time (section 2.1)."""


def tap_capabilities(call: Call) -> Capabilities:
    """Say what the query service can do: ``/tap/capabilities``, also at ``/tap``, which people look at."""
    limits, jobs = call.platform.settings.limits, call.platform.settings.jobs
    published = {record.full_name for record in call.platform.catalogs.tables(call.identity)}
    models = {name: ivoid for name, (table, ivoid) in _DATA_MODELS.items() if table in published}
    details = tap.details(
        _features(),
        [tap.OutputFormat(media, (name,)) for name, media in _formats()],
        default_rows=limits.default_rows,
        rows=limits.rows,
        seconds=(jobs.default_seconds, jobs.seconds),
        days=(jobs.default_days, jobs.days),
        data_models=models,
        upload_methods=("inline", "http", "https") if call.platform.settings.uploads.http else ("inline",),
        upload_bytes=limits.upload_bytes,
    )
    place = f"{call.base_url}/tap"
    own = vosi.Capability(
        tap.STANDARD_ID,
        place,
        version="1.1",
        kind="tr:TableAccess",
        details=details,
        base=True,
        security=SECURITY,
    )
    tables_ = vosi.Capability(vosi.TABLES, f"{place}/tables", version="1.1", security=SECURITY)
    examples_ = vosi.Capability(vosi.EXAMPLES, f"{place}/examples", security=SECURITY)
    return capabilities(call, "tap", own, tables_, examples_, *offered(call))


def tables(call: Call) -> Response:
    """Return all tables: ``/tap/tables``; ``detail=min`` leaves the columns out."""
    values = vosi.TABLES_PARAMS.parse(call.pairs)
    only = values.get(vosi.ONLY)
    name = call.platform.catalogs.table(only, call.identity).full_name if only else ""
    columns = values.get(vosi.DETAIL) != "min" and values.get(vosi.ONLY_TABLES) != "true"
    said = described(call, name)
    if call.tapplus and not only and values.get(vosi.SHARED) != "true":
        shared = {record.full_name for record in call.platform.tables.tables(call.identity, shared=True)}
        said = said.only({str(row["table_name"]) for row in said.tables} - shared)
    if not columns and not call.tapplus:
        said, columns = said.with_columns_of(_closed(call)), True
    document = vosi.tables_document(said, columns=columns, flagged=call.tapplus)
    return Response(document, media_type=XML)


def _closed(call: Call) -> frozenset[str]:
    """Return the tables that not everybody may read: pyvo (1.9) asks for the columns of one without its login."""
    seen = {record.full_name for record in call.platform.catalogs.tables(call.identity)}
    if call.identity.is_nobody:
        return frozenset()
    return frozenset(seen - {record.full_name for record in call.platform.catalogs.tables()})


def table(call: Call) -> Response:
    """Return one table: ``/tap/tables/<schema>.<table>``."""
    vosi.TABLES_PARAMS.parse(call.pairs)
    record = call.platform.catalogs.table(call.path("table"), call.identity)
    return Response(vosi.table_document(described(call, record.full_name)), media_type=XML)


def examples(call: Call) -> Response:
    """Return queries to begin with, one a table: ``/tap/examples`` (DALI 1.1 section 2.3)."""
    records = call.platform.catalogs.tables(call.identity)
    listed = [_example(record) for record in records] or [
        tap.Example("tables", "What is published", "SELECT * FROM TAP_SCHEMA.tables", "TAP_SCHEMA.tables")
    ]
    return Response(tap.examples_document(listed), media_type="application/xhtml+xml")


def described(call: Call, name: str = "") -> vosi.Described:
    """Read TAP_SCHEMA: everything, or what it says of one table."""
    where = f" WHERE t.table_name = '{name}'" if name else ""
    published = call.platform.catalogs.tables(call.identity)
    return vosi.Described(
        schemas=_rows(call, "SELECT * FROM TAP_SCHEMA.schemas"),
        tables=_rows(call, f"SELECT * FROM TAP_SCHEMA.tables AS t{where}"),
        columns=_rows(
            call, f"SELECT * FROM TAP_SCHEMA.columns AS t{where} ORDER BY table_name, column_index"
        ),
        keys=_keys(call),
        rows={record.full_name: record.rows for record in published},
        titles={record.full_name: record.title for record in published},
        bytes={record.full_name: record.bytes for record in published},
        roles={
            (record.full_name, as_written(column.name)): role
            for record in published
            for column in record.columns
            if (role := tapplus.column_role(column, record.ra, record.dec, record.id_column))
        },
    )


def _keys(call: Call) -> list[vosi.Row]:
    """Return the foreign keys, a row for each pair of columns, the pairs in the order of TAP_SCHEMA."""
    keys = {str(row["key_id"]): row for row in _rows(call, "SELECT * FROM TAP_SCHEMA.keys")}
    pairs = _rows(call, "SELECT * FROM TAP_SCHEMA.key_columns")
    return [{**keys[str(pair["key_id"])], **pair} for pair in pairs]


def _rows(call: Call, query: str) -> list[vosi.Row]:
    rows: list[vosi.Row] = (
        call.platform.catalogs.query(
            query,
            identity=call.identity,
            max_rows=call.platform.settings.limits.rows,
            asked=False,
        )
        .to_table()
        .to_pylist()
    )
    return rows


def _example(record: TableRecord) -> tap.Example:
    place = " around a position" if record.ra else ""
    title = f"Rows of {record.full_name}{place}"
    return tap.Example(f"{record.schema}-{record.name}", title, example_query(record), record.full_name)


def _formats() -> Iterator[tuple[str, str]]:
    first = FORMATS["votable"]
    rest = [form for form in dict.fromkeys(FORMATS.values()) if form is not first]
    return ((form.name, form.media_types[0]) for form in (first, *rest))


def _features() -> Iterator[tap.LanguageFeature]:
    for function in FUNCTIONS.values():
        for name in function.names.get("adql", ()):
            kind = _kind(function, name)
            if kind == "udf":
                yield tap.LanguageFeature(kind, f"{name.lower()}{function.signature}", function.doc)
            elif kind:
                yield tap.LanguageFeature(kind, name, function.doc)
    for kind, form in tap.SYNTAX:
        yield tap.LanguageFeature(kind, form)


def _kind(function: Function, name: str) -> str:
    if function.kind == "geometry":
        return "adqlgeo"
    return "udf" if function.signature else tap.OPTIONAL_FUNCTIONS.get(name, "")
