"""What each owner's jobs may use: whose turn waits, how long and how large one may be, and that time is counted once."""

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from awe.errors import AweError, QuotaError
from awe.services.catalogs import SentFile
from awe.services.identity import (
    AccountStore,
    AuditLog,
    AuditStore,
    GrantStore,
    GroupStore,
    HelpLog,
    Identity,
    LimitStore,
    Measure,
    Policy,
    QuotaService,
    UsageStore,
)
from awe.services.jobs import Done, Failed, Job, JobService, JobStore, KindsWorkshop, Phase, Result, Work
from awe.services.jobs.interface import Task
from awe.services.jobs.model import Abort, Finish, Lost, Release, Run, Start, advance
from awe.services.system import SystemDatabase
from awe.settings import JobSettings, QuotaSettings
from awe.testing import HandRunner

ANN, BOB = Identity("ann"), Identity("bob")


class Opened:
    """Jobs of an archive with some limits, that are run by hand."""

    def __init__(self, system: SystemDatabase, folder: Path, runner: HandRunner, **limits: int) -> None:
        self.store, self.usage, self.runner = JobStore(system), UsageStore(system), runner
        audit, policy = AuditLog(AuditStore(system)), Policy(GrantStore(system))
        self.quotas = QuotaService(
            LimitStore(system),
            self.usage,
            AccountStore(system),
            GroupStore(system),
            audit,
            QuotaSettings.model_validate(limits),
            folder=folder / "servers",
        )
        settings = JobSettings(grace=0)
        self.jobs = JobService(
            self.store, runner, self.quotas, settings, folder / "jobs", policy, HelpLog(policy, audit)
        )

    def new(self, who: Identity = ANN) -> Job:
        job = self.jobs.create("echo", who)
        return self.jobs.run(job.id, who, {"text": "x"})

    def used(self, measure: Measure, who: Identity = ANN) -> int | None:
        return next(one.used for one in self.quotas.usage(who) if one.measure is measure)

    def today(self, name: str = "user:ann") -> tuple[int, float]:
        amounts = self.usage.of_day(name, datetime.now(UTC).date().isoformat())
        return amounts.jobs, amounts.job_s

    def until(self, job: Job, phase: Phase) -> Job:
        deadline = time.monotonic() + 30
        while (found := self.store.get(job.id)) and found[0].phase is not phase:
            assert time.monotonic() < deadline, found[0].phase
            time.sleep(0.005)
        assert found is not None
        return found[0]


Open = Callable[..., Opened]


@pytest.fixture
def opened(system: SystemDatabase, tmp_path: Path) -> Iterator[Open]:
    """Return what opens the jobs with limits."""
    made: list[Opened] = []

    def open_(workers: int = 2, **limits: int) -> Opened:
        made.append(Opened(system, tmp_path, HandRunner(workers), **limits))
        return made[-1]

    yield open_
    for one in made:
        one.jobs.close()


@pytest.mark.slow
def test_more_jobs_at_once_wait_and_others_do_not_wait_for_them(opened: Open) -> None:
    here = opened(workers=3, jobs_at_once=1)
    first = here.new()
    task = here.runner.take()
    second = here.new()
    others = here.new(BOB)
    here.until(others, Phase.EXECUTING)
    assert here.jobs.phases([second.id])[second.id] is Phase.QUEUED
    assert (here.used(Measure.JOBS_AT_ONCE), here.used(Measure.JOBS_WAITING)) == (1, 1)
    here.runner.finish(task)
    here.until(first, Phase.COMPLETED)
    here.until(second, Phase.EXECUTING)


def test_two_dispatchers_begin_no_more_than_one_may(system: SystemDatabase) -> None:
    store = JobStore(system)
    now = datetime.now(UTC)
    for name in ("one", "two"):
        job = Job(name, "echo", "ann", now, now + timedelta(days=1), 60)
        store.add(advance(job, Run(now, {}))[0])
    found = [store.get(name) for name in ("one", "two")]  # both look before one begins
    begun = [(advance(job, Start(now))[0], version) for job, version in filter(None, found)]
    leased = [store.lease(job, version, "me", now + timedelta(days=1), most=1) for job, version in begun]
    assert leased == [True, False]
    assert store.lease(*begun[1], "me", now + timedelta(days=1), most=2)


def test_the_time_of_a_job_is_that_of_the_quota(opened: Open) -> None:
    here = opened(job_seconds=50)
    assert here.new().duration_s == 50
    assert here.runner.take().seconds == 50
    job = here.jobs.create("echo", ANN)
    assert here.jobs.change(job.id, ANN, duration_s=20).duration_s == 20
    assert here.jobs.change(job.id, ANN, duration_s=0).duration_s == 50
    assert here.jobs.change(job.id, ANN, duration_s=900).duration_s == 50


