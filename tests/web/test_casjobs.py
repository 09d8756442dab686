"""CasJobs over REST: the requests that SciServer's client sends, one after the other, and what it needs back."""

import io
import json
import re
import secrets
import time
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import fromstring

import pandas as pd
import pytest
from astropy.table import Table
from starlette.testclient import TestClient

from awe.platform import Platform
from awe.services.identity import READ
from awe.testing import log_in
from awe.web.compat.sciserver._account import wsid_of

CASJOBS = "/CasJobs/RestApi"
TASK = "?TaskName=SciScript-Python.CasJobs.x"
JSON = "application/json+array"


@pytest.fixture(scope="module")
def known(platform: Platform) -> dict[str, str]:
    """Return the header by which ada is known."""
    return {"X-Auth-Token": log_in(platform, "ada")}


@pytest.fixture
def name(platform: Platform) -> Iterator[str]:
    """Return the name of a table that is not there yet, and is gone afterwards."""
    made = f"t{secrets.token_hex(4)}"
    yield made
    platform.tables.drop(made, platform.identity.known("ada"), missing_ok=True)


def post(web: TestClient, known: dict[str, str], sql: str, context: str = "MyDB", accept: str = JSON) -> Any:
    body = json.dumps({"Query": sql, "TaskName": "x"}).encode()
    headers = {"Content-Type": "application/json", "Accept": accept, **known}
    return web.post(f"{CASJOBS}/contexts/{context}/query{TASK}", content=body, headers=headers)


def results(web: TestClient, known: dict[str, str], sql: str, context: str = "MyDB") -> list[dict[str, Any]]:
    answer = post(web, known, sql, context)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["Result"]
    return found


def frame(web: TestClient, known: dict[str, str], sql: str, context: str = "MyDB") -> pd.DataFrame:
    (one,) = results(web, known, sql, context)
    return pd.DataFrame(one["Data"], columns=one["Columns"])


def test_statements_without_semicolons_give_several_results(web: TestClient, known: dict[str, str]) -> None:
    sql = """declare @n int = 3
    select top 2 id from sources order by id
    select count(*), max(id), id % 2 as odd from sources where id <= @n group by id % 2 order by odd"""
    first, second = results(web, known, sql, "tiny")
    assert (first["TableName"], first["Columns"], first["Data"]) == ("Table1", ["id"], [[1], [2]])
    assert (second["Columns"], second["Data"]) == (["Column1", "Column2", "odd"], [[1, 2, 0], [2, 3, 1]])


def test_anybody_asks_what_is_public(web: TestClient) -> None:
    assert list(frame(web, {}, "select 1 as foo, 2 as bar")["bar"]) == [2]
    assert list(frame(web, {}, "select count(*) as n from sources", "tiny")["n"]) == [500]
    answer = post(web, {}, "select 4 as Column1 into MyDB.demo1")
    assert answer.status_code == 401
    assert answer.json()["ErrorMessage"]


def test_a_table_is_made_read_and_dropped(web: TestClient, known: dict[str, str], name: str) -> None:
    made = frame(web, known, f"select 4 as Column1, 5 as Column2 into MyDB.{name}")
    assert (list(made.columns), made["Rows Affected"][0]) == (["Rows Affected"], 1)
    assert frame(web, known, f"select * from {name}").to_dict("list") == {"Column1": [4], "Column2": [5]}
    assert frame(web, known, f"select * from mydb.{name}", "tiny").shape == (1, 2)
    answer = post(web, known, f"select 1 as x into {name}")
    assert answer.status_code == 409
    assert "There is already an object named" in answer.json()["ErrorMessage"]
    listed = web.get(f"{CASJOBS}/contexts/MyDB/Tables{TASK}", headers=known).json()
    (mine,) = [table for table in listed if table["Name"] == name]
    assert (mine["Rows"], type(mine["Size"])) == (1, int)
    year = 1 + mine["Date"] / 1e7 / 86400 / 365.2425
    assert 2025 < year < 2200
    (dropped,) = results(web, known, f"drop table {name}")
    assert dropped["Data"] == []
    assert name not in [
        table["Name"] for table in web.get(f"{CASJOBS}/contexts/MyDB/Tables", headers=known).json()
    ]


