"""The columns of the observation index, as values.

*ObsCore* is the IVOA's one-row-per-dataset description (Observation Data Model Core Components 1.1,
REC 2017-05-09, with its errata). `OBSCORE_COLUMNS` are its thirty mandatory columns with the types, units,
utypes and UCDs of its tables 4 and 6; `EXTENSION_COLUMNS` are what awe adds: optional ObsCore columns
under their standard names, and what the Hubble Legacy Archive told of an image. ``level`` is a reserved
word of SQL: it is written ``"level"`` in a query.
"""

from functools import partial
from types import MappingProxyType

import pyarrow as pa

from awe.core.tables import Column, Schema

__all__ = [
    "CALIB_LEVELS",
    "EXTENSION_COLUMNS",
    "OBSCORE_COLUMNS",
    "OBSCORE_SCHEMA",
    "POLARISATIONS",
]

CALIB_LEVELS = MappingProxyType(
    {
        0: "raw instrumental data in a proprietary format",
        1: "instrumental data in a standard format",
        2: "calibrated, science-ready data with the instrument signature removed",
        3: "enhanced data products such as mosaics",
        4: "results of analysis",
    }
)
"""Values of ``calib_level`` (ObsCore 1.1 section 3.3.2)."""

POLARISATIONS = ("I", "Q", "U", "V", "RR", "LL", "RL", "LR", "XX", "YY", "XY", "YX", "POLI", "POLA")
"""Labels of ``pol_states`` in their order (ObsCore 1.1 section B.6.5.1)."""

_TEXT, _DOUBLE, _INT, _LONG = pa.string(), pa.float64(), pa.int32(), pa.int64()
_BOUNDS = "Coverage.Bounds.Limits"
_POSITION = "Char.SpatialAxis.Coverage.Location.Coord.Position2D.Value2"


def _column(
    name: str,
    kind: pa.DataType,
    utype: str,
    ucd: str,
    description: str,
    *,
    unit: str = "",
    xtype: str = "",
    principal: bool = False,
) -> Column:
    return Column(
        name, kind, unit=unit, ucd=ucd, utype=f"obscore:{utype}", xtype=xtype, description=description,
        principal=principal, std=True,
    )  # fmt: skip


_std = partial(_column, principal=True)


