"""The answer of SSA 1.1: one record for each format in which a spectrum can be had.

`answer` makes it from a stream of ObsCore rows, batch by batch. Fields are known by their utypes (section 4.2); names
are ours. What is the same for every record stands in PARAMs. The records of one dataset are a MultiFormat
association (section 4.2.4.1): they share ``AssocID`` and differ in ``Format``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from awe.core.science.obscore import OBSCORE_SCHEMA
from awe.core.sky import separation
from awe.core.tables import Column, Schema, TableStream, votable_type
from awe.core.vo._xml import Element, node
from awe.core.vo.params import Param, Params

__all__ = [
    "FORMS",
    "GRAPHIC",
    "Form",
    "Wanted",
    "answer",
    "groups",
    "ids",
    "metadata_params",
    "params",
    "wanted",
]

GRAPHIC = ("image/png", "image/jpeg", "image/gif")
_VOTABLE = "application/x-votable+xml"
_MODEL = "Spectrum-1.1"


@dataclass(frozen=True, slots=True)
class Form:
    """A format in which a spectrum can be had.

    Attributes
    ----------
    name
        Of SSA's FORMAT words where it has one.
    media_type
        Empty for the file itself, which has its own.
    path
        Behind the address of the dataset.
    model
        Value of Dataset.DataModel; empty for the file itself.
    sample_bytes
        Size of a sample, about, for the estimate of the whole.
    """

    name: str
    media_type: str
    path: str
    model: str
    sample_bytes: int = 0

    @property
    def compliant(self) -> bool:
        """Whether it is in the words of the Spectral Data Model."""
        return self.model == _MODEL and self.name != "csv"


FORMS: tuple[Form, ...] = (
    Form("votable", _VOTABLE, "/spectrum?format=votable", _MODEL, 92),
    Form("fits", "application/fits", "/spectrum?format=fits", _MODEL, 28),
    Form("native", "", "/file", ""),
    Form("csv", "text/csv", "/spectrum?format=csv", _MODEL, 49),
    Form("png", "image/png", "/preview", "graphic", 2),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The forms that a request asks for, and the media types that files may have; any when None."""

    forms: tuple[Form, ...]
    file_types: frozenset[str] | None = None


def wanted(words: Sequence[str]) -> Wanted:
    """Return what FORMAT asks for (section 4.1.1.5); all where it says nothing.

    Words that name no format find nothing, as the standard says.
    """
    asked = {word.strip().lower() for word in words}
    if not asked or "all" in asked:
        return Wanted(FORMS)
    chosen: list[Form] = []
    types = {word for word in asked if "/" in word}
    types |= {"application/fits"} if types & {"image/fits"} else set()
    for form in FORMS:
        by_word = (
            form.name in asked
            or (form.compliant and "compliant" in asked)
            or (form.name == "png" and "graphic" in asked)
        )
        if by_word or form.media_type in types or (form.name == "native" and types):
            chosen.append(form)
    return Wanted(tuple(chosen), None if "native" in asked else frozenset(types))


_EMPTY = {"char": "", "double": "NaN", "int": "0", "long": "0", "boolean": "?"}
"""What stands for no value in a PARAM, which must have one."""

Make = Callable[[pa.RecordBatch], pa.Array]


@dataclass(frozen=True, slots=True)
class _Field:
    """A column of the answer and how it is made of a batch of ObsCore rows with the columns of a form."""

    column: Column
    make: Make
    group: str


_TEXT, _DOUBLE, _LONG = pa.string(), pa.float64(), pa.int64()
_PAIR = pa.list_(pa.float64(), 2)


def _from(source: str) -> Make:
    return lambda batch: batch.column(source)


def _nothing(kind: pa.DataType) -> Make:
    return lambda batch: pa.nulls(batch.num_rows, kind)


def _flux_calibration(batch: pa.RecordBatch) -> pa.Array:
    # empty would mean calibrated (section 4.2.5.11)
    return pc.fill_null(batch.column("o_calib_status"), "uncalibrated")


def _title(batch: pa.RecordBatch) -> pa.Array:
    return pc.coalesce(batch.column("obs_title"), batch.column("target_name"), batch.column("obs_id"))


def _position(batch: pa.RecordBatch) -> pa.Array:
    ra, dec = (np.asarray(batch.column(name).fill_null(np.nan), float) for name in ("s_ra", "s_dec"))
    values = pa.FixedSizeListArray.from_arrays(pa.array(np.stack([ra, dec], axis=1).ravel()), 2)
    return pc.if_else(pa.array(np.isfinite(ra) & np.isfinite(dec)), values, pa.nulls(batch.num_rows, _PAIR))


