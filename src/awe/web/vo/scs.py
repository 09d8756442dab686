"""``/scs/<schema>.<table>``: the rows of a table around a position (Simple Cone Search 1.03)."""

from starlette.responses import Response

from awe.core.tables.formats import VOTableOptions
from awe.core.vo import dali, scs
from awe.errors import NotFoundError
from awe.web.http import Call, TableResponse, absolute_links, chosen_format
from awe.web.vo._links import with_links
from awe.web.vo._vosi import capabilities, protocol

__all__ = ["cone", "scs_capabilities"]

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
        record.full_name,
        values.need(scs.RA),
        values.need(scs.DEC),
        radius_deg,
        verbosity=values.get(scs.VERB) or _DEFAULT_VERBOSITY,
        identity=call.identity,
        max_rows=0 if radius_deg == 0.0 else values.get(dali.MAXREC),
    )
    ucds = scs.ucds(identifier=record.id_column, ra=record.ra, dec=record.dec)
    links = absolute_links(stream, call.base_url)
    options = with_links(call, links.schema, VOTableOptions(ucds=ucds))
    return TableResponse(links, form, options, media_type=media_type)


def scs_capabilities(call: Call) -> Response:
    """Say where a table's cone search is: ``/scs/<schema>.<table>/capabilities``."""
    record = call.platform.catalogs.table(call.path("table"), call.identity)
    path = f"scs/{record.full_name}"
    return capabilities(call, path, protocol(call, path, scs.STANDARD_ID, "1.03", scs.PARAMS))
