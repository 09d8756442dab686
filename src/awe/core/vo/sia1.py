"""Simple Image Access 1.0 (REC 2009-11-11): images that cover a position, in the words of its time.

The answer has the columns of the Hubble Legacy Archive (``URL``, ``RA``, ``DEC``, ``Level``, ...) with
the UCD1 and ``VOX:`` words that the standard demands, then the thirty columns of ObsCore. `answer` makes
it from a stream of ObsCore rows, batch by batch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from awe.core.science.obscore import OBSCORE_COLUMNS
from awe.core.sky import Box, Circle, Polygon, Region, parse_position
from awe.core.tables import Column, Schema, TableStream
from awe.core.vo import dali
from awe.core.vo._xml import Element, node
from awe.core.vo.params import Param, Params, choice, number, text

__all__ = [
    "FORMAT", "INTERSECT", "PARAMS", "POS", "SIZE", "STANDARD_ID", "answer", "details", "matches", "media_types",
    "metadata_params", "region",
]  # fmt: skip

STANDARD_ID = "ivo://ivoa.net/std/SIA"

_GRAPHIC = ("image/png", "image/jpeg", "image/gif")
_FORMAT_WORDS = ("ALL", "GRAPHIC", "METADATA")
_SMALLEST_SIZE_DEG = 1e-9
"""Width of a search "at" a position."""


def _position(given: str) -> tuple[float, float]:
    return parse_position(given.replace(",", " ", 1))


def _size(given: str) -> tuple[float, float]:
    try:
        sizes = [number(part.strip()) for part in given.split(",")]
    except ValueError:
        raise ValueError("is not one number or two with a comma between them") from None
    if len(sizes) > 2 or not all(0.0 <= size <= 360.0 for size in sizes):
        raise ValueError("is one number or two, each between 0 and 360 degrees")
    return sizes[0], sizes[-1]


def _formats(given: str) -> tuple[str, ...]:
    words = tuple(part.strip() for part in given.split(",") if part.strip())
    for word in words:
        if "/" not in word and word.upper().partition("-")[0] not in _FORMAT_WORDS:
            raise ValueError(f"has {word!r}, which is neither a media type nor ALL, GRAPHIC or METADATA")
    return words


POS: Param[tuple[float, float]] = Param(
    "POS", _position, "Centre of the region, right ascension and declination with a comma between, ICRS",
    "double", "2", unit="deg", ucd="pos.eq", example="187.7059,12.3911",
)  # fmt: skip
SIZE: Param[tuple[float, float]] = Param(
    "SIZE", _size, "Width and height of the region; one number for both; 0 for a position", "double", "2",
    unit="deg", ucd="phys.angSize", example="0.1",
)  # fmt: skip
INTERSECT: Param[str] = Param(
    "INTERSECT", choice("COVERS", "ENCLOSED", "CENTER", "OVERLAPS"),
    "How image and region meet: the image covers it, lies in it, has its centre in it, or overlaps it",
    values=("COVERS", "ENCLOSED", "CENTER", "OVERLAPS"), example="OVERLAPS",
)  # fmt: skip
FORMAT: Param[tuple[str, ...]] = Param(
    "FORMAT", _formats, "Media types, ALL, GRAPHIC, or METADATA for a description of the service",
    example="image/fits",
)  # fmt: skip
VERB: Param[str] = Param("VERB", text, "Verbosity; every answer has all columns", "int", example="2")
PARAMS = Params(POS, SIZE, INTERSECT, FORMAT, VERB, dali.MAXREC, dali.RESPONSEFORMAT)


def region(position: tuple[float, float], size: tuple[float, float]) -> Region:
    """Return the region of POS and SIZE (section 4.1.1).

    SIZE is the extent in coordinate degrees: the width is that on the sky, not of right ascension. A
    region of 180 degrees or more is the whole sky.
    """
    ra, dec = position
    width, height = (max(value, _SMALLEST_SIZE_DEG) for value in size)
    if max(width, height) >= 180.0:
        return Circle(ra, dec, 180.0)
    if max(width, height) <= _SMALLEST_SIZE_DEG:
        return Circle(ra, dec, 0.0)
    return Box(ra, dec, width, height)


def media_types(formats: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the media types that FORMAT asks for, or None for all (section 4.1.2)."""
    words = {word.upper() for word in formats}
    if not formats or "ALL" in words:
        return None
    wanted = [word for word in formats if "/" in word]
    if any(word.startswith("GRAPHIC") for word in words):
        wanted += _GRAPHIC
    return tuple(wanted)


