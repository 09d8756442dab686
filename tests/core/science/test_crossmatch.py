"""Every pair once, and nothing else: against brute force and astropy, from micro-arcseconds to degrees."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord, search_around_sky
from hypothesis import given
from hypothesis import strategies as st

from awe.core.science import crossmatch
from awe.core.science.crossmatch import Match, Pairs, Positions, nearest
from awe.core.sky import MAX_REACH, healpix_index, separation


def two_skies(count: int, spread_deg: float, seed: int) -> tuple[np.ndarray, ...]:
    """Return positions where the sky is awkward, and as many around them, some of them far away."""
    random = np.random.default_rng(seed)
    ra, dec = random.uniform(0, 360, count), np.degrees(np.arcsin(random.uniform(-1, 1, count)))
    part = count // 4
    dec[:part] = np.sign(random.normal(size=part)) * (90 - 10 ** random.uniform(-7, 0.5, part))
    ra[part : 2 * part] = random.choice(np.arange(0, 361, 45), part) + random.normal(0, spread_deg, part)
    ra[2 * part : 3 * part] = 187.7 + random.normal(0, 5 * spread_deg, part)
    dec[2 * part : 3 * part] = 12.4 + random.normal(0, 5 * spread_deg, part)
    dec = np.clip(dec, -90, 90)
    dec[0], dec[1], ra[2], ra[3] = 90, -90, 0, 360
    dec2 = np.clip(dec + random.normal(0, spread_deg, count), -90, 90)
    ra2 = ra + random.normal(0, spread_deg, count) / np.maximum(np.cos(np.radians(dec)), spread_deg / 180)
    return ra, dec, ra2, dec2


def all_of(match: Match, ra: np.ndarray, dec: np.ndarray, **given: np.ndarray) -> Pairs:
    parts = list(match.pairs(Positions.of(ra, dec, **given)))
    return Pairs(
        *(np.concatenate([[], *(getattr(p, n) for p in parts)]) for n in ("held", "other", "separation"))
    )


@pytest.mark.parametrize("radius", [0.001 / 3600, 0.1 / 3600, 1 / 3600, 0.02, 1.0, 10.0, MAX_REACH])
def test_every_pair_is_found_once_whatever_the_radius(radius: float) -> None:
    ra, dec, ra2, dec2 = two_skies(1500, radius, 1)
    found = all_of(Match(ra, dec, radius), ra2, dec2)
    apart = separation(ra[:, None], dec[:, None], ra2[None], dec2[None])
    keys = (found.held * len(ra2) + found.other).astype(int)
    assert len(np.unique(keys)) == len(keys) > 500
    wanted = np.flatnonzero((apart <= radius).ravel())
    unsure = np.flatnonzero((np.abs(apart - radius) < 1e-12 + 1e-9 * radius).ravel())
    assert set(np.setxor1d(wanted, keys).tolist()) <= set(unsure.tolist())
    np.testing.assert_allclose(found.separation, apart.ravel()[keys], rtol=1e-7, atol=2e-13)


def test_astropy_finds_the_same() -> None:
    ra, dec, ra2, dec2 = two_skies(3000, 0.5, 2)
    one, other = (SkyCoord(*place, unit="deg") for place in ((ra, dec), (ra2, dec2)))
    held, others, apart, _ = search_around_sky(one, other, 0.7 * u.deg)
    found = all_of(Match(ra, dec, 0.7), ra2, dec2)
    order = np.lexsort((found.other, found.held))
    np.testing.assert_array_equal(found.held[order], held)
    np.testing.assert_array_equal(found.other[order], others)
    np.testing.assert_allclose(found.separation[order], apart.deg, atol=1e-10)


@given(seed=st.integers(0, 10_000), log_radius=st.floats(-7, 1), strict=st.booleans())
def test_any_sky_against_brute_force(seed: int, log_radius: float, strict: bool) -> None:
    radius = 10**log_radius
    ra, dec, ra2, dec2 = two_skies(60, radius, seed)
    found = all_of(Match(ra, dec, radius, strict=strict), ra2, dec2)
    apart = separation(ra[:, None], dec[:, None], ra2[None], dec2[None])
    unsure = np.abs(apart - radius) < 1e-12 + 1e-9 * radius
    near = np.zeros_like(apart, bool)
    near[found.held.astype(int), found.other.astype(int)] = True
    assert ((near == (apart <= radius)) | unsure).all()
    assert near.sum() == len(found)


def test_each_may_have_a_radius_of_its_own() -> None:
    ra, dec, ra2, dec2 = two_skies(1000, 0.1, 3)
    radii = np.random.default_rng(4).uniform(-0.02, 0.3, 1000)
    found = all_of(Match(ra, dec, radii), ra2, dec2)
    apart = separation(ra[:, None], dec[:, None], ra2[None], dec2[None])
    assert len(found) == (apart <= radii[:, None]).sum()


def test_radii_from_nothing_to_the_whole_sky_are_listed_apart() -> None:
    ra, dec, ra2, dec2 = two_skies(600, 0.5, 9)
    radii = 10 ** np.random.default_rng(10).uniform(-6, 2.4, 600)
    radii[:4] = 0, np.nan, -1, np.inf
    found = all_of(Match(ra, dec, radii), ra2, dec2)
    apart = separation(ra[:, None], dec[:, None], ra2[None], dec2[None])
    near = np.zeros_like(apart, bool)
    near[found.held.astype(int), found.other.astype(int)] = True
    unsure = np.abs(apart - radii[:, None]) < 1e-9
    assert ((near == (apart <= radii[:, None])) | unsure).all()
    assert near.sum() == len(found)
    assert near[radii > 180].all()


def test_an_index_saves_work_and_changes_nothing() -> None:
    ra, dec, ra2, dec2 = two_skies(2000, 0.01, 5)
    match = Match(ra, dec, 0.02)
    index = healpix_index(ra2, dec2)
    order = np.argsort(index)
    plain, sorted_ = all_of(match, ra2, dec2), all_of(match, ra2[order], dec2[order], index=index[order])
    assert sorted(zip(plain.held, plain.other, strict=True)) == sorted(
        zip(sorted_.held, order[sorted_.other.astype(int)], strict=True)
    )
    assert len(plain) > 1000


def test_many_candidates_are_looked_at_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    ra, dec, ra2, dec2 = two_skies(300, 3.0, 6)
    whole = all_of(Match(ra, dec, 8.0), ra2, dec2)
    monkeypatch.setattr(crossmatch, "_AT_ONCE", 7)
    parts = list(Match(ra, dec, 8.0).pairs(Positions.of(ra2, dec2)))
    assert max(map(len, parts)) <= 7
    assert sum(map(len, parts)) == len(whole)


def test_less_is_not_less_or_equal_and_zero_is_a_radius() -> None:
    ra, dec = np.array([10.0, 20.0]), np.array([5.0, 6.0])
    assert len(all_of(Match(ra, dec, 0.0), ra, dec)) == 2
    assert len(all_of(Match(ra, dec, 0.0, strict=True), ra, dec)) == 0


def test_what_is_not_on_the_sky_is_near_nothing() -> None:
    ra, dec = np.array([np.nan, 10.0, 10.0]), np.array([5.0, 95.0, 5.0])
    found = all_of(Match(ra, dec, 1.0), ra, dec)
    assert (found.held.tolist(), found.other.tolist()) == ([2], [2])
    assert len(all_of(Match(ra[:0], dec[:0], 1.0), ra, dec)) == 0
    assert len(all_of(Match(ra, dec, 1.0), ra[:0], dec[:0])) == 0


def test_the_nearest_of_each() -> None:
    ra, dec, ra2, dec2 = two_skies(800, 0.3, 7)
    pairs = all_of(Match(ra, dec, 0.5), ra2, dec2)
    apart = separation(ra[:, None], dec[:, None], ra2[None], dec2[None])
    apart[apart > 0.5] = np.inf
    for count in (1, 3):
        kept = pairs[nearest(pairs, count)]
        wanted = np.sort(apart, axis=1)[:, :count]
        for row in np.unique(pairs.held.astype(int)):
            np.testing.assert_allclose(
                kept.separation[kept.held == row], wanted[row][np.isfinite(wanted[row])], atol=1e-10
            )
    assert nearest(pairs[np.zeros(len(pairs), bool)], 1).size == 0


def test_where_to_look() -> None:
    ra, dec, ra2, dec2 = two_skies(500, 0.01, 8)
    match = Match(ra, dec, 0.02)
    index = np.sort(healpix_index(ra2, dec2))
    for first, last in ((index[0], index[-1]), (index[100], index[110])):
        ranges = match.within(int(first), int(last), 10_000)
        assert ranges is not None
        assert match.within(int(first), int(last), len(ranges) - 1) is None
        held = all_of(match, ra2, dec2).other.astype(int)
        near = healpix_index(ra2[held], dec2[held])
        near = near[(near >= first) & (near <= last)]
        place = np.searchsorted(ranges[:, 0], near, side="right") - 1
        assert ((near >= ranges[place, 0]) & (near < ranges[place, 1])).all()
    nowhere = match.within(int(healpix_index(90.0, 45.0)), int(healpix_index(90.0, 45.0)), 10)
    assert nowhere is not None
    assert nowhere.size == 0
