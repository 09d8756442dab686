"""pyvo keeps tables on the query service, as at CADC's YouCat, with a token and with a password."""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import numpy as np
import pytest
import pyvo
import requests
from astropy.table import Table
from pyvo.utils import activate_features, prototype

from awe.platform import Platform
from awe.services.identity import GroupRole, GroupStore
from awe.testing import log_in, tiny_archive

pytestmark = pytest.mark.slow

VODATASERVICE = b"""<?xml version="1.0" encoding="UTF-8"?>
<vosi:table xmlns:vosi="http://www.ivoa.net/xml/VOSITables/v1.0" xmlns:vs="http://www.ivoa.net/xml/VODataService/v1.1"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" type="output">
  <name>mydb.stars</name><description>Stars of one's own</description>
  <column><name>number</name><description>The number</description><ucd>meta.id;meta.main</ucd>
    <dataType xsi:type="vs:VOTableType">long</dataType></column>
  <column><name>name</name><dataType xsi:type="vs:VOTableType" arraysize="30*">char</dataType></column>
  <column><name>ra</name><unit>deg</unit><ucd>pos.eq.ra;meta.main</ucd>
    <dataType xsi:type="vs:TAPType">DOUBLE</dataType></column>
  <column><name>dec</name><unit>deg</unit><ucd>pos.eq.dec;meta.main</ucd>
    <dataType xsi:type="vs:TAPType">DOUBLE</dataType></column>
  <column><name>when</name><dataType xsi:type="vs:TAPType">TIMESTAMP</dataType></column>
</vosi:table>"""
TSV = b"number\tname\tra\tdec\twhen\n4611686018427387905\t007\t10\t-80\t2026-01-31T10:00:00\n2\t\t359.99\t45\t\n"
QUERY = "SELECT * FROM user_ada.stars ORDER BY dec"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with tiny_archive(tmp_path_factory.mktemp("youcat")) as opened:
        for name in ("ada", "bob"):
            opened.accounts.add(name, by="local:test", password="correct horse")
        groups = GroupStore(opened.system)
        groups.add("team", "", "ada")
        groups.put_member("team", "bob", GroupRole.MEMBER)
        yield opened


@pytest.fixture(scope="module")
def server(platform: Platform, serving: Callable[[Platform], AbstractContextManager[str]]) -> Iterator[str]:
    with serving(platform) as address:
        yield address


@pytest.fixture(params=["token", "Basic"])
def tap(request: pytest.FixtureRequest, server: str, session: Any, platform: Platform) -> Iterator[Any]:
    """Return pyvo's client of ada's, who has logged in, with nothing in her schema."""
    if request.param == "token":
        session.headers["Authorization"] = f"Bearer {log_in(platform, 'ada')}"
    else:
        session.auth = ("ada", "correct horse")
    activate_features("cadc-tb-upload")
    ada = platform.identity.known("ada")
    for table in platform.tables.tables(ada):
        platform.tables.drop(table.full_name, ada)
    yield pyvo.dal.TAPService(f"{server}/tap", session=session)
    prototype.features["cadc-tb-upload"].on = False


def test_a_table_from_its_making_to_its_end(tap: Any, server: str) -> None:
    tap.create_table("mydb.stars", io.BytesIO(VODATASERVICE))
    columns = {column.name: column for column in tap.tables["user_ada.stars"].columns}
    assert list(columns) == ["number", "name", "ra", "dec", '"when"']
    assert (columns["number"].ucd, columns["ra"].unit, columns["number"].description) == (
        "meta.id;meta.main", "deg", "The number",
    )  # fmt: skip
    tap.load_table("mydb.stars", io.BytesIO(TSV))
    found = tap.run_sync(QUERY).to_table()
    assert list(found["number"]) == [2**62 + 1, 2]
    assert found["name"][0] == "007"  # text stays text
    assert list(found["when"]) == ["2026-01-31T10:00:00", ""]
    rows = Table({"number": np.array([3], dtype=np.int64), "ra": [0.01], "dec": [46.0]})
    for form, written in (("csv", "ascii.csv"), ("FITSTable", "fits")):
        out = io.BytesIO() if written == "fits" else io.StringIO()
        rows.write(out, format=written)
        body = out.getvalue()
        tap.load_table(
            "mydb.stars", io.BytesIO(body if isinstance(body, bytes) else body.encode()), format=form
        )
        rows["number"] += 1
    assert list(tap.run_sync(QUERY)["number"]) == [2**62 + 1, 2, 3, 4]
    for column, unique in (("number", True), ("ra", False)):
        tap.create_index("mydb.stars", column, unique=unique)
    shown = httpx.get(f"{server}/tap/tables/user_ada.stars", auth=("ada", "correct horse"), timeout=60).text
    assert shown.count("<flag>indexed</flag>") >= 2
    tap.load_table("mydb.stars", io.BytesIO(b"number\tra\tdec\n3\t0\t0\n"))
    with pytest.raises(pyvo.dal.DALQueryError, match="number cannot be unique: 1 rows"):
        tap.create_index("mydb.stars", "number", unique=True)
    with pytest.raises(requests.HTTPError, match="409"):
        tap.create_table("mydb.stars", io.BytesIO(VODATASERVICE))
    tap.remove_table("mydb.stars")
    with pytest.raises(requests.HTTPError, match="404"):
        tap.remove_table("mydb.stars")


