"""``/scs/<schema>.<table>``: the rows of a table around a position (Simple Cone Search 1.03)."""

from dataclasses import replace

from starlette.responses import Response

from awe.core.tables.formats import VOTableOptions
from awe.core.vo import dali, scs
from awe.core.vo.links import with_links
from awe.errors import NotFoundError
from awe.services.catalogs import TableRecord, as_written
from awe.web.http import Call, TableResponse, absolute_links, chosen_format
from awe.web.vo._origin import origin_of
from awe.web.vo._vosi import Capabilities, capabilities, protocol

__all__ = ["cone", "cone_capabilities", "scs_capabilities"]

_DEFAULT_VERBOSITY = 2


def cone(call: Call) -> Response:
    """Return the rows within a radius; a radius of 0 asks for the columns only (section 2.1)."""
    record = call.platform.catalogs.table(call.path("table"), call.identity)
    if record.ra is None or record.dec is None:
        raise NotFoundError(f"{record.full_name} has no positions", hint="query it at /tap")
    values = scs.PARAMS.parse(call.pairs)
    form, media_type = chosen_format(values.get(dali.RESPONSEFORMAT))
    radius_deg = values.need(scs.SR)
    stream = call.platform.catalogs.cone(
        record,
        values.need(scs.RA),
        values.need(scs.DEC),
        radius_deg,
        verbosity=values.get(scs.VERB) or _DEFAULT_VERBOSITY,
        identity=call.identity,
        max_rows=0 if radius_deg == 0.0 else values.get(dali.MAXREC),
    )
    ucds = scs.ucds(identifier=record.id_column, ra=record.ra, dec=record.dec)
    links = absolute_links(stream, call.base_url)
    service = f"tables/{record.schema}/{record.name}"
    infos = origin_of(call, scs.STANDARD_ID, service, (record,))
    options = with_links(call.base_url, links.schema, VOTableOptions(ucds=ucds, infos=infos))
    return TableResponse(links, form, options, media_type=media_type)


def scs_capabilities(call: Call) -> Capabilities:
    """Say where a table's cone search is: ``/scs/<schema>.<table>/capabilities``."""
    return cone_capabilities(call, call.path("table"))


def cone_capabilities(call: Call, full_name: str) -> Capabilities:
    """Say where the cone search of a table is, and what it takes (SimpleDALRegExt 1.2 section 3.1)."""
    record = call.platform.catalogs.table(full_name, call.identity)
    path = f"scs/{record.full_name}"
    own = protocol(call, path, scs.STANDARD_ID, "1.03", scs.PARAMS)
    details = scs.details(max_rows=call.platform.settings.limits.rows, test=_somewhere(call, record))
    return capabilities(call, path, replace(own, kind="cs:ConeSearch", details=details))


def _somewhere(call: Call, record: TableRecord) -> tuple[float, float] | None:
    """Return a position of the table, for those who try whether the service works."""
    if record.ra is None or record.dec is None:
        raise NotFoundError(f"{record.full_name} has no positions", hint="query it at /tap")
    ra, dec = as_written(record.ra), as_written(record.dec)
    query = f"SELECT TOP 1 {ra} AS ra, {dec} AS de FROM {record.full_name} WHERE {ra} IS NOT NULL AND {dec} IS NOT NULL"
    stream = call.platform.catalogs.query(query, identity=call.identity, max_rows=1, asked=False)
    rows = stream.to_table().to_pylist()
    return (float(rows[0]["ra"]) % 360.0, float(rows[0]["de"])) if rows else None
