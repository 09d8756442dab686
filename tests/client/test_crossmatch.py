"""Matching tables by position from Python, against brute force."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table

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
