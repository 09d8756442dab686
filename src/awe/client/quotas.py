"""What you may use, and how much of it you use."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from awe.client._base import ServiceClient

__all__ = ["QuotasClient", "Usage"]


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of something you may use, and use.

    Attributes
    ----------
    measure, what
        Its name, and in words that follow a number.
    limit
        None for as much as there is.
    used
        None where nothing is counted: the limit is one of each job.
    resets
        When `used` begins at nothing again; None if that is no matter of time.
    """

    measure: str
    what: str
    limit: int | None
    used: int | None
    resets: datetime | None


class QuotasClient(ServiceClient):
    """The caller's quotas."""

    def usage(self) -> list[Usage]:
        """Return what you may use, and how much of it you use; without an account that of your address."""
        found: Any = self.transport.get_json("/api/me/usage")
        return [
            Usage(
                measure=one["measure"],
                what=one["what"],
                limit=one["limit"],
                used=one["used"],
                resets=datetime.fromisoformat(one["resets"]) if one["resets"] else None,
            )
            for one in found["usage"]
        ]