def test_a_day_whose_time_is_used_up(opened: Open) -> None:
    here = opened(workers=1, job_seconds_per_day=100)
    first, waiting = here.new(), here.new()
    task = here.runner.take()
    running = here.until(first, Phase.EXECUTING)
    found = here.store.get(first.id)
    assert found is not None
    assert here.store.put(replace(running, started=datetime.now(UTC) - timedelta(seconds=101)), found[1])
    assert here.used(Measure.JOB_SECONDS_PER_DAY) == 101  # what runs counts before it has ended
    with pytest.raises(QuotaError, match="100 seconds of jobs in a day, and have 101") as refused:
        here.new()
    assert 0 < int(str(refused.value.fields["retry_after"])) <= 86_400
    here.runner.finish(task)
    here.until(first, Phase.COMPLETED)
    assert here.today()[0] == 1
    assert here.today()[1] == pytest.approx(101, abs=20)
    others = here.new(BOB)
    here.until(others, Phase.EXECUTING)
    assert here.jobs.phases([waiting.id])[waiting.id] is Phase.QUEUED


def _begun(store: JobStore, name: str, ago: timedelta) -> tuple[Job, int]:
    now = datetime.now(UTC)
    job = Job(name, "echo", "ann", now, now + timedelta(days=1), 60)
    store.add(advance(job, Run(now, {}))[0])
    found = store.get(name)
    assert found is not None
    running, _ = advance(found[0], Start(now - ago))
    assert store.lease(running, found[1], "me", now)
    return running, found[1] + 1


@pytest.mark.parametrize(
    ("event", "jobs"),
    [
        (lambda now: Finish(now, 1, ()), 1),
        (Abort, 1),
        (lambda now: Lost(now, 1, 3), 0),  # it is begun again
        (lambda now: Lost(now, 1, 1), 1),
        (lambda _: Release(1), 0),
    ],
    ids=["finished", "aborted", "lost", "given up", "released"],
)
def test_time_is_counted_once_however_an_attempt_ends(
    system: SystemDatabase, event: Callable[[datetime], Finish | Abort | Lost | Release], jobs: int
) -> None:
    store, usage = JobStore(system), UsageStore(system)
    running, version = _begun(store, "one", timedelta(seconds=40))
    ended, _ = advance(running, event(datetime.now(UTC)))
    assert store.put(ended, version)
    assert not store.put(ended, version)  # somebody else's news of the same
    day = usage.of_day("user:ann", datetime.now(UTC).date().isoformat())
    assert day.jobs == jobs
    assert 40 <= day.job_s < 60


def test_time_of_a_job_that_is_removed_while_it_runs_is_counted(system: SystemDatabase) -> None:
    store, usage = JobStore(system), UsageStore(system)
    _begun(store, "one", timedelta(seconds=40))
    assert store.remove("one", lambda _: None)
    assert not store.remove("one", lambda _: None)
    assert 40 <= usage.of_day("user:ann", datetime.now(UTC).date().isoformat()).job_s < 60


def test_files_that_are_more_than_may_be_kept(opened: Open) -> None:
    here = opened(storage_bytes=100)
    job = here.new()
    task = here.runner.take()
    assert task.most_bytes == 100
    (task.folder / "echo.txt").write_text("x" * 70)
    here.runner.report(Done(task, (Result("result", "echo.txt", "text/plain", 70),)))
    done = here.until(job, Phase.COMPLETED)
    assert here.used(Measure.STORAGE_BYTES) == 70
    pending = here.jobs.create("echo", ANN)
    with pytest.raises(QuotaError) as refused:
        here.jobs.change(pending.id, ANN, parts={"t": SentFile(io.BytesIO(b"x" * 31), "t", "text/csv")})
    assert refused.value.fields["measure"] == "storage_bytes"
    assert refused.value.fields["used"] == 70
    wait_s = int(str(refused.value.fields["retry_after"]))
    assert abs(wait_s - (done.destruction - datetime.now(UTC)).total_seconds()) < 60
    assert "remove jobs that you do not need" in str(refused.value)
    assert not here.jobs.job(pending.id, ANN).parts
    kept = here.jobs.change(pending.id, ANN, parts={"t": SentFile(io.BytesIO(b"x" * 30), "t", "text/csv")})
    assert kept.bytes == 30
    with pytest.raises(QuotaError):
        here.new()
    here.jobs.delete(job.id, ANN)
    assert here.used(Measure.STORAGE_BYTES) == 30
    here.new()


@pytest.mark.parametrize("size", [10, 11])
def test_a_result_larger_than_what_is_left_fails_its_job(tmp_path: Path, size: int) -> None:
    def kind(work: Work) -> list[Result]:
        (work.folder / "r").write_bytes(b"x" * size)
        return [Result("result", "r", "text/plain", size)]

    shop = KindsWorkshop({"echo": kind}, Identity, lambda: None)
    task = Task("j", 1, "echo", "ann", frozenset(), {}, tmp_path, (), tmp_path, 60.0, most_bytes=10)
    if size <= 10:
        assert shop.run(task, lambda *_: None)[0].size == 10
        return
    with pytest.raises(QuotaError, match="more than the 10 bytes that you may still keep") as refused:
        shop.run(task, lambda *_: None)
    told = AweError.from_json(Failed(task, refused.value).error.to_json())
    assert isinstance(told, QuotaError)
