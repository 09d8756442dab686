"""The jobs of an archive: who may do what with them, whose turn it is, and what survives whom."""

import io
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pytest

from awe.core.progress import listener
from awe.errors import (
    BusyError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    ParameterError,
    QuotaError,
    UsageError,
)
from awe.services.identity import (
    ADMINISTRATOR,
    ANONYMOUS,
    READ,
    RUN,
    AccountStore,
    AuditLog,
    AuditStore,
    Grant,
    GrantStore,
    GroupStore,
    HelpLog,
    Identity,
    LimitStore,
    Policy,
    QuotaService,
    Resource,
    UsageStore,
)
from awe.services.jobs import (
    Died,
    Failed,
    Job,
    JobService,
    JobStore,
    KindsWorkshop,
    Moved,
    Phase,
    Result,
    Step,
    Stopped,
    Work,
)
from awe.services.jobs.model import Run, Start, advance
from awe.services.system import Presence, SystemDatabase
from awe.settings import JobSettings, QuotaSettings
from awe.testing import HandRunner

ADA, BOB, ROOT = Identity("ada"), Identity("bob"), Identity("root", frozenset({ADMINISTRATOR}))
DAY = timedelta(days=1)


@pytest.fixture
def store(system: SystemDatabase) -> JobStore:
    return JobStore(system)


@pytest.fixture
def runner() -> HandRunner:
    return HandRunner()


Make = Callable[..., JobService]


@pytest.fixture
def make(store: JobStore, runner: HandRunner, system: SystemDatabase, tmp_path: Path) -> Iterator[Make]:
    """Return what opens one more service over the same jobs."""
    opened: list[JobService] = []
    accounts, audit = AccountStore(system), AuditLog(AuditStore(system))

    def service(
        by: HandRunner = runner, limits: dict[str, int] | None = None, **settings: object
    ) -> JobService:
        quotas = QuotaService(
            LimitStore(system),
            UsageStore(system),
            accounts,
            GroupStore(system),
            audit,
            QuotaSettings.model_validate(limits or {}),
            folder=tmp_path / "servers",
        )
        given = JobSettings.model_validate({"grace": 0, **settings})
        policy = Policy(GrantStore(system))
        helping = HelpLog(policy, audit)
        made = JobService(store, by, quotas, given, tmp_path / "jobs", policy, helping)
        opened.append(made)
        return made

    yield service
    for one in opened:
        one.close()


@pytest.fixture
def jobs(make: Make) -> JobService:
    return make()


def new(jobs: JobService, who: Identity = ADA, run: bool = True) -> Job:
    job = jobs.create("echo", who)
    return jobs.run(job.id, who, {"text": "x"}) if run else job


def until(jobs: JobService, job: Job, *phases: Phase, who: Identity = ROOT) -> Job:
    deadline = time.monotonic() + 20
    while jobs.phases([job.id]).get(job.id) not in phases:
        assert time.monotonic() < deadline, jobs.phases([job.id])
        time.sleep(0.005)
    return jobs.job(job.id, who)


def gone(folder: Path) -> bool:
    """Wait until a folder is not there: files are removed behind what is told of a job."""
    deadline = time.monotonic() + 20
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    return not folder.exists()


def test_a_job_runs_and_its_result_is_there(jobs: JobService, runner: HandRunner) -> None:
    job = new(jobs)
    task = runner.take()
    assert (task.job, task.attempt, task.kind, task.owner, task.order) == (
        job.id,
        1,
        "echo",
        "ada",
        {"text": "x"},
    )
    running = jobs.job(job.id, ADA)
    assert running.phase is Phase.EXECUTING
    with pytest.raises(NotFoundError, match="no result 'result'"):
        jobs.result(running, "result")
    runner.report(Moved(task, Step("rows", 5)))
    runner.finish(task, "hello")
    done = until(jobs, job, Phase.COMPLETED)
    assert done.progress == Step("rows", 5)
    result, path = jobs.result(done, "result")
    assert (result.size, path.read_text()) == (5, "hello")
    with pytest.raises(NotFoundError, match="no result 'other'"):
        jobs.result(done, "other")


