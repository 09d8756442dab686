"""Tables opened in place: their HATS files over HTTP, for LSDB and whatever else reads them."""

import functools
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits
from starlette.testclient import TestClient

from awe.cli import main
from awe.client import connect
from awe.core.sky import separation
from awe.core.tables import Column, Schema, TableStream
from awe.errors import BusyError, ConflictError, NotFoundError
from awe.platform import Platform
from awe.services.catalogs import WriteSpec, _kept_margins, publishing
from awe.services.catalogs.margins import MARGINS, write_margin
from awe.testing import TINY_TABLE, log_in, tiny_archive, tiny_settings
from awe.web import build_app

STARS = "patch.stars"
CENTRE = (45.0, 0.0)
ROWS = 4000
HEADER = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 10.0, "CRVAL2": 20.0, "CRPIX1": 2.0, "CRPIX2": 2.0,
          "CDELT1": -1e-4, "CDELT2": 1e-4}  # fmt: skip


def sky_rows(seed: int, count: int, scatter_deg: float = 0.0) -> pa.Table:
    """Return positions around a corner of four large HEALPix cells, the same ones for each seed but for the scatter."""
    placed, moved = np.random.default_rng(7), np.random.default_rng(seed)
    ra, dec = CENTRE[0] + placed.uniform(-1, 1, count), CENTRE[1] + placed.uniform(-1, 1, count)
    return pa.table(
        {
            "id": np.arange(count),
            "ra": ra + moved.normal(0, 1, count) * scatter_deg,
            "dec": dec + moved.normal(0, 1, count) * scatter_deg,
            "mag": moved.uniform(15, 25, count).astype(np.float32),
        }
    )


def publish(platform: Platform, name: str, rows: pa.Table, **options: Any) -> None:
    schema = Schema(tuple(Column(field.name, field.type) for field in rows.schema), name)
    platform.catalogs.publish_stream(
        name, TableStream.from_table(rows, schema), ra="ra", dec="dec", **options
    )


