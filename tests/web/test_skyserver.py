"""SkyServer's searches, with the very requests that SciServer's client sends, against numpy."""

import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table
from PIL import Image
from starlette.testclient import TestClient
from tests.web.skies import RELEASE, TinyRelease, publish_release

from awe.testing import TINY_CENTRE, tiny_archive
from awe.web import build_app
from awe.web.compat.sciserver._address import split
from awe.web.compat.sciserver._paths import in_order

pytestmark = pytest.mark.slow

RA, DEC = TINY_CENTRE
HEADERS = {"Content-Type": "application/json", "Accept": "text/plain"}
OPTICAL = [
    "objID", "run", "rerun", "camcol", "field", "obj", "type", "ra", "dec",
    *"ugriz", *(f"Err_{band}" for band in "ugriz"),
]  # fmt: skip


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, TinyRelease]]:
    folder = tmp_path_factory.mktemp("release")
    with tiny_archive(folder) as platform:
        release = publish_release(platform, folder)
        platform.accounts.add("ada", by="local:test", password="correct horse")
        with TestClient(build_app(platform), raise_server_exceptions=False, follow_redirects=False) as web:
            yield web, release


@pytest.fixture(scope="module")
def web(sky: tuple[TestClient, TinyRelease]) -> TestClient:
    return sky[0]


@pytest.fixture(scope="module")
def release(sky: tuple[TestClient, TinyRelease]) -> TinyRelease:
    return sky[1]


@pytest.fixture(scope="module")
def known(web: TestClient) -> dict[str, str]:
    """Return the header by which ada is known."""
    token = web.post("/login-portal/api/auth", json={"userName": "ada", "password": "correct horse"}).text
    return {"X-Auth-Token": token}


def as_requests_sends(text: str) -> str:
    """Return what the client's library makes of text that is pasted into an address."""
    return quote(text, safe="!#$%&'()*+,/:;=?@[]~").partition("#")[0]


def search(web: TestClient, path: str, root: str = f"/{RELEASE}/SkyServerWS") -> pd.DataFrame:
    answer = web.get(f"{root}/{path}&TaskName=SciScript-Python.SkyServer.x&", headers=HEADERS)
    assert answer.status_code == 200, answer.text
    assert answer.text.startswith("#Table1\n")
    return pd.read_csv(io.StringIO(answer.text), comment="#", index_col=None)


def sql(web: TestClient, text: str) -> pd.DataFrame:
    return search(web, f"SearchTools/SqlSearch?format=csv&cmd={as_requests_sends(text)}")


def separations(release: TinyRelease) -> np.ndarray:
    found = SkyCoord(release.photo["ra"], release.photo["dec"], unit="deg")
    return np.asarray(found.separation(SkyCoord(RA, DEC, unit="deg")).arcmin)


def test_sql_search_keeps_a_plus_an_ampersand_and_every_digit(web: TestClient, release: TinyRelease) -> None:
    found = sql(
        web, "SELECT TOP 3 objID, run+1 AS more, run&64 AS bit, 'a+b&c' AS said FROM PhotoObj ORDER BY objID"
    )
    assert list(found["objID"]) == list(release.photo["objID"][:3])
    assert (found["more"][0], found["bit"][0], found["said"][0]) == (95, 94 & 64, "a+b&c")
    ids = sql(web, "select specObjID from SpecObj order by specObjID")["specObjID"]
    assert [int(value) for value in ids] == [int(value) for value in release.spectra["specObjID"]]


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        ("cmd=a%20b+1&format=csv&", [("cmd", "a b+1"), ("format", "csv")]),
        ("cmd=select+b%2B1", [("cmd", "select b+1")]),
        ("cmd=x%20=%201&y=2&Format=csv", [("cmd", "x = 1&y=2"), ("Format", "csv")]),
        ("cmd=a%20&%20b&TaskName=x?top=10", [("cmd", "a & b"), ("TaskName", "x?top=10")]),
        ("&&x=1", []),
    ],
)
def test_the_rule_of_the_plus(query: str, pairs: list[tuple[str, str]]) -> None:
    assert split(query, {"cmd", "format", "taskname"}) == pairs


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("drop table PhotoObj", "is not a query"),
        ("select 1 from PhotoObj select 2 from PhotoObj", "line 1"),
        ("select 1; select 2", "line 1"),
        ("select nothing from PhotoObj", "nothing"),
    ],
)
def test_what_is_no_single_select_is_refused_in_words(web: TestClient, text: str, said: str) -> None:
    address = f"/{RELEASE}/SkyServerWS/SearchTools/SqlSearch?format=csv&cmd={as_requests_sends(text)}&"
    answer = web.get(address, headers=HEADERS)
    told = answer.json()
    assert (answer.status_code, told["ErrorCode"]) == (400, 400)
    assert said in told["ErrorMessage"]
    assert told["LogMessageID"]