def test_what_failed_says_why_and_leaves_no_files(jobs: JobService, runner: HandRunner) -> None:
    job = new(jobs)
    task = runner.take()
    (task.folder / "half.txt").write_text("half")
    runner.report(Failed(task, UsageError("no such thing", hint="look again", line=3)))
    failed = until(jobs, job, Phase.ERROR)
    assert isinstance(failed.error, UsageError)
    assert (failed.error.hint, failed.error.fields) == ("look again", {"line": 3})
    assert gone(task.folder)
    with pytest.raises(NotFoundError, match="it failed: "):
        jobs.result(failed, "result")


def test_an_aborted_job_is_stopped_and_never_completes(jobs: JobService, runner: HandRunner) -> None:
    job = new(jobs)
    task = runner.take()
    assert jobs.abort(job.id, ADA).phase is Phase.ABORTED
    assert runner.cancelled == [(job.id, 1)]
    task.folder.mkdir(exist_ok=True)
    runner.finish(task)  # it was quicker than the signal
    other = new(jobs)
    runner.finish(runner.take())
    until(jobs, other, Phase.COMPLETED)
    assert jobs.job(job.id, ADA).phase is Phase.ABORTED
    assert not task.folder.exists()
    assert jobs.abort(job.id, ADA).phase is Phase.ABORTED


def test_a_deleted_job_is_gone_with_its_files(jobs: JobService, runner: HandRunner, tmp_path: Path) -> None:
    job = new(jobs)
    task = runner.take()
    jobs.delete(job.id, ADA)
    assert runner.cancelled == [(job.id, 1)]
    with pytest.raises(NotFoundError, match="no job"):
        jobs.job(job.id, ADA)
    runner.report(Stopped(task))
    done = new(jobs)
    runner.finish(runner.take())
    until(jobs, done, Phase.COMPLETED)
    jobs.delete(done.id, ADA)
    assert [path.name for path in (tmp_path / "jobs").iterdir()] == [".runners"]


def test_a_process_that_dies_is_replaced_so_often(make: Make, runner: HandRunner) -> None:
    jobs = make(attempts=2)
    job = new(jobs)
    first = runner.take()
    (first.folder / "half.txt").write_text("half")
    runner.report(Died(first))
    second = runner.take()
    assert second.attempt == 2
    assert gone(first.folder)
    assert list(second.folder.iterdir()) == []
    runner.report(Died(second))
    given_up = until(jobs, job, Phase.ERROR)
    assert "begun 2 times" in str(given_up.error)


def test_when_the_service_stops_its_jobs_wait_for_the_next(make: Make, runner: HandRunner) -> None:
    jobs = make()
    job = new(jobs)
    first = runner.take()
    jobs.close()
    assert not first.folder.exists()
    after = HandRunner()
    again = make(after)
    assert again.job(job.id, ADA).phase is Phase.QUEUED
    again.start()
    second = after.take()
    assert (second.job, second.attempt) == (job.id, 2)
    after.finish(second, "second")
    done = until(again, job, Phase.COMPLETED)
    assert done.losses == 0
    assert again.result(done, "result")[1].read_text() == "second"


def test_jobs_have_a_time_to_end_when_the_service_stops(make: Make, runner: HandRunner) -> None:
    jobs = make(grace=30)
    job = new(jobs)
    runner.finish(runner.take())
    jobs.close()
    assert jobs.job(job.id, ADA).phase is Phase.COMPLETED


