"""The history through the real application: what each face leaves in it, the client and the command line."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from awe.cli import main
from awe.client import Client, connect
from awe.errors import AuthenticationError, NotFoundError, QueryError
from awe.platform import Platform
from awe.testing import TINY_TABLE, log_in, tiny_archive
from awe.web import build_app

pytestmark = pytest.mark.slow

QUERY = f"SELECT TOP 5 id FROM {TINY_TABLE}"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Platform]:
    with tiny_archive(tmp_path) as platform:
        for name in ("ada", "bob"):
            platform.accounts.add(name, by="local:test", password="correct horse")
        yield platform


@pytest.fixture
def ada(archive: Platform) -> Iterator[TestClient]:
    with TestClient(build_app(archive), headers={"X-Auth-Token": log_in(archive, "ada")}) as web:
        yield web


def test_every_face_leaves_a_query_in_the_history_and_nothing_else_does(ada: TestClient) -> None:
    params = {"LANG": "ADQL", "QUERY": QUERY}
    assert ada.get("/tap/sync", params=params).status_code == 200
    assert ada.post("/api/query", json={"query": f"{QUERY} ORDER BY id"}).status_code == 200
    casjobs = "/CasJobs/RestApi/contexts/tiny/query"
    assert ada.post(casjobs, json={"Query": "SELECT TOP 2 id FROM sources"}).status_code == 200
    wrong = ada.post("/api/query", json={"query": "SELECT nothing FROM nowhere", "lang": "postgres"})
    assert wrong.status_code == 400
    for page in ("/tap/tables", "/tap/capabilities", f"/scs/{TINY_TABLE}/capabilities", "/oai?verb=Identify"):
        assert ada.get(page).status_code == 200
    assert ada.get(f"/scs/{TINY_TABLE}?RA=187.7&DEC=12.39&SR=0.1").status_code == 200
    assert ada.get("/api/images", params={"position": "187.7059 12.3911"}).status_code == 200
    found = ada.get("/api/history").json()["queries"]
    assert [(q["face"], q["dialect"], q["phase"], q["rows"]) for q in found] == [
        ("api", "postgres", "ERROR", 0),
        ("casjobs", "tsql", "COMPLETED", 2),
        ("api", "adql", "COMPLETED", 5),
        ("tap", "adql", "COMPLETED", 5),
    ]
    assert [q["engine"] for q in found] == ["", "duckdb", "duckdb", "duckdb"]
    assert found[0]["message"].startswith(wrong.json()["error"]["message"])
    assert found[1]["context"] == "tiny"
    assert found[3]["query"] == QUERY


def test_a_page_of_the_history_says_where_the_next_begins(ada: TestClient) -> None:
    texts = [f"SELECT TOP {n} id FROM {TINY_TABLE}" for n in range(1, 6)]
    for text in texts:
        ada.post("/api/query", json={"query": text})
    seen, more = [], ""
    while more is not None:
        page = ada.get("/api/history", params={"last": 2, **({"before": more} if more else {})}).json()
        seen += [query["query"] for query in page["queries"]]
        more = page["more"]
    assert seen == texts[::-1]


def test_a_link_opens_a_query(archive: Platform, ada: TestClient) -> None:
    ada.post("/api/query", json={"query": QUERY})
    (query,) = ada.get("/api/history").json()["queries"]
    ada.patch(f"/api/history/{query['id']}", json={"name": "five"})
    made = ada.post("/api/shares/links", json={"kind": "query", "name": query["id"]}).json()
    with TestClient(build_app(archive), headers={"X-Auth-Token": made["key"]}) as visitor:
        shown = visitor.get("/api/shared").json()
        assert (shown["title"], shown["description"], shown["files"]) == ("five", QUERY, [])
        assert visitor.get(f"/api/history/{query['id']}").json()["query"] == QUERY
        assert visitor.delete(f"/api/history/{query['id']}").status_code == 403


# The client


@pytest.fixture
def address(archive: Platform, serving: Callable[[Platform], AbstractContextManager[str]]) -> Iterator[str]:
    with serving(archive) as found:
        yield found


@pytest.fixture
def log(archive: Platform, address: str) -> Iterator[Callable[[str], Client]]:
    opened: list[Client] = []

    def connected(name: str) -> Client:
        opened.append(connect(address, token=log_in(archive, name) if name else ""))
        return opened[-1]

    yield connected
    for client in opened:
        client.close()


def test_the_client_finds_names_shares_and_forgets(log: Callable[[str], Client]) -> None:
    ada, bob = log("ada"), log("bob")
    before = datetime.now(UTC) - timedelta(minutes=1)
    ada.query(QUERY)
    with pytest.raises(QueryError):
        ada.query("SELECT x FROM nowhere.y")
    assert list(ada.history()["phase"]) == ["ERROR", "COMPLETED"]
    (five,) = ada.history.find("top 5", phase="completed", after=before, last=3)
    assert (five.query, five.lang, five.rows, five.face, five.owner) == (QUERY, "adql", 5, "api", "ada")
    assert ada.history.find(before=before) == []
    named = ada.history.name(five, "five")
    assert ada.history.get("five") == named == ada.history.get(five.id)
    assert bob.history.find() == bob.history.find(shared=True) == []
    with pytest.raises(NotFoundError):
        bob.history.get(five.id)
    ada.history.share("five", "user:bob")
    assert bob.history.find(shared=True) == [named]
    ada.history.forget("five")
    with pytest.raises(NotFoundError):
        ada.history.get("five")
    assert bob.history.find(shared=True) == []
    with pytest.raises(AuthenticationError):
        log("").history()
    assert len(bob.history()) == 0


def test_a_job_says_which_engine_made_its_rows(log: Callable[[str], Client]) -> None:
    ada = log("ada")
    texts = [QUERY, f"SELECT TOP 5 id INTO mydb.five FROM {TINY_TABLE}", "DECLARE @x INT"]
    for text in texts:
        ada.submit(text, lang="adql" if text == QUERY else "tsql").wait()
    found = {query.query: query.engine for query in ada.history.find()}
    assert [found[text] for text in texts] == ["duckdb", "duckdb", ""]


def test_the_command_line(
    archive: Platform, address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWE_URL", address)
    monkeypatch.setenv("AWE_TOKEN", log_in(archive, "ada"))

    def awe(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["awe", *words])
        main()
        return capsys.readouterr().out

    awe("query", QUERY)
    assert QUERY in awe("history", "ls")
    (row,) = json.loads(awe("history", "ls", "top 5", "--phase", "completed", "--json"))["rows"]
    assert (row["phase"], row["rows"], row["query"]) == ("COMPLETED", "5", QUERY)
    assert awe("history", "name", row["id"], "five") == f"{row['id']} is called five\n"
    assert QUERY in awe("history", "show", "five")
    assert json.loads(awe("history", "show", "five", "--json"))["rows"] == 5
    assert "user:bob may read query:" in awe("history", "share", "five", "user:bob")
    assert awe("history", "forget", "five") == "forgot five\n"
    assert json.loads(awe("history", "ls", "--json"))["rows"] == []
