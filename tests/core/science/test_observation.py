from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from tests.core.science.conftest import header, noise, sip, tangent

from awe.core.science.celestial import NoCelestialWCSError, quiet
from awe.core.science.filters import FILTERS
from awe.core.science.fitsfile import open_fits
from awe.core.science.observation import Observation, Rules, observe, split_name
from awe.core.sky import Circle, Polygon, parse_stcs


def one(hdus: fits.HDUList, stem: str = "image", rules: Rules | None = None) -> Observation:
    (found,) = observe(hdus, stem, rules)
    return found


def image(cards: dict[str, object] | None = None, wcs: WCS | None = None, **options: object) -> fits.ImageHDU:
    hdu = fits.ImageHDU(noise((30, 40)), header(wcs or tangent(shape=(30, 40))), **options)
    hdu.header.update(cards or {})
    return hdu


def in_file(*hdus: fits.ImageHDU, **primary: object) -> fits.HDUList:
    first = fits.PrimaryHDU()
    first.header.update(primary)
    return fits.HDUList([first, *hdus])


@pytest.mark.parametrize(
    ("stem", "name", "product"),
    [
        ("hst_9401_02_acs_wfc_total_drz", "hst_9401_02_acs_wfc_total", "drz"),
        ("j94f05bgq_flt", "j94f05bgq", "flt"),
        ("J94F05BGQ_FLT", "J94F05BGQ", "flt"),
        ("hst_05122_01_wfpc2_f547m_pc", "hst_05122_01_wfpc2_f547m_pc", ""),
        ("m87", "m87", ""),
        ("_flt", "_flt", ""),
    ],
)
def test_a_files_name_is_the_observation_and_the_product(stem: str, name: str, product: str) -> None:
    assert split_name(stem) == (name, product)


@pytest.mark.parametrize(
    ("ra", "dec"), [(187.7, 12.39), (0.0001, 5.0), (359.9999, -70.0), (33.0, 90.0), (8.0, -89.999)]
)
@pytest.mark.parametrize("frame", ["ICRS", "FK5"])
def test_the_outline_is_astropys_footprint(ra: float, dec: float, frame: str) -> None:
    wcs = tangent(ra, dec, (30, 40), frame=frame, scale=0.2 / 3600)
    found = one(in_file(image(wcs=wcs)))
    region = parse_stcs(str(found.s_region))
    assert isinstance(region, Polygon)
    lon, lat = WCS(header(wcs)).calc_footprint(axes=(40, 30), center=False).T
    peer = SkyCoord(lon, lat, unit="deg", frame=frame.lower()).icrs
    ours = SkyCoord(*np.array(region.vertices).T, unit="deg")
    assert max(corner.separation(ours).min().arcsec for corner in peer) < 1e-6
    assert len(ours) == 4
    centre = SkyCoord(wcs.pixel_to_world(19.5, 14.5)).icrs
    assert centre.separation(SkyCoord(found.s_ra, found.s_dec, unit="deg")).arcsec < 1e-3
    assert found.s_fov == pytest.approx(np.hypot(30, 40) * 0.2 / 3600, rel=1e-4)
    assert found.s_pixel_scale == pytest.approx(0.2)


def test_vertices_run_as_dali_wants_them_whatever_the_parity() -> None:
    flipped = tangent(shape=(30, 40))
    flipped.wcs.cd = flipped.wcs.cd * [[-1, -1], [1, 1]]
    for wcs in (tangent(shape=(30, 40)), flipped):
        region = parse_stcs(str(one(in_file(image(wcs=wcs))).s_region))
        assert isinstance(region, Polygon)
        ra, dec = np.array(region.vertices).T
        # East is left on the sky: counter-clockwise there is clockwise in a plot of (ra, dec).
        assert np.sum(ra * np.roll(dec, -1) - np.roll(ra, -1) * dec) < 0


