import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Latitude, Longitude, SkyCoord
from cdshealpix.nested import healpix_to_lonlat, lonlat_to_healpix, vertices

from awe.core.sky import healpix_center, healpix_index, merge_ranges
from awe.core.sky._healpix import cell_radius
from awe.errors import ParameterError


@pytest.mark.parametrize("order", [0, 3, 12, 29])
def test_index_agrees_with_the_library_of_hats(order: int) -> None:
    rng = np.random.default_rng(order)
    ra, dec = rng.uniform(0, 360, 1000), np.degrees(np.arcsin(rng.uniform(-1, 1, 1000)))
    ra[:6], dec[:6] = [0, 360, 45, 0, 17, 90], [0, 0, 0, 90, -90, 41.8]
    wanted = lonlat_to_healpix(Longitude(ra, u.deg), Latitude(dec, u.deg), order)
    found = healpix_index(ra, dec, order)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, wanted.astype(np.int64))


@pytest.mark.slow
def test_index_agrees_with_hats() -> None:
    spatial_index = pytest.importorskip("hats.pixel_math.spatial_index")
    rng = np.random.default_rng(7)
    ra, dec = rng.uniform(0, 360, 1000), rng.uniform(-90, 90, 1000)
    np.testing.assert_array_equal(healpix_index(ra, dec), spatial_index.compute_spatial_index(ra, dec))


def test_index_of_scalars_grids_and_nothing() -> None:
    assert healpix_index(45.0, 0.0, 0).shape == ()
    assert healpix_index([[1, 2], [3, 4]], 0.0).shape == (2, 2)
    assert healpix_index([], []).shape == (0,)


def test_right_ascension_may_be_given_on_any_turn() -> None:
    np.testing.assert_array_equal(
        healpix_index([-10, 370, 360], [1, 2, 3]), healpix_index([350, 10, 0], [1, 2, 3])
    )


def test_positions_off_the_sky_have_no_cell() -> None:
    found = healpix_index([np.nan, 10, np.inf, 10, 10], [0, np.nan, 0, 90.5, 20])
    assert (found[:4] == -1).all()
    assert found[4] >= 0


@pytest.mark.parametrize("order", [0, 5, 29])
def test_centre_is_in_its_cell(order: int) -> None:
    cells = np.arange(12, dtype=np.int64) * 4**order + 4**order // 3
    ra, dec = healpix_center(cells, order)
    np.testing.assert_array_equal(healpix_index(ra, dec, order), cells)


@pytest.mark.parametrize("order", [0, 1, 2, 7, 18, 29])
def test_centre_agrees_with_the_library_of_hats(order: int) -> None:
    count = 12 * 4**order
    cells = np.random.default_rng(order).integers(0, count, 500)
    # The first and last cells of every base cell touch its southern and northern corners.
    starts = np.arange(12) * 4**order
    cells = np.concatenate([cells, starts, starts + 4**order - 1])
    lon, lat = healpix_to_lonlat(cells, order)
    ra, dec = healpix_center(cells, order)
    apart = SkyCoord(ra, dec, unit=u.deg).separation(SkyCoord(lon, lat))
    assert apart.deg.max() < 1e-13
    assert ra.min() >= 0
    assert ra.max() < 360


def test_cells_and_orders_that_do_not_exist() -> None:
    with pytest.raises(ParameterError, match="order 1"):
        healpix_center([0, 48], 1)
    with pytest.raises(ParameterError):
        healpix_center([-1], 1)
    with pytest.raises(ParameterError, match="0 to 29"):
        healpix_index(0, 0, 30)


@pytest.mark.parametrize("order", [0, 1, 2, 3, 5, 8])
def test_no_cell_reaches_beyond_its_radius(order: int) -> None:
    count = 12 * 4**order
    cells = np.arange(count) if order < 6 else np.random.default_rng(3).integers(0, count, 2000)
    lon, lat = vertices(cells, order, step=8)
    ra, dec = healpix_center(cells, order)
    centre = SkyCoord(ra[:, None], dec[:, None], unit=u.deg)
    furthest = centre.separation(SkyCoord(lon, lat)).rad.max()
    assert furthest <= cell_radius(order)
    assert furthest >= 0.9 * cell_radius(order)


def test_merged_ranges_are_the_union() -> None:
    rng = np.random.default_rng(4)
    starts = rng.integers(0, 300, 60)
    ranges = np.stack([starts, starts + rng.integers(1, 9, 60)], axis=-1)
    merged = merge_ranges([ranges[:30], ranges[30:]])
    wanted = {int(n) for lo, hi in ranges for n in range(lo, hi)}
    assert {int(n) for lo, hi in merged for n in range(lo, hi)} == wanted
    assert (merged[1:, 0] > merged[:-1, 1]).all()
    assert merge_ranges([]).shape == (0, 2)
    assert merge_ranges([]).dtype == np.int64
