"""``awe crossmatch`` against a real server, and against astropy."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord, match_coordinates_sky
from astropy.table import Table

from awe.cli import main
from awe.client import connect
from awe.testing import TINY_TABLE

pytestmark = pytest.mark.slow

RADIUS_ARCSEC = 60.0
RADIUS = f"{RADIUS_ARCSEC} arcsec"


@pytest.fixture
def awe(
    server: str,
    token: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., str]:
    """Return what runs a command in an empty folder, logged in, and gives what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWE_URL", server)
    monkeypatch.setenv("AWE_TOKEN", token)

    def run(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["awe", *words])
        main()
        return capsys.readouterr().out

    return run


def sources(server: str) -> Table:
    with connect(server) as archive:
        return archive.query(f"SELECT id, ra, dec, mag FROM {TINY_TABLE}")


def candidates(theirs: Table) -> Table:
    """Return positions around theirs, of which some have no source near, under names that say nothing."""
    random = np.random.default_rng(3)
    some = theirs[random.choice(len(theirs), 40, replace=False)]
    lon, lat = (np.append(some[n] + random.normal(0, 0.01, 40), [10.0, 200.0]) for n in ("ra", "dec"))
    mine = Table({"row": np.arange(42), "lon": lon * u.deg, "lat": np.clip(lat, -90, 90) * u.deg})
    mine["mag"] = 22.0
    return mine


def nearest(mine: Table, theirs: Table) -> dict[int, int]:
    """Return which row of theirs is nearest to each of mine, where one is near enough, by astropy."""
    one, other = SkyCoord(mine["lon"], mine["lat"]), SkyCoord(theirs["ra"], theirs["dec"])
    found, apart, _ = match_coordinates_sky(one, other)
    near = apart.arcsec <= RADIUS_ARCSEC
    return dict(zip(mine["row"][near].tolist(), theirs["id"][found[near]].tolist(), strict=True))


def pairs(rows: list[dict[str, Any]]) -> dict[int, int]:
    return {row["row"]: row["id"] for row in rows if row["id"] is not None}


def test_a_file_against_a_table(awe: Callable[..., str], server: str) -> None:
    theirs = sources(server)
    mine = candidates(theirs)
    mine.write("mine.fits")
    wanted = nearest(mine, theirs)
    assert 10 < len(wanted) < len(mine)
    place = ("--position", "lon", "lat")
    said = json.loads(awe("crossmatch", "mine.fits", TINY_TABLE, RADIUS, *place, "--json"))
    assert pairs(said["rows"]) == wanted
    few = ("--column", "id", "--keep", "--json")
    kept = json.loads(awe("crossmatch", "mine.fits[1]", TINY_TABLE, RADIUS, *place, *few))["rows"]
    assert list(kept[0]) == ["row", "lon", "lat", "mag", "id", "separation"]
    assert len(kept) == len(mine)
    assert pairs(kept) == wanted
    printed = awe("crossmatch", "mine.fits", TINY_TABLE, RADIUS, *place)
    assert "separation" in printed.splitlines()[0]
    assert len(printed.splitlines()) == 1 + len(wanted)


def test_all_mutual_and_several_pairs_and_magnitudes(awe: Callable[..., str], server: str) -> None:
    theirs = sources(server)
    mine = candidates(theirs)
    mine.write("mine.vot", format="votable")
    apart = SkyCoord(mine["lon"], mine["lat"])[:, None].separation(
        SkyCoord(theirs["ra"], theirs["dec"])[None]
    )
    near = apart.arcsec <= RADIUS_ARCSEC
    bright = np.abs(22.0 - np.asarray(theirs["mag"], float)) <= 2.0

    def rows(*more: str) -> list[dict[str, Any]]:
        words = ("mine.vot", TINY_TABLE, RADIUS, "--position", "lon", "lat", "--json", *more)
        found: list[dict[str, Any]] = json.loads(awe("crossmatch", *words))["rows"]
        return found

    assert len(rows("--find", "all")) == near.sum()
    assert len(rows("--find", "2")) == np.minimum(near.sum(axis=1), 2).sum()
    best = np.where(near, apart.arcsec, np.inf)
    mutual = (near & (best == best.min(axis=1)[:, None]) & (best == best.min(axis=0)[None])).sum()
    assert len(rows("--find", "mutual")) == mutual
    assert len(rows("--find", "all", "--magnitudes", "mag", "mag", "2")) == (near & bright).sum()
    exact = rows("--find", "all", "--error", "5 arcsec", "--right-error", "0.001", "--sigmas", "4")
    most = 4 * np.hypot(5, 3.6)
    assert len(exact) == (apart.arcsec <= min(most, RADIUS_ARCSEC)).sum()
    assert max(row["normalised"] for row in exact) <= 4


def test_large_tables_go_through_the_queue(awe: Callable[..., str], server: str) -> None:
    theirs = sources(server)
    mine = candidates(theirs)
    mine.write("mine.vot", format="votable")
    wanted = nearest(mine, theirs)
    given = ("crossmatch", "mine.vot", TINY_TABLE, RADIUS, "--position", "lon", "lat")
    said = awe(*given, "--long", "--save", "pairs.parquet")
    assert said.startswith("pairs.parquet: ")
    saved = pq.read_table("pairs.parquet")
    assert dict(zip(saved["row"].to_pylist(), saved["id"].to_pylist(), strict=True)) == wanted
    assert awe(*given, "--save", "same.csv", "--json").startswith('{"file": "same.csv", "bytes": ')
    assert len(Table.read("same.csv")) == len(wanted)
    awe("crossmatch", TINY_TABLE, TINY_TABLE, "0.1 arcsec", "--into", "mydb.itself", "--column", "id")
    found = json.loads(awe("query", "SELECT COUNT(*) AS n FROM mydb.itself", "--json"))
    assert found["rows"] == [{"n": len(theirs)}]
    awe("tables", "drop", "mydb.itself")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mine.csv", TINY_TABLE), "there is no such file"),
        (("tiny.sorces", TINY_TABLE), "sources"),
        ((TINY_TABLE, "tiny.sorces"), "sources"),
        ((TINY_TABLE, TINY_TABLE, "wide"), "radius"),
        ((TINY_TABLE, TINY_TABLE, "--find", "best"), "not nearest, all, mutual"),
        ((TINY_TABLE, TINY_TABLE, "--column", "colour"), "no such column"),
        ((TINY_TABLE, TINY_TABLE, "--save", "x.fits", "--into", "mydb.x"), "one place"),
        ((TINY_TABLE, TINY_TABLE, "--motion", "mag", "mag"), "epoch"),
    ],
)
def test_what_is_wrong_is_told(
    awe: Callable[..., str], capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    with pytest.raises(SystemExit):
        awe("crossmatch", *words)
    assert said in capsys.readouterr().err
