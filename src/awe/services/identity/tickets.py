"""Tickets: let a program that sends no token read one thing for a short time, by an address that it was given.

A ticket is signed, and says who reads what until when; it is kept nowhere. Whoever holds it may what that person may
with this one thing at the moment it is used, and nothing else.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from awe.errors import AuthenticationError, NotFoundError
from awe.services.identity.model import ANONYMOUS, READ, Identity
from awe.services.identity.signing import SigningKeys

__all__ = ["TicketService"]

_USE = "ticket"
"""What tells a ticket from everything else that is signed with the same keys."""


class TicketService:
    """Issue tickets, and know whose they are.

    Parameters
    ----------
    keys
        Sign them.
    known
        From a user's name to who that is now; raises `NotFoundError`.
    seconds
        So long a ticket is good.
    now
        The moment it is.
    """

    def __init__(
        self,
        keys: SigningKeys,
        known: Callable[[str], Identity],
        seconds: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._keys = keys
        self._known = known
        self._seconds = seconds
        self._now = now

    def issue(self, identity: Identity, what: str) -> str:
        """Return a ticket for a caller to read one thing."""
        ends = self._now().timestamp() + self._seconds
        return self._keys.sign({"use": _USE, "sub": identity.name, "what": what, "exp": ends})

    def read(self, ticket: str) -> tuple[Identity, str]:
        """Return whose ticket it is, who may only read, and what it is for.

        Raises
        ------
        AuthenticationError
            If it is none, has ended, or whose it was has no account any more.
        """
        said = self._keys.read(ticket)
        if said is None or said.get("use") != _USE or self._now().timestamp() >= float(str(said["exp"])):
            raise AuthenticationError("the ticket is none, or has ended", hint="ask for the file again")
        name = str(said["sub"])
        try:
            who = self._known(name) if name else ANONYMOUS
        except NotFoundError:
            raise AuthenticationError("whose ticket it is has no account any more") from None
        return who.restricted(frozenset({READ})), str(said["what"])
