"""``casjobs`` and ``mastcasjobs`` as they are on PyPI, against a real server."""

import io
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.table import Table

from awe.platform import Platform
from awe.testing import log_in
from awe.web.compat.sciserver._account import name_of, wsid_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # the clients leave their connections open
]
PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def casjobs(server: str) -> Any:
    from casjobs import CasJobs

    base = f"{server}/CasJobs/services/jobs.asmx"
    return CasJobs(
        userid=wsid_of("ada"), password=PASSWORD, base_url=base, request_type="POST", context="tiny"
    )


@pytest.fixture(scope="module")
def mast(server: str) -> Any:
    from mastcasjobs import MastCasJobs

    return MastCasJobs(
        username="ada", password=PASSWORD, context="tiny", request_type="POST",
        base_url=f"{server}/CasJobs/services/jobs.asmx",
        wsid_url=f"{server}/CasJobs/casusers.asmx/GetWebServiceId",
        fast_url=f"{server}/CasJobs/quick_casjobs.cgi",
    )  # fmt: skip


@pytest.fixture
def name(mast: Any) -> Iterator[str]:
    """Return the name of a table that is not there yet, and is gone afterwards."""
    made = f"t{secrets.token_hex(4)}"
    yield made
    mast.drop_table_if_exists(made)


def test_a_quick_query(casjobs: Any) -> None:
    said = casjobs.quick("SELECT TOP 3 id, mag, name, flag FROM sources ORDER BY id")
    lines = said.split("\n")
    assert lines[0] == "[id]:bigint,[mag]:real,[name]:varchar,[flag]:bit"
    assert len(lines) == 5
    assert lines[1].split(",")[2] == '"source <0> & co"'
    assert casjobs.count("FROM sources") == 500


def test_it_takes_get_and_a_token_too(server: str, platform: Platform) -> None:
    from casjobs import CasJobs

    base = f"{server}/CasJobs/services/jobs.asmx"
    client = CasJobs(userid=wsid_of("ada"), password=log_in(platform, "ada"), base_url=base, context="tiny")
    assert client.count("FROM sources WHERE id < 4") == 3


def test_a_job_that_makes_a_table(casjobs: Any, name: str) -> None:
    number = casjobs.submit(f"SELECT id, mag INTO mydb.{name} FROM sources WHERE id <= 7", task_name="seven")
    assert casjobs.monitor(number, timeout=0.1) == (5, "finished")
    listed = casjobs.list_tables()
    assert name in listed
    assert "sources" not in listed  # MyDB's tables alone
    (info,) = casjobs.job_info(jobid=number)
    assert (info["TaskName"], info["Status"], info["Target"]) == ("seven", "5", "tiny")
    assert info["Rows"] == "7"
    casjobs.drop_table(name)
    assert name not in casjobs.list_tables()


@pytest.mark.parametrize(("kind", "form"), [("CSV", "csv"), ("FITS", "fits"), ("VOTable", "votable")])
def test_a_table_comes_back_as_a_file(casjobs: Any, name: str, kind: str, form: str, tmp_path: Path) -> None:
    casjobs.quick(f"SELECT id, mag INTO {name} FROM sources WHERE id <= 7")
    number = casjobs.request_output(name, kind)
    assert casjobs.monitor(number, timeout=0.1)[0] == 5
    casjobs.get_output(number, str(tmp_path / "out"))
    assert sorted(Table.read(tmp_path / "out", format=form)["id"]) == [1, 2, 3, 4, 5, 6, 7]
    content = io.BytesIO()
    casjobs.get_output(number, content)
    assert content.getvalue() == (tmp_path / "out").read_bytes()


def test_what_is_refused_is_said_in_words(casjobs: Any, server: str, name: str) -> None:
    from casjobs import CasJobs

    for query, said in (
        ("SELECT nix FROM sources", "nix"),
        ("SELEC 1", "line 1"),
        (f"DROP TABLE {name}", name),
    ):
        with pytest.raises(Exception, match=f"(?s)failed with status: [45].*{said}"):
            casjobs.quick(query)
    with pytest.raises(Exception, match="DataSet is not offered"):
        casjobs.request_output("x", "DataSet")
    wrong = CasJobs(userid=wsid_of("ada"), password="no", base_url=f"{server}/CasJobs/services/jobs.asmx")
    with pytest.raises(Exception, match="status: 401"):
        wrong.quick("SELECT 1")
    with pytest.raises(Exception, match="status: 404"):
        casjobs.status(12345)
    number = casjobs.submit("SELECT nix FROM sources")
    assert casjobs.monitor(number, timeout=0.1) == (4, "failed")
    assert "nix" in casjobs.job_info(jobid=number)[0]["Message"]


