"""``/sia/<collection>``: images of one collection as the Data Lab's notebooks look for them; ``/svc/cutout``, ``/scs``.

It is SIA 1.0 with the columns that those notebooks choose by, and its links are cutouts of what was asked for.
"""

from collections.abc import Callable
from functools import partial
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.compute as pc
from starlette.responses import Response, StreamingResponse

from awe.core.science.cutout import Cutout, Wanted
from awe.core.tables import Column, TableStream
from awe.core.tables.formats import VOTableOptions
from awe.core.vo import dali, scs, sia1
from awe.errors import NotFoundError, ParameterError
from awe.services.identity import Identity
from awe.services.observations import IMAGES, Criteria
from awe.web.compat.datalab.service import ROOT
from awe.web.http import Call, FairResponse, TableResponse, absolute_links, chosen_format

__all__ = ["cone", "cut", "cutout", "find"]

_LINKS = ("URL", "access_url")
_STACK, _CALIBRATED = 3, 2
_FITS = "application/fits"
_TEXT, _DOUBLE = pa.string(), pa.float64()


def _process(rows: pa.RecordBatch) -> pa.Array:
    level = rows.column("calib_level")
    lower = pc.if_else(pc.greater_equal(level, _CALIBRATED), "InstCal", "Raw")
    return pc.if_else(pc.greater_equal(level, _STACK), "Stack", lower)


_MORE: tuple[tuple[Column, Callable[[pa.RecordBatch], pa.Array]], ...] = (
    (Column("prodtype", _TEXT, description="Kind of the data"), lambda rows: rows.column("dataproduct_type")),
    (Column("proctype", _TEXT, description="Stack, InstCal or Raw, by the calibration level"), _process),
    (Column("obs_bandpass", _TEXT, description="Filter"), lambda rows: rows.column("Spectral_Elt")),
    (
        Column("exptime", _DOUBLE, unit="s", description="Exposure time"),
        lambda rows: rows.column("t_exptime"),
    ),
    (
        Column("date_obs", _TEXT, description="Start of the observation, UTC"),
        lambda rows: rows.column("StartTime"),
    ),
    (
        Column("mjd_obs", _DOUBLE, unit="d", description="Start of the observation, MJD, UTC"),
        lambda rows: rows.column("t_min"),
    ),
    (
        Column("fwhm", _DOUBLE, unit="arcsec", description="Spatial resolution"),
        lambda rows: rows.column("s_resolution"),
    ),
    (
        Column("seeing", _DOUBLE, unit="arcsec", description="Spatial resolution"),
        lambda rows: rows.column("s_resolution"),
    ),
    (
        Column("assoc_id", _TEXT, description="The observation that it belongs to"),
        lambda rows: rows.column("obs_id"),
    ),
)


def find(call: Call) -> Response:
    """Return the images of a collection that meet POS and SIZE."""
    values = sia1.PARAMS.parse(call.pairs)
    form, media_type = chosen_format(values.get(dali.RESPONSEFORMAT))
    position, size = values.need(sia1.POS), values.get(sia1.SIZE) or (0.0, 0.0)
    collection = _collection(call, call.path("collection"), call.identity)
    criteria = Criteria(
        regions=(sia1.region(position, size),), collections=(collection,), dataproduct_types=IMAGES
    )
    found = call.platform.observations.find(
        criteria, max_rows=values.get(dali.MAXREC), identity=call.identity
    )
    answer = sia1.answer(absolute_links(found, call.base_url))
    if min(size) > 0.0:
        answer = _with_cutouts(answer, f"{call.base_url}{ROOT}/svc/cutout", collection, position, size)
    return TableResponse(_with_more(answer), form, media_type=media_type)


def cutout(call: Call) -> Response:
    """Return a piece of an image, around POS and as large as SIZE, as FITS."""
    return FairResponse(call.subject, partial(_made, call))


def _made(call: Call) -> Response:
    piece = cut(call, call.pairs, call.identity)
    said = {
        "Content-Disposition": f'attachment; filename="{piece.filename}"',
        "Content-Length": str(piece.size),
    }
    return StreamingResponse(piece.write(), media_type=_FITS, headers=said)


def cut(call: Call, pairs: tuple[tuple[str, str], ...], identity: Identity) -> Cutout:
    """Cut the piece out that the parameters of a cutout's link say."""
    values = sia1.PARAMS.parse(pairs)
    said = {name.lower(): value for name, value in pairs}
    name = said.get("siaref", "")
    if not name:
        raise ParameterError("siaRef", "", "is needed")
    if said.get("col"):
        _collection(call, said["col"], identity)
    wanted = sia1.region(values.need(sia1.POS), values.need(sia1.SIZE))
    piece = call.platform.observations.cutout(name, Wanted(wanted), identity)
    if piece is None:
        raise NotFoundError(f"{name} has no pixel there")
    return piece


def cone(call: Call) -> Response:
    """Return the rows of a table around a position (Simple Cone Search 1.03, with ``radius`` for ``SR``)."""
    pairs = [("SR" if name.lower() == "radius" else name, value) for name, value in call.pairs]
    values = scs.PARAMS.parse(pairs)
    name = f"{call.path('schema')}.{call.path('table')}"
    position = values.need(scs.RA), values.need(scs.DEC)
    form, media_type = chosen_format(values.get(dali.RESPONSEFORMAT))
    found = call.platform.catalogs.cone(name, *position, values.need(scs.SR), identity=call.identity)
    record = call.platform.catalogs.table(name, call.identity)
    ucds = scs.ucds(identifier=record.id_column, ra=record.ra or "", dec=record.dec or "")
    return TableResponse(
        absolute_links(found, call.base_url), form, VOTableOptions(ucds=ucds), media_type=media_type
    )


def _collection(call: Call, name: str, identity: Identity) -> str:
    """Return the name of a collection as it is spelt."""
    known = {one.name.casefold(): one.name for one in call.platform.observations.collections(identity)}
    if name.casefold() not in known:
        raise NotFoundError(
            f"there is no collection {name}", hint=f"there are {', '.join(known.values()) or 'none'}"
        )
    return known[name.casefold()]


def _with_cutouts(
    rows: TableStream, address: str, collection: str, position: tuple[float, float], size: tuple[float, float]
) -> TableStream:
    around = {"POS": "{!r},{!r}".format(*position), "SIZE": "{!r},{!r}".format(*size)}
    places = [rows.schema.names.index(name) for name in _LINKS]

    def change(batch: pa.RecordBatch) -> pa.RecordBatch:
        links = [
            f"{address}?{urlencode({'col': collection, 'siaRef': name, **around}, safe=',')}"
            for name in batch.column("obs_publisher_did").to_pylist()
        ]
        for place in places:
            batch = batch.set_column(place, batch.schema.field(place), pa.array(links, pa.string()))
        return batch

    return rows.map(rows.schema, change)


def _with_more(rows: TableStream) -> TableStream:
    schema = rows.schema.with_columns((*rows.schema.columns, *(column for column, _ in _MORE)))
    arrow = schema.to_arrow()

    def change(batch: pa.RecordBatch) -> pa.RecordBatch:
        more = [make(batch).cast(column.type) for column, make in _MORE]
        return pa.RecordBatch.from_arrays([*batch.columns, *more], schema=arrow)

    return rows.map(schema, change)
