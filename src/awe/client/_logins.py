"""Logins kept on this machine, one for each service: a file that only its owner reads.

What is kept is a token that ends within the hour, and the one that it is renewed with, which is good once. Several
processes share the file: who renews holds a lock, and looks again whether another one did it meanwhile.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from awe.errors import AuthenticationError

__all__ = ["Kept", "Logins"]

_EARLY = timedelta(minutes=1)
"""A token that ends so soon is renewed: the request it goes with takes its time, too."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A login."""

    access_token: str
    refresh_token: str
    expires: datetime

    @property
    def is_good(self) -> bool:
        """True while its token can be used."""
        return datetime.now(UTC) + _EARLY < self.expires


class Logins:
    """The logins in a folder.

    Parameters
    ----------
    folder
        The user's folder for settings of awe; made when something is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser()
        self._file = self._folder / "logins.json"

    def get(self, url: str) -> Kept | None:
        """Return the login at a service."""
        return self._read().get(url)

    def keep(self, url: str, login: Kept) -> Kept | None:
        """Keep a login; return the one that was kept before."""
        with self._locked():
            logins = self._read()
            self._write({**logins, url: login})
            return logins.get(url)

    def forget(self, url: str) -> Kept | None:
        """Forget a login; return it."""
        with self._locked():
            logins = self._read()
            found = logins.pop(url, None)
            if found is not None:
                self._write(logins)
            return found

    def token(self, url: str, renew: Callable[[str], Kept]) -> str:
        """Return a token that is good now; empty where there is no login.

        Parameters
        ----------
        renew
            Exchanges a refresh token; raises `AuthenticationError` if it is not good any more.

        Raises
        ------
        AuthenticationError
            If the login has ended; it is forgotten.
        """
        found = self.get(url)
        if found is None or found.is_good:
            return found.access_token if found else ""
        with self._locked():
            logins = self._read()
            found = logins.get(url)
            if found is not None and not found.is_good:
                try:
                    found = renew(found.refresh_token)
                except AuthenticationError:
                    del logins[url]
                    self._write(logins)
                    raise AuthenticationError(
                        f"your login at {url} has ended",
                        hint="`awe login` begins another; without one you are nobody known",
                    ) from None
                self._write({**logins, url: found})
        return found.access_token if found else ""

    def _read(self) -> dict[str, Kept]:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
            return {
                url: Kept(one["access_token"], one["refresh_token"], datetime.fromisoformat(one["expires"]))
                for url, one in found.items()
            }
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}  # what cannot be read is no login; the next one writes it anew

    def _write(self, logins: dict[str, Kept]) -> None:
        told = {
            url: {
                "access_token": one.access_token,
                "refresh_token": one.refresh_token,
                "expires": one.expires.isoformat(),
            }
            for url, one in logins.items()
        }
        half = self._folder / f".logins-{secrets.token_hex(4)}"
        with os.fdopen(
            os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as out:
            json.dump(told, out, indent=1)
        half.replace(self._file)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._folder / ".logins.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
