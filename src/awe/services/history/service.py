"""Use cases of the history: remember a query, find it again, name it, forget it."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from awe.errors import AuthenticationError, ForbiddenError, NotFoundError, ParameterError
from awe.services.history.model import ASKED, Entry
from awe.services.history.recording import Outcome, Recording
from awe.services.history.store import HistoryStore
from awe.services.identity import ORIGIN, READ, WRITE, HelpLog, Identity, Policy, Resource
from awe.services.jobs import FINAL, Job, Phase
from awe.services.system import Condition, SqlValue
from awe.settings import HistorySettings

__all__ = ["HistoryService"]

_GRACE_S = 60.0
_LONGEST_NAME = 1000
_LONGEST_TEXT = 1_000_000
_LONGEST_MESSAGE = 4000
_LONGEST_ENGINE = 255


class HistoryService:
    """The queries of everyone known.

    An entry is its owner's alone, and of those whom its owner lets read it. To read one is not to read its answer:
    who runs the query again does so with what is open to him.

    Parameters
    ----------
    store
        The entries.
    policy
        Who may see which.
    helping
        Where it is recorded that an administrator saw or changed somebody's.
    job
        From an id to the job, if it is there.
    settings
        How long, and how much.
    longest_s
        The time of a query that is no job: one that began before that and says nothing has died.
    now
        The moment it is.
    """

    def __init__(
        self,
        store: HistoryStore,
        policy: Policy,
        helping: HelpLog,
        job: Callable[[str], Job | None],
        settings: HistorySettings,
        *,
        longest_s: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._policy = policy
        self._helping = helping
        self._job = job
        self._settings = settings
        self._longest = timedelta(seconds=longest_s + _GRACE_S)
        self._now = now
        self._tidied = ""

    # While they run

    def begin(
        self, identity: Identity, text: str, *, dialect: str, context: str | None = None, into: str = ""
    ) -> Recording:
        """Remember a query that begins; of a caller without an account nothing is kept.

        Parameters
        ----------
        into
            The table that its rows go to.
        """
        if identity.is_anonymous:
            return Recording()
        now = self._now()
        self._tidy(now)
        entry = self._made(identity.name, text, now, dialect=dialect, context=context or "", into=into)
        self._store.add(entry)
        return Recording(lambda outcome: self._end(entry, outcome))

    def of_job(self, job: Job) -> None:
        """Note how a job is that runs a query; one that is nobody's, or no query, is none of ours."""
        text = _said(job, "text", "QUERY")
        if not (job.owner and text):
            return
        entry = self._made(
            job.owner,
            text,
            job.queued or job.created,
            dialect=_said(job, "dialect", "LANG").lower(),
            context=_said(job, "context", "CONTEXT") or _said(job, "profile", "PROFILE"),
            into=_said(job, "into", "INTO"),
        )
        entry = replace(entry, job=job.id, name=_kept(job.run_id)[:_LONGEST_NAME])
        # before its first attempt: what was forgotten while it ran does not come back
        new = job.attempt == 0 and job.phase in {Phase.QUEUED, Phase.ERROR}
        self._store.put_job(_as_of_job(entry, job), new=new)

    def _made(
        self, owner: str, text: str, begun: datetime, *, dialect: str, context: str, into: str
    ) -> Entry:
        return Entry(
            id=secrets.token_hex(8),
            owner=owner,
            face=ORIGIN.get().face[:32],
            dialect=_kept(dialect)[:16],
            context=_kept(context)[:255],
            text=_kept(text)[:_LONGEST_TEXT],
            into=_kept(into)[:255],
            begun=begun,
        )

    def _end(self, entry: Entry, outcome: Outcome) -> None:
        self._store.end(
            replace(
                entry,
                ended=self._now(),
                phase=outcome.phase,
                seconds=outcome.seconds,
                rows=outcome.rows,
                bytes=outcome.bytes,
                message=_kept(outcome.message)[:_LONGEST_MESSAGE],
                engine=outcome.engine[:_LONGEST_ENGINE],
            )
        )

    # Afterwards

    def find(
        self,
        identity: Identity,
        *,
        text: str = "",
        phases: Iterable[Phase] = (),
        after: datetime | None = None,
        before: datetime | None = None,
        most: int | None = None,
        shared: bool = False,
    ) -> tuple[Entry, ...]:
        """Return what the caller asked, the newest first.

        Parameters
        ----------
        text
            Only with this in the query, its name, its table or what went wrong, whatever its case.
        phases
            Only in one of these phases.
        after, before
            Only what was asked after, or before, a moment.
        most
            So many at the most; never more than the operator allows.
        shared
            Instead what others asked and the caller may see: all of it, for an administrator.

        Raises
        ------
        AuthenticationError
            If the caller has no account.
        """
        if identity.is_anonymous:
            raise AuthenticationError(
                "queries are remembered of those who are logged in", hint="awe login, or send a token"
            )

        def where(entry_id: SqlValue, owner: SqlValue) -> Condition:
            if not shared:
                return owner == identity.name
            seen = self._policy.visible(identity, ASKED, name=entry_id, owner=owner)
            return seen & (owner != identity.name)

        for entry in self._store.unfinished(where):
            self._settle(entry)
        listed = self._settings.listed
        found = self._store.find(
            where,
            text=_kept(text),
            phases=phases,
            after=after,
            before=before,
            most=min(most or listed, listed),
        )
        if shared:
            self._helping.note_list(identity, ASKED, (entry.owner for entry in found))
        return found

    def entry(self, entry_id: str, identity: Identity, *, action: str = READ) -> Entry:
        """Return one query.

        Parameters
        ----------
        action
            What the caller wants of it: `READ`, or `WRITE` to name or forget it.

        Raises
        ------
        NotFoundError
            If there is none (any more), or none that the caller may see: it does not say which.
        ForbiddenError
            If the caller may only read it.
        """
        found = self._store.get(entry_id)
        if found is not None:
            if self._policy.allowed(identity, action, _resource(found)):
                self._helping.note(identity, action, _resource(found))
                return self._settle(found)
            if action != READ and self._policy.allowed(identity, READ, _resource(found)):
                raise ForbiddenError(f"the query {entry_id} is somebody else's")
        raise NotFoundError(f"there is no query {entry_id} in the history, or none that you may see")

    def resource(self, entry_id: str, identity: Identity) -> Resource:
        """Return an entry as something that can be shared; `NotFoundError` as `entry`."""
        return _resource(self.entry(entry_id, identity))

    def name(self, entry_id: str, identity: Identity, name: str) -> Entry:
        """Give a query a name; an empty one takes it away.

        Raises
        ------
        NotFoundError, ForbiddenError
            As `entry`.
        ParameterError
            If the name is too long, or more than a line.
        """
        found = self.entry(entry_id, identity, action=WRITE)
        if len(name) > _LONGEST_NAME or not (name.isprintable() or not name):
            raise ParameterError(
                "name", name[:100], f"up to {_LONGEST_NAME} printable characters are possible"
            )
        self._store.rename(entry_id, name)
        return replace(found, name=name)

    def forget(self, entry_id: str, identity: Identity) -> None:
        """Remove a query from the history, running or not; `NotFoundError`, `ForbiddenError` as `entry`."""
        self.entry(entry_id, identity, action=WRITE)
        self._store.remove(entry_id, self._policy.forget(ASKED, entry_id))

    def _settle(self, entry: Entry) -> Entry:
        """Return an entry as it is now, and write down the end that nobody wrote down because its process died."""
        if entry.is_over:
            return entry
        if entry.job:
            job = self._job(entry.job)
            now = self._over(entry, "its job was removed") if job is None else _as_of_job(entry, job)
        elif entry.begun + self._longest < self._now():
            now = self._over(entry, "the service stopped before its end")
        else:
            return entry
        if now.phase is not entry.phase:
            self._store.end(now)
        return now

    def _over(self, entry: Entry, message: str) -> Entry:
        return replace(entry, phase=Phase.ABORTED, ended=self._now(), message=message)

    def _tidy(self, now: datetime) -> None:
        """Once a day, forget what is older than the operator wants to keep."""
        day = now.date().isoformat()
        if self._tidied != day:
            self._tidied = day
            for entry_id in self._store.old(now - timedelta(days=self._settings.days)):
                self._store.remove(entry_id, self._policy.forget(ASKED, entry_id))


def _resource(entry: Entry) -> Resource:
    return Resource(ASKED, entry.id, entry.owner)


def _as_of_job(entry: Entry, job: Job) -> Entry:
    """Return an entry as its job stands."""
    over = job.phase in FINAL
    rows = [result.rows for result in job.results if result.rows is not None]
    return replace(
        entry,
        phase=job.phase,
        ended=job.ended if over else None,
        seconds=(job.ended - job.started).total_seconds() if over and job.ended and job.started else None,
        rows=sum(rows) if rows else None,
        bytes=sum(result.size for result in job.results) if job.results else None,
        message=_kept(str(job.error))[:_LONGEST_MESSAGE] if job.error else "",
        engine=", ".join(dict.fromkeys(filter(None, (r.engine for r in job.results))))[:_LONGEST_ENGINE],
    )


def _said(job: Job, ordered: str, parameter: str) -> str:
    """Return what a job is to do, or, where it was refused before that was clear, what its client said."""
    found = job.order.get(ordered)
    if isinstance(found, str):
        return found
    return next((value for name, value in job.parameters if name.upper() == parameter), "")


def _kept(text: str) -> str:
    """Return a text as every database can keep it."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