def test_formats(web: TestClient, release: TinyRelease) -> None:
    address = f"/{RELEASE}/SkyServerWS/SearchTools/SqlSearch"
    text = "select top 2 objID, g, null as nothing from PhotoObj order by objID"
    (table,) = web.get(address, params={"cmd": text, "format": "json"}).json()
    assert table["TableName"] == "Table1"
    assert [row["objID"] for row in table["Rows"]] == list(release.photo["objID"][:2])
    assert table["Rows"][0]["nothing"] is None
    for form in ("fits", "votable"):
        content = web.get(address, params={"cmd": "select top 2 objID from PhotoObj", "format": form}).content
        assert len(Table.read(io.BytesIO(content), format=form)) == 2
    assert (
        web.get(address, params={"cmd": text, "format": "TXT"})
        .headers["content-type"]
        .startswith("text/plain")
    )
    for form, said in (("html", "is not offered"), ("doc", "is not known")):
        answer = web.post(address, data={"cmd": text, "format": form})
        assert (answer.status_code, said in answer.json()["ErrorMessage"]) == (400, True)


def test_sql_search_makes_a_table_of_ones_own(
    sky: tuple[TestClient, TinyRelease], known: dict[str, str]
) -> None:
    web, release = sky
    address = f"/{RELEASE}/SkyServerWS/SearchTools/SqlSearch"
    said = {"cmd": "select objID from PhotoObj where r < 17", "format": "mydb", "TableName": "bright"}
    assert web.get(address, params=said).status_code == 401
    count = int((release.photo["r"] < 17).sum())
    assert web.get(address, params=said, headers=known).text == f"Rows Affected\n{count}\n"
    again = web.get(address, params=said, headers=known)
    assert (again.status_code, "There is already an object" in again.json()["ErrorMessage"]) == (409, True)
    assert web.get(address, params={**said, "TableName": ""}, headers=known).status_code == 400


def test_radial_search(web: TestClient, release: TinyRelease) -> None:
    apart = separations(release)
    found = search(
        web,
        f"SearchTools/RadialSearch?format=csv&ra={RA}&dec={DEC}&radius=3"
        "&coordType=equatorial&whichPhotometry=optical&limit=0",
    )
    assert list(found.columns) == OPTICAL
    inside = np.flatnonzero(apart <= 3.0)
    assert list(found["objID"]) == list(release.photo["objID"][inside[np.argsort(apart[inside])]])
    np.testing.assert_array_equal(
        found["Err_z"].astype(np.float32), release.photo["Err_z"][inside[np.argsort(apart[inside])]]
    )
    few = search(web, f"SearchTools/RadialSearch?format=csv&ra={RA}&dec={DEC}&radius=3&limit=5")
    assert list(few["objID"]) == list(found["objID"][:5])
    galactic = SkyCoord(RA, DEC, unit="deg").galactic
    same = search(
        web,
        f"SearchTools/RadialSearch?format=csv&ra={galactic.l.deg}&dec={galactic.b.deg}&radius=3&coordType=galactic&limit=0",
    )
    assert list(same["objID"]) == list(found["objID"])


def test_rectangular_search(web: TestClient, release: TinyRelease) -> None:
    ra, dec = release.photo["ra"], release.photo["dec"]
    inside = (np.abs(ra - RA) <= 0.05) & (dec >= DEC - 0.02) & (dec <= DEC + 0.04)
    box = f"min_ra={RA - 0.05}&max_ra={RA + 0.05}&min_dec={DEC - 0.02}&max_dec={DEC + 0.04}"
    found = search(web, f"SearchTools/RectangularSearch?format=csv&{box}&limit=0")
    assert set(found["objID"]) == set(release.photo["objID"][inside])
    around = SkyCoord(ra, dec, unit="deg").galactic
    centre = SkyCoord(RA, DEC, unit="deg").galactic
    inside = (np.abs(around.l.deg - centre.l.deg) <= 0.1) & (np.abs(around.b.deg - centre.b.deg) <= 0.03)
    box = (
        f"min_ra={centre.l.deg - 0.1}&max_ra={centre.l.deg + 0.1}"
        f"&min_dec={centre.b.deg - 0.03}&max_dec={centre.b.deg + 0.03}&coordType=galactic"
    )
    found = search(web, f"SearchTools/RectangularSearch?format=csv&{box}&limit=0")
    assert set(found["objID"]) == set(release.photo["objID"][inside])
    away = search(
        web, "SearchTools/RectangularSearch?format=csv&min_ra=350&max_ra=10&min_dec=0&max_dec=20&limit=0"
    )
    assert away.empty