def _middle(low: str, high: str) -> Make:
    return lambda batch: pc.divide(pc.add(batch.column(low), batch.column(high)), 2.0)


def _extent(low: str, high: str, factor: float = 1.0) -> Make:
    return lambda batch: pc.multiply(pc.subtract(batch.column(high), batch.column(low)), factor)


def _scaled(source: str, factor: float) -> Make:
    return lambda batch: pc.multiply(batch.column(source), factor)


def _resolution(batch: pa.RecordBatch) -> pa.Array:
    return pc.divide(_middle("em_min", "em_max")(batch), batch.column("em_res_power"))


def _field(
    name: str, kind: pa.DataType, utype: str, ucd: str, make: str | Make, description: str, *, unit: str = "", xtype: str = "",
) -> _Field:  # fmt: skip
    column = Column(
        name, kind, unit=unit, ucd=ucd, utype=f"ssa:{utype}", xtype=xtype, description=description, std=True
    )
    group = (
        utype.split(".", maxsplit=1)[0] if not utype.startswith("Char.") else ".".join(utype.split(".")[:2])
    )
    return _Field(column, _from(make) if isinstance(make, str) else make, group)


_FIELDS: tuple[_Field, ...] = (
    _field("Score", _DOUBLE, "Query.Score", "", "form_score", "How near the record is to what was asked for, 1 the nearest"),
    _field("AssocID", _TEXT, "Association.ID", "", "obs_publisher_did", "The dataset that the record is one format of"),
    _field("AcRef", _TEXT, "Access.Reference", "meta.ref.url", "form_url", "Address of the spectrum in this format"),
    _field("Format", _TEXT, "Access.Format", "meta.code.mime", "form_type", "Media type"),
    _field("DatasetSize", _LONG, "Access.Size", "phys.size;meta.file", "form_size", "Estimated size", unit="kbyte"),
    _field("DataModel", _TEXT, "Dataset.DataModel", "", "form_model", "Data model of this format"),
    _field("DataLength", _LONG, "Dataset.Length", "meta.number", "em_xel", "Number of samples"),
    _field("Deleted", _TEXT, "Dataset.Deleted", "", _nothing(_TEXT), "When it was deleted; what is deleted is forgotten, so that this is empty"),
    _field("Title", _TEXT, "DataID.Title", "meta.title;meta.dataset", _title, "Title"),
    _field("Creator", _TEXT, "DataID.Creator", "", "obs_creator_name", "Who made the spectrum"),
    _field("Collection", _TEXT, "DataID.Collection", "", "obs_collection", "Name of the collection"),
    _field("CreatorDID", _TEXT, "DataID.CreatorDID", "meta.id", "obs_creator_did", "Identifier given by who made it"),
    _field("CreationDate", _TEXT, "DataID.Date", "time;meta.dataset", "obs_creation_date", "When it was made", xtype="timestamp"),
    _field("Instrument", _TEXT, "DataID.Instrument", "meta.id;instr", "instrument_name", "Instrument"),
    _field("DataSource", _TEXT, "DataID.DataSource", "", "form_source", "Where the collection comes from: survey, pointed, custom, theory, artificial"),
    _field("PublisherDID", _TEXT, "Curation.PublisherDID", "meta.ref.ivoid", "obs_publisher_did", "Identifier given by the publisher"),
    _field("PublishedDate", _TEXT, "Curation.Date", "", "modified", "When the published file was changed last", xtype="timestamp"),
    _field("Reference", _TEXT, "Curation.Reference", "meta.bib.bibcode", "bib_reference", "Publication to cite"),
    _field("Rights", _TEXT, "Curation.Rights", "", "data_rights", "Who may fetch the data"),
    _field("TargetName", _TEXT, "Target.Name", "meta.id;src", "target_name", "Target"),
    _field("TargetClass", _TEXT, "Target.Class", "src.class", "target_class", "Class of the target"),
    _field("TargetPos", _PAIR, "Target.Pos", "pos.eq;src", _position, "Position of the target, ICRS", unit="deg"),
    _field("Redshift", _DOUBLE, "Target.Redshift", "src.redshift", "redshift", "Redshift of the target"),
    _field("SNR", _DOUBLE, "Derived.SNR", "stat.snr", "snr", "Signal to noise"),
    _field("FluxAxisUcd", _TEXT, "Char.FluxAxis.Ucd", "meta.ucd", "o_ucd", "What the flux is, as a UCD"),
    _field("FluxAxisUnit", _TEXT, "Char.FluxAxis.Unit", "meta.unit", "o_unit", "Unit of the flux"),
    _field("FluxCalibration", _TEXT, "Char.FluxAxis.Calibration", "", _flux_calibration, "Calibration of the flux"),
    _field("SpectralAxisUcd", _TEXT, "Char.SpectralAxis.Ucd", "meta.ucd", "em_ucd", "What the spectral axis is, as a UCD"),
    _field("SpectralAxisUnit", _TEXT, "Char.SpectralAxis.Unit", "meta.unit", "em_unit", "Unit of the spectral axis"),
    _field("SpectralLocation", _DOUBLE, "Char.SpectralAxis.Coverage.Location.Value", "em.wl;instr.bandpass", _middle("em_min", "em_max"), "Middle of the wavelengths, vacuum", unit="m"),
    _field("SpectralExtent", _DOUBLE, "Char.SpectralAxis.Coverage.Bounds.Extent", "em.wl;instr.bandwidth", _extent("em_min", "em_max"), "Extent of the wavelengths", unit="m"),
    _field("SpectralStart", _DOUBLE, "Char.SpectralAxis.Coverage.Bounds.Start", "em.wl;stat.min", "em_min", "Shortest wavelength, vacuum", unit="m"),
    _field("SpectralStop", _DOUBLE, "Char.SpectralAxis.Coverage.Bounds.Stop", "em.wl;stat.max", "em_max", "Longest wavelength, vacuum", unit="m"),
    _field("SpectralResolution", _DOUBLE, "Char.SpectralAxis.Resolution", "spect.resolution;em.wl", _resolution, "Spectral resolution (FWHM)", unit="m"),
    _field("SpectralResPower", _DOUBLE, "Char.SpectralAxis.ResPower", "spect.resolution", "em_res_power", "Spectral resolving power"),
    _field("SpectralCalibration", _TEXT, "Char.SpectralAxis.Calibration", "meta.code.qual", "em_calib_status", "Calibration of the spectral axis"),
    _field("TimeLocation", _DOUBLE, "Char.TimeAxis.Coverage.Location.Value", "time.epoch", _middle("t_min", "t_max"), "Middle of the observation, MJD", unit="d"),
    _field("TimeExtent", _DOUBLE, "Char.TimeAxis.Coverage.Bounds.Extent", "time.duration", _extent("t_min", "t_max", 86400.0), "Time from beginning to end", unit="s"),
    _field("TimeStart", _DOUBLE, "Char.TimeAxis.Coverage.Bounds.Start", "time.start;obs.exposure", "t_min", "Start of the observation, MJD", unit="d"),
    _field("TimeStop", _DOUBLE, "Char.TimeAxis.Coverage.Bounds.Stop", "time.end;obs.exposure", "t_max", "End of the observation, MJD", unit="d"),
    _field("ExposureTime", _DOUBLE, "Char.TimeAxis.Coverage.Support.Extent", "time.duration;obs.exposure", "t_exptime", "Exposure time", unit="s"),
    _field("TimeResolution", _DOUBLE, "Char.TimeAxis.Resolution", "time.resolution", "t_resolution", "Time resolution", unit="s"),
    _field("SpatialLocation", _PAIR, "Char.SpatialAxis.Coverage.Location.Value", "pos.eq", _position, "Position that was observed, ICRS", unit="deg"),
    _field("SpatialExtent", _DOUBLE, "Char.SpatialAxis.Coverage.Bounds.Extent", "phys.angSize;instr.fov", "s_fov", "Diameter of the aperture", unit="deg"),
    _field("SpatialResolution", _DOUBLE, "Char.SpatialAxis.Resolution", "pos.angResolution", _scaled("s_resolution", 1 / 3600.0), "Spatial resolution", unit="deg"),
    _Field(OBSCORE_SCHEMA["s_ra"], _from("s_ra"), ""),
    _Field(OBSCORE_SCHEMA["s_dec"], _from("s_dec"), ""),
)  # fmt: skip

