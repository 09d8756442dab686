"""Cubes cut along wavelengths, times and polarisation states: against formulas and astropy's slices."""

import io
import itertools
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import constants, units
from astropy.io import fits
from astropy.time import Time
from astropy.wcs import WCS, FITSFixedWarning
from tests.core.science.conftest import SCALE, Writer

from awe.core.science.cutout import Known, Wanted, cut
from awe.core.science.fitsfile import open_fits
from awe.core.science.layout import Layout, Reader
from awe.core.science.observation import observe
from awe.core.science.source import open_local
from awe.core.sky import Circle
from awe.errors import ParameterError

C = constants.c.to_value("m/s")
H = constants.h.to_value("J s")
REST_HZ, REST_M = 1.420405751e9, 0.211061
NX, NY = 24, 16


def air(wave: float) -> float:
    """Return the wavelength in air (m) as paper III of the FITS WCS series (Greisen et al. 2006) has it."""
    micron2 = (wave * 1e6) ** -2
    return wave / (1 + 1e-6 * (287.6155 + 1.62887 * micron2 + 0.01360 * micron2**2))


# type: unit, value of the first pixel, step, further keywords, wavelength (m) of a value
SPECTRAL: dict[str, tuple[str, float, float, dict[str, Any], Callable[[float], float]]] = {
    "WAVE": ("m", 5e-7, 1e-9, {}, lambda v: v),
    "WAVE nm": ("nm", 500.0, 1.0, {}, lambda v: v * 1e-9),
    "FREQ": ("Hz", 1.40e9, 1e6, {}, lambda v: C / v),
    "FREQ down": ("GHz", 1.40, -1e-3, {}, lambda v: C / (v * 1e9)),
    "ENER": ("eV", 2000.0, 10.0, {}, lambda v: H * C / (v * constants.e.si.value)),
    "WAVN": ("m-1", 2e6, 1e3, {}, lambda v: 1 / v),
    "VRAD": ("m/s", 1e5, 5e3, {"RESTFRQ": REST_HZ}, lambda v: C / (REST_HZ * (1 - v / C))),
    "VRAD km/s": ("km/s", 100.0, -5.0, {"RESTFRQ": REST_HZ}, lambda v: C / (REST_HZ * (1 - v * 1e3 / C))),
    "VOPT": ("m/s", 1e6, 5e3, {"RESTWAV": REST_M}, lambda v: REST_M * (1 + v / C)),
    "VELO": (
        "m/s", 1e6, 5e3, {"RESTWAV": REST_M}, lambda v: REST_M * np.sqrt((1 + v / C) / (1 - v / C)),
    ),
    "ZOPT": ("", 0.1, 0.001, {"RESTWAV": 6.563e-7}, lambda v: 6.563e-7 * (1 + v)),
    "WAVE-LOG": ("m", 5e-7, 1e-9, {}, lambda v: v),
}  # fmt: skip


def cube(*axes: dict[str, Any], sizes: tuple[int, ...], more: dict[str, Any] | None = None) -> fits.ImageHDU:
    """Return a cube with the spatial axes first; `axes` are the keywords of the others, without their number."""
    head = fits.Header()
    place = {"CTYPE": ("RA---TAN", "DEC--TAN"), "CUNIT": ("deg", "deg"), "CRVAL": (187.7, 12.39),
             "CRPIX": (NX / 2, NY / 2 + 0.25), "CDELT": (-SCALE, SCALE)}  # fmt: skip
    for key, values in place.items():
        for number, value in enumerate(values, start=1):
            head[f"{key}{number}"] = value
    for number, said in enumerate(axes, start=3):
        for key, value in said.items():
            head[f"{key}{number}"] = value
    head.update(more or {})
    shape = (*reversed(sizes), NY, NX)
    return fits.ImageHDU(np.arange(np.prod(shape), dtype=np.float32).reshape(shape), head, name="SCI")


def spectral(kind: str, size: int = 30) -> tuple[dict[str, Any], dict[str, Any], np.ndarray]:
    """Return the keywords of a spectral axis, those beside it, and the wavelengths of its pixels' edges."""
    unit, first, step, more, wave = SPECTRAL[kind]
    said = {"CTYPE": kind.split(maxsplit=1)[0], "CUNIT": unit, "CRVAL": first, "CRPIX": 1.0, "CDELT": step}
    values = first + step * (np.arange(size + 1) - 0.5)
    if kind.endswith("-LOG"):
        values = first * np.exp(step * (np.arange(size + 1) - 0.5) / first)
    return said, more, np.array([wave(value) for value in values])


