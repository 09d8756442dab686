"""How much an archive is used, day by day: from the system database, so that a restart loses nothing."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from awe.errors import ParameterError
from awe.services.identity.stores import Amounts, AuditStore, UsageStore

__all__ = ["Day", "FigureService"]

_LONGEST_DAYS = 3700
_USER = "user:"


@dataclass(frozen=True, slots=True)
class Day:
    """What was done in a day (UTC).

    Attributes
    ----------
    people
        Users who asked something or whose jobs ended.
    logins
        How often somebody logged in.
    amounts
        Queries that were answered at once, and jobs.
    """

    day: date
    people: int
    logins: int
    amounts: Amounts


class FigureService:
    """Add up what was used.

    Parameters
    ----------
    usage, audit
        What is kept in the system database.
    """

    def __init__(self, usage: UsageStore, audit: AuditStore) -> None:
        self._usage = usage
        self._audit = audit

    def days(self, since: date, until: date) -> tuple[Day, ...]:
        """Return each day from `since` to `until`, both included.

        Raises
        ------
        ParameterError
            If they are in the wrong order, or ten years apart.
        """
        number = _number_of_days(since, until)
        people = self._usage.subjects_by_day(_USER, since.isoformat(), until.isoformat())
        amounts = self._usage.by_day(since.isoformat(), until.isoformat())
        found = []
        for day in (since + timedelta(days=n) for n in range(number)):
            begun = datetime.combine(day, time(), UTC)
            logins = self._audit.number("login", begun, begun + timedelta(days=1))
            name = day.isoformat()
            found.append(Day(day, people.get(name, 0), logins, amounts.get(name, Amounts())))
        return tuple(found)

    def callers(self, since: date, until: date) -> tuple[tuple[str, Amounts], ...]:
        """Return what each caller used from `since` to `until`, both included; the heaviest first.

        A caller is ``user:NAME``, ``address:...`` of today's callers without an account, or ``anonymous``: those of
        earlier days. Errors as `days`.
        """
        _number_of_days(since, until)
        found = self._usage.by_subject(since.isoformat(), until.isoformat())
        return tuple(sorted(found.items(), key=lambda one: (-one[1].query_s - one[1].job_s, one[0])))


def _number_of_days(since: date, until: date) -> int:
    number = (until - since).days + 1
    if not 0 < number <= _LONGEST_DAYS:
        raise ParameterError(
            "until", until, f"not within ten years after {since}", hint="the first day comes first"
        )
    return number
