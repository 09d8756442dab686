"""Server-side Operations for Data Access 1.0 (REC 2017-05-17): cutouts.

Its parameters, the words its errors begin with (section 5.2), and the service descriptors (section 4) by
which other answers tell a client what it can cut: one for all rows of a table, or one for a dataset with
the values that it covers.
"""

from collections.abc import Iterator, Mapping

from awe.core.science.obscore import POLARISATIONS
from awe.core.sky import Circle, Polygon, Region, parse_circle, parse_dali, parse_polygon, parse_stcs
from awe.core.vo import dali
from awe.core.vo._descriptor import Input
from awe.core.vo._descriptor import descriptor as _descriptor
from awe.core.vo._xml import Element
from awe.core.vo.params import Param, Params, choice, text
from awe.errors import AuthenticationError, AweError, ForbiddenError, ServiceError, UnavailableError

__all__ = [
    "ASYNC_ID", "BAND", "CIRCLE", "ID", "PARAMS", "PNG", "POL", "POLYGON", "POS", "RESPONSEFORMAT", "STANDARD_ID",
    "TIME", "Element", "dataset_descriptor", "descriptor", "error_text",
]  # fmt: skip

STANDARD_ID = "ivo://ivoa.net/std/SODA#sync-1.0"
ASYNC_ID = "ivo://ivoa.net/std/SODA#async-1.0"

PNG = "image/png"
_FORMATS = {"fits": "application/fits", "image/fits": "application/fits", "application/fits": "application/fits",
            "png": PNG, PNG: PNG}  # fmt: skip


def _format(given: str) -> str:
    return _FORMATS[choice(*_FORMATS)(given)]


ID: Param[str] = Param(
    "ID", text, "Identifier of the dataset (obs_publisher_did) or its name (obs_id)",
    ucd="meta.ref.url;meta.curation", repeated=True, example="ivo://example.awe/hla?name",
)  # fmt: skip
CIRCLE: Param[Circle] = Param(
    "CIRCLE", parse_circle, "Region to cut out: ra dec radius, ICRS", "double", "3", unit="deg",
    ucd="pos.outline;obs", xtype="circle", repeated=True, example="187.7059 12.3911 0.01",
)  # fmt: skip
POLYGON: Param[Polygon] = Param(
    "POLYGON", parse_polygon, "Region to cut out: ra1 dec1 ra2 dec2 ra3 dec3 ..., ICRS, counter-clockwise",
    "double", "*", unit="deg", ucd="pos.outline;obs", xtype="polygon", repeated=True,
    example="187.70 12.38 187.72 12.38 187.72 12.40 187.70 12.40",
)  # fmt: skip
POS: Param[Region] = Param(
    "POS", parse_dali, "Region to cut out: CIRCLE, RANGE or POLYGON with numbers, ICRS degrees",
    ucd="pos.outline;obs", repeated=True, example="CIRCLE 187.7059 12.3911 0.01",
)  # fmt: skip
BAND: Param[tuple[float, float]] = Param(
    "BAND", dali.interval, "Wavelengths to cut out, vacuum", "double", "2", unit="m",
    ucd="em.wl;stat.interval", xtype="interval", repeated=True, example="5e-7 9e-7",
)  # fmt: skip
TIME: Param[tuple[float, float]] = Param(
    "TIME", dali.interval, "Times to cut out, MJD, UTC", "double", "2", unit="d",
    ucd="time.interval;obs.exposure", xtype="interval", repeated=True, example="52658 52659",
)  # fmt: skip
POL: Param[str] = Param(
    "POL", choice(*POLARISATIONS), "Polarisation states to cut out, all of them together",
    ucd="meta.code;phys.polarization", repeated=True, values=POLARISATIONS, example="I",
)  # fmt: skip
RESPONSEFORMAT: Param[str] = Param(
    "RESPONSEFORMAT", _format, "Format of the answer; several pieces come as FITS files in a tar archive",
    values=tuple(_FORMATS), example="image/png",
)  # fmt: skip
PARAMS = Params(ID, CIRCLE, POLYGON, POS, BAND, TIME, POL, RESPONSEFORMAT)
_FILTERS = (CIRCLE, POLYGON, POS, BAND, TIME, POL)

_WORDS: tuple[tuple[type[AweError], str], ...] = (
    (AuthenticationError, "AuthenticationError"),
    (ForbiddenError, "AuthorizationError"),
    (UnavailableError, "ServiceUnavailable"),
    (ServiceError, "Error"),
    (AweError, "UsageError"),
)


def error_text(error: AweError) -> str:
    """Return the text of an error: its word and what happened."""
    word = next(word for kind, word in _WORDS if isinstance(error, kind))
    return f"{word}: {error}"


def descriptor(access_url: str, standard_id: str, did_field: str) -> Element:
    """Return the descriptor by which a client cuts any of the rows of a table (section 4.1).

    Parameters
    ----------
    access_url, standard_id
        Where, and at once (`STANDARD_ID`) or as a job (`ASYNC_ID`).
    did_field
        ``ID`` attribute of the FIELD that holds the dataset identifiers.
    """
    inputs = [Input(ID, ref=did_field), *(Input(param) for param in _FILTERS)]
    return _described(access_url, standard_id, inputs, "")


def dataset_descriptor(
    access_url: str, standard_id: str, identifier: str, row: Mapping[str, object]
) -> Element:
    """Return the descriptor for one dataset: what it covers stands beside each parameter (section 4.3).

    Parameters
    ----------
    identifier
        XML ID by which rows refer to the descriptor.
    row
        The dataset's columns of ObsCore.
    """
    inputs = [Input(ID, value=str(row["obs_publisher_did"])), *_covered(row)]
    return _described(access_url, standard_id, inputs, identifier)


def _described(access_url: str, standard_id: str, inputs: list[Input], identifier: str) -> Element:
    later = standard_id == ASYNC_ID
    return _descriptor(
        "cutout_job" if later else "cutout", access_url, standard_id, inputs, identifier=identifier,
        content_type="text/xml" if later else "application/fits",
        description="Cut pieces out of datasets, as a job" if later else "Cut a piece out of a dataset",
    )  # fmt: skip


def _covered(row: Mapping[str, object]) -> Iterator[Input]:
    """Yield the filters that mean something for a dataset, with the values that give results."""
    outline = parse_stcs(str(row["s_region"])) if row.get("s_region") else None
    if outline is not None:
        circle = outline.bounding_circle()
        yield Input(POS)
        yield Input(CIRCLE, high=f"{circle.ra!r} {circle.dec!r} {circle.radius!r}")
        yield Input(POLYGON, high=_numbers(outline) if isinstance(outline, Polygon) else "")
    for param, low, high in ((BAND, "em_min", "em_max"), (TIME, "t_min", "t_max")):
        if row.get(low) is not None and row.get(high) is not None:
            yield Input(param, low=str(row[low]), high=str(row[high]))
    states = str(row.get("pol_states") or "").strip("/")
    if states:
        yield Input(POL, options=tuple(states.split("/")))


def _numbers(polygon: Polygon) -> str:
    return polygon.to_dali().partition(" ")[2]
