"""What you asked an archive, and what became of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from astropy.table import Table

from awe.client.catalogs import Language
from awe.client.jobs import Job, JobsClient
from awe.client.shares import Share, SharesClient
from awe.client.sql import SqlClient
from awe.errors import NotFoundError, UsageError

__all__ = ["History", "HistoryClient", "PastQuery"]

_LANGUAGES: tuple[Language, ...] = ("adql", "tsql", "postgres")
_SHOWN = 20
_TEXT = 60


@dataclass(frozen=True, slots=True)
class PastQuery:
    """A query that somebody asked, also one that failed.

    Attributes
    ----------
    id
        Names it.
    query
        The text.
    lang, context
        Its language, and the schema of unqualified names.
    into
        The table that its rows went to; empty for none.
    face
        Where it came in: ``api``, ``tap``, ``casjobs`` ...
    phase
        ``COMPLETED``, ``ERROR``, ``ABORTED``, or ``QUEUED`` and ``EXECUTING`` while it is not over.
    seconds, rows, bytes
        How long it ran, and what it gave; None where that is not known (yet).
    message
        What went wrong.
    job
        The id of the job that it was; empty for none.
    name
        What its owner calls it.
    engine
        What made its rows; empty where that is not known.
    """

    id: str
    query: str
    lang: str
    context: str
    into: str
    owner: str
    face: str
    begun: datetime
    phase: str
    seconds: float | None
    rows: int | None
    bytes: int | None
    message: str = field(repr=False)
    job: str
    name: str
    engine: str

    @property
    def language(self) -> Language:
        """The language, if it is one.

        Raises
        ------
        UsageError
            If the query was refused because of it.
        """
        for known in _LANGUAGES:
            if self.lang == known:
                return known
        raise UsageError(f"the query {self.id} is in {self.lang!r}, which is no language here")


class History:
    """Your queries, whichever client asked them; calling it lists the newest. Log in first."""

    def __init__(self, archive: "HistoryClient") -> None:
        self._archive = archive
        self._transport = archive.transport

    def __call__(self, last: int = _SHOWN) -> Table:
        """Return the newest ones: one row each."""
        found = self.find(last=last)
        rows = [
            (
                q.id,
                q.begun.strftime("%Y-%m-%d %H:%M:%S"),
                q.phase,
                "" if q.rows is None else str(q.rows),
                "" if q.seconds is None else f"{q.seconds:.1f}",
                q.name,
                " ".join(q.query.split())[:_TEXT],
            )
            for q in found
        ]
        names = ("id", "begun", "phase", "rows", "seconds", "name", "query")
        return Table(rows=rows or None, names=names, dtype=(str,) * len(names))

    def find(
        self,
        text: str = "",
        *,
        phase: str | None = None,
        after: datetime | None = None,
        before: datetime | None = None,
        last: int | None = None,
        shared: bool = False,
    ) -> list[PastQuery]:
        """Return queries, the newest first.

        Parameters
        ----------
        text
            Only with this in the query, its name, its table or what went wrong, whatever its case.
        phase
            Only in this phase.
        after, before
            Only those asked after, or before, a moment.
        last
            So many at the most.
        shared
            Those that others let you see, instead of yours.
        """
        params: dict[str, str | int | float | None] = {
            "text": text,
            "phase": phase.upper() if phase else None,
            "after": after.astimezone().isoformat() if after else None,
            "before": before.astimezone().isoformat() if before else None,
            "last": last,
            "shared": "true" if shared else None,
        }
        found: Any = self._transport.get_json("/api/history", params)
        return [_past(one) for one in found["queries"]]

    def get(self, which: str | PastQuery) -> PastQuery:
        """Return one query, by its id or by the name that you gave it: the newest of that name.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        if isinstance(which, PastQuery):
            which = which.id
        try:
            return _past(self._transport.get_json(f"/api/history/{quote(which, safe='')}"))
        except NotFoundError:
            named = [one for one in self.find(which) if one.name == which]
            if not named:
                raise
            return named[0]

    def rerun(
        self, which: str | PastQuery, *, into: str | None = None, replace: bool = False
    ) -> Table | list[Table]:
        """Run a query again, as yourself, at once.

        Parameters
        ----------
        into, replace
            As for `sql`; the table that its rows went to when None.
        """
        past = self.get(which)
        return self._archive.sql(
            past.query,
            lang=past.language,
            context=past.context or None,
            into=into or past.into or None,
            replace=replace,
        )

    def resubmit(self, which: str | PastQuery, *, into: str | None = None, replace: bool = False) -> Job:
        """Put a query into the long queue again; see `rerun`."""
        past = self.get(which)
        return self._archive.submit(
            past.query,
            lang=past.language,
            context=past.context or None,
            into=into or past.into or None,
            replace=replace,
        )

    def name(self, which: str | PastQuery, name: str) -> PastQuery:
        """Give a query a name; an empty one takes it away."""
        found: Any = self._transport.send_json("PATCH", self._place(which), {"name": name})
        return _past(found)

    def forget(self, which: str | PastQuery) -> None:
        """Remove a query from the history; its job, if it was one, stays."""
        self._transport.send_json("DELETE", self._place(which))

    def share(self, which: str | PastQuery, principal: str, *, days: float | None = None) -> Share:
        """Let somebody read a query, and not its answer: ``user:NAME``, ``group:NAME``, ``role:NAME``, ``everybody``."""
        return self._archive.share(f"query:{self.get(which).id}", principal, days=days)

    def _place(self, which: str | PastQuery) -> str:
        return f"/api/history/{quote(self.get(which).id, safe='')}"


class HistoryClient(SharesClient, SqlClient, JobsClient):
    """What you asked."""

    @property
    def history(self) -> History:
        """Your queries, whichever client asked them: call it, or `find`, `rerun`, `name`, `share`, `forget` one."""
        return History(self)


def _past(found: Any) -> PastQuery:
    kept = {name: found[name] for name in PastQuery.__slots__ if name not in {"lang", "begun"}}
    return PastQuery(**kept, lang=found["dialect"], begun=datetime.fromisoformat(found["begun"]))