OBSCORE_COLUMNS: tuple[Column, ...] = (
    _std("dataproduct_type", _TEXT, "ObsDataset.dataProductType", "meta.code.class",
         "Scientific type of the data product: image, cube, spectrum, ..."),
    _std("calib_level", _INT, "ObsDataset.calibLevel", "meta.code;obs.calib",
         "Calibration level, 0 (raw) to 4 (analysis result)"),
    _std("obs_collection", _TEXT, "DataID.collection", "meta.id", "Name of the data collection"),
    _std("obs_id", _TEXT, "DataID.observationID", "meta.id", "Name of the observation or dataset"),
    _std("obs_publisher_did", _TEXT, "Curation.publisherDID", "meta.ref.ivoid",
         "IVOA dataset identifier given by the publisher"),
    _std("access_url", _TEXT, "Access.reference", "meta.ref.url", "Where the data can be fetched"),
    _std("access_format", _TEXT, "Access.format", "meta.code.mime", "Media type of the file"),
    _std("access_estsize", _LONG, "Access.size", "phys.size;meta.file", "Estimated size of the file",
         unit="kbyte"),
    _std("target_name", _TEXT, "Target.name", "meta.id;src", "Object of interest"),
    _std("s_ra", _DOUBLE, f"{_POSITION}.C1", "pos.eq.ra", "Right ascension of the centre, ICRS", unit="deg"),
    _std("s_dec", _DOUBLE, f"{_POSITION}.C2", "pos.eq.dec", "Declination of the centre, ICRS", unit="deg"),
    _std("s_fov", _DOUBLE, "Char.SpatialAxis.Coverage.Bounds.Extent.diameter", "phys.angSize;instr.fov",
         "Diameter of the circle around the covered region", unit="deg"),
    _std("s_region", _TEXT, "Char.SpatialAxis.Coverage.Support.Area", "pos.outline;obs.field",
         "Covered region, ICRS, as an STC-S string", xtype="adql:REGION"),
    _std("s_resolution", _DOUBLE, "Char.SpatialAxis.Resolution.Refval.value", "pos.angResolution",
         "Spatial resolution (FWHM)", unit="arcsec"),
    _std("s_xel1", _LONG, "Char.SpatialAxis.numBins1", "meta.number",
         "Elements along the first spatial axis"),
    _std("s_xel2", _LONG, "Char.SpatialAxis.numBins2", "meta.number",
         "Elements along the second spatial axis"),
    _std("t_min", _DOUBLE, f"Char.TimeAxis.{_BOUNDS}.StartTime", "time.start;obs.exposure",
         "Start of the observation, MJD, UTC", unit="d"),
    _std("t_max", _DOUBLE, f"Char.TimeAxis.{_BOUNDS}.StopTime", "time.end;obs.exposure",
         "End of the observation, MJD, UTC", unit="d"),
    _std("t_exptime", _DOUBLE, "Char.TimeAxis.Coverage.Support.Extent", "time.duration;obs.exposure",
         "Total exposure time", unit="s"),
    _std("t_resolution", _DOUBLE, "Char.TimeAxis.Resolution.Refval.value", "time.resolution",
         "Temporal resolution", unit="s"),
    _std("t_xel", _LONG, "Char.TimeAxis.numBins", "meta.number", "Elements along the time axis"),
    _std("em_min", _DOUBLE, f"Char.SpectralAxis.{_BOUNDS}.LoLimit", "em.wl;stat.min",
         "Shortest wavelength, vacuum", unit="m"),
    _std("em_max", _DOUBLE, f"Char.SpectralAxis.{_BOUNDS}.HiLimit", "em.wl;stat.max",
         "Longest wavelength, vacuum", unit="m"),
    _std("em_res_power", _DOUBLE, "Char.SpectralAxis.Resolution.ResolPower.refVal", "spect.resolution",
         "Spectral resolving power"),
    _std("em_xel", _LONG, "Char.SpectralAxis.numBins", "meta.number", "Elements along the spectral axis"),
    _std("o_ucd", _TEXT, "Char.ObservableAxis.ucd", "meta.ucd", "What the pixel values measure, as a UCD"),
    _std("pol_states", _TEXT, "Char.PolarizationAxis.stateList", "meta.code;phys.polarization",
         "Polarisation states, as /I/Q/U/V/"),
    _std("pol_xel", _LONG, "Char.PolarizationAxis.numBins", "meta.number",
         "Elements along the polarisation axis"),
    _std("facility_name", _TEXT, "Provenance.ObsConfig.Facility.name", "meta.id;instr.tel",
         "Telescope or observatory"),
    _std("instrument_name", _TEXT, "Provenance.ObsConfig.Instrument.name", "meta.id;instr",
         "Instrument, with its camera: ACS/WFC"),
)  # fmt: skip
"""The mandatory columns, in the order of the standard's table 4."""


def _own(name: str, kind: pa.DataType, ucd: str, description: str, *, unit: str = "") -> Column:
    return Column(name, kind, unit=unit, ucd=ucd, description=description)


