"""Spectra of many observatories, against astropy's and specutils' own reading of the same files."""

import gzip
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy import units
from astropy.io import fits
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st

from awe.core.science.observation import Observation, Rules
from awe.core.science.spectra import (
    NoSpectrumError,
    Reading,
    Spectrum,
    draw_spectrum,
    observe_spectra,
    read_spectra,
    spectrum_table,
    to_vacuum,
)

_POWERS = 4e-16
"""Powers of arrays and of numbers differ in their last digit on some processors."""


def only(path: Path, reading: Reading | None = None) -> Spectrum:
    (spectrum,) = read_spectra(path, reading)
    return spectrum


def unit_of(text: str) -> units.UnitBase:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # VOUnits 1.1 deprecates erg and Angstrom
        return units.Unit(text, format="vounit")


def row(path: Path, rules: Rules | None = None, reading: Reading | None = None) -> Observation:
    (found,) = observe_spectra(read_spectra(path, reading), path.stem, rules or Rules(), path.name)
    return found


# Real files, read independently


def test_calspec_is_read_to_the_bit(shared_data: Path) -> None:
    for name in ("calspec_alpha_lyr_stis_008.fits", "calspec_p330e_stiswfcnic_003.fits"):
        path = shared_data / "e_spectra" / name
        found = only(path)
        with fits.open(path) as hdus:
            table = hdus[1].data
            assert np.array_equal(found.spectral.values, table["WAVELENGTH"])
            assert np.array_equal(found.flux.values, table["FLUX"])
            assert found.error is not None
            assert np.array_equal(found.error.values, table["STATERROR"], equal_nan=True)
            assert found.quality is not None
            assert np.array_equal(found.quality, table["DATAQUAL"])
        assert unit_of(found.flux.unit) == units.Unit("erg s-1 cm-2 Angstrom-1")
        assert found.spectral.unit == "Angstrom"
        assert row(path).s_ra is None  # templates and standards say no position


def test_hst_x1d_holds_both_segments_in_order_of_wavelength(shared_data: Path) -> None:
    path = shared_data / "e_spectra" / "hst_cos_g130m_J095240.17+515250.03_x1d.fits.gz"
    found = only(path)
    with fits.open(path) as hdus:
        table = hdus[1].data
        assert list(table["SEGMENT"]) == ["FUVA", "FUVB"]
        assert np.array_equal(found.spectral.values, np.concatenate([table["WAVELENGTH"][i] for i in (1, 0)]))
        assert np.array_equal(found.flux.values, np.concatenate([table["FLUX"][i] for i in (1, 0)]))
    assert found.segment is not None
    assert list(dict.fromkeys(found.segment)) == ["FUVB", "FUVA"]
    about = row(path)
    assert (about.facility_name, about.instrument_name, about.target_name) == (
        "HST", "COS/FUV", "VV2006-J095240.2+515250",
    )  # fmt: skip
    assert (about.s_ra, about.s_dec, about.t_exptime) == (148.1673720833, 51.88056388889, 5076.48)
    assert about.s_fov == pytest.approx(2.5 / 3600)
    assert (about.t_min, about.t_max) == (57173.09691435, 57173.19933305)


def test_sdss_spectra_have_the_flux_unit_of_their_header_and_the_facts_of_specobj(shared_data: Path) -> None:
    path = shared_data / "e_spectra" / "spec-0332-52367-0639.fits"
    found, about = only(path), row(path)
    with fits.open(path) as hdus:
        coadd, about_object = hdus[1].data, hdus[2].data[0]
        assert np.array_equal(found.flux.values, coadd["flux"])
        assert np.array_equal(found.spectral.values, 10 ** coadd["loglam"].astype(float))
        good = coadd["ivar"] > 0
        assert found.error is not None
        assert np.allclose(found.error.values[good] ** -2, coadd["ivar"][good])
        assert np.isnan(found.error.values[~good]).all()
        assert about.redshift == float(about_object["Z"])
        assert about.target_class == about_object["CLASS"] == "QSO"
        assert (about.s_ra, about.s_dec) == (about_object["PLUG_RA"], about_object["PLUG_DEC"])
        assert about.specid == about_object["SPECOBJID"].strip()
    assert unit_of(found.flux.unit) == units.Unit("1e-17 erg s-1 cm-2 Angstrom-1")
    assert about.o_ucd == "phot.flux.density;em.wl"
    assert about.em_res_power == pytest.approx(2000, rel=0.15)  # R = 1850 to 2200 (York et al. 2000)
    assert about.spectral_medium == "vacuum"


