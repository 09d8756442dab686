"""What the Data Lab's client sends, sent here: the answers that it takes apart, and what it may not do."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from awe.platform import Platform
from awe.testing import TINY_TABLE, tiny_archive
from awe.web import build_app

pytestmark = pytest.mark.slow

NOBODY = "anonymous.0.0.anon_access"
QUERY = "/datalab/query/query"


def ask(web: TestClient, sql: str, token: str = NOBODY, **more: str) -> Any:
    given = {
        "sql": sql,
        "ofmt": "csv",
        "out": "None",
        "async": "False",
        "drop": "False",
        "profile": "default",
    }
    headers = {"Content-Type": "text/ascii", "X-DL-TimeoutRequest": "300", "X-DL-AuthToken": token}
    return web.get(QUERY, params=given | more, headers=headers)


@pytest.mark.parametrize("word", ["auth", "query", "storage", "res"])
@pytest.mark.parametrize("end", ["", "/"])
def test_each_service_says_hello(web: TestClient, word: str, end: str) -> None:
    answer = web.get(f"/datalab/{word}{end}")
    assert (answer.status_code, answer.text[:11].lower()) == (200, "hello world")


@pytest.mark.parametrize(
    "path", ["nix", "storage/nix?name=vos://", "spec/getSpec", "sparc/find/", "res/create?what=user"]
)
def test_what_is_not_offered_says_so(web: TestClient, path: str) -> None:
    answer = web.get(f"/datalab/{path}")
    assert answer.status_code == 404
    assert answer.text.startswith("Error: ")
    assert "not offered (" in answer.text


def test_values_are_written_as_postgresql_does(web: TestClient) -> None:
    sql = (
        "SELECT CAST('NaN' AS double precision) AS a, CAST('-Infinity' AS double precision) AS b,"
        " CAST('Infinity' AS real) AS c, 1.5 AS d, NULL AS e, true AS f, 'a,\"b' AS g"
    )
    assert ask(web, sql).text == 'a,b,c,d,e,f,g\nNaN,-Infinity,Infinity,1.5,,True,"a,""b"\n'
    assert ask(web, sql, ofmt="ascii").text.splitlines()[0] == "a\tb\tc\td\te\tf\tg"


@pytest.mark.parametrize("token", [NOBODY, "dldemo.99999.99999.demo_access"])
def test_the_client_s_own_tokens_are_nobody_s(web: TestClient, token: str) -> None:
    assert ask(web, f"SELECT id FROM {TINY_TABLE} LIMIT 1", token).status_code == 200
    asked = {"token": token}
    assert web.get("/datalab/auth/isValidToken", params=asked).text == "True"
    assert web.get("/datalab/auth/isTokenLoggedIn", params=asked).text == "False"


def test_the_token_of_the_tests_is_no_token(web: TestClient) -> None:
    assert ask(web, "SELECT 1", "dltest.99998.99998.test_access").status_code == 401


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"sql": ""}, "sql is needed"),
        ({"ofmt": "excel"}, "ofmt=excel: no such format (there are csv, ascii"),
        ({"profile": "simbad"}, "there is no profile simbad"),
        ({"out": "vos://x.csv"}, "only who is logged in can do this"),
        ({"out": "s3://x.csv"}, "s3:// is no place for results"),
        ({"async": "perhaps"}, "async=perhaps: is neither True nor False"),
        ({"sql": "SELECT nix FROM tiny.sources"}, "nix"),
        ({"sql": "SELECT * FROM x.y"}, "x.y"),
    ],
)
def test_errors_are_texts(web: TestClient, given: dict[str, str], says: str) -> None:
    answer = ask(web, given.pop("sql", "SELECT 1 AS one"), **given)
    assert 400 <= answer.status_code < 500
    assert answer.text.startswith("Error: ")
    assert says in answer.text


def test_nothing_is_left_out_without_a_word(tmp_path_factory: pytest.TempPathFactory) -> None:
    limits = {"rows": 100, "default_rows": 10}
    with (
        tiny_archive(tmp_path_factory.mktemp("small"), limits=limits) as platform,
        TestClient(build_app(platform)) as web,
    ):
        assert len(ask(web, f"SELECT id FROM {TINY_TABLE} WHERE id <= 100").text.splitlines()) == 101
        for form in ("csv", "ascii", "votable", "fits"):
            answer = ask(web, f"SELECT id FROM {TINY_TABLE}", ofmt=form)
            assert answer.status_code == 413, form
            assert "more rows than the operator allows" in answer.text


def test_a_query_ends_before_its_client_gives_up(web: TestClient) -> None:
    slow = " CROSS JOIN ".join(f"{TINY_TABLE} AS t{n}" for n in range(5))
    headers = {"X-DL-TimeoutRequest": "1", "X-DL-AuthToken": NOBODY}
    answer = web.get(QUERY, params={"sql": f"SELECT sum(t0.mag + t4.mag) FROM {slow}"}, headers=headers)
    assert answer.status_code == 408
    assert answer.text.startswith("Error: Query timeout")


def test_a_job_of_another_client_is_told_too(web: TestClient, platform: Platform, token: str) -> None:
    known = {"X-DL-AuthToken": token}
    job = ask(web, f"SELECT id FROM {TINY_TABLE} ORDER BY id LIMIT 2", token, **{"async": "True"}).text
    assert web.get("/datalab/query/status", params={"jobid": job}, headers=known).text in {
        "QUEUED",
        "EXECUTING",
        "COMPLETED",
    }
    found = web.get("/datalab/res/findJobs", params={"jobid": job, "format": "json"}, headers=known).text
    rows = json.loads(found.replace("'", '"')[1:-1])
    assert [row["jobid"] for row in rows] == [job]
    assert platform.jobs.job(job, platform.identity.known("ada")).parameters[0] == (
        "QUERY",
        f"SELECT id FROM {TINY_TABLE} ORDER BY id LIMIT 2",
    )


def test_a_cookie_alone_removes_nothing(web: TestClient, token: str) -> None:
    answer = web.get(
        "/datalab/res/findJobs", params={"option": "delete"}, headers={"Cookie": f"awe_token={token}"}
    )
    assert answer.status_code == 401


def test_passwords_and_tokens_are_scrubbed(
    web: TestClient, caplog: pytest.LogCaptureFixture, token: str
) -> None:
    with caplog.at_level("INFO", logger="awe.access"):
        web.get("/datalab/auth/isValidPassword", params={"user": "ada", "password": "correct horse"})
        web.get("/datalab/auth/isValidToken", params={"token": token})
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "isValidPassword" in said
    assert "horse" not in said
    assert token not in said


@pytest.fixture
def own(platform: Platform, token: str, web: TestClient) -> Any:
    """Return what asks for something of ada's tables; they are dropped afterwards."""

    def asked(path: str, method: str = "GET", **given: str) -> Any:
        return web.request(method, f"/datalab/query/{path}", params=given, headers={"X-DL-AuthToken": token})

    yield asked
    ada = platform.identity.known("ada")
    for record in platform.tables.tables(ada):
        platform.tables.drop(record.full_name, ada)


