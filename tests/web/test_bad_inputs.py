"""What is wrong is said so: the right status, the right form, words that help, and never a stack trace."""

import json
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import pytest
from starlette.testclient import TestClient

VOT = "{http://www.ivoa.net/xml/VOTable/v1.3}"
SOURCES = "tiny.sources"
DISC = "CIRCLE 187.7059 12.3911 0.01"


@dataclass(frozen=True)
class Bad:
    """A request that cannot be carried out, and what its answer must hold."""

    path: str
    params: dict[str, object]
    status: int
    says: str


def adql(query: str, says: str, **more: object) -> Bad:
    return Bad("/tap/sync", {"LANG": "ADQL", "QUERY": query, **more}, 400, says)


def scs(says: str, table: str = SOURCES, **params: object) -> Bad:
    given = {"RA": 187.7, "DEC": 12.39, "SR": 0.1, **params}
    return Bad(f"/scs/{table}", {k: v for k, v in given.items() if v is not None}, 200, says)


def sia(says: str, **params: object) -> Bad:
    return Bad("/sia", params, 200, says)


def sia2(says: str, **params: object) -> Bad:
    return Bad("/sia2/query", params, 400, says)


def soda(says: str, status: int = 400, **params: object) -> Bad:
    return Bad("/soda/sync", params, status, says)


def api(path: str, status: int, says: str, **params: object) -> Bad:
    return Bad(f"/api/{path}", params, status, says)


