"""``/ssa``: spectra by position, band, time, target and calibration (SSA 1.1)."""

import math
from datetime import UTC, datetime

from starlette.responses import Response

from awe.core.science.obscore import OBSCORE_SCHEMA
from awe.core.sky import Circle, Region
from awe.core.tables import TableStream
from awe.core.tables.formats import FORMATS, VOTableOptions
from awe.core.vo import dali, ssa, ssa_answer, vosi
from awe.core.vo.auth import SECURITY
from awe.core.vo.links import with_links
from awe.core.vo.params import Values
from awe.services.observations import Collection, Criteria
from awe.web.http import Call, TableResponse, absolute_links
from awe.web.vo._origin import origin_of
from awe.web.vo._vosi import Capabilities, capabilities

__all__ = ["query", "ssa_capabilities"]

_TYPE = "text/xml;content=x-votable"
_INFOS = (("SERVICE_PROTOCOL", ssa.VERSION, "SSAP"),)
_SPECTRA = ("spectrum",)
_LEVELS = {
    "absolute": ("absolute", "calibrated"),
    "relative": ("absolute", "calibrated", "relative"),
    "normalized": ("normalized",),
}
"""What a calibration asked for means: at least that one (sections 4.1.2.10 and 4.1.2.11)."""


def query(call: Call) -> Response:
    """Return a record for each spectrum that is found and each format in which it can be had."""
    values = ssa.PARAMS.parse(call.pairs)
    limits = call.platform.settings.limits
    publisher = call.platform.settings.archive.title
    words = values.get(ssa.FORMAT) or ()
    if tuple(word.lower() for word in words) == ("metadata",):
        return _metadata(publisher)
    centre = values.get(ssa.POS)
    size = values.get(ssa.SIZE)
    radius = (ssa.DEFAULT_SIZE if size is None else size) / 2
    asked = ssa_answer.wanted(words)
    collections = call.platform.observations.collections(call.identity)
    criteria = _criteria(values, centre, radius, collections)
    maxrec, top = values.get(dali.MAXREC), values.get(ssa.TOP)
    most = limits.default_rows if maxrec is None else min(maxrec, limits.rows)
    found = TableStream(OBSCORE_SCHEMA, ())
    if criteria is not None and asked.forms:
        found = call.platform.observations.find(
            criteria, max_rows=most + 1, nearest_to=centre, identity=call.identity
        )
    records = ssa_answer.answer(found, asked, centre=centre, radius=radius, sources=_sources(collections))
    options = VOTableOptions(
        infos=(*_INFOS, *origin_of(call, ssa.STANDARD_ID, "services/images")),
        params=ssa_answer.params(publisher),
        groups=ssa_answer.groups(),
        ids=ssa_answer.ids(),
    )
    stream = absolute_links(records, call.base_url)
    options = with_links(call.base_url, stream.schema, options, cut=False)
    stream = stream.limit(most) if top is None or top > most else _best(stream, top)
    return TableResponse(stream, FORMATS["votable"], options, media_type=_TYPE)


def _best(stream: TableStream, rows: int) -> TableStream:
    """Return the first rows; that there are more is what TOP asked for, and no overflow."""
    first = stream.limit(rows)
    return TableStream(first.schema, first, first.close)


def ssa_capabilities(call: Call) -> Capabilities:
    """Say where the spectra are and how they can be asked for: ``/ssa/capabilities``."""
    limits = call.platform.settings.limits
    sources = tuple(
        sorted(set(_sources(call.platform.observations.collections(call.identity)).values()))
    ) or ("pointed",)
    own = vosi.Capability(
        ssa.STANDARD_ID,
        f"{call.base_url}/ssa?",
        version=ssa.VERSION,
        params=ssa.PARAMS,
        result_type=_TYPE,
        kind="ssap:SimpleSpectralAccess",
        details=ssa.details(sources=sources, default_rows=limits.default_rows, rows=limits.rows),
        base=True,
        security=SECURITY,
    )
    return capabilities(call, "ssa", own)


def _metadata(publisher: str) -> Response:
    records = ssa_answer.answer(
        TableStream(OBSCORE_SCHEMA, ()), ssa_answer.wanted(()), centre=None, radius=0.0, sources={}
    )
    options = VOTableOptions(
        infos=_INFOS, head_params=tuple(ssa_answer.metadata_params(ssa.PARAMS, publisher))
    )
    return TableResponse(records, FORMATS["votable"], options, media_type=_TYPE)


def _criteria(
    values: Values, centre: tuple[float, float] | None, radius: float, collections: list[Collection]
) -> Criteria | None:
    """Return what is asked for; None where no spectrum can satisfy it."""
    named = _collections(values.get(ssa.COLLECTION), collections)
    if named == () or values.get(ssa.VARAMPL) is not None:
        return None
    region: tuple[Region, ...] = () if centre is None else (Circle(*centre, min(radius, 180.0)),)
    changed = values.get(ssa.MTIME)
    return Criteria(
        regions=region,
        band=values.get(ssa.BAND) or (),
        time=values.get(ssa.TIME) or (),
        resolution=_at_most(values.get(ssa.SPATRES), 3600.0),
        resolving_power=_at_least(values.get(ssa.SPECRP)),
        time_resolution=_at_most(values.get(ssa.TIMERES), 1.0),
        snr=_at_least(values.get(ssa.SNR)),
        redshift=values.all(ssa.REDSHIFT),
        names=values.get(ssa.TARGETNAME) or (),
        classes=values.get(ssa.TARGETCLASS) or (),
        calibrations=_LEVELS.get(values.get(ssa.FLUXCALIB) or "any", ()),
        spectral_calibrations=_LEVELS.get(values.get(ssa.WAVECALIB) or "any", ()),
        ids=values.all(ssa.PUBDID),
        creator_ids=values.all(ssa.CREATORDID),
        collections=named or (),
        modified=() if changed is None else ((_moment(changed[0], "0000"), _moment(changed[1], "9999")),),
        dataproduct_types=_SPECTRA,
    )


def _collections(asked: str | None, known: list[Collection]) -> tuple[str, ...] | None:
    """Return the collections whose name holds a text, case ignored (section 4.1.2.14); None for all."""
    if asked is None:
        return None
    wanted = asked.lower().rpartition("/")[2]
    return tuple(one.name for one in known if wanted in one.name.lower())


def _sources(collections: list[Collection]) -> dict[str, str]:
    """Return the data source of each collection: its publisher's word, else what is simulated is artificial."""
    return {
        one.name: one.about.get("data_source") or ("artificial" if one.about.get("simulated") else "pointed")
        for one in collections
    }


def _at_least(value: float | None) -> tuple[tuple[float, float], ...]:
    return () if value is None else ((value, math.inf),)


def _at_most(value: float | None, factor: float) -> tuple[tuple[float, float], ...]:
    return () if value is None else ((-math.inf, value * factor),)


def _moment(moment: datetime | None, otherwise: str) -> str:
    return otherwise if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
