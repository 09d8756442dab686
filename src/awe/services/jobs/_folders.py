"""Where the files of jobs are: ``<job>/attempt-<n>/`` what an attempt makes, ``<job>/parts/`` what came with it."""

import secrets
import shutil
import time
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from awe.services.jobs.interface import SentFile
from awe.services.jobs.model import Job, Part

__all__ = ["JobFolders"]

_ORPHAN_S = 3600.0
_CHUNK = 1 << 20


class JobFolders:
    """The folder of all jobs' files.

    A file becomes a result when the job's record says so: the record names the attempt, so that two attempts,
    of which one was taken for dead, never write to the same place.

    Parameters
    ----------
    root
        Made when the first job runs.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def root(self) -> Path:
        """The folder of all of them; it may not be there yet."""
        return self._root

    def attempt(self, job_id: str, number: int) -> Path:
        """Return the folder of an attempt."""
        return self._root / job_id / f"attempt-{number}"

    def make_attempt(self, job_id: str, number: int) -> Path:
        """Return the folder of an attempt that begins: it is there, and empty."""
        folder = self.attempt(job_id, number)
        folder.mkdir(parents=True)
        return folder

    def discard_attempt(self, job_id: str, number: int) -> None:
        """Remove the files of an attempt."""
        shutil.rmtree(self.attempt(job_id, number), ignore_errors=True)

    def keep_parts(self, job: Job, sent: Mapping[str, SentFile]) -> tuple[Part, ...]:
        """Keep files that came with a job, by their names; return the parts that the job has with them."""
        new = [self._keep_part(job.id, name, file) for name, file in sent.items()]
        return (*(part for part in job.parts if part.name not in sent), *new)

    def _keep_part(self, job_id: str, name: str, sent: SentFile) -> Part:
        folder = self.parts(job_id)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / secrets.token_hex(8)
        sent.content.seek(0)
        with path.open("xb") as out:
            shutil.copyfileobj(sent.content, out, _CHUNK)
        return Part(name, path.name, sent.filename, sent.media_type, path.stat().st_size)

    def forget_parts(self, job_id: str, parts: Iterable[Part]) -> None:
        """Remove files that came with a job."""
        for part in parts:
            (self.parts(job_id) / part.file).unlink(missing_ok=True)

    def parts(self, job_id: str) -> Path:
        """Return the folder of the files that came with a job; it may not be there."""
        return self._root / job_id / "parts"

    def remove(self, job_id: str) -> None:
        """Remove all files of a job."""
        shutil.rmtree(self._root / job_id, ignore_errors=True)

    def sweep(self, known: Collection[str]) -> None:
        """Remove the folders of jobs that are not there any more: somebody was killed while removing them."""
        if not self._root.is_dir():
            return
        for folder in self._root.glob("[!.]*"):
            if folder.name not in known and time.time() - folder.stat().st_mtime > _ORPHAN_S:
                shutil.rmtree(folder, ignore_errors=True)