def test_a_distorted_outline_follows_the_edge() -> None:
    wcs = sip(tangent(), 3e-5)
    hdu = fits.ImageHDU(noise(), header(wcs))
    region = parse_stcs(str(one(in_file(hdu)).s_region))
    assert isinstance(region, Polygon)
    assert len(region.vertices) == 32
    inner = [(x, y) for x in (0, 199, 399) for y in (0, 149, 299)]
    assert region.contains(*wcs.all_pix2world(inner, 0).T).all()


def test_chips_are_described_by_the_hull_around_them() -> None:
    second = tangent(shape=(30, 40))
    second.wcs.crpix = [20.3, 65.7]
    found = one(in_file(image(name="SCI", ver=1), image(wcs=second, name="SCI", ver=2)))
    region = parse_stcs(str(found.s_region))
    for wcs in (tangent(shape=(30, 40)), second):
        corners = wcs.all_pix2world([(0, 0), (39, 0), (39, 29), (0, 29)], 0)
        assert region.contains(*corners.T).all()
    assert found.hdus == (1, 2)
    assert region.area == pytest.approx(40 * 80 * (0.05 / 3600) ** 2, rel=0.01)


def test_a_map_of_the_whole_sky_is_a_circle_around_it() -> None:
    wcs = tangent(0.0, 0.0, (180, 360), angle=0.0, scale=1.0, projection="CAR")
    found = one(fits.HDUList([fits.PrimaryHDU(noise((180, 360)), header(wcs))]))
    assert parse_stcs(str(found.s_region)) == Circle(0.0, 0.0, 180.0)
    assert found.s_fov == 360.0


HST = {
    "TELESCOP": "HST", "INSTRUME": "ACS", "DETECTOR": "WFC", "FILTER1": "F814W", "FILTER2": "CLEAR2L",
    "EXPSTART": 53000.5, "EXPEND": 53000.6, "EXPTIME": 1960.0, "TARGNAME": "M87", "PROPOSID": 9401,
    "APERTURE": "WFC", "PR_INV_L": "Cote", "NCOMBINE": 5,
}  # fmt: skip


def test_what_the_headers_of_hubble_say() -> None:
    found = one(in_file(image(name="SCI"), **HST), "hst_9401_02_acs_wfc_f814w_drz")
    assert (found.facility_name, found.instrument_name, found.detector) == ("HST", "ACS/WFC", "ACS/WFC")
    assert (found.spectral_elt, found.aperture, found.target_name) == ("F814W", "WFC", "M87")
    assert (found.t_min, found.t_max, found.t_exptime) == (53000.5, 53000.6, 1960.0)
    assert (found.proposal_id, found.visit, found.pi_name, found.n_exposures) == ("9401", "02", "Cote", 5)
    assert (found.calib_level, found.part, found.dataproduct_type) == (3, None, "image")
    band = FILTERS["ACS", "F814W"]
    assert (found.em_min, found.em_max) == (band.low, band.high)


def test_a_detection_image_is_told_by_its_name() -> None:
    hst = {**HST, "FILTER1": "CLEAR1L"}
    assert one(in_file(image(), **hst), "hst_9401_02_acs_wfc_total_drz").spectral_elt == "detection"


@pytest.mark.parametrize(
    ("cards", "mjd"),
    [
        ({"DATE-OBS": "2003-11-20"}, 52963.0),
        ({"DATE-OBS": "2003-11-20T12:00:00"}, 52963.5),
        ({"DATE-OBS": "2003-11-20", "TIME-OBS": "06:00:00"}, 52963.25),
        ({"DATE-OBS": "20/11/93"}, 49311.0),
        ({"MJD-OBS": 52963.75}, 52963.75),
        ({"DATE-OBS": "yesterday"}, None),
        ({"DATE-OBS": "2003-13-45"}, None),
        ({"EXPSTART": "n/a"}, None),
    ],
)
def test_times_in_every_spelling(cards: dict[str, object], mjd: float | None) -> None:
    found = one(in_file(image(cards | {"EXPTIME": 86400.0})))
    assert found.t_min == pytest.approx(mjd) if mjd is not None else found.t_min is None
    if mjd is not None:
        assert found.t_max == pytest.approx(mjd + 1)


