"""Other archives' TAP services by the Data Lab's own client: ``set_profile`` (a second awe server is the other archive)."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from tests.systems.datalab import DataLabClient

from awe.platform import Platform
from awe.services.identity import Identity
from awe.testing import tiny_settings

pytestmark = pytest.mark.slow
Serving = Callable[..., AbstractContextManager[str]]


@pytest.fixture(scope="module")
def home(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Return an archive without tables that knows the tiny sky's server as ``far``, and a place where nobody listens."""
    tap = {
        "profiles": {
            "far": {"url": f"{server}/tap", "description": "The tiny sky"},
            "gone": {"url": "http://127.0.0.1:9/tap", "description": "Nobody"},
        }
    }
    made = tiny_settings(tmp_path_factory.mktemp("home"), tap=tap)
    with Platform.open(made) as opened:
        opened.accounts.add("ada", by="local:test", password="correct horse")
        yield opened


@pytest.fixture(scope="module")
def address(home: Platform, serving: Serving) -> Iterator[str]:
    with serving(home) as address:
        yield address


def jobs_of_ada(platform: Platform) -> set[str]:
    return {job.id for job in platform.jobs.jobs(Identity("ada"))}


def test_the_same_calls_ask_elsewhere(
    datalab_client: DataLabClient, address: str, server: str, home: Platform, platform: Platform
) -> None:
    before = jobs_of_ada(platform)
    said = datalab_client.run(
        address,
        """
        ac.login("ada", "correct horse")
        q = "SELECT TOP 5 id, ra, name FROM tiny.sources ORDER BY id"
        say(profiles=qc.list_profiles(), one=qc.list_profiles(profile="far"), services=qc.services(name="far"))
        say(here=error(qc.query, adql=q))
        qc.set_profile("far")
        say(active=qc.get_profile(), csv=qc.query(adql=q), sql=qc.query(sql=q, fmt="pandas")["id"].tolist())
        say(votable=qc.query(adql=q, fmt="votable")[:5], saved=qc.query(adql=q, fmt="fits", out="x.fits"))
        import astropy.table
        say(fits=astropy.table.Table.read("x.fits")["id"].tolist())
        say(job=qc.query(adql=q, async_=True, wait=True))
        number = qc.query(adql=q, async_=True, timeout=3600)
        say(wait=qc.wait(number, wait=0.2), results=qc.results(number), wrong_job=qc.query(adql="SELECT nix FROM tiny.sources", async_=True, wait=True))
        say(into=qc.query(adql=q, out="mydb://near"), taken=error(qc.query, adql=q, out="mydb://near"))
        say(drop=qc.query(adql=q, out="mydb://near", drop=True), late=qc.query(adql=q, out="mydb://later", async_=True, wait=True))
        say(mine=qc.mydb_list())
        say(file=qc.query(adql=q, out="vos://far.csv"), file_later=qc.query(adql=q, out="vos://later.csv", async_=True, wait=True))
        say(files=[sc.get("vos://far.csv"), sc.get("vos://later.csv")], file_taken=error(qc.query, adql=q, out="vos://far.csv"))
        say(wrong=error(qc.query, adql="SELECT nix FROM tiny.sources"), nonsense=error(qc.query, adql="SELEC"))
        say(gone=error(qc.query, adql=q, profile="gone"), unknown=error(qc.query, adql=q, profile="vizier"))
        qc.set_profile("default")
        say(back=qc.query(sql="select count(*) from mydb://near"), later=qc.query(sql="select id from mydb://later order by id"))
        say(schemas=qc.schema("", profile="far"), tables=qc.schema("tiny", profile="far"), columns=qc.schema("tiny.sources", profile="far"))
        say(column=qc.schema("tiny.sources.mag", profile="far"), none=qc.schema("nix", profile="far"), bad=qc.schema("o'; x", profile="far"))
        """,
    )
    expected = platform.catalogs.query("SELECT TOP 5 id, ra, name FROM tiny.sources ORDER BY id").to_table()
    lines = said["csv"].splitlines()
    assert lines[0] == "id,ra,name"
    assert [float(line.split(",")[1]) for line in lines[1:]] == expected["ra"].to_pylist()
    assert said["sql"] == said["fits"] == expected["id"].to_pylist()
    assert said["job"] == said["results"] == said["csv"]
    assert (said["votable"], said["saved"], said["wait"], said["active"]) == (
        "<?xml",
        "OK",
        "COMPLETED",
        "far",
    )
    assert "far" in said["profiles"]
    assert "The tiny sky" in said["profiles"]
    assert said["one"]["accessURL"] == f"{server}/tap"
    assert f"{server}" not in said["services"]
    assert "The tiny sky" in said["services"]
    assert said["here"].startswith("Error: ")
    assert (said["into"], said["drop"], said["late"]) == ("OK", "OK", "OK")
    assert "already exists" in said["taken"]
    assert (said["file"], said["file_later"], said["files"]) == ("OK", "OK", [said["csv"]] * 2)
    assert said["file_taken"].startswith("Error: ")
    assert set(said["mine"].split()) == {"later", "near"}
    assert said["back"] == "count\n5\n"
    assert said["later"].split() == ["id", *map(str, expected["id"].to_pylist())]
    assert said["wrong"].startswith("Error: far: ")
    assert said["wrong_job"].startswith("Error: far: ")
    for refused in ("wrong", "wrong_job"):
        assert "nix" in said[refused]
    assert said["nonsense"].startswith("Error: far: ")
    assert said["gone"].startswith("Error: gone does not answer properly")
    assert "there is no profile vizier" in said["unknown"]
    assert "tiny" in said["schemas"]
    assert "sources" in said["tables"]
    assert said["column"].count("mag") == 2
    assert "far has no schema nix" in said["none"]
    assert "far has no schema o'; x" in said["bad"]
    assert not list((home.settings.folder / "external").iterdir())
    asked = home.history.find(Identity("ada"))
    assert {one.context for one in asked if "TOP 5" in one.text and one.phase == "COMPLETED"} == {"far"}
    assert jobs_of_ada(platform) == before, "a job that was made for another archive is left there"
