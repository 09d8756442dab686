"""Tables that come with a query, through /tap/sync."""

import io
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io.votable import parse_single_table
from astropy.table import Table
from starlette.testclient import TestClient

from awe.core.vo import dali
from awe.platform import Platform
from awe.testing import TINY_TABLE

MINE = Table(
    {
        "id": np.array([3, 5, 2**53 + 1]),
        "size of it": np.array([1.5, np.nan, -np.inf]),
        "name": np.array(["a", "β & <c>", ""]),
    }
)


def votable(table: Table, serialization: str = "tabledata") -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # astropy's writer makes an ID of a name with blanks, and says so
        table.write(out, format="votable", tabledata_format=serialization)
    return out.getvalue()


def ask(web: TestClient, query: str, files: dict[str, bytes], upload: str | list[str]) -> Any:
    data = {"LANG": "ADQL", "QUERY": query, "UPLOAD": upload}
    return web.post("/tap/sync", data=data, files={k: (k, v) for k, v in files.items()})


def read(answer: Any) -> Table:
    assert answer.status_code == 200, answer.text
    return parse_single_table(io.BytesIO(answer.content)).to_table(use_names_over_ids=True)


@pytest.mark.parametrize("serialization", ["tabledata", "binary", "binary2"])
def test_an_upload_comes_back(web: TestClient, serialization: str) -> None:
    sent = votable(MINE, serialization)
    back = read(ask(web, "SELECT * FROM TAP_UPLOAD.mine", {"part": sent}, "mine,param:part"))
    assert back.colnames == MINE.colnames
    assert list(back["id"]) == list(MINE["id"])
    assert np.array_equal(np.ma.filled(back["size of it"], np.nan), MINE["size of it"], equal_nan=True)


def test_an_upload_is_joined_with_what_is_published(web: TestClient) -> None:
    query = (
        f'SELECT s.id, u."size of it" FROM {TINY_TABLE} AS s JOIN tap_upload.Mine AS u ON u.id = s.id'
        " ORDER BY s.id"
    )
    found = read(ask(web, query, {"x": votable(MINE)}, "MINE,param:x"))
    assert list(found["id"]) == [3, 5]


def test_positions_of_an_upload_are_matched(web: TestClient, platform: Platform) -> None:
    rows = platform.catalogs.query(f"SELECT TOP 20 id, ra, dec FROM {TINY_TABLE} ORDER BY id").to_table()
    mine = Table(
        {"n": rows["id"].to_numpy(), "ra": rows["ra"].to_numpy() + 1e-6, "dec": rows["dec"].to_numpy()}
    )
    query = (
        f"SELECT u.n, s.id FROM TAP_UPLOAD.u AS u JOIN {TINY_TABLE} AS s"
        " ON DISTANCE(u.ra, u.dec, s.ra, s.dec) < 0.00001 ORDER BY u.n"
    )
    found = read(ask(web, query, {"x": votable(mine)}, "u,param:x"))
    assert list(found["n"]) == list(found["id"]) == list(range(1, 21))


def test_several_uploads_in_one_parameter_or_in_several(web: TestClient) -> None:
    files = {"x": votable(MINE), "y": votable(MINE[:1])}
    query = "SELECT COUNT(*) AS n FROM TAP_UPLOAD.a, TAP_UPLOAD.b"
    for upload in ("a,param:x;b,param:y", ["a,param:x", "b,param:y"]):
        assert read(ask(web, query, files, upload))["n"][0] == 3


@pytest.mark.parametrize(
    ("upload", "told"),
    [
        ("mine", "not a name and a place"),
        ("mine,", "not a name and a place"),
        ("mine,param:nix", "no such part came with the request.*parts: x"),
        ("a,param:x;A,param:x", "stands for two tables"),
        ("select,param:x", "not the name of a table"),
        ("../a,param:x", "not the name of a table"),
        ("a,file:///etc/passwd", "only http and https"),
        ("a,http://127.0.0.1:8000/x", "not a host of the public network"),
        (";".join(f"t{i},param:x" for i in range(21)), "may bring 20 tables"),
    ],
)
def test_uploads_that_are_none(web: TestClient, upload: str, told: str) -> None:
    answer = ask(web, "SELECT 1 AS one", {"x": votable(MINE[:1])}, upload)
    assert answer.status_code in {400, 413}
    assert 'value="ERROR"' in answer.text
    assert re.search(told, answer.text, re.DOTALL)


def test_every_format_is_read_by_content_ending_or_media_type(web: TestClient, tmp_path: Path) -> None:
    table = MINE["id", "size of it"]
    for name, form in (
        ("t.fits", "fits"),
        ("t.csv", "csv"),
        ("t.parquet", "parquet"),
        ("t.ecsv", "ascii.ecsv"),
    ):
        table.write(tmp_path / name, format=form)
        data = {"QUERY": "SELECT id FROM TAP_UPLOAD.t", "UPLOAD": "t,param:t"}
        sent = (name, (tmp_path / name).read_bytes())
        assert list(read(web.post("/tap/sync", data=data, files={"t": sent}))["id"]) == list(MINE["id"])
    typed = ("download", (tmp_path / "t.csv").read_bytes(), "text/csv")
    assert list(read(web.post("/tap/sync", data=data, files={"t": typed}))["id"]) == list(MINE["id"])


def test_a_part_without_a_file_name_is_a_table_too(web: TestClient) -> None:
    data = {
        "QUERY": "SELECT id FROM TAP_UPLOAD.t",
        "UPLOAD": "t,param:t",
        "T": "no",
        "t": votable(MINE).decode(),
    }
    assert list(read(web.post("/tap/sync", data=data, files={"none": b""}))["id"]) == list(MINE["id"])


def test_an_address_may_hold_what_separates_uploads() -> None:
    given = "a,http://x.org/q?b=1;c=2,3;d,param:e;"
    assert dali.UPLOAD.read(given) == (("a", "http://x.org/q?b=1;c=2,3"), ("d", "param:e"))


def test_a_file_that_is_no_table_is_named(web: TestClient) -> None:
    answer = ask(web, "SELECT * FROM TAP_UPLOAD.bad", {"x": b"<VOTABLE><RESOURCE>"}, "bad,param:x")
    assert answer.status_code == 400
    assert "bad" in answer.text


def test_nobody_else_sees_an_upload_and_nothing_is_left(web: TestClient, platform: Platform) -> None:
    before = sorted(p.name for p in Path(platform.settings.folder, "tables").iterdir())
    read(ask(web, "SELECT * FROM TAP_UPLOAD.t", {"x": votable(MINE)}, "t,param:x"))
    assert ask(web, "SELECT nix FROM TAP_UPLOAD.t", {"x": votable(MINE)}, "t,param:x").status_code == 400
    after = web.get("/tap/sync", params={"LANG": "ADQL", "QUERY": "SELECT * FROM TAP_UPLOAD.t"})
    assert after.status_code == 400
    assert "TAP_UPLOAD.t" in after.text
    assert sorted(p.name for p in Path(platform.settings.folder, "tables").iterdir()) == before


def test_the_ways_of_uploading_are_declared(web: TestClient) -> None:
    said = web.get("/tap/capabilities").text
    for method in ("inline", "http", "https"):
        assert f"TAPRegExt#upload-{method}" in said
    assert "<uploadLimit>" in said