# TOPCAT and stilts look for the position in two columns, which are those of ObsCore
_UCDS = {"s_ra": "pos.eq.ra;meta.main", "s_dec": "pos.eq.dec;meta.main"}
_SCHEMA = Schema(
    tuple(replace(one.column, ucd=_UCDS.get(one.column.name, one.column.ucd)) for one in _FIELDS),
    name="spectra",
    description="Spectra found, one record a format",
)

_CONSTANTS: tuple[tuple[str, str, str, str, str, str, str], ...] = (
    ("AssocType", "char", "Association.Type", "", "", "MultiFormat", "Kind of association"),
    ("AssocKey", "char", "Association.Key", "", "", "@Format", "What differs among the records of an association"),
    ("DatasetType", "char", "Dataset.Type", "", "", "Spectrum", "Kind of dataset"),
    ("CreationType", "char", "DataID.CreationType", "", "", "archival", "Spectra are delivered as they were published"),
    ("SpaceFrame", "char", "CoordSys.SpaceFrame.Name", "pos.frame", "", "ICRS", "Frame of the positions"),
    ("TimeFrame", "char", "CoordSys.TimeFrame.Name", "time.scale", "", "UTC", "Scale of the times"),
    ("TimeZero", "double", "CoordSys.TimeFrame.Zero", "arith.zp;time", "d", "0.0", "Zero point of the times, MJD"),
    ("SpatialCalibration", "char", "Char.SpatialAxis.Calibration", "meta.code.qual", "", "absolute", "Calibration of the positions"),
    ("TimeCalibration", "char", "Char.TimeAxis.Calibration", "meta.code.qual", "", "absolute", "Calibration of the times"),
)  # fmt: skip


