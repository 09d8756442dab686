"""Simple Spectral Access 1.1 (REC 2012-02-10, with its errata): its parameters and what it says of itself.

The answer is made in `awe.core.vo.ssa_answer`. Parameters that the standard lets a service ignore are parsed all
the same, so that a wrong value is told and not passed over.
"""

import re
from datetime import datetime

from awe.core.science.filters import FILTERS, REGIMES, band_named
from awe.core.sky import FRAMES, parse_position, to_icrs
from awe.core.suggestions import did_you_mean
from awe.core.vo import dali
from awe.core.vo._xml import Element, node
from awe.core.vo.params import Param, Params, choice, integer, number, real, text
from awe.core.vo.ranges import date_range, moment_interval, number_interval, range_list

__all__ = [
    "APERTURE", "BAND", "COLLECTION", "CREATORDID", "DEFAULT_SIZE", "FLUXCALIB", "FORMAT", "MTIME", "PARAMS",
    "POS", "PUBDID", "REDSHIFT", "REQUEST", "SIZE", "SNR", "SPATRES", "SPECRP", "STANDARD_ID", "TARGETCLASS",
    "TARGETNAME", "TIME", "TIMERES", "TOP", "VARAMPL", "VERSION", "WAVECALIB", "details",
]  # fmt: skip

STANDARD_ID = "ivo://ivoa.net/std/SSA"
VERSION = "1.1"
DEFAULT_SIZE = 1.0 / 60.0
"""Diameter of the region (degrees) where SIZE is not given: the separation at which a spectrum may be of an object."""

Interval = tuple[float, float]
_VERSIONS = re.compile(r"1(\.[01](\d)?)?")


def _request(given: str) -> str:
    if given.casefold() != "querydata":
        raise ValueError("is not an operation of this service, which has queryData alone")
    return "queryData"


def _version(given: str) -> str:
    if not _VERSIONS.fullmatch(given):
        raise ValueError(f"is not a version of this service, which has {VERSION} and 1.0")
    return given


def _position(given: str) -> tuple[float, float]:
    parts = range_list(given)
    if any("/" in element for element in parts.elements):
        raise ValueError("is a range of positions, which this service does not take: give a centre, and SIZE")
    if len(parts.elements) != 2:
        raise ValueError("is not two numbers with a comma between them")
    frame = (parts.qualifier or "ICRS").upper()
    longitude, latitude = (number(element) for element in parts.elements)
    return parse_position("{!r} {!r}".format(*to_icrs(longitude, latitude, frame)))


def _bands(given: str) -> tuple[Interval, ...]:
    parts = range_list(given)
    if parts.qualifier not in {"", "source", "observer"}:
        raise ValueError(f"has the qualifier {parts.qualifier!r}; known are source and observer")
    return tuple(_band(element) for element in parts.elements)


def _band(element: str) -> Interval:
    if re.search(r"[A-Za-z]", re.sub(r"\d[eE][+-]?\d", "", element)):
        found = band_named(element)
        if found is None:
            names = sorted({*REGIMES, *(name for _, name in FILTERS)})
            near = (
                did_you_mean(element, names, most=1)
                or "known are radio, infrared, optical, uv, x-ray and filters such as V, g, F606W"
            )
            raise ValueError(f"has {element!r}, which is not the name of a band ({near})")
        return found.low, found.high
    low, high = number_interval(element)
    if high <= 0:
        raise ValueError("is no wavelength: wavelengths are positive, in metres")
    return low, high


def _times(given: str) -> tuple[Interval, ...]:
    parts = range_list(given)
    if parts.qualifier not in {"", "utc"}:
        raise ValueError(f"has the qualifier {parts.qualifier!r}; times are UTC")
    return tuple(moment_interval(element) for element in parts.elements)


def _moments(given: str) -> tuple[datetime | None, datetime | None]:
    return date_range(_single(given))


def _range(given: str) -> Interval:
    return number_interval(_single(given))


def _single(given: str) -> str:
    elements = range_list(given).elements
    if len(elements) != 1:
        raise ValueError("takes one value or one range")
    return elements[0]


def _words(given: str) -> tuple[str, ...]:
    return range_list(given).elements


def _flag(given: str) -> bool:
    found = {"true": True, "1": True, "false": False, "0": False}.get(given.lower())
    if found is None:
        raise ValueError("is neither true nor false")
    return found


def _format(given: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in given.split(",") if word.strip())


