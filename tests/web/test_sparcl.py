"""SPARCL's requests without its client: what is refused and how, JSON, and the pickle that is made piece by piece."""

import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from starlette.testclient import TestClient

from awe.platform import Platform
from awe.testing import tiny_settings
from awe.web import build_app
from awe.web.compat.datalab.sparcl._pickle import pickled

API = "/datalab/sparcl/api"


@pytest.mark.parametrize("length", [0, 1, 3])
def test_a_pickle_made_piece_by_piece_is_the_list(length: int) -> None:
    text = "the same text, and the same array, again"
    array = np.arange(100_000.0)
    items: list[Any] = [
        {"a": text, text: [text, (1, None, True)], "x": array[::2], "y": array.astype(">f4"), "z": array}
        for _ in range(length)
    ]
    read = pickle.loads(b"".join(pickled(items)))  # our own
    assert len(read) == length
    for one, item in zip(read, items, strict=True):
        assert one.keys() == item.keys()
        assert one[text] == item[text]
        assert all(np.array_equal(one[name], item[name]) for name in "xyz")


def test_an_archive_without_spectra_says_so(web: TestClient) -> None:
    assert web.get(f"{API}/datafields/").json() == []
    assert web.post(f"{API}/find/?limit=5", json={"outfields": None, "search": []}).json() == [
        {"status": {"success": True, "info": [], "warnings": []}, "UNITS": {}}
    ]
    assert web.post(f"{API}/missing/", json=["a", "a b'c", 7]).json() == ["a", "a b'c", 7]
    assert web.post(f"{API}/spectras/?format=json", json=["tiny_acs_f606w"]).json()[1:] == []
    assert web.post(f"{API}/find/?count=y", json={}).json()[1] == {"count": 0}


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("find/", b"{", "BADQUERY"),
        ("find/", b"[]", "BADQUERY"),
        ("find/", b'{"search": {"a": 1}}', "BADQUERY"),
        ("find/", b'{"search": ["ra"]}', "BADQUERY"),
        ("find/", b'{"outfields": [null]}', "UNKFIELD"),
        ("find/", b'{"outfields": ["flux"]}', "UNKFIELD"),
        ("find/", b'{"search": [["ra", 1]]}', "BADCONST"),
        ("find/", b'{"search": [["ra", 1, NaN]]}', "BADCONST"),
        ("find/", b'{"search": [["dateobs", "x", "y"]]}', "BADCONST"),
        ("find/", b'{"search": [["spectype", {"a": 1}]]}', "BADCONST"),
        ("find/", b'{"search": [["spectype"]]}', "BADCONST"),
        ("find/?limit=-1", b"{}", "BADCONST"),
        ("find/?sort=ra;drop", b"{}", "UNKFIELD"),
        ("spectras/", b"{}", "BADQUERY"),
        ("spectras/", b"[[1]]", "BADQUERY"),
        ("spectras/?format=npz", b"[]", "BADCONST"),
        ("spectras/?include=nix", b"[]", "UNKFIELD"),
        ("spectras/?dataset_list=nix", b"[]", "BADCONST"),
        ("missing/", b"[true]", "BADQUERY"),
        ("get_token/", b'{"email": 1}', "BADQUERY"),
        ("get_token/", b'{"email": "ada", "password": "wrong"}', "NOT_AUTH"),
        ("renew_token/", b'{"refresh_token": "a.b.c"}', "NOT_AUTH"),
        ("renew_token/", b'{"refresh_token": "nix"}', "NOT_AUTH"),
    ],
)
def test_what_is_refused_has_a_code_and_a_text(path: str, body: bytes, code: str, web: TestClient) -> None:
    answer = web.post(f"{API}/{path}", content=body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert answer.json()["errorCode"] == code
    assert answer.json()["errorMessage"]


@pytest.mark.slow
def test_spectra_of_sdss_and_desi_are_known_by_their_numbers(shared_data: Path, tmp_path: Path) -> None:
    for name, pattern in (("sdss", "spec-*.fits"), ("desi", "desi_edr_coadd-*.fits")):
        (tmp_path / name).mkdir()
        for file in (shared_data / "e_spectra").glob(pattern):
            shutil.copy(file, tmp_path / name)
    with Platform.open(tiny_settings(tmp_path / "sky")) as platform:
        for name in ("sdss", "desi"):
            platform.observations.publish(name, tmp_path / name)
        with TestClient(build_app(platform), raise_server_exceptions=False) as web:
            search = {
                "outfields": ["sparcl_id", "specid", "file"],
                "search": [["data_release", "sdss", "desi"]],
            }
            _, *found = web.post(f"{API}/find/", json=search).json()
            answer = web.post(
                f"{API}/spectras/?include=flux,wavelength,ivar,mask,specid",
                json=[one["sparcl_id"] for one in found],
            )
            head, *records = pickle.loads(answer.content)  # our own
    assert head["UNITS"]["sdss"]["flux"] == head["UNITS"]["desi"]["flux"] == "1e-17 erg / (Angstrom s cm2)"
    told = {one["specid"]: one for one in records}
    assert len(told) == len(found) > 3
    for file in (tmp_path / "sdss").iterdir():
        with fits.open(file) as hdus:
            samples, number = hdus[1].data, int(hdus[2].data["SPECOBJID"][0])
            assert np.array_equal(told[number]["flux"], samples["flux"])
            assert np.allclose(told[number]["ivar"], samples["ivar"], rtol=1e-12)
            assert np.allclose(told[number]["wavelength"], 10 ** samples["loglam"].astype(float), rtol=1e-15)
    (file,) = (tmp_path / "desi").iterdir()
    with fits.open(file) as hdus:
        for row, number in enumerate(hdus["FIBERMAP"].data["TARGETID"]):
            one = told[int(number)]
            waves = np.concatenate([hdus[f"{arm}_WAVELENGTH"].data for arm in "BRZ"])
            order = np.argsort(waves, kind="stable")
            assert np.array_equal(one["wavelength"], waves[order])
            for told_as, there in (("flux", "FLUX"), ("ivar", "IVAR"), ("mask", "MASK")):
                values = np.concatenate([hdus[f"{arm}_{there}"].data[row] for arm in "BRZ"])[order]
                assert np.allclose(one[told_as], values, rtol=1e-6), (number, told_as)