@pytest.fixture(scope="module")
def patch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Return an archive with two tables of many partitions."""
    with pytest.MonkeyPatch.context() as patched, tiny_archive(tmp_path_factory.mktemp("patch")) as opened:
        patched.setattr(publishing, "WriteSpec", functools.partial(WriteSpec, rows_per_partition=300))
        publish(opened, STARS, sky_rows(1, ROWS))
        publish(opened, "patch.moved", sky_rows(2, ROWS, 1 / 3600))
        yield opened


@pytest.fixture(scope="module")
def address(patch: Platform, serving: Any) -> Iterator[str]:
    with serving(patch) as url:
        yield url


@pytest.fixture(scope="module")
def here(patch: Platform) -> Iterator[TestClient]:
    with TestClient(build_app(patch), raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def test_files_are_those_that_were_written(here: TestClient, patch: Platform) -> None:
    root = patch.catalogs.hats(STARS).root
    answer = here.get(f"/hats/{STARS}/dataset/_metadata")
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    assert answer.content == (root / "dataset/_metadata").read_bytes()
    assert here.get(f"/hats/{STARS}/hats.properties").text == (root / "hats.properties").read_text()
    assert here.head(f"/hats/{STARS}/partition_info.csv").headers["content-length"] == str(
        (root / "partition_info.csv").stat().st_size
    )


def test_a_range_is_only_that(here: TestClient, patch: Platform) -> None:
    file = next(patch.catalogs.hats(STARS).root.rglob("Npix=*.parquet"))
    inner = file.relative_to(patch.catalogs.hats(STARS).root).as_posix()
    answer = here.get(f"/hats/{STARS}/{inner}", headers={"Range": "bytes=4-19"})
    assert (answer.status_code, answer.content) == (206, file.read_bytes()[4:20])
    assert answer.headers["content-range"] == f"bytes 4-19/{file.stat().st_size}"
    assert here.get(f"/hats/{STARS}/{inner}", headers={"Range": "bytes=99999999-"}).status_code == 416


def test_folders_list_what_is_in_them(here: TestClient, patch: Platform) -> None:
    name = patch.catalogs.hats(STARS).name
    moved = here.get(f"/hats/{name}")
    assert (moved.status_code, moved.headers["location"]) == (307, f"http://testserver/hats/{name}/")
    seen: set[str] = set()
    folders = [""]
    while folders:
        folder = folders.pop()
        page = here.get(f"/hats/{name}/{folder}")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        for link in page.text.split('href="')[1:]:
            inner = folder + link.partition('"')[0]
            (folders.append if inner.endswith("/") else seen.add)(inner)
    root = patch.catalogs.hats(STARS).root
    assert seen == {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "path",
    ["nothing", "../awe.db", "%2e%2e/awe.db", "dataset/%2e%2e/hats.properties", "dataset/Norder=0/Dir=0/Npix=0.parquet",
     "dataset/nothing/", "dataset//_metadata", ".."],
)  # fmt: skip
def test_nothing_else_is_given(here: TestClient, path: str) -> None:
    answer = here.get(f"/hats/{STARS}/{path}")
    assert answer.status_code == 404
    assert "awe" not in answer.headers.get("content-type", "")


def test_what_has_no_such_files_says_so(here: TestClient) -> None:
    for table, said in (
        ("ivoa.obsplan", "computed"),
        ("tap_schema.tables", "computed"),
        ("no.table", "no table"),
    ):
        for answer in (here.get(f"/hats/{table}/properties"), here.get(f"/api/tables/{table}/files")):
            assert answer.status_code == 404
            assert said in answer.text
            assert "Traceback" not in answer.text


def test_rows_that_are_granted_one_by_one_are_in_no_file(tmp_path: Path) -> None:
    closed = tmp_path / "closed.toml"
    closed.write_text('[collection]\nreaders = ["ann"]\n')
    with tiny_archive(tmp_path / "sky") as platform, TestClient(build_app(platform)) as web:
        assert web.get("/hats/ivoa.obscore/dataset/_metadata").status_code == 200
        platform.accounts.add("ann", by="local:test", password="correct horse")
        images = tmp_path / "images"
        images.mkdir()
        fits.PrimaryHDU(np.zeros((4, 4), np.float32), fits.Header(HEADER)).writeto(images / "behind.fits")
        platform.observations.publish("behind", images, describe=closed)
        answer = web.get("/hats/ivoa.obscore/dataset/_metadata")
        assert answer.status_code == 403
        assert "row by row" in answer.text
        assert "query" in answer.json()["error"]["hint"]


def test_a_file_is_sent_once_while_it_is_the_same(here: TestClient, patch: Platform) -> None:
    pinned, current = f"/hats/{patch.catalogs.hats(STARS).name}/properties", f"/hats/{STARS}/properties"
    assert here.get(pinned).headers["cache-control"] == "public, max-age=86400"
    first = here.get(current)
    assert first.headers["cache-control"] == "public, no-cache"
    again = here.get(current, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert here.get(current, headers={"If-None-Match": '"other"'}).status_code == 200


def test_half_of_two_versions_is_never_read(tmp_path: Path) -> None:
    with tiny_archive(tmp_path) as platform, TestClient(build_app(platform)) as web:
        before = platform.catalogs.hats(TINY_TABLE).name
        tag = web.get(f"/hats/{TINY_TABLE}/properties").headers["etag"]
        assert web.get(f"/hats/{before}/properties").status_code == 200
        rows = platform.catalogs.query(f"SELECT * FROM {TINY_TABLE}")
        platform.catalogs.publish_stream(TINY_TABLE, rows, ra="ra", dec="dec", replace=True)
        answer = web.get(f"/hats/{before}/properties")
        assert answer.status_code == ConflictError.status
        assert answer.json()["error"]["hint"] == "open it again"
        now = web.get(f"/hats/{TINY_TABLE}/properties", headers={"If-None-Match": tag})
        assert now.status_code == 200


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what the peer's own dependencies deprecate is not our matter
def test_lsdb_opens_a_public_table_by_its_address(address: str) -> None:
    import lsdb

    opened = lsdb.open_catalog(f"{address}/hats/{STARS}")  # type: ignore[attr-defined]
    rows = sky_rows(1, ROWS)
    assert len(opened) == ROWS
    assert opened.npartitions > 4
    found = opened.cone_search(ra=CENTRE[0], dec=CENTRE[1], radius_arcsec=1800).compute()
    inside = separation(rows["ra"].to_numpy(), rows["dec"].to_numpy(), *CENTRE) <= 0.5
    assert sorted(found["id"]) == rows["id"].to_numpy()[inside].tolist()
    assert sorted(opened[["id"]].compute()["id"]) == rows["id"].to_pylist()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_client_opens_tables_where_they_are(address: str, patch: Platform) -> None:
    with connect(address) as archive:
        for tells in (True, False):  # by path, and in ranges over HTTP
            object.__setattr__(patch.settings, "share_paths", tells)
            opened = archive.lsdb(STARS, columns=["id", "mag"])
            assert ("http" in str(opened.hc_structure.catalog_base_dir)) is not tells
            bright = opened.query("mag < 16").compute()
            wanted = archive.query(f"SELECT id FROM {STARS} WHERE mag < 16")
            assert sorted(bright["id"]) == sorted(wanted["id"])
        with pytest.raises(NotFoundError, match="computed"):
            archive.lsdb("tap_schema.tables")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_own_tables_are_opened_in_their_owners_name(address: str, patch: Platform) -> None:
    import lsdb

    patch.accounts.add("ada", by="local:test", password="correct horse")
    patch.accounts.add("eve", by="local:test", password="correct horse")
    object.__setattr__(patch.settings, "share_paths", False)
    rows = sky_rows(3, 500)
    with connect(address) as archive, connect(address) as other:
        archive.login("ada", "correct horse")
        other.login("eve", "correct horse")
        archive.tables.load(rows, "mydb.mine", ra="ra", dec="dec")
        opened = archive.lsdb("mydb.mine")
        assert sorted(opened.compute()["id"]) == rows["id"].to_pylist()
        place = archive.transport.get_json("/api/tables/mydb.mine/files")["hats"]  # type: ignore[index]
        with pytest.raises(NotFoundError):
            other.lsdb("user_ada.mine")
        with pytest.raises(FileNotFoundError):
            lsdb.open_catalog(place)  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("tells", [True, False])
def test_a_cross_match_by_lsdb_finds_the_pairs_that_ours_finds(
    address: str, patch: Platform, tells: bool
) -> None:
    object.__setattr__(patch.settings, "share_paths", tells)
    with connect(address) as archive:
        left, right = (
            archive.lsdb("patch.moved", columns=["id"]),
            archive.lsdb(STARS, columns=["id"], margin=True),
        )
        pairs = left.crossmatch(right, radius_arcsec=4.9, n_neighbors=5, suffixes=("_a", "_b")).compute()
        ours = archive.query(
            f"SELECT a.id AS a, b.id AS b FROM patch.moved AS a JOIN {STARS} AS b "
            f"ON DISTANCE(a.ra, a.dec, b.ra, b.dec) <= {4.9 / 3600}"
        )
        assert len(ours) > 0.9 * ROWS
        assert set(zip(pairs["id_a"], pairs["id_b"], strict=True)) == set(
            zip(ours["a"], ours["b"], strict=True)
        )
        without = left.crossmatch(
            archive.lsdb(STARS, columns=["id"]), radius_arcsec=4.9, n_neighbors=5
        ).compute()
        assert len(without) < len(ours)  # there are pairs across borders here


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_an_archive_in_this_process_is_opened_by_its_files(tmp_path: Path) -> None:
    tiny_archive(tmp_path).close()
    with connect(tmp_path) as archive:
        opened = archive.lsdb(TINY_TABLE, columns=["id"], margin=True)
        assert sorted(opened.compute()["id"]) == list(range(1, 501))
        assert opened.margin is not None


def test_margins_are_made_once_and_go_with_their_table(tmp_path: Path) -> None:
    with tiny_archive(tmp_path) as platform, TestClient(build_app(platform)) as web:
        assert web.get(f"/api/tables/{TINY_TABLE}/files").json()["margin"] is None
        told = web.get(f"/api/tables/{TINY_TABLE}/files", params={"margin": True}).json()
        made = Path(told["margin_path"])
        first = web.get(f"{told['margin']}/hats.properties")
        assert "hats_margin_threshold=5.0" in first.text
        before = made.stat().st_mtime_ns
        assert web.get(f"/hats/{TINY_TABLE}/margin/partition_info.csv").text.startswith("Norder,Npix")
        assert made.stat().st_mtime_ns == before
        platform.catalogs.drop(TINY_TABLE)
        platform.catalogs.clean(0)
        assert not made.exists()


def test_nobody_waits_long_for_margins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks first sets their writing off, which goes on without them; where it fails it begins anew."""
    begin, written = threading.Event(), 0

    def slowly(*given: Any) -> int:
        nonlocal written
        begin.wait(20)
        written += 1
        if written == 1:
            raise OSError("the disk is full")
        return write_margin(*given)

    monkeypatch.setattr(_kept_margins, "write_margin", slowly)
    monkeypatch.setattr(_kept_margins, "_PATIENCE_S", 0.05)
    with (
        tiny_archive(tmp_path) as platform,
        TestClient(build_app(platform), raise_server_exceptions=False) as web,
    ):
        place = f"/hats/{TINY_TABLE}/margin/hats.properties"
        for _ in range(3):
            answer = web.get(place)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
            assert "being written" in answer.text
        begin.set()
        monkeypatch.setattr(_kept_margins, "_PATIENCE_S", 20.0)
        assert web.get(place).status_code in {
            200,
            500,
        }  # 500: of the writing that fails, if it is still begun
        assert web.get(place).status_code == 200
        assert written == 2