def test_desi_coadds_give_a_spectrum_for_each_target_with_its_arms(shared_data: Path) -> None:
    path = shared_data / "e_spectra" / "desi_edr_coadd-sv3-dark-26065_test.fits"
    found = read_spectra(path)
    rows = observe_spectra(found, path.stem, Rules(), path.name)
    with fits.open(path) as hdus:
        targets = hdus["FIBERMAP"].data
        assert [one.key for one in found] == [str(number) for number in targets["TARGETID"]]
        for i, one in enumerate(found):
            assert one.segment is not None
            for arm in "brz":
                chosen = one.segment == arm
                assert np.array_equal(one.flux.values[chosen], hdus[f"{arm.upper()}_FLUX"].data[i])
                assert np.array_equal(one.spectral.values[chosen], hdus[f"{arm.upper()}_WAVELENGTH"].data)
                assert one.quality is not None
                assert np.array_equal(one.quality[chosen], hdus[f"{arm.upper()}_MASK"].data[i])
            assert (rows[i].s_ra, rows[i].s_dec) == (targets["TARGET_RA"][i], targets["TARGET_DEC"][i])
    assert [one.part for one in rows] == [one.key for one in found]
    powers = [one.em_res_power for one in rows if one.em_res_power]
    assert all(2000 < power < 5500 for power in powers)  # R = 2000 to 5500 from b to z
    assert powers


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "spec-0266-51602-0013.fits", "spec-0266-51602-0107.fits", "spec-0332-52367-0639.fits",
        "hst_cos_g130m_J095240.17+515250.03_x1d.fits.gz", "desi_edr_coadd-sv3-dark-26065_test.fits",
    ],
)  # fmt: skip
def test_specutils_reads_the_same(shared_data: Path, name: str) -> None:
    path = shared_data / "e_spectra" / name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from specutils import SpectrumList

        read = SpectrumList.read(str(path))
    found = read_spectra(path)
    for i, one in enumerate(found):
        unit = unit_of(one.flux.unit)
        theirs = [np.atleast_2d(s.flux.to_value(unit))[i] for s in read]
        waves = [s.spectral_axis.to_value(units.Angstrom) for s in read]
        order = np.argsort(np.concatenate(waves), kind="stable")
        own = np.argsort(one.spectral.values, kind="stable")
        # specutils keeps what the file has: powers in single precision
        assert np.allclose(one.spectral.values[own], np.concatenate(waves)[order], rtol=2.5e-7)
        assert np.allclose(np.sort(one.flux.values), np.sort(np.concatenate(theirs)), rtol=1e-6)


@pytest.mark.slow
def test_rows_of_templates_are_spectra(shared_data: Path) -> None:
    folder = shared_data / "e_spectra"
    stars = read_spectra(folder / "sdss_spEigenStar-53724.fits")
    with fits.open(folder / "sdss_spEigenStar-53724.fits") as hdus:
        header, pixels = hdus[0].header, hdus[0].data
        waves = 10 ** (header["COEFF0"] + header["COEFF1"] * np.arange(pixels.shape[1]))
        assert len(stars) == 40
        for i, one in enumerate(stars):
            assert np.array_equal(one.flux.values, pixels[i])
            assert one.spectral.values == pytest.approx(waves, rel=_POWERS)
            assert one.facts["obs_title"] == header[f"NAME{i}"]
    redrock = read_spectra(folder / "rrtemplate-QSO-LOZ-v1.1.fits")
    with fits.open(folder / "rrtemplate-QSO-LOZ-v1.1.fits") as hdus:
        header = hdus[0].header
        assert np.array_equal([one.flux.values for one in redrock], hdus[0].data)
        assert redrock[0].spectral.values[0] == pytest.approx(10 ** header["CRVAL1"], rel=_POWERS)
    archetypes = read_spectra(folder / "rrarchetype-galaxy-test.fits")
    with fits.open(folder / "rrarchetype-galaxy-test.fits") as hdus:
        assert np.array_equal([one.flux.values for one in archetypes], hdus[1].data["ARCHETYPE"])
        assert archetypes[0].spectral.values[1] == hdus[1].header["CRVAL1"] + hdus[1].header["CDELT1"]


