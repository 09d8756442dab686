"""Spectra and light curves published beside images, from real files where they are here."""

import io
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from astropy.io import fits
from astropy.time import Time
from PIL import Image
from tests.services.observations.conftest import Archive, open_archive, write_image

from awe.core.science.cutout import Wanted
from awe.core.sky import Circle, parse_stcs
from awe.errors import InputFileError, NotFoundError, ParameterError
from awe.services.observations import Criteria, PublishReport


def write_spectrum(path: Path, **cards: object) -> Path:
    header = fits.Header()
    header.update(cards)
    columns = [
        fits.Column("WAVELENGTH", "D", unit="nm", array=np.linspace(400, 700, 31)),
        fits.Column("FLUX", "E", unit="Jy", array=np.ones(31, np.float32)),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList([fits.PrimaryHDU(header=header), fits.BinTableHDU.from_columns(columns)]).writeto(path)
    return path


def test_images_and_spectra_are_published_from_one_folder(archive: Archive, tmp_path: Path) -> None:
    write_image(tmp_path / "all", "picture.fits")
    write_spectrum(tmp_path / "all" / "star.fits", RA_TARG=187.7, DEC_TARG=12.39, TARGNAME="star")
    (tmp_path / "all" / "model.txt").write_text("# wavelength[nm] flux[Jy]\n400 1\n700 2\n")
    (tmp_path / "all" / "README.txt").write_text("Read this first.\n")
    report = archive.observations.publish("c", tmp_path / "all")
    assert (report.found, report.published) == (4, 3)
    assert [(one.file, one.hdu) for one in report.rejected] == [("README.txt", None)]
    assert "no table of two columns" in report.rejected[0].reason
    kinds = {row["obs_id"]: row["dataproduct_type"] for row in archive.rows()}
    assert kinds == {"picture": "image", "star": "spectrum", "model": "spectrum"}
    model = next(row for row in archive.rows() if row["obs_id"] == "model")
    assert (model["s_ra"], model["s_dec"], model["s_fov"], model["s_region"]) == (None,) * 4
    assert (model["access_format"], model["filename"], model["em_min"]) == (
        "text/plain", "model.txt", pytest.approx(4e-7),
    )  # fmt: skip


def test_what_has_no_position_is_found_by_no_search_on_the_sky(archive: Archive, tmp_path: Path) -> None:
    write_spectrum(tmp_path / "all" / "star.fits", RA_TARG=45.0, DEC_TARG=0.1)
    write_spectrum(tmp_path / "all" / "template.fits")
    archive.observations.publish("c", tmp_path / "all")
    cell_of_the_unplaced = Circle(45.0, 0.1, 0.5)  # HEALPix cell 0 begins at RA 45, Dec 0
    assert archive.names(Criteria(regions=(cell_of_the_unplaced,))) == {"star"}
    assert archive.names(Criteria(regions=(Circle(0.0, 0.0, 180.0),))) == {"star"}
    assert archive.names(Criteria(band=((5e-7, 5e-7),))) == {"star", "template"}
    inside = "SELECT obs_id FROM ivoa.obscore WHERE 1 = CONTAINS(POINT(s_ra, s_dec), CIRCLE(45, 0.1, 5))"
    assert archive.catalogs.query(inside).to_table().to_pylist() == [{"obs_id": "star"}]
    nowhere = "SELECT obs_id FROM ivoa.obscore WHERE s_ra IS NULL"
    assert archive.catalogs.query(nowhere).to_table().to_pylist() == [{"obs_id": "template"}]


def test_the_describe_file_gives_positions_units_and_media(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "vega_1.dat").write_text("4000 1\n5000 2\n")
    (tmp_path / "all" / "other.dat").write_text("4000 1\n5000 2\n")
    describe = tmp_path / "all.toml"
    describe.write_text(
        '[spectrum]\nspectral_unit = "Angstrom"\nflux_unit = "erg/s/cm2/Angstrom"\nmedium = "air"\n'
        '[constants]\nobs_release_date = "2020-01-01T00:00:00"\n'
        '[files."vega_*"]\ns_ra = 279.2347\ns_dec = 38.7837\ntarget_name = "Vega"\ns_fov = 0.001\n'
    )
    report = archive.observations.publish("c", tmp_path / "all", describe=describe)
    assert (report.published, report.rejected) == (2, ())
    other, vega = archive.rows()
    assert (vega["s_ra"], vega["s_dec"], vega["target_name"]) == (279.2347, 38.7837, "Vega")
    assert other["s_ra"] is None
    assert vega["spectral_medium"] == "air"
    assert vega["em_min"] > 4000e-10
    assert vega["obs_release_date"] == "2020-01-01T00:00:00"
    assert archive.observations.spectrum("vega_1").spectral.unit == "Angstrom"
    assert archive.names(Criteria(regions=(Circle(279.2347, 38.784, 0.0005),))) == {"vega_1"}
    assert archive.observations.publish("c", tmp_path / "all", describe=describe).unchanged == 2


def test_a_spectrum_is_read_and_drawn_and_never_cut(archive: Archive, tmp_path: Path) -> None:
    path = write_spectrum(tmp_path / "all" / "star.fits", RA_TARG=187.7, DEC_TARG=12.39)
    write_image(tmp_path / "all", "picture.fits")
    archive.observations.publish("c", tmp_path / "all")
    service = archive.observations
    assert service.spectrum("star").flux.unit == "Jy"
    png = service.preview("star", size=300)
    assert png is not None
    assert png.startswith(b"\x89PNG")
    with pytest.raises(ParameterError, match="1 to 4096 pixels"):
        service.preview("star", size=5000)
    with pytest.raises(ParameterError, match="without images"):
        service.cutout("star", Wanted(region=Circle(187.7, 12.39, 0.1)))
    with pytest.raises(ParameterError, match="no spectrum: its data product is image"):
        service.spectrum("picture")
    with pytest.raises(NotFoundError, match="no dataset"):
        service.spectrum("nothing")
    fits.PrimaryHDU(np.zeros((3, 3))).writeto(path, overwrite=True)
    with pytest.raises(NotFoundError, match="has changed"):
        service.spectrum("star")
    path.unlink()
    with pytest.raises(NotFoundError, match="not there any more"):
        service.spectrum("star")


def write_light_curve(path: Path, column: str, unit: str, values: npt.NDArray[np.float64]) -> Path:
    columns = [
        fits.Column("TIME", "D", unit="BJD - 2454833", array=np.linspace(120.0, 150.0, values.size)),
        fits.Column(column, "E", unit=unit, array=values),
    ]
    header = fits.Header()
    header.update(RA_OBJ=187.7, DEC_OBJ=12.39, BJDREFI=2454833, BJDREFF=0.0, OBJECT="variable")
    path.parent.mkdir(parents=True, exist_ok=True)
    hdu = fits.BinTableHDU.from_columns(columns, header)
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path, overwrite=True)
    return path


