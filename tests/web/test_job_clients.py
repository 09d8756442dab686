"""Jobs through other people's clients against a real server: pyvo, STILTS."""

import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import pyvo
from pyvo.dal import exceptions

from awe.testing import TINY_TABLE

pytestmark = pytest.mark.slow

QUERY = f"SELECT TOP 5 id, ra, dec FROM {TINY_TABLE}"


@pytest.fixture
def tap(server: str, session: Any, token: str) -> Any:
    """Return pyvo's client of a user who has logged in."""
    session.headers["Authorization"] = f"Bearer {token}"
    return pyvo.dal.TAPService(f"{server}/tap", session=session)


def test_pyvo_runs_a_job_in_one_go(tap: Any) -> None:
    assert len(tap.run_async(QUERY)) == 5
    cut = tap.run_async(f"SELECT id FROM {TINY_TABLE}", maxrec=7, responseformat="votable/b2", delete=False)
    assert len(cut) == 7


def test_pyvo_runs_a_job_step_by_step(tap: Any, session: Any) -> None:
    job = tap.submit_job(QUERY, runid="m87", language="ADQL-2.1")
    assert (job.phase, job.owner, job.job.version) == ("PENDING", "ada", "1.1")
    assert job.quote is None
    job.execution_duration = 100
    assert job.execution_duration.to_value("s") == 100
    job.destruction = "2030-01-01T00:00:00Z"
    assert job.destruction.datetime.year < 2030  # cut to what the service allows
    job.query = f"SELECT TOP 3 id FROM {TINY_TABLE}"
    job.run()
    job.wait(phases=["COMPLETED", "ERROR"], timeout=60)
    job.raise_if_error()
    assert job.result_uri.endswith("/results/result")
    assert len(job.fetch_result()) == 3
    again = tap.get_job(job.job_id)
    assert again.phase == "COMPLETED"
    listed = {one.jobid: one for one in tap.get_job_list(phases=["COMPLETED"], last=50)}
    assert listed[job.job_id].runid == "m87"
    assert tap.get_job_list(after="2100-01-01T00:00:00Z") == []
    address = job.url
    job.delete()
    assert session.get(address).status_code == 404


def test_pyvo_aborts_a_job(tap: Any) -> None:
    job = tap.submit_job(QUERY)
    job.abort()
    assert job.phase == "ABORTED"
    with pytest.raises(exceptions.DALQueryError):
        job.fetch_result()
    job.delete()


def test_pyvo_is_told_why_a_job_failed(tap: Any) -> None:
    with pytest.raises(exceptions.DALQueryError, match="line 1, column 8: no column nix"):
        tap.run_async(f"SELECT nix FROM {TINY_TABLE}")


def test_pyvo_uploads_a_table_with_a_job(tap: Any) -> None:
    mine = tap.search(QUERY).to_table()
    found = tap.run_async("SELECT COUNT(*) AS n FROM TAP_UPLOAD.mine", uploads={"mine": mine})
    assert found["n"][0] == 5


def test_taplint_finds_nothing_wrong_with_jobs(server: str, stilts: str) -> None:
    command = [stilts, "taplint", f"tapurl={server}/tap", "stages=UWS QAS UPL", "report=EWF"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    said = [line for line in done.stdout.splitlines() if line[:2] in {"E-", "W-", "F-"}]
    assert said == []
    assert "Totals: Errors: 0; Warnings: 0" in done.stdout


def test_stilts_runs_and_resumes_a_job(server: str, stilts: str) -> None:
    ask = [stilts, "tapquery", f"tapurl={server}/tap", "sync=false", f"adql={QUERY}", "delete=never"]
    done = subprocess.run([*ask, "omode=count"], check=True, capture_output=True, text=True)
    assert "rows: 5" in " ".join(done.stdout.split())
    (job,) = (line for line in (done.stdout + done.stderr).split() if "/tap/async/" in line)
    resume = [stilts, "tapresume", f"joburl={job}", "omode=count"]
    again = subprocess.run(resume, check=True, capture_output=True, text=True)
    assert "rows: 5" in " ".join(again.stdout.split())


def test_job_documents_obey_the_schema(server: str, stilts: str, token: str, tmp_path: Path) -> None:
    with httpx.Client(base_url=server, headers={"X-Auth-Token": token}, follow_redirects=True) as web:
        for form in ({"QUERY": QUERY, "LANG": "ADQL", "PHASE": "RUN"}, {"QUERY": "DUFF", "PHASE": "RUN"}, {}):
            job = web.post("/tap/async", data=form).url.path
            ended = web.get(job, params={"WAIT": "30", "PHASE": "QUEUED"})
            for path in (ended.url.path, f"{job}/parameters", f"{job}/results", "/tap/async"):
                document = tmp_path / "document.xml"
                document.write_bytes(web.get(path).content)
                command = [stilts, "xsdvalidate", f"doc={document}", "uselocals=true"]
                done = subprocess.run(command, check=False, capture_output=True, text=True)
                assert (done.returncode, done.stdout + done.stderr) == (0, "")
