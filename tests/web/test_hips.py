"""HiPS over HTTP: what Aladin asks for, from pages of other sites too, and nothing else of the disk."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from awe.core.science.hips_files import read_properties
from awe.platform import Platform

pytestmark = pytest.mark.slow

REQUIRED = {"creator_did", "hips_release_date", "hips_service_url", "hips_status"}
"""Of a record of the list (HiPS 1.0 section 5.2)."""


@pytest.fixture(scope="module")
def made(platform: Platform) -> Iterator[str]:
    name = platform.hips.make("tiny", order=4, workers=1).name
    yield name
    platform.hips.drop(name)


def test_the_list(web: TestClient, made: str) -> None:
    answer = web.get("/hipslist")
    assert answer.headers["access-control-allow-origin"] == "*"
    records = [read_properties(part) for part in answer.text.split("\n\n")]
    assert [record["hips_service_url"] for record in records] == [f"http://testserver/hips/{made}"]
    assert set(records[0]) >= REQUIRED


def test_files(web: TestClient, made: str, platform: Platform) -> None:
    tile = next(platform.hips.file(made, "properties").parent.glob("Norder4/Dir*/Npix*.png"))
    path = "/".join(tile.parts[-3:]).removesuffix(".png")
    for name, kind in {
        "properties": "text/plain; charset=utf-8",
        "Moc.fits": "application/fits",
        f"{path}.png": "image/png",
        f"{path}.fits": "application/fits",
        "Norder3/Allsky.png": "image/png",
    }.items():
        answer = web.get(f"/hips/{made}/{name}", headers={"Origin": "https://aladin.example"})
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.content
    assert read_properties(web.get(f"/hips/{made}/properties").text)["hips_order"] == "4"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "plan",
        "Norder4/Dir0/Npix0.png",
        "..%2f..%2fawe.db",
        "%2e%2e/%2e%2e/awe.db",
        ".versions/x",
        "Norder4/Dir0/Npix1.gif",
    ],
)
def test_nothing_else(web: TestClient, made: str, path: str) -> None:
    answer = web.get(f"/hips/{made}/{path}")
    assert answer.status_code == 404
    assert answer.headers.get("access-control-allow-origin") in {"*", None}
