"""astroquery's GaiaClass and TapPlus with a login, unmodified, against a real server that speaks TLS."""

import gc
import re
import socket
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import requests
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from pyvo.utils import prototype

from awe.platform import Platform
from awe.services.identity import GroupRole, GroupStore
from awe.testing import TINY_TABLE, tiny_archive

GUIDE = Path(__file__).parents[2] / "docs/howto/moving-from-gaia.md"
PLACE = SkyCoord(187.7059, 12.3911, unit="deg")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # astroquery leaves its connections open
]


@pytest.fixture(scope="module")
def astroquery_gaia() -> Any:
    """Return astroquery's module of the Gaia archive, which asks that archive for news when it is imported: it may not."""

    def nowhere(*_: object, **__: object) -> None:
        raise OSError("the tests use no network")

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what astroquery's import of its own modules warns of
        patch.setattr(socket, "create_connection", nowhere)
        import astroquery.gaia
    return astroquery.gaia


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    uploads = {"allow_networks": ["127.0.0.0/8"]}
    with tiny_archive(tmp_path_factory.mktemp("gaia"), uploads=uploads) as opened:
        for name in ("ada", "bob"):
            opened.accounts.add(name, by="local:test", password="correct horse")
        yield opened


@pytest.fixture(scope="module")
def secure_server(
    platform: Platform, certificates: Path, serving: Callable[..., AbstractContextManager[str]]
) -> Iterator[str]:
    """Return the address of the application behind a real server that speaks TLS."""
    options = {"ssl_certfile": certificates / "server.pem", "ssl_keyfile": certificates / "server.key"}
    with serving(platform, **options) as address:
        yield address.replace("http://127.0.0.1", "https://localhost")


