"""Jobs that do what a test wants, at once, slowly, badly or never; a runner that is worked by hand."""

import os
import threading
import time
from collections.abc import Sequence

from awe.errors import UsageError
from awe.services.identity import Identity
from awe.services.jobs import Done, KindsWorkshop, Moved, Report, Result, Task, Work
from awe.settings import Settings

__all__ = ["HandRunner", "open_fakes"]


def open_fakes(settings: Settings) -> KindsWorkshop:  # noqa: ARG001  # as runners call it
    """Open a workshop (in a worker) of fake kinds, that needs no archive.

    ``echo`` writes the order's ``text`` to a file; ``sleep`` takes ``seconds`` before that, and tells how far it
    is; ``stubborn`` does the same and cannot be stopped but by killing it; ``fail`` fails as users' jobs do,
    ``break`` as ours; ``die`` ends its process.
    """
    kinds = {
        "echo": _echo,
        "sleep": _sleep,
        "stubborn": _stubborn,
        "fail": _fail,
        "break": _break,
        "die": _die,
    }
    return KindsWorkshop(kinds, Identity, lambda: None)


def _echo(work: Work) -> Sequence[Result]:
    text = str(work.order.get("text", ""))
    file = work.folder / "echo.txt"
    file.write_text(text, encoding="utf-8")
    return [Result("result", file.name, "text/plain", len(text.encode()))]


def _sleep(work: Work) -> Sequence[Result]:
    total = int(float(str(work.order.get("seconds", 1))) * 20)
    for step in range(total):
        work.progress("sleeping", step, total)
        time.sleep(0.05)
    return _echo(work)


def _stubborn(work: Work) -> Sequence[Result]:
    while True:
        try:
            return _sleep(work)
        except BaseException:  # noqa: BLE001, S112  # what no kind may do, and one may yet
            continue


def _fail(work: Work) -> Sequence[Result]:
    (work.folder / "half.txt").write_text("half")
    raise UsageError("it cannot be done", hint="do something else")


def _break(work: Work) -> Sequence[Result]:
    raise ZeroDivisionError(work.order)


def _die(work: Work) -> Sequence[Result]:
    (work.folder / "half.txt").write_text("half")
    os._exit(1)


class HandRunner:
    """A runner whose tasks are done by hand: a test says what becomes of them, and when.

    Parameters
    ----------
    workers
        How many tasks it takes at the same time.

    Attributes
    ----------
    tasks
        What runs, in order.
    cancelled
        The jobs and attempts that were to be stopped.
    """

    def __init__(self, workers: int = 2) -> None:
        self.tasks: list[Task] = []
        self.cancelled: list[tuple[str, int]] = []
        self._workers = workers
        self._woken = False
        self._reports: list[Report] = []
        self._changed = threading.Condition()

    def take(self, seconds: float = 10.0) -> Task:
        """Return the task that runs longest; waits for one."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.tasks, seconds):
                raise AssertionError("nothing was submitted")
            return self.tasks[0]

    def report(self, report: Report) -> None:
        """Say what became of a task; it does not run any more unless it only moved."""
        with self._changed:
            if not isinstance(report, Moved):
                self.tasks = [task for task in self.tasks if task != report.task]
            self._reports.append(report)
            self._changed.notify_all()

    def finish(self, task: Task, text: str = "done") -> None:
        """Let a task write one file and be done."""
        file = task.folder / "echo.txt"
        file.write_text(text, encoding="utf-8")
        self.report(Done(task, (Result("result", file.name, "text/plain", len(text)),)))

    def room(self) -> int:
        """Return how many more tasks it takes."""
        return self._workers - len(self.tasks)

    def submit(self, task: Task) -> None:
        """Take a task."""
        with self._changed:
            self.tasks.append(task)
            self._changed.notify_all()

    def cancel(self, job: str, attempt: int) -> None:
        """Note that a task is to be stopped; the test does it."""
        self.cancelled.append((job, attempt))

    def poll(self, seconds: float) -> Sequence[Report]:
        """Return what was reported by hand."""
        with self._changed:
            self._changed.wait_for(lambda: self._reports or self._woken, seconds)
            self._woken = False
            reports, self._reports = self._reports, []
            return reports

    def wake(self) -> None:
        """Let `poll` return."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def close(self) -> None:
        """Forget everything."""
        self.tasks = []
