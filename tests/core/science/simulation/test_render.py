"""The simulated images: places, fluxes, noise, galaxy light, headers."""

import io
import warnings
from dataclasses import replace

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.time import Time
from astropy.wcs import WCS
from numpy.typing import NDArray

from awe.core.science.simulation import (
    BANDS,
    CLUSTER,
    FOUNDING_ROWS,
    FRAMES,
    M87,
    PUBLISHED,
    Frame,
    Picture,
    Sky,
    exposure_map,
    frame_hdus,
    frame_wcs,
    from_vi,
    primary_header,
    render,
    science_header,
)

pytestmark = pytest.mark.slow

BY_NAME = {frame.name: frame for frame in FRAMES}
DEEP = BY_NAME["hst_10543_01_acs_wfc_f814w"]
M87_FRAMES = [frame for frame in FRAMES if frame.instrument == "ACS"]


def read_back(picture: Picture) -> fits.HDUList:
    """Write to FITS and read again: nothing may be lost, and nothing may be warned of."""
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame_hdus(picture).writeto(out)
    return fits.open(io.BytesIO(out.getvalue()))


@pytest.fixture(scope="module")
def deep(sky: Sky) -> Picture:
    """The middle of the deep F814W frame, 140 arcsec wide."""
    return render(sky, replace(DEEP, shape=(1401, 1401)))


@pytest.fixture(scope="module")
def blank(sky: Sky) -> Picture:
    return render(sky, BY_NAME["hst_05091_6p_wfpc2_f606w_wf"])


def cutout(picture: Picture, ra: float, dec: float, half: int) -> tuple[NDArray[np.float64], float, float]:
    """Pixels around a position, less their median, and the position in them."""
    x, y = (float(c) for c in frame_wcs(picture.frame).wcs_world2pix(ra, dec, 0))
    i, j = round(y), round(x)
    pixels = picture.science[i - half : i + half + 1, j - half : j + half + 1].astype(float)
    return pixels - np.median(pixels), x - j + half, y - i + half


def test_the_same_sky_gives_the_same_pixels(sky: Sky, blank: Picture) -> None:
    again = render(sky, blank.frame)
    np.testing.assert_array_equal(again.science, blank.science)


@pytest.mark.parametrize("north", [0.0, -17.0, 90.0])
def test_clusters_stand_where_their_coordinates_say(sky: Sky, north: float) -> None:
    picture = render(sky, replace(DEEP, shape=(1201, 1201), north=north))
    s = sky.sources
    apart = SkyCoord(s.ra, s.dec, unit="deg").separation(SkyCoord(*DEEP.centre, unit="deg")).arcsec
    bright = (s.kind == CLUSTER) & (s.f814w > 20) & (s.f814w < 22) & (apart < 50) & (apart > 30)
    misses = []
    for ra, dec in zip(s.ra[bright], s.dec[bright], strict=True):
        pixels, x, y = cutout(picture, ra, dec, 3)
        pixels = np.maximum(pixels, 0)
        rows, columns = np.indices(pixels.shape)
        misses.append(
            np.hypot((pixels * columns).sum() / pixels.sum() - x, (pixels * rows).sum() / pixels.sum() - y)
        )
    assert len(misses) > 20
    assert np.median(misses) < 0.15
    assert np.quantile(misses, 0.9) < 0.8  # some have a neighbour


def test_the_printed_clusters_have_their_magnitudes_in_the_image(sky: Sky) -> None:
    picture = render(sky, BY_NAME["hst_99999_01_wfc3_uvis_f814w"])
    zeropoint = science_header(picture.frame)["ABZPT"]
    misses = []
    for row in FOUNDING_ROWS:
        pixels, x, y = cutout(picture, row.ra, row.dec, 15)
        if np.isfinite(pixels).all():
            i, j = np.indices(pixels.shape)
            flux = pixels[np.hypot(j - x, i - y) < 4].sum() / 0.95  # 0.32 arcsec hold 95 % of the light
            misses.append(-2.5 * np.log10(flux) + zeropoint - row.f814w)
    assert len(misses) >= 5
    assert np.median(np.abs(misses)) < 0.1


