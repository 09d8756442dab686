"""awe's own API, in this process."""

import base64

import pytest
from starlette.testclient import TestClient

from awe.platform import Platform
from awe.testing import TINY_CENTRE, TINY_IMAGES, TINY_TABLE

RA, DEC = TINY_CENTRE
DID = "ivo%3A%2F%2Ftiny.test%2Ftiny%3Ftiny_acs_f606w"


def test_status_says_what_is_simulated(web: TestClient) -> None:
    status = web.get("/api/status").json()
    assert (status["title"], status["datasets"]) == ("Tiny sky", 2)
    assert status["simulated"] == [TINY_TABLE]


def test_tables_and_their_columns(web: TestClient) -> None:
    listed = {table["full_name"]: table for table in web.get("/api/tables").json()["tables"]}
    assert listed[TINY_TABLE]["rows"] == 500
    assert listed[TINY_TABLE]["metadata"]["simulated"]
    about = web.get(f"/api/tables/{TINY_TABLE.upper()}").json()
    ra = next(column for column in about["columns"] if column["name"] == "ra")
    assert (ra["unit"], ra["ucd"], ra["datatype"]) == ("deg", "pos.eq.ra;meta.main", "double")


@pytest.mark.parametrize(
    ("lang", "query"),
    [
        ("adql", f"SELECT TOP 4 id FROM {TINY_TABLE} ORDER BY id"),
        ("tsql", f"SELECT TOP 4 id FROM {TINY_TABLE} ORDER BY id"),
        ("postgres", f"SELECT id FROM {TINY_TABLE} ORDER BY id LIMIT 4"),
    ],
)
def test_query_in_three_languages(web: TestClient, lang: str, query: str) -> None:
    answer = web.post("/api/query", json={"query": query, "lang": lang}).json()
    assert answer["data"] == [[1], [2], [3], [4]]
    assert answer["metadata"][0]["name"] == "id"


def test_a_context_makes_names_short(web: TestClient) -> None:
    given = {"query": "SELECT COUNT(*) AS n FROM sources", "context": "TINY", "format": "csv"}
    assert web.post("/api/query", json=given).text.split() == ["n", "500"]


def test_rows_left_out_are_said(web: TestClient) -> None:
    given = {"query": f"SELECT id FROM {TINY_TABLE}", "max_rows": 7}
    answer = web.post("/api/query", json=given).json()
    assert (len(answer["data"]), answer["overflow"]) == (7, True)


@pytest.mark.parametrize("position", [f"{RA} {DEC}", "12:30:49.4 +12:23:28", "12h30m49.4s, +12d23m28s"])
@pytest.mark.parametrize("radius", ["1 arcmin", "60 arcsec", "0.016666666666666666", "1'"])
def test_cones_as_people_type_them(web: TestClient, position: str, radius: str) -> None:
    params = {"table": TINY_TABLE, "position": position, "radius": radius}
    assert 1 <= len(web.get("/api/cone", params=params).json()["data"]) <= 20


def test_names_stand_for_positions(web: TestClient) -> None:
    found = web.get("/api/resolve", params={"name": "m87"}).json()
    assert (found["name"], found["kind"], found["source"]) == ("M 87", "Galaxy", "OpenNGC")
    assert "Virgo A" in found["aliases"]
    place = web.get("/api/position", params={"text": "Virgo A", "radius": "1 arcmin"}).json()
    assert (place["ra"], place["dec"]) == (found["ra"], found["dec"])
    named = web.get("/api/cone", params={"table": TINY_TABLE, "position": "M87", "radius": "3 arcmin"}).json()
    typed = {"table": TINY_TABLE, "position": f"{found['ra']} {found['dec']}", "radius": "3 arcmin"}
    assert named["data"] == web.get("/api/cone", params=typed).json()["data"] != []
    assert len(web.get("/api/images", params={"position": "NGC 4486"}).json()["data"]) == 2
    cone = "SELECT id FROM {} WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE({}, 0.05)) ORDER BY id"
    queries = [
        cone.format(TINY_TABLE, p) for p in ("ivo_simbadpoint('m 87')", f"{found['ra']}, {found['dec']}")
    ]
    answers = [web.post("/api/query", json={"query": query}).json()["data"] for query in queries]
    assert answers[0] == answers[1] != []
    unknown = web.get("/api/resolve", params={"name": "Betelgeuze"})
    assert unknown.status_code == 404
    assert "Betelgeuse" in unknown.json()["error"]["hint"]