def explore(web: TestClient, **keys: object) -> dict[str, dict[str, object]]:
    said = "".join(f"{name}={value}&" for name, value in keys.items())
    answer = web.get(
        f"/{RELEASE}/SkyServerWS/SearchTools/ObjectSearch?query=LoadExplore&format=json&{said}",
        headers=HEADERS,
    )
    assert answer.status_code == 200, answer.text
    return {table["TableName"]: table["Rows"][0] for table in answer.json()}


def test_object_search(web: TestClient, release: TinyRelease) -> None:
    objid, specobjid = int(release.photo["objID"][10]), int(release.spectra["specObjID"][1])
    ra, dec = float(release.photo["ra"][10]), float(release.photo["dec"][10])
    asked: list[dict[str, object]] = [
        {"objid": objid},
        {"specobjid": specobjid},
        {"ra": ra, "dec": dec},
        {"plate": 266, "mjd": 51630, "fiber": 2},
        {"run": 94, "rerun": 301, "camcol": 3, "field": 0, "obj": 10},
    ]
    for keys in asked:
        found = explore(web, **keys)
        assert found["ImagingData"]["id"] == found["MetaData"]["objid"] == objid
        assert found["SpectralData"]["specObjID"] == specobjid
        assert found["ImagingDataUnits"]["ra"] == "deg"
    for said, status in (("objid=5&", 404), ("", 400), ("apid=2M00&", 404)):
        answer = web.get(f"/{RELEASE}/SkyServerWS/SearchTools/ObjectSearch?query=LoadExplore&{said}")
        assert (answer.status_code, bool(answer.json()["ErrorMessage"])) == (status, True)


def test_releases(web: TestClient) -> None:
    search(web, f"SearchTools/RadialSearch?ra={RA}&dec={DEC}", root="/SkyServerWS")
    search(web, f"SearchTools//radialsearch?ra={RA}&dec={DEC}", root="/DR1/skyserverws/")
    answer = web.get(f"/DR15/SkyServerWS/SearchTools/RadialSearch?ra={RA}&dec={DEC}&", headers=HEADERS)
    assert answer.status_code == 404
    assert "there are dr1" in answer.json()["ErrorMessage"]
    answer = web.get(
        f"/{RELEASE}/SkyServerWS/SearchTools/RadialSearch?ra={RA}&dec={DEC}&whichPhotometry=infrared"
    )
    assert (answer.status_code, "apogeeStar" in answer.json()["ErrorMessage"]) == (404, True)
    answer = web.get("/SkyServerWS/SearchTools/CrossIdSearch?x=1")
    assert (answer.status_code, answer.json()["ErrorType"]) == (400, "NotOfferedError")
    assert in_order("/dr1/skyserverWS//imgcutout/GetJpeg/") == "/dr1/SkyServerWS/ImgCutout/getjpeg"


def test_cone_search(web: TestClient, release: TinyRelease) -> None:
    answer = web.get(f"/{RELEASE}/SkyServerWS/ConeSearch/ConeSearchService?ra={RA}&dec={DEC}&sr=0.05")
    found = Table.read(io.BytesIO(answer.content), format="votable")
    assert set(found["objID"]) == set(release.photo["objID"][separations(release) <= 3.0])


def cutout(web: TestClient, said: str) -> np.ndarray:
    answer = web.get(f"/{RELEASE}/SkyServerWS/ImgCutout/getjpeg?{said}&TaskName=x&", headers=HEADERS)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg"), answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def brightest(picture: np.ndarray) -> np.ndarray:
    """Return the rows and columns of the brightest pixels, whatever their colour."""
    level = picture.min(axis=2)
    return np.argwhere(level > 0.97 * level.max())


