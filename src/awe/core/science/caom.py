"""CAOM-2 as views of the observation index.

The Common Archive Observation Model 2.4 (CADC) divides what ObsCore says in one row: an *observation* was
made, it gave *planes* (data products of one kind), each kept in *artifacts* (files). Archives that hold it
(CADC, MAST, the founding query of this project) are asked in its words; here the words stand for expressions
over ``ivoa.obscore``, so that the two can never disagree. What the index does not know has no column.
"""

from dataclasses import dataclass, replace

import pyarrow as pa

from awe.core.science.obscore import OBSCORE_SCHEMA
from awe.core.tables import Column, Schema

__all__ = ["ARTIFACT", "OBSERVATION", "PLANE", "DerivedTable"]

_TEXT, _DOUBLE, _INT, _LONG = pa.string(), pa.float64(), pa.int32(), pa.int64()
_OBSERVATION_ID = "obs_collection || '/' || obs_id"
_WAVELENGTH = "(em_min + em_max) / 2"
# CAOM's bands, by the wavelength (m) at which each begins.
_BANDS = (
    ("Gamma-ray", 1e-11), ("X-ray", 1e-8), ("EUV", 1e-7), ("UV", 3e-7), ("Optical", 1e-6),
    ("Infrared", 1e-4), ("Millimeter", 1e-2), ("Radio", 1e9),
)  # fmt: skip
_BAND = "CASE " + " ".join(f"WHEN {_WAVELENGTH} < {end!r} THEN '{name}'" for name, end in _BANDS) + " END"


@dataclass(frozen=True, slots=True)
class DerivedTable:
    """A table that is computed from the index.

    Attributes
    ----------
    columns
        Names, types and metadata.
    sql
        ADQL over ``ivoa.obscore``, with the columns in that order.
    utype
        Of the table.
    """

    columns: Schema
    sql: str
    utype: str = ""


_Said = tuple[str, pa.DataType, str, str, str, str]


def _derived(name: str, description: str, said: tuple[_Said, ...], group_by: str = "") -> DerivedTable:
    """Make a table of (name, type, ADQL, unit, UCD, description); a column of the index keeps its own type."""
    columns = []
    for own, kind, expression, unit, ucd, text in said:
        utype = f"caom2:{name.capitalize()}.{own.replace('_', '.')}"
        column = Column(own, kind, unit=unit, ucd=ucd, utype=utype, description=text, principal=True)
        known = OBSCORE_SCHEMA.find(expression)
        columns.append(replace(column, type=known.type, xtype=known.xtype) if known else column)
    selected = ", ".join(f"{expression} AS {own}" for own, _, expression, *_ in said)
    tail = f" GROUP BY {group_by}" if group_by else ""
    return DerivedTable(
        Schema(tuple(columns), name=name, description=description),
        f"SELECT {selected} FROM ivoa.obscore{tail}",
    )


OBSERVATION = _derived(
    "observation",
    "Observations: one row for all data products with the same name in a collection (CAOM 2.4)",
    (
        ("obsID", _TEXT, _OBSERVATION_ID, "", "meta.id;meta.main", "Identifier of the observation"),
        ("collection", _TEXT, "obs_collection", "", "meta.id", "Name of the collection"),
        ("observationID", _TEXT, "obs_id", "", "meta.id;obs", "Name of the observation in its collection"),
        ("proposal_id", _TEXT, "MIN(proposal_id)", "", "meta.id;obs.proposal", "Observing proposal"),
        ("proposal_pi", _TEXT, "MIN(pi_name)", "", "meta.id.PI", "Principal investigator of the proposal"),
        ("target_name", _TEXT, "MIN(target_name)", "", "meta.id;src", "Object of interest"),
        ("targetPosition_coordinates_cval1", _DOUBLE, "MIN(s_ra)", "deg", "pos.eq.ra",
         "Right ascension of the centre, ICRS; the smallest of its planes"),
        ("targetPosition_coordinates_cval2", _DOUBLE, "MIN(s_dec)", "deg", "pos.eq.dec",
         "Declination of the centre, ICRS; the smallest of its planes"),
        ("telescope_name", _TEXT, "MIN(facility_name)", "", "meta.id;instr.tel", "Telescope or observatory"),
        ("instrument_name", _TEXT, "MIN(instrument_name)", "", "meta.id;instr", "Instrument, with its camera"),
        ("metaRelease", _TEXT, "MIN(obs_release_date)", "", "time.release",
         "When it became public, ISO 8601, UTC"),
        ("members", _INT, "MAX(n_exposures)", "", "meta.number;obs.exposure", "Exposures that were combined"),
    ),
    "obs_collection, obs_id",
)  # fmt: skip
"""``caom2.observation``."""

