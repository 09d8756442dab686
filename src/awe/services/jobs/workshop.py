"""What a worker opens once: the kinds of jobs that there are, to do one task after the other."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from awe.core.progress import Progress, heard_by
from awe.errors import NotFoundError
from awe.services.identity import ANONYMOUS, Identity
from awe.services.jobs.interface import Kind, Task, Work
from awe.services.jobs.model import Result

__all__ = ["KindsWorkshop"]


class KindsWorkshop:
    """Do tasks by their kind.

    Parameters
    ----------
    kinds
        What is done, by name.
    identify
        Name of a user to who that is now.
    close
        Called once, at the end.
    """

    def __init__(
        self, kinds: Mapping[str, Kind], identify: Callable[[str], Identity], close: Callable[[], None]
    ) -> None:
        self._kinds = kinds
        self._identify = identify
        self.close = close

    def run(self, task: Task, progress: Progress) -> tuple[Result, ...]:
        """Do a task; when this returns, its files are on the disk.

        Raises
        ------
        NotFoundError
            If there is no such kind, or the owner has no account any more.
        QuotaError
            If the results are larger than what the owner may keep.
        """
        kind = self._kinds.get(task.kind)
        if kind is None:
            raise NotFoundError(f"this service has no jobs of the kind {task.kind!r}")
        identity = (self._identify(task.owner) if task.owner else ANONYMOUS).restricted(task.scopes)
        work = Work(
            identity,
            task.order,
            task.folder,
            task.parts,
            task.parts_folder,
            progress,
            task.most_bytes,
            task.queued if task.attempt > 1 else None,
        )
        with heard_by(progress):
            results = tuple(kind(work))
        work.check(sum(result.size for result in results))
        for path in (*(task.folder / result.file for result in results), task.folder):
            _sync(path)
        return results


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