REQUEST: Param[str] = Param("REQUEST", _request, "The operation", values=("queryData",), example="queryData")
VERSION_PARAM: Param[str] = Param("VERSION", _version, "Version of the protocol", example=VERSION)
POS: Param[tuple[float, float]] = Param(
    "POS", _position, "Centre of the region: longitude and latitude with a comma between, in ICRS or the frame "
    f"behind a semicolon ({', '.join(FRAMES)})", unit="deg", ucd="pos.eq", example="187.7059,12.3911",
)  # fmt: skip
SIZE: Param[float] = Param(
    "SIZE",
    real(0.0, 360.0),
    "Diameter of the region",
    "double",
    unit="deg",
    ucd="phys.angSize",
    example="0.05",
)
BAND: Param[tuple[Interval, ...]] = Param(
    "BAND", _bands, "Wavelengths in vacuum that the spectrum covers in part: a value, a range with a slash, a "
    "list, or the name of a band", unit="m", ucd="em.wl", example="4E-7/7E-7",
)  # fmt: skip
TIME: Param[tuple[Interval, ...]] = Param(
    "TIME", _times, "Dates of the observation, ISO 8601, UTC: one, a range with a slash, or a list",
    ucd="time.epoch", example="2000/2010-06",
)  # fmt: skip
FORMAT: Param[tuple[str, ...]] = Param(
    "FORMAT", _format, "Formats of the spectra: media types, or all, compliant, native, graphic, votable, fits, "
    "xml; metadata asks for a description of the service", ucd="meta.code.mime", example="votable",
)  # fmt: skip
APERTURE: Param[float] = Param(
    "APERTURE", real(0.0, 360.0), "Diameter of a synthetic aperture; no spectra are extracted here, so that it has no effect",
    "double", unit="deg", ucd="phys.angSize;instr.fov", example="0.00028",
)  # fmt: skip
SPECRP: Param[float] = Param(
    "SPECRP", real(0.0), "Lowest resolving power", "double", ucd="spect.resolution", example="1000"
)
SPATRES: Param[float] = Param(
    "SPATRES", real(0.0), "Coarsest spatial resolution", "double", unit="deg", ucd="pos.angResolution",
    example="0.0003",
)  # fmt: skip
TIMERES: Param[float] = Param(
    "TIMERES",
    real(0.0),
    "Coarsest time resolution",
    "double",
    unit="s",
    ucd="time.resolution",
    example="3600",
)
SNR: Param[float] = Param(
    "SNR", real(), "Lowest signal-to-noise ratio", "double", ucd="stat.snr", example="5"
)
REDSHIFT: Param[Interval] = Param(
    "REDSHIFT", _range, "Redshift of the target, a range with a slash", ucd="src.redshift", example="0.1/0.3"
)
VARAMPL: Param[Interval] = Param(
    "VARAMPL", _range, "Amplitude of the target's variability; it is known of no spectrum here, so that none is found",
    ucd="src.var.amplitude", example="0.5/",
)  # fmt: skip
TARGETNAME: Param[tuple[str, ...]] = Param(
    "TARGETNAME", _words, "Names of targets, case ignored", ucd="meta.id;src", example="M87"
)
TARGETCLASS: Param[tuple[str, ...]] = Param(
    "TARGETCLASS", _words, "Classes of targets, case ignored", ucd="src.class", example="galaxy,QSO"
)
FLUXCALIB: Param[str] = Param(
    "FLUXCALIB", choice("absolute", "relative", "normalized", "any"), "Calibration of the flux, at least",
    values=("absolute", "relative", "normalized", "any"), example="absolute",
)  # fmt: skip
WAVECALIB: Param[str] = Param(
    "WAVECALIB", choice("absolute", "relative", "any"), "Calibration of the spectral axis, at least",
    values=("absolute", "relative", "any"), example="absolute",
)  # fmt: skip
PUBDID: Param[str] = Param(
    "PUBDID",
    text,
    "Dataset identifier of the publisher",
    ucd="meta.ref.ivoid",
    example="ivo://example.awe/sdss?spec",
)
CREATORDID: Param[str] = Param(
    "CREATORDID", text, "Dataset identifier of the creator", ucd="meta.id", example="ivo://sdss/dr5/spec#1"
)
COLLECTION: Param[str] = Param(
    "COLLECTION", text, "Part of a collection's name, case ignored", ucd="meta.id", example="sdss"
)
TOP: Param[int] = Param("TOP", integer(0), "Records at the most, the best ones", "int", example="20")
MTIME: Param[tuple[datetime | None, datetime | None]] = Param(
    "MTIME", _moments, "Dates between which the file was changed, ISO 8601, UTC", ucd="time", example="2020/"
)
COMPRESS: Param[bool] = Param(
    "COMPRESS", _flag, "Whether files may come compressed; they come as they are", "boolean", example="true"
)
RUNID: Param[str] = Param(
    "RUNID", text, "A name for the caller's work; it stands in the log", example="run-1"
)

PARAMS = Params(
    REQUEST, VERSION_PARAM, POS, SIZE, BAND, TIME, FORMAT, APERTURE, SPECRP, SPATRES, TIMERES, SNR, REDSHIFT,
    VARAMPL, TARGETNAME, TARGETCLASS, FLUXCALIB, WAVECALIB, PUBDID, CREATORDID, COLLECTION, TOP, dali.MAXREC,
    MTIME, COMPRESS, RUNID,
)  # fmt: skip


def details(*, sources: tuple[str, ...], default_rows: int, rows: int) -> list[Element]:
    """Return the elements of an ``ssap:SimpleSpectralAccess`` capability (SimpleDALRegExt 1.2 section 3.3).

    Parameters
    ----------
    sources
        Where the spectra come from: survey, pointed, custom, theory, artificial.
    default_rows, rows
        Records of an answer when the request names no MAXREC, and at the most.
    """
    test = node("testQuery", None, node("queryDataCmd", None, "REQUEST=queryData&POS=0,0&SIZE=1&MAXREC=1"))
    return [
        node("complianceLevel", None, "full"),
        *(node("dataSource", None, source) for source in sources),
        node("creationType", None, "archival"),
        *(node("supportedFrame", None, frame) for frame in FRAMES),
        node("maxSearchRadius", None, "180"),
        node("maxRecords", None, str(rows)),
        node("defaultMaxRecords", None, str(default_rows)),
        test,
    ]
