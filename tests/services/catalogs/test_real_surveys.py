"""Real rows of SDSS and GALEX, published as they were delivered with functions of a describe file, where they are present."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from awe.core.sky import separation
from awe.platform import Platform
from awe.settings import Settings

pytestmark = pytest.mark.slow

SPECTRA = """
[table]
title = "10,000 spectra of SDSS DR14"
description = "objid and specobjid have lost digits in the file"

[columns.r]
unit = "mag"
ucd = "phot.mag;em.opt.R"

[[views]]
name = "SpecObj"
sql = "SELECT ra, dec, class, redshift AS z, plate, mjd, fiberid FROM sdssdr14.SpecPhoto"
[views.columns.z]
ucd = "src.redshift"

[[functions]]
name = "fGetNearbySpecObjEq"
sql = '''
SELECT plate, mjd, fiberid, class, redshift AS z, 60 * DISTANCE(POINT(ra, dec), POINT(:ra, :dec)) AS "distance"
FROM sdssdr14.SpecPhoto WHERE DISTANCE(POINT(ra, dec), POINT(:ra, :dec)) <= :r / 60'''
parameters = [{ name = "ra", unit = "deg" }, { name = "dec", unit = "deg" }, { name = "r", unit = "arcmin" }]
columns.distance = { unit = "arcmin" }

[[functions]]
kind = "scalar"
name = "fVelocity"
unit = "km/s"
sql = "299792.458 * (POWER(1 + :z, 2) - 1) / (POWER(1 + :z, 2) + 1)"
parameters = [{ name = "z" }]
"""
PHOTO = """
[[views]]
name = "Galaxy"
sql = "SELECT * FROM sdssdr9.PhotoObj WHERE cl = 3"

[[functions]]
name = "fGetNearestObjEq"
sql = '''
SELECT TOP 1 RA_ICRS, DE_ICRS, rmag, 60 * DISTANCE(POINT(RA_ICRS, DE_ICRS), POINT(:ra, :dec)) AS "distance"
FROM sdssdr9.PhotoObj WHERE DISTANCE(POINT(RA_ICRS, DE_ICRS), POINT(:ra, :dec)) <= :r / 60 ORDER BY "distance"'''
parameters = [{ name = "ra", unit = "deg" }, { name = "dec", unit = "deg" }, { name = "r", unit = "arcmin" }]
"""
FLARES = """
[[functions]]
name = "fGetNearbyVariableEq"
sql = '''
SELECT gfcat_objid, simbad_otype FROM galex.gfcat WHERE DISTANCE(POINT(ra, dec), POINT(:ra, :dec)) <= :r / 60'''
parameters = [{ name = "ra", unit = "deg" }, { name = "dec", unit = "deg" }, { name = "r", unit = "arcmin" }]
"""


@pytest.fixture(scope="module")
def files(shared_data: Path) -> dict[str, Path]:
    return {
        "sdssdr14.SpecPhoto": shared_data / "c_catalogues" / "sdss_dr14_star_galaxy_qso_10000.csv",
        "sdssdr9.PhotoObj": shared_data / "c_catalogues" / "sdss_dr9_12405.vot.gz",
        "galex.gfcat": shared_data / "d_lightcurves" / "gfcat_object_table.csv",
    }


@pytest.fixture(scope="module")
def platform(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("real")
    with Platform.open(Settings(data=folder)) as opened:
        for (name, file), text in zip(files.items(), (SPECTRA, PHOTO, FLARES), strict=True):
            (folder / f"{name}.toml").write_text(text)
            opened.catalogs.publish(name, [file], describe=folder / f"{name}.toml")
        yield opened


def ask(platform: Platform, text: str, context: str) -> list[tuple[Any, ...]]:
    table = platform.catalogs.query(text, dialect="tsql", context=context, max_rows=100_000).to_table()
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def test_spectra_of_dr14(platform: Platform, files: dict[str, Path]) -> None:
    rows = pd.read_csv(files["sdssdr14.SpecPhoto"])
    ra, dec = float(rows["ra"][0]), float(rows["dec"][0])
    away = 60 * np.asarray(separation(rows["ra"], rows["dec"], ra, dec))
    expected = rows[away <= 30].assign(distance=away[away <= 30]).sort_values("distance")
    text = f"select plate, fiberid, distance from dbo.fGetNearbySpecObjEq({ra}, {dec}, 30) order by distance"
    found = ask(platform, text, "sdssdr14")
    assert [row[:2] for row in found] == list(zip(expected["plate"], expected["fiberid"], strict=True))
    assert len(found) > 3
    counts: dict[str, int] = dict(
        ask(platform, "select class, count(*) from SpecObj group by class", "SDSSDR14")
    )
    assert counts == rows["class"].value_counts().to_dict()
    quasar = rows[rows["class"] == "QSO"]["redshift"]
    (velocity,) = ask(platform, "select max(dbo.fVelocity(z)) from SpecObj where class = 'qso'", "sdssdr14")
    square = (1 + quasar.max()) ** 2
    assert velocity[0] == pytest.approx(299792.458 * (square - 1) / (square + 1))


def test_objects_of_dr9(platform: Platform, files: dict[str, Path]) -> None:
    rows = Table.read(files["sdssdr9.PhotoObj"], format="votable")
    assert ask(platform, "select count(*) from Galaxy", "sdssdr9") == [(int((rows["cl"] == 3).sum()),)]
    ra, dec = np.asarray(rows["RA_ICRS"]), np.asarray(rows["DE_ICRS"])
    for i in (5, 5000, 12000):
        away = 60 * np.asarray(separation(ra, dec, ra[i] + 0.002, dec[i]))
        found = ask(platform, f"select * from fGetNearestObjEq({ra[i] + 0.002}, {dec[i]}, 2)", "sdssdr9")
        assert found[0][:2] == (ra[away.argmin()], dec[away.argmin()])
        assert found[0][3] == pytest.approx(away.min(), rel=1e-6)


def test_variables_of_galex(platform: Platform, files: dict[str, Path]) -> None:
    rows = pd.read_csv(files["galex.gfcat"])
    near = np.asarray(separation(rows["ra"], rows["dec"], rows["ra"][0], rows["dec"][0])) <= 1
    found = ask(
        platform,
        f"select gfcat_objid from fGetNearbyVariableEq({rows['ra'][0]}, {rows['dec'][0]}, 60)",
        "galex",
    )
    assert sorted(row[0] for row in found) == sorted(rows["gfcat_objid"][near])
