"""astroquery's TapPlus, without an account, against a real server."""

import gc
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from astropy.table import Table

from awe.testing import TINY_TABLE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # astroquery leaves its connections open
]


@pytest.fixture
def tap(server: str) -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what astroquery's import of its own modules warns of
        from astroquery.utils.tap.core import TapPlus
    yield TapPlus(url=f"{server}/tap")
    gc.collect()  # here, where what it leaves open is ignored


def test_tables(tap: Any) -> None:
    names = [table.name for table in tap.load_tables()]
    assert {"TAP_SCHEMA.tables", TINY_TABLE, "ivoa.obscore"} <= set(names)
    assert [table.name for table in tap.load_tables(only_names=True)] == names
    table = tap.load_table(TINY_TABLE)
    assert (table.name, [column.name for column in table.columns][:3]) == (TINY_TABLE, ["id", "ra", "dec"])
    assert table.columns[1].unit == "deg"


@pytest.mark.parametrize("form", ["votable", "csv", "ecsv"])
def test_a_query(tap: Any, form: str) -> None:
    job = tap.launch_job(f"SELECT TOP 7 id, mag FROM {TINY_TABLE} ORDER BY id", output_format=form)
    assert job.get_phase() == "COMPLETED"
    assert list(job.get_results()["id"]) == [1, 2, 3, 4, 5, 6, 7]


def test_a_wrong_query_says_why(tap: Any) -> None:
    with pytest.raises(requests.HTTPError, match="no column nix"):
        tap.launch_job(f"SELECT nix FROM {TINY_TABLE}")


def test_an_asynchronous_query(tap: Any) -> None:
    job = tap.launch_job_async(f"SELECT TOP 7 id FROM {TINY_TABLE} ORDER BY id")
    assert list(job.get_results()["id"]) == [1, 2, 3, 4, 5, 6, 7]
    assert job.get_phase() == "COMPLETED"
    again = tap.load_async_job(jobid=job.jobid)
    assert len(again.get_results()) == 7


def test_an_uploaded_table_joins(tap: Any) -> None:
    own = Table({"number": [3, 5]})
    query = f"SELECT t.id FROM {TINY_TABLE} AS t JOIN TAP_UPLOAD.own AS o ON t.id = o.number ORDER BY t.id"
    for launch in (tap.launch_job, tap.launch_job_async):
        job = launch(query, upload_resource=own, upload_table_name="own")
        assert list(job.get_results()["id"]) == [3, 5]


def test_jobs_of_nobody_are_in_no_list(tap: Any) -> None:
    job = tap.launch_job_async(f"SELECT TOP 1 id FROM {TINY_TABLE}")
    assert job.get_phase() == "COMPLETED"
    assert not tap.list_async_jobs()  # they belong to whoever knows their number
