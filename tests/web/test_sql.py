"""The two queues: statements answered at once and as jobs, what they make, and what is remembered of them."""

import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from astropy.table import Table
from starlette.testclient import TestClient

from awe.cli import main
from awe.client import Client, connect
from awe.errors import (
    AuthenticationError,
    ConflictError,
    ForbiddenError,
    QueryError,
    TimeLimitError,
    UnknownNameError,
)
from awe.platform import Platform
from awe.services.catalogs import BATCH, QueryOrder
from awe.services.identity import READ, Identity
from awe.services.jobs import Phase
from awe.services.jobs.interface import Work
from awe.testing import TINY_TABLE, log_in, tiny_archive
from awe.web import build_app

pytestmark = pytest.mark.slow

BRIGHT = f"SELECT id, mag FROM {TINY_TABLE} WHERE mag < 20 ORDER BY id"
BATCH_TEXT = """
    SELECT id, mag INTO mydb.bright FROM sources WHERE mag < 20
    SELECT COUNT(*) AS n FROM mydb.bright
    UPDATE mydb.bright SET mag = 0 WHERE id % 2 = 0
    SELECT TOP 3 id FROM mydb.bright ORDER BY id
"""
SLOW = f"SELECT COUNT(*) AS n FROM {TINY_TABLE} a, {TINY_TABLE} b, {TINY_TABLE} c, {TINY_TABLE} d WHERE a.mag + b.mag + c.mag > d.mag"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Platform]:
    with tiny_archive(tmp_path) as platform:
        for name in ("ada", "bob"):
            platform.accounts.add(name, by="local:test", password="correct horse")
        yield platform


@pytest.fixture
def address(archive: Platform, serving: Callable[[Platform], AbstractContextManager[str]]) -> Iterator[str]:
    with serving(archive) as found:
        yield found


@pytest.fixture
def ada(archive: Platform, address: str) -> Iterator[Client]:
    with connect(address, token=log_in(archive, "ada")) as client:
        yield client


@pytest.fixture
def web(archive: Platform) -> Iterator[TestClient]:
    with TestClient(build_app(archive), headers={"X-Auth-Token": log_in(archive, "ada")}) as opened:
        yield opened


@pytest.fixture
def bright(archive: Platform) -> list[int]:
    """Return the ids of the bright sources, computed here."""
    rows = archive.catalogs.query(f"SELECT id, mag FROM {TINY_TABLE}", asked=False).to_table().to_pylist()
    return sorted(row["id"] for row in rows if row["mag"] < 20)


# At once


def test_one_result_is_a_table_and_several_are_a_list(ada: Client, bright: list[int]) -> None:
    one = ada.sql(BRIGHT)
    assert isinstance(one, Table)
    assert list(one["id"]) == bright
    assert str(one["mag"].unit) == "mag"
    several = ada.sql(BATCH_TEXT, lang="tsql", context="tiny")
    assert isinstance(several, list)
    made, counted, changed, first = several
    assert (made.colnames, list(made["Rows Affected"])) == (["Rows Affected"], [len(bright)])
    assert list(counted["n"]) == [len(bright)]
    assert list(changed["Rows Affected"]) == [sum(n % 2 == 0 for n in bright)]
    assert list(first["id"]) == bright[:3]
    (asked,) = ada.history.find("INTO mydb.bright")
    assert (asked.phase, asked.face, asked.lang, asked.context) == ("COMPLETED", "api", "tsql", "tiny")
    assert asked.rows == len(bright) + 1 + sum(n % 2 == 0 for n in bright) + 3