@pytest.mark.parametrize("frame", M87_FRAMES, ids=lambda f: f.name)
def test_every_acs_frame_sees_the_printed_clusters(frame: Frame) -> None:
    seconds = exposure_map(frame)
    for row in FOUNDING_ROWS:
        x, y = frame_wcs(frame).wcs_world2pix(row.ra, row.dec, 0)
        assert seconds[round(float(y)), round(float(x))] > 0


@pytest.mark.parametrize("radius", [20.0, 40.0, 60.0])
def test_galaxy_light_in_the_image_is_the_published_law(deep: Picture, radius: float) -> None:
    """Along the major axis, against the formula written out once more."""
    v = 25.70 + 1.0857 * 23.35 * ((np.hypot(radius, 6.8) / 703.9) ** (1 / 11.84) - 1)
    v -= 1.25 * 0.2 * np.log10(1 + (6.8 / radius) ** 2)
    expected = 10 ** (-0.4 * (v - 1.30 + 0.43 - 25.94)) * 0.01  # electron/s in a pixel of 0.1 arcsec
    angle = np.deg2rad(155)
    x, y = frame_wcs(deep.frame).wcs_world2pix(*M87, 0)
    for sign in (1, -1):
        i = round(float(y) + sign * 10 * radius * np.cos(angle))
        j = round(float(x) - sign * 10 * radius * np.sin(angle))
        seen = np.median(deep.science[i - 15 : i + 16, j - 15 : j + 16])
        assert seen == pytest.approx(expected, rel=0.06)


def test_the_jet_points_the_right_way(deep: Picture) -> None:
    """Knot A: 12.4 arcsec from the nucleus at position angle 290.5."""
    nucleus = SkyCoord(*M87, unit="deg")
    knot = nucleus.directional_offset_by(290.5 * u.deg, 12.4 * u.arcsec)
    mirrored = nucleus.directional_offset_by(110.5 * u.deg, 12.4 * u.arcsec)
    pixels, _, _ = cutout(deep, knot.ra.deg, knot.dec.deg, 2)
    x, y = (round(float(c)) for c in frame_wcs(deep.frame).wcs_world2pix(knot.ra.deg, knot.dec.deg, 0))
    a, b = (
        round(float(c)) for c in frame_wcs(deep.frame).wcs_world2pix(mirrored.ra.deg, mirrored.dec.deg, 0)
    )
    assert pixels.shape == (5, 5)
    assert deep.science[y, x] > 1.3 * deep.science[b, a]


@pytest.mark.parametrize("name", ["hst_05091_6p_wfpc2_f606w_wf", "hst_10543_01_acs_wfc_f814w"])
def test_noise_on_blank_sky_is_that_of_photons_and_readout(sky: Sky, name: str) -> None:
    frame = replace(BY_NAME[name], centre=(193.0, 15.0), shape=(600, 500), gap=0.0)
    picture = render(sky, frame)
    native = 0.1 if frame.instrument == "WFPC2" else 0.05
    photons = frame.band.sky * 0.1**2 * frame.exposure
    readout = frame.exposures * 5.0**2 * (0.1 / native) ** 2
    assert np.std(picture.science) == pytest.approx(np.sqrt(photons + readout) / frame.exposure, rel=0.01)
    assert np.mean(picture.science) == pytest.approx(0, abs=1e-4)


def test_what_no_chip_saw_is_nan(deep: Picture, blank: Picture) -> None:
    for picture in (deep, blank):
        np.testing.assert_array_equal(np.isnan(picture.science), picture.exposure == 0)
    assert 0.2 < np.isnan(blank.science).mean() < 0.6


def test_dithers_fill_the_slit_and_a_single_exposure_does_not() -> None:
    slit = BY_NAME["hst_10543_01_acs_wfc_f606w"]
    for frame, filled in ((DEEP, True), (slit, False)):
        seconds = exposure_map(replace(frame, shape=(340, 340)))
        assert (seconds > 0).all() == filled
        assert seconds.max() == frame.exposure
        assert len(np.unique(seconds)) == 2


