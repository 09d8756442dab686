"""What a delivered spectrum says of itself, in the words of the Spectral Data Model 1.1 (REC 2011-11-20).

The table of the samples is made by `awe.core.science.spectra.spectrum_table`; these are the PARAMs that stand with it.
"""

from collections.abc import Iterator, Mapping

from awe.core.vo._xml import Element, node

__all__ = ["MODEL", "spectrum_params"]

MODEL = "Spectrum-1.1"

# column of the index, utype below spec:Spectrum, UCD, unit, datatype
_PARAMS: tuple[tuple[str, str, str, str, str], ...] = (
    ("obs_title", "DataID.Title", "meta.title;meta.dataset", "", "char"),
    ("obs_collection", "DataID.Collection", "", "", "char"),
    ("obs_creator_name", "DataID.Creator", "", "", "char"),
    ("obs_creator_did", "DataID.CreatorDID", "meta.id", "", "char"),
    ("obs_creation_date", "DataID.Date", "time;meta.dataset", "", "char"),
    ("instrument_name", "DataID.Instrument", "meta.id;instr", "", "char"),
    ("obs_publisher_did", "Curation.PublisherDID", "meta.ref.ivoid", "", "char"),
    ("bib_reference", "Curation.Reference", "meta.bib.bibcode", "", "char"),
    ("data_rights", "Curation.Rights", "", "", "char"),
    ("target_name", "Target.Name", "meta.id;src", "", "char"),
    ("target_class", "Target.Class", "src.class", "", "char"),
    ("redshift", "Target.Redshift", "src.redshift", "", "double"),
    ("snr", "Derived.SNR", "stat.snr", "", "double"),
    ("s_fov", "Char.SpatialAxis.Coverage.Bounds.Extent", "phys.angSize;instr.fov", "deg", "double"),
    ("t_min", "Char.TimeAxis.Coverage.Bounds.Start", "time.start;obs.exposure", "d", "double"),
    ("t_max", "Char.TimeAxis.Coverage.Bounds.Stop", "time.end;obs.exposure", "d", "double"),
    ("t_exptime", "Char.TimeAxis.Coverage.Support.Extent", "time.duration;obs.exposure", "s", "double"),
    ("em_min", "Char.SpectralAxis.Coverage.Bounds.Start", "em.wl;stat.min", "m", "double"),
    ("em_max", "Char.SpectralAxis.Coverage.Bounds.Stop", "em.wl;stat.max", "m", "double"),
    ("em_res_power", "Char.SpectralAxis.ResPower", "spect.resolution", "", "double"),
    ("em_calib_status", "Char.SpectralAxis.Calibration", "meta.code.qual", "", "char"),
    ("o_calib_status", "Char.FluxAxis.Calibration", "", "", "char"),
)
_POSITIONS = (("Target.Pos", "pos.eq;src"), ("Char.SpatialAxis.Coverage.Location.Value", "pos.eq"))


def spectrum_params(row: Mapping[str, object], samples: int, publisher: str) -> Iterator[Element]:
    """Yield the PARAMs of a spectrum.

    Parameters
    ----------
    row
        Its row of the observation index.
    samples
        How many it has.
    publisher
        Who publishes it.
    """
    yield _param("DataModel", "DataModel", "", "", "char", MODEL)
    yield _param("Type", "Type", "", "", "char", "Spectrum")
    yield _param("Length", "Length", "meta.number", "", "long", str(samples))
    yield _param("Publisher", "Curation.Publisher", "meta.curation", "", "char", publisher)
    yield _param("SpaceFrame", "CoordSys.SpaceFrame.Name", "pos.frame", "", "char", "ICRS")
    yield _param("TimeFrame", "CoordSys.TimeFrame.Name", "time.scale", "", "char", "UTC")
    if row.get("s_ra") is not None and row.get("s_dec") is not None:
        for utype, ucd in _POSITIONS:
            yield _param(
                utype.replace(".", ""),
                utype,
                ucd,
                "deg",
                "double",
                f"{row['s_ra']!r} {row['s_dec']!r}",
                size="2",
            )
    medium = row.get("spectral_medium")
    if medium:
        yield _param("AIRORVAC", "AIRORVAC", "", "", "char", "vac" if medium == "vacuum" else "air")
    for column, utype, ucd, unit, datatype in _PARAMS:
        value = row.get(column)
        if value is not None:
            yield _param(column, utype, ucd, unit, datatype, str(value))


def _param(
    name: str, utype: str, ucd: str, unit: str, datatype: str, value: str, *, size: str = ""
) -> Element:
    attributes = {
        "name": name,
        "datatype": datatype,
        "arraysize": size or ("*" if datatype == "char" else None),
        "unit": unit or None,
        "ucd": ucd or None,
        "utype": f"spec:Spectrum.{utype}",
        "value": value,
    }
    return node("vot:PARAM", attributes)
