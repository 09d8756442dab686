"""Several cutouts at once, cubes, pictures, and cutouts as jobs: SODA 1.0 over the real application."""

import io
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from starlette.testclient import TestClient

from awe.platform import Platform
from awe.testing import TINY_CENTRE, TINY_IMAGES, tiny_archive
from awe.web import build_app

RA, DEC = TINY_CENTRE
HERE, BESIDE, ELSEWHERE = f"{RA} {DEC} 0.001", f"{RA + 0.002} {DEC} 0.0005", "10 10 0.1"
UWS = "{http://www.ivoa.net/xml/UWS/v1.0}"
XLINK = "{http://www.w3.org/1999/xlink}"


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Return the tiny sky and a cube of radio data: four states, twenty channels of 21 cm."""
    folder = tmp_path_factory.mktemp("cubes")
    with tiny_archive(folder) as opened:
        wcs = WCS(naxis=4)
        wcs.wcs.ctype = ["RA---SIN", "DEC--SIN", "FREQ", "STOKES"]
        wcs.wcs.crval, wcs.wcs.crpix = [RA, DEC, 1.42e9, 1.0], [8.5, 6.5, 1.0, 1.0]
        wcs.wcs.cdelt, wcs.wcs.cunit = [-5e-4, 5e-4, 1e6, 1.0], ["deg", "deg", "Hz", ""]
        data = np.arange(4 * 20 * 12 * 16, dtype=np.float32).reshape(4, 20, 12, 16)
        (folder / "radio").mkdir()
        fits.PrimaryHDU(data, wcs.to_header()).writeto(folder / "radio" / "hi.fits")
        opened.observations.publish("radio", folder / "radio")
        yield opened


@pytest.fixture(scope="module")
def radio(sky: Platform) -> Iterator[TestClient]:
    with TestClient(build_app(sky), raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def members(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        return {one.name: opened.extractfile(one).read() for one in opened.getmembers()}  # type: ignore[union-attr]


def cut(web: TestClient, **params: Any) -> Any:
    return web.get("/soda/sync", params=params)


def test_a_cube_is_cut_along_every_axis(radio: TestClient) -> None:
    low, high = 299792458.0 / 1.4301e9, 299792458.0 / 1.4249e9  # channels 5 to 10
    answer = cut(radio, ID="hi", CIRCLE=f"{RA} {DEC} 0.001", BAND=f"{low} {high}", POL=["I", "V"])
    assert answer.status_code == 200, answer.text
    with fits.open(io.BytesIO(answer.content)) as opened:
        whole = np.arange(4 * 20 * 12 * 16, dtype=np.float32).reshape(4, 20, 12, 16)
        np.testing.assert_array_equal(opened[0].data, whole[::3, 5:11, 4:8, 6:10])
        places = WCS(opened[0].header).all_pix2world([[0, 0, 0, 1]], 0)[0]
    assert places[2:] == pytest.approx([1.425e9, 4.0])


def test_several_pieces_are_an_archive_in_order(radio: TestClient) -> None:
    answer = cut(radio, ID=list(TINY_IMAGES), CIRCLE=[HERE, BESIDE, ELSEWHERE])
    assert answer.headers["content-type"] == "application/x-tar"
    found = members(answer.content)
    assert list(found) == [
        f"{number}_{TINY_IMAGES[(number - 1) // 3]}.{'txt' if number % 3 == 0 else 'fits'}"
        for number in range(1, 7)
    ]
    for name, content in found.items():
        if name.endswith(".txt"):
            assert content.startswith(b"UsageError: ")
        else:
            one = cut(radio, ID=name[2:-5], CIRCLE=(HERE, BESIDE)[(int(name[0]) - 1) % 3])
            assert one.content == content


def test_what_is_asked_twice_is_one_piece_and_states_are_one_filter(radio: TestClient) -> None:
    assert cut(radio, ID="hi", CIRCLE=[HERE, HERE]).headers["content-type"] == "application/fits"
    answer = cut(radio, ID="hi", POL=["Q", "U"])
    with fits.open(io.BytesIO(answer.content)) as opened:
        assert opened[0].shape == (2, 20, 12, 16)


@pytest.mark.parametrize(
    ("params", "status", "told"),
    [
        ({"ID": "hi", "CIRCLE": ELSEWHERE}, 204, ""),
        ({"ID": "hi", "CIRCLE": [ELSEWHERE, "11 11 0.1"]}, 204, ""),
        ({"ID": "hi", "POL": "XX"}, 204, ""),
        ({"ID": "hi", "BAND": "1e-7 2e-7"}, 204, ""),
        ({"ID": TINY_IMAGES[0], "TIME": "50000 50001"}, 204, ""),
        ({"ID": TINY_IMAGES[0], "POL": "I"}, 400, "UsageError: POL=I: the polarisation states of this image"),
        ({"ID": "hi", "TIME": "50000 50001"}, 400, "UsageError: TIME=50000 50001: the times of this image"),
        ({"ID": "hi", "POL": "Z"}, 400, "UsageError: POL=Z: is not one of"),
        ({"ID": "hi", "CIRCLE": "1 2"}, 400, "UsageError: CIRCLE=1 2"),
        ({"ID": "hi", "BAND": "2 1"}, 400, "UsageError: BAND=2 1: begins after its end"),
        ({"CIRCLE": HERE}, 400, "UsageError: ID is needed"),
        ({"ID": "nothing"}, 404, "UsageError: no dataset is called 'nothing'"),
        ({"ID": ["nothing", "hi"], "CIRCLE": ELSEWHERE}, 404, "UsageError: no dataset is called 'nothing'"),
        ({"ID": "hi", "CIRCLE": [f"{RA} {DEC} {n}" for n in range(1, 102)]}, 413, "UsageError: 101 pieces"),
        (
            {"ID": "hi", "RESPONSEFORMAT": "image/gif"},
            400,
            "UsageError: RESPONSEFORMAT=image/gif: is not one of",
        ),
        ({"ID": "hi", "RESPONSEFORMAT": "png", "POL": "I"}, 400, "UsageError: a picture is of one region"),
    ],
)
def test_nothing_there_and_wrong(radio: TestClient, params: Any, status: int, told: str) -> None:
    answer = cut(radio, **params)
    assert (answer.status_code, answer.text[: len(told)]) == (status, told)
    if status != 204:
        assert answer.headers["content-type"].startswith("text/plain")


def test_a_picture_of_a_piece(radio: TestClient) -> None:
    answer = cut(radio, ID=TINY_IMAGES[0], CIRCLE=HERE, RESPONSEFORMAT="image/png")
    assert answer.headers["content-type"] == "image/png"
    assert answer.content[:4] == b"\x89PNG"
    assert cut(radio, ID=TINY_IMAGES[0], CIRCLE=ELSEWHERE, RESPONSEFORMAT="png").status_code == 204


def finished(web: TestClient, place: str) -> ET.Element:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        job = ET.fromstring(web.get(place, params={"WAIT": "10"}).content)
        if job.findtext(f"{UWS}phase") not in {"PENDING", "QUEUED", "EXECUTING"}:
            return job
    raise AssertionError("the job did not end")


def job(web: TestClient, **params: Any) -> ET.Element:
    answer = web.post("/soda/async", data={**params, "PHASE": "RUN"})
    assert answer.status_code == 303, answer.text
    return finished(web, answer.headers["location"])


@pytest.mark.slow
def test_a_job_has_a_result_for_each_combination(radio: TestClient) -> None:
    bands = ["5e-7 5.5e-7", "1e-9 2e-9"]
    ended = job(radio, ID=TINY_IMAGES[0], CIRCLE=[HERE, BESIDE], BAND=bands)
    assert ended.findtext(f"{UWS}phase") == "COMPLETED"
    results = {one.get("id"): one.get(f"{XLINK}href") for one in ended.iter(f"{UWS}result")}
    assert list(results) == [f"{number}_{TINY_IMAGES[0]}" for number in range(1, 5)]
    answers = [radio.get(str(place)) for place in results.values()]
    assert [answer.headers["content-type"].partition(";")[0] for answer in answers] == [
        "application/fits", "text/plain", "application/fits", "text/plain",
    ]  # fmt: skip
    assert answers[0].content == cut(radio, ID=TINY_IMAGES[0], CIRCLE=HERE, BAND=bands[0]).content
    assert answers[1].text.startswith("UsageError: ")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"ID": "nothing", "CIRCLE": [HERE, BESIDE]}, "no dataset is called 'nothing'"),
        ({"ID": "hi", "CIRCLE": "1 2"}, "CIRCLE=1 2"),
        ({"CIRCLE": HERE}, "ID is needed"),
    ],
)
def test_a_wrong_job_says_why(radio: TestClient, params: Any, told: str) -> None:
    answer = radio.post("/soda/async", data={**params, "PHASE": "RUN"})
    place = answer.headers["location"]
    assert finished(radio, place).findtext(f"{UWS}phase") == "ERROR"
    assert radio.get(f"{place}/error").text.startswith(f"UsageError: {told}")


def test_the_service_says_both_ways(radio: TestClient) -> None:
    root = ET.fromstring(radio.get("/soda/capabilities").content)
    found = {one.get("standardID"): one.findtext("interface/accessURL") for one in root}
    assert found["ivo://ivoa.net/std/SODA#sync-1.0"] == "http://testserver/soda/sync"
    assert found["ivo://ivoa.net/std/SODA#async-1.0"] == "http://testserver/soda/async"


def test_links_of_a_cube_say_its_ranges(radio: TestClient) -> None:
    from astropy.io import votable

    document = votable.parse(io.BytesIO(radio.get("/datalink/links", params={"ID": "hi"}).content))
    services = {r.ID: r for r in document.resources if r.ID}
    assert set(services) == {"cutout_1", "cutout_job_1"}
    inputs = {param.name: param for param in services["cutout_1"].groups[0].entries}
    assert [option for _, option in inputs["POL"].values.options] == ["I", "Q", "U", "V"]
    assert inputs["BAND"].values.min == pytest.approx(299792458.0 / 1.4395e9)
    assert "TIME" not in inputs


def test_a_broken_piece_does_not_stop_the_others(tmp_path: Path) -> None:
    with tiny_archive(tmp_path) as platform:
        platform.observations.file(TINY_IMAGES[1]).write_bytes(b"rubbish")
        with TestClient(build_app(platform)) as web:
            found = members(cut(web, ID=list(TINY_IMAGES), CIRCLE=HERE).content)
    assert list(found) == [f"1_{TINY_IMAGES[0]}.fits", f"2_{TINY_IMAGES[1]}.txt"]
    assert b"not a FITS file" in found[f"2_{TINY_IMAGES[1]}.txt"]


@pytest.mark.slow
def test_pyvo_cuts_as_a_job(sky: Platform, serving: Any, session: Any) -> None:
    import pyvo

    with serving(sky) as address:
        found = pyvo.dal.TAPService(f"{address}/tap", session=session).run_async(
            "SELECT * FROM ivoa.obscore WHERE obs_id = 'hi'"
        )
        links = next(found.iter_datalinks())
        standard = "ivo://ivoa.net/std/SODA#async-1.0"
        service = links.get_adhocservice_by_ivoid(standard)
        place = next(param.value for param in service.params if param.name == "accessURL")
        parameters = {
            "ID": links.original_row["obs_publisher_did"],
            "CIRCLE": [HERE, ELSEWHERE],
            "PHASE": "RUN",
        }
        made = session.post(place, data=parameters)
        job = pyvo.dal.AsyncTAPJob(made.url, session=session)
        job.wait(phases=["COMPLETED", "ERROR"], timeout=120)
        assert job.phase == "COMPLETED"
        assert [result.id_ for result in job.results] == ["1_hi", "2_hi"]
        with fits.open(io.BytesIO(session.get(job.results[0].href).content)) as opened:
            assert opened[0].shape == (4, 20, 4, 4)
        assert session.get(job.results[1].href).text.startswith("UsageError: ")