def heights(png: bytes | None) -> list[float]:
    """Return the mean row of the dots in the left, middle and right third of a plot, counted from above."""
    assert png is not None
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    drawn = (pixels == (31, 78, 140)).all(axis=2)
    first, last = np.flatnonzero(drawn.any(axis=0))[[0, -1]]
    return [
        float(np.nonzero(part)[0].mean()) for part in np.array_split(drawn[:, first : last + 1], 3, axis=1)
    ]


def test_a_light_curve_is_drawn_with_bright_above(archive: Archive, tmp_path: Path) -> None:
    faint = np.repeat([10.0, 11.0, 12.0], 20)  # magnitudes that grow while the star fades
    faint[5] = np.nan
    write_light_curve(tmp_path / "all" / "mags.fits", "MAG", "mag", faint)
    path = write_light_curve(tmp_path / "all" / "flux.fits", "SAP_FLUX", "e-/s", faint)
    archive.observations.publish("c", tmp_path / "all")
    service = archive.observations
    left, middle, right = heights(service.preview("flux", size=400))
    assert left > middle > right
    left, middle, right = heights(service.preview("mags", size=400))
    assert left < middle < right
    with pytest.raises(ParameterError, match="1 to 4096 pixels"):
        service.preview("flux", size=0)
    with pytest.raises(ParameterError, match="without images"):
        service.cutout("flux", Wanted())
    fits.PrimaryHDU(np.zeros((3, 3))).writeto(path, overwrite=True)
    with pytest.raises(InputFileError, match="no light curve"):
        service.preview("flux")


