"""Simple Image Access 2.0 (REC 2015-12-23): images by position, band, time and provenance.

Values of one parameter are alternatives, different parameters must all hold (section 2.1). The answer is
a table of ObsCore columns.
"""

from collections.abc import Iterable

from awe.core.science.obscore import POLARISATIONS
from awe.core.sky import Region, parse_dali
from awe.core.vo import dali
from awe.core.vo._descriptor import Input, descriptor
from awe.core.vo._xml import Element
from awe.core.vo.params import Param, Params, choice, integer, text

__all__ = [
    "BAND", "CALIB", "COLLECTION", "DPTYPE", "EXPTIME", "FACILITY", "FORMAT", "FOV", "ID", "INSTRUMENT",
    "PARAMS", "POL", "POS", "SPATRES", "SPECRP", "STANDARD_ID", "TARGET", "TIME", "TIMERES",
    "self_description",
]  # fmt: skip

STANDARD_ID = "ivo://ivoa.net/std/SIA#query-2.0"
Interval = tuple[float, float]


def _interval(name: str, description: str, unit: str, ucd: str, example: str) -> Param[Interval]:
    return Param(
        name, dali.number_interval, description, "double", "2", unit=unit, ucd=ucd, xtype="interval",
        repeated=True, example=example,
    )  # fmt: skip


def _text(name: str, description: str, ucd: str, example: str) -> Param[str]:
    return Param(name, text, description, ucd=ucd, repeated=True, example=example)


POS: Param[Region] = Param(
    "POS", parse_dali, "Region that the image overlaps: CIRCLE ra dec radius, RANGE ra1 ra2 dec1 dec2, "
    "or POLYGON ra1 dec1 ra2 dec2 ra3 dec3 ...; ICRS", unit="deg", ucd="pos.outline;obs", repeated=True,
    example="CIRCLE 187.7059 12.3911 0.05",
)  # fmt: skip
BAND = _interval("BAND", "Wavelengths, vacuum", "m", "em.wl;stat.interval", "5e-7 9e-7")
TIME = _interval(
    "TIME", "Times of the observation, MJD, UTC", "d", "time.interval;obs.exposure", "52000 53000"
)
POL: Param[str] = Param(
    "POL", choice(*POLARISATIONS), "Polarisation state", ucd="meta.code;phys.polarization", repeated=True,
    values=POLARISATIONS, example="I",
)  # fmt: skip
FOV = _interval("FOV", "Size of the field of view", "deg", "phys.angSize;instr.fov", "0.01 1")
SPATRES = _interval("SPATRES", "Spatial resolution", "arcsec", "pos.angResolution", "0 0.2")
SPECRP = _interval("SPECRP", "Spectral resolving power", "", "spect.resolution", "5 100")
EXPTIME = _interval("EXPTIME", "Exposure time", "s", "time.duration;obs.exposure", "100 +Inf")
TIMERES = _interval("TIMERES", "Temporal resolution", "s", "time.resolution", "0 60")
ID = _text("ID", "Dataset identifier (obs_publisher_did)", "meta.ref.ivoid", "ivo://example.awe/hla?name")
COLLECTION = _text("COLLECTION", "Name of the collection", "meta.id", "hla")
FACILITY = _text("FACILITY", "Telescope", "meta.id;instr.tel", "HST")
INSTRUMENT = _text("INSTRUMENT", "Instrument", "meta.id;instr", "ACS/WFC")
DPTYPE: Param[str] = Param(
    "DPTYPE", choice("image", "cube"), "Kind of data product", ucd="meta.code.class", repeated=True,
    values=("image", "cube"), example="image",
)  # fmt: skip
CALIB: Param[int] = Param(
    "CALIB", integer(0, 4), "Calibration level", "int", ucd="meta.code;obs.calib", repeated=True,
    values=("0", "1", "2", "3", "4"), example="2",
)  # fmt: skip
TARGET = _text("TARGET", "Name of the target", "meta.id;src", "M87")
FORMAT = _text("FORMAT", "Media type of the files", "meta.code.mime", "image/fits")

PARAMS = Params(
    POS, BAND, TIME, POL, FOV, SPATRES, SPECRP, EXPTIME, TIMERES, ID, COLLECTION, FACILITY, INSTRUMENT,
    DPTYPE, CALIB, TARGET, FORMAT, dali.MAXREC, dali.RESPONSEFORMAT,
)  # fmt: skip


def self_description(access_url: str, collections: Iterable[str]) -> Element:
    """Return the descriptor of the service in its own answers (section 3.1.2).

    Parameters
    ----------
    access_url
        Of the service.
    collections
        The collections that can be asked for.
    """
    options = {COLLECTION.name: tuple(collections)}
    inputs = [Input(param, options=options.get(param.name, param.values)) for param in PARAMS]
    return descriptor(
        "images", access_url, STANDARD_ID, inputs, content_type="application/x-votable+xml", of_itself=True,
        description="Find images and cubes by position, band, time and provenance",
    )  # fmt: skip