@pytest.mark.parametrize(("lease", "locked"), [(-DAY, False), (DAY, True)])
def test_what_a_dead_service_ran_is_run_again(
    make: Make, store: JobStore, tmp_path: Path, lease: timedelta, locked: bool
) -> None:
    """Its lease has ended, or its lock is free: a process that is killed lets it go."""
    nobody = make(HandRunner(0))
    job = new(nobody)
    nobody.close()
    begun = _leased(store, job, "dead", lease)
    old = tmp_path / "jobs" / job.id / "attempt-1"
    old.mkdir(parents=True)
    lock = tmp_path / "jobs/.runners/dead.lock"
    if locked:
        lock.touch()
    runner = HandRunner()
    jobs = make(runner)
    jobs.start()
    task = runner.take()
    assert (task.job, task.attempt) == (begun.id, 2)
    assert not old.exists()
    assert jobs.job(job.id, ADA).losses == 1
    runner.finish(task)
    until(jobs, job, Phase.COMPLETED)
    assert not lock.exists()


def test_what_a_living_service_runs_is_left_alone(make: Make, store: JobStore, tmp_path: Path) -> None:
    nobody = make(HandRunner(0))
    job = new(nobody)
    nobody.close()
    living = Presence(tmp_path / "jobs/.runners")
    _leased(store, job, living.name, DAY)
    runner = HandRunner()
    jobs = make(runner)
    other = new(jobs)
    runner.finish(runner.take())
    until(jobs, other, Phase.COMPLETED)
    assert jobs.job(job.id, ADA).attempt == 1
    living.close()


def _leased(store: JobStore, job: Job, owner: str, lease: timedelta) -> Job:
    found = store.get(job.id)
    assert found is not None
    now = datetime.now(UTC)
    begun, _ = advance(found[0], Start(now))
    assert store.lease(begun, found[1], owner, now + lease)
    return begun


@pytest.mark.slow
def test_two_services_share_one_queue_and_nothing_runs_twice(make: Make) -> None:
    runners = [HandRunner(3), HandRunner(3)]
    services = [make(runner) for runner in runners]
    made = [new(services[0], Identity(f"user{n % 5}")) for n in range(40)]
    services[1].start()
    ran: list[tuple[str, int]] = []
    deadline = time.monotonic() + 30
    while len(ran) < len(made):
        assert time.monotonic() < deadline
        for runner in runners:
            for task in tuple(runner.tasks):
                ran.append((task.job, task.attempt))
                runner.finish(task)
    assert sorted(ran) == sorted((job.id, 1) for job in made)
    for job in made:
        until(services[0], job, Phase.COMPLETED)


def test_the_next_one_is_of_who_has_the_fewest_running(store: JobStore, jobs: JobService) -> None:
    for who in (ADA, ADA, ADA, ADA, BOB, BOB, ANONYMOUS):
        found = store.get(jobs.create("echo", who).id)
        assert found is not None
        assert store.put(advance(found[0], Run(datetime.now(UTC), {}))[0], found[1])
    order = []
    while (turn := store.next()) is not None:
        order.append(_leased(store, turn[0], "me", DAY).owner)
    assert order == ["ada", "bob", "", "ada", "bob", "ada", "ada"]


def test_a_full_queue_says_when_to_come_back(make: Make) -> None:
    jobs = make(HandRunner(0), {"jobs_waiting": 2}, waiting=3)
    for _ in range(2):
        new(jobs)
    with pytest.raises(QuotaError, match="2 jobs in the queue, and have 2") as mine:
        new(jobs)
    assert mine.value.fields["retry_after"] == 10
    new(jobs, ANONYMOUS)
    with pytest.raises(BusyError) as everyones:
        new(jobs, BOB)
    assert everyones.value.fields["retry_after"] == 10