def test_images_through_different_filters_are_different_datasets() -> None:
    hdus = in_file(image({"FILTER": "F606W"}), image({"FILTER": "F814W"}), image({"FILTER": "F606W"}))
    first, second = observe(hdus, "three_flt")
    assert (first.part, first.hdus, first.spectral_elt) == ("flt.1", (1, 3), "F606W")
    assert (second.part, second.hdus, second.spectral_elt) == ("flt.2", (2,), "F814W")


def test_the_publisher_has_the_last_word() -> None:
    rules = Rules({"facility_name": "CFHT", "calib_level": 3}, {"target_name": "MYOBJ", "visit": "NOTHING"})
    found = one(in_file(image({"MYOBJ": "Virgo A"}), **HST), "x", rules)
    assert (found.facility_name, found.calib_level, found.target_name) == ("CFHT", 3, "Virgo A")


def test_a_cube_tells_its_axes() -> None:
    wcs = WCS(naxis=4)
    wcs.wcs.ctype = ["RA---SIN", "DEC--SIN", "FREQ", "STOKES"]
    wcs.wcs.crval, wcs.wcs.cdelt, wcs.wcs.crpix = [10, 20, 1.4e9, 1], [-1e-4, 1e-4, 1e6, 1], [5, 5, 1, 1]
    found = one(fits.HDUList([fits.PrimaryHDU(noise((4, 7, 8, 9)), wcs.to_header())]))
    assert (found.dataproduct_type, found.em_xel, found.pol_xel, found.pol_states) == (
        "cube",
        7,
        4,
        "/I/Q/U/V/",
    )
    assert (found.s_xel1, found.s_xel2) == (9, 8)


