"""Slow down whoever guesses passwords."""

import threading
import time
from collections.abc import Callable

from awe.errors import RateLimitError

__all__ = ["LoginFailures"]

_MOST_NAMES = 10_000


class LoginFailures:
    """Count the failed logins of each name within the last minute.

    Parameters
    ----------
    limit
        Failures allowed within `seconds`.
    clock
        Seconds that only grow.
    """

    def __init__(
        self, limit: int = 5, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit
        self._seconds = seconds
        self._clock = clock
        self._times: dict[str, list[float]] = {}
        self._lock = threading.Lock()

    def check(self, name: str) -> None:
        """Raise `RateLimitError` if this name failed too often lately."""
        with self._lock:
            times = self._recent(name)
            if len(times) >= self._limit:
                wait = max(1, round(times[0] + self._seconds - self._clock()))
                raise RateLimitError(
                    "too many failed logins for this user", hint=f"try again in {wait} s", retry_after=wait
                )

    def add(self, name: str) -> None:
        """Remember one more failure."""
        with self._lock:
            if len(self._times) >= _MOST_NAMES:  # made-up names must not fill the memory
                self._times = {known: self._recent(known) for known in self._times if self._recent(known)}
            self._times[name] = [*self._recent(name), self._clock()]

    def forget(self, name: str) -> None:
        """Begin anew after a login that succeeded."""
        with self._lock:
            self._times.pop(name, None)

    def _recent(self, name: str) -> list[float]:
        since = self._clock() - self._seconds
        return [at for at in self._times.get(name, []) if at > since]
