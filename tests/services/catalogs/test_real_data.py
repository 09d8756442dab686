"""Real catalogues, as archives deliver them, published and asked for."""

from pathlib import Path

import pyarrow as pa
import pytest

from awe.core.tables.formats import format_of
from awe.services.catalogs import CatalogService

# file, rows, position columns; counted by other programs (see the data's own README)
FILES = [
    ("b_gc_hsc/m87_gc_strader2011_1664.csv", 1664, "ra_deg", "dec_deg"),
    ("b_gc_hsc/VCC1316_M87_GC_catalog_MUSE.fits", 64, "RA", "DEC"),
    ("c_catalogues/2mass_psc_683.vot", 683, "RAJ2000", "DEJ2000"),
    ("c_catalogues/sdss_dr9_12405.vot.gz", 12405, "RA_ICRS", "DE_ICRS"),
    ("c_catalogues/gaia_dr3_47tuc_14530.csv.gz", 14530, "ra", "dec"),
    ("c_catalogues/tycho2_mag6.fits", 4683, "RA", "DEC"),
    ("c_catalogues/ugc_12939.fits", 12939, "ra", "dec"),
]


def pairs(table: pa.Table) -> list[tuple[float, ...]]:
    return sorted(zip(*(column.to_pylist() for column in table.columns), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "rows", "ra", "dec"), FILES)
def test_a_real_catalogue_is_published_as_it_is(
    service: CatalogService, shared_data: Path, name: str, rows: int, ra: str, dec: str
) -> None:
    path = shared_data / name
    record = service.publish("archive.t", [path])
    assert (record.rows, record.ra, record.dec) == (rows, ra, dec)
    source = format_of(path).read(path)
    told = {ra: ("deg", "pos.eq.ra;meta.main"), dec: ("deg", "pos.eq.dec;meta.main")}
    for column, wanted in zip(record.columns, source.schema, strict=True):
        unit, ucd = told.get(column.name, ("", ""))
        assert (column.name, column.unit, column.ucd) == (wanted.name, wanted.unit or unit, wanted.ucd or ucd)
    assert pairs(service.query(f'SELECT "{ra}", "{dec}" FROM archive.t').to_table()) == pairs(
        source.to_table().select([ra, dec])
    )


@pytest.mark.slow
def test_the_clusters_of_m87_are_around_m87(service: CatalogService, shared_data: Path) -> None:
    service.publish("m87.clusters", [shared_data / "b_gc_hsc/m87_gc_strader2011_1664.csv"])
    found = service.cone("m87.clusters", 187.7059, 12.3911, 0.05).to_table()
    assert 100 < found.num_rows < 1664