def test_swapped_axes_are_seen() -> None:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["DEC--TAN", "RA---TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = [12.0, 187.0], [20.5, 15.5]
    wcs.wcs.cdelt = [1e-4, -1e-4]
    found = one(fits.HDUList([fits.PrimaryHDU(noise((30, 40)), wcs.to_header())]))
    assert (found.s_ra, found.s_dec) == pytest.approx((187.0, 12.0), abs=1e-6)


NOT_ON_THE_SKY = {
    "no image": (fits.HDUList([fits.PrimaryHDU()]), "no HDU holds an image"),
    "no coordinates": (fits.HDUList([fits.PrimaryHDU(noise((3, 3)))]), "no celestial world coordinates"),
    "linear coordinates": (
        fits.HDUList([fits.PrimaryHDU(noise((3, 3)), fits.Header({"CTYPE1": "X", "CTYPE2": "Y"}))]),
        "no celestial",
    ),
    "a spectrum": (
        fits.HDUList([fits.PrimaryHDU(noise((30,)), fits.Header({"CTYPE1": "WAVE"}))]),
        "no HDU holds",
    ),
    "a table": (
        fits.HDUList(
            [fits.PrimaryHDU(), fits.BinTableHDU.from_columns([fits.Column("a", "D", array=[1.0])])]
        ),
        "no HDU holds an image",
    ),
    "a singular matrix": (
        fits.HDUList(
            [
                fits.PrimaryHDU(
                    noise((3, 3)),
                    fits.Header(
                        {
                            "CTYPE1": "RA---TAN",
                            "CTYPE2": "DEC--TAN",
                            "CD1_1": 1.0,
                            "CD1_2": 1.0,
                            "CD2_1": 1.0,
                            "CD2_2": 1.0,
                        }
                    ),
                )
            ]
        ),
        "singular",
    ),
    "an unknown projection": (
        fits.HDUList(
            [fits.PrimaryHDU(noise((3, 3)), fits.Header({"CTYPE1": "RA---XYZ", "CTYPE2": "DEC--XYZ"}))]
        ),
        "cannot be used|no celestial",
    ),
    "one half of a pair": (
        fits.HDUList([fits.PrimaryHDU(noise((3, 3)), fits.Header({"CTYPE1": "RA---TAN"}))]),
        "cannot be used|no celestial",
    ),
    "beyond the projection": (
        fits.HDUList(
            [
                fits.PrimaryHDU(
                    noise((3, 3)),
                    fits.Header(
                        {
                            "CTYPE1": "RA---SIN",
                            "CTYPE2": "DEC--SIN",
                            "CRPIX1": 1e9,
                            "CDELT1": -1.0,
                            "CDELT2": 1.0,
                        }
                    ),
                )
            ]
        ),
        "no position for any pixel",
    ),
    "the sun": (
        fits.HDUList(
            [fits.PrimaryHDU(noise((3, 3)), fits.Header({"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN"}))]
        ),
        "frame is not known|no celestial",
    ),
}


@pytest.mark.parametrize("what", NOT_ON_THE_SKY)
def test_what_is_not_on_the_sky_says_why(what: str) -> None:
    hdus, reason = NOT_ON_THE_SKY[what]
    with pytest.raises(NoCelestialWCSError, match=reason):
        observe(hdus, "x")


REAL = {
    "a_hst_images/cosmos_acs_f814w_147246_543px.fits": (150.41656, 1.99870, "ACS/WFC", "F814W", 4056.0),
    "a_hst_images/acs_wfc_j94f05bgq_flt_headers.fits": (5.5467, -72.0647, "ACS/WFC", "F606W", 400.0),
    "a_hst_images/wfc3_sample_flt_headers.fits": (137.8524, -64.8864, "WFC3/IR", "F110W", 699.232483),
    "a_hst_images/foc_hz4_512px.fits": (58.8404, 9.7885, "FOC", "F4ND", 895.875),
    "a_hst_images/m87_hst_wfpc2_halpha_filament_model.fits": (187.7150, 12.3865, None, None, None),
    "a2_galaxy_images/m51_spitzer_irac_sip.fits": (202.4827, 47.1750, "IRAC", None, 10.4),
    "a2_galaxy_images/ngc6976_sdss_r.fits.bz2": (313.1702, -5.6934, None, "g", 53.907456),
}


@pytest.mark.parametrize("path", REAL)
def test_real_images(shared_data: Path, path: str) -> None:
    ra, dec, instrument, element, exposure = REAL[path]
    with open_fits(shared_data / path) as hdus:
        found = observe(hdus, Path(path).stem)[0]
    assert (found.s_ra, found.s_dec) == pytest.approx((ra, dec), abs=2e-4)
    assert (found.instrument_name, found.spectral_elt, found.t_exptime) == (instrument, element, exposure)


def test_the_filter_table_holds_the_pivot_wavelengths_of_real_headers(shared_data: Path) -> None:
    checked = 0
    for path in sorted((shared_data / "a_hst_images").glob("*.fits")):
        with open_fits(path) as hdus, quiet():
            for hdu in hdus:
                pivot = hdu.header.get("PHOTPLAM", 0.0)
                names = [hdu.header.get(k, hdus[0].header.get(k)) for k in ("FILTER", "FILTER1", "FILTER2")]
                system = hdu.header.get("INSTRUME", hdus[0].header.get("INSTRUME"))
                for name in names:
                    known = FILTERS.get((str(system), str(name).upper()))
                    if known and isinstance(pivot, float) and pivot > 0:
                        assert known.low < pivot * 1e-10 < known.high
                        checked += 1
    assert checked >= 6


def test_the_exposure_of_a_combined_image_is_the_sum() -> None:
    # as in the eXtreme Deep Field, whose pixels are electrons per second
    found = one(in_file(image({"EXPTIME": 1.0, "TEXPTIME": 195429.0})))
    assert found.t_exptime == 195429.0