def test_jobs_are_found_by_what_they_are(casjobs: Any) -> None:
    number = casjobs.submit("SELECT 1 AS one", task_name="found me")
    casjobs.monitor(number, timeout=0.1)
    found = casjobs.job_info(taskname="found me", status="4|5")
    assert [info["JobID"] for info in found] == [str(number)]
    submitted = found[0]["TimeSubmit"]
    assert casjobs.job_info(jobid=number, timesubmit=f"{submitted},")
    assert not casjobs.job_info(jobid=number, timesubmit=",2001-01-01")
    assert not casjobs.job_info(jobid=1)
    with pytest.raises(Exception, match="is no property of a job"):
        casjobs.job_info(colour="red")


def test_a_job_is_cancelled(casjobs: Any) -> None:
    number = casjobs.submit(
        "SELECT COUNT(*) FROM sources a, sources b, sources c, sources d WHERE a.mag + b.mag > c.mag"
    )
    casjobs.cancel(number)
    assert casjobs.monitor(number, timeout=0.1)[0] in {3, 5}


def test_mast_reads_types(mast: Any) -> None:
    table = mast.quick("SELECT TOP 8 id, mag, name, flag, ra FROM sources ORDER BY id")
    assert [table[column].dtype.kind for column in ("id", "mag", "name", "flag", "ra")] == [
        "i",
        "f",
        "U",
        "u",
        "f",
    ]
    assert table["mag"].dtype == np.float32
    assert list(table["id"]) == list(range(1, 9))
    assert bool(table["flag"].mask[0])


def test_mast_uploads_and_reads_back(mast: Any, name: str) -> None:
    own = Table({"id": [2**62 + 1, 7, 9], "x": [0.1, 1e-300, -3.5], "word": ["a", "b c", "d"]})
    mast.upload_table(name, own)
    assert name in mast.list_tables()
    for table in (mast.get_table(name), mast.fast_table(name)):
        table.sort("id")
        assert list(table["id"]) == [7, 9, 2**62 + 1]
        assert list(table["x"]) == [1e-300, -3.5, 0.1]
        assert list(table["word"]) == ["b_c", "d", "a"]
    with pytest.raises(Exception, match="There is already an object named"):
        mast.upload_table(name, own)
    mast.upload_table(name, own, exists=True)
    assert mast.quick(f"SELECT COUNT(*) AS n FROM {name}", context="MYDB")["n"][0] == 6
    mast.upload_table(
        name,
        Table({"id": np.arange(500), "x": np.zeros(500), "word": ["w"] * 500}),
        exists=True,
        sizelimit=2000,
    )
    assert mast.quick(f"SELECT COUNT(*) AS n FROM {name}", context="MYDB")["n"][0] == 506


def test_mast_reads_what_is_too_much_for_a_quick_query(
    mast: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from awe.web.compat.sciserver import asmx

    mast.quick(f"SELECT id, mag INTO {name} FROM sources")
    monkeypatch.setattr(asmx, "_MOST_BYTES", 1000)
    with pytest.raises(Exception, match="the quick queue answers"):
        mast.quick(f"SELECT * FROM {name}", context="MYDB")
    monkeypatch.setattr(
        type(mast), "monitor", lambda self, job: super(type(mast), self).monitor(job, timeout=0.1)
    )
    table = mast.get_table(name, format="FITS")
    assert len(table) == 500
    with pytest.raises(ValueError, match="not found"):
        mast.fast_table("nothing_here")


def test_who_is_not_known(server: str) -> None:
    from mastcasjobs import MastCasJobs

    base = f"{server}/CasJobs"
    with pytest.raises(ValueError, match="Incorrect MAST CasJobs username/password"):
        MastCasJobs(
            username="ada", password="nonsense", base_url=f"{base}/services/jobs.asmx",
            wsid_url=f"{base}/services/casusers.asmx/GetWebServiceId",
        )  # fmt: skip


def test_numbers_of_users() -> None:
    for name in ("a", "ada", "0", "00", "Ann.O_Neil@example-1", "-", "z" * 64):
        assert name_of(str(wsid_of(name))) == name
    assert wsid_of("tencharact") < 2**63
    assert name_of("ada") == "ada"