def test_an_empty_light_curve_is_an_empty_plot(archive: Archive, tmp_path: Path) -> None:
    write_light_curve(tmp_path / "all" / "dark.fits", "FLUX", "Jy", np.full(9, np.nan))
    archive.observations.publish("c", tmp_path / "all")
    png = archive.observations.preview("dark", size=200)
    assert png is not None
    assert Image.open(io.BytesIO(png)).size == (200, 125)


@pytest.fixture(scope="module")
def real(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Archive, PublishReport, PublishReport]:
    folder = tmp_path_factory.mktemp("spectra")
    archive, _ = open_archive(folder / "archive")
    report = archive.observations.publish("spectra", shared_data / "e_spectra")
    curves = folder / "curves"
    curves.mkdir()
    for path in (shared_data / "d_lightcurves").glob("*.fits*"):
        if "tar" not in path.name:
            shutil.copy(path, curves)
    archive.observations.publish("hst", shared_data / "a_hst_images")
    return archive, report, archive.observations.publish("curves", curves)


REJECTED = {
    "hst_stis_g430l_3c120_x2d.fits.gz": "spectral image",
    "jwst_nircam_wfss_jw01243001001_cal_cut.fits": "spectral image",
    "linelist_nist.ascii.gz": "none of its columns is a wavelength",
}


@pytest.mark.slow
def test_every_real_spectrum_is_published(
    real: tuple[Archive, PublishReport, PublishReport], shared_data: Path
) -> None:
    archive, report, _ = real
    refused = {one.file: one.reason for one in report.rejected}
    for name, reason in REJECTED.items():
        assert reason in refused.pop(name)
    assert all(name.startswith("linelists/") for name in refused), refused
    rows = archive.rows(Criteria(collections=("spectra",)))
    files = {row["filename"] for row in rows}
    there = {
        path.name for path in (shared_data / "e_spectra").iterdir() if path.suffix in {".fits", ".gz", ".dat"}
    }
    assert files == there - REJECTED.keys()
    # 3 SDSS, 5 DESI, 1 COS, 2 CALSPEC, 1 in text, 2 archetypes, 2 x 4 + 2 x 4 + 40 templates
    assert len(rows) == 3 + 5 + 1 + 2 + 1 + 2 + 16 + 40
    for row in rows:
        spectrum = archive.observations.spectrum(row["obs_publisher_did"])
        assert len(spectrum.flux.values) == row["em_xel"]
        assert row["em_min"] < row["em_max"] < 1e-3
    placed = {row["filename"] for row in rows if row["s_ra"] is not None}
    assert {name[:4] for name in placed} == {"spec", "desi", "hst_"}


