"""Convenience columns, against astropy's."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import BarycentricMeanEcliptic, SkyCoord
from astropy_healpix import HEALPix
from tests.services.catalogs.own.conftest import ADA, stream

from awe.core.sky import htm_index
from awe.errors import ConflictError, ParameterError
from awe.platform import Platform
from awe.services.catalogs import TableService


def test_the_convenience_columns_are_right(tables: TableService, platform: Platform) -> None:
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(0, 360, 500), np.degrees(np.arcsin(rng.uniform(-1, 1, 500)))
    tables.write("t", stream(id=np.arange(500), ra=ra, dec=dec), ADA)
    made = tables.extend("t", ADA)
    assert made.columns.names[3:] == (
        "htm9",
        "ring256",
        "nest4096",
        "random_id",
        "glon",
        "glat",
        "elon",
        "elat",
    )
    found = platform.catalogs.query("SELECT * FROM mydb.t ORDER BY id", identity=ADA).to_table()
    values = {name: found[name].to_numpy() for name in found.column_names}
    place = SkyCoord(ra * u.deg, dec * u.deg)
    assert (values["htm9"] == htm_index(ra, dec, 9)).all()
    for name, nside, order in (("ring256", 256, "ring"), ("nest4096", 4096, "nested")):
        cells = HEALPix(nside=nside, order=order).lonlat_to_healpix(place.ra, place.dec)
        assert (values[name] == cells).all()
    for lon, lat, there in (
        ("glon", "glat", place.galactic.represent_as("unitspherical")),
        ("elon", "elat", place.transform_to(BarycentricMeanEcliptic()).represent_as("unitspherical")),
    ):
        ours = SkyCoord(values[lon] * u.deg, values[lat] * u.deg)
        assert ours.separation(SkyCoord(there.lon, there.lat)).max() < 0.1 * u.arcsec
    random = values["random_id"]
    assert (random >= 0).all()
    assert (random < 100).all()
    assert np.abs(np.histogram(random, 4, (0, 100))[0] - 125).max() < 45
    assert made.columns["glon"].unit == "deg"
    assert (made.ra, made.dec) == ("ra", "dec")


def test_some_of_them_are_added_and_rows_without_a_position_have_none(
    tables: TableService, platform: Platform
) -> None:
    tables.write("t", stream(ra=[1.0, None], dec=[2.0, None]), ADA)
    tables.extend("t", ADA, ["GLON", "htm9"])
    found = platform.catalogs.query("SELECT * FROM mydb.t WHERE ra IS NULL", identity=ADA).to_table()
    assert found.to_pylist() == [{"ra": None, "dec": None, "glon": None, "htm9": None}]
    with pytest.raises(ConflictError, match="a column htm9 already"):
        tables.extend("t", ADA)
    with pytest.raises(ParameterError, match="no convenience column"):
        tables.extend("t", ADA, ["htm10"])
    tables.write("u", stream(x=[1.0]), ADA)
    with pytest.raises(ParameterError, match="no position columns"):
        tables.extend("u", ADA)
