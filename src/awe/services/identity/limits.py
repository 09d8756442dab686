"""What a caller may use: the measures, limits and overrides of them, and which one applies. No database, no clock.

Words: a *measure* is what is counted (`MEASURES`). A *limit* is an amount of a measure for a principal
(``user:ann``, ``group:hst``, ``role:scientist``, ``everybody``, ``anonymous``), perhaps from one day on or until
another. Without one, what the settings say applies (`QuotaSettings`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from awe.errors import ParameterError
from awe.services.identity.model import Identity
from awe.settings import QuotaSettings

__all__ = [
    "ANYBODY",
    "EVERYBODY",
    "MEASURES",
    "UNKNOWN",
    "Limit",
    "Measure",
    "Usage",
    "applicable",
    "checked_principal",
    "principal_of",
]

EVERYBODY = "everybody"
"""The principal that every caller is, with an account or without."""
UNKNOWN = "anonymous"
"""The principal of the callers without an account."""
ANYBODY = frozenset({EVERYBODY, UNKNOWN})
"""The principals that are no names."""
_KINDS = ("user", "group", "role")
_LONGEST = 255


class Measure(StrEnum):
    """What is counted."""

    QUERIES_AT_ONCE = "queries_at_once"
    QUERIES_PER_DAY = "queries_per_day"
    JOBS_WAITING = "jobs_waiting"
    JOBS_AT_ONCE = "jobs_at_once"
    JOB_SECONDS = "job_seconds"
    JOB_SECONDS_PER_DAY = "job_seconds_per_day"
    STORAGE_BYTES = "storage_bytes"
    TABLES = "tables"
    TABLE_ROWS = "table_rows"
    FILE_BYTES_PER_DAY = "file_bytes_per_day"
    NOTEBOOK_BYTES = "notebook_bytes"


MEASURES: dict[Measure, str] = {
    Measure.QUERIES_AT_ONCE: "queries at the same time",
    Measure.QUERIES_PER_DAY: "queries in a day",
    Measure.JOBS_WAITING: "jobs in the queue",
    Measure.JOBS_AT_ONCE: "jobs that run at the same time",
    Measure.JOB_SECONDS: "seconds of one job",
    Measure.JOB_SECONDS_PER_DAY: "seconds of jobs in a day",
    Measure.STORAGE_BYTES: "bytes of files kept",
    Measure.TABLES: "tables of one's own",
    Measure.TABLE_ROWS: "rows of tables of one's own",
    Measure.FILE_BYTES_PER_DAY: "bytes of files of tables in a day",
    Measure.NOTEBOOK_BYTES: "bytes of memory of a notebook",
}
"""Every measure, in words that follow a number. A day begins at midnight UTC."""


@dataclass(frozen=True, slots=True)
class Limit:
    """An amount that somebody set.

    Attributes
    ----------
    id
        Names it.
    principal
        For whom.
    amount
        None for as much as there is.
    since, until
        From when on it is in force, and before when; None for always.
    why, by, created
        The reason, who set it, and when.
    """

    id: str
    principal: str
    measure: Measure
    amount: int | None
    since: datetime | None
    until: datetime | None
    why: str
    by: str
    created: datetime

    def in_force(self, now: datetime) -> bool:
        """Return whether it is in force at a moment."""
        return (self.since is None or self.since <= now) and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a measure a caller uses.

    Attributes
    ----------
    limit
        None for as much as there is.
    used
        None where nothing is counted: the limit is one of each job or notebook.
    resets
        When `used` begins at nothing again; None if that is no matter of time.
    principal
        Whose limit it is; empty for that of the settings.
    """

    measure: Measure
    limit: int | None
    used: int | None
    resets: datetime | None = None
    principal: str = ""


def applicable(
    measure: Measure, identity: Identity, limits: Iterable[Limit], defaults: QuotaSettings, now: datetime
) -> tuple[int | None, str]:
    """Return how much a caller may use, and the principal whose limit that is (empty: the settings').

    The user's own limit wins, the newest if there are several; that of ``anonymous`` is the own limit of callers
    without an account. Else the most generous applies of those of the caller's groups and roles and of
    ``everybody``, for which the settings stand where nobody set one.
    """
    held = [limit for limit in limits if limit.measure is measure and limit.in_force(now)]
    source = defaults.anonymous if identity.is_anonymous else defaults
    if not held:
        return getattr(source, measure.value), ""
    own = principal_of(identity.name)
    of_own = [limit for limit in held if limit.principal == own]
    if of_own:
        return max(of_own, key=lambda limit: limit.created).amount, own
    groups = {f"group:{name}" for name in identity.groups} | {f"role:{name}" for name in identity.roles}
    general = [limit for limit in held if limit.principal == EVERYBODY]
    first = max(general, key=lambda limit: limit.created) if general else None
    offered = [(first.amount, EVERYBODY) if first else (getattr(source, measure.value), "")]
    offered += [(limit.amount, limit.principal) for limit in held if limit.principal in groups]
    return max(offered, key=lambda one: float("inf") if one[0] is None else one[0])


def principal_of(name: str) -> str:
    """Return the principal of a user's name; of callers without an account when it is empty."""
    return f"user:{name}" if name else UNKNOWN


def checked_principal(principal: str) -> str:
    """Return a principal that a limit can be for; `ParameterError` otherwise."""
    kind, colon, name = principal.partition(":")
    if principal in ANYBODY or (kind in _KINDS and colon and name and len(principal) <= _LONGEST):
        return principal
    hint = f"user:NAME, group:NAME, role:NAME, {EVERYBODY} or {UNKNOWN}"
    raise ParameterError("principal", principal, "nobody", hint=hint)
