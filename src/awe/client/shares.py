"""What you share, and what people share with you."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from awe.client._base import ServiceClient

__all__ = ["Share", "Shares", "SharesClient"]


@dataclass(frozen=True, slots=True)
class Share:
    """That somebody may do something with a thing.

    Attributes
    ----------
    thing
        ``table:hsc.sumcat``, ``collection:hla``, ``job:ID``, ``query:ID`` of the history.
    principal
        ``user:NAME``, ``group:NAME``, ``role:NAME``, ``everybody``, or ``link:ID``.
    expires
        None for good.
    address, key
        Of a link: where a browser opens it, and what a program sends as its token; only where it was just made.
    """

    id: str
    thing: str
    action: str
    principal: str
    by: str
    label: str
    expires: datetime | None
    address: str = field(default="", repr=False)
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Shares:
    """What you shared with others, and what people shared with you."""

    given: list[Share]
    received: list[Share]


class SharesClient(ServiceClient):
    """Sharing; a thing is ``table:schema.name`` (or just that), ``collection:name``, ``job:id`` or ``query:id``."""

    def share(self, thing: str, principal: str, *, days: float | None = None, action: str = "read") -> Share:
        """Let somebody read a thing.

        Parameters
        ----------
        principal
            ``user:NAME``, ``group:NAME``, ``role:NAME`` or ``everybody``.
        days
            So long; for good when None.

        Raises
        ------
        NotFoundError
            If there is no such thing that you may see, or nobody of that name.
        ForbiddenError
            If it is not yours to share.
        """
        body = {**_named(thing), "principal": principal, "days": days, "action": action}
        return _share(self.transport.post_json("/api/shares", body))

    def share_link(self, thing: str, *, days: float = 30.0, label: str = "") -> Share:
        """Make a link by which whoever has it may read a thing; its `address` and `key` are shown this once.

        Raises
        ------
        NotFoundError, ForbiddenError
            As `share`.
        """
        body = {**_named(thing), "days": days, "label": label}
        return _share(self.transport.post_json("/api/shares/links", body))

    def shares(self) -> Shares:
        """Return what you shared, and what people shared with you."""
        found: Any = self.transport.get_json("/api/shares")
        given, received = ([_share(one) for one in found[side]] for side in ("given", "received"))
        return Shares(given, received)

    def shares_of(self, thing: str) -> list[Share]:
        """Return who may do what with a thing that you may share."""
        found: Any = self.transport.get_json("/api/shares", _named(thing))
        return [_share(one) for one in found["shares"]]

    def unshare(self, share_id: str) -> None:
        """Take back what was shared, at once; `NotFoundError` if it is not yours to take back."""
        with self.transport.stream("DELETE", f"/api/shares/{quote(share_id, safe='')}") as answer:
            answer.read()


def _named(thing: str) -> dict[str, str]:
    kind, colon, name = thing.partition(":")
    return {"kind": kind, "name": name} if colon else {"kind": "table", "name": thing}


def _share(found: Any) -> Share:
    return Share(
        id=found["id"],
        thing=f"{found['kind']}:{found['name']}",
        action=found["action"],
        principal=found["principal"],
        by=found["by"],
        label=found["label"],
        expires=datetime.fromisoformat(found["expires"]) if found["expires"] else None,
        address=found.get("address", ""),
        key=found.get("key", ""),
    )