@pytest.mark.parametrize("lang", ["adql", "tsql", "postgres"])
def test_rows_become_a_table_of_ones_own(ada: Client, bright: list[int], lang: str) -> None:
    made = ada.sql(BRIGHT, lang=lang, into="mydb.bright", max_rows=3)  # type: ignore[arg-type]  # each of them
    assert isinstance(made, Table)
    assert list(made["Rows Affected"]) == [len(bright)]
    again = ada.sql("SELECT id FROM mydb.bright ORDER BY id")
    assert isinstance(again, Table)
    assert list(again["id"]) == bright
    with pytest.raises(ConflictError, match="already an object named"):
        ada.sql(BRIGHT, into="mydb.bright")
    ada.sql(f"SELECT TOP 1 id FROM {TINY_TABLE}", into="mydb.bright", replace=True)
    assert len(ada.sql("SELECT id FROM mydb.bright")) == 1
    assert [one.phase for one in ada.history.find("mydb.bright", phase="error")] == ["ERROR"]


def test_a_batch_that_fails_in_its_middle_says_where_and_is_remembered(ada: Client) -> None:
    text = "SELECT TOP 1 id INTO mydb.one FROM sources\nSELECT nothing FROM mydb.one"
    with pytest.raises(UnknownNameError, match="line 2"):
        ada.sql(text, lang="tsql", context="tiny")
    assert len(ada.sql("SELECT id FROM mydb.one")) == 1
    (failed,) = ada.history.find(phase="error")
    assert (failed.query, failed.rows) == (text, 1)
    assert failed.message.startswith("line 2")
    with pytest.raises(QueryError):
        ada.sql("SELECT FROM", lang="tsql")
    assert [one.query for one in ada.history.find(phase="error")] == ["SELECT FROM", text]


def test_statements_need_somebody_whose_token_allows_them(
    archive: Platform, address: str, ada: Client
) -> None:
    ada.sql(BRIGHT, into="mydb.bright")
    with connect(address, token="") as nobody:
        with pytest.raises(AuthenticationError):
            nobody.sql(BRIGHT, into="mydb.bright")
        assert len(nobody.sql(f"SELECT TOP 2 id FROM {TINY_TABLE}; SELECT 1 AS n", lang="tsql")) == 2
    reading, _ = archive.identity.new_token(archive.identity.known("ada"), "reads", frozenset({READ}), days=1)
    with connect(address, token=reading) as reader:
        assert len(reader.sql("SELECT id FROM mydb.bright")) > 0
        with pytest.raises(ForbiddenError):
            reader.sql("DROP TABLE mydb.bright", lang="tsql")
        with pytest.raises(ForbiddenError):
            reader.sql(BRIGHT, into="mydb.other")


def test_formats_and_what_was_left_out(web: TestClient) -> None:
    asked = {"query": f"SELECT id FROM {TINY_TABLE} ORDER BY id", "format": "csv", "max_rows": 2}
    one = web.post("/api/sql", json=asked)
    assert one.headers["content-type"].startswith("text/csv")
    assert (one.text.split(), one.headers["x-awe-overflow"]) == (["id", "1", "2"], "true")
    two = web.post("/api/sql", json={**asked, "query": "SELECT 1 AS a; SELECT 'x' AS b", "lang": "postgres"})
    assert (two.headers["content-type"], two.headers["x-awe-overflow"]) == ("application/zip", "false")
    with zipfile.ZipFile(io.BytesIO(two.content)) as packed:
        assert {name: packed.read(name).decode().split() for name in packed.namelist()} == {
            "Table1.csv": ["a", "1"],
            "Table2.csv": ["b", "x"],
        }
    usage = {line["measure"]: line["used"] for line in web.get("/api/me/usage").json()["usage"]}
    assert (usage["queries_at_once"], usage["queries_per_day"]) == (0, 2)


def test_what_takes_too_long_is_told_of_the_long_queue(tmp_path: Path) -> None:
    with tiny_archive(tmp_path, limits={"seconds": 0.3}) as platform:
        platform.accounts.add("ada", by="local:test", password="correct horse")
        with TestClient(build_app(platform), headers={"X-Auth-Token": log_in(platform, "ada")}) as web:
            for lang in ("adql", "tsql"):
                told = web.post("/api/sql", json={"query": SLOW, "lang": lang})
                assert told.status_code == TimeLimitError.status
                assert "long queue" in told.json()["error"]["hint"]
                assert "archive.submit" in told.json()["error"]["hint"]
            assert [q["phase"] for q in web.get("/api/history").json()["queries"]] == ["ABORTED"] * 2