def test_failures_of_own_tables_have_a_status(own: Any, web: TestClient) -> None:
    assert own("create", "POST", table="t", schema="id,bigint\nname,text\n").text == "OK"
    taken = own("create", "POST", table="t", schema="id,bigint\n", drop="False")
    assert (taken.status_code, taken.text.startswith("Error: Table name already exists. ")) == (409, True)
    for schema, says in (
        ("id,quark\n", "quark"),
        ("", "schema is needed"),
        ("id,int); DROP TABLE t; SELECT (1\n", "Error: "),
    ):
        wrong = own("create", "POST", table="t", schema=schema)
        assert (wrong.status_code, says in wrong.text) == (400, True), schema
    assert own("list", table="t").text == "id,bigint,\nname,text,\n"
    for path, given in {
        "delete": {"table": "nix"}, "truncate": {"table": "nix"}, "rename": {"source": "nix", "target": "u"},
        "copy": {"source": "nix", "target": "u"}, "index": {"tbl": "nix", "col": "id"}, "list": {"table": "nix"},
    }.items():  # fmt: skip
        answer = own(path, **given)
        assert (answer.status_code, answer.text[:7]) == (404, "Error: "), path
    assert own("copy", source="t", target="t").status_code == 409
    assert own("index", tbl="t", col="nix").status_code == 404
    assert own("index", tbl="t", col="", q3c="id").status_code == 400
    for path in ("list", "delete?table=t", "flush"):
        nobody = web.get(f"/datalab/query/{path}", headers={"X-DL-AuthToken": NOBODY})
        assert (nobody.status_code, nobody.text[:7]) == (401, "Error: "), path


