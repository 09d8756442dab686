import gzip
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from tests.services.observations.conftest import Archive, open_archive, write_image

from awe.core.science.observation import Rules
from awe.errors import InputFileError, NotFoundError, ParameterError
from awe.services.observations import Criteria, publishing
from awe.services.observations.describe import read_description
from awe.services.observations.scanning import Scanned, find_files, scan
from awe.services.observations.store import ObservationStore


def test_a_folder_becomes_rows_of_the_index(archive: Archive, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    write_image(folder, "hst_9401_02_acs_wfc_total_drz.fits", EXPTIME=1960.0, TELESCOP="HST")
    write_image(folder / "deeper", "b.fits", 10.0, -5.0)
    told: list[tuple[str, int, int | None]] = []
    report = archive.observations.publish("hla", folder, progress=lambda *step: told.append(step))
    assert (report.found, report.published, report.rejected) == (2, 2, ())
    assert told[-1] == ("reading headers", 2, 2)
    row = archive.rows(Criteria(targets=()))[1]
    assert row["obs_publisher_did"] == "ivo://example.awe/hla?hst_9401_02_acs_wfc_total"
    assert row["obs_id"] == "hst_9401_02_acs_wfc_total"
    assert row["access_url"] == (
        "/api/datasets/ivo%3A%2F%2Fexample.awe%2Fhla%3Fhst_9401_02_acs_wfc_total/file"
    )
    assert (row["access_format"], row["t_exptime"], row["facility_name"]) == (
        "application/fits",
        1960.0,
        "HST",
    )
    assert row["filename"] == "hst_9401_02_acs_wfc_total_drz.fits"


def test_the_index_is_a_table_like_any_other(archive: Archive, tmp_path: Path) -> None:
    write_image(tmp_path / "images", "a.fits", EXPTIME=10.0)
    write_image(tmp_path / "images", "b.fits", EXPTIME=1960.0)
    archive.observations.publish("hla", tmp_path / "images")
    query = "SELECT TOP 1 obs_id FROM ivoa.ObsCore WHERE s_dec > 0 ORDER BY t_exptime DESC"
    assert archive.catalogs.query(query).to_table().to_pylist() == [{"obs_id": "b"}]
    index = archive.catalogs.table("ivoa.obscore")
    assert index.to_definition().reach == "s_fov"  # tests of s_region ask it first
    columns = index.columns
    assert columns["em_min"].unit == "m"
    assert columns["obs_publisher_did"].ucd == "meta.ref.ivoid"


MALFORMED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "empty"),
    "text": (lambda _: b"this is not FITS\n" * 400, "not a FITS file"),
    "binary rubbish": (lambda _: bytes(range(256)) * 100, "not a FITS file"),
    "a header cut off": (lambda raw: raw[:1000], "not a FITS file|truncated"),
    "a header alone": (lambda raw: raw[:2880], "truncated"),
    "data cut off": (lambda raw: raw[:4000], "truncated"),
    "no END": (lambda raw: raw[:2880].replace(b"END     ", b"        "), "not a FITS file"),
    "SIMPLE spoilt": (lambda raw: raw.replace(b"SIMPLE  =", b"SIMPEL  =", 1), "not a FITS file"),
    "BITPIX of 7": (lambda raw: raw.replace(b"                 -32 /", b"                   7 /", 1), "."),
    "NAXIS of text": (
        lambda raw: raw.replace(b"NAXIS   =                    2", b"NAXIS   = 'two'               "),
        ".",
    ),
    "negative NAXIS1": (
        lambda raw: raw.replace(b"NAXIS1  =                   30", b"NAXIS1  =                  -30"),
        ".",
    ),
    "huge NAXIS1": (
        lambda raw: raw.replace(b"NAXIS1  =                   30", b"NAXIS1  =           3000000000"),
        "truncated",
    ),
    "no celestial axes": (
        lambda raw: raw.replace(b"RA---TAN", b"LINEAR  ").replace(b"DEC--TAN", b"LINEAR  "),
        "no celestial",
    ),
    "one celestial axis": (lambda raw: raw.replace(b"DEC--TAN", b"LINEAR  "), "celestial|cannot be used"),
    "CRVAL of text": (
        lambda raw: raw.replace(b"CRVAL1  =                187.7", b"CRVAL1  = 'M87'            "),
        ".",
    ),
    "not ASCII": (lambda raw: raw.replace(b"CTYPE1", b"CTYP\xff\xfe", 1), "."),
    "zeros": (lambda _: bytes(5760), "not a FITS file"),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_file_is_explained(tmp_path: Path, kind: str) -> None:
    spoil, reason = MALFORMED[kind]
    path = write_image(tmp_path, "bad.fits")
    before = path.read_bytes()
    path.write_bytes(spoil(before))
    assert path.read_bytes() != before
    found = scan(path, Rules())
    assert not found.parts
    assert found.reason
    assert re.search(reason, found.reason)
    assert str(tmp_path) not in found.reason


