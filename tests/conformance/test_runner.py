"""The Runner seam: what every backend does. A backend is added to `RUNNERS`."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from awe.errors import ServiceError, TimeLimitError, UsageError
from awe.services.identity import SCOPES
from awe.services.jobs import Died, Done, Failed, Moved, Report, Runner, Stopped, Task
from awe.services.jobs.backends.process import ProcessRunner
from awe.settings import Settings

pytestmark = pytest.mark.slow

RUNNERS: dict[str, Callable[[Settings, str], Runner]] = {"process": ProcessRunner}
WORKERS = 2


@pytest.fixture(scope="module", params=RUNNERS)
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def runner(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    made = _runner(name, tmp_path_factory.mktemp("runner"), idle=600.0)
    yield made
    made.close()


def _runner(name: str, folder: Path, idle: float) -> Runner:
    settings = Settings.load(folder, jobs={"workers": WORKERS, "idle": idle})
    return RUNNERS[name](settings, "awe.testing:open_fakes")


@pytest.fixture
def task(tmp_path: Path) -> Callable[..., Task]:
    def make(kind: str, job: str = "a", attempt: int = 1, limit_s: float = 60.0, **order: object) -> Task:
        folder = tmp_path / job / f"attempt-{attempt}"
        folder.mkdir(parents=True)
        return Task(job, attempt, kind, "", SCOPES, order, folder, (), folder, limit_s)

    return make


def until(runner: Runner, count: int = 1, seconds: float = 30.0) -> list[Report]:
    """Return the reports that end tasks, once there are so many."""
    ended: list[Report] = []
    deadline = time.monotonic() + seconds
    while len(ended) < count:
        assert time.monotonic() < deadline, ended
        ended += [report for report in runner.poll(1.0) if not isinstance(report, Moved)]
    return ended


def moved(runner: Runner, seconds: float = 30.0) -> Moved:
    """Return the first report of a task that moves."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for report in runner.poll(1.0):
            if isinstance(report, Moved):
                return report
    raise AssertionError("nothing moved")


def test_a_task_is_done_and_its_files_are_there(runner: Runner, task: Callable[..., Task]) -> None:
    given = task("echo", text="Grüße")
    runner.submit(given)
    (done,) = until(runner)
    assert isinstance(done, Done)
    assert done.task == given
    (result,) = done.results
    assert (result.name, result.media_type, result.size) == ("result", "text/plain", 7)
    assert (given.folder / result.file).read_text(encoding="utf-8") == "Grüße"


def test_room_is_what_is_free(runner: Runner, task: Callable[..., Task]) -> None:
    assert runner.room() == WORKERS
    for name in ("a", "b"):
        runner.submit(task("sleep", name, text=name))
    assert runner.room() == 0
    assert {report.task.job for report in until(runner, 2)} == {"a", "b"}
    assert runner.room() == WORKERS
    runner.submit(task("echo", "c"))
    assert isinstance(until(runner)[0], Done)


def test_errors_come_back_as_they_were_raised(runner: Runner, task: Callable[..., Task]) -> None:
    runner.submit(task("fail"))
    (failed,) = until(runner)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, UsageError)
    assert failed.error.hint == "do something else"
    runner.submit(task("break", "b"))
    (broken,) = until(runner)
    assert isinstance(broken, Failed)
    assert isinstance(broken.error, ServiceError)
    assert "ZeroDivisionError" not in str(broken.error)


def test_a_kind_that_nobody_knows(runner: Runner, task: Callable[..., Task]) -> None:
    runner.submit(task("alchemy"))
    (failed,) = until(runner)
    assert isinstance(failed, Failed)
    assert "alchemy" in str(failed.error)


def test_progress_is_reported(runner: Runner, task: Callable[..., Task]) -> None:
    runner.submit(task("sleep", text="x"))
    step = moved(runner).step
    assert (step.what, step.total) == ("sleeping", 20)
    assert isinstance(until(runner)[0], Done)


@pytest.mark.parametrize("kind", ["sleep", "stubborn"])
def test_a_task_is_stopped_whatever_it_does(runner: Runner, task: Callable[..., Task], kind: str) -> None:
    runner.submit(task(kind, seconds=30))
    moved(runner)
    begun = time.monotonic()
    runner.cancel("a", 1)
    (stopped,) = until(runner, seconds=20)
    assert isinstance(stopped, Stopped)
    assert time.monotonic() - begun < 20  # it would be half a minute
    runner.submit(task("echo", "b"))
    assert isinstance(until(runner)[0], Done)


def test_a_task_is_stopped_before_it_began(runner: Runner, task: Callable[..., Task]) -> None:
    runner.submit(task("sleep"))
    runner.cancel("a", 1)
    assert isinstance(until(runner)[0], Stopped)


def test_to_stop_what_does_not_run_is_no_error(runner: Runner, task: Callable[..., Task]) -> None:
    runner.cancel("a", 1)
    runner.submit(task("echo", attempt=2))
    runner.cancel("a", 1)
    assert isinstance(until(runner)[0], Done)


def test_the_time_of_a_task_is_kept(runner: Runner, task: Callable[..., Task]) -> None:
    runner.submit(task("sleep", limit_s=0.5, seconds=30))
    (failed,) = until(runner)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, TimeLimitError)


def test_a_process_that_dies_is_told(runner: Runner, task: Callable[..., Task]) -> None:
    runner.submit(task("die"))
    assert isinstance(until(runner)[0], Died)
    runner.submit(task("echo", "b"))
    assert isinstance(until(runner)[0], Done)


def test_to_wake_ends_the_wait(runner: Runner) -> None:
    runner.wake()
    begun = time.monotonic()
    assert runner.poll(20.0) == []
    assert time.monotonic() - begun < 15


def test_nothing_is_left_behind(name: str, tmp_path: Path, task: Callable[..., Task]) -> None:
    before = _children()
    runner = _runner(name, tmp_path, idle=0.3)
    runner.submit(task("sleep", text="x"))
    moved(runner)
    assert _children() > before
    until(runner)
    deadline = time.monotonic() + 10
    while _children() > before:  # workers without work end, and then what they were forked from
        assert time.monotonic() < deadline
        runner.poll(0.2)
    runner.submit(task("sleep", "b"))
    moved(runner)
    runner.close()
    while _children() > before:
        assert time.monotonic() < deadline + 30


def _children() -> set[int]:
    """Return the processes that this one has started, and theirs."""
    found, wanted = set(), {os.getpid()}
    stats = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        stats[int(path.parent.name)] = (int(words[1]), words[0])
    for pid, (parent, state) in sorted(stats.items()):
        if parent in wanted and state != "Z":
            wanted.add(pid)
            found.add(pid)
    return found