SQL = [
    adql("DUFF QUERY", "line 1"),
    adql("SELECT", "line 1"),
    adql("SELECT FROM tiny.sources", "line 1"),
    adql("SELECT * FROM tiny.sources WHERE", "line 1"),
    adql("SELECT * FROM tiny.sources LIMIT 5", "TOP"),
    adql("SELECT * FROM tiny.sourcs", "tiny.sources"),
    adql("SELECT magg FROM tiny.sources", "mag"),
    adql("SELECT *\nFROM tiny.sources\nWHERE nix > 1", "line 3"),
    adql("SELECT read_csv('/etc/passwd') FROM tiny.sources", "line 1"),
    adql("SELECT * FROM '/etc/passwd'", "line 1"),
    adql("SELECT * FROM read_parquet('x.parquet')", "line 1"),
    adql("DROP TABLE tiny.sources", "line 1"),
    adql("INSERT INTO tiny.sources VALUES (1)", "line 1"),
    adql("SELECT 1; SELECT 2", "line 1"),
    adql("SELECT * FROM tiny.sources WHERE CONTAINS(POINT(ra, dec), CIRCLE(187, 12, 1))", "CONTAINS"),
    adql("SELECT * FROM tiny.sources WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(187, 97, 1))", "97"),
    adql("SELECT NOSUCH(ra) FROM tiny.sources", "NOSUCH"),
    adql("SELECT ABS(ra, dec) FROM tiny.sources", "ABS"),
    adql("SELECT name + 1 FROM tiny.sources", "a number"),
    adql("SELECT 'open FROM tiny.sources", "line 1"),
    adql("SELECT ra FROM tiny.sources GROUP BY name", "ra"),
    adql("SELECT * FROM other.people", "other.people"),
    adql("SELECT ra FROM tiny.sources", "MAXREC", MAXREC="many"),
    adql("SELECT ra FROM tiny.sources", "MAXREC", MAXREC=-1),
    adql("SELECT ra FROM tiny.sources", "votable", RESPONSEFORMAT="xls"),
    adql("SELECT ra FROM tiny.sources", "OOBLECK", LANG="OOBLECK"),
    adql("SELECT ra FROM tiny.sources", "RESPONSEFORMAT=xls", FORMAT="xls"),
    adql("SELECT ra FROM tiny.sources", "MAXREC", MAXREC="5_0"),
    adql("SELECT ra FROM tiny.sources", "UPLOAD", UPLOAD="mine,http://example.test/mine.vot"),
    adql("", "QUERY is needed"),
]
CONES = [
    scs("RA", RA=None),
    scs("SR", SR=None),
    scs("RA", RA="abc"),
    scs("RA", RA="12h30m"),
    scs("RA", RA=361),
    scs("RA", RA="18_7"),
    scs("DEC", DEC=91),
    scs("DEC", DEC="nan"),
    scs("SR", SR=-0.1),
    scs("SR", SR=181),
    scs("SR", SR="inf"),
    scs("VERB", VERB=4),
    scs("MAXREC", MAXREC=1.5),
    scs("no table", table="tiny.sourcs"),
    scs("no positions", table="TAP_SCHEMA.columns"),
    scs("format", RESPONSEFORMAT="docx"),
]
IMAGES = [
    sia("POS"),
    sia("POS", POS="187.7", SIZE=1),
    sia("POS", POS="M87", SIZE=1),
    sia("POS", POS="187.7,95", SIZE=1),
    sia("SIZE", POS="187.7,12.4", SIZE="big"),
    sia("SIZE", POS="187.7,12.4", SIZE="1,2,3"),
    sia("SIZE", POS="187.7,12.4", SIZE="-1"),
    sia("FORMAT", POS="187.7,12.4", SIZE=1, FORMAT="xyz"),
    sia("INTERSECT", POS="187.7,12.4", SIZE=1, INTERSECT="NEAR"),
    sia2("POS", POS="CIRCLE 187.7 12.4"),
    sia2("POS", POS="CIRCLE 187.7 12.4 -1"),
    sia2("POS", POS="CIRCLE a b c"),
    sia2("POS", POS="DISC 1 2 3"),
    sia2("POS", POS="RANGE 1 2 3"),
    sia2("POS", POS="POLYGON 1 2 3 4"),
    sia2("POS", POS="187.7 12.4"),
    sia2("POS", POS="CIRCLE 187_7 12.4 1"),
    sia2("BAND", BAND="red"),
    sia2("BAND", BAND="5_0e-7"),
    sia2("UsageFault: RESPONSEFORMAT", RESPONSEFORMAT="xls"),
    sia2("BAND", BAND="9e-7 5e-7"),
    sia2("TIME", TIME="2003-01-19"),
    sia2("CALIB", CALIB=9),
    sia2("DPTYPE", DPTYPE="spectrum"),
    sia2("POL", POL="Z"),
    sia2("EXPTIME", EXPTIME="1 2 3"),
    sia2("MAXREC", MAXREC="x"),
    sia2("UsageFault", SPATRES="x"),
]
CUTOUTS = [
    soda("UsageError: ID"),
    soda("did you mean tiny_acs_f606w", 404, ID="tiny_acs_f606"),
    soda("UsageError", ID="tiny_acs_f606w", CIRCLE="187.7 12.4"),
    soda("UsageError", ID="tiny_acs_f606w", CIRCLE="187.7 12.4 200"),
    soda("UsageError", ID="tiny_acs_f606w", POLYGON="1 2 3 4"),
    soda("UsageError", ID="tiny_acs_f606w", POLYGON="0 0 1 1 0 1 1 0"),
    soda("UsageError", ID="tiny_acs_f606w", BAND="1"),
    soda("UsageError: TIME", ID="tiny_acs_f606w", TIME="52659 52658"),
    soda("UsageError: POL", ID="tiny_acs_f606w", POL="I"),
    soda("UsageError", ID="tiny_acs_f606w", RESPONSEFORMAT=["image/png", "image/fits"]),
]
API = [
    api("tables/tiny.sourcs", 404, "tiny.sources"),
    api("datasets/nothing_like_it", 404, "nothing_like_it"),
    api("datasets/tiny_acs_f606w/preview", 400, "size", size=-5),
    api("datasets/tiny_acs_f606w/preview", 400, "size", size="large"),
    api("datasets/tiny_acs_f606w/preview", 404, "no pixel", position="10 10"),
    api("datasets/..%2F..%2Fetc%2Fpasswd/file", 404, "/etc/passwd"),
    api("cone", 400, "table", position="187.7 12.4"),
    api("cone", 404, "no object is called", table=SOURCES, position="nowhere at all"),
    api("cone", 400, "radius", table=SOURCES, position="187.7 12.4", radius="wide"),
    api("cone", 400, "radius", table=SOURCES, position="187.7 12.4", radius="200 deg"),
    api("images", 400, "position", position="187.7 99"),
    api("images", 400, "max_rows", position="187.7 12", max_rows=-1),
    api("position", 400, "61 seconds", text="12:30:61 +1:2:3"),
    api("nothing", 404, "/api/nothing"),
]
ALL = [*SQL, *CONES, *IMAGES, *CUTOUTS, *API]


def test_there_are_enough() -> None:
    assert len(ALL) >= 60


@pytest.mark.parametrize("bad", ALL, ids=lambda bad: f"{bad.path} {bad.params}"[:70])
def test_it_is_said_what_is_wrong(web: TestClient, bad: Bad) -> None:
    answer = web.get(bad.path, params=bad.params)
    text = answer.text
    assert answer.status_code == bad.status, text
    assert bad.says.casefold() in _message(bad.path, text).casefold()
    assert "Traceback" not in text
    assert "site-packages" not in text
    assert answer.headers["X-Awe-Error"]
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "bad", [*SQL, *CONES, *IMAGES, *CUTOUTS], ids=lambda bad: f"{bad.path} {bad.params}"[:70]
)
def test_a_caller_of_json_gets_the_same_as_json(web: TestClient, bad: Bad) -> None:
    answer = web.get(bad.path, params=bad.params, headers={"Accept": "application/json"})
    told = answer.json()["error"]
    assert answer.status_code in {400, 404}
    assert told["code"] == answer.headers["X-Awe-Error"]
    assert bad.says.partition(": ")[2] in f"{told['message']} {told.get('hint')}"


