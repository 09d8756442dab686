"""Slow down whoever guesses passwords, whichever process of the service is asked."""

import secrets
import time
from collections.abc import Callable

from awe.errors import RateLimitError
from awe.services.identity._secrets import digest
from awe.services.identity.stores import FailureStore

__all__ = ["LoginFailures"]


_DIGITS = 5
"""Of the digest of a name: enough to tell names apart for a minute, too few to find out a password typed as one."""


class LoginFailures:
    """Count the failed logins of each name within the last minute.

    Parameters
    ----------
    store
        Where they are counted.
    kind
        What the names are of.
    limit
        Failures allowed within `seconds`.
    clock
        Seconds since 1970.
    """

    def __init__(
        self,
        store: FailureStore,
        kind: str,
        limit: int = 5,
        seconds: float = 60.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._kind = kind
        self._limit = limit
        self._seconds = seconds
        self._clock = clock

    def check(self, name: str) -> None:
        """Raise `RateLimitError` if this name failed too often lately."""
        now = self._clock()
        number, first = self._store.lately(self._subject(name), now - self._seconds)
        if number >= self._limit:
            wait = max(1, round(first + self._seconds - now))
            raise RateLimitError(
                "too many failed logins for this user", hint=f"try again in {wait} s", retry_after=wait
            )

    def add(self, name: str) -> None:
        """Remember one more failure."""
        now = self._clock()
        self._store.add(secrets.token_hex(16), self._subject(name), now, now - self._seconds)

    def forget(self, name: str) -> None:
        """Begin anew after a login that succeeded."""
        subject = self._subject(name)
        if self._store.lately(subject, self._clock() - self._seconds)[0]:
            self._store.forget(subject)

    def _subject(self, name: str) -> str:
        return digest(f"{self._kind} {name!a}")[:_DIGITS]
