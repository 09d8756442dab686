import io
import os
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.io.fits.hdu.compressed import _compression
from astropy.nddata import Cutout2D
from astropy.nddata.utils import NoOverlapError
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.science.conftest import SCALE, Writer, header, noise, sip, tangent

from awe.core.science import cutout as module
from awe.core.science import tiles as tiles_module
from awe.core.science.cutout import Cutout, Known, Wanted, cut
from awe.core.science.layout import Layout, Reader
from awe.core.science.source import open_local
from awe.core.sky import Box, Circle, Polygon, Range, Region
from awe.errors import InputFileError, LimitError, ParameterError

PIXELS = 10**8


def cut_file(
    path: Path,
    region: Region | None = None,
    *,
    known: Known | None = None,
    max_pixels: int = PIXELS,
    **wanted: Any,
) -> Cutout | None:
    with open_local(path) as source:
        layout, reader = Layout.read(source), Reader(source)
        return cut(layout, reader, "image", Wanted(region, **wanted), known, max_pixels=max_pixels)


def around(wcs: WCS, x: float, y: float) -> Circle:
    ra, dec = wcs.all_pix2world([[x, y]], 0)[0]
    return Circle(ra, dec, 2.0 / 3600)


def reread(cutout: Cutout | None) -> fits.HDUList:
    """Write the cutout and read it with astropy, which must not complain."""
    assert cutout is not None
    raw = b"".join(cutout.write())
    assert len(raw) % 2880 == 0
    hdus = fits.open(io.BytesIO(raw))
    hdus.verify("exception")
    return hdus


KINDS: dict[str, tuple[Any, type, dict[str, Any]]] = {
    "float": (fits.ImageHDU, np.float32, {}),
    "double": (fits.ImageHDU, np.float64, {}),
    "int": (fits.ImageHDU, np.int16, {}),
    "unsigned": (fits.ImageHDU, np.uint16, {}),
    "rice": (fits.CompImageHDU, np.int32, {"compression_type": "RICE_1"}),
    "rice tiles": (fits.CompImageHDU, np.float32, {"compression_type": "RICE_1", "tile_shape": (50, 70)}),
    "gzip": (fits.CompImageHDU, np.uint16, {"compression_type": "GZIP_1", "tile_shape": (64, 64)}),
    "gzip2": (fits.CompImageHDU, np.float32, {"compression_type": "GZIP_2", "quantize_level": 0.0}),
}

# Offsets of the centre from the image's, in degrees, and radii: inside, over two edges, over a corner.
PLACES = {
    "inside": (0.0, 0.0, 2.0 / 3600),
    "wide": (0.0, 0.001, 5.5 / 3600),
    "edge": (0.0021, 0.0, 3.3 / 3600),
    "corner": (0.0, 0.0030, 3.0 / 3600),
    "one pixel": (0.0001, -0.0003, 0.0),
    "larger than the image": (0.0, 0.0, 30.0 / 3600),
}


