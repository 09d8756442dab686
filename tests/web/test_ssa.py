"""Spectra over HTTP: SSA 1.1 and the spectra themselves, by the standard's words, pyvo, STILTS and astropy."""

import io
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from astropy.io import fits, votable
from astropy.table import Table
from PIL import Image
from starlette.testclient import TestClient

from awe.core.vo import ssa
from awe.platform import Platform
from awe.testing import tiny_archive
from awe.web import build_app

pytestmark = pytest.mark.slow

RA, DEC = 187.7059, 12.3911
MANDATORY = {
    "Access.Reference", "Access.Format", "Dataset.DataModel", "Dataset.Length", "DataID.Title",
    "Curation.Publisher",
}  # fmt: skip
RECOMMENDED = {
    "Query.Score", "Access.Size", "DataID.Creator", "DataID.Collection", "DataID.CreatorDID", "DataID.DataSource",
    "DataID.CreationType", "Curation.Reference", "Curation.PublisherDID", "CoordSys.SpaceFrame.Name",
    "Char.FluxAxis.Ucd", "Char.SpectralAxis.Ucd", "Char.SpatialAxis.Coverage.Location.Value",
    "Char.SpatialAxis.Coverage.Bounds.Extent", "Char.TimeAxis.Coverage.Location.Value",
    "Char.TimeAxis.Coverage.Bounds.Extent", "Char.SpectralAxis.Coverage.Location.Value",
    "Char.SpectralAxis.Coverage.Bounds.Extent", "Char.SpectralAxis.Coverage.Bounds.Start",
    "Char.SpectralAxis.Coverage.Bounds.Stop", "Char.FluxAxis.Calibration", "Char.SpectralAxis.Calibration",
    "Char.SpectralAxis.Resolution", "Char.SpatialAxis.Calibration", "Char.SpatialAxis.Resolution",
}  # fmt: skip
"""Utypes of SSA 1.1 section 4.2; Char.SpatialAxis.Accuracy.StatError is recommended too and known of no spectrum."""


def write(path: Path, low_nm: float, high_nm: float, unit: str = "Jy", **cards: Any) -> None:
    header = fits.Header()
    for keyword, value in cards.items():
        header[keyword.replace("_", "-") if keyword.startswith("DATE") else keyword] = value
    waves = np.linspace(low_nm, high_nm, 101)
    columns = [
        fits.Column("WAVELENGTH", "D", unit="nm", array=waves),
        fits.Column("FLUX", "E", unit=unit, array=(10 + np.sin(waves)).astype(np.float32)),
        fits.Column("ERROR", "E", unit=unit, array=np.ones(101, np.float32)),
    ]
    fits.HDUList([fits.PrimaryHDU(header=header), fits.BinTableHDU.from_columns(columns)]).writeto(path)


@pytest.fixture(scope="module")
def spectra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("ssa")
    with tiny_archive(folder) as platform:
        observed, models = folder / "observed", folder / "models"
        observed.mkdir()
        models.mkdir()
        write(
            observed / "core.fits", 400, 700, RA_TARG=RA, DEC_TARG=DEC, TARGNAME="M87 core", INSTRUME="STIS",
            TELESCOP="HST", APERTURE="52X0.2", DATE_OBS="2003-01-19T12:00:00", EXPTIME=3600.0,
            REDSHIFT=0.00428, CLASS="galaxy", POWER=1000.0,
        )  # fmt: skip
        write(
            observed / "jet.fits", 115, 170, unit="count", RA_TARG=RA - 0.004, DEC_TARG=DEC + 0.001,
            TARGNAME="M87 jet", INSTRUME="COS", TELESCOP="HST", DATE_OBS="2010-07-01T00:00:00", EXPTIME=600.0,
        )  # fmt: skip
        write(observed / "far.fits", 900, 2400, RA_TARG=10.0, DEC_TARG=-30.0, TARGNAME="far, far away")
        write(models / "model.fits", 300, 1100, TARGNAME="elliptical")
        describe = folder / "describe.toml"
        describe.write_text(
            '[keywords]\nredshift = "REDSHIFT"\ntarget_class = "CLASS"\nem_res_power = "POWER"\n'
            '[files."core.fits"]\nobs_creator_did = "ivo://hst/stis#1"\n'
        )
        platform.observations.publish("hst-stis", observed, describe=describe)
        simulated = folder / "models.toml"
        simulated.write_text('[metadata]\nsimulated = "a model"\n')
        platform.observations.publish("models", models, describe=simulated)
        yield platform


