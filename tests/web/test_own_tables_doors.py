"""No door leads to another user's table: not in any language, list, error, job, history, path or face.

*ada* has a table. *eve* (who has an account and a table of her own) and *nobody* try every way that there is to read it,
to change it, or to learn that it is there. Each way is tried twice, with the name of the table and with one that nobody
has: the two answers have to be the same but for the name, and what is in the table (`MARK`) must be in neither. The warden,
who administers the archive, sees and changes no more than eve in queries, lists and faces. What administrators may do
for others (look at versions, drop, restore, see jobs and queries) is in the audit log when he has done it.
"""

import io
import json
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fastapi.routing import iter_route_contexts

from awe.core.tables import Column, Schema, TableStream
from awe.platform import Platform
from awe.services.catalogs import ColumnChange
from awe.services.identity import ADMINISTRATOR, OPERATOR, READ, Resource
from awe.testing import log_in, tiny_archive
from awe.web import build_app
from awe.web.compat.sciserver._account import wsid_of

pytestmark = pytest.mark.slow

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # starlette's client asks for a newer httpx than awe's client uses
    from starlette.testclient import TestClient

MARK = "curtain"
REAL, FAKE = "hidden_one", "hidden_two"
PEOPLE = ("nobody", "eve", "warden")
PASSWORDS = {name: f"correct horse of {name}" for name in ("ada", "eve", "warden")}
_MADE_ANEW = re.compile(
    r"[0-9a-f]{12,}|\d{4}-\d\d-\d\dT[\d:.]+Z?(\+00:00)?|-?\b\d+\.\d+(e-\d+)?\b|\b\d{15,}\b", re.IGNORECASE
)
"""Identifiers, times and durations that differ between any two answers."""

Ask = Callable[..., Any]
Making = Callable[[str], tuple[str, dict[str, Any]]]
"""From a table's name to a request: what to ask, and what goes along."""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with tiny_archive(tmp_path_factory.mktemp("doors")) as opened:
        for name in ("ada", "eve"):
            opened.accounts.add(name, by="local:test", password=PASSWORDS[name])
        administers = [ADMINISTRATOR, OPERATOR]
        opened.accounts.add("warden", administers, by="local:test", password=PASSWORDS["warden"])
        ada, eve = (opened.identity.known(name) for name in ("ada", "eve"))
        opened.tables.write(f"mydb.{REAL}", _rows(MARK), ada, ra="ra", dec="dec", origin=f"SELECT '{MARK}'")
        opened.tables.describe(
            f"mydb.{REAL}", ada, title=f"The {MARK}", description=MARK,
            columns={"behind": ColumnChange(description=MARK)},
        )  # fmt: skip
        opened.tables.write("mydb.mine", _rows("open"), eve, ra="ra", dec="dec")
        for _ in opened.batches.run(f"select * from mydb.{REAL}", dialect="tsql", identity=ada):
            pass
        yield opened


def _rows(word: str) -> TableStream:
    columns = {
        "id": pa.array([1, 2]), "ra": pa.array([187.7059, 187.7060]), "dec": pa.array([12.3911, 12.3912]),
        "behind": pa.array([word, word]), f"only_{word}": pa.array([1.5, 2.5]),
    }  # fmt: skip
    table = pa.table(columns)
    schema = Schema(tuple(Column(field.name, field.type) for field in table.schema))
    return TableStream.from_table(table, schema)