def answer(
    stream: TableStream,
    asked: Wanted,
    *,
    centre: tuple[float, float] | None,
    radius: float,
    sources: Mapping[str, str],
) -> TableStream:
    """Return the records of a stream of ObsCore rows.

    Parameters
    ----------
    stream
        Rows of spectra with awe's further columns.
    asked
        The formats.
    centre, radius
        Of the region searched (degrees), for the score; no centre gives 1 to every record.
    sources
        Collection to its value of DataSource.
    """
    arrow = _SCHEMA.to_arrow()
    names = list(stream.schema.names)

    def change(batch: pa.RecordBatch) -> pa.RecordBatch:
        rows = pa.RecordBatch.from_arrays(batch.columns, names=names)
        records = _records(rows, asked, _score(rows, centre, radius), sources)
        arrays = [one.make(records).cast(one.column.type) for one in _FIELDS]
        return pa.RecordBatch.from_arrays(arrays, schema=arrow)

    return stream.map(_SCHEMA, change)


def _score(rows: pa.RecordBatch, centre: tuple[float, float] | None, radius: float) -> NDArray[np.float64]:
    if centre is None:
        return np.ones(rows.num_rows)
    ra, dec = (np.asarray(rows.column(name).fill_null(np.nan), float) for name in ("s_ra", "s_dec"))
    away = separation(*centre, ra, dec)
    return np.asarray(1.0 / (1.0 + away / max(radius, 1e-6)))


def _records(
    rows: pa.RecordBatch, asked: Wanted, score: NDArray[np.float64], sources: Mapping[str, str]
) -> pa.RecordBatch:
    """Return each row once for each form, with the columns that differ between forms."""
    forms = asked.forms
    which = np.tile(np.arange(len(forms)), rows.num_rows)
    records = rows.take(pa.array(np.repeat(np.arange(rows.num_rows), len(forms))))
    files = np.isin(which, [i for i, form in enumerate(forms) if form.name == "native"])
    types = pa.array([forms[i].media_type for i in which], _TEXT)
    types = pc.if_else(pa.array(files), records.column("access_format"), types)
    collections = pc.fill_null(records.column("obs_collection"), "").to_pylist()
    place = pc.replace_substring_regex(records.column("access_url"), "/file$", "")
    paths = pa.array([forms[i].path for i in which], _TEXT)
    model = [forms[i].model for i in which]
    native = pc.binary_join_element_wise(
        pc.fill_null(records.column("facility_name"), "native"),
        pc.fill_null(records.column("instrument_name"), "file"),
        "-",
    )
    extra = {
        "form_score": pa.array(np.repeat(score, len(forms))),
        "form_url": pc.binary_join_element_wise(place, paths, ""),
        "form_type": types,
        "form_model": pc.if_else(pa.array(files), native, pa.array(model, _TEXT)),
        "form_size": pc.if_else(
            pa.array(files),
            records.column("access_estsize"),
            _estimated(records, pa.array([forms[i].sample_bytes for i in which], _LONG)),
        ),
        "form_source": pa.array([sources.get(name, "pointed") for name in collections], _TEXT),
    }
    made = pa.RecordBatch.from_arrays(
        [*records.columns, *extra.values()], names=[*records.schema.names, *extra]
    )
    if asked.file_types is None:
        return made
    kept = ~files | np.isin(np.array(types.to_pylist(), object), list(asked.file_types))
    return made.filter(pa.array(kept))