def test_a_past_query_is_run_again(ada: Client, bright: list[int]) -> None:
    ada.sql(BRIGHT, into="mydb.bright")
    ada.history.name(ada.history.find(last=1)[0], "the bright ones")
    with pytest.raises(ConflictError):
        ada.history.rerun("the bright ones")
    ada.history.rerun("the bright ones", into="mydb.others")
    assert len(ada.sql("SELECT id FROM mydb.others")) == len(bright)


@pytest.mark.parametrize("form", ["votable", "csv", "fits", "json", "parquet", "arrow", "ecsv"])
def test_statements_without_rows_have_an_answer_in_every_format(web: TestClient, form: str) -> None:
    text = "CREATE TABLE mydb.t (n int) DROP TABLE mydb.t"
    told = web.post("/api/sql", json={"query": text, "lang": "tsql", "format": form})
    assert told.status_code == 200, told.text
    if form == "csv":
        assert told.text.splitlines() == ["Rows Affected"]


def test_a_table_that_is_dropped_is_gone(ada: Client) -> None:
    ada.sql(BRIGHT, into="mydb.bright")
    assert len(ada.sql("DROP TABLE mydb.bright", lang="tsql")) == 0
    with pytest.raises(UnknownNameError):
        ada.sql("SELECT id FROM mydb.bright")


# As jobs


def test_a_batch_is_a_job_with_a_file_for_each_result(ada: Client, bright: list[int], tmp_path: Path) -> None:
    job = ada.submit(BATCH_TEXT, lang="tsql", context="tiny", name="four")
    made, counted, changed, first = job.results()
    assert list(made["Rows Affected"]) == list(counted["n"]) == [len(bright)]
    assert list(changed["Rows Affected"]) == [sum(n % 2 == 0 for n in bright)]
    assert list(first["id"]) == bright[:3]
    assert job.phase == "COMPLETED"
    assert list(ada.job(job.id).result(name="Table2")["n"]) == [len(bright)]  # type: ignore[index]  # a table
    assert [one.id for one in ada.jobs()] == [job.id]
    (asked,) = ada.history.find()
    assert (asked.job, asked.name, asked.phase, asked.face) == (job.id, "four", "COMPLETED", "api")


@pytest.mark.parametrize("lang", ["adql", "tsql"])
def test_the_long_queue_makes_a_table(ada: Client, bright: list[int], lang: str) -> None:
    job = ada.submit(BRIGHT, lang=lang, into="mydb.bright").wait()  # type: ignore[arg-type]  # each of them
    assert (job.phase, job.into) == ("COMPLETED", "mydb.bright")
    assert list(job.result()["Rows Affected"]) == [len(bright)]  # type: ignore[index]  # a table
    assert len(ada.sql("SELECT id FROM mydb.bright")) == len(bright)
    again = ada.submit(BRIGHT, lang=lang, into="mydb.bright").wait()  # type: ignore[arg-type]  # each of them
    assert "already an object named" in str(again.error)
    failed, _, done = ada.history.find()
    assert (failed.phase, done.phase, done.into) == ("ERROR", "COMPLETED", "mydb.bright")
    resubmitted = ada.history.resubmit(done, replace=True).wait()
    assert resubmitted.phase == "COMPLETED"


def work(archive: Platform, folder: Path, text: str, **more: object) -> Work:
    """Return the work of a batch that was begun before."""
    order = QueryOrder(text, dialect="tsql", context="tiny", format="csv", media_type="text/csv", **more)  # type: ignore[arg-type]
    job = archive.jobs.create(BATCH, Identity("ada"))
    folder.mkdir()
    return Work(
        Identity("ada"), order.to_json(), folder, (), folder, lambda *_: None, None, again_since=job.created
    )


