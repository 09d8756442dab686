"""``/sia2``: images and cubes by position, band, time and provenance (SIA 2.0)."""

from starlette.responses import Response

from awe.core.tables.formats import VOTableOptions
from awe.core.vo import dali, sia2
from awe.core.vo.links import with_links
from awe.services.observations import IMAGES, Criteria
from awe.web.http import Call, TableResponse, absolute_links, chosen_format
from awe.web.vo._origin import origin_of
from awe.web.vo._vosi import Capabilities, capabilities, protocol

__all__ = ["query", "sia2_capabilities"]


def query(call: Call) -> Response:
    """Return the datasets that satisfy every parameter: ``/sia2/query``, also at ``/sia2``."""
    values = sia2.PARAMS.parse(call.pairs)
    form, media_type = chosen_format(values.get(dali.RESPONSEFORMAT), call.accept)
    criteria = Criteria(
        regions=values.all(sia2.POS),
        band=values.all(sia2.BAND),
        time=values.all(sia2.TIME),
        pol=values.all(sia2.POL),
        fov=values.all(sia2.FOV),
        resolution=values.all(sia2.SPATRES),
        resolving_power=values.all(sia2.SPECRP),
        exposure=values.all(sia2.EXPTIME),
        time_resolution=values.all(sia2.TIMERES),
        ids=values.all(sia2.ID),
        collections=values.all(sia2.COLLECTION),
        facilities=values.all(sia2.FACILITY),
        instruments=values.all(sia2.INSTRUMENT),
        dataproduct_types=values.all(sia2.DPTYPE) or IMAGES,
        calib_levels=values.all(sia2.CALIB),
        targets=values.all(sia2.TARGET),
        formats=dali.with_synonyms(values.all(sia2.FORMAT)),
    )
    found = call.platform.observations.find(
        criteria, max_rows=values.get(dali.MAXREC), identity=call.identity
    )
    names = [one.name for one in call.platform.observations.collections(call.identity)]
    itself = sia2.self_description(f"{call.base_url}/sia2/query", names)
    options = VOTableOptions(resources=(itself,), infos=origin_of(call, sia2.STANDARD_ID, "services/images"))
    options = with_links(call.base_url, found.schema, options)
    return TableResponse(absolute_links(found, call.base_url), form, options, media_type=media_type)


def sia2_capabilities(call: Call) -> Capabilities:
    """Say where the search is: ``/sia2/capabilities``."""
    # without its parameters: pyvo 1.9 reads this document at every connection and warns of each of them
    own = protocol(call, "sia2/query", sia2.STANDARD_ID, "2.0", None)
    return capabilities(call, "sia2", own)