def test_text_is_read_by_what_its_comments_say(shared_data: Path) -> None:
    path = shared_data / "e_spectra" / "brown2014_NGC4486_M87_spec.dat"
    numbers = np.loadtxt(path)
    found = only(path)
    assert np.array_equal(found.spectral.values, numbers[:, 0])
    assert np.array_equal(found.flux.values, numbers[:, 1])
    assert unit_of(found.flux.unit) == units.Unit("erg s-1 cm-2 Angstrom-1")
    observed = only(path, Reading(spectral_column="3"))
    assert np.array_equal(observed.spectral.values, numbers[:, 2])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("hst_stis_g430l_3c120_x2d.fits.gz", "spectral image"),
        ("jwst_nircam_wfss_jw01243001001_cal_cut.fits", "spectral image"),
        ("linelists/Common_stellar.csv", "."),
    ],
)
def test_what_is_no_extracted_spectrum_is_refused_with_its_reason(
    shared_data: Path, name: str, reason: str
) -> None:
    path = shared_data / "e_spectra" / name
    if not path.exists():
        pytest.skip(f"{name} is not here")
    with pytest.raises(NoSpectrumError, match=reason):
        read_spectra(path)


# Made files


def test_the_unit_is_kept_and_its_spelling_put_right(tmp_path: Path) -> None:
    path = tmp_path / "a.fits"
    columns = [
        fits.Column("FREQUENCY", "D", unit="GHZ", array=np.array([100.0, 101.0, 102.0])),
        fits.Column("FLUX", "E", unit="Jansky", array=np.array([1, 2, 3], np.float32)),
        fits.Column("ERR", "E", array=np.array([0.5, 0.5, 0.5], np.float32)),
    ]
    fits.BinTableHDU.from_columns(columns).writeto(path)
    found = only(path)
    assert (found.spectral.unit, found.spectral.ucd, found.flux.unit) == ("GHz", "em.freq", "Jy")
    assert found.flux.values.dtype.itemsize == 4
    about = row(path)
    assert about.em_min == pytest.approx(299792458.0 / 102e9)
    assert about.em_max == pytest.approx(299792458.0 / 100e9)
    assert (about.o_calib_status, about.snr, about.em_xel) == ("absolute", 4.0, 3)


def test_wavelengths_in_air_are_told_and_the_index_has_those_in_vacuum(tmp_path: Path) -> None:
    path = tmp_path / "a.fits"
    header = fits.Header()
    header.update(CTYPE1="AWAV", CUNIT1="Angstrom", CRVAL1=6562.801, CDELT1=1.0, CRPIX1=1, BUNIT="count")
    fits.PrimaryHDU(np.arange(5, dtype=np.int16), header).writeto(path)
    found, about = only(path), row(path)
    assert found.medium == about.spectral_medium == "air"
    assert np.allclose(found.spectral.values, 6562.801e-10 + 1e-10 * np.arange(5), rtol=1e-12) or np.allclose(
        found.spectral.values, 6562.801 + np.arange(5), rtol=1e-12
    )
    assert about.em_min == pytest.approx(
        6564.614e-10, rel=2e-7
    )  # H alpha: 6562.801 in air, 6564.614 in vacuum
    assert row(path, reading=Reading(medium="vacuum")).em_min == pytest.approx(6562.801e-10, rel=1e-9)


@pytest.mark.slow
def test_air_becomes_vacuum_as_in_specutils() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from specutils.utils.wcs_utils import vac_to_air

    vacuum = np.linspace(2001, 25000, 400) * units.Angstrom
    air = vac_to_air(vacuum, method="Morton2000").to_value(units.Angstrom)
    assert np.allclose(to_vacuum(air, "Angstrom", "air"), vacuum.to_value(units.m), rtol=1e-9)