@pytest.fixture(scope="module")
def client(spectra: Platform) -> Iterator[TestClient]:
    with TestClient(build_app(spectra), raise_server_exceptions=False) as made:
        yield made


def ask(client: TestClient, **params: object) -> votable.tree.TableElement:
    answer = client.get("/ssa", params={"REQUEST": "queryData", **params})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/xml;content=x-votable")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        document = votable.parse(io.BytesIO(answer.content))
    infos = {info.name: info.value for info in document.resources[0].infos}
    assert infos["QUERY_STATUS"] == "OK", answer.text
    assert infos["SERVICE_PROTOCOL"] == "1.1"
    return document.get_first_table()


def found(client: TestClient, **params: object) -> list[str]:
    """Return the titles in their order, each once."""
    table = ask(client, **params).to_table()
    return list(dict.fromkeys(str(title) for title in table["Title"]))


def test_the_answer_has_every_field_of_the_standard(client: TestClient) -> None:
    table = ask(client, POS=f"{RA},{DEC}", SIZE=0.001)
    utypes = {one.utype.removeprefix("ssa:") for one in (*table.fields, *table.params) if one.utype}
    assert utypes >= MANDATORY | RECOMMENDED
    rows = table.to_table()
    assert list(rows["Format"]) == [
        "application/x-votable+xml", "application/fits", "application/fits", "text/csv", "image/png",
    ]  # fmt: skip
    assert set(rows["AssocID"]) == {"ivo://tiny.test/hst-stis?core"}
    assert list(rows["DataModel"]) == ["Spectrum-1.1", "Spectrum-1.1", "HST-STIS", "Spectrum-1.1", "graphic"]
    row = rows[0]
    assert (row["Title"], row["DataLength"], row["Instrument"]) == ("M87 core", 101, "STIS")
    assert tuple(row["SpatialLocation"]) == (RA, DEC)
    assert row["SpectralStart"] == pytest.approx(4e-7)
    assert row["SpectralResolution"] == pytest.approx(5.5e-7 / 1000)
    assert row["SpatialExtent"] == pytest.approx(52 / 3600)
    assert row["TimeExtent"] == pytest.approx(3600, rel=1e-6)
    assert row["FluxCalibration"] == "absolute"
    assert rows["DataSource"][0] == "pointed"
    groups = {group.name: group for group in table.groups}
    assert "Char.SpectralAxis" in groups
    assert {ref.ref for ref in groups["Access"].entries} >= {"AcRef", "Format"}


def test_what_is_simulated_is_artificial(client: TestClient) -> None:
    rows = ask(client, COLLECTION="model").to_table()
    assert set(rows["DataSource"]) == {"artificial"}
    assert rows["SpatialLocation"].mask.all()


