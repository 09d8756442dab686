"""``/sia``: images around a position, in the words of SIA 1.0; ``/sia2`` is the newer protocol."""

import math
from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
from starlette.responses import Response

from awe.core.sky import Region, parse_stcs
from awe.core.tables import TableStream
from awe.core.tables.formats import VOTableOptions
from awe.core.vo import dali, sia1
from awe.core.vo.links import with_links
from awe.services.observations import IMAGES, Criteria
from awe.web.http import Call, TableResponse, absolute_links, chosen_format
from awe.web.vo._origin import origin_of
from awe.web.vo._vosi import Capabilities, capabilities, protocol

__all__ = ["query", "sia_capabilities"]


def query(call: Call) -> Response:
    """Return the images that meet POS and SIZE as INTERSECT says."""
    values = sia1.PARAMS.parse(call.pairs)
    form, media_type = chosen_format(values.get(dali.RESPONSEFORMAT))
    formats = values.get(sia1.FORMAT) or ()
    if tuple(word.upper() for word in formats) == ("METADATA",):
        empty = sia1.answer(call.platform.observations.find(Criteria(), max_rows=0, identity=call.identity))
        return TableResponse(empty, form, VOTableOptions(params=tuple(sia1.metadata_params())))
    wanted = sia1.region(values.need(sia1.POS), values.get(sia1.SIZE) or (0.0, 0.0))
    criteria = Criteria(
        regions=(wanted,),
        dataproduct_types=IMAGES,
        formats=dali.with_synonyms(sia1.media_types(formats) or ()),
    )
    rows = values.get(dali.MAXREC)
    how = values.get(sia1.INTERSECT) or "OVERLAPS"
    found = call.platform.observations.find(
        criteria, max_rows=rows if how == "OVERLAPS" else None, identity=call.identity
    )
    if how != "OVERLAPS":
        found = found.map(found.schema, _meeting(how, wanted, found))
        found = found if rows is None else found.limit(rows)
    answer = sia1.answer(absolute_links(found, call.base_url))
    infos = origin_of(call, sia1.STANDARD_ID, "services/images")
    options = with_links(call.base_url, answer.schema, VOTableOptions(infos=infos))
    return TableResponse(answer, form, options, media_type=media_type)


def sia_capabilities(call: Call) -> Capabilities:
    """Say where the image search is: ``/sia/capabilities``."""
    own = replace(
        protocol(call, "sia", sia1.STANDARD_ID, "1.0", sia1.PARAMS),
        kind="sia:SimpleImageAccess",
        details=sia1.details(max_rows=call.platform.settings.limits.rows, test=_somewhere(call)),
    )
    return capabilities(call, "sia", own)


def _somewhere(call: Call) -> tuple[float, float] | None:
    """Return a position that an image covers, if there is one."""
    with call.platform.observations.find(
        Criteria(dataproduct_types=IMAGES), max_rows=1, identity=call.identity
    ) as found:
        rows = found.to_table().select(["s_ra", "s_dec"]).to_pylist()
    return (rows[0]["s_ra"], rows[0]["s_dec"]) if rows and rows[0]["s_ra"] is not None else None


def _meeting(how: str, wanted: Region, found: TableStream) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    names = found.schema.names
    ra, dec, outline = (names.index(name) for name in ("s_ra", "s_dec", "s_region"))

    def change(batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = (batch.column(index).to_pylist() for index in (ra, dec, outline))
        kept = [
            sia1.matches(how, wanted, parse_stcs(region) if region else None, _number(a), _number(d))
            for a, d, region in zip(*columns, strict=True)
        ]
        return batch.filter(pa.array(kept, pa.bool_()))

    return change


def _number(value: float | None) -> float:
    return math.nan if value is None else value