def test_writing_margins_ends_with_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    def forever(*given: Any) -> int:
        begun.set()
        while True:
            time.sleep(0.01)
            given[-1]("margins", 0, None)

    monkeypatch.setattr(_kept_margins, "write_margin", forever)
    monkeypatch.setattr(_kept_margins, "_PATIENCE_S", 0.05)
    with tiny_archive(tmp_path) as platform:
        root = platform.catalogs.hats(TINY_TABLE).root
        with pytest.raises(BusyError):
            platform.catalogs.hats(TINY_TABLE, margin=True)
        assert begun.wait(20)
    assert not list((root.with_name(MARGINS) / root.name).glob("*"))


def test_margins_made_beforehand_are_those_that_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_archive(tmp_path).close()
    for _ in range(2):
        monkeypatch.setattr(sys, "argv", ["awe", "publish", "margins", TINY_TABLE, "--data", str(tmp_path)])
        main()
        assert f"{TINY_TABLE}: " in capsys.readouterr().out
    with Platform.open(tiny_settings(tmp_path)) as platform:
        monkeypatch.setattr(_kept_margins, "write_margin", None)
        assert platform.catalogs.hats(TINY_TABLE, margin=True).file("hats.properties").is_file()


@pytest.mark.parametrize(
    ("files", "margin", "whole"), [({"serve": False}, 403, 403), ({"margin_arcsec": 0}, 404, 200)]
)
def test_the_operator_decides(tmp_path: Path, files: dict[str, Any], margin: int, whole: int) -> None:
    with tiny_archive(tmp_path, files=files) as platform, TestClient(build_app(platform)) as web:
        assert web.get(f"/hats/{TINY_TABLE}/properties").status_code == whole
        assert web.get(f"/hats/{TINY_TABLE}/margin/properties").status_code == margin