def test_a_batch_that_may_have_done_its_part_is_not_begun_again(archive: Platform, tmp_path: Path) -> None:
    run = archive.kinds()[BATCH]
    for text in ("INSERT INTO mydb.t VALUES (2)", "SELECT 2 AS n INTO mydb.t"):
        before = work(archive, tmp_path / f"before{len(text)}", text)
        for result in archive.batches.run(
            "DROP TABLE IF EXISTS t; SELECT 1 AS n INTO mydb.t", identity=Identity("ada")
        ):
            result.stream.to_table()
        with pytest.raises(ConflictError, match="stopped in its middle"):
            run(before)
    for number, text in enumerate(
        ("DROP TABLE mydb.t", "SELECT 2 AS n INTO mydb.a; EXEC sp_rename 'a', 'b'")
    ):
        before = work(archive, tmp_path / f"changed{number}", text)
        for result in archive.batches.run(text, identity=Identity("ada")):
            result.stream.to_table()
        with pytest.raises(ConflictError, match="stopped in its middle"):
            run(before)
    archive.versions.restore("mydb.t", Identity("ada"))
    untouched = work(archive, tmp_path / "untouched", "INSERT INTO mydb.t VALUES (3)")
    assert [result.name for result in run(untouched)] == ["Table1"]
    replacing = work(archive, tmp_path / "replacing", "SELECT 4 AS n", into="mydb.t", replace=True)
    assert [result.rows for result in run(replacing)] == [1]
    made = work(archive, tmp_path / "made", "SELECT 4 AS n", into="mydb.u")
    assert [result.rows for result in run(made)] == [1]
    again = tmp_path / "again"
    again.mkdir()
    (told,) = run(
        replace(made, folder=again)
    )  # the service stopped when the table was made, and said nothing of it
    assert (told.rows, (again / told.file).read_text().split("\n")[1]) == (1, "1")
    reading = work(archive, tmp_path / "reading", "SELECT n FROM mydb.t")
    (read,) = run(reading)
    assert (reading.folder / read.file).read_text().split() == ["n", "4"]


def test_a_job_of_a_batch_belongs_to_its_owner(archive: Platform, ada: Client, web: TestClient) -> None:
    job = archive.jobs.submit(
        BATCH, archive.identity.known("ada"), QueryOrder("SELECT 1 AS n", dialect="tsql").to_json()
    )
    with TestClient(build_app(archive), headers={"X-Auth-Token": log_in(archive, "bob")}) as bob:
        for path in ("", "/result", "/results/Table1"):
            assert bob.get(f"/api/jobs/{job.id}{path}").status_code == 404
    assert web.get(f"/api/jobs/{job.id}").json()["id"] == job.id
    assert web.get(f"/tap/async/{job.id}").status_code == 404
    ada.job(job.id).abort()
    assert archive.jobs.job(job.id, Identity("ada")).phase in {Phase.ABORTED, Phase.COMPLETED}


# The command line


def test_the_command_line(
    archive: Platform,
    address: str,
    bright: list[int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AWE_URL", address)
    monkeypatch.setenv("AWE_TOKEN", log_in(archive, "ada"))

    def awe(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["awe", *words])
        main()
        return capsys.readouterr().out

    made = json.loads(awe("query", BRIGHT, "--into", "mydb.bright", "--json"))
    assert made["rows"] == [{"Rows Affected": len(bright)}]
    lines = awe(
        "query", "--lang", "tsql", "SELECT COUNT(*) AS n FROM mydb.bright SELECT 2 AS m", "--json"
    ).splitlines()
    assert [json.loads(line)["rows"] for line in lines] == [[{"n": len(bright)}], [{"m": 2}]]
    with pytest.raises(SystemExit):
        awe("query", BRIGHT, "--into", "mydb.bright")
    awe("query", BRIGHT, "--into", "mydb.bright", "--replace", "--long")
    assert "mydb.bright" in awe("jobs", "ls")
    first = json.loads(awe("history", "ls", "--phase", "completed", "--json"))["rows"][0]["id"]
    assert str(len(bright)) in awe("history", "rerun", first, "--into", "mydb.third")
    assert str(len(bright)) in awe("history", "rerun", first, "--replace", "--long")