@given(st.floats(2001e-10, 1e-4))
def test_air_is_shorter_than_vacuum_by_three_parts_in_ten_thousand(metres: float) -> None:
    vacuum = float(to_vacuum(np.array([metres]), "m", "air")[0])
    assert 2.5e-4 < vacuum / metres - 1 < 3.3e-4


@pytest.mark.parametrize(
    ("text", "reading", "unit"),
    [
        ("# wavelength[nm] flux[Jy]\n400 1\n500 2\n", Reading(), "nm"),
        ("wavelength,flux,error\n400,1,0.1\n500,2,0.1\n", Reading(spectral_unit="nm"), "nm"),
        ("4000 1\n5000 2\n", Reading(spectral_unit="Angstrom", flux_unit="FLAM"), "Angstrom"),
        ("; IDL\n4000\t1\t3\n5000\t2\t4\n", Reading(spectral_unit="A", flux_column="3"), "Angstrom"),
    ],
)
def test_text_of_many_kinds(tmp_path: Path, text: str, reading: Reading, unit: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(text)
    assert only(path, reading).spectral.unit == unit
    packed = tmp_path / "b.txt.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert np.array_equal(only(packed, reading).flux.values, only(path, reading).flux.values)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"4000 1\n5000 2\n", r"without a unit .*\[spectrum\] spectral_unit"),
        ("a.txt", b"a b c\nd e f\n", "no table of numbers"),
        ("a.txt", b"1 2\n3\n", "no table of numbers"),
        ("a.txt", b"", "no table"),
        ("a.txt", b"\xff\xfe\x00", "not text"),
        ("a.txt.gz", b"not gzip", "cannot be read"),
        ("a.csv", b"time,flux\n1,2\n3,4\n", "none of its columns is a wavelength"),
        ("a.csv", b"wavelength[nm],colour\n1,2\n3,4\n", "none of its columns is a flux"),
        ("a.csv", b"wavelength[kg],flux\n1,2\n3,4\n", "no unit of wavelength"),
        ("a.csv", b"wavelength[nm],flux\n-1,2\n-3,4\n", "positive number"),
        ("a.vot", b"<VOTABLE>", "not a VOTable"),
        ("a.xml", b"nothing", "not a VOTable"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(NoSpectrumError, match=reason):
        read_spectra(path)


def test_a_spectrum_that_the_service_delivers_can_be_published_again(
    shared_data: Path, tmp_path: Path
) -> None:
    from awe.core.tables.formats import FORMATS

    found = only(shared_data / "e_spectra" / "spec-0266-51602-0013.fits")
    for form, name in (("votable", "a.vot"), ("votable/b2", "b.vot"), ("fits", "c.fits"), ("ecsv", "d.ecsv")):
        path = tmp_path / name
        path.write_bytes(b"".join(FORMATS[form].write(spectrum_table(found, "spectrum"))))
        again = only(path)
        assert np.array_equal(again.spectral.values, found.spectral.values)
        assert np.array_equal(again.flux.values, found.flux.values)
        assert (again.spectral.unit, again.flux.unit) == (found.spectral.unit, found.flux.unit)
        assert again.error is not None
        assert found.error is not None
        assert np.array_equal(again.error.values, found.error.values, equal_nan=True)
    table = Table.read(tmp_path / "c.fits", unit_parse_strict="silent")
    assert np.array_equal(table["flux"], found.flux.values)


def test_a_picture_shows_a_line_on_white(shared_data: Path) -> None:
    import io

    from PIL import Image

    found = only(shared_data / "e_spectra" / "spec-0266-51602-0013.fits")
    picture = Image.open(io.BytesIO(draw_spectrum(found, "a galaxy", 400)))
    assert picture.size == (400, 250)
    pixels = np.asarray(picture.convert("RGB"))
    drawn = (pixels == (31, 78, 140)).all(axis=2)
    assert drawn.any(axis=0).sum() > 300  # the line runs across the picture
    assert (pixels[:4] == 255).all(axis=2).mean() > 0.5