def _estimated(records: pa.RecordBatch, sample_bytes: pa.Array) -> pa.Array:
    """Return the size of a table of so many samples with its head, kbyte."""
    samples = pc.fill_null(records.column("em_xel"), 1)
    return pc.add(pc.divide(pc.multiply(samples, sample_bytes), 1000), 8)


def params(publisher: str) -> list[Element]:
    """Return the PARAMs of what is the same for every record."""
    return [*(_constant(*row) for row in _CONSTANTS), _publisher(publisher)]


def _publisher(publisher: str) -> Element:
    return _constant(
        "Publisher", "char", "Curation.Publisher", "meta.curation", "", publisher, "Publisher of the spectra"
    )


def _constant(name: str, datatype: str, utype: str, ucd: str, unit: str, value: str, said: str) -> Element:
    attributes = {
        "ID": name,
        "name": name,
        "datatype": datatype,
        "arraysize": "*" if datatype == "char" else None,
        "unit": unit or None,
        "ucd": ucd or None,
        "utype": f"ssa:{utype}",
        "value": value,
    }
    return node("vot:PARAM", attributes, node("vot:DESCRIPTION", None, said))


def groups() -> list[Element]:
    """Return the GROUPs of the component data models (section 4.2): references to fields and params."""
    members: dict[str, list[Element]] = {}
    for field in (one for one in _FIELDS if one.group):
        members.setdefault(field.group, []).append(node("vot:FIELDref", {"ref": field.column.name}))
    for name, _, utype, *_ in (*_CONSTANTS, ("Publisher", "", "Curation.Publisher")):
        parts = utype.split(".")
        group = ".".join(parts[:2]) if parts[0] == "Char" else parts[0]
        members.setdefault(group, []).append(node("vot:PARAMref", {"ref": name}))
    return [
        node(
            "vot:GROUP",
            {"name": name, "utype": f"ssa:{name}"},
            *sorted(inside, key=lambda e: e.tag.endswith("PARAMref")),
        )
        for name, inside in members.items()
    ]


def ids() -> dict[str, str]:
    """Return the XML IDs of the fields, for the references of the groups."""
    return {field.column.name: field.column.name for field in _FIELDS}


def metadata_params(inputs: Params, publisher: str) -> Iterator[Element]:
    """Yield the PARAMs that FORMAT=METADATA answers (section 5.2): what may be asked, what is answered."""
    for param in inputs:
        yield _input(param)
    for row in (
        *_CONSTANTS,
        ("Publisher", "char", "Curation.Publisher", "meta.curation", "", publisher, "Publisher"),
    ):
        name, datatype, utype, ucd, unit, value, said = row
        made = _constant(f"OUTPUT:{name}", datatype, utype, ucd, unit, value, said)
        del made.attrib["ID"]
        yield made
    for column in _SCHEMA:
        yield _output(column)


def _output(column: Column) -> Element:
    kind = votable_type(column)
    attributes = {
        "name": f"OUTPUT:{column.name}",
        "datatype": kind.datatype,
        "arraysize": kind.arraysize or None,
        "unit": column.unit or None,
        "ucd": column.ucd or None,
        "utype": column.utype,
        "xtype": kind.xtype or None,
        "value": _EMPTY[kind.datatype] if kind.arraysize in {"", "*"} else "NaN NaN",
    }
    return node("vot:PARAM", attributes, node("vot:DESCRIPTION", None, column.description))


def _input(param: Param[object]) -> Element:
    attributes = {
        "name": f"INPUT:{param.name}",
        "datatype": param.datatype,
        "arraysize": param.size or None,
        "unit": param.unit or None,
        "ucd": param.ucd or None,
        "value": _EMPTY[param.datatype],
    }
    values = (node("vot:OPTION", {"value": value}) for value in param.values)
    return node(
        "vot:PARAM",
        attributes,
        node("vot:DESCRIPTION", None, param.description),
        node("vot:VALUES", None, *values) if param.values else None,
    )
