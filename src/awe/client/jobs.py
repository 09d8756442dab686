"""Queries that take their time: put into a queue, waited for, fetched; they go on without you."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from astropy.table import Table

from awe.client._base import BINARY2, ServiceClient, fetch_table
from awe.client._transport import Transport
from awe.client._uploads import TableLike, opened
from awe.client.catalogs import Language
from awe.errors import AweError, CancelledError, NotFoundError, ParameterError, TimeLimitError

__all__ = ["Job", "JobsClient"]

_ENDED = frozenset({"COMPLETED", "ERROR", "ABORTED", "ARCHIVED"})
_WAIT_S = 20.0
_TELL_S = 1.0


class Job:
    """A query in the queue of an archive, or what became of it.

    Made by `Client.submit`, `Client.job` and `Client.jobs`. What it says is what the service said last; `refresh`
    asks again.
    """

    def __init__(self, transport: Transport, state: Mapping[str, Any]) -> None:
        self._transport = transport
        self._state = state

    @property
    def id(self) -> str:
        """Its identifier: `Client.job` finds it again. Whoever knows it may use a job made without login."""
        return str(self._state["id"])

    @property
    def phase(self) -> str:
        """``QUEUED``, ``EXECUTING``, ``COMPLETED``, ``ERROR``, ``ABORTED`` ..., as UWS names them."""
        return str(self._state["phase"])

    @property
    def name(self) -> str:
        """Your own name for it."""
        return str(self._state["run_id"])

    @property
    def query(self) -> str:
        """The query."""
        return next((p["value"] for p in self._state["parameters"] if p["name"].upper() == "QUERY"), "")

    @property
    def into(self) -> str:
        """The table of yours that its rows go to, where it was submitted so; empty for none."""
        return next((p["value"] for p in self._state["parameters"] if p["name"].upper() == "INTO"), "")

    @property
    def created(self) -> str:
        """When it was made, UTC."""
        return str(self._state["created"])

    @property
    def progress(self) -> tuple[str, int, int | None] | None:
        """What is done now, how much of it, out of how much (None: not known)."""
        step = self._state["progress"]
        return (step["what"], step["done"], step["total"]) if step else None

    @property
    def size(self) -> int | None:
        """Bytes of its results; None while there is none."""
        sizes = [int(result["size"]) for result in self._state["results"]]
        return sum(sizes) if sizes else None

    @property
    def error(self) -> AweError | None:
        """Why it failed."""
        return AweError.from_json(self._state) if self._state["error"] else None

    @property
    def ended(self) -> bool:
        """Whether it is over, well or not."""
        return self.phase in _ENDED

    def refresh(self, wait_s: float = 0.0) -> Self:
        """Ask how it is; after its next phase, or after `wait_s` seconds, if that is given."""
        found: Any = self._transport.get_json(f"/api/jobs/{self.id}", {"wait": wait_s or None})
        self._state = found
        return self

    def wait(self, timeout: float | None = None, *, tell: Callable[["Job"], None] | None = None) -> Self:
        """Return when it is over, well or not.

        Parameters
        ----------
        timeout
            Seconds to wait at the most; as long as it takes when None.
        tell
            Called with this job each second.

        Raises
        ------
        TimeLimitError
            If it is not over then; it goes on.
        """
        until = float("inf") if timeout is None else time.monotonic() + timeout
        while not self.ended:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeLimitError(
                    f"the job {self.id} is {self.phase} still", hint="it goes on: wait again"
                )
            self.refresh(min(left, _WAIT_S if tell is None else _TELL_S))
            if tell is not None:
                tell(self)
        return self

    def results(self) -> list[Table]:
        """Return the rows of every result; waits until they are there. Raises as `result`."""
        self.wait()
        if not self._state["results"]:
            return [self._loaded(self.result())]
        return [self._loaded(self.result(name=one["name"])) for one in self._state["results"]]

    @staticmethod
    def _loaded(found: Table | Path) -> Table:
        assert isinstance(found, Table)  # noqa: S101  # no file was named
        return found

    def result(self, save: str | Path | None = None, *, name: str | None = None) -> Table | Path:
        """Return the rows, or write them to a file and return its path; waits until they are there.

        Parameters
        ----------
        save
            Write the answer to this file, without loading it, in the format that the job was submitted with.
        name
            Of several results which: ``Table2``; the first when None.

        Raises
        ------
        AweError
            The error of the query, of the class that the service raised.
        CancelledError
            If it was aborted.
        ParameterError
            If the answer is no VOTable and no file is given.
        """
        self.wait()
        if self.phase != "COMPLETED":
            raise self.error or CancelledError(f"the job {self.id} is {self.phase}")
        found = [one for one in self._state["results"] if name in {None, one["name"]}]
        if not found:
            raise NotFoundError(f"the job {self.id} has no result {name!r}")
        place = f"/api/jobs/{self.id}/results/{quote(found[0]['name'], safe='')}"
        if save is not None:
            self._transport.save("GET", place, Path(save))
            return Path(save)
        media_type = str(found[0]["media_type"])
        if "votable" not in media_type:
            raise ParameterError(
                "save", "", f"is needed: the answer is {media_type}", hint="a file to write to"
            )
        return fetch_table(self._transport, "GET", place)

    def abort(self) -> Self:
        """Stop it; a job that is over is left as it is."""
        found: Any = self._transport.post_json(f"/api/jobs/{self.id}/abort", None)
        self._state = found
        return self

    def delete(self) -> None:
        """Remove it and its result."""
        with self._transport.stream("DELETE", f"/api/jobs/{self.id}"):
            pass

    def __repr__(self) -> str:
        return f"<awe.Job {self.id} {self.phase}>"


class JobsClient(ServiceClient):
    """Queries that take their time."""

    def submit(
        self,
        sql: str,
        *,
        lang: Language = "adql",
        context: str | None = None,
        max_rows: int | None = None,
        into: str | None = None,
        replace: bool = False,
        format: str | None = None,  # noqa: A002  # the word astronomers know from Table.write
        name: str = "",
        uploads: Mapping[str, TableLike] | None = None,
    ) -> Job:
        """Put a query into the archive's queue; it goes on without you.

        Parameters
        ----------
        sql, lang, context, max_rows
            As for `query`; in T-SQL and PostgreSQL also several statements, as for `sql`.
        into
            Table of yours that the rows of the one query become, all of them: ``mydb.x``.
        replace
            Replace that table if it is there.
        format
            ``votable``, ``fits``, ``csv``, ``json`` or ``parquet``, for `Job.result` with a file; what the
            client reads best when None.
        name
            Your own name for it.
        uploads
            Tables that the query reads as ``TAP_UPLOAD.name``, as for `query`.

        Raises
        ------
        RateLimitError, UnavailableError
            If the queue is full.
        """
        body = {
            "query": sql,
            "lang": lang,
            "context": context,
            "max_rows": max_rows,
            "into": into,
            "replace": replace,
            "format": format or BINARY2,
            "run_id": name,
        }
        with (
            opened(uploads or {}) as files,
            self.transport.stream("POST", "/api/jobs", body=body, files=files) as answer,
        ):
            return Job(self.transport, json.loads(answer.read()))

    def job(self, job_id: str) -> Job:
        """Return a job by its id.

        Raises
        ------
        NotFoundError
            If there is none (any more).
        """
        found: Any = self.transport.get_json(f"/api/jobs/{job_id}")
        return Job(self.transport, found)

    def jobs(self, *, phase: str | None = None, last: int | None = None) -> list[Job]:
        """Return your jobs, the newest first. Without login there are none: keep the id of such a job.

        Parameters
        ----------
        phase
            Only those in this phase.
        last
            So many at the most.
        """
        params = {"phase": phase.upper() if phase else None, "last": last}
        found: Any = self.transport.get_json("/api/jobs", params)
        return [Job(self.transport, one) for one in found["jobs"]]