STOKES = {"CTYPE": "STOKES", "CRVAL": 1.0, "CRPIX": 1.0, "CDELT": 1.0}


def pieces(path: Path, known: Known | None = None, **wanted: Any) -> fits.HDUList | None:
    with open_local(path) as source:
        found = cut(Layout.read(source), Reader(source), "cube", Wanted(**wanted), known, max_pixels=10**7)
    if found is None:
        return None
    raw = b"".join(found.write())
    assert len(raw) == found.size
    made = fits.open(io.BytesIO(raw))
    made.verify("exception")
    return made


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Let astropy complete the dates of the time axes, of which it warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        yield


def same_places(whole: fits.ImageHDU, part: fits.ImageHDU, index: tuple[slice, ...]) -> None:
    """Assert that the part has the pixels of the index, and every pixel the world coordinates it had."""
    np.testing.assert_array_equal(part.data, whole.data[index])
    corners = list(itertools.product(*((0, n - 1) for n in reversed(part.shape))))
    there = [
        [one.start + (one.step or 1) * pixel for one, pixel in zip(reversed(index), corner, strict=True)]
        for corner in corners
    ]
    now, before = (
        WCS(hdu.header).all_pix2world(np.array(p, float), 0) for hdu, p in ((part, corners), (whole, there))
    )
    np.testing.assert_allclose(now, before, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("kind", SPECTRAL)
def test_bands_on_every_kind_of_spectral_axis(write: Writer, kind: str) -> None:
    said, more, edges = spectral(kind)
    whole = cube(said, sizes=(30,), more=more)
    path = write(whole)
    middle = (edges[:-1] + edges[1:]) / 2
    for first, last in ((0, 29), (3, 7), (12, 12), (28, 29)):
        low, high = sorted((middle[first], middle[last]))
        found = pieces(path, band=(low, high))
        assert found is not None
        same_places(whole, found[1], (slice(first, last + 1), slice(0, NY), slice(0, NX)))
    assert pieces(path, band=(edges.max() * 1.001, np.inf)) is None
    assert pieces(path, band=(0.0, edges.min() * 0.999)) is None
    everything = pieces(path, band=(-np.inf, np.inf))
    assert everything is not None
    assert everything[1].shape == whole.shape


def test_wavelengths_in_air_are_brought_to_vacuum(write: Writer) -> None:
    said = {"CTYPE": "AWAV", "CUNIT": "Angstrom", "CRVAL": 5000.0, "CRPIX": 1.0, "CDELT": 0.5}
    path = write(cube(said, sizes=(30,)))
    line = 5005.0e-10  # vacuum, channel 10; in air it is 1.5 Angstrom less
    channel = round((air(line) * 1e10 - 5000.0) / 0.5)
    assert channel == 7
    found = pieces(path, band=(line, line))
    assert found is not None
    assert found[1].data[0, 0, 0] == channel * NX * NY


def test_a_velocity_without_a_rest_frequency_is_no_wavelength(write: Writer) -> None:
    said, _, _ = spectral("VRAD")
    path = write(cube(said, sizes=(30,)))
    with pytest.raises(ParameterError, match="BAND"):
        pieces(path, band=(0.2, 0.3))
    assert pieces(path, Known(band=(0.2, 0.22)), band=(0.2, 0.3)) is not None


@pytest.mark.parametrize(
    ("wanted", "planes"),
    [
        (("I",), slice(0, 1, 1)),
        (("V",), slice(3, 4, 1)),
        (("I", "Q", "U", "V"), slice(0, 4, 1)),
        (("I", "V"), slice(0, 4, 3)),
        (("Q", "V"), slice(1, 4, 2)),
        (("I", "Q", "V"), slice(0, 4, 1)),  # no equal steps: what is between comes too
        (("Q", "XX"), slice(1, 2, 1)),
        (("XX",), None),
    ],
)
def test_polarisation_states(write: Writer, wanted: tuple[str, ...], planes: slice | None) -> None:
    said, more, _ = spectral("FREQ")
    whole = cube(said, STOKES, sizes=(30, 4), more=more)
    found = pieces(write(whole), pol=wanted)
    if planes is None:
        assert found is None
        return
    assert found is not None
    same_places(whole, found[1], (planes, slice(0, 30), slice(0, NY), slice(0, NX)))


@pytest.mark.parametrize("matrix", ["CD", "PC"])
def test_planes_far_apart_keep_their_states_with_a_matrix(write: Writer, matrix: str) -> None:
    whole = cube(STOKES, sizes=(4,))
    for n in (1, 2, 3):
        step = whole.header.pop(f"CDELT{n}") if matrix == "CD" else 1.0
        whole.header[f"{matrix}{n}_{n}"] = step
    found = pieces(write(whole), pol=("I", "V"))
    assert found is not None
    same_places(whole, found[1], (slice(0, 4, 3), slice(0, NY), slice(0, NX)))


@pytest.mark.parametrize("compressed", [False, True])
def test_everything_at_once(write: Writer, compressed: bool) -> None:
    said, more, edges = spectral("VRAD")
    whole = cube(said, STOKES, sizes=(30, 4), more=more)
    stored = (
        fits.CompImageHDU(whole.data, whole.header, compression_type="GZIP_2", quantize_level=0.0)
        if compressed
        else whole
    )
    ra, dec, *_ = WCS(whole.header).all_pix2world([[9.5, 5.5, 0.0, 0.0]], 0)[0]
    middle = (edges[:-1] + edges[1:]) / 2
    low, high = sorted((middle[11], middle[20]))
    found = pieces(write(stored), region=Circle(ra, dec, 2.1 * SCALE), band=(low, high), pol=("I", "V"))
    assert found is not None
    part = next(hdu for hdu in found if hdu.data is not None)
    same_places(whole, part, (slice(0, 4, 3), slice(11, 21), slice(4, 8), slice(8, 12)))


@pytest.mark.parametrize(("unit", "scale"), [("s", "UTC"), ("d", "TDB"), ("s", "TT")])
def test_times(write: Writer, unit: str, scale: str) -> None:
    step = {"s": 60.0, "d": 60.0 / 86400}[unit]
    said = {"CTYPE": "TIME", "CUNIT": unit, "CRVAL": 0.0, "CRPIX": 1.0, "CDELT": step}
    whole = cube(said, sizes=(20,), more={"MJDREF": 58000.25, "TIMESYS": scale})
    path = write(whole)

    def utc(pixel: float) -> float:
        seconds = pixel * 60.0
        return float((Time(58000.25, format="mjd", scale=scale.lower()) + seconds * units.s).utc.mjd)

    for first, last in ((0, 19), (4, 9), (7, 7)):
        found = pieces(path, time=(utc(first), utc(last)))
        assert found is not None
        same_places(whole, found[1], (slice(first, last + 1), slice(0, NY), slice(0, NX)))
    assert pieces(path, time=(utc(20), np.inf)) is None


def test_an_image_is_of_the_time_and_the_state_or_not(write: Writer) -> None:
    path = write(cube(sizes=()))
    known = Known(time=(52658.0, 52659.0), pol=("I", "Q"))
    assert pieces(path, known, time=(52658.5, 60000.0), pol=("I",)) is not None
    assert pieces(path, known, time=(52659.5, 60000.0)) is None
    assert pieces(path, known, pol=("V",)) is None
    for wanted in ({"time": (1.0, 2.0)}, {"pol": ("I",)}):
        with pytest.raises(ParameterError, match="not known"):
            pieces(path, **wanted)


def test_the_index_knows_what_the_axes_say(write: Writer) -> None:
    said, more, edges = spectral("VRAD")
    path = write(cube(said, STOKES, sizes=(30, 4), more=more))
    with open_fits(path) as hdus:
        row = observe(hdus, "cube")[0].to_row()
    assert (row["em_min"], row["em_max"]) == pytest.approx((edges.min(), edges.max()), rel=1e-12)
    assert (row["dataproduct_type"], row["em_xel"], row["pol_xel"], row["pol_states"]) == (
        "cube",
        30,
        4,
        "/I/Q/U/V/",
    )