def test_a_cutout_is_north_up_at_its_scale(web: TestClient) -> None:
    here = f"ra={RA}&dec={DEC}&scale=0.1&width=512&height=400&opt=&query="
    plain = cutout(web, here)
    assert plain.shape == (400, 512, 3)
    # the made-up galaxy is brightest in the middle, and its image 320 by 240 pixels of the picture
    assert plain[200, 256].min() > 200
    assert plain[200, :90].max() < 30
    assert plain[200, 105:400].mean() > 30
    north = cutout(web, here.replace(f"dec={DEC}", f"dec={DEC + 5 / 3600}"))
    bright = brightest(north)
    # 5 arcsec south of the centre is 50 pixels down; the galaxy is half a pixel of its image north and west of it
    assert abs(bright[:, 0].mean() - (199.5 + 50 - 2.5)) < 1
    east = cutout(web, here.replace(f"ra={RA}", f"ra={RA - 5 / 3600 / np.cos(np.radians(DEC))}"))
    bright = brightest(east)
    assert abs(bright[:, 1].mean() - (255.5 - 50 + 2.5)) < 1


def test_what_is_drawn_on_a_cutout(web: TestClient, release: TinyRelease) -> None:
    here = f"ra={RA}&dec={DEC}&scale=1.2&width=300&height=200"
    plain = cutout(web, f"{here}&opt=").astype(int)
    for opt in ("G", "L", "P", "S", "F", "I"):
        assert np.abs(cutout(web, f"{here}&opt={opt}").astype(int) - plain).max() > 60, opt
    sql = as_requests_sends(f"SELECT objID, ra, dec FROM PhotoObj WHERE r < 16 AND ra+0 > {RA - 1}")
    listed = as_requests_sends(f"name ra dec\nx {RA} {DEC}\n")
    for query in (sql, listed, "S", "G%20R%20(15,%2020)", "P A (15,23)".replace(" ", "%20")):
        assert np.abs(cutout(web, f"{here}&opt=&query={query}").astype(int) - plain).max() > 60, query
    answer = web.get(f"/{RELEASE}/SkyServerWS/ImgCutout/getjpeg?{here}&opt=GOT")
    assert (answer.headers["x-awe-not-drawn"], answer.headers["x-awe-images"]) == ("OT", "2 of 2")
    assert cutout(web, f"ra={RA}&dec={DEC}&scale=0.1&width=9000&height=10").shape == (10, 2048, 3)


@pytest.mark.parametrize(
    ("said", "status", "reason"),
    [
        ("ra=10&dec=10", 404, "no image covers"),
        (f"ra={RA}&dec={DEC}&opt=X", 400, "is no letter"),
        (f"ra={RA}&dec={DEC}&scale=1000", 400, "scale"),
        (f"ra={RA}&dec={DEC}&query=hello", 400, "neither SQL nor a list"),
        (f"ra={RA}&dec={DEC}&query=name%20ra%20dec%0Ax%20y%20z", 400, "without ra and dec"),
        (f"ra={RA}&dec={DEC}&query=select%20x%20from%20PhotoObj", 400, "x"),
        (f"ra={RA}&dec={DEC}&query=select%20run%20from%20PhotoObj", 400, "does not answer ra and dec"),
        ("ra=x&dec=10", 400, "ra=x"),
    ],
)
def test_a_cutout_that_cannot_be_made(web: TestClient, said: str, status: int, reason: str) -> None:
    answer = web.get(f"/{RELEASE}/SkyServerWS/ImgCutout/getjpeg?{said}&")
    assert (answer.status_code, reason in answer.json()["ErrorMessage"]) == (status, True), answer.text


def test_a_cutout_needs_no_release_unless_objects_are_drawn(web: TestClient) -> None:
    here = f"ImgCutout/getjpeg?ra={RA}&dec={DEC}&width=50&height=50"
    assert web.get(f"/DR15/SkyServerWS/{here}").status_code == 200
    assert web.get(f"/DR15/SkyServerWS/{here}&opt=P").status_code == 404


def test_an_archive_without_a_release_says_so(tmp_path: Path) -> None:
    with (
        tiny_archive(tmp_path) as platform,
        TestClient(build_app(platform), raise_server_exceptions=False) as web,
    ):
        answer = web.get(f"/SkyServerWS/SearchTools/RadialSearch?ra={RA}&dec={DEC}")
        assert (answer.status_code, "none is published here" in answer.json()["ErrorMessage"]) == (404, True)
