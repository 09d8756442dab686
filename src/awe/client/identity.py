"""Your account: log in, and who you are."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from awe.client._base import ServiceClient

__all__ = ["IdentityClient", "Me", "Token"]


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

    def login(self, user: str, password: str) -> str:
        """Log in and use the token from now on; returns it, for ``AWE_TOKEN``.

        Raises
        ------
        AuthenticationError
            If the name or the password is wrong.
        """
        found: Any = self.transport.post_json("/api/login", {"user": user, "password": password})
        token = str(found["token"])
        self.transport.login(token)
        return token

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
