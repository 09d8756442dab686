"""What each caller may read, known as long as nothing has changed: look-ups take less time than to find it out."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from awe.services.catalogs.model import TableRecord
from awe.services.identity import Identity, Policy

__all__ = ["ReadableTables"]

_KEPT = 200
"""Callers of whom it is known."""


@dataclass(frozen=True, slots=True)
class _Known:
    stamp: object
    until: datetime | None
    tables: tuple[TableRecord, ...]

    def lasts(self, now: Callable[[], datetime]) -> bool:
        """Say whether no grant has ended by itself."""
        return self.until is None or now() < self.until


class ReadableTables:
    """Remember the tables that callers may read.

    Parameters
    ----------
    find
        Finds them out, from the system database and nothing else.
    stamp
        The state of that database: the same as long as nothing in it was changed.
    policy
        Knows when the next grant ends by itself.
    """

    def __init__(
        self,
        find: Callable[[Identity], tuple[TableRecord, ...]],
        stamp: Callable[[], object],
        policy: Policy,
    ) -> None:
        self._find = find
        self._stamp = stamp
        self._policy = policy
        self._known: OrderedDict[Identity, _Known] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, identity: Identity) -> tuple[TableRecord, ...]:
        """Return the tables that a caller may read."""
        stamp = self._stamp()  # before they are found: what changes meanwhile is found the next time
        with self._lock:
            known = self._known.get(identity)
        if known is not None and known.stamp == stamp and known.lasts(self._policy.now):
            return known.tables
        until = self._policy.next_end()
        tables = self._find(identity)
        with self._lock:
            self._known[identity] = _Known(stamp, until, tables)
            self._known.move_to_end(identity)
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return tables
