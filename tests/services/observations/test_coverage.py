"""Coverage of collections: the footprints' pixels are inside, and little else; mocpy's answer from the same corners."""

from pathlib import Path

import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from mocpy import MOC
from tests.services.observations.conftest import Archive, write_image

from awe.core.sky import moc_to_mocpy, parse_stcs
from awe.errors import NotFoundError
from awe.services.observations.model import Criteria

PLACES = {"one": (187.7, 12.39), "two": (187.72, 12.39), "pole": (10.0, 89.9), "zero": (0.001, -30.0)}


@pytest.fixture
def published(archive: Archive, tmp_path: Path) -> Archive:
    for name, (ra, dec) in PLACES.items():
        write_image(tmp_path / "in", f"{name}.fits", ra, dec, angle=0.3, shape=(60, 80))
    archive.observations.publish("deep", tmp_path / "in")
    return archive


def test_the_union_of_footprints(published: Archive) -> None:
    moc = published.observations.coverage("deep")
    rows = published.rows(Criteria())
    polygons = [parse_stcs(row["s_region"]) for row in rows]
    assert moc.contains(*zip(*PLACES.values(), strict=True)).all()
    assert not moc.contains([187.71, 0.0], [12.45, -30.1]).any()
    exact = sum(p.area for p in polygons)
    assert exact < moc.area < 1.5 * exact
    theirs = MOC.new_empty(18)
    for polygon in polygons:
        corners = polygon.boundary.corners
        assert moc.contains(corners[:, 0], corners[:, 1]).all()
        inside = MOC.from_polygon_skycoord(SkyCoord(corners, unit=u.deg), max_depth=18)
        theirs = theirs.union(inside)
    assert theirs.difference(moc_to_mocpy(moc)).empty()
    assert moc.order >= 16


def test_it_follows_what_is_published(published: Archive, tmp_path: Path) -> None:
    (tmp_path / "in" / "pole.fits").unlink()
    published.observations.publish("deep", tmp_path / "in")
    moc = published.observations.coverage("deep")
    assert moc.contains([187.7, 10.0], [12.39, 89.9]).tolist() == [True, False]
    with pytest.raises(NotFoundError, match="deeep"):
        published.observations.coverage("deeep")
    published.observations.drop("deep")
    with pytest.raises(NotFoundError):
        published.observations.coverage("deep")


def test_a_collection_from_before_there_were_maps(published: Archive) -> None:
    kept = published.observations.coverage("deep")
    with published.system.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM collection_coverages")
    assert published.observations.coverage("deep") == kept
