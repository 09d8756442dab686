"""Which versions of users' tables go: those that were replaced or dropped too long ago, or are too many or too large."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from awe.services.catalogs.interface import StoredTable
from awe.settings import TableSettings

__all__ = ["Ended", "expired"]

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Ended:
    """A version that was replaced or dropped: of which table, whose, where it lies, since when."""

    table: str
    owner: str
    stored: StoredTable
    ended: datetime


def expired(
    ended: Iterable[Ended], settings: TableSettings, *, query_s: float, longest_s: float, now: datetime
) -> Iterator[Ended]:
    """Yield the versions that are not kept any longer.

    Parameters
    ----------
    ended
        The versions that are not current, of one user or of several, the newest first.
    query_s, longest_s
        The times of a query and of a job at the most: one that began before may be reading a version. Those that are
        too many or too large are kept for the former only, since whoever changes a table in a loop would fill the disk.
    """
    of_table: Counter[str] = Counter()
    of_owner: Counter[str] = Counter()
    for version in ended:
        of_table[version.table] += 1
        of_owner[version.owner] += version.stored.bytes
        age_s = (now - version.ended).total_seconds()
        too_many = of_table[version.table] > settings.keep_versions
        too_large = of_owner[version.owner] > settings.keep_bytes
        too_old = age_s > max(settings.keep_days * _DAY_S, longest_s)
        if too_old or ((too_many or too_large) and age_s > query_s):
            yield version
