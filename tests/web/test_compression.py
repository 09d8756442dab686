"""gzip both ways: answers for those who accept it, bodies from those who send it."""

import gzip
import io
import zlib
from urllib.parse import urlencode

import httpx
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from awe.platform import Platform
from awe.testing import TINY_TABLE, tiny_settings
from awe.web import build_app
from awe.web.http import takes_gzip

QUERY = {"LANG": "ADQL", "QUERY": f"SELECT * FROM {TINY_TABLE}"}
UPLOAD = {"LANG": "ADQL", "QUERY": "SELECT COUNT(*) AS n FROM TAP_UPLOAD.mine", "RESPONSEFORMAT": "csv"}
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP;q=0.5, br", True),
        ("x-gzip", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("identity", False),
        ("br, deflate", False),
        ("gzip;q=nan", False),
        ("gzip;q=x", False),
    ],
)
def test_who_accepts_gzip(header: str, wanted: bool) -> None:
    assert takes_gzip(header) is wanted


def sent(web: TestClient, path: str, encoding: str, **query: str) -> tuple[httpx.Headers, bytes]:
    with web.stream("GET", path, params=QUERY | query, headers={"Accept-Encoding": encoding}) as answer:
        assert answer.status_code == 200
        return answer.headers, b"".join(answer.iter_raw())


@pytest.mark.parametrize("form", ["votable", "votable/b2", "votable/fits", "csv", "json", "arrow"])
def test_an_answer_in_gzip_is_the_same_answer(web: TestClient, form: str) -> None:
    head, packed = sent(web, "/tap/sync", "gzip", RESPONSEFORMAT=form)
    assert head["Content-Encoding"] == "gzip"
    plain_head, plain = sent(web, "/tap/sync", "identity", RESPONSEFORMAT=form)
    assert "Content-Encoding" not in plain_head
    assert head["Vary"] == plain_head["Vary"] == "Accept-Encoding"
    assert head["Content-Type"] == plain_head["Content-Type"]
    assert len(packed) < 0.8 * len(plain)
    unpacked = gzip.decompress(packed)
    assert len(unpacked) == len(plain)
    if form in {"csv", "json", "arrow"}:  # the others say when they were made
        assert unpacked == plain


def test_what_is_compressed_already_is_sent_as_it_is(web: TestClient) -> None:
    head, body = sent(web, "/tap/sync", "gzip", RESPONSEFORMAT="parquet")
    assert "Content-Encoding" not in head
    assert pq.read_table(io.BytesIO(body)).num_rows > 0


def test_an_error_is_an_error_to_those_who_accept_gzip(web: TestClient) -> None:
    answer = web.get("/tap/sync", params=QUERY | {"QUERY": "DUFF"}, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 400
    assert 'value="ERROR"' in answer.text


def test_a_form_in_gzip(web: TestClient) -> None:
    form = QUERY | {"RESPONSEFORMAT": "csv"}
    plain = web.post("/tap/sync", data=form)
    packed = web.post("/tap/sync", content=gzip.compress(urlencode(form).encode()), headers=FORM)
    assert packed.status_code == 200
    assert packed.text == plain.text


def test_a_json_body_in_gzip(web: TestClient) -> None:
    body = gzip.compress(b'{"query": "SELECT COUNT(*) AS n FROM %s", "format": "csv"}' % TINY_TABLE.encode())
    head = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = web.post("/api/query", content=body, headers=head)
    assert (answer.status_code, answer.text.splitlines()[0]) == (200, "n")


def test_an_uploaded_file_may_be_packed(web: TestClient) -> None:
    table = gzip.compress(b"a,b\n1,2\n3,4\n")
    answer = web.post(
        "/tap/sync", data=UPLOAD | {"UPLOAD": "mine,param:t"}, files={"t": ("t.csv.gz", table, "text/csv")}
    )
    assert (answer.status_code, answer.text) == (200, "n\n2\n")


@pytest.mark.parametrize(
    ("body", "encoding", "reason"),
    [
        (b"QUERY=x", "gzip", "damaged"),
        (gzip.compress(b"QUERY=x&LANG=ADQL")[:-9], "gzip", "end early"),
        (zlib.compress(b"QUERY=x"), "br", "Content-Encoding: br is not read"),
    ],
    ids=["damaged", "cut", "unknown"],
)
def test_a_body_that_cannot_be_unpacked(web: TestClient, body: bytes, encoding: str, reason: str) -> None:
    answer = web.post("/tap/sync", content=body, headers=FORM | {"Content-Encoding": encoding})
    assert answer.status_code == 400
    assert reason in answer.text


def test_a_small_body_that_becomes_a_large_one(platform: Platform) -> None:
    small = tiny_settings(platform.settings.folder, limits={"upload_bytes": 100_000})

    class Other:
        def __getattr__(self, name: str) -> object:
            return small if name == "settings" else getattr(platform, name)

    body = gzip.compress(b"QUERY=" + b"x" * 10_000_000)
    assert len(body) < 100_000
    with TestClient(build_app(Other())) as web:  # type: ignore[arg-type]  # the platform with other settings
        answer = web.post("/tap/sync", content=body, headers=FORM)
    assert answer.status_code == 413
