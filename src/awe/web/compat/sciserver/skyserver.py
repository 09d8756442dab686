"""``/<release>/SkyServerWS/SearchTools``: SkyServer's searches, each of which is one query of a data release.

The release in the address is a schema with SDSS's tables; an address without one means the only one that there is.
"""

from collections.abc import Sequence

from starlette.responses import JSONResponse, Response

from awe.core.sky import to_icrs
from awe.core.tables.formats import FORMATS
from awe.core.vo.params import Values
from awe.errors import NotFoundError, NotOfferedError, ParameterError
from awe.services.catalogs import TableRecord, as_written
from awe.web.compat.sciserver import _params as p
from awe.web.compat.sciserver._address import pairs_of
from awe.web.compat.sciserver._batch import BatchAnswer, as_table, run_batch
from awe.web.compat.sciserver._explore import explored
from awe.web.compat.sciserver._release import APOGEE, PHOTO, Release, place_of, release_of
from awe.web.compat.sciserver._tables import skyserver_format
from awe.web.http import Call, TableResponse, absolute_links

__all__ = ["cone", "not_offered", "object_search", "radial", "rectangular", "sql_search"]

_DEFAULT_ROWS = 10
_OPTICAL = (
    "objid", "run", "rerun", "camcol", "field", "obj", "type", "ra", "dec",
    "u", "g", "r", "i", "z", "Err_u", "Err_g", "Err_r", "Err_i", "Err_z",
)  # fmt: skip
_INFRARED = (
    "apstar_id", "apogee_id", "aspcap_id", "ra", "dec", "glon", "glat", "j", "h", "k", "j_err", "h_err", "k_err",
    "vhelio_avg", "vscatter", "snr", "nvisits",
)  # fmt: skip
_OTHERS = (
    "SqlSearch, RadialSearch, RectangularSearch, ObjectSearch, ConeSearch and getjpeg are; images are at /sia"
)


def sql_search(call: Call) -> Response:
    """Run one SELECT in T-SQL: ``/SearchTools/SqlSearch``."""
    values = p.SQL.parse(pairs_of(call, _KNOWN))
    text = values.need(p.CMD)
    if not text.lstrip(" \t\r\n(").casefold().startswith(("select", "with", "--", "/*")):
        raise ParameterError(
            "cmd", text[:80], "is not a query", hint="it begins with SELECT; CasJobs runs the rest"
        )
    release = release_of(call)
    if (values.get(p.FORMAT) or "").casefold() == "mydb":
        results = run_batch(call, text, release.name, into=values.need(p.TABLE_NAME))
        return BatchAnswer(results, as_table(FORMATS["csv"]), "text/csv; charset=utf-8", call.base_url)
    form, media_type = skyserver_format(values.get(p.FORMAT) or "csv")
    stream = call.platform.catalogs.query(
        text,
        dialect="tsql",
        context=release.name,
        identity=call.identity,
        max_rows=call.platform.settings.limits.rows,
    )
    return TableResponse(absolute_links(stream, call.base_url), form, media_type=media_type)


def radial(call: Call) -> Response:
    """Return the objects around a position, the nearest first: ``/SearchTools/RadialSearch``."""
    values = p.RADIAL.parse(pairs_of(call, _KNOWN))
    release = release_of(call)
    centre = values.need(p.RA), values.need(p.DEC)
    ra, dec = to_icrs(*centre, "GALACTIC") if _galactic(values) else (centre[0] % 360.0, centre[1])
    radius_deg = (1.0 if (given := values.get(p.RADIUS)) is None else given) / 60.0
    record, columns = _photometry(values, release)
    point = _point(record)
    where = f"1 = CONTAINS({point}, CIRCLE({ra!r}, {dec!r}, {radius_deg!r}))"
    order = f"DISTANCE({point}, POINT({ra!r}, {dec!r}))"
    return _found(call, values, record, columns, where, order)