@pytest.mark.slow
def test_every_real_light_curve_is_published(
    real: tuple[Archive, PublishReport, PublishReport], shared_data: Path
) -> None:
    archive, _, report = real
    assert report.rejected == ()
    rows = {row["filename"]: row for row in archive.rows(Criteria(collections=("curves",)))}
    cubes = [name for name, row in rows.items() if row["dataproduct_type"] != "timeseries"]
    assert cubes == ["k2_epic200071160_tpf.fits"]
    cube = rows["k2_epic200071160_tpf.fits"]
    assert (cube["s_xel1"], cube["s_xel2"], cube["t_xel"]) == (3, 3, 1290)
    assert cube["s_region"] is not None
    kepler = rows["kplr011442793_kepler90_2009350155506_llc.fits"]
    with fits.open(shared_data / "d_lightcurves" / "kplr011442793_kepler90_2009350155506_llc.fits") as hdus:
        header, times = hdus[1].header, hdus[1].data["TIME"]
        first = Time(header["BJDREFI"] + np.nanmin(times), format="jd", scale="tdb")
    assert kepler["t_min"] == pytest.approx(first.utc.mjd, abs=1e-9)
    assert kepler["t_exptime"] == pytest.approx(header["EXPOSURE"] * 86400)
    assert kepler["t_resolution"] == pytest.approx(1765.46, abs=0.01)  # long cadence: 29.4 min
    assert (kepler["t_xel"], kepler["s_ra"], kepler["target_name"]) == (4370, 284.433491, "KIC 11442793")
    assert (kepler["em_min"], kepler["em_max"]) == (4.2e-7, 9e-7)
    assert rows["tess_wasp18b.fits.gz"]["t_min"] is None  # its times count from nowhere


@pytest.mark.slow
def test_an_atlas_of_galaxies_in_text(archive: Archive, shared_data: Path, tmp_path: Path) -> None:
    with tarfile.open(shared_data / "e_spectra" / "brown2014_129_galaxy_seds.tar.xz") as packed:
        packed.extractall(tmp_path / "atlas", filter="data")
    report = archive.observations.publish("brown2014", tmp_path / "atlas")
    assert report.published == 129
    for row in archive.rows():
        numbers = np.loadtxt(archive.observations.file(row["obs_publisher_did"]))
        found = archive.observations.spectrum(row["obs_publisher_did"])
        assert np.array_equal(found.spectral.values, numbers[:, 0])
        assert np.array_equal(found.flux.values, numbers[:, 1])


# The use cases of ObsCore 1.1, appendix A, with the numbers of what is published here


def _contains(row: dict[str, Any], ra: float, dec: float) -> bool:
    place = Circle(ra, dec, 0.0)
    return row["s_region"] is not None and parse_stcs(row["s_region"]).intersects(place)


def _known(row: dict[str, Any], *names: str) -> bool:
    return all(row[name] is not None for name in names)