ALL = {"M87 core", "M87 jet", "far, far away", "elliptical"}
NEAR = f"{RA},{DEC}"


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({}, ALL),
        ({"POS": NEAR}, {"M87 core", "M87 jet"}),
        ({"POS": NEAR, "SIZE": 0}, {"M87 core"}),
        ({"POS": NEAR, "SIZE": 0.02}, {"M87 core", "M87 jet"}),
        ({"POS": NEAR, "SIZE": 360}, {"M87 core", "M87 jet", "far, far away"}),
        ({"POS": f"{NEAR};ICRS", "SIZE": 0.001}, {"M87 core"}),
        ({"POS": "283.777781,74.491225;GALACTIC", "SIZE": 0.001}, {"M87 core"}),
        ({"BAND": "5E-7"}, {"M87 core", "elliptical"}),
        ({"BAND": "1e-7/2e-7"}, {"M87 jet"}),
        ({"BAND": "2e-7/1e-7"}, {"M87 jet"}),
        ({"BAND": "/3.5e-7"}, {"M87 jet", "elliptical"}),
        ({"BAND": "1.2e-6/"}, {"far, far away"}),
        ({"BAND": "1.5e-7,2e-6"}, {"M87 jet", "far, far away"}),
        ({"BAND": "4E-7/7E-7;source"}, {"M87 core", "elliptical"}),
        ({"BAND": "K"}, {"far, far away"}),
        ({"BAND": "UV"}, {"M87 jet"}),
        ({"BAND": "x-ray"}, set()),
        ({"TIME": "2003"}, {"M87 core"}),
        ({"TIME": "2003-01-19"}, {"M87 core"}),
        ({"TIME": "2003-01-20"}, set()),
        ({"TIME": "2003-01-19T12:30:00"}, {"M87 core"}),
        ({"TIME": "2003-01-19T11:59:00/2003-01-19T12:00:01"}, {"M87 core"}),
        ({"TIME": "2005/"}, {"M87 jet"}),
        ({"TIME": "/2005,2010-07"}, {"M87 core", "M87 jet"}),
        ({"SPECRP": 500}, {"M87 core"}),
        ({"SPECRP": 1001}, set()),
        ({"SPATRES": 1}, set()),
        ({"TIMERES": 1000}, {"M87 jet"}),
        ({"SNR": 5}, ALL),
        ({"SNR": 50}, set()),
        ({"REDSHIFT": "0.001/0.01"}, {"M87 core"}),
        ({"REDSHIFT": "/0.001"}, set()),
        ({"VARAMPL": "0.1/"}, set()),
        ({"TARGETNAME": "m87 JET"}, {"M87 jet"}),
        ({"TARGETNAME": "M87 jet,elliptical"}, {"M87 jet", "elliptical"}),
        ({"TARGETCLASS": "Galaxy,star"}, {"M87 core"}),
        ({"FLUXCALIB": "absolute"}, ALL - {"M87 jet"}),
        ({"FLUXCALIB": "relative"}, ALL - {"M87 jet"}),
        ({"FLUXCALIB": "normalized"}, set()),
        ({"FLUXCALIB": "any"}, ALL),
        ({"WAVECALIB": "absolute"}, ALL),
        ({"PUBDID": "IVO://tiny.test/hst-stis?CORE"}, {"M87 core"}),
        ({"CREATORDID": "ivo://hst/stis#1"}, {"M87 core"}),
        ({"COLLECTION": "STIS"}, ALL - {"elliptical"}),
        ({"COLLECTION": "ivo://tiny.test/models"}, {"elliptical"}),
        ({"COLLECTION": "nothing"}, set()),
        ({"MTIME": "2020/"}, ALL),
        ({"MTIME": "/2020"}, set()),
        ({"APERTURE": 0.1, "COMPRESS": "true", "RUNID": "x", "VERSION": "1.1", "NONSENSE": "1"}, ALL),
        ({"REQUEST": "QUERYDATA"}, ALL),
        ({"request": "queryData", "targetname": "elliptical"}, {"elliptical"}),
        ({"FORMAT": "all"}, ALL),
        ({"FORMAT": "xml"}, set()),
        ({"FORMAT": "text/html"}, set()),
        ({"TOP": 0}, set()),
    ],
)  # fmt: skip
def test_parameters_find_what_they_ask_for(
    client: TestClient, params: dict[str, object], names: set[str]
) -> None:
    assert set(found(client, **params)) == names


@pytest.mark.parametrize(
    ("asked", "formats"),
    [
        ("votable", ["application/x-votable+xml"]),
        ("compliant", ["application/x-votable+xml", "application/fits"]),
        ("fits", ["application/fits"]),
        ("native", ["application/fits"]),
        ("graphic", ["image/png"]),
        ("application/fits", ["application/fits", "application/fits"]),
        ("text/csv,image/png", ["text/csv", "image/png"]),
        ("VOTABLE,native", ["application/x-votable+xml", "application/fits"]),
    ],
)
def test_formats_are_those_asked_for(client: TestClient, asked: str, formats: list[str]) -> None:
    rows = ask(client, TARGETNAME="elliptical", FORMAT=asked).to_table()
    assert list(rows["Format"]) == formats