def test_malformed_files_are_named_and_the_others_published(archive: Archive, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    write_image(folder, "good.fits")
    for kind, (spoil, _) in MALFORMED.items():
        path = write_image(folder, f"{kind.replace(' ', '_')}.fits")
        path.write_bytes(spoil(path.read_bytes()))
    (folder / "gone.fits").symlink_to(folder / "nowhere")
    report = archive.observations.publish("c", folder)
    assert archive.names() == {"good"}
    assert report.found == len(MALFORMED) + 2
    assert {entry.file for entry in report.rejected} == {
        "gone.fits", *(f"{kind.replace(' ', '_')}.fits" for kind in MALFORMED)
    }  # fmt: skip
    assert report.to_json()["published"] == 1


def test_compressed_files_are_checked_to_their_end(archive: Archive, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    raw = write_image(folder, "a.fits").read_bytes()
    packed = gzip.compress(raw)
    (folder / "whole.fits.gz").write_bytes(packed)
    (folder / "half.fits.gz").write_bytes(packed[: len(packed) // 2])
    (folder / "noise.fits.gz").write_bytes(packed[:200] + bytes(100) + packed[300:])
    (folder / "plain.fits.bz2").write_bytes(b"BZh9" + bytes(200))
    report = archive.observations.publish("c", folder)
    assert archive.names() == {"a", "whole"}
    assert {entry.file for entry in report.rejected} == {"half.fits.gz", "noise.fits.gz", "plain.fits.bz2"}
    cutout = archive.observations.cutout("whole")
    assert cutout is not None
    np.testing.assert_array_equal(cutout.open()[0].data, fits.getdata(folder / "a.fits"))


def test_tile_compressed_images_are_published_and_checked(archive: Archive, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    with fits.open(write_image(folder, "plain.fits", shape=(300, 300))) as hdus:
        image = fits.CompImageHDU(hdus[0].data, hdus[0].header, compression_type="RICE_1")
        fits.HDUList([fits.PrimaryHDU(), image]).writeto(folder / "rice.fits.fz")
    raw = (folder / "rice.fits.fz").read_bytes()
    (folder / "half.fits.fz").write_bytes(raw[: len(raw) // 2])
    report = archive.observations.publish("c", folder)
    assert archive.names() == {"plain", "rice"}
    assert [entry.file for entry in report.rejected] == ["half.fits.fz"]
    assert "truncated" in report.rejected[0].reason
    cutout = archive.observations.cutout("rice")
    assert cutout is not None
    np.testing.assert_array_equal(cutout.open()[1].data, fits.getdata(folder / "rice.fits.fz"))


def test_files_are_taken_in_natural_order_and_links_followed(tmp_path: Path) -> None:
    for name in ("im10.fits", "im2.fits", ".hidden.fits", "note.txt", "IM1.FIT", "z.fits.fz"):
        write_image(tmp_path / "images", "x.fits").rename(tmp_path / "images" / name)
    write_image(tmp_path / "elsewhere", "linked.fits")
    (tmp_path / "images" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "images")
    found = [path.name for path in find_files(tmp_path / "images")]
    assert found == ["IM1.FIT", "im2.fits", "im10.fits", "linked.fits", "note.txt", "z.fits.fz"]


def test_the_same_name_twice_is_reported(archive: Archive, tmp_path: Path) -> None:
    for name in ("a.fits", "a_drz.fits", "a_flt.fits", "A.fits"):
        write_image(tmp_path / "images", name)
    report = archive.observations.publish("c", tmp_path / "images")
    dids = [row["obs_publisher_did"] for row in archive.rows()]
    assert len(dids) == 2
    assert dids[1] == "ivo://example.awe/c?a#flt"
    assert len(report.rejected) == 2
    assert all("identifier of" in entry.reason for entry in report.rejected)


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the files whose headers are read from now on."""
    read: list[str] = []

    def counted(path: Path, rules: object, reading: object, **others: object) -> Scanned:
        read.append(path.name)
        if path.name == "stop.fits" and read.count("stop.fits") == 1:
            raise KeyboardInterrupt
        return scan(path, rules, reading, **others)  # type: ignore[arg-type]

    monkeypatch.setattr(publishing, "scan", counted)
    return read


def test_unchanged_files_are_not_read_again(archive: Archive, tmp_path: Path, scans: list[str]) -> None:
    folder = tmp_path / "images"
    for name in ("a.fits", "b.fits", "c.fits"):
        write_image(folder, name)
    archive.observations.publish("c", folder)
    scans.clear()
    write_image(folder, "b.fits", 10.0, 10.0)
    os.utime(folder / "b.fits", (1, 1))
    (folder / "c.fits").unlink()
    write_image(folder, "d.fits")
    report = archive.observations.publish("c", folder)
    assert scans == ["b.fits", "d.fits"]
    assert (report.published, report.unchanged, report.removed) == (3, 1, 1)
    assert archive.names() == {"a", "b", "d"}
    moved = next(row for row in archive.rows() if row["obs_id"] == "b")
    assert moved["s_ra"] == pytest.approx(10.0)


def test_another_description_is_read_into_every_row(
    archive: Archive, tmp_path: Path, scans: list[str]
) -> None:
    folder = tmp_path / "images"
    write_image(folder, "a.fits", MYOBJ="Virgo A")
    archive.observations.publish("c", folder)
    describe = tmp_path / "describe.toml"
    describe.write_text(
        '[collection]\ntitle = "Images"\n[constants]\nfacility_name = "CFHT"\nlevel = 2\n'
        '[keywords]\ntarget_name = "myobj"\n[metadata]\nsimulated = "yes: every pixel"\n'
    )
    archive.observations.publish("c", folder, describe=describe)
    (row,) = archive.rows()
    assert (row["facility_name"], row["level"], row["target_name"]) == ("CFHT", 2, "Virgo A")
    assert scans == ["a.fits", "a.fits"]
    assert archive.observations.collections()[0].about["simulated"] == "yes: every pixel"
    assert archive.catalogs.table("ivoa.obscore").metadata["c simulated"] == "yes: every pixel"


def test_what_was_interrupted_goes_on(archive: Archive, tmp_path: Path, scans: list[str]) -> None:
    folder = tmp_path / "images"
    for name in ("a.fits", "b.fits", "stop.fits", "z.fits"):
        write_image(folder, name)
    with pytest.raises(KeyboardInterrupt):
        archive.observations.publish("c", folder)
    assert archive.rows() == []
    journal = tmp_path / "archive" / "observations" / "c.journal"
    journal.write_text(journal.read_text() + '{"path": "half a li')
    archive.observations.publish("c", folder)
    assert scans == ["a.fits", "b.fits", "stop.fits", "stop.fits", "z.fits"]
    assert archive.names() == {"a", "b", "stop", "z"}
    assert not journal.exists()


def test_all_or_nothing_is_visible(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "images"
    write_image(folder, "a.fits")
    archive.observations.publish("c", folder)
    write_image(folder, "b.fits")

    def fail(*_: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(ObservationStore, "replace", staticmethod(fail))
    with pytest.raises(RuntimeError):
        archive.observations.publish("c", folder)
    assert archive.names() == {"a"}
    with pytest.raises(NotFoundError):
        archive.observations.dataset("b")
    monkeypatch.undo()
    archive.observations.publish("c", folder)
    assert archive.names() == {"a", "b"}


def test_collections_live_beside_each_other(archive: Archive, tmp_path: Path) -> None:
    write_image(tmp_path / "one", "a.fits")
    write_image(tmp_path / "two", "b.fits")
    write_image(tmp_path / "three", "c.fits")
    service = archive.observations
    service.publish("x", tmp_path / "one")
    service.publish("y", tmp_path / "two")
    service.publish("x", tmp_path / "three")
    assert archive.names() == {"a", "b", "c"}
    assert [(one.name, one.datasets) for one in service.collections()] == [("x", 2), ("y", 1)]
    assert service.publish("x", tmp_path / "three", replace=True).removed == 1
    assert archive.names() == {"b", "c"}
    service.drop("x")
    assert archive.names() == {"b"}
    with pytest.raises(NotFoundError, match="did you mean y"):
        service.drop("Y")
    service.drop("y")
    assert archive.names() == set()
    assert service.collections() == []


def test_it_is_all_there_after_a_restart(tmp_path: Path) -> None:
    write_image(tmp_path / "images", "a.fits")
    first, close = open_archive(tmp_path / "archive")
    first.observations.publish("c", tmp_path / "images")
    close()
    second, close = open_archive(tmp_path / "archive")
    assert second.names() == {"a"}
    assert second.observations.dataset("a").path == tmp_path / "images" / "a.fits"
    close()


def test_a_collection_has_a_proper_name(archive: Archive, tmp_path: Path) -> None:
    for name in ("", "two words", "1st", "a/b", "x" * 70, "a?b"):
        with pytest.raises(ParameterError, match="collection"):
            archive.observations.publish(name, tmp_path)


def test_a_folder_without_images_is_said(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no such folder"):
        archive.observations.publish("c", tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputFileError, match="no files of images, spectra or time series"):
        archive.observations.publish("c", tmp_path / "empty")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[constants", "not TOML"),
        ("[constant]\nlevel = 2", "did you mean constants"),
        ("[constants]\nlevle = 2", "did you mean level"),
        ("[constants]\ns_region = 2", "is no entry"),
        ('[files."a.fits"]\ntarget = 2', "did you mean target_name"),
        ("[files]\na = 2", "not a section"),
        ("[spectrum]\nmedium = 'water'", "vacuum or air"),
        ("[spectrum]\nflux_unit = 'furlong'", "is not a unit"),
        ("[collection]\nname = 'x'", "is no entry"),
        ("constants = 3", "not a section"),
        ("[constants]\nlevel = [2, 3]", "not a single value"),
        ("[metadata]\nx = 2020-13-45", "not TOML"),
    ],
)
def test_a_wrong_describe_file_is_explained(tmp_path: Path, text: str, reason: str) -> None:
    describe = tmp_path / "describe.toml"
    describe.write_text(text)
    with pytest.raises(InputFileError, match=reason):
        read_description(describe)


REAL = {
    "a_hst_images": {
        "acs_wfc_j94f05bgq_flt_headers": 1,
        "cosmos_acs_f814w_147246_543px": 1,
        "cosmos_acs_f814w_cutout0": 1,
        "cosmos_hsc_grizy_cutout0": 1,
        "cosmos_hsc_grizy_cutout1": 1,
        "egs_13004304_acs_f606w_cutout": 1,
        "egs_13004304_acs_f814w_cutout": 1,
        "egs_13004304_wfc3_f160w_cutout": 1,
        "foc_hz4_512px": 1,
        "m87_hst_wfpc2_halpha_filament_model": 1,
        "nicmos_goodsn_256px": 1,
        "nicmos_goodsn_mef_cutout": 1,
        "wfc3_sample_flt_headers": 1,
        "wfpc2_ngc4151_u5780205r_c0fx": 1,
        "xdf_hst_wfc3ir_60mas_f105w": 2,
        "xdf_hst_wfc3ir_60mas_f160w": 2,
        "zcut_candels_gn_30mas_acs_3band": 3,
        **{
            f"{galaxy}_60mas_{element}": 1
            for galaxy in (15, 37, 1002)
            for element in ["f435w", "f606w", "f775w", "f814w", "f850lp", "f105w", "f125w", "f140w", "f160w"]
        },
    },
    "a2_galaxy_images": {
        "m31_wise_w1": 1,
        "m51_kpno_B_512px": 1,
        "m51_spitzer_irac_sip": 1,
        "m61_panstarrs_g": 1,
        "ngc6976_sdss_g": 1,
        "ngc6976_sdss_i": 1,
        "ngc6976_sdss_r": 1,
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("folder", REAL)
def test_every_real_image_is_published_cut_and_drawn(
    archive: Archive, shared_data: Path, folder: str
) -> None:
    report = archive.observations.publish("real", shared_data / folder)
    counted: dict[object, int] = {}
    rows = archive.rows()
    for row in rows:
        counted[row["obs_id"]] = counted.get(row["obs_id"], 0) + 1
    assert counted == REAL[folder]
    assert [entry.file for entry in report.rejected] == (
        ["cosmos_acs_f814w_psf.fits"] if folder == "a_hst_images" else []
    )
    for row in rows:
        did = str(row["obs_publisher_did"])
        whole = archive.observations.cutout(did)
        assert whole is not None
        assert len(b"".join(whole.write())) % 2880 == 0
        picture = archive.observations.preview(did, size=64)
        assert picture is not None
        assert picture.startswith(b"\x89PNG")


def test_a_file_copied_from_real_data_answers_the_hla_columns(
    archive: Archive, shared_data: Path, tmp_path: Path
) -> None:
    lines = (shared_data / "seed" / "hla_m87_notebook_rows.csv").read_text().splitlines()
    names = lines[0].split(",")
    told = [dict(zip(names, line.split(","), strict=True)) for line in lines[1:]]
    for row in told:
        write_image(
            tmp_path / "images", f"{row['Dataset']}_drz.fits", float(row["RA"]), float(row["DEC"]),
            scale_arcsec=0.05, shape=(400, 420), TELESCOP="HST", INSTRUME="ACS", DETECTOR="WFC",
            APERTURE=row["Aperture"], NCOMBINE=int(row["NExposures"]), EXPTIME=float(row["ExpTime"]),
            LEVEL=int(row["Level"]),
        )  # fmt: skip
    archive.observations.publish("hla", tmp_path / "images")
    query = (
        'SELECT s_ra, s_dec, "level", detector, aperture, n_exposures, t_exptime, obs_id, proposal_id, visit '
        "FROM ivoa.obscore WHERE detector = 'ACS/WFC' AND \"level\" = 2 ORDER BY t_exptime DESC, obs_id"
    )
    found = archive.catalogs.query(query).to_table().to_pylist()
    assert found[0]["obs_id"] == "hst_9401_02_acs_wfc_total"
    by_name = {row["obs_id"]: row for row in found}
    assert set(by_name) == {row["Dataset"] for row in told}
    for row in told:
        ours = by_name[row["Dataset"]]
        assert (ours["s_ra"], ours["s_dec"]) == pytest.approx((float(row["RA"]), float(row["DEC"])), abs=1e-7)
        assert (ours["level"], ours["detector"], ours["aperture"]) == (2, row["Detector"], row["Aperture"])
        assert (ours["n_exposures"], ours["t_exptime"]) == (int(row["NExposures"]), float(row["ExpTime"]))
        assert ours["proposal_id"] == row["Dataset"].split("_")[1]
        assert ours["visit"] == row["Dataset"].split("_")[2]


def test_a_shared_name_is_copied_without_the_folder(archive: Archive, tmp_path: Path) -> None:
    source = write_image(tmp_path / "images", "a b+c.fits")
    shutil.copy(source, tmp_path / "images" / "ü.fits")
    archive.observations.publish("c", tmp_path / "images")
    assert {row["obs_publisher_did"] for row in archive.rows()} == {
        "ivo://example.awe/c?a%20b+c",
        "ivo://example.awe/c?%C3%BC",
    }
    assert archive.observations.dataset("a b+c").path == source
