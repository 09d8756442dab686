"""MOCs against mocpy: sets of cells, areas, positions, every serialisation; and as regions."""

import json
from io import BytesIO

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st
from mocpy import MOC
from tests.core.sky.sky_samples import REGIONS, SKY, inside, scattered

from awe.core.sky import Circle, Moc, Polygon, moc_from_fits, moc_to_fits, moc_to_mocpy
from awe.errors import ParameterError, PositionError

EXAMPLE = "1/1 2 4 2/12-14 21 23 25 8/"
"""Of MOC 2.0 section 4.2.1."""


def of_mocpy(moc: MOC) -> Moc:
    return Moc(np.asarray(moc.to_depth29_ranges).astype(np.int64), int(moc.max_order))


@st.composite
def mocs(draw: st.DrawFn) -> Moc:
    order = draw(st.integers(0, 12))
    cells = draw(st.lists(st.integers(0, 12 * 4**order - 1), max_size=40))
    coarse = draw(st.lists(st.integers(0, 12 * 4 ** (order // 2) - 1), max_size=3))
    both = [Moc.of_cells(cells, order), Moc.of_cells(coarse, order // 2)]
    return Moc.union(both)


@pytest.mark.slow
@given(mocs())
def test_every_serialisation_is_mocpys(moc: Moc) -> None:
    theirs = moc_to_mocpy(moc)
    assert of_mocpy(MOC.from_string(moc.to_ascii(), "ascii")) == moc
    assert of_mocpy(MOC.from_json(json.loads(moc.to_json()))) == moc
    assert of_mocpy(MOC.from_fits(BytesIO(moc_to_fits(moc)))) == moc
    assert Moc.from_ascii(theirs.to_string("ascii")) == moc
    assert Moc.from_json(theirs.to_string("json")) == moc
    for old in (True, False):
        out = BytesIO()
        theirs.serialize("fits", v1_compatible=old).writeto(out)
        assert moc_from_fits(out.getvalue()) == moc


@given(mocs())
def test_round_trips(moc: Moc) -> None:
    assert Moc.from_ascii(moc.to_ascii()) == moc
    assert Moc.from_json(moc.to_json()) == moc
    assert moc_from_fits(moc_to_fits(moc)) == moc
    assert hash(Moc(moc.ranges, moc.order)) == hash(moc)


@given(mocs(), mocs())
def test_sets_of_cells_are_mocpys(one: Moc, two: Moc) -> None:
    mine, theirs = moc_to_mocpy(one), moc_to_mocpy(two)
    assert of_mocpy(mine.union(theirs)) == Moc.union([one, two])
    assert of_mocpy(mine.intersection(theirs)) == one.intersection(two)
    assert one.sky_fraction == pytest.approx(mine.sky_fraction, abs=1e-15)
    assert one.intersects(two) == (not mine.intersection(theirs).empty())
    if order := one.order // 2:
        assert np.array_equal(one.degraded(order).ranges, of_mocpy(mine.degrade_to_order(order)).ranges)


@given(mocs())
def test_positions_are_inside_where_mocpy_says(moc: Moc) -> None:
    ra, dec = scattered(2000, 3)
    theirs = moc_to_mocpy(moc).contains_skycoords(SkyCoord(ra, dec, unit=u.deg))
    assert np.array_equal(moc.contains(ra, dec), theirs)
    assert not moc.contains([np.nan, 0], [0, np.inf]).any()


@pytest.mark.parametrize("name", REGIONS)
def test_the_moc_of_a_region_holds_it(name: str) -> None:
    region = REGIONS[name]
    moc = Moc.of_region(region, 8)
    ra, dec = inside(region)
    assert moc.contains(ra, dec).all()
    assert moc.area >= region.area * (1 - 1e-9)
    assert moc.area <= min(SKY * (1 + 1e-9), region.area * 1.05 + 200)
    assert moc.bounding_circle().contains(ra, dec).all()
    if region.area > 0:
        assert moc.intersects(region)
        assert region.intersects(moc)


def test_the_example_of_the_standard() -> None:
    moc = Moc.from_ascii(EXAMPLE)
    assert moc.order == 8
    assert moc == Moc.from_json('{"1":[1,2,4], "2":[12,13,14,21,23,25], "8":[]}')
    assert moc == Moc.from_json('{"s": {"1":[1,2,4], "2":[12,13,14,21,23,25], "8":[]}}')
    assert moc.to_ascii() == "1/1-2 4 2/12-14 21 23 25 8/"
    assert moc.to_dali() == f"MOC {moc.to_ascii()}"


@pytest.mark.parametrize("text", ["", "8/", "0/0-11"])
def test_nothing_and_everything(text: str) -> None:
    moc = Moc.from_ascii(text)
    assert moc.sky_fraction in {0, 1}
    assert moc_from_fits(moc_to_fits(moc)) == moc
    assert moc.bounding_circle().radius == 180 * moc.sky_fraction
    assert moc.intersects(Circle(10, 10, 1)) == bool(moc.sky_fraction)
    assert not Circle(10, 10, 1).intersects(Moc.from_ascii(""))


@pytest.mark.parametrize(
    "text", ["x", "3", "30/1", "1/48", "1/5-3", "1/-3", "1/1 2/192", "1/99999999999999999999"]
)
def test_what_is_no_moc_is_refused(text: str) -> None:
    with pytest.raises(PositionError):
        Moc.from_ascii(text)


@pytest.mark.parametrize("text", ["", "[]", "3", '{"a": [1]}', '{"30": [1]}', '{"1": [48]}', '{"1": 5}'])
def test_what_is_no_moc_in_json_is_refused(text: str) -> None:
    with pytest.raises(PositionError):
        Moc.from_json(text)


def test_other_files_and_wrong_ranges_are_refused() -> None:
    out = BytesIO()
    fits.HDUList([fits.PrimaryHDU(np.zeros((4, 4)))]).writeto(out)
    for content in (b"", b"SIMPLE", out.getvalue()):
        with pytest.raises(PositionError, match="not a MOC"):
            moc_from_fits(content)
    with pytest.raises(ParameterError):
        Moc(np.array([[5, 5]]), 29)
    with pytest.raises(ParameterError):
        Moc(np.array([[0, 1]]), 30)


def test_near_misses_are_misses() -> None:
    moc = Moc.of_region(Circle(187.7, 12.4, 1), 10)
    middle = moc.bounding_circle()
    assert moc.intersects(Circle(187.7, 12.4, 0.001))
    assert moc.intersects(Circle(187.7, 12.4, 60))
    assert not moc.intersects(Circle(187.7, 12.4 + middle.radius + 0.2, 0.1))
    assert not Polygon(((0, 0), (1, 0), (1, 1))).intersects(moc)
    # a ring of cells around a small hole
    ring = Moc(moc.ranges.copy(), 10)
    hole = Moc.of_region(Circle(187.7, 12.4, 0.5), 10)
    left = Moc.from_ascii(moc_to_mocpy(ring).difference(moc_to_mocpy(hole)).to_string("ascii"))
    assert not left.intersects(Circle(187.7, 12.4, 0.3))
    assert left.intersects(Circle(187.7, 12.4, 0.8))


def test_a_long_list_is_made_simpler_and_covers_the_same() -> None:
    ra, dec = scattered(3000, 9)
    moc = Moc.of_cells(np.unique(np.arange(0, 12 * 4**7, 7)), 7)
    simple = moc.simplified(2000)
    assert len(simple.ranges) <= 2000
    assert simple.order < 7
    assert not (moc.contains(ra, dec) & ~simple.contains(ra, dec)).any()


def test_the_outline_is_that_of_the_cells() -> None:
    moc = Moc.of_region(Circle(187.7, 12.4, 1), 7)
    corners = moc.boundary.corners
    theirs = sum(len(cells) for cells in moc.cells.values())
    assert len(corners) == 4 * theirs
    assert moc.bounding_circle().contains(corners[:, 0], corners[:, 1]).all()
    assert moc.to_stcs().startswith("UNION ICRS (POLYGON ICRS")