@pytest.fixture
def gaia(
    astroquery_gaia: Any, secure_server: str, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """Return what makes a client of the Gaia archive; of nobody, or of somebody who has logged in."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))

    def made(name: str = "") -> Any:
        client = astroquery_gaia.GaiaClass(
            gaia_tap_server=f"{secure_server}/", gaia_data_server=f"{secure_server}/"
        )
        if name:
            client.login(user=name, password="correct horse")
            assert client._TapPlus__isLoggedIn
        return client

    yield made
    gc.collect()  # here, where what it leaves open is ignored


def test_a_wrong_password_is_no_login(gaia: Callable[..., Any]) -> None:
    client = gaia()
    client.login(user="ada", password="wrong")  # it logs the error, and goes on as nobody
    assert not client._TapPlus__isLoggedIn
    assert not client.list_async_jobs()


def test_tables_and_their_columns(gaia: Callable[..., Any]) -> None:
    client = gaia("ada")
    tables = {table.name: table for table in client.load_tables()}
    assert tables[TINY_TABLE].size_bytes > 0
    names = client.load_tables(only_names=True, include_shared_tables=True)
    assert {table.name for table in names} == set(tables)
    columns = {column.name: column for column in client.load_table(TINY_TABLE).columns}
    assert (columns["ra"].flags, columns["dec"].flags, columns["mag"].flags) == ("1", "2", "8")


@pytest.mark.parametrize("form", ["votable_gzip", "votable", "votable_plain", "csv", "ecsv", "json", "fits"])
def test_a_query_in_every_format(gaia: Callable[..., Any], form: str, tmp_path: Path) -> None:
    client = gaia("ada")
    query = f"SELECT TOP 7 id, ra, mag FROM {TINY_TABLE} ORDER BY id"
    for launch in (client.launch_job, client.launch_job_async):
        table = launch(query, output_format=form).get_results()
        assert list(table["id"]) == [1, 2, 3, 4, 5, 6, 7]


def test_a_query_into_a_file(gaia: Callable[..., Any], tmp_path: Path) -> None:
    client, query = gaia("ada"), f"SELECT TOP 7 id FROM {TINY_TABLE} ORDER BY id"
    for number, launch in enumerate((client.launch_job, client.launch_job_async)):
        file = tmp_path / f"{number}.vot.gz"
        launch(query, dump_to_file=True, output_file=str(file), output_format="votable_gzip")
        assert file.read_bytes()[:2] == b"\x1f\x8b"
        assert list(Table.read(file, format="votable")["id"]) == [1, 2, 3, 4, 5, 6, 7]


def test_cones_and_boxes(gaia: Callable[..., Any], platform: Platform) -> None:
    client = gaia("ada")
    client.MAIN_GAIA_TABLE, client.ROW_LIMIT = TINY_TABLE, -1
    rows = platform.catalogs.query(f"SELECT id, ra, dec FROM {TINY_TABLE}").to_table()
    ra, dec = (np.radians(rows[name].to_numpy()) for name in ("ra", "dec"))
    ra0, dec0 = np.radians(187.7059), np.radians(12.3911)
    cosine = np.sin(dec) * np.sin(dec0) + np.cos(dec) * np.cos(dec0) * np.cos(ra - ra0)
    near = rows["id"].to_numpy()[np.degrees(np.arccos(cosine)) < 0.05]
    assert len(near) > 3
    job = client.cone_search(PLACE, radius="0.05 deg")
    assert set(job.get_results()["id"]) == set(near)
    assert set(client.cone_search_async(PLACE, radius="0.05 deg").get_results()["id"]) == set(near)
    found = client.query_object(PLACE, width="0.1 deg", height="0.1 deg", columns=("id", "ra"))
    assert set(found["id"]) >= set(near)
    assert list(found["dist"]) == sorted(found["dist"])


def test_a_job_is_found_by_its_name_and_removed(gaia: Callable[..., Any]) -> None:
    client = gaia("ada")
    made = client.launch_job_async(f"SELECT TOP 3 id FROM {TINY_TABLE}", name="three", output_format="csv")
    again = gaia("ada").load_async_job(name="three")
    assert (again.jobid, again.name, again.ownerid) == (made.jobid, "three", "ada")
    assert again.parameters["query"] == f"SELECT TOP 3 id FROM {TINY_TABLE}"
    assert len(again.get_results()) == 3
    assert made.jobid in [job.jobid for job in client.list_async_jobs()]
    client.remove_jobs([made.jobid])
    assert made.jobid not in [job.jobid for job in client.list_async_jobs()]
    assert client.load_async_job(name="three") is None


def test_a_job_step_by_step(gaia: Callable[..., Any]) -> None:
    client = gaia("ada")
    job = client.launch_job_async("SELECT nix", autorun=False, background=True)
    job._phase = "PENDING"
    job.send_parameter(name="QUERY", value=f"SELECT TOP 2 id FROM {TINY_TABLE}")
    job.start()
    assert job.wait_for_job_end()[1] == "COMPLETED"
    assert len(job.get_results()) == 2
    other = client.launch_job_async("SELECT 1", autorun=False, background=True)
    other.abort()
    assert other.get_phase(update=True) == "ABORTED"


def test_a_failed_job_says_why(gaia: Callable[..., Any]) -> None:
    with pytest.raises(requests.HTTPError, match="no column nix"):
        gaia("ada").launch_job_async(f"SELECT nix FROM {TINY_TABLE}")


def test_groups(gaia: Callable[..., Any], platform: Platform) -> None:
    ada, bob = gaia("ada"), gaia("bob")
    ada.share_group_create(group_name="pleiades", description="Those of the cluster")
    with pytest.raises(ValueError, match="already exists"):
        ada.share_group_create(group_name="pleiades")
    ada.share_group_add_user(group_name="pleiades", user_id="bob")
    with pytest.raises(ValueError, match="not found"):
        ada.share_group_add_user(group_name="pleiades", user_id="nobody")
    (invitation,) = platform.groups.invitations(platform.identity.known("bob"))
    platform.groups.accept(platform.identity.known("bob"), invitation.id)
    assert [user.id for user in bob.load_group(group_name="pleiades").users] == ["ada", "bob"]
    ada.share_group_delete_user(group_name="pleiades", user_id="bob")
    assert bob.load_groups() == []
    ada.share_group_delete(group_name="pleiades")
    assert ada.load_group(group_name="pleiades") is None
    assert (ada.load_user("bob"), ada.load_user("nobody")) == (True, False)


@pytest.fixture
def stars() -> Table:
    """Return a table with 64-bit numbers that no double holds, text, and positions."""
    made = Table()
    made["number"] = np.array([2**62 + 1, 2**62 + 3, -5, 7], dtype=np.int64)
    made["ra"] = [10.0, 20.0, 359.99, 0.01]
    made["dec"] = [-80.0, 0.0, 45.0, 45.0]
    made["name"] = ["a", "b c", "d", "e"]
    made["flux"] = np.array([1.5, 2.5, 3.5, 4.5])
    return made


def _drop_all(client: Any) -> None:
    for table in client.load_tables(only_names=True):
        if table.name.startswith("user_"):
            client.delete_user_table(table_name=table.name)


def test_an_uploaded_table_comes_back(gaia: Callable[..., Any], stars: Table, tmp_path: Path) -> None:
    ada = gaia("ada")
    ada.upload_table(upload_resource=stars, table_name="mine", table_description="Four stars")
    table = ada.load_table("user_ada.mine")
    assert (table.name, table.description) == ("user_ada.mine", "Four stars")
    back = ada.launch_job("SELECT * FROM user_ada.mine ORDER BY mine_oid").get_results()
    assert back.colnames == [*stars.colnames, "mine_oid"]
    for name in stars.colnames:
        assert list(back[name]) == list(stars[name])
    assert list(back["mine_oid"]) == [1, 2, 3, 4]
    for form, ending in (("votable", ".vot"), ("csv", ".csv"), ("fits", ".fits"), ("ascii.ecsv", ".ecsv")):
        file = tmp_path / f"stars{ending}"
        stars.write(file, format=form)
        name = f"of_{form.replace('.', '_')}"
        ada.upload_table(upload_resource=str(file), table_name=name, format=form)
        found = ada.launch_job(f"SELECT number FROM user_ada.{name} ORDER BY {name}_oid").get_results()
        assert list(found["number"]) == list(stars["number"])
    with pytest.raises(requests.HTTPError, match="There is already an object named 'mine'"):
        ada.upload_table(upload_resource=stars, table_name="mine")
    _drop_all(ada)
    assert not [t for t in ada.load_tables(only_names=True) if t.name.startswith("user_")]
    with pytest.raises(requests.HTTPError, match="there is no table"):
        ada.delete_user_table(table_name="mine")
    ada.delete_user_table(table_name="mine", force_removal=True)


def test_a_table_of_a_job(gaia: Callable[..., Any]) -> None:
    ada = gaia("ada")
    query = f"SELECT TOP 5 id, ra, dec FROM {TINY_TABLE} ORDER BY id"
    for number, form in enumerate(("votable_gzip", "fits", "csv")):
        job = ada.launch_job_async(query, output_format=form)
        given = job if number else job.jobid
        ada.upload_table_from_job(job=given, table_name=f"of_job{number}")
        found = ada.launch_job(f"SELECT id FROM user_ada.of_job{number} ORDER BY id").get_results()
        assert list(found["id"]) == [1, 2, 3, 4, 5]
        assert ada.load_table(f"user_ada.of_job{number}").description == query
    _drop_all(ada)


def test_a_table_at_an_address(gaia: Callable[..., Any], stars: Table, tmp_path: Path) -> None:
    ada = gaia("ada")
    stars.write(tmp_path / "stars.vot", format="votable")
    there = partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), there) as site:
        Thread(target=site.serve_forever, daemon=True).start()
        ada.upload_table(
            upload_resource=f"http://127.0.0.1:{site.server_port}/stars.vot", table_name="fetched"
        )
        with pytest.raises(requests.HTTPError, match="404"):
            ada.upload_table(
                upload_resource=f"http://127.0.0.1:{site.server_port}/no.vot", table_name="other"
            )
        site.shutdown()
    found = ada.launch_job("SELECT number FROM user_ada.fetched ORDER BY fetched_oid").get_results()
    assert list(found["number"]) == list(stars["number"])
    with pytest.raises(requests.HTTPError, match="not a host of the public network"):
        ada.upload_table(upload_resource="http://10.0.0.1/stars.vot", table_name="other")
    _drop_all(ada)


def test_links_of_datasets(gaia: Callable[..., Any], secure_server: str) -> None:
    client = gaia()
    ids = list(
        client.launch_job("SELECT obs_publisher_did FROM ivoa.obscore").get_results()["obs_publisher_did"]
    )
    assert len(ids) == 2
    for asked in (ids[0], ids):
        found = client.get_datalinks(ids=asked)
        files = found[found["semantics"] == "#this"]
        assert sorted(files["ID"]) == sorted([asked] if isinstance(asked, str) else asked)
        assert all(url.startswith(secure_server) for url in files["access_url"])


def test_nobody_uploads_without_a_login(gaia: Callable[..., Any], stars: Table) -> None:
    with pytest.raises(requests.HTTPError, match="401"):
        gaia().upload_table(upload_resource=stars, table_name="mine")


def test_columns_are_what_they_are_told_to_be(gaia: Callable[..., Any], stars: Table) -> None:
    ada = gaia("ada")
    stars.rename_columns(["ra", "dec"], ["alpha", "delta"])
    ada.upload_table(upload_resource=stars, table_name="mine")

    def said() -> dict[str, tuple[str, str, str]]:
        columns = ada.load_table("user_ada.mine").columns
        return {column.name: (column.flags, column.flag or "", column.ucd or "") for column in columns}

    assert said()["alpha"][0] == "0"
    assert said()["mine_oid"][0] == "16"
    changes = [["alpha", "flags", "Ra"], ["delta", "flags", "Dec"], ["flux", "flags", "Flux"],
               ["name", "ucd", "meta.id"], ["number", "indexed", True]]  # fmt: skip
    ada.update_user_table(table_name="user_ada.mine", list_of_changes=changes)
    now = said()
    assert (now["alpha"][:2], now["delta"][:2]) == (("1", "indexed"), ("2", "indexed"))
    assert (now["flux"], now["name"], now["number"][1]) == (
        ("4", "", "phot.flux"),
        ("0", "", "meta.id"),
        "indexed",
    )
    assert now["mine_oid"][0] == "16"  # as it was
    cone = "SELECT number FROM user_ada.mine WHERE 1 = CONTAINS(POINT(alpha, delta), CIRCLE(0, 45, 0.1))"
    assert sorted(ada.launch_job(cone).get_results()["number"]) == [-5, 7]
    with pytest.raises(requests.HTTPError, match="name"):
        ada.set_ra_dec_columns(table_name="user_ada.mine", ra_column_name="name", dec_column_name="delta")
    ada.set_ra_dec_columns(table_name="user_ada.mine", ra_column_name="delta", dec_column_name="flux")
    assert said()["delta"][0] == "1"
    _drop_all(ada)


def test_other_names_for_a_table_and_its_columns(gaia: Callable[..., Any], stars: Table) -> None:
    ada = gaia("ada")
    ada.upload_table(upload_resource=stars, table_name="mine")
    names = {"ra": "alpha", "dec": "delta"}
    ada.rename_table(table_name="user_ada.mine", new_table_name="better", new_column_names_dict=names)
    columns = {column.name: column.flags for column in ada.load_table("user_ada.better").columns}
    assert (columns["alpha"], columns["delta"]) == ("1", "2")  # still searched by position
    ada.rename_table(table_name="user_ada.better", new_column_names_dict={"flux": "brightness"})
    ada.rename_table(table_name="user_ada.better", new_table_name="best")
    found = ada.launch_job("SELECT brightness FROM user_ada.best ORDER BY best.number").get_results()
    assert list(found["brightness"]) == [3.5, 4.5, 1.5, 2.5]
    with pytest.raises(requests.HTTPError, match="no column nix"):
        ada.rename_table(table_name="user_ada.best", new_column_names_dict={"nix": "x"})
    _drop_all(ada)


def test_a_table_is_shared_with_a_group(gaia: Callable[..., Any], platform: Platform, stars: Table) -> None:
    ada, bob = gaia("ada"), gaia("bob")
    groups = GroupStore(platform.system)
    groups.add("hyades", "Those of the Hyades", "ada")
    groups.put_member("hyades", "bob", GroupRole.MEMBER)
    ada.upload_table(upload_resource=stars, table_name="mine")
    query = "SELECT COUNT(*) AS n FROM user_ada.mine"
    with pytest.raises(requests.HTTPError, match="user_ada"):
        bob.launch_job(query)
    ada.share_table(group_name="hyades", table_name="user_ada.mine", description="Look")
    (item,) = ada.load_shared_items()
    (to,) = item.shared_to_items
    assert (item.title, to.id, to.type, to.mode) == ("user_ada.mine", "hyades", "Group", "Read")
    assert gaia("bob").launch_job(query).get_results()["n"][0] == 4
    listed = [table.name for table in bob.load_tables(only_names=True)]
    assert "user_ada.mine" not in listed
    listed = [table.name for table in bob.load_tables(only_names=True, include_shared_tables=True)]
    assert "user_ada.mine" in listed
    name = "user_ada.mine"
    forbidden: list[tuple[Callable[..., Any], dict[str, str]]] = [
        (bob.delete_user_table, {}),
        (bob.set_ra_dec_columns, {"ra_column_name": "ra", "dec_column_name": "dec"}),
        (bob.rename_table, {"new_table_name": "his"}),
        (bob.share_table, {"group_name": "hyades"}),
    ]
    for attempt, more in forbidden:
        with pytest.raises(requests.HTTPError, match="403"):
            attempt(table_name=name, **more)
    ada.share_table_stop(group_name="hyades", table_name="user_ada.mine")
    with pytest.raises(requests.HTTPError, match="user_ada"):
        bob.launch_job(query)
    _drop_all(ada)


def test_the_new_cross_match(gaia: Callable[..., Any], platform: Platform) -> None:
    ada = gaia("ada")
    near = (
        platform.catalogs.query(f"SELECT TOP 20 id, ra, dec FROM {TINY_TABLE} ORDER BY id")
        .to_table()
        .to_pandas()
    )
    mine = Table({"key": near["id"], "alpha": near["ra"], "delta": near["dec"] + 0.5 / 3600})
    ada.upload_table(upload_resource=mine, table_name="mine")
    job = ada.cross_match_basic(
        table_a_full_qualified_name="user_ada.mine", table_a_column_ra="alpha", table_a_column_dec="delta",
        table_b_full_qualified_name=TINY_TABLE, radius=1.0, results_name="match",
    )  # fmt: skip
    found = job.get_results()
    pairs = {(int(row["key"]), int(row["id"])): float(row["separation"]) for row in found}
    assert {(k, k) for k in near["id"]} <= set(pairs)
    assert all(value < 1.0 / 3600 for value in pairs.values())
    assert pairs[1, 1] == pytest.approx(0.5 / 3600, rel=1e-6)
    assert {c.name: c.flags for c in ada.load_table("user_ada.mine").columns}["alpha"] == "1"
    _drop_all(ada)


def test_the_old_cross_match(gaia: Callable[..., Any], platform: Platform) -> None:
    ada = gaia("ada")
    rows = platform.catalogs.query(f"SELECT id, ra, dec FROM {TINY_TABLE}").to_table().to_pandas()
    near = rows.iloc[:40]
    mine = Table({"alpha": near["ra"], "delta": near["dec"] + 1 / 3600, "name": near["id"].astype(str)})
    ada.upload_table(upload_resource=mine, table_name="mine")
    names = {"full_qualified_table_name_a": "user_ada.mine", "full_qualified_table_name_b": TINY_TABLE}
    with pytest.raises(requests.HTTPError, match="needs its position"):
        ada.cross_match(**names, results_table_name="pairs", radius=3.0)
    ada.set_ra_dec_columns(table_name="user_ada.mine", ra_column_name="alpha", dec_column_name="delta")
    job = ada.cross_match(**names, results_table_name="pairs", radius=3.0)
    assert job.get_phase() == "COMPLETED"
    found = ada.launch_job("SELECT * FROM user_ada.pairs").get_results()
    assert found.colnames == ["mine_mine_oid", "sources_id", "separation"]
    a, b = SkyCoord(mine["alpha"], mine["delta"], unit="deg"), SkyCoord(rows["ra"], rows["dec"], unit="deg")
    one, other, apart, _ = b.search_around_sky(a, 3 * u.arcsec)
    wanted = {
        (int(i) + 1, int(rows["id"][j])): float(d.deg) for i, j, d in zip(one, other, apart, strict=True)
    }
    got = {(int(row[0]), int(row[1])): float(row[2]) for row in found}
    assert len(wanted) >= 40
    assert got == pytest.approx(wanted, abs=1e-9)
    joined = ada.launch_job(
        f"SELECT c.separation * 3600 AS arcsec, a.name, b.mag FROM user_ada.mine AS a, {TINY_TABLE} AS b, user_ada.pairs AS c "
        "WHERE c.mine_mine_oid = a.mine_oid AND c.sources_id = b.id"
    )
    assert len(joined.get_results()) == len(wanted)
    with pytest.raises(requests.HTTPError, match="There is already an object named 'pairs'"):
        ada.cross_match(**names, results_table_name="pairs", radius=3.0)
    with pytest.raises(requests.HTTPError, match="run it as a job"):
        ada.launch_job("SELECT crossmatch_positional('user_ada','mine','tiny','sources',1.0,'x') FROM dual;")
    _drop_all(ada)


def test_the_guide(
    gaia: Callable[..., Any], secure_server: str, certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates / "ca.pem"))
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert len(blocks) == 5
    known: dict[str, Any] = {}
    for block in blocks:
        code = block.replace("https://archive.example.org", secure_server).replace("hsc.SumCat", TINY_TABLE)
        exec(compile(code, str(GUIDE), "exec"), known)
    assert len(known["job"].get_results().colnames) == 2
    prototype.features["cadc-tb-upload"].on = False
    _drop_all(known["gaia"])


def test_logging_out(gaia: Callable[..., Any]) -> None:
    client = gaia("ada")
    client.logout()
    with pytest.raises(requests.HTTPError, match="401"):
        client.load_groups()
