import pyarrow as pa
import pytest

from awe.core.science.obscore import EXTENSION_COLUMNS, OBSCORE_COLUMNS, OBSCORE_SCHEMA

# ObsCore 1.1 (2017-05-09), tables 4 and 6: name, type, unit, UCD, utype without its prefix.
STANDARD = """
dataproduct_type  | string |        | meta.code.class              | ObsDataset.dataProductType
calib_level       | int32  |        | meta.code;obs.calib          | ObsDataset.calibLevel
obs_collection    | string |        | meta.id                      | DataID.collection
obs_id            | string |        | meta.id                      | DataID.observationID
obs_publisher_did | string |        | meta.ref.ivoid               | Curation.publisherDID
access_url        | string |        | meta.ref.url                 | Access.reference
access_format     | string |        | meta.code.mime               | Access.format
access_estsize    | int64  | kbyte  | phys.size;meta.file          | Access.size
target_name       | string |        | meta.id;src                  | Target.name
s_ra              | double | deg    | pos.eq.ra                    | Char.SpatialAxis.Coverage.Location.Coord.Position2D.Value2.C1
s_dec             | double | deg    | pos.eq.dec                   | Char.SpatialAxis.Coverage.Location.Coord.Position2D.Value2.C2
s_fov             | double | deg    | phys.angSize;instr.fov       | Char.SpatialAxis.Coverage.Bounds.Extent.diameter
s_region          | string |        | pos.outline;obs.field        | Char.SpatialAxis.Coverage.Support.Area
s_resolution      | double | arcsec | pos.angResolution            | Char.SpatialAxis.Resolution.Refval.value
s_xel1            | int64  |        | meta.number                  | Char.SpatialAxis.numBins1
s_xel2            | int64  |        | meta.number                  | Char.SpatialAxis.numBins2
t_min             | double | d      | time.start;obs.exposure      | Char.TimeAxis.Coverage.Bounds.Limits.StartTime
t_max             | double | d      | time.end;obs.exposure        | Char.TimeAxis.Coverage.Bounds.Limits.StopTime
t_exptime         | double | s      | time.duration;obs.exposure   | Char.TimeAxis.Coverage.Support.Extent
t_resolution      | double | s      | time.resolution              | Char.TimeAxis.Resolution.Refval.value
t_xel             | int64  |        | meta.number                  | Char.TimeAxis.numBins
em_min            | double | m      | em.wl;stat.min               | Char.SpectralAxis.Coverage.Bounds.Limits.LoLimit
em_max            | double | m      | em.wl;stat.max               | Char.SpectralAxis.Coverage.Bounds.Limits.HiLimit
em_res_power      | double |        | spect.resolution             | Char.SpectralAxis.Resolution.ResolPower.refVal
em_xel            | int64  |        | meta.number                  | Char.SpectralAxis.numBins
o_ucd             | string |        | meta.ucd                     | Char.ObservableAxis.ucd
pol_states        | string |        | meta.code;phys.polarization  | Char.PolarizationAxis.stateList
pol_xel           | int64  |        | meta.number                  | Char.PolarizationAxis.numBins
facility_name     | string |        | meta.id;instr.tel            | Provenance.ObsConfig.Facility.name
instrument_name   | string |        | meta.id;instr                | Provenance.ObsConfig.Instrument.name
"""
ROWS = [[cell.strip() for cell in line.split("|")] for line in STANDARD.strip().splitlines()]


def test_the_thirty_columns_are_in_the_standards_order() -> None:
    assert [column.name for column in OBSCORE_COLUMNS] == [row[0] for row in ROWS]
    assert len(OBSCORE_COLUMNS) == 30


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_column_is_as_the_standard_has_it(row: list[str]) -> None:
    name, kind, unit, ucd, utype = row
    column = OBSCORE_SCHEMA[name]
    assert (str(column.type), column.unit, column.ucd, column.utype) == (kind, unit, ucd, f"obscore:{utype}")
    assert column.std
    assert column.principal
    assert column.description


def test_extensions_bear_the_standards_names_where_it_has_one() -> None:
    names = [column.name for column in EXTENSION_COLUMNS]
    assert {"level", "detector", "aperture", "spectral_elt", "n_exposures", "proposal_id", "visit"} <= set(
        names
    )
    assert len({name.lower() for name in OBSCORE_SCHEMA.names}) == len(OBSCORE_SCHEMA)
    assert all(column.utype.startswith("obscore:") for column in EXTENSION_COLUMNS if column.std)
    assert OBSCORE_SCHEMA["s_region"].xtype == "adql:REGION"
    assert pa.types.is_string(OBSCORE_SCHEMA["proposal_id"].type)
