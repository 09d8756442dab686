"""SPARCL's requests without its client: what is refused and how, JSON, and the pickle that is made piece by piece."""

import pickle
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

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
