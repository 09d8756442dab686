"""Coverage maps over HTTP: three formats, their negotiation, and the readers that people use."""

import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from mocpy import MOC
from starlette.testclient import TestClient

from awe.client import connect
from awe.core.sky import Moc, moc_from_fits
from awe.errors import NotFoundError
from awe.platform import Platform
from awe.testing import TINY_CENTRE, TINY_TABLE

RA, DEC = TINY_CENTRE


_READERS: dict[str, Callable[[bytes], Moc]] = {
    "application/fits": moc_from_fits,
    "application/json": Moc.from_json,
    "text/plain": lambda content: Moc.from_ascii(content.decode()),
}


@pytest.mark.parametrize(
    ("accept", "form", "kind"),
    [
        ("*/*", "", "application/fits"),
        ("application/fits", "", "application/fits"),
        ("application/json", "", "application/json"),
        ("text/plain;q=0.9, */*", "", "text/plain; charset=us-ascii"),
        ("application/json", "fits", "application/fits"),
        ("*/*", "application/json", "application/json"),
        ("*/*", "ASCII", "text/plain; charset=us-ascii"),
    ],
)
@pytest.mark.parametrize("path", [TINY_TABLE, "collection/tiny"])
def test_formats(web: TestClient, platform: Platform, path: str, accept: str, form: str, kind: str) -> None:
    answer = web.get(f"/moc/{path}", params={"format": form}, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    moc = _READERS[kind.partition(";")[0]](answer.content)
    expected = (
        platform.catalogs.coverage(TINY_TABLE)
        if path == TINY_TABLE
        else platform.observations.coverage("tiny")
    )
    assert moc == expected
    assert moc.contains(RA, DEC)


def test_what_is_not_there(web: TestClient) -> None:
    for path in ("/moc/tiny.source", "/moc/collection/tinny", "/moc/tap_schema.tables"):
        assert web.get(path).status_code == 404
    wrong = web.get(f"/moc/{TINY_TABLE}", params={"format": "png"})
    assert wrong.status_code == 400
    assert "ascii" in wrong.text
    assert "tiny" in web.get("/api/coverage", params={"of": "tinny"}).json()["error"]["hint"]


def test_the_api_says_how_much(web: TestClient) -> None:
    about = web.get("/api/coverage", params={"of": TINY_TABLE}).json()
    moc = MOC.from_fits(BytesIO(web.get(about["moc"], headers={"Accept": "*/*"}).content))
    assert about["sky_fraction"] == pytest.approx(moc.sky_fraction)
    assert about["order"] == moc.max_order == 10
    assert about["area_deg2"] == pytest.approx(41252.96 * moc.sky_fraction, rel=1e-6)
    assert about["around"]["radius_deg"] < 0.4
    images = web.get("/api/coverage", params={"of": "tiny"}).json()
    assert images["area_deg2"] == pytest.approx(48 * 64 * (0.5 / 3600) ** 2, rel=0.5)


@pytest.mark.slow
def test_the_client_gives_mocpys(server: str) -> None:
    with connect(server) as archive:
        rows = archive.query(f"SELECT ra, dec FROM {TINY_TABLE}")
        moc = archive.coverage(TINY_TABLE)
        assert isinstance(moc, MOC)
        assert moc.contains_lonlat(rows["ra"].quantity, rows["dec"].quantity).all()
        assert archive.coverage("tiny").sky_fraction < 1e-6
        with pytest.raises(NotFoundError):
            archive.coverage("nothing")


@pytest.mark.slow
def test_stilts_reads_it(server: str, stilts: str, tmp_path: Path) -> None:
    places = tmp_path / "places.csv"
    places.write_text(f"ra,dec\n{RA},{DEC}\n10,10\n")
    done = subprocess.run(
        [
            stilts, "tpipe", f"in={places}", "ifmt=csv", "ofmt=csv",
            f'cmd=addcol here "inMoc(\\"{server}/moc/{TINY_TABLE}\\", ra, dec)"',
        ],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert np.array([line.split(",")[2] for line in done.stdout.split()[1:]]).tolist() == ["true", "false"]
