"""How far a query on a cluster is: how many of the tasks are done that Spark has made of it so far.

Spark makes more tasks of a query while it runs, once it knows what came of the first ones: their number grows.
"""

import threading
from collections.abc import Iterable
from typing import Any

__all__ = ["TaskCounts"]


class TaskCounts:
    """The tasks of one query.

    Parameters
    ----------
    session
        Of Spark: with a driver in this process, or with a service of Spark Connect.
    name
        Of the query, used nowhere else.
    """

    def __init__(self, session: Any, name: str) -> None:
        self._session, self._name = session, name
        self._context = getattr(session, "sparkContext", None)
        self._thread = 0
        self._told: tuple[int, int] | None = None

    def __enter__(self) -> None:
        """Count what this thread runs from now on."""
        if self._context is not None:
            self._context.setJobGroup(self._name, "a query of awe's")
        else:
            self._thread = threading.get_ident()
            self._session.registerProgressHandler(self._hear)

    def __exit__(self, *_: object) -> None:
        """End it."""
        if self._context is None:
            self._session.removeProgressHandler(self._hear)

    def __call__(self) -> tuple[int, int] | None:
        """Return how many tasks are done, of how many; None before there are any."""
        if self._context is None:
            return self._told
        tracker = self._context.statusTracker()
        found: dict[int, tuple[int, int]] = {}
        for job in filter(None, map(tracker.getJobInfo, tracker.getJobIdsForGroup(self._name))):
            for stage in filter(None, map(tracker.getStageInfo, job.stageIds)):
                # what a job before it has done already, it leaves out
                most = stage.numTasks if job.status == "RUNNING" else stage.numCompletedTasks
                found[stage.stageId] = stage.numCompletedTasks, most
        counted = sum(done for done, _ in found.values()), sum(most for _, most in found.values())
        return counted if counted[1] else None

    def _hear(self, *, stages: Iterable[Any] | None, **_: object) -> None:
        """Hear from a service of Spark Connect, which tells the thread that waits for a query how far that is."""
        known = list(stages or ())
        if known and threading.get_ident() == self._thread:
            self._told = sum(s.num_completed_tasks for s in known), sum(s.num_tasks for s in known)