def test_images_around_a_position(web: TestClient) -> None:
    answer = web.get("/api/images", params={"position": f"{RA} {DEC}"}).json()
    names = [column["name"] for column in answer["metadata"]]
    assert [row[names.index("obs_id")] for row in answer["data"]] == list(TINY_IMAGES)
    assert all(row[names.index("access_url")].startswith("http://testserver/api/") for row in answer["data"])


@pytest.mark.parametrize("name", [TINY_IMAGES[0], DID])
def test_a_dataset_by_either_name(web: TestClient, platform: Platform, name: str) -> None:
    about = web.get(f"/api/datasets/{name}").json()
    path = platform.observations.file(TINY_IMAGES[0])
    assert (about["collection"], about["size"], about["path"]) == ("tiny", path.stat().st_size, str(path))
    assert web.get(about["file"]).content == path.read_bytes()


def test_a_part_of_a_file(web: TestClient, platform: Platform) -> None:
    whole = platform.observations.file(TINY_IMAGES[0]).read_bytes()
    answer = web.get(f"/api/datasets/{DID}/file", headers={"Range": "bytes=2880-5759"})
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes 2880-5759/{len(whole)}"
    assert answer.content == whole[2880:5760]
    head = web.head(f"/api/datasets/{DID}/file")
    assert int(head.headers["content-length"]) == len(whole)


def test_previews_are_pictures(web: TestClient) -> None:
    for more in ({}, {"size": 64}, {"position": f"{RA} {DEC}", "radius": "5 arcsec"}, {"stretch": "asinh"}):
        answer = web.get(f"/api/datasets/{DID}/preview", params=more)
        assert answer.headers["content-type"] == "image/png"
        assert answer.content[:8] == b"\x89PNG\r\n\x1a\n"


def test_login_logout_whoami(web: TestClient) -> None:
    token = web.post("/api/login", json={"user": "ada", "password": "correct horse"}).json()["token"]
    assert web.get("/api/whoami").json()["name"] == "anonymous"
    for headers in (
        {"X-Auth-Token": token},
        {"Authorization": f"Bearer {token}"},
        {"Authorization": basic("anything", token)},
    ):
        assert web.get("/api/whoami", headers=headers).json()["name"] == "ada"
        assert web.get("/tap/availability", headers=headers).status_code == 200
    web.post("/api/logout", headers={"X-Auth-Token": token})
    refused = web.get("/api/whoami", headers={"X-Auth-Token": token})
    assert refused.status_code == 401
    assert "Bearer" in refused.headers["www-authenticate"]
    assert web.get("/tap/availability", headers={"X-Auth-Token": token}).status_code == 401


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def test_the_description_knows_every_address(web: TestClient) -> None:
    document = web.get("/api/openapi.json").json()
    cone = {p["name"]: p for p in document["paths"]["/scs/{table}"]["get"]["parameters"]}
    assert cone["RA"]["required"]
    assert cone["RA"]["schema"]["type"] == "number"
    assert "/api/query" in document["paths"]
    assert "/soda/sync" in document["paths"]


def test_unknown_addresses_say_where_to_look(web: TestClient) -> None:
    assert web.get("/api/nix").json()["error"]["code"] == "not_found"
    plain = web.get("/nix")
    assert plain.headers["content-type"].startswith("text/plain")
    assert "/api/docs" in plain.text
    assert web.get("/nix", headers={"Accept": "application/json"}).json()["error"]["code"] == "not_found"


def test_security_headers_everywhere(web: TestClient) -> None:
    for path in ("/", "/static/app.js", "/api/status", "/nix", "/tap/sync"):
        headers = web.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
        assert len(headers["x-request-id"]) == 12


def test_the_page_and_its_files(web: TestClient) -> None:
    page = web.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for name in ("style.css", "app.js", "docs.js", "icon.svg"):
        text = web.get(f"/static/{name}").text
        assert "https://" not in text
    assert "https://" not in page.text
    assert web.get("/api/docs").status_code == 200
    assert web.get("/static/../app.py").status_code == 404
    assert web.get("/static/nix.js").status_code == 404


@pytest.mark.parametrize("form", ["csv", "tsv", "ecsv"])
def test_formats_that_cannot_say_overflow_have_it_in_a_header(web: TestClient, form: str) -> None:
    for most, told in ((2, "true"), (1_000_000, "false")):
        asked = {"query": "SELECT ra FROM tiny.sources", "format": form, "max_rows": most}
        assert web.post("/api/query", json=asked).headers["X-Awe-Overflow"] == told
