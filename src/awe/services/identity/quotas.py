"""Use cases of quotas: what a caller may use and uses, queries one after the other, limits for some.

Whatever keeps something for people (`bring`) says how much of it a caller uses, and asks `check` before it keeps
more. Queries are counted here: `begin` one, `end` it; and so are the files of tables that are sent (`fetching`).
"""

import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from ipaddress import IPv6Address, ip_address
from pathlib import Path

from awe.core.waiting import waits
from awe.errors import NotFoundError, ParameterError, QuotaError
from awe.services.identity.audit import ORIGIN, AuditLog
from awe.services.identity.limits import (
    MEASURES,
    UNKNOWN,
    Limit,
    Measure,
    Usage,
    applicable,
    checked_principal,
    principal_of,
)
from awe.services.identity.model import Identity
from awe.services.identity.stores import AccountStore, Amounts, GroupStore, LimitStore, UsageStore
from awe.services.identity.stores.usage import day_of
from awe.services.system import Presence
from awe.settings import QuotaSettings

__all__ = ["QuotaService", "RunningQuery", "subject_of"]

_ADDRESS = "address:"
_FRESH_S = 2.0
"""A limit that another process sets is in force here after this time at the latest."""
_SOON_S = 5
_REAP_S = 1.0
_GRACE_S = 60.0
_AMPLE = 50
"""More queries at the same time than there are threads for those that are over in a moment."""
_LONGEST_WHY = 1000

Meter = Callable[[Identity], int]
"""How much of a measure a caller uses now."""


class RunningQuery:
    """A query that has begun; whoever began it ends it, once or more often.

    Parameters
    ----------
    end
        Told what it used when it has ended.
    queries
        1 where that is when it is counted.
    """

    def __init__(self, end: Callable[[Amounts], None], queries: int = 0) -> None:
        self._end: Callable[[Amounts], None] | None = end
        self._queries = queries
        self._begun = time.monotonic()

    def end(self, rows: int = 0, size: int = 0) -> float:
        """Say that it has ended, and what was sent: rows, and bytes; return how many seconds it took."""
        taken_s = time.monotonic() - self._begun
        end, self._end = self._end, None
        if end is not None:
            end(Amounts(queries=self._queries, rows=rows, bytes=size, query_s=taken_s))
        return taken_s


