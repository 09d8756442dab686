"""The published numbers come back out of the simulated sources by independent fits."""

from dataclasses import fields, replace

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import gammaincinv
from scipy.stats import norm

from awe.core.science.simulation import (
    CLUSTER,
    GALAXY,
    M87,
    PUBLISHED,
    STAR,
    Sky,
    Sources,
    elliptical_radius,
    number,
    simulate_sky,
    surface_brightness,
)
from awe.core.science.simulation._plane import to_plane, to_sky

Floats = NDArray[np.float64]
COVERED_DEG2 = (np.pi * 720**2 + 195 * 202**2) / 3600**2


def standard(sources: Sources) -> tuple[Floats, Floats]:
    """V and V - I by the inverse of the transformation that the documentation states."""
    colour = (sources.f606w - sources.f814w - 0.085 + 0.43) / (1 - 0.26)
    return sources.f606w + 0.26 * colour - 0.085, colour


def separation(sources: Sources) -> Floats:
    centre = SkyCoord(*M87, unit="deg")
    return np.asarray(SkyCoord(sources.ra, sources.dec, unit="deg").separation(centre).arcsec)


@pytest.fixture(scope="module")
def system(sky: Sky) -> Sources:
    """The clusters of M87 itself, without the printed ten and those between the galaxies."""
    clusters = sky.sources.where(sky.sources.kind == CLUSTER)
    return clusters.where(np.arange(10, 10 + 14_500))


def test_the_same_seed_gives_the_same_sky(sky: Sky) -> None:
    again, other = simulate_sky(), simulate_sky(seed=1)
    for f in fields(Sources):
        np.testing.assert_array_equal(getattr(again.sources, f.name), getattr(sky.sources, f.name))
    assert not np.isin(other.sources.ra[10:], sky.sources.ra).any()


def test_luminosity_function_has_the_published_turnover_and_width(system: Sources) -> None:
    mean, width = norm.fit(standard(system)[0])
    assert mean == pytest.approx(23.67, abs=0.04)
    assert width == pytest.approx(1.39, abs=0.03)


def test_colours_are_two_gaussians_at_the_published_peaks(system: Sources) -> None:
    colour = standard(system.where(separation(system) < 150))[1]
    peak, width, share = np.array([0.9, 1.3]), np.array([0.1, 0.1]), np.array([0.5, 0.5])
    for _ in range(200):  # expectation maximisation of a mixture of two
        each = share * norm.pdf(colour[:, None], peak, width)
        weight = each / each.sum(axis=1, keepdims=True)
        share = weight.mean(axis=0)
        peak = (weight * colour[:, None]).sum(axis=0) / weight.sum(axis=0)
        width = np.sqrt((weight * (colour[:, None] - peak) ** 2).sum(axis=0) / weight.sum(axis=0))
    assert peak == pytest.approx([0.95, 1.20], abs=0.02)
    assert width == pytest.approx([0.06, 0.10], abs=0.015)
    assert 0.35 < share[0] < 0.65  # Kundu et al. 1999 find a mean of V - I = 1.09 in this region


@pytest.mark.parametrize(("red", "slope"), [(False, -1.6), (True, -2.2)])
def test_surface_density_falls_as_stated(system: Sources, red: bool, slope: float) -> None:
    colour = standard(system)[1]
    radius = separation(system.where(colour > 1.15 if red else colour < 0.98))
    edges = np.geomspace(200, 2000, 9)
    density = np.histogram(radius, edges)[0] / np.diff(edges**2)
    fitted = np.polyfit(np.log10(np.sqrt(edges[1:] * edges[:-1])), np.log10(density), 1)[0]
    assert fitted == pytest.approx(slope, abs=0.12)


def test_the_acs_field_holds_as_many_clusters_as_were_counted_there(sky: Sky) -> None:
    """Peng et al. 2009 list 2250; their catalogue ends near V606 = 27."""
    clusters = sky.sources.where((sky.sources.kind == CLUSTER) & (sky.sources.f606w < 27))
    east, north = to_plane(clusters.ra, clusters.dec, M87)
    inside = (np.abs(east) < 101) & (np.abs(north) < 101)
    assert inside.sum() == pytest.approx(2250, rel=0.08)