def test_a_cookie_alone_drops_nothing(own: Any, web: TestClient, token: str) -> None:
    own("create", "POST", table="t", schema="id,bigint\n")
    for path in ("delete?table=t", "truncate?table=t", "rename?source=t&target=u"):
        assert web.get(f"/datalab/query/{path}", headers={"Cookie": f"awe_token={token}"}).status_code == 401
    for more in (
        {"out": "mydb://t", "drop": "True"},
        {"async": "True"},
        {"async": "True", "out": "mydb://t"},
    ):
        out = {"sql": "SELECT 1 AS n", **more}
        assert web.get(QUERY, params=out, headers={"Cookie": f"awe_token={token}"}).status_code == 401
    assert own("list").text.startswith("t,created:")
    assert own("list", table="t").text == "id,bigint,\n"


def test_a_published_table_is_copied(own: Any, web: TestClient, token: str) -> None:
    assert own("copy", source=TINY_TABLE, target="mine").text == "OK"
    assert ask(web, "SELECT count(*) FROM mydb://mine", token).text == "count\n500\n"


def send(web: TestClient, token: str, name: str, *pieces: bytes) -> Any:
    for number, piece in enumerate(pieces):
        headers = {
            "Content-type": "application/octet-stream", "X-DL-FileName": name, "X-DL-InitXfer": str(not number),
            "X-DL-AuthToken": token,
        }  # fmt: skip
        answer = web.post("/datalab/storage/xfer", content=piece, headers=headers)
    return answer


def test_a_file_comes_in_pieces_and_becomes_a_table(own: Any, web: TestClient, token: str) -> None:
    assert send(web, token, "tmpab12", b"ID,Name.x\n1,on", b"e\n2,two\n").text == "OK"
    made = own(
        "import",
        "POST",
        table="t",
        delimiter=",",
        append="False",
        csv_header="True",
        schema_def="",
        filename="tmpab12",
    )
    assert (made.status_code, made.text) == (200, '2 row(s) imported to user_ada."t"')
    assert own("list", table="t").text == "id,bigint,\nname_x,text,\n"
    again = own("import", "POST", table="t", filename="tmpab12")
    assert (again.status_code, again.text[:7]) == (404, "Error: ")  # a file is taken once


def test_what_cannot_be_imported(own: Any, web: TestClient, token: str) -> None:
    def import_(data: bytes, **given: str) -> Any:
        send(web, token, "x", data)
        return own("import", "POST", **({"table": "t", "filename": "x"} | given))

    for data, given, says in (
        (b"a,b\n1,2,3\n", {}, "line 2"),
        (b"a\n1\n", {"delimiter": "ab"}, "one character"),
        (b"a\n1\n", {"schema_def": "b,int\n"}, "no column a"),
        (b"a\nx\n", {"schema_def": "a,int\n"}, "column a"),
        (b"1,2\n", {"schema_def": "a,int\n", "csv_header": "False"}, "2 cells, the table has 1 columns"),
        (b"a\n1\n", {"filename": "file:///etc/passwd"}, "is no place for files"),
        (b"a\n1\n", {"filename": "http://127.0.0.1:9/x.csv"}, "127.0.0.1"),
        (b"a\n1\n", {"table": "Bad Name"}, "not the name of a table"),
        (b"a\n1\n", {"table": "tiny.sources"}, "Error: "),
        (b"a\n1\n", {"extnum": "1"}, "Error: "),
    ):
        answer = import_(data, **given)
        assert 400 <= answer.status_code < 500, (data, given)
        assert answer.text.startswith("Error: ")
        assert says in answer.text, (data, given)
    assert own("list").text == ""


def test_rows_without_a_header_get_names(own: Any, web: TestClient, token: str) -> None:
    send(web, token, "x.csv", b'1,"a,b"\n2,c\n')
    assert own("import", "POST", table="t", csv_header="False", filename="x.csv").text.startswith("2 row(s)")
    assert ask(web, "SELECT * FROM mydb://t ORDER BY col1", token).text == 'col1,col2\n1,"a,b"\n2,c\n'


def test_a_cone_in_the_old_way(web: TestClient) -> None:
    given = {"ra": "187.7059", "dec": "12.3911", "radius": "0.01"}
    answer = web.get("/datalab/scs/tiny/sources", params=given)
    other = web.get(
        "/scs/tiny.sources", params={"RA": "187.7059", "DEC": "12.3911", "SR": "0.01", "VERB": "3"}
    )
    assert answer.content.count(b"<TR>") == other.content.count(b"<TR>") > 0
