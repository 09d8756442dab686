"""SciServer's own library, unmodified, against a real server: where it is, since no package index has it."""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table
from tests.web.skies import RELEASE, TinyRelease, publish_release

from awe.platform import Platform
from awe.testing import TINY_CENTRE, tiny_archive
from awe.web.compat.sciserver._account import wsid_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # it leaves its connections open
]
PASSWORD = "correct horse"
RA, DEC = TINY_CENTRE


@pytest.fixture(scope="module")
def here(
    tmp_path_factory: pytest.TempPathFactory, serving: Callable[[Platform], AbstractContextManager[str]]
) -> Iterator[tuple[Any, TinyRelease]]:
    sciserver = pytest.importorskip("SciServer", reason="SciServer's library is on no package index")
    for module in ("Authentication", "CasJobs", "SkyServer"):
        import_module(f"SciServer.{module}")
    config: Any = import_module("SciServer.Config")
    folder = tmp_path_factory.mktemp("sciserver")
    with tiny_archive(folder) as platform:
        release = publish_release(platform, folder)
        platform.accounts.add("ada", by="local:test", password=PASSWORD)
        with serving(platform) as address:
            config.CasJobsRESTUri = f"{address}/CasJobs/RestApi"
            config.AuthenticationURL = f"{address}/login-portal/keystone/v3/tokens"
            config.SkyServerWSurl = address
            config.DataRelease = RELEASE
            yield sciserver, release


@pytest.fixture(scope="module")
def client(here: tuple[Any, TinyRelease]) -> Any:
    here[0].Authentication.login("ada", PASSWORD)
    return here[0]


@pytest.fixture
def release(here: tuple[Any, TinyRelease]) -> TinyRelease:
    return here[1]


def test_authentication(client: Any) -> None:
    token = client.Authentication.getToken()
    user = client.Authentication.getKeystoneUserWithToken(token)
    assert (user.userName, user.id) == ("ada", "ada")
    with pytest.raises(Exception, match="401"):
        client.Authentication.login("ada", "nonsense")
    client.Authentication.setToken(token)
    assert client.CasJobs.getSchemaName() == f"wsid_{wsid_of('ada')}"


def test_queries_in_every_format(client: Any, tmp_path: Path) -> None:
    jobs, sql = client.CasJobs, "select 4 as Column1, 5 as Column2"
    assert jobs.executeQuery(sql).to_dict("list") == {"Column1": [4], "Column2": [5]}
    assert jobs.executeQuery(sql, format="csv") == "Column1,Column2\n4,5\n"
    assert jobs.executeQuery(sql, format="dict")["Result"][0]["Data"] == [[4, 5]]
    assert '"Columns": ["Column1", "Column2"]' in jobs.executeQuery(sql, format="json")
    for form in ("readable", "StringIO"):
        assert jobs.executeQuery(sql, format=form).read() == "Column1,Column2\n4,5\n"
    for form in ("fits", "BytesIO"):
        content = jobs.executeQuery(sql, format=form).read()
        assert Table.read(io.BytesIO(content), format="fits")["Column2"][0] == 5
    assert jobs.getPandasDataFrameFromQuery(sql).shape == (1, 2)
    assert jobs.writeFitsFileFromQuery(str(tmp_path / "x.fits"), sql)
    assert Table.read(tmp_path / "x.fits")["Column1"][0] == 4
    first, second = jobs.executeQuery("select 1 as one\nselect 2 as two")
    assert (first["one"][0], second["two"][0]) == (1, 2)
    with pytest.raises(Exception, match=r"(?s)400.*nothing"):
        jobs.executeQuery("select nothing from PhotoObj", RELEASE)


def test_tables_and_jobs(client: Any) -> None:
    jobs = client.CasJobs
    number = jobs.submitJob("select objID, r into mydb.bright from PhotoObj where r < 17", RELEASE)
    told = jobs.waitForJob(number, verbose=True)
    assert (told["Status"], told["JobID"]) == (5, number)
    assert number in [job["JobID"] for job in jobs.getJobStatus("")]
    own = pd.DataFrame({"id": [1, 2**62 + 1], "word": ["a b", "c, d"]})
    jobs.uploadPandasDataFrameToTable(own, "own")
    jobs.uploadCSVDataToTable("a,b\n1,2\n", "more")
    names = {table["Name"] for table in jobs.getTables("MyDB")}
    assert {"bright", "own", "more"} <= names
    back = jobs.executeQuery("select * from own order by id")
    assert back.to_dict("list") == own.to_dict("list")
    assert jobs.executeQuery("drop table own\ndrop table more\ndrop table bright").empty
    number = jobs.submitJob(
        "select count(*) from PhotoObj a, PhotoObj b, PhotoObj c, PhotoObj d where a.r+b.r>c.r", RELEASE
    )
    assert jobs.cancelJob(number) is True
    assert jobs.waitForJob(number)["Status"] == 3


def test_skyserver(client: Any, release: TinyRelease) -> None:
    sky = client.SkyServer
    found = sky.sqlSearch(
        "select top 3 objID, run+1 as more from PhotoObj where type=3 or type=6 order by objID"
    )
    assert list(found["objID"]) == list(release.photo["objID"][:3])
    assert len(sky.radialSearch(RA, DEC, radius=3)) == 10
    assert len(sky.rectangularSearch(RA - 0.05, RA + 0.05, DEC - 0.05, DEC + 0.05, limit="0")) > 50
    told = sky.objectSearch(objId=int(release.photo["objID"][10]))
    (imaging,) = [table for table in told if table["TableName"] == "ImagingData"]
    assert imaging["Rows"][0]["id"] == release.photo["objID"][10]
    image = sky.getJpegImgCutout(
        RA,
        DEC,
        scale=0.4,
        width=200,
        height=100,
        opt="GLPS",
        query="SELECT objID, ra, dec FROM PhotoObj WHERE r<18",
    )
    assert image.shape == (100, 200, 3)
    assert image.dtype == np.uint8
    with pytest.raises(Exception, match="404"):
        sky.getJpegImgCutout(10.0, 10.0)
