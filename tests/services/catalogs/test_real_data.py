"""Real catalogues, as archives deliver them, published and asked for.

What is right is what astropy and pandas read; what no reader can take is refused in words.
"""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table
from numpy.typing import NDArray

from awe.core.tables.formats import format_of
from awe.errors import InputFileError
from awe.services.catalogs import CatalogService

pytestmark = pytest.mark.slow

# file, rows, position columns; counted by other programs (see the data's own README)
FILES = [
    ("b_gc_hsc/VCC1316_M87_GC_catalog_MUSE.fits", 64, "RA", "DEC"),
    ("b_gc_hsc/evcc_kim2014_virgo_galaxies.fits", 1589, "RA", "Dec"),
    ("b_gc_hsc/m31_gc_rbc5_625.csv", 625, "ra_deg", "dec_deg"),
    ("b_gc_hsc/m87_gc_strader2011_1664.csv", 1664, "ra_deg", "dec_deg"),
    ("b_gc_hsc/virgo_members_sdss_542.csv", 542, "ra_deg", "dec_deg"),
    ("c_catalogues/2mass_5014.fits", 5014, "RAJ2000", "DEJ2000"),
    ("c_catalogues/2mass_psc_683.vot", 683, "RAJ2000", "DEJ2000"),
    ("c_catalogues/gaia_dr2_gc_members_65clusters.parquet", 199_653, "ra", "dec"),
    ("c_catalogues/gaia_dr2_ngc188_4876.fits", 4876, "ra", "dec"),
    ("c_catalogues/gaia_dr2_pleiades_hyades_members.csv", 1841, "ra_deg", "dec_deg"),
    ("c_catalogues/gaia_dr3_47tuc_14530.csv.gz", 14_530, "ra", "dec"),
    ("c_catalogues/gaia_dr3_gc_fields_12800.csv", 12_800, "ra_deg", "dec_deg"),
    ("c_catalogues/hipparcos_from_celestia.parquet", 113_179, "ra_deg", "dec_deg"),
    ("c_catalogues/redshift_surveys_sdss_desi_2mrs.csv.gz", 75_083, "ra_deg", "dec_deg"),
    ("c_catalogues/sdss_dr14_star_galaxy_qso_10000.csv", 10_000, "ra", "dec"),
    ("c_catalogues/sdss_dr9_12405.vot.gz", 12_405, "RA_ICRS", "DE_ICRS"),
    ("c_catalogues/tycho2_mag6.fits", 4683, "RA", "DEC"),
    ("c_catalogues/ugc_12939.fits", 12_939, "ra", "dec"),
]

# file, and what the refusal says
REFUSED = [
    ("b_gc_hsc/eht_SR1_M87_2017_095_lo_StokesI.csv", r"line 3.*'00\.76805556' is a value.*without #"),
    ("b_gc_hsc/hsc_v3_detail_M15_9rows.json", "not a table"),
    ("b_gc_hsc/hsc_v3_query_M15_28rows.json", "not a table"),
    (
        "b_gc_hsc/milkyway_globular_master_catalog.csv",
        "row 165: ra_deg=missing.*leave out rows without a position",
    ),
    ("c_catalogues/celestia_hipparcos_stars.dat", "format is not known.*known extensions"),
    ("c_catalogues/gd1_gaia_ps1.hdf", "HDF5 files cannot be read here.*Parquet or FITS"),
    ("c_catalogues/hip_main_bright_9933.dat.gz", "format is not known.*known extensions"),
    ("f_photoz/annz_boss_dr10_0.csv", r"line 2.*'22\.744637' is a value"),
    ("f_photoz/annz_boss_dr10_colorCuts.csv.gz", "line 2.*is a value"),
    ("g_lens_quasar_stellar/hlsp_legus_ngc1566_clusters_2752.tab.gz", "line 1.*is a value"),
    ("seed/hla_m87_results_page.csv", "column RA.*degrees as numbers.*sexagesimal"),
]