@pytest.mark.parametrize("frame", FRAMES, ids=lambda f: f.name)
def test_headers_are_valid_and_say_that_they_are_simulated(frame: Frame) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        primary, science = primary_header(frame), science_header(frame)
        text = primary.tostring() + science.tostring()
        fits.PrimaryHDU(header=primary).verify("exception")
    assert text.isascii()
    assert primary["SIMULATD"] is True
    assert science["SIMULATD"] is True
    assert primary["ORIGIN"] == "awe demonstration sky"
    assert "(simulated)" in primary["TARGNAME"]
    assert "SIMULATED" in str(primary["COMMENT"])
    history = "".join(primary["HISTORY"])
    assert all(row.key in history for row in PUBLISHED)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda f: f.name)
def test_headers_hold_what_was_observed(frame: Frame) -> None:
    primary, science = primary_header(frame), science_header(frame)
    assert primary["EXPTIME"] == frame.exposure
    assert primary["NEXP"] == frame.exposures
    start = Time(f"{primary['DATE-OBS']}T{primary['TIME-OBS']}", scale="utc")
    assert start.mjd == pytest.approx(primary["EXPSTART"], abs=1e-8)
    lasted = (primary["EXPEND"] - primary["EXPSTART"]) * 86400
    assert lasted == pytest.approx(frame.exposure + 120 * (frame.exposures - 1), abs=1e-3)
    stmag = -2.5 * np.log10(science["PHOTFLAM"]) + science["PHOTZPT"]
    assert science["ABZPT"] == pytest.approx(stmag - 5 * np.log10(science["PHOTPLAM"]) + 18.6921, abs=1e-3)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda f: f.name)
def test_the_wcs_of_the_header_is_that_of_the_pixels(frame: Frame) -> None:
    wcs = WCS(science_header(frame))
    rows, columns = frame.shape
    x, y = np.array([0, columns - 1.0, 3.0]), np.array([0, rows - 1.0, 100.0])
    np.testing.assert_allclose(
        wcs.wcs_pix2world(x, y, 0), frame_wcs(frame).wcs_pix2world(x, y, 0), atol=1e-10
    )
    middle = SkyCoord(*wcs.wcs_pix2world((columns - 1) / 2, (rows - 1) / 2, 0), unit="deg")
    above = SkyCoord(*wcs.wcs_pix2world((columns - 1) / 2, (rows - 1) / 2 + 50, 0), unit="deg")
    left = SkyCoord(*wcs.wcs_pix2world((columns - 1) / 2 - 50, (rows - 1) / 2, 0), unit="deg")
    assert middle.position_angle(above).wrap_at("180d").deg == pytest.approx(frame.north, abs=0.01)
    assert middle.position_angle(left).wrap_at("180d").deg == pytest.approx(frame.north + 90, abs=0.01)
    assert middle.separation(above).arcsec == pytest.approx(50 * frame.scale, rel=1e-5)


@pytest.mark.parametrize("compress", [False, True])
def test_files_hold_the_pixels_they_were_made_of(blank: Picture, compress: bool) -> None:
    picture = replace(blank, frame=replace(blank.frame, compress=compress))
    with read_back(picture) as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "SCI", "WHT"]
        science = hdus["SCI"].data
        noise = 1.4826 * np.nanmedian(np.abs(blank.science - np.nanmedian(blank.science)))
        np.testing.assert_array_equal(np.isnan(science), np.isnan(blank.science))
        assert np.nanmax(np.abs(science - blank.science)) <= (noise / 8 if compress else 0)
        np.testing.assert_array_equal(hdus["WHT"].data, blank.exposure)
        assert hdus["SCI"].header["SIMULATD"] is True
        assert hdus["SCI"].header["CTYPE1"] == "RA---TAN"


def test_colours_transform_as_documented() -> None:
    f606w, f814w = from_vi(np.array([23.67]), np.array([1.0]))
    assert f606w == pytest.approx(23.67 - 0.26 + 0.085)
    assert f814w == pytest.approx(22.67 + 0.43)
    assert BANDS["ACS", "F814W"].zeropoint == pytest.approx(25.94, abs=0.02)  # ACS Data Handbook, AB
    assert BANDS["ACS", "F606W"].zeropoint == pytest.approx(26.49, abs=0.02)
