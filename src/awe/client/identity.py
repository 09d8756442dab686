"""Your account: log in, and who you are."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from awe.client._base import ServiceClient
from awe.client._device import Waiting, log_in, renew, revocation
from awe.client._logins import Kept, Logins

__all__ = ["EVERYTHING", "IdentityClient", "Me", "Token"]

EVERYTHING = ("read", "write", "share", "run", "publish", "admin")
"""The scopes of a login that may do all that its owner may."""


def _print(waiting: Waiting) -> None:
    print(f"Open {waiting.complete}", file=sys.stderr)  # noqa: T201  # this is what it is for
    print(f"or enter {waiting.code} at {waiting.address}", file=sys.stderr)  # noqa: T201  # as above


@dataclass(frozen=True, slots=True)
class Me:
    """Your account, and what the token that you use allows."""

    name: str
    display_name: str
    email: str
    roles: tuple[str, ...]
    groups: tuple[str, ...]
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """One of your tokens.

    Attributes
    ----------
    secret, datalab
        The token itself, and the same in the form of the Data Lab's client; only where it was just made.
    """

    id: str
    kind: str
    label: str
    scopes: tuple[str, ...]
    created: datetime
    expires: datetime
    last_used: datetime | None
    secret: str = field(default="", repr=False)
    datalab: str = field(default="", repr=False)


class IdentityClient(ServiceClient):
    """The caller's account."""

    _logins: Logins

    def login(
        self,
        user: str | None = None,
        password: str | None = None,
        *,
        scopes: Sequence[str] = EVERYTHING,
        tell: Callable[[Waiting], None] | None = None,
    ) -> str:
        """Log in, and use the token from now on; returns it.

        Without a name you are shown an address and a code to enter there, in a browser; that login is kept on this
        machine, and `awe.connect` and the command line find it until `logout`. With a name and a password it is
        good for this client only, for a day.

        Parameters
        ----------
        scopes
            What the kept login shall allow: read, write, share, run, publish, admin.
        tell
            Shows the address and the code; prints them unless given.

        Raises
        ------
        AuthenticationError
            If the name or the password is wrong, or nobody entered the code in time.
        ForbiddenError
            If the login is refused in the browser.
        """
        if user is not None:
            body = {"user": user, "password": password or ""}
            found: Any = self.transport.post_json("/api/login", body)
            token = str(found["token"])
            self.transport.login(token)
            return token
        kept = log_in(self.transport.unknown(), ("openid", *scopes), tell or _print)
        self._end(self._logins.keep(self.transport.url, kept))
        self.transport.login(self._kept_token)
        return kept.access_token

    def logout(self) -> bool:
        """End the login that is kept for this service on this machine, and the one that this client uses.

        Returns
        -------
        False if there was none.
        """
        kept = self._logins.forget(self.transport.url)
        self._end(kept)
        used = self.transport.has_token and self.whoami() != "anonymous"
        if used:
            self.transport.post_json("/api/logout", {})
        self.transport.login("")
        return used or kept is not None

    def _end(self, kept: Kept | None) -> None:
        if kept is not None:
            self.transport.unknown().post_form("/oauth/revoke", revocation(kept))

    def _kept_token(self) -> str:
        """Return the token of the login that is kept for this service; empty if there is none."""
        return self._logins.token(
            self.transport.url, lambda refresh_token: renew(self.transport.unknown(), refresh_token)
        )

    def register(self, name: str, password: str, *, email: str, display_name: str = "") -> str:
        """Ask for an account.

        Parameters
        ----------
        email
            Where an administrator can reach you.
        display_name
            Your name for people.

        Returns
        -------
        ``active`` where you can log in now, ``pending`` where an administrator has to approve it first.

        Raises
        ------
        ForbiddenError
            If the archive makes no accounts on request.
        ParameterError
            If the name, the password, or what you tell of yourself cannot be used.
        ConflictError
            If the name is taken, where no approval is needed.
        RateLimitError
            If too many registered lately.
        """
        body = {"name": name, "password": password, "email": email, "display_name": display_name}
        found: Any = self.transport.post_json("/api/register", body)
        return str(found["state"])

    def whoami(self) -> str:
        """Return your user name, or ``anonymous``."""
        found: Any = self.transport.get_json("/api/whoami")
        return str(found["name"])

    def me(self) -> Me:
        """Return your account.

        Raises
        ------
        AuthenticationError
            If you are not logged in.
        """
        found: Any = self.transport.get_json("/api/me")
        lists = {name: tuple(found[name]) for name in ("roles", "groups", "scopes")}
        return Me(found["name"], found["display_name"], found["email"], **lists)

    def change_me(self, *, display_name: str | None = None, email: str | None = None) -> Me:
        """Change what is told of you, where it is given; return your account.

        Raises
        ------
        ParameterError
            If it cannot be shown, or is no address.
        """
        given = {"display_name": display_name, "email": email}
        body = {name: text for name, text in given.items() if text is not None}
        with self.transport.stream("PATCH", "/api/me", body=body) as answer:
            answer.read()
        return self.me()

    def change_password(self, old: str, new: str) -> None:
        """Change your password; every login and token of yours ends, the one that you use too.

        Raises
        ------
        AuthenticationError
            If the old password is wrong.
        ParameterError
            If the new one is too short.
        """
        self.transport.post_json("/api/me/password", {"old_password": old, "password": new})

    def end_logins(self) -> int:
        """End your logins, all but the one that you use now; return how many ended."""
        with self.transport.stream("DELETE", "/api/logins") as answer:
            answer.read()
            return int(answer.json()["ended"])

    def tokens(self) -> list[Token]:
        """Return your tokens that are good, the newest first."""
        found: Any = self.transport.get_json("/api/tokens")
        return [_token(one) for one in found["tokens"]]

    def new_token(self, label: str, scopes: Sequence[str] = ("read",), *, days: float = 90.0) -> Token:
        """Make a token for a program; its `secret` is shown this once.

        Parameters
        ----------
        label
            What you call it.
        scopes
            What it allows: read, write, share, run, publish, admin.
        days
            Its life.

        Raises
        ------
        ForbiddenError
            If the token that you use allows less.
        """
        body = {"label": label, "scopes": list(scopes), "days": days}
        return _token(self.transport.post_json("/api/tokens", body))

    def revoke_token(self, token_id: str) -> None:
        """End a token at once; `NotFoundError` if you have none with this id."""
        with self.transport.stream("DELETE", f"/api/tokens/{quote(token_id, safe='')}") as answer:
            answer.read()


def _token(found: Any) -> Token:
    return Token(
        id=found["id"],
        kind=found["kind"],
        label=found["label"],
        scopes=tuple(found["scopes"]),
        created=datetime.fromisoformat(found["created"]),
        expires=datetime.fromisoformat(found["expires"]),
        last_used=datetime.fromisoformat(found["last_used"]) if found["last_used"] else None,
        secret=found.get("token", ""),
        datalab=found.get("datalab_token", ""),
    )
