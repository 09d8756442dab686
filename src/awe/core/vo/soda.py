"""Server-side Operations for Data Access 1.0 (REC 2017-05-17): cutouts.

Its parameters, the words its errors begin with (section 4.2), and the service descriptor
(section 4.3, DataLink 1.1 section 4) that an image search puts behind its table, so that a client can
offer the cutout of every image it found.
"""

from awe.core.sky import Circle, Polygon, Region, parse_circle, parse_dali, parse_polygon
from awe.core.vo import dali
from awe.core.vo._xml import Element, node
from awe.core.vo.params import Param, Params, text
from awe.errors import AuthenticationError, AweError, ForbiddenError, ServiceError, UnavailableError

__all__ = [
    "BAND", "CIRCLE", "ID", "PARAMS", "POLYGON", "POS", "STANDARD_ID", "Element", "descriptor", "error_text",
]  # fmt: skip

STANDARD_ID = "ivo://ivoa.net/std/SODA#sync-1.0"

ID: Param[str] = Param(
    "ID", text, "Identifier of the dataset (obs_publisher_did) or its name (obs_id)",
    ucd="meta.id;meta.main", repeated=True, example="ivo://example.awe/hla?name",
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
    "POS", parse_dali, "Region to cut out: CIRCLE, RANGE or POLYGON with numbers, ICRS", unit="deg",
    ucd="pos.outline;obs", repeated=True, example="CIRCLE 187.7059 12.3911 0.01",
)  # fmt: skip
BAND: Param[tuple[float, float]] = Param(
    "BAND", dali.interval, "Wavelengths to cut out, vacuum", "double", "2", unit="m",
    ucd="em.wl;stat.interval", xtype="interval", repeated=True, example="5e-7 9e-7",
)  # fmt: skip
PARAMS = Params(
    ID, CIRCLE, POLYGON, POS, BAND,
    refused={"TIME": "the datasets are not cut in time", "POL": "the datasets are not cut in polarisation"},
)  # fmt: skip

_WORDS: tuple[tuple[type[AweError], str], ...] = (
    (AuthenticationError, "AuthenticationError"),
    (ForbiddenError, "AuthorizationError"),
    (UnavailableError, "ServiceUnavailable"),
    (ServiceError, "Error"),
    (AweError, "UsageError"),
)


def error_text(error: AweError) -> str:
    """Return the text of an error: its word and what happened.

    An error with the field ``multi_valued`` says that a parameter was given more often than is supported.
    """
    if error.fields.get("multi_valued"):
        return f"MultiValuedParamNotSupported: {error}"
    word = next(word for kind, word in _WORDS if isinstance(error, kind))
    return f"{word}: {error}"


def descriptor(access_url: str, did_field: str) -> Element:
    """Return the service descriptor RESOURCE of the cutout service.

    Parameters
    ----------
    access_url
        Of the service.
    did_field
        ``ID`` attribute of the FIELD that holds the dataset identifiers.
    """
    return node(
        "vot:RESOURCE",
        {"type": "meta", "utype": "adhoc:service", "name": "cutout"},
        _constant("accessURL", access_url),
        _constant("standardID", STANDARD_ID),
        node("vot:GROUP", {"name": "inputParams"}, *(_input(param, did_field) for param in PARAMS)),
    )


def _constant(name: str, value: str) -> Element:
    return node("vot:PARAM", {"name": name, "datatype": "char", "arraysize": "*", "value": value})


def _input(param: Param[object], did_field: str) -> Element:
    attributes = {
        "name": param.name,
        "datatype": param.datatype,
        "arraysize": param.size or None,
        "unit": param.unit or None,
        "ucd": param.ucd or None,
        "xtype": param.xtype or None,
        "ref": did_field if param is ID else None,
        "value": "",
    }
    return node("vot:PARAM", attributes, node("vot:DESCRIPTION", None, param.description))