@pytest.fixture(scope="module")
def web(platform: Platform) -> Iterator[TestClient]:
    with TestClient(build_app(platform), raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@pytest.fixture(scope="module")
def ask(platform: Platform, web: TestClient) -> Ask:
    """Return what asks as somebody: ``ask(who, "GET /path", params=..., ...)``."""
    tokens = {name: log_in(platform, name) for name in ("ada", "eve", "warden")}

    def send(who: str, what: str, **sent: Any) -> Any:
        method, path = what.split(" ", 1)
        headers = {**sent.pop("headers", {}), **({"X-Auth-Token": tokens[who]} if who in tokens else {})}
        web.cookies.clear()
        return web.request(method, path, headers=headers, **sent)

    return send


def told(answer: Any, name: str) -> tuple[int, str]:
    """Return what an answer says, whichever of the two names was asked for."""
    said = re.sub(name, "NAME", answer.text, flags=re.IGNORECASE)
    return answer.status_code, _MADE_ANEW.sub("*", said)


def assert_closed(ask: Ask, who: str, request: Making) -> None:
    answers = []
    for name in (REAL, FAKE):
        what, sent = request(name)
        answer = ask(who, what, **sent)
        assert MARK not in answer.text.casefold(), f"{who}, {what}, {sent}: {answer.text}"
        assert answer.status_code < 500, answer.text
        answers.append(told(answer, name))
    assert answers[0] == answers[1]


def test_the_owner_comes_in(ask: Ask) -> None:
    """What is tried below would show the table if it were open."""
    for text in (f"SELECT * FROM mydb.{REAL}", f"SELECT * FROM user_ada.{REAL}"):
        assert (
            MARK in ask("ada", "GET /tap/sync", params={"QUERY": text, "LANG": "ADQL", "FORMAT": "csv"}).text
        )
    assert REAL in ask("ada", "GET /api/history").text
    assert REAL in ask("ada", "GET /tap/tables").text


QUERIES = {
    "adql": (
        "SELECT * FROM user_ada.{t}",
        'SELECT * FROM "user_ada"."{t}"',
        "SELECT * FROM USER_ADA.{t}",
        "SELECT * FROM {t}",
        "SELECT * FROM mydb.{t}",
        "SELECT id FROM tiny.sources WHERE id IN (SELECT id FROM user_ada.{t})",
        "SELECT id FROM tiny.sources AS s WHERE EXISTS (SELECT * FROM user_ada.{t} AS h WHERE h.id = s.id)",
        "WITH c AS (SELECT * FROM user_ada.{t}) SELECT * FROM c",
        "SELECT id FROM tiny.sources UNION SELECT id FROM user_ada.{t}",
        "SELECT s.id FROM tiny.sources AS s JOIN user_ada.{t} AS h ON DISTANCE(s.ra, s.dec, h.ra, h.dec) < 0.01",
        "SELECT s.id, behind FROM tiny.sources AS s NATURAL JOIN user_ada.{t}",
        "SELECT x.* FROM user_ada.{t} AS x WHERE 1 = CONTAINS(POINT(x.ra, x.dec), CIRCLE(187.7, 12.39, 1))",
    ),
    "tsql": (
        "select * from user_ada.{t}",
        "select * from [user_ada].[{t}]",
        "select * from user_ada.dbo.{t}",
        "select * from user_ada..{t}",
        "select * from user_ada.mydb.{t}",
        "select * from ada.{t}",
        "select * from mydb.dbo.{t}",
        "select * from [myscratch:ada].{t}",
        "select * from user_ada.{t} with (nolock)",
        "select s.id from tiny.sources s cross apply (select top 1 * from user_ada.{t}) h",
        "select (select max(behind) from user_ada.{t}) as v",
        "select * into mydb.copied from user_ada.{t}",
        "insert into mydb.mine select * from user_ada.{t}",
        "update mydb.mine set behind = (select max(behind) from user_ada.{t})",
        "update user_ada.{t} set id = 3",
        "delete from user_ada.{t}",
        "insert into user_ada.{t} (id) values (3)",
        "truncate table user_ada.{t}",
        "drop table user_ada.{t}",
        "drop table if exists user_ada.{t}",
        "alter table user_ada.{t} add c int",
        "alter table user_ada.{t} drop column behind",
        "create table user_ada.{t} (id int)",
        "select 1 as one into user_ada.{t}",
        "exec sp_rename 'user_ada.{t}', 'taken'",
        "if object_id('user_ada.{t}') is not null select 'there' as x",
        "if object_id('user_ada.{t}', 'U') is not null drop table user_ada.{t}",
        "if exists (select * from sys.objects where name = '{t}') select 'there' as x",
        "if exists (select * from information_schema.tables where table_name = '{t}') select 'there' as x",
        "execute SQLxMatch @table1='user_ada.{t}', @table2='mydb.mine', @radius=3",
        "execute SQLxMatch @table1='mydb.mine', @table2='user_ada.{t}', @radius=3",
        "declare @n int\nset @n = (select count(*) from user_ada.{t})\nselect @n",
        "select id from tiny.sources where id = 1\nselect * from user_ada.{t}",
        "select * into #x from user_ada.{t}\nselect * from #x",
    ),
    "postgres": (
        "select * from user_ada.{t}",
        'select * from "user_ada"."{t}"',
        "select * from mydb.{t}",
        "select * from {t}",
        "select count(*) from user_ada.{t}",
        "select * from user_ada.{t} where q3c_radial_query(ra, dec, 187.7, 12.39, 1)",
        "select s.id from tiny.sources s, lateral (select * from user_ada.{t} h where h.id = s.id) x",
        "create table mydb.copied as select * from user_ada.{t}",
        "delete from user_ada.{t} where id = 1",
        "drop table user_ada.{t}",
        "alter table user_ada.{t} rename to taken",
        "insert into user_ada.{t} values (1)",
    ),
}


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("dialect", QUERIES)
def test_no_query_reads_changes_or_finds_it(ask: Ask, who: str, dialect: str) -> None:
    def sent(text: str, path: str, **more: str) -> Making:
        asked = {"lang": dialect, "format": "csv", **more}
        return lambda name: (f"POST {path}", {"json": {"query": text.format(t=name), **asked}})

    for text in QUERIES[dialect]:
        for path in ("/api/sql", "/api/query"):
            assert_closed(ask, who, sent(text, path))
        assert_closed(ask, who, sent(text, "/api/sql", context="user_ada"))


@pytest.mark.parametrize("who", PEOPLE)
def test_no_result_is_put_into_it(ask: Ask, who: str) -> None:
    def sent(into: str) -> Making:
        asked = {"query": "SELECT 1 AS one FROM tiny.sources", "replace": True}
        return lambda name: ("POST /api/sql", {"json": {**asked, "into": into.format(t=name)}})

    for into in ("user_ada.{t}", "USER_ADA.{t}", "user_ada..{t}"):
        assert_closed(ask, who, sent(into))


LISTS = {
    "adql": (
        "SELECT * FROM TAP_SCHEMA.schemas", "SELECT * FROM TAP_SCHEMA.tables", "SELECT * FROM TAP_SCHEMA.columns",
        "SELECT * FROM TAP_SCHEMA.keys", "SELECT * FROM TAP_SCHEMA.key_columns",
        "SELECT * FROM rr.resource", "SELECT * FROM rr.res_table", "SELECT * FROM rr.table_column",
        "SELECT * FROM rr.res_detail", "SELECT * FROM rr.interface",
    ),
    "tsql": (
        "select * from information_schema.tables", "select * from INFORMATION_SCHEMA.COLUMNS",
        "select * from sys.objects", "select * from Columns", "select * from tbl_stat",
    ),
    "postgres": (
        "select * from information_schema.schemata", "select * from information_schema.tables",
        "select * from information_schema.columns", "select * from tbl_stat",
    ),
}  # fmt: skip


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("dialect", LISTS)
def test_no_list_of_tables_names_it(ask: Ask, who: str, dialect: str) -> None:
    for text in LISTS[dialect]:
        answer = ask(
            who, "POST /api/sql", json={"query": text, "lang": dialect, "format": "csv", "max_rows": 100000}
        )
        for word in (REAL, MARK, "user_ada"):
            assert word not in answer.text.casefold(), f"{text}: {answer.text}"
        if answer.status_code == 200 and text.endswith(("TAP_SCHEMA.tables", "information_schema.tables")):
            assert "sources" in answer.text


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize(
    "path",
    [
        "/tap/tables", "/tap/tables?share_accessible=true", "/tap/tables?only_tables=true", "/tap/examples",
        "/tap/capabilities", "/tap/share", "/tap/notification", "/tap/jobs/async", "/tap/async",
        "/api/tables", "/api/history", "/api/jobs", "/api/shares", "/api/shared", "/api/coverage", "/api/status",
        "/api/collections", "/api/me/usage", "/api/history?text=hidden", "/oai?verb=ListRecords&metadataPrefix=ivo_vor",
        "/oai?verb=ListIdentifiers&metadataPrefix=ivo_vor", "/CasJobs/RestApi/contexts/MyDB/Tables",
        "/CasJobs/RestApi/contexts/user_ada/Tables", "/datalab/query/schema?value=", "/datalab/query/list?table=",
        "/datalab/query/schema?value=user_ada", "/datalab/query/schema?value=mydb", "/datalab/res/findJobs",
        "/api/openapi.json", "/metrics", "/",
    ],
)  # fmt: skip
def test_no_address_lists_it(ask: Ask, who: str, path: str) -> None:
    answer = ask(who, f"GET {path}")
    assert answer.status_code < 500
    said = answer.text.casefold()
    assert MARK not in said
    if path.startswith("/api/history"):  # what one asked for oneself stands there, and nothing of others
        assert {entry["owner"] for entry in answer.json().get("queries", ())} <= {who}
        return
    assert REAL not in said
    if "user_ada" not in path:
        assert "user_ada" not in said


def _of_one_table(web: TestClient) -> list[tuple[str, str]]:
    """Return every address of the application that has a table's name in it, with each method."""
    named = re.compile(r"\{(table|name|full_name)(:path)?\}")
    found = []
    for context in iter_route_contexts(web.app.routes):  # type: ignore[attr-defined]
        path = context.path or ""
        if "table" in path.casefold() or path.startswith(("/scs/", "/moc/")):
            found += [(m, path) for m in sorted(context.methods or ()) if named.search(path)]
    return sorted(set(found))


@pytest.mark.parametrize("who", PEOPLE)
def test_no_path_leads_to_it(ask: Ask, web: TestClient, who: str) -> None:
    """Every route with the name of a table is tried, also those that are added tomorrow."""
    routes = [route for route in _of_one_table(web) if who != "warden" or route not in HELP_ROUTES]
    assert {path for _, path in routes} >= {
        "/api/tables/{name}",
        "/tap/tables/{table}",
        "/scs/{table}",
        "/moc/{table}",
    }
    for method, path in routes:
        if method == "HEAD":
            continue
        for schema in ("user_ada.", "USER_ADA.", "mydb.", ""):

            def request(name: str, schema: str = schema, path: str = path, method: str = method) -> Any:
                filled = re.sub(r"\{(table|name|full_name)(:path)?\}", schema + name, path)
                filled = filled.replace("{context}", "user_ada")
                filled = re.sub(r"\{\w+(:path)?\}", "1", filled)
                sent: dict[str, Any] = {"params": {"RA": "187.7", "DEC": "12.39", "SR": "1"}}
                if method in {"POST", "PUT", "PATCH"}:
                    sent["json"] = {
                        "name": "taken",
                        "title": "taken",
                        "target": "mydb.taken",
                        "ra": "ra",
                        "dec": "dec",
                    }
                return f"{method} {filled}", sent

            if schema in {"mydb.", ""} and who != "nobody" and method in {"PUT", "POST"}:
                continue  # this makes a table of one's own
            assert_closed(ask, who, request)


HELP_ROUTES = frozenset(
    {
        ("GET", "/api/tables/{name}/versions"), ("DELETE", "/api/tables/{name}"),
        ("POST", "/api/tables/{name}/restore"), ("DELETE", "/tap/tables/{table}"),
    }
)  # fmt: skip
"""How an administrator may help."""


def _sent(what: str, **sent: Any) -> Callable[[str], tuple[str, dict[str, Any]]]:
    """Return the request for a name: NAME, as a word, stands for it anywhere."""
    text = json.dumps([what, sent])
    return lambda name: tuple(json.loads(re.sub(r"\bNAME\b", name, text)))


FACES = {
    "TAP, synchronous": _sent("GET /tap/sync", params={"LANG": "ADQL", "QUERY": "SELECT * FROM user_ada.NAME"}),
    "TAP, PostgreSQL": _sent("GET /tap/sync", params={"LANG": "postgres", "QUERY": "SELECT * FROM user_ada.NAME"}),
    "TAP, an upload by its address": _sent(
        "POST /tap/sync",
        data={
            "LANG": "ADQL", "QUERY": "SELECT * FROM TAP_UPLOAD.x",
            "UPLOAD": "x,http://testserver/api/tables/user_ada.NAME/export",
        },
    ),
    "cone search": _sent("GET /scs/user_ada.NAME", params={"RA": "187.7", "DEC": "12.39", "SR": "1"}),
    "coverage": _sent("GET /moc/user_ada.NAME"),
    "search by position": _sent("GET /api/cone", params={"table": "user_ada.NAME", "where": "187.7 12.39", "radius": "1"}),
    "CasJobs": _sent(
        "POST /CasJobs/RestApi/contexts/MyDB/query", json={"Query": "select * from user_ada.NAME", "TaskName": "t"}
    ),
    "CasJobs, her context": _sent(
        "POST /CasJobs/RestApi/contexts/user_ada/query", json={"Query": "select * from NAME", "TaskName": "t"}
    ),
    "CasJobs, upload": _sent("POST /CasJobs/RestApi/contexts/user_ada/Tables/NAME", content="id\n1\n"),
    "SkyServer": _sent("GET /SkyServerWS/SearchTools/SqlSearch", params={"cmd": "select * from user_ada.NAME", "format": "csv"}),
    "SkyServer, a cutout": _sent(
        "GET /SkyServerWS/ImgCutout/getjpeg",
        params={"ra": "187.7", "dec": "12.39", "query": "select id, ra, dec from user_ada.NAME"},
    ),
    "Data Lab, SQL": _sent("GET /datalab/query/query", params={"sql": "select * from user_ada.NAME", "ofmt": "csv"}),
    "Data Lab, ADQL": _sent("GET /datalab/query/query", params={"adql": "select * from user_ada.NAME", "ofmt": "csv"}),
    "Data Lab, mydb": _sent("GET /datalab/query/query", params={"sql": "select * from mydb://NAME", "ofmt": "csv"}),
    "Data Lab, out": _sent(
        "GET /datalab/query/query", params={"sql": "select 1 as one", "ofmt": "csv", "out": "mydb://user_ada.NAME"}
    ),
    "Data Lab, schema": _sent("GET /datalab/query/schema", params={"value": "user_ada.NAME"}),
    "Data Lab, list": _sent("GET /datalab/query/list", params={"table": "user_ada.NAME"}),
    "Data Lab, drop": _sent("GET /datalab/query/delete", params={"table": "user_ada.NAME"}),
    "Data Lab, rename": _sent("GET /datalab/query/rename", params={"old": "user_ada.NAME", "new": "taken"}),
    "Data Lab, copy": _sent("GET /datalab/query/copy", params={"source": "user_ada.NAME", "target": "taken"}),
    "Data Lab, truncate": _sent("GET /datalab/query/truncate", params={"table": "user_ada.NAME"}),
    "Data Lab, index": _sent("GET /datalab/query/index", params={"table": "user_ada.NAME", "column": "id"}),
    "TAP+, one table": _sent("GET /tap/tables", params={"tables": "user_ada.NAME"}),
    "TAP+, edit": _sent(
        "POST /tap/TableTool",
        data={"ACTION": "edit", "NUMTABLES": "1", "TABLE0": "user_ada.NAME", "TABLE0_COL0": "ra", "TABLE0_COL0_FLAGS": "Ra"},
    ),
    "TAP+, positions": _sent(
        "POST /tap/TableTool", data={"ACTION": "radec", "TABLE_NAME": "user_ada.NAME", "RA": "ra", "DEC": "dec"}
    ),
    "TAP+, rename": _sent(
        "POST /tap/TableTool", data={"ACTION": "rename", "table_name": "user_ada.NAME", "new_table_name": "taken"}
    ),
    "TAP+, drop": _sent(
        "POST /tap/Upload", data={"DELETE": "TRUE", "TABLE_NAME": "user_ada.NAME", "FORCE_REMOVAL": "TRUE"}
    ),
    "TAP+, share": _sent(
        "POST /tap/share",
        data={
            "action": "CreateOrUpdateItem", "resource_type": "0", "title": "user_ada.NAME", "items_list": "eve|User|Read",
            "description": "x",
        },
    ),
    "YouCat, create": _sent(
        "PUT /tap/tables/user_ada.NAME",
        content='<vosi:table xmlns:vosi="http://www.ivoa.net/xml/VOSITables/v1.0"><name>user_ada.NAME</name></vosi:table>',
        headers={"Content-Type": "text/xml"},
    ),
    "YouCat, load": _sent("POST /tap/load/user_ada.NAME", content="id\n3\n", headers={"Content-Type": "text/csv"}),
    "YouCat, delete": _sent("DELETE /tap/tables/user_ada.NAME"),
    "sharing it with oneself": _sent(
        "POST /api/shares", json={"kind": "table", "name": "user_ada.NAME", "to": "user:eve", "action": "read"}
    ),
    "making a link to it": _sent("POST /api/shares/links", json={"kind": "table", "name": "user_ada.NAME"}),
    "who may read it": _sent("GET /api/shares", params={"kind": "table", "name": "user_ada.NAME"}),
    "a job that reads it": _sent(
        "POST /api/jobs", json={"query": "select * from user_ada.NAME", "lang": "tsql", "format": "csv"}
    ),
}  # fmt: skip


HELP = frozenset({"TAP+, drop", "YouCat, delete", "Data Lab, drop"})
"""What an administrator may do to help."""


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("face", FACES)
def test_no_face_shows_it(ask: Ask, who: str, face: str) -> None:
    if who == "warden" and face in HELP:
        pytest.skip("administrators may help")
    assert_closed(ask, who, FACES[face])


def test_help_is_in_the_audit_log_whichever_face_it_came_through(ask: Ask, platform: Platform) -> None:
    ada = platform.identity.known("ada")
    ways = {
        "TAP+": FACES["TAP+, drop"], "YouCat": FACES["YouCat, delete"], "Data Lab": FACES["Data Lab, drop"],
        "awe": _sent("DELETE /api/tables/user_ada.NAME"),
    }  # fmt: skip
    for number, way in enumerate(ways.values()):
        name = f"helped{number}"
        platform.tables.write(f"mydb.{name}", _rows(MARK), ada)
        what, sent = way(name)
        dropped = ask("warden", what, **sent)
        assert dropped.status_code < 400, dropped.text
        assert name not in {table.name for table in platform.tables.tables(ada)}
        seen = ask("warden", f"GET /api/tables/user_ada.{name}/versions")
        restored = ask("warden", f"POST /api/tables/user_ada.{name}/restore", json={})
        assert (seen.status_code, restored.status_code) == (200, 200), restored.text
        lines = platform.audit.entries(target=f"table:user_ada.{name}")
        assert [(line.user, line.action, line.details["owner"]) for line in lines] == [
            ("warden", "table.restored", "ada"),
            ("warden", "table.seen", "ada"),
            ("warden", "table.dropped", "ada"),
        ]
        platform.tables.drop(f"mydb.{name}", ada)
    assert len(platform.audit.entries(target="table:user_ada.helped0")) == 3  # of her own she makes no line


def _asmx(operation: str, **sent: str) -> Making:
    return _sent(f"POST /CasJobs/services/jobs.asmx/{operation}", data=sent)


OLD_CASJOBS = {
    "a quick query": _asmx("ExecuteQuickJob", qry="select * from user_ada.NAME", context="MyDB"),
    "her context": _asmx("ExecuteQuickJob", qry="select * from NAME", context="user_ada"),
    "a quick change": _asmx("ExecuteQuickJob", qry="delete from user_ada.NAME", context="MyDB"),
    "a quick drop": _asmx("ExecuteQuickJob", qry="drop table user_ada.NAME", context="MyDB"),
    "output": _asmx("SubmitExtractJob", tablename="user_ada.NAME", type="CSV"),
    "a new table": _asmx("UploadData", tablename="user_ada.NAME", data="id\n1\n", tableexists="false"),
    "more rows": _asmx("UploadData", tablename="user_ada.NAME", data="id\n1\n", tableexists="true"),
    "the quick table": _sent("GET /CasJobs/quick_casjobs.cgi", params={"table": "user_ada.NAME"}),
}


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("way", OLD_CASJOBS)
def test_the_older_casjobs_shows_it_to_nobody(ask: Ask, who: str, way: str) -> None:
    def request(name: str) -> tuple[str, dict[str, Any]]:
        what, sent = OLD_CASJOBS[way](name)
        number = str(wsid_of(who))
        known = {"wsid": number, "userid": number, "pw": PASSWORDS[who]} if who in PASSWORDS else {}
        return what, {key: {**values, **known} for key, values in sent.items()}

    assert_closed(ask, "nobody", request)


def test_the_older_casjobs_shows_and_stops_no_jobs_of_others(ask: Ask, platform: Platform) -> None:
    def done(user: str, password: str, operation: str, **sent: str) -> Any:
        fields = {"wsid": str(wsid_of(user)), "pw": password, **sent}
        return ask("nobody", f"POST /CasJobs/services/jobs.asmx/{operation}", data=fields)

    text = f"select '{MARK}' as word"
    made = done("ada", PASSWORDS["ada"], "SubmitJob", qry=text, context="MyDB", taskname=MARK)
    number = re.sub("<[^>]*>|\\s", "", made.text.partition("?>")[2])
    assert MARK in done("ada", PASSWORDS["ada"], "GetJobs", conditions=f"jobid : {number}").text
    nothing = str(int(number) ^ 1)
    for who in ("eve", "warden"):
        for operation, field in (
            ("GetJobStatus", "jobid"),
            ("CancelJob", "jobid"),
            ("GetJobs", "conditions"),
        ):
            answers = []
            for asked in (number, nothing):
                said = f"jobid : {asked}" if field == "conditions" else asked
                answer = done(who, PASSWORDS[who], operation, **{field: said})
                assert MARK not in answer.text
                answers.append(told(answer, asked))
            assert answers[0] == answers[1], (who, operation)
        assert MARK not in done(who, PASSWORDS[who], "GetJobs").text
        assert "user_ada" not in done(who, PASSWORDS[who], "GetQueues").text.casefold()
    for operation in ("GetJobs", "GetQueues", "GetJobStatus"):  # her number is no password
        for password in ("", "wrong", str(wsid_of("ada"))):
            refused = done("ada", password, operation, jobid=number)
            assert refused.status_code in {401, 403, 429}, refused.text
        other = done("eve", PASSWORDS["eve"], operation, jobid=number, owner_wsid=str(wsid_of("ada")))
        assert MARK not in other.text
    assert platform.jobs.numbered(f"{int(number):013x}", platform.identity.known("ada")).phase != "ABORTED"


@pytest.mark.parametrize("who", ["nobody", "eve"])
def test_jobs_history_and_their_results_are_their_owners(ask: Ask, platform: Platform, who: str) -> None:
    text = f"SELECT behind FROM mydb.{REAL}"
    made = ask(
        "ada", "POST /tap/async", data={"LANG": "ADQL", "QUERY": text, "PHASE": "RUN", "FORMAT": "csv"}
    )
    job = made.headers["location"].rpartition("/")[2]
    phase = "QUEUED"
    while phase in {"QUEUED", "EXECUTING"}:
        ask("ada", f"GET /tap/async/{job}", params={"WAIT": "10", "PHASE": phase})
        phase = ask("ada", f"GET /tap/async/{job}/phase").text
    assert MARK in ask("ada", f"GET /tap/async/{job}/results/result").text
    (asked,) = platform.history.find(platform.identity.known("ada"), most=1)
    nothing = "f" * len(job)
    for path in (
        "/tap/async/{}", "/tap/async/{}/parameters", "/tap/async/{}/results", "/tap/async/{}/results/result",
        "/tap/async/{}/error", "/api/jobs/{}", "/api/jobs/{}/result", "/api/jobs/{}/results/result",
        "/soda/async/{}", "/datalab/query/results?jobid={}", "/datalab/query/status?jobid={}",
        "/CasJobs/RestApi/jobs/{}",
    ):  # fmt: skip
        one, other = (ask(who, "GET " + path.format(identifier)) for identifier in (job, nothing))
        assert MARK not in one.text
        assert REAL not in one.text
        assert told(one, job) == told(other, nothing), path
    one = ask(who, f"GET /api/history/{asked.id}")
    other = ask(who, f"GET /api/history/{'0' * len(asked.id)}")
    assert told(one, asked.id)[0] == told(other, "0" * len(asked.id))[0] >= 400
    assert MARK not in one.text


def test_what_was_shared_is_closed_again_when_it_is_taken_back(ask: Ask, platform: Platform) -> None:
    ada = platform.identity.known("ada")
    platform.tables.write("mydb.lent", _rows("lent"), ada, ra="ra", dec="dec")
    record = platform.tables.table("mydb.lent", ada)
    query = {"query": "select behind from user_ada.lent", "lang": "tsql", "format": "csv"}
    listed = {"query": "SELECT table_name FROM TAP_SCHEMA.tables", "format": "csv"}
    shared = platform.shares.share(ada, "table", record.full_name, "user:eve", action=READ)
    assert "lent" in ask("eve", "POST /api/sql", json=query).text
    assert "user_ada.lent" in ask("eve", "POST /api/sql", json=listed).text
    # who may read it may not change it, and only she
    for text in ("delete from user_ada.lent", "drop table user_ada.lent", "update user_ada.lent set id = 9"):
        assert ask("eve", "POST /api/sql", json={"query": text, "lang": "tsql"}).status_code in {403, 404}
    assert ask("nobody", "POST /api/sql", json=query).status_code >= 400
    platform.shares.revoke(ada, shared.id)
    assert ask("eve", "POST /api/sql", json=query).status_code >= 400
    assert "lent" not in ask("eve", "POST /api/sql", json=listed).text
    # a table of the same name later is not what was shared
    platform.shares.share(ada, "table", record.full_name, "user:eve", action=READ)
    platform.tables.drop("mydb.lent", ada)
    platform.tables.write("mydb.lent", _rows(MARK), ada)
    answer = ask("eve", "POST /api/sql", json=query)
    assert answer.status_code >= 400
    assert MARK not in answer.text
    platform.tables.drop("mydb.lent", ada)


def test_files_on_the_disk_are_no_tables(ask: Ask, platform: Platform) -> None:
    record = platform.tables.table(f"mydb.{REAL}", platform.identity.known("ada"))
    folder = Path(platform.settings.folder) / "tables" / record.stored.location
    (file,) = (path for path in folder.rglob("*.parquet") if not path.name.startswith("_"))
    for dialect in QUERIES:
        for text in (
            f"SELECT * FROM read_parquet('{file}')", f"SELECT * FROM '{file}'", f'SELECT * FROM "{file}"',
            f"SELECT * FROM parquet_scan('{file}')", f"SELECT * FROM glob('{folder}/*')",
        ):  # fmt: skip
            answer = ask("eve", "POST /api/sql", json={"query": text, "lang": dialect, "format": "csv"})
            assert answer.status_code >= 400
            assert MARK not in answer.text


def test_an_upload_does_not_land_in_it(ask: Ask, platform: Platform) -> None:
    ada = platform.identity.known("ada")
    before = platform.tables.table(f"mydb.{REAL}", ada)
    votable = ask(
        "eve", "GET /tap/sync", params={"LANG": "ADQL", "QUERY": "SELECT id FROM tiny.sources"}
    ).content
    for who in PEOPLE:
        for name in (f"user_ada.{REAL}", f"USER_ADA.{REAL.upper()}"):
            files = {"FILE": ("t.vot", io.BytesIO(votable), "application/x-votable+xml")}
            answer = ask(who, "POST /tap/Upload", data={"TABLE_NAME": name, "FORMAT": "votable"}, files=files)
            assert answer.status_code < 500
            assert MARK not in answer.text
    after = platform.tables.table(f"mydb.{REAL}", ada)
    assert (after.version, after.rows, after.stored) == (before.version, before.rows, before.stored)


def test_nothing_of_it_has_changed(platform: Platform, ask: Ask) -> None:
    """The last test: after all that was tried, the table is as it was made, and nobody was let in."""
    ada = platform.identity.known("ada")
    record = platform.tables.table(f"mydb.{REAL}", ada)
    assert record.rows == 2
    assert record.title == f"The {MARK}"
    assert [version.is_current for version in platform.versions.kept(f"mydb.{REAL}", ada)].count(True) == 1
    for who in PEOPLE[1:]:
        identity = platform.identity.known(who)
        allowed = platform.policy.allowed(identity, READ, Resource("table", record.full_name, "ada"))
        assert allowed == (who == "warden")  # whose right to everything does not make it a table of his
        assert REAL not in {table.name for table in platform.tables.tables(identity, shared=True)}
    rows = ask(
        "ada", "POST /api/sql", json={"query": f"select * from mydb.{REAL}", "lang": "tsql", "format": "csv"}
    )
    assert rows.text.count(MARK) == 3  # two values, one column's name