def rectangular(call: Call) -> Response:
    """Return the objects in a box of coordinates: ``/SearchTools/RectangularSearch``."""
    values = p.RECTANGULAR.parse(pairs_of(call, _KNOWN))
    release = release_of(call)
    record, columns = _photometry(values, release)
    east, north = _coordinates(record, galactic=_galactic(values))
    west, south = values.need(p.MIN_RA) % 360.0, values.need(p.MIN_DEC)
    end, top = values.need(p.MAX_RA), values.need(p.MAX_DEC)
    end = end if end == 360.0 else end % 360.0
    within = f"({east} >= {west!r} {'AND' if west <= end else 'OR'} {east} <= {end!r})"
    where = f"{within} AND {north} BETWEEN {south!r} AND {top!r}"
    return _found(call, values, record, columns, where, f"{north}, {east}")


def object_search(call: Call) -> Response:
    """Return what is known of one object, in several tables: ``/SearchTools/ObjectSearch``."""
    values = p.OBJECT_SEARCH.parse(pairs_of(call, _KNOWN))
    if (values.get(p.FORMAT) or "json").casefold() != "json":
        raise ParameterError(
            "format", values.need(p.FORMAT), "is not offered", hint="an object is told in json"
        )
    return JSONResponse(explored(call, release_of(call), values))


def cone(call: Call) -> Response:
    """Return the objects around a position as a VOTable: ``/ConeSearch/ConeSearchService``."""
    values = p.CONE.parse(call.pairs)
    record = release_of(call).table(PHOTO)
    ra, dec = values.need(p.RA) % 360.0, values.need(p.DEC)
    where = f"1 = CONTAINS({_point(record)}, CIRCLE({ra!r}, {dec!r}, {values.need(p.SR)!r}))"
    return _found(call, values, record, record.columns.names, where, "", default="votable")


def not_offered(call: Call) -> Response:
    """Say that a service of SkyServer is not here."""
    raise NotOfferedError(f"SkyServer's {call.path('service')} is not offered", hint=_OTHERS)


def _found(
    call: Call,
    values: Values,
    record: TableRecord,
    columns: Sequence[str],
    where: str,
    order: str,
    *,
    default: str = "csv",
) -> Response:
    form, media_type = skyserver_format(values.get(p.FORMAT) or default)
    most = call.platform.settings.limits.rows
    asked = _DEFAULT_ROWS if (given := values.get(p.LIMIT)) is None else given
    rows = min(asked or most, most) if default == "csv" else most
    chosen = ", ".join(map(as_written, columns))
    text = f"SELECT {chosen} FROM {place_of(record)} WHERE {where}{f' ORDER BY {order}' if order else ''}"
    stream = call.platform.catalogs.query(text, identity=call.identity, max_rows=rows)
    return TableResponse(absolute_links(stream, call.base_url), form, media_type=media_type)


def _photometry(values: Values, release: Release) -> tuple[TableRecord, tuple[str, ...]]:
    """Return the table that is searched, and those of the customary columns that it has, as it spells them."""
    infrared = values.get(p.PHOTOMETRY) == "infrared"
    record = release.table(APOGEE if infrared else PHOTO)
    known = {name.casefold(): name for name in record.columns.names}
    wanted = _INFRARED if infrared else _OPTICAL
    found = tuple(known[name.casefold()] for name in wanted if name.casefold() in known)
    if not found:
        raise NotFoundError(f"{record.full_name} has none of the columns that this search answers")
    return record, found


def _galactic(values: Values) -> bool:
    return values.get(p.COORD_TYPE) == "galactic"


def _coordinates(record: TableRecord, *, galactic: bool) -> tuple[str, str]:
    """Return the two coordinates of a table's objects as ADQL."""
    if not galactic:
        return as_written(record.ra or "ra"), as_written(record.dec or "dec")
    turned = f"IVO_GEOM_TRANSFORM('ICRS', 'GALACTIC', {_point(record)})"
    return f"COORD1({turned})", f"COORD2({turned})"


def _point(record: TableRecord) -> str:
    return f"POINT({as_written(record.ra or 'ra')}, {as_written(record.dec or 'dec')})"


_KNOWN = frozenset(
    param.name.casefold() for params in (p.SQL, p.RADIAL, p.RECTANGULAR, p.OBJECT_SEARCH) for param in params
) | {"taskname", "searchtool", "query"}
