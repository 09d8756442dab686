"""astroquery's GaiaClass and TapPlus with a login, unmodified, against a real server that speaks TLS."""

import gc
import socket
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from astropy.coordinates import SkyCoord

from awe.platform import Platform
from awe.testing import TINY_TABLE, tiny_archive

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
    with tiny_archive(tmp_path_factory.mktemp("gaia")) as opened:
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
    from astropy.table import Table

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
    ada.share_group_create(group_name="cluster", description="Those of the cluster")
    with pytest.raises(ValueError, match="already exists"):
        ada.share_group_create(group_name="cluster")
    ada.share_group_add_user(group_name="cluster", user_id="bob")
    with pytest.raises(ValueError, match="not found"):
        ada.share_group_add_user(group_name="cluster", user_id="nobody")
    (invitation,) = platform.groups.invitations(platform.identity.known("bob"))
    platform.groups.accept(platform.identity.known("bob"), invitation.id)
    assert [user.id for user in bob.load_group(group_name="cluster").users] == ["ada", "bob"]
    ada.share_group_delete_user(group_name="cluster", user_id="bob")
    assert bob.load_groups() == []
    ada.share_group_delete(group_name="cluster")
    assert ada.load_group(group_name="cluster") is None
    assert (ada.load_user("bob"), ada.load_user("nobody")) == (True, False)


def test_logging_out(gaia: Callable[..., Any]) -> None:
    client = gaia("ada")
    client.logout()
    with pytest.raises(requests.HTTPError, match="401"):
        client.load_groups()