EXTENSION_COLUMNS: tuple[Column, ...] = (
    _column("dataproduct_subtype", _TEXT, "ObsDataset.dataProductSubtype", "meta.code.class",
            "Kind of data product in more detail"),
    _column("target_class", _TEXT, "Target.class", "src.class", "Class of the object: star, galaxy, QSO, ..."),
    _column("obs_creation_date", _TEXT, "DataID.date", "time;meta.dataset",
            "When the data product was made, ISO 8601, UTC", xtype="timestamp"),
    _column("obs_creator_did", _TEXT, "DataID.creatorDID", "meta.id",
            "Dataset identifier given by who made it"),
    _column("obs_title", _TEXT, "DataID.title", "meta.title;obs", "Title of the dataset"),
    _column("obs_creator_name", _TEXT, "DataID.creator", "meta.id", "Who made the data product"),
    _column("bib_reference", _TEXT, "Curation.reference", "meta.bib.bibcode", "Publication to cite"),
    _column("data_rights", _TEXT, "Curation.rights", "meta.code", "public, or who may fetch the data"),
    _column("obs_release_date", _TEXT, "Curation.releaseDate", "time.release",
            "When the data became public, ISO 8601, UTC", xtype="timestamp"),
    _column("s_pixel_scale", _DOUBLE, "Char.SpatialAxis.Sampling.RefVal.SamplingPeriod",
            "phys.angSize;instr.pixel", "Size of a pixel", unit="arcsec"),
    _column("em_ucd", _TEXT, "Char.SpectralAxis.ucd", "meta.ucd", "What the spectral axis measures, as a UCD"),
    _column("em_unit", _TEXT, "Char.SpectralAxis.unit", "meta.unit", "Unit of the spectral axis in the file"),
    _column("em_calib_status", _TEXT, "Char.SpectralAxis.calibrationStatus", "meta.code.qual",
            "Calibration of the spectral axis: absolute, relative, uncalibrated"),
    _column("o_unit", _TEXT, "Char.ObservableAxis.unit", "meta.unit", "Unit of the values in the file"),
    _column("o_calib_status", _TEXT, "Char.ObservableAxis.calibrationStatus", "meta.code.qual",
            "Calibration of the values: absolute, relative, normalized; empty for none"),
    _column("proposal_id", _TEXT, "Provenance.Proposal.identifier", "meta.id;obs.proposal",
            "Observing proposal"),
    _own("redshift", _DOUBLE, "src.redshift", "Redshift of the target"),
    _own("specid", _TEXT, "meta.id",
         "Number that the survey gave the spectrum: SDSS's specObjID, DESI's TARGETID"),
    _own("snr", _DOUBLE, "stat.snr", "Signal to noise: the median of flux over error of a spectrum"),
    _own("spectral_medium", _TEXT, "meta.code",
         "What the file's wavelengths were measured in, vacuum or air; em_min and em_max are in vacuum"),
    _own("pi_name", _TEXT, "meta.id.PI", "Principal investigator of the proposal"),
    _own("visit", _TEXT, "meta.id;obs", "Visit of the proposal"),
    _own("level", _INT, "meta.code",
         "Product level of the Hubble Legacy Archive: 1 exposure, 2 visit, 3 mosaic, 4 colour, 5 contributed"),
    _own("detector", _TEXT, "meta.id;instr.det", "Detector, as the Hubble Legacy Archive names it: ACS/WFC"),
    _own("aperture", _TEXT, "meta.id;instr", "Aperture of the instrument"),
    _own("spectral_elt", _TEXT, "meta.id;instr.filter", "Filters, separated by /; detection for all together"),
    _own("n_exposures", _INT, "meta.number;obs.exposure", "Exposures that were combined"),
    _own("filename", _TEXT, "meta.id;meta.file", "Name of the published file"),
    Column("modified", _TEXT, ucd="time;meta.file", xtype="timestamp",
           description="When the published file was changed last, ISO 8601, UTC"),
)  # fmt: skip
"""What the index holds beside the mandatory columns."""

OBSCORE_SCHEMA = Schema(
    OBSCORE_COLUMNS + EXTENSION_COLUMNS,
    name="obscore",
    description="Every published image, cube, spectrum and time series: one row per dataset (ObsCore 1.1)",
)
"""The index table ``ivoa.obscore``."""