PLACED = ((187.7, 12.39, 0.5), (0.0, -0.001, 0.0), (30.0, 89.9995, 2.0))
"""Right ascension, declination and rotation of images."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[np.ndarray, WCS, Path]]:
    folder, images = tmp_path_factory.mktemp("whole"), []
    for number, (ra, dec, angle) in enumerate(PLACED):
        wcs, path = tangent(ra, dec, angle=angle), folder / f"{number}.fits"
        fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(noise(), header(wcs))]).writeto(path)
        images.append((noise(), wcs, path))
    return images


@pytest.fixture(scope="module", params=KINDS)
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    make, dtype, options = KINDS[request.param]
    path = tmp_path_factory.mktemp("stored") / "image.fits"
    image = make(noise(dtype=dtype), header(tangent()), name="SCI", **options)
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(path)
    return path


@pytest.mark.parametrize("place", PLACES)
def test_pixels_and_wcs_are_those_of_cutout2d(stored: Path, place: str) -> None:
    east, north, radius = PLACES[place]
    centre = SkyCoord(187.7 + east, 12.39 + north, unit="deg")
    with fits.open(stored) as whole:
        peer = Cutout2D(
            whole[1].data, centre, max(2 * radius, SCALE) * u.deg, WCS(whole[1].header), mode="trim"
        )

    found = reread(cut_file(stored, Circle(centre.ra.deg, centre.dec.deg, radius)))[1]

    np.testing.assert_array_equal(found.data, peer.data)
    np.testing.assert_array_equal(WCS(found.header).wcs.crpix, peer.wcs.wcs.crpix)
    np.testing.assert_allclose(WCS(found.header).pixel_scale_matrix, peer.wcs.pixel_scale_matrix)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    x=st.floats(-60, 460),
    y=st.floats(-60, 360),
    radius=st.floats(0.3, 120),
    number=st.integers(0, len(PLACED) - 1),
)
def test_anywhere_and_of_any_size(
    whole: list[tuple[np.ndarray, WCS, Path]], x: float, y: float, radius: float, number: int
) -> None:
    pixels, wcs, path = whole[number]
    centre = wcs.pixel_to_world(x, y)
    size = 2 * radius * SCALE * u.deg
    cutout = cut_file(path, Circle(centre.ra.deg, centre.dec.deg, radius * SCALE))
    found = reread(cutout)[1] if cutout is not None else None
    try:
        peer = Cutout2D(pixels, centre, size, wcs, mode="trim")
    except NoOverlapError:
        # The circle may still touch the outermost half pixel.
        assert found is None or 1 in found.shape
        return
    if found is None:  # the box overlaps the image at a corner, the circle does not
        grid_y, grid_x = np.mgrid[-0.5:300, -0.5:400]
        assert np.hypot(grid_x - x, grid_y - y).min() > radius * 0.99
        return
    # The circle's extent and Cutout2D's rounded size may part at the rounding.
    assert np.abs(np.subtract(found.shape, peer.data.shape)).max() <= 1
    if found.shape == peer.data.shape:
        first = np.round(wcs.wcs.crpix - WCS(found.header).wcs.crpix).astype(int)[::-1]
        (y0, x0), (height, width) = first, found.shape
        assert np.array_equal(found.data, pixels[y0 : y0 + height, x0 : x0 + width])
        assert np.abs(first - peer.origin_original[::-1]).max() <= 1


def test_nan_borders_stay(write: Writer) -> None:
    pixels = noise()
    pixels[:120] = np.nan
    path = write(fits.ImageHDU(pixels, header(tangent())))
    region = Circle(187.7, 12.39, 3.0 / 3600)
    peer = Cutout2D(pixels, SkyCoord(187.7, 12.39, unit="deg"), 6 * u.arcsec, tangent(), mode="trim")
    found = reread(cut_file(path, region))[1].data
    assert np.isnan(found).any()
    assert not np.isnan(found).all()
    np.testing.assert_array_equal(found, peer.data)


@pytest.mark.parametrize("frame", ["ICRS", "FK5", "FK4"])
def test_the_frame_of_the_header_is_minded(write: Writer, frame: str) -> None:
    wcs = tangent(frame=frame)
    centre = SkyCoord(*wcs.wcs.crval, unit="deg", frame=frame.lower()).icrs
    path = write(fits.ImageHDU(noise(), header(wcs)))
    peer = Cutout2D(noise(), centre, 4 * u.arcsec, WCS(header(wcs)), mode="trim")
    found = reread(cut_file(path, Circle(centre.ra.deg, centre.dec.deg, 2.0 / 3600)))[1]
    np.testing.assert_array_equal(found.data, peer.data)


@pytest.mark.parametrize(
    ("ra", "dec"), [(0.0, 0.0), (359.9999, -30.0), (0.0001, 60.0), (77.0, 90.0), (5.0, -89.9999)]
)
def test_ra_zero_and_poles(write: Writer, ra: float, dec: float) -> None:
    wcs = tangent(ra, dec)
    path = write(fits.ImageHDU(noise(), header(wcs)))
    centre = SkyCoord(wcs.pixel_to_world(150.2, 99.6))
    peer = Cutout2D(noise(), centre, 4 * u.arcsec, wcs, mode="trim")
    found = reread(cut_file(path, Circle(centre.ra.deg, centre.dec.deg, 2.0 / 3600)))[1]
    np.testing.assert_array_equal(found.data, peer.data)


def test_sip_positions_stay_where_they_are(write: Writer) -> None:
    wcs = sip(tangent())
    path = write(fits.ImageHDU(noise(), header(wcs)))
    centre = wcs.pixel_to_world(320.0, 80.0)
    found = reread(cut_file(path, Circle(centre.ra.deg, centre.dec.deg, 2.0 / 3600)))[1]
    cut_wcs = WCS(found.header)
    assert cut_wcs.sip is not None
    first = np.argwhere(noise() == found.data[0, 0])[0][::-1]
    y, x = np.mgrid[0 : found.shape[0], 0 : found.shape[1]]
    there = wcs.all_pix2world(x.ravel() + first[0], y.ravel() + first[1], 0)
    here = cut_wcs.all_pix2world(x.ravel(), y.ravel(), 0)
    np.testing.assert_allclose(here, there, rtol=0, atol=1e-11)
    # The circle is cut where it is on the distorted image: its edge lies on the box's sides.
    middle = np.array(found.data.shape[::-1]) / 2 - 0.5
    np.testing.assert_allclose(
        cut_wcs.all_world2pix([[centre.ra.deg, centre.dec.deg]], 0)[0], middle, atol=1.0
    )


def test_distortion_tables_move_with_the_pixels(write: Writer) -> None:
    base = header(tangent())
    for axis in (1, 2):
        base[f"CPDIS{axis}"] = "LOOKUP"
        base[f"DP{axis}"] = f"EXTVER: {axis}"
        base.append(fits.Card.fromstring(f"DP{axis}     = 'NAXES: 2'"))
        base.append(fits.Card.fromstring(f"DP{axis}     = 'AXIS.1: 1'"))
        base.append(fits.Card.fromstring(f"DP{axis}     = 'AXIS.2: 2'"))
    tables = []
    for version in (1, 2):
        y, x = np.mgrid[0:4, 0:5]
        table = fits.ImageHDU((0.3 * x * version - 0.2 * y).astype(np.float32), name="WCSDVARR", ver=version)
        for axis, (pixel, value, step) in enumerate(((1.0, 1.0, 100.0), (1.0, 1.0, 100.0)), start=1):
            table.header[f"CRPIX{axis}"], table.header[f"CRVAL{axis}"], table.header[f"CDELT{axis}"] = (
                pixel,
                value,
                step,
            )
        tables.append(table)
    path = write(fits.ImageHDU(noise(), base, name="SCI"), *tables)
    with fits.open(path) as whole:
        wcs = WCS(whole[1].header, whole)
        assert wcs.cpdis1 is not None
        ra, dec = wcs.all_pix2world([[250.0, 200.0]], 0)[0]
        hdus = reread(cut_file(path, Circle(ra, dec, 2.0 / 3600)))
        cut_wcs = WCS(hdus["SCI"].header, hdus)
        first = np.argwhere(noise() == hdus["SCI"].data[0, 0])[0][::-1]
        np.testing.assert_allclose(
            cut_wcs.all_pix2world([[10.0, 20.0], [60.0, 70.0]], 0),
            wcs.all_pix2world(np.array([[10.0, 20.0], [60.0, 70.0]]) + first, 0),
            rtol=0,
            atol=1e-11,
        )


def test_errors_quality_and_both_chips_are_cut_together(write: Writer) -> None:
    above, below = tangent(), tangent(187.7, 12.39)
    below.wcs.crpix = [200.3, 450.7]  # the chip below, touching
    science = [noise(), noise() + 1]
    hdus: list[fits.ImageHDU] = []
    for chip, wcs in enumerate((above, below), start=1):
        hdus += [
            fits.ImageHDU(science[chip - 1], header(wcs), name="SCI", ver=chip),
            fits.ImageHDU(science[chip - 1] / 10, header(wcs), name="ERR", ver=chip),
            fits.ImageHDU(np.full((300, 400), chip, np.int16), header(wcs), name="DQ", ver=chip),
        ]
    primary = fits.PrimaryHDU()
    primary.header["TARGNAME"] = "M87"
    path = write(primary, *hdus)

    on_both = around(above, 200, 2)
    both = reread(cut_file(path, on_both))
    assert [(h.name, h.ver) for h in both[1:]] == [(n, c) for c in (1, 2) for n in ("SCI", "ERR", "DQ")]
    assert both[0].header["TARGNAME"] == "M87"
    assert len({h.shape for h in both[1:4]}) == 1
    np.testing.assert_allclose(both["ERR", 1].data * 10, both["SCI", 1].data, rtol=1e-6)

    one = reread(cut_file(path, around(above, 200, 200)))
    assert [(h.name, h.ver) for h in one[1:]] == [("SCI", 1), ("ERR", 1), ("DQ", 1)]


def test_an_image_in_the_primary_hdu_stays_there(write: Writer) -> None:
    path = write(fits.PrimaryHDU(noise(), header(tangent())))
    hdus = reread(cut_file(path, Circle(187.7, 12.39, 2.0 / 3600)))
    assert len(hdus) == 1
    assert hdus[0].data.shape == (80, 80)


def test_scaled_integers_stay_as_they_are_stored(write: Writer) -> None:
    hdu = fits.ImageHDU(np.arange(120000, dtype=np.int32).reshape(300, 400) % 30000, header(tangent()))
    hdu.scale("int16", bscale=0.25, bzero=1000.0)
    hdu.header["BLANK"] = -4000
    path = write(hdu)
    cutout = cut_file(path, Circle(187.7, 12.39, 2.0 / 3600))
    assert cutout is not None
    found = fits.open(io.BytesIO(b"".join(cutout.write())), do_not_scale_image_data=True)[1]
    assert (found.header["BSCALE"], found.header["BZERO"], found.header["BLANK"]) == (0.25, 1000.0, -4000)
    with fits.open(path, do_not_scale_image_data=True) as whole:
        peer = Cutout2D(
            whole[1].data, SkyCoord(187.7, 12.39, unit="deg"), 4 * u.arcsec, tangent(), mode="trim"
        )
    np.testing.assert_array_equal(found.data, peer.data)
    assert found.data.dtype == np.dtype(">i2")


def test_header_says_what_was_cut_and_nothing_stale(write: Writer) -> None:
    image = fits.ImageHDU(noise(), header(tangent()), name="SCI")
    image.header["LTV1"], image.header["LTM1_1"] = 5.0, 1.0
    image.header["DATASEC"] = "[1:400,1:300]"
    image.header["CRPIX1A"] = 200.0
    image.add_checksum()
    found = reread(cut_file(write(image), Circle(187.7, 12.39, 2.0 / 3600)))[1].header
    first = 200.3 - found["CRPIX1"]
    assert found["LTV1"] == 5.0 - first
    assert found["CRPIX1A"] == 200.0 - first
    assert not {"CHECKSUM", "DATASUM", "DATASEC"} & set(found)
    assert "CIRCLE 187.7 12.39" in str(found["HISTORY"]).replace("\n", "")


SHAPES: tuple[Region, ...] = (
    Polygon(((187.6995, 12.3892), (187.7004, 12.3894), (187.7002, 12.3907))),
    Box(187.7, 12.39, 0.0012, 0.0005),
    Range(187.6996, 187.7003, 12.3897, 12.3904),
)


@pytest.mark.parametrize("region", SHAPES, ids=lambda region: type(region).__name__)
def test_every_shape_is_cut_to_its_bounding_box(write: Writer, region: Region) -> None:
    wcs = tangent()
    found = reread(cut_file(write(fits.ImageHDU(noise(), header(wcs))), region))[1]
    y, x = np.mgrid[0:300, 0:400]
    ra, dec = wcs.all_pix2world(x.ravel(), y.ravel(), 0)
    inside = region.contains(ra, dec)
    low = np.array([x.ravel()[inside].min(), y.ravel()[inside].min()])
    high = np.array([x.ravel()[inside].max(), y.ravel()[inside].max()])
    first = np.argwhere(noise() == found.data[0, 0])[0][::-1]
    np.testing.assert_allclose(first, low, atol=1.0)
    np.testing.assert_allclose(first + found.data.shape[::-1], high + 1, atol=1.5)


@pytest.mark.parametrize(
    "region",
    [
        Circle(187.71, 12.39, 1.0 / 3600),
        Circle(7.7, -12.39, 20.0),
        Circle(187.7, 12.39 + 0.0030 * 1.6, 1.0 / 3600),
        Polygon(((10.0, 10.0), (20.0, 10.0), (15.0, 20.0))),
        Range(0.0, 10.0, -90.0, 90.0),
    ],
)
def test_a_region_beside_the_image_gives_nothing(write: Writer, region: Region) -> None:
    assert cut_file(write(fits.ImageHDU(noise(), header(tangent()))), region) is None


@pytest.mark.parametrize(
    "region", [Circle(187.7, 12.39, 180.0), Circle(200.0, 40.0, 60.0), Range(0.0, 360.0, -90.0, 90.0)]
)
def test_a_region_around_all_of_it_gives_all_of_it(write: Writer, region: Region) -> None:
    found = reread(cut_file(write(fits.ImageHDU(noise(), header(tangent()))), region))
    np.testing.assert_array_equal(found[1].data, noise())


def test_the_pole_of_an_all_sky_map(write: Writer) -> None:
    wcs = tangent(0.0, 0.0, (180, 360), angle=0.0, scale=1.0, projection="CAR")
    wcs.wcs.crpix = [180.5, 90.5]
    path = write(fits.ImageHDU(noise((180, 360)), header(wcs)))
    found = reread(cut_file(path, Circle(40.0, 88.0, 5.0)))[1]
    np.testing.assert_array_equal(found.data, noise((180, 360))[-len(found.data) :])
    assert len(found.data) in {7, 8}


def test_too_many_pixels_are_refused_before_anything_is_read(
    write: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_read", lambda *_: pytest.fail("read"))
    with pytest.raises(LimitError, match="119,999") as caught:
        cut_file(write(fits.ImageHDU(noise(), header(tangent()))), max_pixels=119_999)
    assert caught.value.fields["pixels"] == 120_000


def test_only_the_rows_wanted_are_read(write: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(fits.ImageHDU(noise((2000, 3000)), header(tangent(shape=(2000, 3000)))))
    read = 0
    original = os.pread

    def counted(number: int, count: int, place: int) -> bytes:
        nonlocal read
        read += count
        return original(number, count, place)

    monkeypatch.setattr(os, "pread", counted)
    cutout = cut_file(path, Circle(187.7, 12.39, 2.0 / 3600))
    assert 80 * 80 * 4 <= read < 80 * 80 * 4 + 100  # a look at how the file begins, and the rows
    assert reread(cutout)[1].data.shape == (80, 80)


def test_only_the_tiles_touched_are_decompressed(write: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    shape = (1000, 1000)
    path = write(
        fits.CompImageHDU(
            noise(shape, np.int32),
            header(tangent(shape=shape)),
            compression_type="RICE_1",
            tile_shape=(100, 100),
        )
    )
    tiles = 0
    original = _compression.decompress_rice_1_c

    def counted(*args: object) -> object:
        nonlocal tiles
        tiles += 1
        return original(*args)

    monkeypatch.setattr(tiles_module, "decompress_rice_1_c", counted)
    assert reread(cut_file(path, Circle(187.7, 12.39, 2.0 / 3600)))[1].data.shape == (80, 80)
    assert tiles == 4


def test_band_is_cut_on_the_spectral_axis(write: Writer) -> None:
    wcs = WCS(naxis=3)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN", "WAVE"]
    wcs.wcs.crval, wcs.wcs.crpix = [187.7, 12.39, 500e-9], [20.5, 15.5, 1.0]
    wcs.wcs.cdelt, wcs.wcs.cunit = [-SCALE, SCALE, 1e-9], ["deg", "deg", "m"]
    cube = noise((50, 30, 40))
    path = write(fits.ImageHDU(cube, wcs.to_header()))
    found = reread(cut_file(path, band=(509.7e-9, 520.3e-9)))[1]
    np.testing.assert_array_equal(found.data, cube[10:21])
    assert WCS(found.header).all_pix2world([[0, 0, 0]], 0)[0][2] == pytest.approx(510e-9)
    assert cut_file(path, band=(600e-9, 700e-9)) is None
    single = reread(cut_file(path, band=(512.2e-9, 512.2e-9)))[1]
    np.testing.assert_array_equal(single.data, cube[12:13])


def test_band_of_a_frequency_axis_is_given_in_wavelength(write: Writer) -> None:
    wcs = WCS(naxis=3)
    wcs.wcs.ctype = ["RA---SIN", "DEC--SIN", "FREQ"]
    wcs.wcs.crval, wcs.wcs.crpix = [187.7, 12.39, 1.4e9], [20.5, 15.5, 1.0]
    wcs.wcs.cdelt, wcs.wcs.cunit = [-SCALE, SCALE, 1e6], ["deg", "deg", "Hz"]
    cube = noise((50, 30, 40))
    low, high = 299792458.0 / 1.4203e9, 299792458.0 / 1.4097e9
    found = reread(cut_file(write(fits.ImageHDU(cube, wcs.to_header())), band=(low, high)))[1]
    np.testing.assert_array_equal(found.data, cube[10:21])


def test_an_image_is_in_the_band_or_not(write: Writer) -> None:
    path = write(fits.ImageHDU(noise(), header(tangent())))
    assert cut_file(path, band=(500e-9, 600e-9), known=Known(band=(550e-9, 700e-9))) is not None
    assert cut_file(path, band=(500e-9, 540e-9), known=Known(band=(550e-9, 700e-9))) is None
    with pytest.raises(ParameterError, match="BAND"):
        cut_file(path, band=(500e-9, 540e-9))


def test_data_that_end_early_are_named(write: Writer) -> None:
    path = write(fits.ImageHDU(noise(), header(tangent())))
    path.write_bytes(path.read_bytes()[:200_000])
    with pytest.raises(InputFileError, match="image"):
        cut_file(path, around(tangent(), 200, 280))


def test_the_real_acs_headers(shared_data: Path, write: Writer) -> None:
    path = shared_data / "a_hst_images" / "acs_wfc_j94f05bgq_flt_headers.fits"
    with fits.open(path) as hdus:
        wcs = WCS(hdus[1].header, hdus)
        real = hdus[1].header.copy()
    ra, dec = wcs.all_pix2world([[0.0, 0.0]], 0)[0]
    found = reread(cut_file(path, Circle(ra, dec, 0.02 / 3600)))
    assert [h.name for h in found] == ["PRIMARY", "SCI", "ERR", "DQ"]
    assert found[1].data.shape == (1, 1)
    # The same header over an image of the real size: positions agree with the whole image's.
    with fits.open(path) as hdus:
        whole = write(hdus[0].copy(), fits.ImageHDU(np.zeros((2048, 4096), np.uint8), real))
    ra, dec = wcs.all_pix2world([[3000.0, 300.0]], 0)[0]
    small = reread(cut_file(whole, Circle(ra, dec, 5.0 / 3600)))[1]
    first = [real[f"CRPIX{axis}"] - small.header[f"CRPIX{axis}"] for axis in (1, 2)]
    assert all(abs(x - (y - 100)) < 5 for x, y in zip(first, (3000, 300), strict=True))
    here = WCS(small.header).all_pix2world([[17.0, 23.0], [150.0, 99.0]], 0)
    there = wcs.all_pix2world(np.array([[17.0, 23.0], [150.0, 99.0]]) + first, 0)
    np.testing.assert_allclose(here, there, rtol=0, atol=1e-10)
