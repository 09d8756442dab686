"""The audit log: who did what, when, from where, on what, and whether it was done.

Where a request comes from is told once, by the face that took it (`ORIGIN`); whoever records a line below it need not
know. What is recorded stays: there is no way to change or remove a line.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from awe.services.identity.model import AuditEntry
from awe.services.identity.stores import AuditStore

__all__ = ["ORIGIN", "AuditLog", "Origin", "Outcome"]

Outcome = Literal["done", "refused", "failed"]
_LONGEST_TEXT = 1000


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from.

    Attributes
    ----------
    address
        The caller's address in the network; empty on this machine.
    request
        The number of the request, as the log of the service has it.
    agent
        The caller's program, as it calls itself.
    face
        The first part of the request's path, in lower case: ``api``, ``tap``, ``casjobs``.
    """

    address: str = ""
    request: str = ""
    agent: str = ""
    face: str = ""


ORIGIN: ContextVar[Origin] = ContextVar("awe_origin", default=Origin())  # noqa: B039  # it is frozen
"""Where the request that is answered now comes from."""


class AuditLog:
    """Record and read what people did.

    Parameters
    ----------
    store
        Where the lines are kept.
    now
        The moment it is.
    """

    def __init__(self, store: AuditStore, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._now = now

    def record(
        self,
        action: str,
        *,
        user: str,
        target: str = "",
        outcome: Outcome = "done",
        **details: str,
    ) -> None:
        """Add a line; address and request are those of the request that is answered now.

        Parameters
        ----------
        action
            What: words with dots, from the general to the special, such as ``grant.made``.
        user
            Who; empty for nobody known.
        target
            On what, such as ``user:ann`` or ``table:hsc.sumcat``.
        outcome
            What became of it: ``refused`` if it is not allowed, ``failed`` if it went wrong.
        details
            What else is worth knowing; never a secret.
        """
        origin = ORIGIN.get()
        self._store.add(
            {
                "at": self._now(),
                "user": user[:255],
                "address": origin.address[:64],
                "request": origin.request[:64],
                "action": action,
                "target": target[:_LONGEST_TEXT],
                "outcome": outcome,
                "details": {name: text[:_LONGEST_TEXT] for name, text in details.items()},
            }
        )

    def entries(
        self,
        *,
        user: str | None = None,
        action: str | None = None,
        target: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: int | None = None,
        address: str | None = None,
        last: int = 100,
    ) -> tuple[AuditEntry, ...]:
        """Return lines, the newest first.

        Parameters
        ----------
        user, target, address
            Only of this user, only on this, only from this address.
        action
            Only this action; ``token`` stands for ``token.made`` and ``token.revoked``.
        since, until
            Only from `since` on, and before `until`.
        before
            Only lines before the line with this number: for the next page.
        last
            So many at the most.
        """
        return self._store.entries(
            user=user,
            action=action,
            target=target,
            since=since,
            until=until,
            before=before,
            address=address,
            last=last,
        )
