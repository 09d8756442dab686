"""Matching tables by position from Python, against brute force."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.time import Time
from erfa import ErfaWarning

from awe.client import Client, connect
from awe.errors import ParameterError
from awe.testing import TINY_TABLE, tiny_archive

RADIUS = 0.05 * u.deg


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("sky")
    tiny_archive(folder).close()
    with connect(folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def theirs(archive: Client) -> Table:
    return archive.query(f"SELECT * FROM {TINY_TABLE}", max_rows=1_000_000)


@pytest.fixture(scope="module")
def mine(theirs: Table) -> Table:
    random = np.random.default_rng(1)
    some = theirs[random.choice(len(theirs), 60, replace=False)]
    ra, dec = (np.append(some[n] + random.normal(0, 0.01, 60), [10.0, 200.0]) for n in ("ra", "dec"))
    return Table({"id": np.arange(62), "ra": ra, "dec": np.clip(dec, -90, 90)})


@pytest.fixture(scope="module")
def apart(mine: Table, theirs: Table) -> np.ndarray:
    """The separation of each from each in arcsec, infinite where it is too much."""
    one, other = (SkyCoord(t["ra"], t["dec"], unit="deg") for t in (mine, theirs))
    found = one[:, None].separation(other[None])
    return np.where(found <= RADIUS, found.arcsec, np.inf)


def match(archive: Client, *given: Any, **more: Any) -> Table:
    found = archive.crossmatch(*given, **more)
    assert isinstance(found, Table)
    return found


def test_all_pairs(archive: Client, mine: Table, apart: np.ndarray) -> None:
    found = match(archive, mine, TINY_TABLE, RADIUS, find="all", max_rows=1_000_000)
    assert len(found) == np.isfinite(apart).sum() > 60
    assert found.colnames[:3] == ["id", "ra", "dec"]
    assert {"id_2", "ra_2", "dec_2"} <= set(found.colnames)
    assert found.colnames[-1] == "separation"


def test_the_nearest_and_what_has_none(
    archive: Client, mine: Table, theirs: Table, apart: np.ndarray
) -> None:
    found = match(archive, mine, TINY_TABLE, RADIUS)
    has = np.isfinite(apart.min(axis=1))
    found.sort("id")
    assert found["id"].tolist() == np.flatnonzero(has).tolist()
    np.testing.assert_allclose(found["separation"], apart.min(axis=1)[has], atol=1e-6)
    np.testing.assert_array_equal(found["id_2"], theirs["id"][apart.argmin(axis=1)[has]])
    kept = match(archive, mine, TINY_TABLE, RADIUS, keep=True, columns=["id"])
    assert kept.colnames == ["id", "ra", "dec", "id_2", "separation"]
    assert len(kept) == 62
    assert np.ma.getmaskarray(kept["id_2"]).sum() == (~has).sum() > 0
    three = match(archive, mine, TINY_TABLE, RADIUS, find=3)
    assert len(three) == np.minimum(np.isfinite(apart).sum(axis=1), 3).sum()


def test_each_others_nearest(archive: Client, mine: Table, apart: np.ndarray) -> None:
    found = match(archive, mine, TINY_TABLE, RADIUS, find="mutual")
    rows = [
        i
        for i, j in enumerate(apart.argmin(axis=1))
        if np.isfinite(apart[i, j]) and apart[:, j].argmin() == i
    ]
    assert sorted(found["id"].tolist()) == rows


def test_tables_of_the_archive_and_files(
    archive: Client, mine: Table, apart: np.ndarray, tmp_path: Path
) -> None:
    itself = match(archive, TINY_TABLE, TINY_TABLE, "0.001 arcsec", columns=["id"], max_rows=1_000_000)
    assert (itself["separation"] == 0).all()
    path = tmp_path / "mine.vot"
    renamed = mine.copy()
    renamed.rename_columns(["ra", "dec"], ["lon", "lat"])
    renamed.write(path, format="votable")
    with pytest.raises(ParameterError, match="position"):
        archive.crossmatch(path, TINY_TABLE, RADIUS)
    saved = archive.crossmatch(
        path,
        TINY_TABLE,
        RADIUS,
        position=("lon", "lat"),
        columns=["id"],
        save=tmp_path / "x.parquet",
    )
    assert isinstance(saved, Path)
    assert len(Table.read(saved)) == np.isfinite(apart.min(axis=1)).sum()


def test_what_is_not_offered_is_said(archive: Client, mine: Table) -> None:
    with pytest.raises(ParameterError, match="find"):
        archive.crossmatch(mine, TINY_TABLE, RADIUS, find=0)
    with pytest.raises(ParameterError, match="no such column"):
        archive.crossmatch(mine, TINY_TABLE, RADIUS, position=("x", "y"))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"find": True}, "find"), ({"find": "mutual", "keep": True}, "keep"), ({"radius": np.nan}, "radius"),
        ({"error": "1 arcsec", "sigmas": np.inf}, "sigmas"), ({"error": "-1 arcsec"}, "error=-1 arcsec: is below zero"),
        ({"magnitudes": ("id", "mag", np.nan)}, "magnitudes"),
        ({"motion": ("id", "id"), "epoch": np.nan, "right_epoch": 2000.0}, "epoch"),
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused(archive: Client, mine: Table, how: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        archive.crossmatch(mine, TINY_TABLE, **how)


def test_positions_in_other_units_are_refused(archive: Client, mine: Table) -> None:
    other = mine.copy()
    other["ra"].unit = other["dec"].unit = u.rad
    with pytest.raises(ParameterError, match="ra: its unit is rad"):
        archive.crossmatch(other, TINY_TABLE)


def test_no_column_is_lost_to_one_of_the_same_name(archive: Client, mine: Table, theirs: Table) -> None:
    once = match(archive, mine, TINY_TABLE, RADIUS, columns=["id", "mag"])
    assert once.colnames == ["id", "ra", "dec", "id_2", "mag", "separation"]
    again = match(archive, once, TINY_TABLE, RADIUS, columns=["id", "mag"])
    assert again.colnames == [*once.colnames, "id_3", "mag_2", "separation_2"]
    np.testing.assert_array_equal(again["id_2"], again["id_3"])
    np.testing.assert_array_equal(again["separation"], again["separation_2"])
    assert len(again) == len(once) > 10
    alone = match(archive, mine, TINY_TABLE, RADIUS, columns=[])
    assert alone.colnames == ["id", "ra", "dec", "separation"]


@pytest.mark.parametrize("lang", ["adql", "postgres", "tsql"])
def test_a_join_by_hand_keeps_the_columns_of_both_sides(
    archive: Client, theirs: Table, lang: Literal["adql", "postgres", "tsql"]
) -> None:
    table = TINY_TABLE
    found = archive.query(f"SELECT a.*, b.* FROM {table} AS a JOIN {table} AS b ON a.id = b.id", lang=lang)
    assert isinstance(found, Table)
    assert found.colnames == [*theirs.colnames, *(f"{name}_2" for name in theirs.colnames)]
    np.testing.assert_array_equal(found["ra"], found["ra_2"])
    assert len(found) == len(theirs)


def around(theirs: Table, seed: int, count: int = 80) -> Table:
    """Return rows 1 to 300 arcsec from some of theirs, that move, with errors and magnitudes, and one that has neither."""
    random = np.random.default_rng(seed)
    some = theirs[random.choice(len(theirs), count, replace=False)]
    places = SkyCoord(some["ra"], some["dec"], unit="deg").directional_offset_by(
        random.uniform(0, 360, count) * u.deg, 10 ** random.uniform(0, 2.5, count) * u.arcsec
    )
    made = Table(
        {
            "id": np.arange(count), "ra": places.ra.deg, "dec": places.dec.deg,
            "pmra": random.normal(0, 5000, count), "pmdec": random.normal(0, 5000, count),
            "when": np.where(np.arange(count) % 2, 1990.0, 2005.5), "err": random.uniform(1, 40, count),
            "mag": np.asarray(some["mag"], float) + random.normal(0, 0.5, count),
        }
    )  # fmt: skip
    made["pmra"][0] = made["pmdec"][0] = np.nan
    return Table(made, masked=True, copy=True)


def separations(one: SkyCoord, theirs: Table) -> np.ndarray:
    other = SkyCoord(theirs["ra"], theirs["dec"], unit="deg")
    found: np.ndarray = one[:, None].separation(other[None]).arcsec
    return found


def found_pairs(table: Table) -> list[tuple[int, int]]:
    return sorted(zip(table["id"].tolist(), table["id_2"].tolist(), strict=True))


def pairs_of(near: np.ndarray, theirs: Table) -> list[tuple[int, int]]:
    return sorted((int(i), int(theirs["id"][j])) for i, j in np.argwhere(near))


def moved(table: Table, until: float) -> SkyCoord:
    """Where astropy moves the rows to."""
    pm = [np.nan_to_num(np.asarray(table[name], float)) * u.mas / u.yr for name in ("pmra", "pmdec")]
    stars = SkyCoord(
        np.asarray(table["ra"]) * u.deg, np.asarray(table["dec"]) * u.deg, pm_ra_cosdec=pm[0], pm_dec=pm[1],
        distance=np.full(len(table), 1e6) * u.pc, radial_velocity=np.zeros(len(table)) * u.km / u.s,
        obstime=Time(np.asarray(table["when"]), format="jyear"),
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ErfaWarning)
        return stars.apply_space_motion(new_obstime=Time(until, format="jyear"))


def test_rows_are_moved_to_the_epoch_of_the_others(archive: Client, theirs: Table) -> None:
    mine = around(theirs, 5)
    mine["pmra"].mask[0] = mine["pmdec"].mask[0] = True
    near = separations(moved(mine, 2016.0), theirs) <= 180
    more = {"motion": ("pmra", "pmdec"), "epoch": "when", "right_epoch": 2016, "columns": ["id"]}
    found = match(archive, mine, TINY_TABLE, "3 arcmin", find="all", **more)
    assert found_pairs(found) == pairs_of(near, theirs)
    assert found_pairs(found) != pairs_of(
        separations(SkyCoord(mine["ra"], mine["dec"], unit="deg"), theirs) <= 180, theirs
    )
    apart = np.where(near, separations(moved(mine, 2016.0), theirs), np.inf)
    nearest = match(archive, mine, TINY_TABLE, "3 arcmin", **more)
    nearest.sort("id")
    np.testing.assert_allclose(nearest["separation"], apart.min(axis=1)[nearest["id"]], rtol=1e-6)
    assert nearest["id"].tolist() == np.flatnonzero(near.any(axis=1)).tolist()


def test_the_archives_rows_move_where_only_they_have_motions(archive: Client, theirs: Table) -> None:
    mine = around(theirs, 6)
    here = match(
        archive, TINY_TABLE, TINY_TABLE, "20 arcsec", find="all", columns=["id"], max_rows=1_000_000,
        right_motion=("mag", "mag"), epoch=2000.0, right_epoch=2000.0,
    )  # fmt: skip
    still = match(
        archive, TINY_TABLE, TINY_TABLE, "20 arcsec", find="all", columns=["id"], max_rows=1_000_000
    )
    assert found_pairs(here) == found_pairs(still)
    moving = Table({"ra": theirs["ra"], "dec": theirs["dec"], "pmra": theirs["mag"], "pmdec": theirs["mag"]})
    moving["when"] = 1000.0
    then = separations(
        SkyCoord(mine["ra"], mine["dec"], unit="deg"),
        Table({"ra": (p := moved(moving, 9000.0)).ra.deg, "dec": p.dec.deg}),
    )
    found = match(
        archive, mine, TINY_TABLE, "3 arcmin", find="all", columns=["id"],
        right_motion=("mag", "mag"), epoch=9000.0, right_epoch=1000.0,
    )  # fmt: skip
    assert found_pairs(found) == pairs_of(then <= 180, theirs)


@pytest.mark.parametrize("find", ["all", "nearest", "mutual"])
def test_errors_of_positions_and_magnitudes(archive: Client, theirs: Table, find: str) -> None:
    mine = around(theirs, 7)
    apart = separations(SkyCoord(mine["ra"], mine["dec"], unit="deg"), theirs)
    error = np.hypot(np.asarray(mine["err"])[:, None], 5.0)
    alike = np.abs(np.asarray(mine["mag"])[:, None] - np.asarray(theirs["mag"], float)[None]) <= 0.6
    near = (apart <= 300) & (apart / error <= 2.5) & alike
    found = match(
        archive, mine, TINY_TABLE, "5 arcmin", find=find, columns=["id"], error="err", right_error="5 arcsec",
        sigmas=2.5, magnitudes=("mag", "mag", 0.6),
    )  # fmt: skip
    apart = np.where(near, apart, np.inf)
    if find != "all":
        near &= apart == apart.min(axis=1)[:, None]
    if find == "mutual":
        near &= apart == apart.min(axis=0)[None]
    assert found_pairs(found) == pairs_of(near, theirs)
    rows = {int(i): row for row, i in enumerate(theirs["id"])}
    places = [(int(i), rows[int(j)]) for i, j in zip(found["id"], found["id_2"], strict=True)]
    wanted = [apart[i, j] / error[i, 0] for i, j in places]
    np.testing.assert_allclose(found["normalised"], wanted, rtol=1e-6)
    assert len(found) > 10


def test_the_unit_of_an_error_is_that_of_its_column(archive: Client, theirs: Table) -> None:
    mine = around(theirs, 8)
    given = {"find": "all", "columns": ["id"], "error": "err", "sigmas": 2.0}
    found = match(archive, mine, TINY_TABLE, "5 arcmin", **given)
    mine["err"] = (np.asarray(mine["err"]) * u.arcsec).to(u.mas)
    assert found_pairs(match(archive, mine, TINY_TABLE, "5 arcmin", **given)) == found_pairs(found)
    mine["err"] = np.asarray(mine["err"]) * u.s
    with pytest.raises(ParameterError, match="not that of an angle"):
        archive.crossmatch(mine, TINY_TABLE, "5 arcmin", error="err")


def test_who_moves_must_be_told_from_when_to_when(archive: Client, theirs: Table) -> None:
    mine = around(theirs, 9)
    for more in ({}, {"epoch": 2000.0}, {"epoch": "when", "right_epoch": "when"}):
        with pytest.raises(ParameterError, match="epoch"):
            archive.crossmatch(mine, TINY_TABLE, motion=("pmra", "pmdec"), **more)
    with pytest.raises(ParameterError, match="motion"):
        archive.crossmatch(mine, TINY_TABLE, motion=("pmra", "pm"), epoch=2000.0, right_epoch=2016.0)
    with pytest.raises(ParameterError, match="magnitudes"):
        archive.crossmatch(mine, TINY_TABLE, magnitudes=("mag", "colour", 1.0))