def test_cluster_sizes_are_a_few_parsecs(system: Sources) -> None:
    near = system.where(separation(system) < 150)
    parsec = np.deg2rad(near.size / 3600) * 16.7e6
    assert np.median(parsec) == pytest.approx(2.5, abs=0.5)
    colour = standard(near)[1]
    ratio = np.median(near.size[colour < 0.98]) / np.median(near.size[colour > 1.15])
    assert ratio == pytest.approx(1.24, abs=0.05)


def test_star_counts_are_poisson_about_the_published_one(sky: Sky) -> None:
    stars = sky.sources.where(sky.sources.kind == STAR)
    expected = 2000 * COVERED_DEG2
    assert (standard(stars)[0] < 20).sum() == pytest.approx(expected, abs=4 * np.sqrt(expected))


def test_galaxy_counts_have_the_published_slope_and_level(sky: Sky) -> None:
    f814w = sky.sources.f814w[sky.sources.kind == GALAXY]
    slope = 1 / (np.log(10) * np.mean(27 - f814w))  # maximum likelihood of an exponential
    assert slope == pytest.approx(0.26, abs=0.005)
    expected = 2e4 * COVERED_DEG2
    assert (np.abs(f814w - 24) < 0.5).sum() == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("radius", [60.0, 200.0, 703.9, 2000.0])
def test_galaxy_light_is_the_published_sersic_law_outside_the_core(radius: float) -> None:
    n = 11.84
    b = gammaincinv(2 * n, 0.5)
    v = 25.70 + 2.5 / np.log(10) * b * ((radius / 703.9) ** (1 / n) - 1)
    f606w, f814w = surface_brightness(np.array([radius]))
    assert f606w[0] == pytest.approx(v - 0.26 * 1.30 + 0.085, abs=0.02)
    assert f814w[0] == pytest.approx(v - 1.30 + 0.43, abs=0.02)


def test_galaxy_light_flattens_inside_the_core() -> None:
    mu = surface_brightness(np.array([0.1, 1.0, 100.0, 1000.0]))[0]
    assert mu[1] - mu[0] == pytest.approx(2.5 * 0.2, abs=0.05)  # one decade at gamma = 0.2
    assert mu[3] - mu[2] > 3


def test_isophotes_are_longest_at_the_stated_position_angle() -> None:
    angle = np.deg2rad(np.arange(0, 180.0))
    assert np.argmin(elliptical_radius(np.sin(angle), np.cos(angle))) == 155


@pytest.mark.slow
@given(st.floats(0, 360), st.floats(-89, 89), st.floats(-7000, 7000), st.floats(-7000, 7000))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_the_plane_is_the_gnomonic_projection(ra: float, dec: float, east: float, north: float) -> None:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.cdelt = [1 / 3600, 1 / 3600]
    expected = SkyCoord(*wcs.wcs_pix2world(east, north, 1), unit="deg")
    place = to_sky(np.array(east), np.array(north), (ra, dec))
    assert SkyCoord(*place, unit="deg").separation(expected) < 1e-5 * u.arcsec
    assert to_plane(*place, (ra, dec)) == pytest.approx((east, north), abs=1e-5)


def test_published_numbers_can_be_cited() -> None:
    keys = [row.key for row in PUBLISHED]
    assert len(set(keys)) == len(keys)
    assert all(row.reference and row.quantity for row in PUBLISHED)
    assert all(row.standing in {"measured", "approximate", "chosen"} for row in PUBLISHED)
    assert number("gclf_turnover") == 23.67


def test_selected_sources_stay_together(sky: Sky) -> None:
    few = sky.sources.where(np.array([3, 1]))
    assert len(few) == 2
    assert len(Sources.joined(few, replace(few))) == 4
    assert few.ra[0] == sky.sources.ra[3]