def matches(how: str, wanted: Region, footprint: Region | None, ra: float, dec: float) -> bool:
    """Say whether an image meets the region in the way INTERSECT asks (section 4.1.1).

    Parameters
    ----------
    how
        ``COVERS``, ``ENCLOSED``, ``CENTER`` or ``OVERLAPS``.
    wanted
        The region of the request.
    footprint
        Of the image; None when it is not known, then its centre counts.
    ra, dec
        Centre of the image, degrees.
    """
    centre_inside = bool(wanted.contains(np.array([ra]), np.array([dec]))[0])
    if how == "CENTER" or footprint is None:
        return centre_inside
    if how == "OVERLAPS":
        return footprint.intersects(wanted)
    inner, outer = (wanted, footprint) if how == "COVERS" else (footprint, wanted)
    return _covers(outer, inner)


def _covers(outer: Region, inner: Region) -> bool:
    """Say whether `inner` lies in `outer`: one a circle, a box or a polygon, the other convex."""
    if isinstance(inner, Circle):
        ra, dec = np.array([inner.ra]), np.array([inner.dec])
        return bool(
            outer.contains(ra, dec)[0] and outer.boundary_distance(ra, dec)[0] >= np.radians(inner.radius)
        )
    if not isinstance(inner, Box | Polygon):
        return _covers(outer, inner.bounding_circle())
    points = np.array(inner.vertices, dtype=float)
    return bool(outer.contains(points[:, 0], points[:, 1]).all())


@dataclass(frozen=True, slots=True)
class _Field:
    """A column of the answer and how it is made of a batch of ObsCore rows."""

    column: Column
    make: Callable[[pa.RecordBatch], pa.Array]


def _from(source: str) -> Callable[[pa.RecordBatch], pa.Array]:
    return lambda batch: batch.column(source)


def _constant(value: object, kind: pa.DataType) -> Callable[[pa.RecordBatch], pa.Array]:
    return lambda batch: pa.array([value] * batch.num_rows, kind)


def _pair(first: str, second: str, kind: pa.DataType) -> Callable[[pa.RecordBatch], pa.Array]:
    def make(batch: pa.RecordBatch) -> pa.Array:
        both = (batch.column(first).cast(kind.value_type), batch.column(second).cast(kind.value_type))
        values = np.stack([_plain(column) for column in both], axis=1).ravel()
        return pa.FixedSizeListArray.from_arrays(pa.array(values, kind.value_type), 2)

    return make


def _plain(column: pa.Array) -> np.ndarray:
    filler = float("nan") if pa.types.is_floating(column.type) else 0
    return np.asarray(column.fill_null(filler))


def _scale(batch: pa.RecordBatch) -> pa.Array:
    # the first axis runs against right ascension on an image with north up (SIA 1.0 section 4.2.5.1)
    size = np.asarray(batch.column("s_pixel_scale").fill_null(float("nan"))) / 3600.0
    values = np.stack([-size, size], axis=1).ravel()
    return pa.FixedSizeListArray.from_arrays(pa.array(values), 2)


def _start(batch: pa.RecordBatch) -> pa.Array:
    days = batch.column("t_min")
    microseconds = pc.cast(pc.round(pc.multiply(pc.subtract(days, 40587.0), 86_400e6)), pa.int64())
    seconds = pc.strftime(
        microseconds.cast(pa.timestamp("us")).cast(pa.timestamp("s"), safe=False), "%Y-%m-%d %H:%M:%S"
    )
    return seconds.cast(pa.string())


def _band(batch: pa.RecordBatch) -> pa.Array:
    return pc.divide(pc.add(batch.column("em_min"), batch.column("em_max")), 2.0)


_TEXT, _DOUBLE, _INT, _LONG = pa.string(), pa.float64(), pa.int32(), pa.int64()
_TWO_LONGS, _TWO_DOUBLES = pa.list_(pa.int64(), 2), pa.list_(pa.float64(), 2)


def _field(
    name: str, kind: pa.DataType, ucd: str, source: "str | Callable[[pa.RecordBatch], pa.Array]",
    description: str, unit: str = "",
) -> _Field:  # fmt: skip
    make = _from(source) if isinstance(source, str) else source
    return _Field(Column(name, kind, unit=unit, ucd=ucd, description=description), make)