def test_the_nearest_come_first_and_top_keeps_them(client: TestClient) -> None:
    assert found(client, POS=f"{RA - 0.004},{DEC + 0.001}", SIZE=1) == ["M87 jet", "M87 core"]
    rows = ask(client, POS=f"{RA - 0.004},{DEC + 0.001}", SIZE=1, TOP=1, FORMAT="votable").to_table()
    assert list(rows["Title"]) == ["M87 jet"]
    scores = ask(client, POS=NEAR, SIZE=360, FORMAT="votable").to_table()["Score"]
    assert list(scores) == sorted(scores, reverse=True)
    assert scores[0] == 1.0


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"REQUEST": "getData"}, "not an operation"),
        ({"VERSION": "2.0"}, "not a version"),
        ({"POS": "1,2/3"}, "range of positions"),
        ({"POS": "1"}, "two numbers"),
        ({"POS": "1,91"}, "declination"),
        ({"POS": "a,b"}, "number"),
        ({"POS": "1,2;MARS"}, "not a frame"),
        ({"SIZE": "-1"}, "between 0 and 360"),
        ({"BAND": "5e-7/6e-7/7e-7"}, "step"),
        ({"BAND": "nix"}, "not the name of a band"),
        ({"BAND": "5e-7,,6e-7"}, "empty element"),
        ({"BAND": "-1"}, "positive"),
        ({"BAND": "5e-7;moon"}, "qualifier"),
        ({"TIME": "yesterday"}, "where a date should be"),
        ({"TIME": "2003-02-30"}, "no date"),
        ({"REDSHIFT": "1,2"}, "one range"),
        ({"SPECRP": "high"}, "not a number"),
        ({"FLUXCALIB": "good"}, "not one of"),
        ({"COMPRESS": "maybe"}, "true nor false"),
        ({"TOP": "-1"}, "whole number"),
        ({"MAXREC": "x"}, "whole number"),
        ({"MTIME": "2020,2021"}, "one range"),
    ],
)
def test_a_wrong_value_is_told_in_the_words_of_the_protocol(
    client: TestClient, params: dict[str, str], reason: str
) -> None:
    answer = client.get("/ssa", params={"REQUEST": "queryData", **params})
    assert answer.status_code == 200
    assert '<INFO name="SERVICE_PROTOCOL" value="1.1">SSAP</INFO>' in answer.text
    assert '<INFO name="QUERY_STATUS" value="ERROR">' in answer.text
    assert reason in answer.text.replace("0 or more", "whole number")