def test_a_votable_describes_a_table(tap: Any, platform: Platform) -> None:
    described = io.BytesIO()
    Table({"n": np.array([], dtype=np.int64), "x": np.array([], dtype=float)}).write(
        described, format="votable"
    )
    described.seek(0)
    tap.create_table("user_ada.plain", described, format="VOTable")
    record = platform.tables.table("mydb.plain", platform.identity.known("ada"))
    assert [(column.name, str(column.type)) for column in record.columns] == [("n", "int64"), ("x", "double")]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<table", "no XML"),
        (b"<VOTABLE/>", "no table"),
        (VODATASERVICE.replace(b"TIMESTAMP", b"MOMENT"), "MOMENT"),
        (VODATASERVICE.replace(b"<name>ra</name>", b""), "no name"),
        (
            b'<!DOCTYPE t [<!ENTITY e SYSTEM "file:///etc/passwd">]><table><name>&e;</name></table>',
            "no FIELD",
        ),
    ],
)
def test_a_wrong_description_is_refused(server: str, body: bytes, said: str) -> None:
    answer = httpx.put(
        f"{server}/tap/tables/mydb.wrong", content=body, auth=("ada", "correct horse"), timeout=60, headers={"Content-Type": "text/xml"}
    )  # fmt: skip
    assert (answer.status_code, said in answer.text) == (400, True), answer.text
    assert "root:" not in answer.text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"number\tnix\n1\t2\n", "no column nix"),
        (b"number\nmany\n", "number"),
        (b"", "empty"),
    ],
)
def test_rows_that_do_not_fit_change_nothing(tap: Any, server: str, body: bytes, said: str) -> None:
    tap.create_table("mydb.stars", io.BytesIO(VODATASERVICE))
    answer = httpx.post(
        f"{server}/tap/load/mydb.stars", content=body, auth=("ada", "correct horse"), timeout=60,
        headers={"Content-Type": "text/tab-separated-values"},
    )  # fmt: skip
    assert (answer.status_code, said in answer.text) == (400, True), answer.text
    assert len(tap.run_sync(QUERY)) == 0


def test_who_may_read_and_write(tap: Any, server: str, platform: Platform) -> None:
    tap.create_table("mydb.stars", io.BytesIO(VODATASERVICE))
    place = f"{server}/tap/permissions/user_ada.stars"
    ada, bob = (httpx.Client(auth=(name, "correct horse"), timeout=60) for name in ("ada", "bob"))
    groups = f"ivo://{platform.settings.archive.authority}/gms"
    rows: dict[str, Any] = {"content": TSV, "headers": {"Content-Type": "text/tab-separated-values"}}

    def may(client: httpx.Client) -> tuple[int, int]:
        read = client.get(f"{server}/tap/sync", params={"LANG": "ADQL", "QUERY": QUERY})
        return read.status_code, client.post(f"{server}/tap/load/user_ada.stars", **rows).status_code

    try:
        assert ada.get(place).text == "owner=ada\npublic=false\nr-group=\nrw-group=\n"
        assert (may(bob), bob.get(place).status_code) == ((400, 404), 404)
        assert ada.post(place, content=f"r-group={groups}?team\n").status_code == 200
        assert f"r-group={groups}?team\n" in ada.get(place).text
        assert (may(bob), bob.get(place).status_code) == ((200, 403), 403)
        assert ada.post(place, content="rw-group=team\n").status_code == 200
        assert may(bob) == (200, 200)
        assert bob.delete(f"{server}/tap/tables/user_ada.stars").status_code == 403
        assert ada.post(place, content="r-group=\nrw-group=\n").status_code == 200
        assert may(bob) == (400, 404)
        assert ada.post(place, content="public=true").status_code == 200
        assert may(bob)[0] == 200
        assert ada.post(place, content="public=false").status_code == 200
        assert may(bob) == (400, 404)
        assert ada.post(place, content="nonsense").status_code == 400
    finally:
        for client in (ada, bob):
            client.close()


def test_nobody_keeps_tables_without_a_login(server: str) -> None:
    for method, path in (("PUT", "tables"), ("DELETE", "tables"), ("POST", "load"), ("POST", "permissions")):
        assert (
            httpx.request(
                method, f"{server}/tap/{path}/mydb.stars", content=VODATASERVICE, timeout=60
            ).status_code
            == 401
        )