PLANE = _derived(
    "plane",
    "Planes: one row for each data product (CAOM 2.4)",
    (
        ("planeID", _TEXT, "obs_publisher_did", "", "meta.id;meta.main", "Identifier of the plane"),
        ("obsID", _TEXT, _OBSERVATION_ID, "", "meta.id;obs", "Identifier of its observation"),
        ("publisherID", _TEXT, "obs_publisher_did", "", "meta.ref.ivoid", "IVOA identifier given by the publisher"),
        ("productID", _TEXT, "obs_publisher_did", "", "meta.id", "Name of the product in its observation"),
        ("dataProductType", _TEXT, "dataproduct_type", "", "meta.code.class", "image, cube, spectrum, ..."),
        ("calibrationLevel", _INT, "calib_level", "", "meta.code;obs.calib",
         "0 (raw) to 4 (analysis product)"),
        ("dataRelease", _TEXT, "obs_release_date", "", "time.release", "When the data became public, ISO 8601, UTC"),
        ("provenance_producer", _TEXT, "obs_creator_name", "", "meta.id", "Who made the data product"),
        ("provenance_reference", _TEXT, "bib_reference", "", "meta.bib", "Publication to cite"),
        ("observable_ucd", _TEXT, "o_ucd", "", "meta.ucd", "What the values measure, as a UCD"),
        ("position_bounds", _TEXT, "s_region", "", "pos.outline;obs.field", "Covered region, ICRS"),
        ("position_bounds_size", _DOUBLE, "s_fov", "deg", "phys.angSize;instr.fov",
         "Diameter of the circle around the covered region"),
        ("position_resolution", _DOUBLE, "s_resolution", "arcsec", "pos.angResolution",
         "Spatial resolution (FWHM)"),
        ("position_sampleSize", _DOUBLE, "s_pixel_scale", "arcsec", "phys.angSize;instr.pixel",
         "Size of a pixel"),
        ("position_dimension_naxis1", _LONG, "s_xel1", "", "meta.number", "Elements along the first spatial axis"),
        ("position_dimension_naxis2", _LONG, "s_xel2", "", "meta.number", "Elements along the second spatial axis"),
        ("energy_emBand", _TEXT, _BAND, "", "instr.bandpass",
         "Band of the middle wavelength: Radio, Millimeter, Infrared, Optical, UV, EUV, X-ray, Gamma-ray"),
        ("energy_bandpassName", _TEXT, "spectral_elt", "", "meta.id;instr.filter", "Filters, separated by /"),
        ("energy_bounds_lower", _DOUBLE, "em_min", "m", "em.wl;stat.min", "Shortest wavelength, vacuum"),
        ("energy_bounds_upper", _DOUBLE, "em_max", "m", "em.wl;stat.max", "Longest wavelength, vacuum"),
        ("energy_bounds_width", _DOUBLE, "em_max - em_min", "m", "instr.bandwidth", "Width in wavelength"),
        ("energy_dimension", _LONG, "em_xel", "", "meta.number", "Elements along the spectral axis"),
        ("energy_resolvingPower", _DOUBLE, "em_res_power", "", "spect.resolution", "Spectral resolving power"),
        ("time_bounds_lower", _DOUBLE, "t_min", "d", "time.start;obs.exposure", "Start, MJD, UTC"),
        ("time_bounds_upper", _DOUBLE, "t_max", "d", "time.end;obs.exposure", "End, MJD, UTC"),
        ("time_bounds_width", _DOUBLE, "t_max - t_min", "d", "time.interval;obs.exposure", "Time from start to end"),
        ("time_dimension", _LONG, "t_xel", "", "meta.number", "Elements along the time axis"),
        ("time_resolution", _DOUBLE, "t_resolution", "s", "time.resolution", "Temporal resolution"),
        ("time_exposure", _DOUBLE, "t_exptime", "s", "time.duration;obs.exposure", "Total exposure time"),
        ("polarization_states", _TEXT, "pol_states", "", "meta.code;phys.polarization",
         "Polarisation states, as /I/Q/U/V/"),
        ("polarization_dimension", _LONG, "pol_xel", "", "meta.number", "Elements along the polarisation axis"),
    ),
)  # fmt: skip
"""``caom2.plane``."""

ARTIFACT = _derived(
    "artifact",
    "Artifacts: one row for each file of a data product (CAOM 2.4)",
    (
        ("artifactID", _TEXT, "obs_publisher_did", "", "meta.id;meta.main", "Identifier of the artifact"),
        ("planeID", _TEXT, "obs_publisher_did", "", "meta.id", "Identifier of its plane"),
        ("obsID", _TEXT, _OBSERVATION_ID, "", "meta.id;obs", "Identifier of its observation"),
        ("uri", _TEXT, "access_url", "", "meta.ref.url", "Where the file can be fetched"),
        ("productType", _TEXT, "'science'", "", "meta.code.class", "What the file holds"),
        ("releaseType", _TEXT, "'data'", "", "meta.code", "What the date of release is about"),
        ("contentType", _TEXT, "access_format", "", "meta.code.mime", "Media type of the file"),
        ("contentLength", _LONG, "access_estsize * 1000", "byte", "phys.size;meta.file",
         "Size of the file, rounded to thousands"),
        ("filename", _TEXT, "filename", "", "meta.id;meta.file", "Name of the file"),
    ),
)  # fmt: skip
"""``caom2.artifact``."""
