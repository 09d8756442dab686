"""Which versions of users' tables go: those that were replaced or dropped too long ago, or are too many or too large."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from awe.services.catalogs.own.model import TableVersion
from awe.settings import TableSettings

__all__ = ["expired"]

_DAY_S = 86_400.0


def expired(
    ended: Iterable[TableVersion], settings: TableSettings, grace_s: float, now: datetime
) -> Iterator[TableVersion]:
    """Yield the versions that are not kept any longer.

    Parameters
    ----------
    ended
        The versions that are not current, of one user or of several, the newest first.
    grace_s
        So long each is kept in any case: a query that began before may be reading it.
    """
    of_table: Counter[str] = Counter()
    of_owner: Counter[str] = Counter()
    for version in ended:
        record = version.record
        of_table[record.full_name.casefold()] += 1
        of_owner[record.owner] += record.bytes
        age_s = (now - version.ended).total_seconds() if version.ended else 0.0
        too_many = of_table[record.full_name.casefold()] > settings.keep_versions
        too_large = of_owner[record.owner] > settings.keep_bytes
        if age_s > grace_s and (age_s > settings.keep_days * _DAY_S or too_many or too_large):
            yield version