def _message(path: str, text: str) -> str:
    if path.startswith("/api"):
        told = json.loads(text)["error"]
        return f"{told['message']} {told.get('hint', '')}"
    if path.startswith("/soda"):
        return text
    root = ET.fromstring(text)
    results = root.find(f"{VOT}RESOURCE[@type='results']")
    assert results is not None
    info = results.find(f"{VOT}INFO[@name='QUERY_STATUS']")
    assert info is not None
    assert info.get("value") == "ERROR"
    if path.startswith("/scs"):
        error = root.find(f"{VOT}INFO[@name='Error']")
        assert error is not None
        assert error.get("value") == info.text
    return info.text or ""


HALVES = b'{"auth": {"identity": {"password": {"user": {"name": "\\ud800", "password": "x"}}}}}'
POSTED: list[tuple[str, bytes, str, int, str]] = [
    ("/api/query", b"{", "application/json", 400, "JSON"),
    ("/api/query", b"{}", "application/json", 400, "query"),
    ("/api/query", b'{"query": 5}', "application/json", 400, "query"),
    ("/api/query", b'{"query": "SELECT 1", "lang": "mysql"}', "application/json", 400, "adql"),
    ("/api/query", b'{"query": "SELECT 1", "sql": 1}', "application/json", 400, "sql"),
    ("/api/query", b'{"query": "SELECT 1", "format": "xls"}', "application/json", 400, "xls"),
    ("/api/query", b'{"query": "SELECT nix FROM tiny.sources"}', "application/json", 400, "nix"),
    ("/api/query", b'{"query": "SELECT ra FROM sources", "context": "tny"}', "application/json", 404, "tiny"),
    ("/api/login", b'{"user": "ada", "password": "wrong"}', "application/json", 401, "wrong"),
    ("/api/login", b'{"user": "ada"}', "application/json", 400, "password"),
    ("/CasJobs/RestApi/contexts/tiny/query", b"SELECT 1", "application/json", 400, "JSON"),
    ("/CasJobs/RestApi/contexts/tiny/query", b"{}", "application/json", 400, "query"),
    ("/CasJobs/RestApi/contexts/tiny/query", b'{"Query": "SELEC ra FROM sources"}', "", 400, "line 1"),
    ("/CasJobs/RestApi/contexts/tiny/query", b'{"Query": "SELECT ra FROM sourcs"}', "", 400, "sources"),
    ("/CasJobs/RestApi/contexts/tiny/query", b'{"Query": "DROP TABEL sources"}', "", 400, "line 1"),
    ("/CasJobs/RestApi/contexts/nix/query", b'{"Query": "SELECT 1"}', "", 404, "nix"),
    ("/login-portal/keystone/v3/tokens", b"{}", "application/json", 400, "login"),
    ("/login-portal/keystone/v3/tokens", b"[1]", "application/json", 400, "login"),
    ("/tap/sync", b"QUERY=SELECT+nix+FROM+tiny.sources", "application/x-www-form-urlencoded", 400, "nix"),
    ("/CasJobs/RestApi/contexts/tiny/query", b"[" * 200_000, "", 400, "JSON"),
    ("/CasJobs/RestApi/contexts/tiny/query", b'{"Query": "SELECT \'\\ud800\'"}', "", 400, "character"),
    ("/login-portal/keystone/v3/tokens", b"[" * 200_000, "", 400, "login"),
    ("/login-portal/keystone/v3/tokens", HALVES, "", 400, "login"),
    ("/tap/sync", b"--x\r\nno form", "multipart/form-data; boundary=x", 400, ""),
    ("/tap/sync", b"whatever", "multipart/form-data", 400, ""),
]


@pytest.mark.parametrize(("path", "body", "kind", "status", "says"), POSTED)
def test_bad_bodies(web: TestClient, path: str, body: bytes, kind: str, status: int, says: str) -> None:
    answer = web.post(path, content=body, headers={"Content-Type": kind} if kind else {})
    assert answer.status_code == status, answer.text
    assert says.casefold() in answer.text.casefold()
    assert "Traceback" not in answer.text
    assert answer.headers["X-Awe-Error"]


@pytest.mark.parametrize("path", ["/tap/sync", "/scs/tiny.sources", "/sia", "/sia2/query", "/soda/sync"])
def test_an_unknown_token_is_asked_for_again(web: TestClient, path: str) -> None:
    """Clients offer to log in after a 401 with a challenge, whatever the status of the protocol's errors."""
    answer = web.get(path, headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"]
    assert "the token is not known" in answer.text


def test_a_password_is_never_repeated(web: TestClient) -> None:
    answer = web.post("/api/login", json={"user": 1, "password": {"se": "cret-word"}})
    assert answer.status_code == 400
    assert "cret-word" not in answer.text