def read_elsewhere(path: Path) -> pd.DataFrame:
    """Read a file by astropy or pandas."""
    name = path.name.removesuffix(".gz")
    if name.endswith(".csv"):
        return pd.read_csv(path, low_memory=False)
    if name.endswith(".parquet"):
        return pd.read_parquet(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        form, which = (
            ("fits", {"hdu": 1}) if name.endswith(".fits") else ("votable", {"use_names_over_ids": True})
        )
        frame: pd.DataFrame = Table.read(path, format=form, **which).to_pandas()
        return frame


def numbers(frame: pd.DataFrame, names: list[str]) -> NDArray[np.float64]:
    """Return the columns as numbers, the rows in the order of their values; NaN counts as the largest."""
    values = np.column_stack([frame[n].to_numpy(float, na_value=np.nan) for n in names])
    order: NDArray[np.float64] = values[np.lexsort(values.T)]
    return order


def texts(column: "pd.Series[str]") -> list[str]:
    """Return texts in their order; a missing one is an empty one."""
    plain = (value.decode() if isinstance(value, bytes) else str(value) for value in column.fillna(""))
    return sorted(value.strip() for value in plain)


@pytest.mark.parametrize(("name", "rows", "ra", "dec"), FILES)
def test_a_real_catalogue_is_published_as_it_is(
    service: CatalogService, shared_data: Path, name: str, rows: int, ra: str, dec: str
) -> None:
    path = shared_data / name
    record = service.publish("archive.t", [path])
    assert (record.rows, record.ra, record.dec) == (rows, ra, dec)
    told = {ra: ("deg", "pos.eq.ra;meta.main"), dec: ("deg", "pos.eq.dec;meta.main")}
    with format_of(path).read(path) as source:
        for column, wanted in zip(record.columns, source.schema, strict=True):
            unit, ucd = told.get(column.name, ("", ""))
            expected = (wanted.name, wanted.unit or unit, wanted.ucd or ucd)
            assert (column.name, column.unit, column.ucd) == expected

    answer = service.query("SELECT * FROM archive.t", max_rows=1_000_000).to_table().to_pandas()
    known = read_elsewhere(path)
    assert len(answer) == len(known) == rows
    assert list(answer.columns) == list(known.columns)
    numeric = [n for n in known.columns if known[n].dtype.kind in "iufb"]
    np.testing.assert_array_equal(numbers(answer, numeric), numbers(known, numeric))
    for other in set(known.columns) - set(numeric):
        assert texts(answer[other]) == texts(known[other]), other


@pytest.mark.parametrize(("name", "reason"), REFUSED)
def test_a_file_that_cannot_be_published_is_refused_in_words(
    service: CatalogService, shared_data: Path, name: str, reason: str
) -> None:
    with pytest.raises(InputFileError, match=f"(?s){Path(name).name}.*{reason}"):
        service.publish("archive.t", [shared_data / name])
    assert service.tables() == ()


def test_rows_without_positions_are_published_where_nobody_asks_for_positions(
    service: CatalogService, shared_data: Path
) -> None:
    path = shared_data / "b_gc_hsc" / "milkyway_globular_master_catalog.csv"
    record = service.publish("archive.mw", [path], ra="", dec="")
    assert (record.rows, record.ra) == (len(pd.read_csv(path)), None)
    missing = service.query("SELECT COUNT(*) AS n FROM archive.mw WHERE ra_deg IS NULL").to_table()
    assert missing["n"].to_pylist() == [6]


def test_the_clusters_of_m87_are_around_m87(service: CatalogService, shared_data: Path) -> None:
    service.publish("m87.clusters", [shared_data / "b_gc_hsc/m87_gc_strader2011_1664.csv"])
    found = service.cone("m87.clusters", 187.7059, 12.3911, 0.05).to_table()
    assert 100 < found.num_rows < 1664