def test_metadata_describe_every_parameter_and_field(client: TestClient) -> None:
    answer = client.get("/ssa", params={"FORMAT": "metadata"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        document = votable.parse(io.BytesIO(answer.content))
    resource = document.resources[0]
    names = {param.name for param in resource.params}
    assert names >= {f"INPUT:{param.name}" for param in ssa.PARAMS}
    table = document.get_first_table()
    assert len(table.array) == 0
    assert {f"OUTPUT:{field.name}" for field in table.fields} <= names


def test_too_many_records_are_said(client: TestClient) -> None:
    for params, rows in (({"MAXREC": 3}, 3), ({"MAXREC": 0}, 0)):
        answer = client.get("/ssa", params=params)
        assert answer.text.count("<TR>") == rows
        assert 'value="OVERFLOW"' in answer.text.partition("</TABLE>")[2]
    assert "OVERFLOW" not in client.get("/ssa", params={"MAXREC": 20}).text


def test_post_works_too(client: TestClient) -> None:
    answer = client.post(
        "/ssa", data={"REQUEST": "queryData", "TARGETNAME": "elliptical", "FORMAT": "votable"}
    )
    assert answer.text.count("<TR>") == 1


def test_every_access_reference_gives_what_its_record_says(client: TestClient) -> None:
    for row in ask(client, TARGETNAME="M87 core").to_table():
        answer = client.get(str(row["AcRef"]))
        assert answer.status_code == 200
        assert answer.headers["content-type"].partition(";")[0] == row["Format"]
        size = len(answer.content) / 1000
        assert row["DatasetSize"] / 5 < size + 5 < row["DatasetSize"] * 5 + 30


SPECTRUM = "/api/datasets/core/spectrum"


def test_the_spectrum_has_the_values_of_the_file_in_every_format(
    client: TestClient, spectra: Platform
) -> None:
    with fits.open(spectra.observations.file("core")) as hdus:
        data = hdus[1].data
        waves, flux, error = (np.array(data[name]) for name in ("WAVELENGTH", "FLUX", "ERROR"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = votable.parse_single_table(io.BytesIO(client.get(SPECTRUM).content))
        as_fits = Table.read(io.BytesIO(client.get(SPECTRUM, params={"format": "fits"}).content))
        as_csv = Table.read(client.get(SPECTRUM, params={"format": "csv"}).text, format="ascii.csv")
    fields = {field.utype: field for field in table.fields}
    assert fields["spec:Spectrum.Data.SpectralAxis.Value"].unit == "nm"
    assert fields["spec:Spectrum.Data.FluxAxis.Value"].ucd == "phot.flux.density;em.freq"
    params = {param.utype: param.value for param in table.params}
    assert params["spec:Spectrum.Target.Name"] == "M87 core"
    assert tuple(params["spec:Spectrum.Target.Pos"]) == (RA, DEC)
    assert params["spec:Spectrum.Length"] == 101
    assert params["spec:Spectrum.Curation.PublisherDID"] == "ivo://tiny.test/hst-stis?core"
    for given in (table.to_table(), as_fits):
        assert np.array_equal(given["spectral"], waves)
        assert np.array_equal(given["flux"], flux)
        assert np.array_equal(given["flux_error"], error)
    assert np.array_equal(as_csv["spectral"], waves)
    assert np.array_equal(as_csv["flux"].astype(np.float32), flux)


def test_a_spectrum_is_asked_of_spectra_only(client: TestClient) -> None:
    refused = client.get("/api/datasets/tiny_acs_f606w/spectrum")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_parameter")
    assert client.get("/api/datasets/nothing/spectrum").status_code == 404
    assert client.get(SPECTRUM, params={"format": "bmp"}).status_code == 400
    assert client.get("/soda/sync", params={"ID": "core", "CIRCLE": f"{RA} {DEC} 1"}).status_code == 400


def test_the_preview_is_a_picture(client: TestClient) -> None:
    answer = client.get("/api/datasets/core/preview", params={"size": 320})
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (320, 200)


def test_image_searches_find_no_spectra(client: TestClient) -> None:
    for path, params in (
        ("/sia2/query", {"POS": f"CIRCLE {RA} {DEC} 0.1"}),
        ("/sia", {"POS": f"{RA},{DEC}", "SIZE": "0.1"}),
        ("/api/images", {"position": f"{RA} {DEC}", "radius": "0.1", "format": "votable"}),
    ):
        text = client.get(path, params=params).text
        assert text.count("<TR>") == 2
        assert "spectrum" not in text.partition("<TABLEDATA>")[2]


# Other people's clients


@pytest.fixture(scope="module")
def address(spectra: Platform, serving: Any) -> Iterator[str]:
    made: AbstractContextManager[str] = serving(spectra)
    with made as url:
        yield url


def test_pyvo_searches_and_fetches(address: str, session: Any) -> None:
    from astropy import units
    from astropy.coordinates import SkyCoord
    from pyvo.dal import SSAService

    service = SSAService(f"{address}/ssa", session=session)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = service.search(
            pos=SkyCoord(RA, DEC, unit="deg"),
            diameter=0.02 * units.deg,
            band=(4e-7, 5e-7),
            time=("2003-01-01T00:00:00", "2003-12-31T00:00:00"),
            format="votable",
        )
        assert [record.title for record in results] == ["M87 core"]
        record = results[0]
        assert (record.ra, record.dec, record.format, record.instr) == (
            RA, DEC, "application/x-votable+xml", "STIS",
        )  # fmt: skip
        with record.getdataset() as stream:
            table = votable.parse_single_table(io.BytesIO(stream.read())).to_table()
        assert len(table) == 101
        every = service.search(maxrec=7)
        assert len(every) == 7
        assert every.status[0] == "OVERFLOW"
        assert "ssa:Access.Reference" in {column.utype for column in service.columns}


def test_stilts_finds_spectra_around_a_position(address: str, stilts: str) -> None:
    command = [
        stilts, "cone", "servicetype=ssa", f"serviceurl={address}/ssa", f"lon={RA}", f"lat={DEC}", "radius=0.01",
        "ofmt=csv",
    ]  # fmt: skip
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "WARNING" not in done.stderr
    assert (
        done.stdout.count("M87 core") == done.stdout.count("M87 jet") == 10
    )  # title and target of five formats


@pytest.mark.parametrize(
    "path",
    [
        f"ssa?REQUEST=queryData&POS={RA},{DEC}&SIZE=1",
        "ssa?REQUEST=queryData&MAXREC=3",
        "ssa?FORMAT=METADATA",
        "ssa?POS=wrong",
        "api/datasets/core/spectrum",
        "api/datasets/jet/spectrum?format=votable/b2",
        f"tap/sync?LANG=ADQL&QUERY={quote('SELECT * FROM ivoa.obscore')}",
    ],
)
def test_votlint_is_silent(address: str, stilts: str, tmp_path: Path, path: str) -> None:
    import httpx

    document = tmp_path / "answer.vot"
    document.write_bytes(httpx.get(f"{address}/{path}").content)
    done = subprocess.run([stilts, "votlint", str(document)], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_links_of_a_spectrum(address: str, session: Any) -> None:
    from pyvo.dal import SSAService

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = SSAService(f"{address}/ssa", session=session).search(maxrec=30)
        for record in found:
            if record.format not in {"text/csv", "application/x-votable+xml"}:
                continue
            own = record.getdatalink()
            assert next(own.bysemantics("#this")).content_type == record.format
            assert next(own.bysemantics("#preview-plot")).content_type == "image/png"
            assert not list(own.bysemantics("#cutout"))