def test_a_job_is_its_owners_and_the_operators_who_are_seen_to_look(
    jobs: JobService, system: SystemDatabase
) -> None:
    job = new(jobs, run=False)
    audit = AuditLog(AuditStore(system))
    assert jobs.job(job.id, ADA) == jobs.job(job.id, ROOT)
    assert jobs.jobs(ROOT, shared=True) == (job,)
    jobs.change(job.id, ROOT, run_id="helped")
    assert [(line.user, line.action, line.details["owner" if line.target else "owners"]) for line in audit.entries()] == [
        (ROOT.name, "job.changed", "ada"), (ROOT.name, "job.listed", "ada"), (ROOT.name, "job.seen", "ada"),
    ]  # fmt: skip
    for ask in (jobs.job, jobs.abort, jobs.delete, lambda i, who: jobs.run(i, who, {})):
        for who in (BOB, ANONYMOUS):
            with pytest.raises(NotFoundError) as hidden:
                ask(job.id, who)
            with pytest.raises(NotFoundError) as absent:
                ask("0" * 32, who)
            said = (hidden.value.message.replace(job.id, "0" * 32), hidden.value.hint)
            assert said == (absent.value.message, absent.value.hint)
    with pytest.raises(NotFoundError):
        jobs.job(job.id, ADA, "another kind")


def test_a_shared_job_can_be_read_and_nothing_else(jobs: JobService, system: SystemDatabase) -> None:
    job, other = new(jobs, run=False), new(jobs, run=False)
    now = datetime.now(UTC)
    grants = GrantStore(system)
    grants.add(Grant("g", "job", job.id, READ, "user:bob", "ada", now))
    assert jobs.job(job.id, BOB) == jobs.job(job.id, ADA)
    assert [found.id for found in jobs.jobs(BOB, shared=True)] == [job.id]
    assert jobs.jobs(BOB) == jobs.jobs(ADA, shared=True) == ()
    assert {found.id for found in jobs.jobs(ROOT, shared=True)} == {job.id, other.id}
    for ask in (
        jobs.abort,
        jobs.delete,
        lambda i, who: jobs.run(i, who, {}),
        jobs.change,
    ):
        with pytest.raises(ForbiddenError):
            ask(job.id, BOB)
    jobs.delete(job.id, ADA)
    assert grants.of(Resource("job", job.id)) == ()


def test_a_job_does_no_more_than_the_token_that_made_it(jobs: JobService, runner: HandRunner) -> None:
    less = ROOT.restricted(frozenset({READ, RUN}))
    new(jobs, less)
    task = runner.take()
    assert task.scopes == {READ, RUN}
    seen: list[Identity] = []

    def kind(work: Work) -> list[Result]:
        seen.append(work.identity)
        return []

    KindsWorkshop({"echo": kind}, lambda _: ROOT, lambda: None).run(task, lambda *_: None)
    assert [(who.name, who.roles, who.is_administrator) for who in seen] == [("root", frozenset(), False)]


def test_what_a_job_begins_tells_how_far_it_is_without_being_handed_whom_to_tell(
    jobs: JobService, runner: HandRunner
) -> None:
    new(jobs)
    heard: list[tuple[str, int, int | None]] = []

    def kind(_work: Work) -> list[Result]:
        listener()("matching", 1, 2)
        return []

    shop = KindsWorkshop({"echo": kind}, Identity, lambda: None)
    shop.run(runner.take(), lambda *step: heard.append(step))
    assert heard == [("matching", 1, 2)]
    listener()("matching", 2, 2)
    assert len(heard) == 1


def test_an_anonymous_job_is_of_who_knows_its_id(jobs: JobService) -> None:
    job = new(jobs, ANONYMOUS, run=False)
    assert len(job.id) == 32
    assert jobs.job(job.id, BOB) == jobs.job(job.id, ANONYMOUS)
    assert jobs.jobs(ANONYMOUS) == ()