class QuotaService:
    """Say what callers may use, count what they use, refuse what is too much.

    Parameters
    ----------
    limits, usage, accounts, groups
        What is kept in the system database.
    audit
        Where limits that are set and dropped are recorded.
    settings
        The limits where nobody set others.
    folder
        Where the processes that answer queries see each other; made when the first one does.
    query_s
        The time of a query at the most.
    contact
        Whom to ask for more; nobody when empty.
    now
        The moment it is.
    """

    def __init__(
        self,
        limits: LimitStore,
        usage: UsageStore,
        accounts: AccountStore,
        groups: GroupStore,
        audit: AuditLog,
        settings: QuotaSettings,
        *,
        folder: Path,
        query_s: float = 60.0,
        contact: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = limits
        self._usage = usage
        self._accounts = accounts
        self._groups = groups
        self._audit = audit
        self._settings = settings
        self._folder = folder
        self._life = timedelta(seconds=query_s + _GRACE_S)
        self._contact = contact
        self._now = now
        self._meters: dict[Measure, list[Meter]] = {}
        self._known: tuple[Limit, ...] = ()
        self._known_until = self._reap_at = 0.0
        self._tidied = ""
        self._presence: Presence | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Be gone: what this process holds ends."""
        with self._lock:
            presence, self._presence = self._presence, None
        self._usage.close()
        if presence is not None:
            presence.close()

    def bring(self, measure: Measure, meter: Meter) -> None:
        """Let the usage of a measure be told by who counts it; what several count is added up."""
        self._meters.setdefault(measure, []).append(meter)

    # What a caller may use

    def limit(self, identity: Identity, measure: Measure) -> int | None:
        """Return how much of a measure a caller may use; None for as much as there is."""
        return applicable(measure, identity, self._limits(), self._settings, self._now())[0]

    def usage(self, identity: Identity) -> tuple[Usage, ...]:
        """Return what a caller may use and uses, of all that is there to be used."""
        now = self._now()
        midnight = _midnight(now)
        subject = subject_of(identity)
        today = self._usage.of_day(subject, day_of(now))
        used: dict[Measure, int | None] = {
            Measure.QUERIES_AT_ONCE: self._usage.running(subject, now),
            Measure.QUERIES_PER_DAY: today.queries,
            Measure.FILE_BYTES_PER_DAY: today.file_bytes,
        }
        if Measure.JOBS_WAITING in self._meters:
            used[Measure.JOB_SECONDS] = None
        used |= {m: None if identity.is_anonymous else self.used(identity, m) for m in self._meters}
        found = []
        for measure in (m for m in MEASURES if m in used):
            most, principal = applicable(measure, identity, self._limits(), self._settings, now)
            resets = midnight if measure in _OF_A_DAY else None
            found.append(Usage(measure, most, used[measure], resets, principal))
        return tuple(found)

    def used(self, identity: Identity, measure: Measure) -> int:
        """Return how much a caller uses of what is brought."""
        return sum(meter(identity) for meter in self._meters[measure])

    def check(
        self,
        identity: Identity,
        measure: Measure,
        used: int,
        more: int = 1,
        *,
        retry_after: int | None = _SOON_S,
        help_: str = "",
    ) -> None:
        """Refuse what is too much.

        Parameters
        ----------
        used, more
            How much there is, and how much it would be besides.
        retry_after
            Seconds after which it helps to try again; None where time alone does not.
        help_
            What helps besides.

        Raises
        ------
        QuotaError
            If that is more than the caller may use.
        """
        most = self.limit(identity, measure)
        if most is not None and used + more > most:
            if measure in _OF_A_DAY:
                retry_after = _seconds_until(_midnight(self._now()), self._now())
            self._refuse(identity, measure, most, used, retry_after, help_)

    def job_seconds_today(self, name: str) -> float:
        """Return the seconds of a user's jobs that have ended in this day; of nobody's when empty."""
        return self._usage.of_day(principal_of(name), day_of(self._now())).job_s

    # Queries

    def begin(self, identity: Identity, *, prompt: bool = False) -> RunningQuery:
        """Begin a query.

        Parameters
        ----------
        prompt
            Whether it is over in a moment. Where such ones cannot be what makes it too many, they are counted when
            they are over, those of a moment together.

        Raises
        ------
        QuotaError
            If the caller runs as many as allowed, or has asked as many in this day.
        """
        now = self._now()
        limits = self._limits()
        most = applicable(Measure.QUERIES_AT_ONCE, identity, limits, self._settings, now)[0]
        most_today = applicable(Measure.QUERIES_PER_DAY, identity, limits, self._settings, now)[0]
        subject, day = subject_of(identity), day_of(now)
        if prompt and most_today is None and (most is None or most >= _AMPLE):
            self._tidy(day)
            return RunningQuery(partial(self._usage.count_soon, subject, day), queries=1)
        waits()
        lease = secrets.token_hex(12)
        holder = self._here().name
        for attempt in range(2):
            if self._usage.begin(
                lease, subject, holder, now=now, until=now + self._life, most=most, most_today=most_today
            ):
                break
            if attempt or not self._reap(now):
                self._refuse_query(identity, subject, most, most_today)
        self._tidy(day)
        return RunningQuery(lambda amounts: self._usage.end(lease, subject, day, amounts))

    def fetching(self, identity: Identity) -> Callable[[int], None]:
        """Begin to send files of tables; return what is told how many bytes were sent.

        Raises
        ------
        QuotaError
            If the caller has fetched as much in this day as allowed.
        """
        now = self._now()
        subject, day = subject_of(identity), day_of(now)
        most = self.limit(identity, Measure.FILE_BYTES_PER_DAY)
        if most is not None:
            fetched = self._usage.of_day(subject, day).file_bytes
            if fetched >= most:
                wait_s = _seconds_until(_midnight(now), now)
                self._refuse(identity, Measure.FILE_BYTES_PER_DAY, most, fetched, wait_s)
        self._tidy(day)
        return lambda size: self._usage.count_soon(subject, day, Amounts(file_bytes=size))

    def _refuse_query(
        self, identity: Identity, subject: str, most: int | None, most_today: int | None
    ) -> None:
        now = self._now()
        today = self._usage.of_day(subject, day_of(now)).queries
        if most_today is not None and today >= most_today:
            wait_s = _seconds_until(_midnight(now), now)
            self._refuse(identity, Measure.QUERIES_PER_DAY, most_today, today, wait_s)
        running = self._usage.running(subject, now)
        self._refuse(
            identity, Measure.QUERIES_AT_ONCE, most or 0, running, _SOON_S, "wait until one of them has ended"
        )

    def _refuse(
        self,
        identity: Identity,
        measure: Measure,
        most: int,
        used: int,
        retry_after: int | None,
        help_: str = "",
    ) -> None:
        self._usage.count(subject_of(identity), day_of(self._now()), Amounts(refused=1))
        when = f"try again in {_span(retry_after)}" if retry_after is not None else ""
        more = f"{self._contact} can allow more" if self._contact else ""
        raise QuotaError(
            f"you may have {most:,} {MEASURES[measure]}, and have {used:,}",
            measure=measure.value,
            limit=most,
            used=used,
            retry_after=retry_after,
            hint="; ".join(part for part in (help_, when, more) if part) or None,
        )

    def _here(self) -> Presence:
        with self._lock:
            if self._presence is None:
                self._presence = Presence(self._folder)
            return self._presence

    def _reap(self, now: datetime) -> bool:
        """End the leases of processes that died; False if that was done just now."""
        with self._lock:
            if time.monotonic() < self._reap_at:
                return False
            self._reap_at = time.monotonic() + _REAP_S
        presence = self._here()
        gone = presence.gone()
        self._usage.reap(now, gone)
        presence.forget(gone)
        return True

    def _tidy(self, day: str) -> None:
        """Once a day: count what dead processes left, and forget the addresses of earlier days."""
        if self._tidied != day:
            waits()
            self._tidied = day
            self._usage.reap(self._now(), ())
            self._usage.forget(_ADDRESS, day, UNKNOWN)

    # Limits for some

    def limits(self, principal: str | None = None) -> tuple[Limit, ...]:
        """Return the limits that were set, of one principal or of all."""
        return tuple(one for one in self._store.all() if principal in {None, one.principal})

    def set(
        self,
        principal: str,
        measure: str,
        amount: int | None,
        *,
        by: str,
        since: datetime | None = None,
        until: datetime | None = None,
        why: str = "",
    ) -> Limit:
        """Set a limit; it takes the place of one for the same principal, measure and days.

        Parameters
        ----------
        principal
            ``user:NAME``, ``group:NAME``, ``role:NAME``, ``everybody``, ``anonymous``.
        measure
            One of `MEASURES`.
        amount
            None for as much as there is.
        by
            Who sets it.
        since, until
            From when on, and before when it is in force.
        why
            The reason, for other administrators.

        Raises
        ------
        ParameterError
            If one of them cannot be used.
        NotFoundError
            If there is no such user or group.
        """
        if measure not in set(Measure):
            raise ParameterError("measure", measure, "is not counted", hint=f"one of {', '.join(Measure)}")
        if amount is not None and not 0 <= amount < 2**62:
            raise ParameterError("amount", amount, "is no amount")
        if since is not None and until is not None and since >= until:
            raise ParameterError("until", until.isoformat(), "is not after its beginning")
        self._check_there(checked_principal(principal))
        made = Limit(
            secrets.token_hex(8), principal, Measure(measure), amount, since, until, why[:_LONGEST_WHY], by,
            self._now(),
        )  # fmt: skip
        self._store.add(made)
        self._known_until = 0.0
        said = "no limit" if amount is None else str(amount)
        days = {"since": since.isoformat() if since else "", "until": until.isoformat() if until else ""}
        given = {name: text for name, text in {**days, "why": why}.items() if text}
        self._audit.record(
            "quota.set", user=by, target=principal, outcome="done", measure=measure, amount=said, **given
        )
        return made

    def _check_there(self, principal: str) -> None:
        kind, _, name = principal.partition(":")
        if (kind == "user" and self._accounts.account(name) is None) or (
            kind == "group" and self._groups.group(name) is None
        ):
            raise NotFoundError(f"there is no {kind} {name!r}")

    def drop(self, limit_id: str, *, by: str) -> Limit:
        """Drop a limit; `NotFoundError` if there is none with this id."""
        found = self._store.remove(limit_id)
        if found is None:
            raise NotFoundError(f"there is no limit {limit_id!r}")
        self._known_until = 0.0
        self._audit.record("quota.dropped", user=by, target=found.principal, measure=found.measure.value)
        return found

    def running(self) -> int:
        """Return how many queries run, of everybody."""
        return self._usage.all_running(self._now())

    def owner(self, name: str) -> Identity:
        """Return the owner of something by name, also one whose account is closed; nobody's when empty."""
        return self._accounts.identity(name) or Identity(name)

    def _limits(self) -> tuple[Limit, ...]:
        now = time.monotonic()
        if now >= self._known_until:
            self._known, self._known_until = self._store.all(), now + _FRESH_S
        return self._known


_OF_A_DAY = frozenset({Measure.QUERIES_PER_DAY, Measure.JOB_SECONDS_PER_DAY, Measure.FILE_BYTES_PER_DAY})


def subject_of(identity: Identity) -> str:
    """Return under which name the usage of a caller is counted: the user's, else that of the address.

    Of an IPv6 address the network counts, in which its owner has as many as he likes.
    """
    if not identity.is_anonymous:
        return principal_of(identity.name)
    return _subject_at(ORIGIN.get().address)


@lru_cache(maxsize=1000)
def _subject_at(address: str) -> str:
    try:
        read = ip_address(address.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(read, IPv6Address):
        if read.ipv4_mapped is not None:
            return f"{_ADDRESS}{read.ipv4_mapped}"
        network = IPv6Address(int(read) >> 64 << 64)
        return f"{_ADDRESS}{network}/64"
    return f"{_ADDRESS}{read}"


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _seconds_until(moment: datetime, now: datetime) -> int:
    return max(1, round((moment - now).total_seconds() + 0.5))


def _span(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    minutes = seconds // 60
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