USE_CASES: dict[str, tuple[str, Callable[[dict[str, Any]], bool]]] = {
    "a position": (
        "CONTAINS(POINT('ICRS', 146.9341, -0.67040397), s_region) = 1",
        lambda r: _contains(r, 146.9341, -0.67040397),
    ),
    "images by space and spectrum": (
        (
            "dataproduct_type = 'image' AND s_ra > 50 AND s_ra < 255 AND s_dec > -30 AND s_dec < 65 AND ("
            "(em_min >= 1.2e-06 AND em_max <= 1.8e-06) OR (em_min >= 6e-07 AND em_max <= 1e-06))"
        ),
        lambda r: (
            r["dataproduct_type"] == "image"
            and 50 < r["s_ra"] < 255
            and -30 < r["s_dec"] < 65
            and _known(r, "em_min", "em_max")
            and (
                (r["em_min"] >= 1.2e-6 and r["em_max"] <= 1.8e-6)
                or (r["em_min"] >= 6e-7 and r["em_max"] <= 1e-6)
            )
        ),
    ),
    "1.1 energy, position, exposure": (
        (
            "em_min < 6.5e-7 AND em_max > 6.5e-7 AND CONTAINS(POINT('ICRS', 184.03066, -2.2382793), s_region) = 1 "
            "AND t_exptime > 3000"
        ),
        lambda r: (
            _known(r, "em_min", "t_exptime")
            and r["em_min"] < 6.5e-7 < r["em_max"]
            and _contains(r, 184.03066, -2.2382793)
            and r["t_exptime"] > 3000
        ),
    ),
    "1.6 around a date": (
        "dataproduct_type = 'spectrum' AND ABS((t_max + t_min) / 2 - 51602) < 1",
        lambda r: (
            r["dataproduct_type"] == "spectrum"
            and _known(r, "t_min", "t_max")
            and abs((r["t_max"] + r["t_min"]) / 2 - 51602) < 1
        ),
    ),
    "2.2 high resolution spectra": (
        (
            "dataproduct_type = 'spectrum' AND em_min < 6.5e-7 AND em_max > 6.5e-7 AND em_res_power > 6500/15.0 "
            "AND t_exptime >= 3600"
        ),
        lambda r: (
            r["dataproduct_type"] == "spectrum"
            and r["em_min"] < 6.5e-7 < r["em_max"]
            and _known(r, "em_res_power", "t_exptime")
            and r["em_res_power"] > 6500 / 15
            and r["t_exptime"] >= 3600
        ),
    ),
    "3.4 cubes with many pixels": (
        "dataproduct_type = 'cube' AND s_xel1 > 40 AND s_xel2 > 40",
        lambda r: r["dataproduct_type"] == "cube" and r["s_xel1"] > 40 and r["s_xel2"] > 40,
    ),
    "4.1 time series": (
        "dataproduct_type = 'timeseries' AND t_resolution < 1800 AND t_max - t_min > 7 AND t_min > 54962 AND t_max < 55562",
        lambda r: (
            r["dataproduct_type"] == "timeseries"
            and _known(r, "t_min", "t_max")
            and r["t_resolution"] < 1800
            and r["t_max"] - r["t_min"] > 7
            and r["t_min"] > 54962
            and r["t_max"] < 55562
        ),
    ),
    "4.2 time slots": (
        "dataproduct_type = 'timeseries' AND t_xel > 5000",
        lambda r: r["dataproduct_type"] == "timeseries" and r["t_xel"] > 5000,
    ),
    "what is resolved in time": (
        "t_resolution < t_exptime",
        lambda r: _known(r, "t_resolution", "t_exptime") and r["t_resolution"] < r["t_exptime"],
    ),
    "a polarisation state": ("pol_states LIKE '%/Y/%'", lambda r: "/Y/" in (r["pol_states"] or "")),
    "a collection and its calibration": (
        "obs_collection = 'spectra' AND calib_level > 1 AND o_ucd LIKE 'phot.flux.density%'",
        lambda r: (
            r["obs_collection"] == "spectra"
            and r["calib_level"] > 1
            and (r["o_ucd"] or "").startswith("phot.flux.density")
        ),
    ),
}
_EMPTY = {"a polarisation state"}


@pytest.mark.slow
@pytest.mark.parametrize("name", USE_CASES)
def test_use_cases_of_the_standard(real: tuple[Archive, PublishReport, PublishReport], name: str) -> None:
    archive = real[0]
    where, holds = USE_CASES[name]
    query = f"SELECT obs_publisher_did FROM ivoa.ObsCore WHERE {where}"
    found = {row["obs_publisher_did"] for row in archive.catalogs.query(query).to_table().to_pylist()}
    assert found == {row["obs_publisher_did"] for row in archive.rows() if holds(row)}
    assert bool(found) == (name not in _EMPTY)


@pytest.mark.slow
def test_no_column_that_must_hold_something_is_null(
    real: tuple[Archive, PublishReport, PublishReport],
) -> None:
    for row in real[0].rows():
        for name in (
            "calib_level",
            "obs_collection",
            "obs_id",
            "obs_publisher_did",
            "access_url",
            "access_format",
        ):
            assert row[name] is not None
        assert row["dataproduct_type"] in {"image", "cube", "spectrum", "timeseries"}
        assert row["pol_xel"] == (0 if row["pol_states"] is None else len(row["pol_states"].split("/")) - 2)
        assert row["t_xel"] >= 1
        assert row["em_xel"] >= 1