_FIELDS: tuple[_Field, ...] = (
    _field("URL", _TEXT, "VOX:Image_AccessReference", "access_url", "Address of the image"),
    _field("RA", _DOUBLE, "POS_EQ_RA_MAIN", "s_ra", "Right ascension of the centre, ICRS", "deg"),
    _field("DEC", _DOUBLE, "POS_EQ_DEC_MAIN", "s_dec", "Declination of the centre, ICRS", "deg"),
    _field("Level", _INT, "meta.code", "level", "Product level of the Hubble Legacy Archive"),
    _field("Target", _TEXT, "meta.id;src", "target_name", "Name of the target"),
    _field("Detector", _TEXT, "INST_ID", "detector", "Detector"),
    _field("Aperture", _TEXT, "meta.id;instr", "aperture", "Aperture"),
    _field("Spectral_Elt", _TEXT, "VOX:BandPass_ID", "spectral_elt", "Filters"),
    _field("NExposures", _INT, "meta.number;obs.exposure", "n_exposures", "Exposures that were combined"),
    _field("ExpTime", _DOUBLE, "time.duration;obs.exposure", "t_exptime", "Exposure time", "s"),
    _field("StartTime", _TEXT, "time.start;obs", _start, "Start of the observation, UTC"),
    _field("Dataset", _TEXT, "ID_MAIN", "obs_id", "Name of the dataset"),
    _field("PropID", _TEXT, "meta.id;obs.proposal", "proposal_id", "Observing proposal"),
    _field("VisitNum", _TEXT, "meta.id;obs", "visit", "Visit of the proposal"),
    _field("PI_Name", _TEXT, "meta.id.PI", "pi_name", "Principal investigator"),
    _field("Format", _TEXT, "VOX:Image_Format", _constant("image/fits", _TEXT), "Media type of the image"),
    _field("ReleaseDate", _TEXT, "time.release", "obs_release_date", "When the data became public"),
    _field("Title", _TEXT, "VOX:Image_Title", "obs_title", "Title"),
    _field("naxes", _INT, "VOX:Image_Naxes", _constant(2, _INT), "Number of image axes"),
    _field("naxis", _TWO_LONGS, "VOX:Image_Naxis", _pair("s_xel1", "s_xel2", _TWO_LONGS),
           "Length of each axis", "pix"),
    _field("scale", _TWO_DOUBLES, "VOX:Image_Scale", _scale, "Size of a pixel along each axis", "deg/pix"),
    _field("filename", _TEXT, "meta.id;meta.file", "filename", "Name of the file"),
    _field("filesize", _LONG, "VOX:Image_FileSize",
           lambda batch: pc.multiply(batch.column("access_estsize"), 1000), "Size of the file", "byte"),
    _field("regionSTCS", _TEXT, "pos.outline;obs.field", "s_region", "Covered region, STC-S"),
    _field("MJDStart", _DOUBLE, "VOX:Image_MJDateObs", "t_min", "Start of the observation, MJD, UTC", "d"),
    _field("bandUnit", _TEXT, "VOX:BandPass_Unit", _constant("meters", _TEXT), "Unit of the bandpass columns"),
    _field("bandRef", _DOUBLE, "VOX:BandPass_RefValue", _band, "Middle of the bandpass, vacuum", "m"),
    _field("bandHi", _DOUBLE, "VOX:BandPass_HiLimit", "em_max", "Longest wavelength, vacuum", "m"),
    _field("bandLo", _DOUBLE, "VOX:BandPass_LoLimit", "em_min", "Shortest wavelength, vacuum", "m"),
)  # fmt: skip


def answer(stream: TableStream) -> TableStream:
    """Return the answer of SIA 1.0 made of a stream of ObsCore rows with awe's further columns."""
    standard = (stream.schema[column.name] for column in OBSCORE_COLUMNS)
    fields = (*_FIELDS, *(_Field(column, _from(column.name)) for column in standard))
    schema = Schema(tuple(f.column for f in fields), name="images", description="Images found")

    def change(batch: pa.RecordBatch) -> pa.RecordBatch:
        arrays = [f.make(batch).cast(f.column.type) for f in fields]
        return pa.RecordBatch.from_arrays(arrays, schema=schema.to_arrow())

    return stream.map(schema, change)


def details(*, max_rows: int, test: tuple[float, float] | None) -> list[Element]:
    """Return the elements of a ``sia:SimpleImageAccess`` capability (SimpleDALRegExt 1.2 section 3.2).

    Parameters
    ----------
    max_rows
        Images of an answer at the most.
    test
        ICRS degrees of a place where there is an image.
    """
    made = [
        node("imageServiceType", None, "Pointed"),
        node("maxQueryRegionSize", None, node("long", None, "360"), node("lat", None, "180")),
        node("maxRecords", None, str(max_rows)),
    ]
    if test is not None:
        place = node("pos", None, node("long", None, repr(test[0])), node("lat", None, repr(test[1])))
        size = node("size", None, node("long", None, "0.1"), node("lat", None, "0.1"))
        made.append(node("testQuery", None, place, size))
    return made


def metadata_params() -> Iterator[Element]:
    """Yield the PARAM elements that FORMAT=METADATA answers (section 6.1): the input parameters."""
    for param in PARAMS:
        attributes = {
            "name": f"INPUT:{param.name}",
            "datatype": param.datatype,
            "arraysize": param.size or None,
            "unit": param.unit or None,
            "ucd": param.ucd or None,
            "value": "",
        }
        yield node("vot:PARAM", attributes, node("vot:DESCRIPTION", None, param.description))
