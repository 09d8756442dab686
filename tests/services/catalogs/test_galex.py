"""The GALEX of the demonstration sky, alone and matched with its SDSS, against answers computed apart."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from awe.core.science.simulation import simulate_sky
from awe.core.sky import separation
from awe.demo._surveys import write_surveys
from awe.errors import QueryError
from awe.platform import Platform
from awe.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("galex")
    with Platform.open(Settings(data=folder)) as opened:
        for table in write_surveys(simulate_sky(87), folder):
            opened.catalogs.publish(table.name, [table.file], describe=table.describe)
        yield opened


@pytest.fixture(scope="module")
def sources(platform: Platform) -> pd.DataFrame:
    return pd.read_parquet(Path(platform.settings.folder) / "galex.photoobjall.parquet")


@pytest.fixture(scope="module")
def photo(platform: Platform) -> pd.DataFrame:
    photo = pd.read_parquet(Path(platform.settings.folder) / "sdss.PhotoObjAll.parquet")
    return photo[photo["mode"] == 1]


def ask(platform: Platform, text: str, dialect: str = "tsql") -> list[tuple[Any, ...]]:
    table = platform.catalogs.query(text, dialect=dialect, context="galex", max_rows=100_000).to_table()
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def test_it_looks_as_ultraviolet_surveys_do(sources: pd.DataFrame) -> None:
    deep, shallow = (sources[sources["mpstype"] == name] for name in ("MIS", "AIS"))
    assert sources["objid"].is_unique
    assert 22.3 < deep["nuv_mag"].quantile(0.95) < 23.6
    assert 20.3 < shallow["nuv_mag"].quantile(0.95) < 21.8
    assert 0 < sources["fuv_mag"].notna().mean() < 0.6
    assert ((sources["band"] & 1 > 0) == sources["nuv_mag"].notna()).all()
    assert ((sources["band"] & 2 > 0) == sources["fuv_mag"].notna()).all()
    flux = 10 ** (-0.4 * (sources["nuv_mag"] - 23.9))
    assert np.allclose(flux, sources["nuv_flux"], rtol=1e-4)
    assert sources["fov_radius"].max() <= 0.6
    # two tiles see their overlap
    first = sources[sources["mpstype"] == "AIS"].iloc[0]
    assert (
        len(
            sources[(abs(sources["ra"] - first["ra"]) < 0.003) & (abs(sources["dec"] - first["dec"]) < 0.003)]
        )
        >= 1
    )


def test_sources_near_a_position(platform: Platform, sources: pd.DataFrame) -> None:
    away = 60 * np.asarray(separation(sources["ra"], sources["dec"], 187.7, 12.4))
    found = ask(platform, "select objid, distance from dbo.fGetNearbyObjEq(187.7, 12.4, 4) order by distance")
    assert [row[0] for row in found] == sources["objid"][np.argsort(away)][np.sort(away) <= 4].tolist()
    assert len(found) > 5
    assert ask(platform, "select objid from fGetNearestObjEq(187.7, 12.4, 4)") == [(found[0][0],)]
    stream = platform.catalogs.query(
        "select distance from fGetNearbyObjEq(1, 2, 3)", dialect="tsql", context="galex"
    )
    with stream:
        assert (stream.schema["distance"].unit, stream.schema["distance"].ucd) == (
            "arcmin",
            "pos.angDistance",
        )


def test_values_of_another_survey_by_its_name(platform: Platform) -> None:
    calls = "fPhotoType('STAR'), dbo.fPhotoType('STAR'), sdss.fPhotoType('STAR'), sdss.dbo.fPhotoType('STAR')"
    assert ask(platform, f"select {calls}") == [(6, 6, 6, 6)]
    for call in ("galex.fPhotoType('STAR')", "galex.dbo.fPhotoType('STAR')"):
        with pytest.raises(QueryError, match=r"no function galex\.fPhotoType"):
            ask(platform, f"select {call}")
    with pytest.raises(QueryError, match="cannot be called"):
        ask(platform, "select a.b.fPhotoType('STAR')")


def test_tiles_of_a_position(platform: Platform) -> None:
    found = ask(platform, "select mpstype, distance from fGetNearbyTileEq(187.3, 12.4) order by distance")
    assert [survey for survey, _ in found] == ["AIS", "MIS"]


def test_a_name_of_two_surveys_is_told_of(platform: Platform) -> None:
    text = "select objid from fGetNearbyObjEq(1, 2, 3)"
    with pytest.raises(QueryError) as caught:
        platform.catalogs.query(text, dialect="tsql")
    assert "sdss.fGetNearbyObjEq" in str(caught.value.hint)
    assert "galex.fGetNearbyObjEq" in str(caught.value.hint)


@pytest.mark.parametrize("dialect", ["adql", "postgres", "tsql"])
def test_a_match_with_sdss(
    platform: Platform, sources: pd.DataFrame, photo: pd.DataFrame, dialect: str
) -> None:
    """Ultraviolet sources and their optical counterparts within 3 arcsec, in three languages and by brute force."""
    texts = {
        "adql": "SELECT g.objid, p.objID FROM galex.photoobjall AS g JOIN sdss.PhotoPrimary AS p"
        " ON DISTANCE(POINT(g.ra, g.dec), POINT(p.ra, p.dec)) < 3 / 3600.0 WHERE g.fuv_mag < 21",
        "postgres": "SELECT g.objid, p.objid FROM galex.photoobjall g, sdss.photoprimary p"
        " WHERE q3c_join(g.ra, g.dec, p.ra, p.dec, 3 / 3600.0) AND g.fuv_mag < 21",
        "tsql": "select g.objid, p.objID from photoobjall g cross apply sdss.dbo.fGetNearbyObjEq(g.ra, g.dec, 0.05) p"
        " where g.fuv_mag < 21",
    }
    expected = set()
    for _, source in sources[sources["fuv_mag"] < 21].iterrows():
        near = np.asarray(separation(photo["ra"], photo["dec"], source["ra"], source["dec"])) < 3 / 3600
        expected |= {(int(source["ra"] * 1e9), int(found)) for found in photo["objID"][near]}
    places = {int(i): int(ra * 1e9) for i, ra in zip(sources["objid"], sources["ra"], strict=True)}
    assert {(places[one], other) for one, other in ask(platform, texts[dialect], dialect)} == expected
    assert len(expected) > 100


def test_it_says_that_it_is_simulated(platform: Platform) -> None:
    for record in platform.catalogs.tables():
        if record.schema == "galex":
            assert record.description.startswith("SIMULATED")
            assert all(column.description for column in record.columns)