def test_what_fails_on_its_way_is_told_behind_the_results(web: TestClient, known: dict[str, str]) -> None:
    told = post(web, known, "select 1 as one\nselect nothing from sources", "tiny").json()
    assert told["Result"][0]["Data"] == [[1]]
    assert "nothing" in told["Error"]
    answer = post(web, known, "select nothing from sources\nselect 1", "tiny")
    assert (answer.status_code, "nothing" in answer.json()["ErrorMessage"]) == (400, True)


def test_one_table_of_several_results(web: TestClient, known: dict[str, str], name: str) -> None:
    sql = f"select top 3 id into {name} from sources order by id\nselect id from {name} order by id\ndelete from {name} where id < 3"
    assert post(web, known, sql, "tiny", "text/plain").text == "id\n1\n2\n3\n"
    assert list(frame(web, known, f"select * from {name}")["id"]) == [3]
    assert (
        post(web, known, f"insert into {name} values (8)", accept="text/plain").text == "Rows Affected\n1\n"
    )
    assert post(web, known, f"drop table {name}", accept="text/plain").text == "Rows Affected\n"
    content = post(web, known, "select top 3 id from sources order by id", "tiny", "application/fits").content
    assert list(Table.read(io.BytesIO(content), format="fits")["id"]) == [1, 2, 3]


def upload(web: TestClient, known: dict[str, str], name: str, content: bytes, context: str = "MyDB") -> Any:
    # requests sends no Content-Type at all
    request = web.build_request(
        "POST", f"{CASJOBS}/contexts/{context}/Tables/{name}{TASK}", content=content, headers=known
    )
    request.headers.pop("content-type", None)
    return web.send(request)


def test_csv_becomes_a_table(web: TestClient, known: dict[str, str], name: str) -> None:
    own = pd.DataFrame({"id": [2**62 + 1, 2], "x": [0.1, None], "word": ["a, b", 'say "so"']})
    assert upload(web, known, name, own.to_csv(index=False).encode()).status_code == 200
    back = frame(web, known, f"select * from {name} order by id desc")
    assert list(back["id"]) == [2**62 + 1, 2]
    assert list(back["word"]) == ["a, b", 'say "so"']
    assert back["x"].isna().tolist() == [False, True]
    for content, context, who, status in (
        (b"id\n1\n", "MyDB", known, 409),
        (b"id\n1\n", "MyDB", {}, 401),
        (b"id\n1\n", "tiny", known, 403),
        (b"", "MyDB", known, 400),
        (b"id,x\n1\n", "MyDB", known, 400),
    ):
        answer = upload(web, who, name if status == 409 else f"{name}x", content, context)
        assert (answer.status_code, bool(answer.json()["ErrorMessage"])) == (status, True)


