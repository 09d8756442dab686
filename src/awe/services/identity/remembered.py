"""What callers may see, known as long as nothing has changed: to look it up takes less time than to find it out."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from awe.services.identity.policy import Policy

__all__ = ["Remembered"]

Question = TypeVar("Question", bound=Hashable)
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class _Known(Generic[Found]):
    stamp: object
    until: datetime | None
    found: Found

    def lasts(self, now: Callable[[], datetime]) -> bool:
        """Say whether no grant has ended by itself."""
        return self.until is None or now() < self.until


class Remembered(Generic[Question, Found]):
    """Remember answers to the questions that were asked last; the caller is part of a question.

    Parameters
    ----------
    find
        Finds an answer, from the system database and nothing else. What it raises is not remembered.
    stamp
        The state of that database: the same as long as nothing in it was changed.
    policy
        Knows when the next grant ends by itself.
    most
        Answers that are kept.
    """

    def __init__(
        self, find: Callable[[Question], Found], stamp: Callable[[], object], policy: Policy, *, most: int
    ) -> None:
        self._find = find
        self._stamp = stamp
        self._policy = policy
        self._most = most
        self._known: OrderedDict[Question, _Known[Found]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, question: Question) -> Found:
        """Return the answer to a question."""
        stamp = self._stamp()  # before it is found: what changes meanwhile is found the next time
        with self._lock:
            known = self._known.get(question)
        if known is not None and known.stamp == stamp and known.lasts(self._policy.now):
            return known.found
        until = self._policy.next_end()
        found = self._find(question)
        with self._lock:
            self._known[question] = _Known(stamp, until, found)
            self._known.move_to_end(question)
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        return found
