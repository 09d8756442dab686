"""Real FITS, CSV and Parquet files read as astropy, pandas and pyarrow read them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from astropy.table import Table

from awe.core.tables.formats import format_of

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

TABLES = (
    "c_catalogues/2mass_5014.fits",
    "c_catalogues/gaia_dr2_ngc188_4876.fits",
    "c_catalogues/tycho2_mag6.fits",
    "b_gc_hsc/evcc_kim2014_virgo_galaxies.fits",
    "b_gc_hsc/VCC1316_M87_GC_catalog_MUSE.fits",
)
TEXTS = (
    "b_gc_hsc/milkyway_globular_master_catalog.csv",
    "b_gc_hsc/m87_gc_strader2011_1664.csv",
    "c_catalogues/gaia_dr3_47tuc_14530.csv.gz",
    "c_catalogues/redshift_surveys_sdss_desi_2mrs.csv.gz",
    "c_catalogues/sdss_dr14_star_galaxy_qso_10000.csv",
)


@pytest.mark.parametrize("name", TABLES)
def test_fits(shared_data: Path, name: str) -> None:
    path = shared_data / name
    wanted = Table.read(path, hdu=1)
    found = format_of(path).read(path).to_table()
    assert found.column_names == wanted.colnames
    for column in wanted.colnames:
        values = wanted[column]
        got = found[column].to_pylist()
        if values.dtype.kind in "SU":
            assert got == [str(np.ma.filled(v, "")).rstrip() or None for v in values]
        elif values.dtype.kind == "f" and values.ndim == 1:
            numbers = np.ma.filled(np.ma.asarray(values), np.nan).astype(float)
            np.testing.assert_array_equal(np.array([np.nan if v is None else v for v in got]), numbers)
        else:
            assert got == [None if v is np.ma.masked else np.ma.getdata(v).tolist() for v in values]


@pytest.mark.parametrize("name", TEXTS)
def test_csv(shared_data: Path, name: str) -> None:
    path = shared_data / name
    wanted = pd.read_csv(path, low_memory=False)
    found = format_of(path).read(path).to_table()
    assert found.num_rows == len(wanted)
    for column in set(wanted.columns) & set(found.column_names):
        if wanted[column].dtype.kind == "f":
            got = found[column].to_pandas().astype(float)
            np.testing.assert_allclose(got, wanted[column], rtol=1e-14, err_msg=column)


def test_parquet(shared_data: Path) -> None:
    path = shared_data / "c_catalogues" / "hipparcos_from_celestia.parquet"
    assert format_of(path).read(path).to_table().to_pylist()[:99] == pq.read_table(path).to_pylist()[:99]