def submit(web: TestClient, known: dict[str, str], sql: str, context: str = "MyDB", **more: object) -> int:
    body = json.dumps({"Query": sql, "TaskName": "my task", **more}).encode()
    headers = {"Content-Type": "application/json", "Accept": "text/plain", **known}
    answer = web.put(f"{CASJOBS}/contexts/{context}/jobs{TASK}", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert re.fullmatch("[0-9]+", answer.text)
    return int(answer.text)


def wait(web: TestClient, known: dict[str, str], number: int) -> dict[str, Any]:
    while True:
        answer = web.get(
            f"{CASJOBS}/jobs/{number}{TASK}", headers={**known, "Content-Type": "application/json"}
        )
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        if told["Status"] in {3, 4, 5}:
            return told
        time.sleep(0.05)


@pytest.mark.slow
def test_a_job_from_its_beginning_to_its_end(web: TestClient, known: dict[str, str], name: str) -> None:
    number = submit(web, known, f"select id, mag into {name} from sources where id <= 7", "tiny")
    assert number < 2**53
    told = wait(web, known, number)
    assert (told["Status"], told["Message"], told["Rows"]) == (5, "Query Complete", 7)
    assert (told["JobID"], told["TaskName"], told["Target"]) == (number, "my task", "tiny")
    for moment in ("TimeSubmit", "TimeStart", "TimeEnd"):
        assert pd.to_datetime(told[moment]).year > 2025
    assert len(frame(web, known, f"select * from {name}")) == 7
    listed = web.get(f"{CASJOBS}/jobs/{TASK}", headers=known).json()
    assert number in [job["JobID"] for job in listed]
    between = web.get(f"{CASJOBS}/jobs?submittedFrom=2001-01-01&submittedTo=2001-01-02", headers=known)
    assert between.json() == []
    assert web.get(f"{CASJOBS}/jobs?submittedFrom=soon", headers=known).status_code == 400
    assert web.get(f"{CASJOBS}/jobs", headers={}).status_code == 401
    assert web.get(f"{CASJOBS}/jobs/{number}").status_code == 404


@pytest.mark.slow
def test_a_job_that_is_told_which_table_to_make(web: TestClient, known: dict[str, str], name: str) -> None:
    told = wait(
        web, known, submit(web, known, "select id from sources", "tiny", CreateTable=True, TableName=name)
    )
    assert (told["Status"], told["Created_Table"], told["Rows"]) == (5, name, 500)
    told = wait(web, known, submit(web, known, "select id from sources", "tiny", CreateTable=name))
    assert (told["Status"], "There is already an object" in told["Message"]) == (4, True)


@pytest.mark.slow
def test_the_output_of_a_job_is_for_who_has_its_address(web: TestClient, known: dict[str, str]) -> None:
    told = wait(web, known, submit(web, known, "select top 2 id from sources order by id", "tiny"))
    place = told["OutputLoc"].removeprefix("http://testserver")
    assert web.get(place).text == "id\n1\n2\n"
    for wrong in (place.partition("?")[0], f"{place}x", place.replace("output/", "output/0")):
        answer = web.get(wrong)
        assert (answer.status_code, "no such output" in answer.json()["ErrorMessage"]) == (404, True)


@pytest.mark.slow
def test_a_job_is_cancelled(web: TestClient, known: dict[str, str]) -> None:
    number = submit(
        web,
        known,
        "select count(*) from sources a, sources b, sources c, sources d where a.mag+b.mag > c.mag",
        "tiny",
    )
    assert web.delete(f"{CASJOBS}/jobs/{number}{TASK}", headers=known).status_code == 200
    assert wait(web, known, number)["Status"] == 3
    assert web.delete(f"{CASJOBS}/jobs/7{TASK}", headers=known).status_code == 404


@pytest.mark.slow
def test_a_job_that_fails_says_why(web: TestClient, known: dict[str, str]) -> None:
    told = wait(web, known, submit(web, known, "select nothing from sources", "tiny"))
    assert (told["Status"], "nothing" in told["Message"]) == (4, True)


def test_contexts_are_listed(web: TestClient, known: dict[str, str], name: str) -> None:
    results(web, known, f"create table {name} (id int)")
    mine = {context["Name"]: context for context in web.get(f"{CASJOBS}/contexts", headers=known).json()}
    assert mine["MyDB"]["Writable"]
    assert mine["MyDB"]["Tables"] >= 1
    assert mine["tiny"] == {
        "Name": "tiny",
        "Description": mine["tiny"]["Description"],
        "Tables": 1,
        "Writable": False,
    }
    public = {context["Name"] for context in web.get(f"{CASJOBS}/contexts").json()}
    assert public == mine.keys() - {"MyDB"}
    answer = web.get(f"{CASJOBS}/contexts/nowhere/Tables", headers=known)
    assert (answer.status_code, "tiny" in answer.json()["ErrorMessage"]) == (404, True)
    assert web.get(f"{CASJOBS}/contexts/MyDB/Tables").status_code == 401


def test_bodies_that_are_none(web: TestClient, known: dict[str, str]) -> None:
    for body in (b"", b"[]", b"{", b'{"Query": 5}', b'{"Query": "  "}'):
        answer = web.post(f"{CASJOBS}/contexts/tiny/query", content=body)
        assert (answer.status_code, answer.json()["ErrorCode"]) == (400, 400)
        answer = web.put(f"{CASJOBS}/contexts/tiny/jobs", content=body, headers=known)
        assert answer.status_code == 400
    assert web.put(f"{CASJOBS}/contexts/tiny/jobs", content=b'{"Query": "select 1"}').status_code == 401
    answer = web.get("/CasJobs/RestApi/nothing")
    assert (answer.status_code, "CasJobs has no" in answer.json()["ErrorMessage"]) == (404, True)


def older(web: TestClient, operation: str, password: str, **fields: str) -> Any:
    data = {"wsid": str(wsid_of("ada")), "pw": password, **fields}
    return web.post(f"/CasJobs/services/jobs.asmx/{operation}", data=data)


def test_the_older_interface_knows_what_a_token_allows(
    web: TestClient, platform: Platform, known: dict[str, str], name: str
) -> None:
    ada = platform.identity.known("ada")
    reading = platform.identity.new_token(ada, "reads", frozenset({READ}), days=1.0)[0]
    answer = older(web, "ExecuteQuickJob", reading, qry="select 1 as one", context="MyDB", isSystem="False")
    assert fromstring(answer.content).text == "[one]:int\n1\n"
    for operation, fields in (
        ("SubmitJob", {"qry": "select 1"}),
        ("UploadData", {"tableName": name, "data": "a\n1\n", "tableExists": "False"}),
        ("SubmitExtractJob", {"tableName": name, "type": "CSV"}),
        ("CancelJob", {"jobid": "1"}),
        ("ExecuteQuickJob", {"qry": f"select 1 as one into {name}"}),
    ):
        answer = older(web, operation, reading, **fields)
        assert (answer.status_code, "scope" in answer.text) == (403, True), operation
    everything = known["X-Auth-Token"]
    platform.accounts.add("bea", by="local:test", password="correct horse")
    for operation, password, fields, status, said in (
        ("GetJobs", log_in(platform, "bea"), {}, 401, "somebody else"),
        ("GetJobs", "", {}, 401, "are needed"),
        ("GetMoney", everything, {}, 404, "there are ExecuteQuickJob"),
        ("SubmitJob", everything, {}, 400, "qry is needed"),
        ("GetJobs", everything, {"conditions": "jobid"}, 400, "name : value"),
        ("GetJobStatus", everything, {"jobid": "99999999999999999999"}, 404, "no job"),
    ):
        answer = older(web, operation, password, **fields)
        assert (answer.status_code, said in answer.text, "<" in answer.text) == (status, True, False), (
            operation
        )


def test_queues_and_kinds_of_output(web: TestClient, platform: Platform, known: dict[str, str]) -> None:
    told = fromstring(older(web, "GetQueues", known["X-Auth-Token"]).content)
    queues = [(queue.findtext("Context"), float(queue.findtext("Timeout") or 0)) for queue in told]
    quick, long = platform.settings.limits.seconds / 60, platform.settings.jobs.seconds / 60
    assert {("MyDB", quick), ("MyDB", long), ("tiny", quick)} <= set(queues)
    kinds = fromstring(older(web, "GetJobTypes", known["X-Auth-Token"]).content)
    assert [kind.findtext("Type") for kind in kinds] == ["CSV", "FITS", "VOTable"]
