"""Coverage of tables: the cells of mocpy from the same positions, and cones that nothing is in."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from astropy import units as u
from mocpy import MOC
from tests.services.catalogs.conftest import SCHEMA, make_rows

from awe.core.sky import Moc, moc_to_mocpy
from awe.core.tables import TableStream
from awe.errors import NotFoundError
from awe.services.catalogs import CatalogService
from awe.services.catalogs.hats import COVERAGE


def test_the_coverage_is_mocpys_of_the_same_positions(hsc: CatalogService) -> None:
    rows = make_rows()
    moc = hsc.coverage("HSC.sumcat")
    theirs = MOC.from_lonlat(
        rows["MatchRA"].to_numpy() % 360 * u.deg, rows["MatchDec"].to_numpy() * u.deg, max_norder=moc.order
    )
    assert moc.order == 10
    assert moc_to_mocpy(moc) == theirs


def test_a_version_without_its_map_gives_the_same(hsc: CatalogService, tmp_path: Path) -> None:
    kept = hsc.coverage("hsc.SumCat")
    for file in (tmp_path / "tables").glob(f"*/{COVERAGE}"):
        file.unlink()
    assert hsc._engine.coverage(hsc.table("hsc.SumCat").stored) == kept


@pytest.mark.slow
def test_a_map_of_too_many_pieces_is_coarser_and_still_holds_every_row(
    service: CatalogService, make_stream: Callable[..., TableStream]
) -> None:
    rng = np.random.default_rng(5)
    count = 60_000
    rows = make_rows(count)
    ra, dec = rng.uniform(0, 360, count), np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    rows = rows.set_column(1, "MatchRA", pa.array(ra)).set_column(2, "MatchDec", pa.array(dec))
    service.publish_stream("whole.sky", make_stream(rows, SCHEMA))
    moc = service.coverage("whole.sky")
    assert moc.order < 10
    assert len(moc.ranges) <= 20_000
    assert moc.contains(ra, dec).all()


def test_cones_anywhere_find_what_is_there_and_else_nothing(hsc: CatalogService) -> None:
    rows = make_rows()
    ra, dec = rows["MatchRA"].to_numpy(), rows["MatchDec"].to_numpy()
    rng = np.random.default_rng(11)
    nowhere = 0
    for _ in range(60):
        place = (rng.uniform(0, 360), float(np.degrees(np.arcsin(rng.uniform(-1, 1)))))
        radius = 10 ** rng.uniform(-3, 0.7)
        found = hsc.cone("hsc.SumCat", *place, radius, verbosity=2)
        ids = found.to_table().column("MatchID").to_pylist()
        a, d = np.radians(ra - place[0]), np.radians(dec)
        near = np.sin(d) * np.sin(np.radians(place[1])) + np.cos(d) * np.cos(np.radians(place[1])) * np.cos(a)
        assert sorted(ids) == sorted(np.flatnonzero(near >= np.cos(np.radians(radius))).tolist())
        nowhere += not ids
    assert 0 < nowhere < 60
    empty = hsc.cone("hsc.SumCat", 20.0, 80.0, 1e-4)
    assert empty.schema == query_columns(hsc)
    assert empty.to_table().num_rows == 0
    assert not empty.overflow


def query_columns(service: CatalogService) -> object:
    with service.query("SELECT * FROM hsc.SumCat", max_rows=0) as stream:
        return stream.schema


def test_a_table_without_positions_covers_nothing(
    service: CatalogService, make_stream: Callable[..., TableStream]
) -> None:
    service.publish_stream("plain.listed", make_stream(), ra="", dec="")
    with pytest.raises(NotFoundError, match="no positions"):
        service.coverage("plain.listed")
    with pytest.raises(NotFoundError, match="no table"):
        service.coverage("plain.liste")
    with pytest.raises(NotFoundError):
        service.coverage("tap_schema.tables")


def test_a_table_without_rows_covers_nothing(
    service: CatalogService, make_stream: Callable[..., TableStream]
) -> None:
    service.publish_stream("empty.listed", make_stream(make_rows(2).slice(0, 0)))
    assert service.coverage("empty.listed") == Moc.of_cells([], 10)
    assert service.cone("empty.listed", 10.0, 10.0, 5.0).to_table().num_rows == 0
