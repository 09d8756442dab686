"""Long queries from Python, without a server: the archive runs, with its workers, beside this process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from astropy.table import Table

from awe.client import Client, connect
from awe.errors import CancelledError, NotFoundError, ParameterError, TimeLimitError, UnknownNameError
from awe.testing import TINY_TABLE, tiny_archive

pytestmark = pytest.mark.slow

QUERY = f"SELECT TOP 5 id, ra FROM {TINY_TABLE} ORDER BY id"
LONG = f"SELECT COUNT(*) AS n FROM {TINY_TABLE} a, {TINY_TABLE} b, {TINY_TABLE} c, {TINY_TABLE} d WHERE a.mag + b.mag + c.mag > d.mag"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sky")
    with tiny_archive(made) as platform:
        platform.accounts.add("ada", by="local:test", password="correct horse")
    return made


@pytest.fixture(scope="module")
def archive(folder: Path) -> Iterator[Client]:
    with connect(folder) as opened:
        opened.login("ada", "correct horse")
        yield opened


def test_a_job_from_submission_to_rows(archive: Client) -> None:
    job = archive.submit(QUERY, name="five")
    assert job.phase in {"QUEUED", "EXECUTING", "COMPLETED"}
    assert (job.name, job.query) == ("five", QUERY)
    rows = job.result()
    assert isinstance(rows, Table)
    assert list(rows["id"]) == [1, 2, 3, 4, 5]
    assert str(rows["ra"].unit) == "deg"
    assert (job.phase, job.progress, job.error) == ("COMPLETED", ("rows", 5, None), None)
    assert job.size
    again = archive.job(job.id)
    assert again.id in {one.id for one in archive.jobs(phase="completed")}
    again.delete()
    with pytest.raises(NotFoundError):
        archive.job(job.id)
    assert archive.jobs(last=1) == []


def test_the_error_of_a_query_is_raised_where_its_rows_are_asked_for(archive: Client) -> None:
    job = archive.submit(f"SELECT nix FROM {TINY_TABLE}").wait(60)
    assert job.phase == "ERROR"
    with pytest.raises(UnknownNameError, match="no column nix") as caught:
        job.result()
    assert caught.value.fields == {"line": 1, "column": 8}


def test_an_answer_is_written_to_a_file(archive: Client, tmp_path: Path) -> None:
    job = archive.submit(QUERY, format="csv", max_rows=2)
    with pytest.raises(ParameterError, match="text/csv"):
        job.result()
    with pytest.warns(UserWarning, match="cut at the row limit"):
        path = job.result(tmp_path / "five.csv")
    assert isinstance(path, Path)
    assert len(path.read_text().split()) == 3


def test_tables_come_with_a_job(archive: Client) -> None:
    mine = Table({"id": [1, 2, 7000]})
    job = archive.submit(
        f"SELECT COUNT(*) AS n FROM {TINY_TABLE} AS t JOIN TAP_UPLOAD.mine AS m ON m.id = t.id",
        uploads={"mine": mine},
    )
    rows = job.result()
    assert isinstance(rows, Table)
    assert list(rows["n"]) == [2]


def test_a_job_is_waited_for_and_stopped(archive: Client) -> None:
    job = archive.submit(LONG)
    with pytest.raises(TimeLimitError, match="it goes on"):
        job.wait(0.2)
    assert job.abort().phase == "ABORTED"
    with pytest.raises(CancelledError):
        job.result()