def test_lists_are_filtered_and_come_in_pages(make: Make) -> None:
    jobs = make(listed=3)
    made = [new(jobs, run=False) for _ in range(5)][::-1]
    new(jobs, BOB, run=False)
    page = jobs.jobs(ADA)
    assert [job.id for job in page] == [job.id for job in made[:3]]
    rest = jobs.jobs(ADA, before=page[-1].created)
    assert [job.id for job in rest] == [job.id for job in made[3:]]
    assert [job.id for job in jobs.jobs(ADA, last=1)] == [made[0].id]
    assert [job.id for job in jobs.jobs(ADA, after=made[1].created)] == [made[0].id]
    jobs.abort(made[2].id, ADA)
    assert [job.id for job in jobs.jobs(ADA, phases=[Phase.ABORTED])] == [made[2].id]
    assert jobs.jobs(ADA, "another kind") == ()


def test_what_may_be_changed_is_cut_to_the_limits(make: Make) -> None:
    jobs = make(HandRunner(0), default_seconds=60, seconds=100, default_days=1, days=2)
    job = new(jobs, run=False)
    assert job.duration_s == 60
    assert job.destruction - job.created == DAY
    changed = jobs.change(job.id, ADA, duration_s=1000, destruction=job.created + 10 * DAY, run_id="mine")
    assert (changed.duration_s, changed.run_id) == (100, "mine")
    assert abs(changed.destruction - job.created - 2 * DAY) < timedelta(minutes=1)
    assert jobs.change(job.id, ADA, duration_s=0).duration_s == 100
    with pytest.raises(ParameterError, match="below zero"):
        jobs.change(job.id, ADA, duration_s=-1)
    both = jobs.change(job.id, ADA, parameters=[("A", "1"), ("B", "2")])
    both = jobs.change(job.id, ADA, parameters=[("a", "3"), ("a", "4")])
    assert both.parameters == (("B", "2"), ("a", "3"), ("a", "4"))
    jobs.run(job.id, ADA, {})
    with pytest.raises(ConflictError):
        jobs.change(job.id, ADA, parameters=[("A", "1")])


class Sent(NamedTuple):
    content: BinaryIO
    filename: str = ""
    media_type: str = ""


def test_files_come_with_a_job(jobs: JobService, runner: HandRunner) -> None:
    job = new(jobs, run=False)
    names = ("plain", "../../etc/passwd", "ä b", ".", "x" * 300)
    for name in names:
        jobs.change(job.id, ADA, parts={name: Sent(io.BytesIO(name.encode()), "a/b.csv", "text/csv")})
    jobs.change(job.id, ADA, parts={"plain": Sent(io.BytesIO(b"again"))})
    job = jobs.run(job.id, ADA, {})
    task = runner.take()
    assert {part.name: (task.parts_folder / part.file).read_text() for part in task.parts} == {
        **{name: name for name in names},
        "plain": "again",
    }
    assert len(list(task.parts_folder.iterdir())) == len(names)
    part, path = jobs.part(job, "ä b")
    assert (part.filename, part.media_type, path.read_text()) == ("a/b.csv", "text/csv", "ä b")
    with pytest.raises(NotFoundError, match="no file 'other'"):
        jobs.part(job, "other")
    with pytest.raises(ConflictError):
        jobs.change(job.id, ADA, parts={"late": Sent(io.BytesIO())})
    assert len(list(task.parts_folder.iterdir())) == len(names)


@pytest.mark.slow
def test_a_job_is_destroyed_when_its_time_has_come(make: Make, tmp_path: Path) -> None:
    runner = HandRunner()
    jobs = make(runner)
    job = new(jobs)
    runner.finish(runner.take())
    until(jobs, job, Phase.COMPLETED)
    jobs.change(job.id, ADA, destruction=datetime.now(UTC))
    deadline = time.monotonic() + 20
    while jobs.phases([job.id]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    while (tmp_path / "jobs" / job.id).exists():
        assert time.monotonic() < deadline


def test_what_cannot_be_understood_is_refused(jobs: JobService) -> None:
    job = new(jobs, run=False)
    refused = jobs.refuse(job.id, ADA, UsageError("what?"))
    assert (refused.phase, str(refused.error)) == (Phase.ERROR, "what?")
    with pytest.raises(ConflictError):
        jobs.run(job.id, ADA, {})
