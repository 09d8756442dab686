"""What SciServer's own client sends, and what it needs back."""

import io
import json

import pytest
from astropy.table import Table
from starlette.testclient import TestClient

from awe.testing import TINY_TABLE
from awe.web.compat.sciserver._account import wsid_of
from awe.web.compat.sciserver._paths import in_order
from awe.web.http import scrubbed

CASJOBS = "/CasJobs/RestApi"
TOKENS = "/login-portal/keystone/v3/tokens"
LOGIN = {"auth": {"identity": {"password": {"user": {"name": "ada", "password": "correct horse"}}}}}


def run(web: TestClient, query: str, accept: str = "application/json+array", context: str = "tiny") -> str:
    answer = web.post(
        f"{CASJOBS}/contexts/{context}/query?TaskName=SciScript-Python.CasJobs.executeQuery",
        content=json.dumps({"Query": query, "TaskName": "x"}),
        headers={"Content-Type": "application/json", "Accept": accept},
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].split(";")[0] == accept
    return str(answer.text)


def test_json_array_is_what_pandas_is_made_of(web: TestClient) -> None:
    query = "SELECT TOP 3 ID, mag AS m FROM sources ORDER BY id"
    found = json.loads(run(web, query))
    assert found["Query"] == query
    (result,) = found["Result"]
    assert result["TableName"] == "Table1"
    assert result["Columns"] == ["ID", "m"]
    assert [row[0] for row in result["Data"]] == [1, 2, 3]


def test_what_is_not_a_number_is_null_and_no_rows_have_columns(web: TestClient) -> None:
    text = run(web, "SELECT mag FROM sources")
    assert "NaN" not in text
    assert [None] in json.loads(text)["Result"][0]["Data"]
    (empty,) = json.loads(run(web, "SELECT id, mag FROM sources WHERE id < 0"))["Result"]
    assert (empty["Columns"], empty["Data"]) == (["id", "mag"], [])


def test_text_and_fits(web: TestClient) -> None:
    assert run(web, "SELECT TOP 2 id FROM sources ORDER BY id", "text/plain").split() == ["id", "1", "2"]
    answer = web.post(
        f"{CASJOBS}/contexts/tiny/query",
        content=b'{"Query": "SELECT TOP 2 id, ra FROM sources ORDER BY id"}',
        headers={"Accept": "application/fits"},
    )
    table = Table.read(io.BytesIO(answer.content), format="fits")
    assert list(table["id"]) == [1, 2]
    assert table["ra"].unit == "deg"


def test_contexts_ignore_case_and_paths_come_as_they_like(web: TestClient) -> None:
    for path in ("/CasJobs/RestApi/contexts/TINY/query", "/casjobs//restapi//contexts/tiny/Query/"):
        answer = web.post(path, content=b'{"Query": "SELECT TOP 1 id FROM sources"}')
        assert answer.status_code == 200
    for path in ("contexts/tiny/Tables", "contexts/tiny/tables/"):
        (table,) = web.get(f"{CASJOBS}/{path}").json()
        assert (table["Name"], table["Rows"]) == ("sources", 500)
        assert 2025 < 1 + table["Date"] / 1e7 / 86400 / 365.2425 < 2200


def test_paths_of_others_stay_as_they_are() -> None:
    assert in_order("/api//datasets/x/") == "/api//datasets/x/"
    assert in_order("/LOGIN-portal/keystone/v3//tokens/AbC/") == "/login-portal/keystone/v3/tokens/AbC"


def test_errors_are_short_and_json(web: TestClient) -> None:
    answer = web.post(f"{CASJOBS}/contexts/tiny/query", content=b'{"Query": "SELECT x FROM sources"}')
    told = answer.json()
    assert (answer.status_code, told["ErrorCode"], told["ErrorType"]) == (400, 400, "UnknownNameError")
    assert "line 1" in told["ErrorMessage"]
    assert told["error"]["code"] == "unknown_name"


def test_login_as_keystone_does(web: TestClient) -> None:
    answer = web.post(f"{TOKENS}?TaskName=SciScript", json=LOGIN)
    assert answer.status_code == 200
    token = answer.headers["X-Subject-Token"]
    assert token.isalnum()
    for path in (f"{TOKENS}/{token}?TaskName=x", f"{TOKENS}//{token}"):
        assert web.get(path).json() == {"token": {"user": {"id": "ada", "name": "ada"}}}
        assert web.head(path).status_code == 200
    refused = web.post(
        TOKENS, json={"auth": {"identity": {"password": {"user": {"name": "x", "password": "y"}}}}}
    )
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == 401
    assert web.get(f"{TOKENS}/0123456789abcdef").status_code == 401


def test_what_the_portal_tells_of_accounts(web: TestClient, token: str) -> None:
    known = {"X-Auth-Token": token}
    answer = web.post("/login-portal/api/auth", json={"userName": "ada", "password": "correct horse"})
    assert (answer.status_code, answer.text.isalnum()) == (200, True)
    mine = {"id": "ada", "userName": "ada", "email": ""}
    for path in (f"validate/{answer.text}", f"validate//{token}/", "users/ada"):
        assert web.get(f"/login-portal/api/{path}", headers=known).json() == mine
    assert web.get("/login-portal/api/users?name=ADA", headers=known).json() == [mine]
    assert web.get("/login-portal/api/users?name=eve", headers=known).json() == []
    assert web.get("/login-portal/api/users/eve", headers=known).status_code == 404
    assert web.get("/login-portal/api/users").status_code == 401
    assert web.get("/login-portal/api/health").json() == {"status": "ok"}
    bodies: list[object] = [{}, {"userName": "ada"}, {"userName": "ada", "password": 5}, []]
    for body in bodies:
        assert web.post("/login-portal/api/auth", json=body).status_code == 400
    trusting = {"userName": "ada", "password": "correct horse", "trustId": "x"}
    assert web.post("/login-portal/api/auth", json=trusting).status_code == 400
    assert web.post("/login-portal/api/auth", json={"userName": "ada", "password": "x"}).status_code == 401
    told = web.get("/login-portal/api/rules").json()["error"]
    assert (told["code"], "/account" in told["message"]) == (404, True)


def test_no_token_and_no_password_in_the_log() -> None:
    for address in (
        "/login-portal/api/validate/0123456789abcdef",
        "/login-portal/keystone/v3/tokens/0123456789abcdef?x=1",
        "/CasJobs/services/jobs.asmx/GetJobs?wsid=1&pw=0123456789abcdef&owner_pw=0123456789abcdef",
        "/CasJobs/output/abc?key=0123456789abcdef",
    ):
        assert "0123456789abcdef" not in scrubbed(address)


def test_the_account(web: TestClient, token: str) -> None:
    mine = web.get(f"{CASJOBS}/users/ada", headers={"X-Auth-Token": token}).json()
    assert (mine["WebServicesId"], mine["MyDBName"]) == (wsid_of("ada"), "MyDB")
    again = web.get(f"{CASJOBS}/users/{mine['WebServicesId']}", headers={"X-Auth-Token": token}).json()
    assert again == mine
    assert web.get(f"{CASJOBS}/users/ada").status_code == 401
    assert web.get(f"{CASJOBS}/users/eve", headers={"X-Auth-Token": token}).status_code == 403


@pytest.mark.parametrize("name", [TINY_TABLE, "[tiny].[sources]"])
def test_full_names_work_in_a_context(web: TestClient, name: str) -> None:
    assert json.loads(run(web, f"SELECT COUNT(*) AS n FROM {name}"))["Result"][0]["Data"] == [[500]]