def test_what_is_fetched_is_counted_and_limited(tmp_path: Path) -> None:
    """Whole files and ranges, by who asks; what a listing or an unchanged file takes is nothing."""
    with tiny_archive(tmp_path / "sky") as platform, TestClient(build_app(platform)) as web:
        platform.accounts.add("ann", by="local:test", password="correct horse")
        ann = {"X-Auth-Token": log_in(platform, "ann")}
        place = f"/hats/{TINY_TABLE}"
        whole = web.get(f"{place}/dataset/_metadata", headers=ann)
        part = web.get(f"{place}/dataset/_metadata", headers=ann | {"Range": "bytes=10-29"})
        assert (whole.status_code, part.status_code, len(part.content)) == (200, 206, 20)
        web.get(f"{place}/", headers=ann)
        web.head(f"{place}/dataset/_metadata", headers=ann)
        tag = {"If-None-Match": whole.headers["etag"]}
        assert web.get(f"{place}/dataset/_metadata", headers=ann | tag).status_code == 304
        size = len(whole.content) + 20

        def told() -> dict[str, Any]:
            usage = web.get("/api/me/usage", headers=ann).json()["usage"]
            return next(one for one in usage if one["measure"] == "file_bytes_per_day")

        assert (told()["used"], told()["limit"]) == (size, None)
        platform.quotas.set("user:ann", "file_bytes_per_day", size + 1, by="test")
        assert web.get(f"{place}/properties", headers=ann).status_code == 200
        refused = web.get(f"{place}/properties", headers=ann)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        assert "bytes of files of tables in a day" in refused.text
        assert told()["used"] > size + 1
        assert web.get(f"{place}/properties").status_code == 200, (
            "who asks without an account is somebody else"
        )
