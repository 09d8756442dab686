"""What the Data Lab's client sends, sent here: the answers that it takes apart, and what it may not do."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from awe.platform import Platform
from awe.testing import TINY_TABLE, tiny_archive
from awe.web import build_app

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
    "path", ["nix", "storage/ls?name=vos://", "spec/getSpec", "sparc/find/", "res/create?what=user"]
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
        ({"out": "vos://x.csv"}, "vos:// is no place for results"),
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
    assert answer.text.startswith("Error: ")


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
