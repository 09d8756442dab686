"""Values of identity: who a caller is, and what an account shows of itself."""

from dataclasses import dataclass
from datetime import datetime

__all__ = ["ADMINISTRATOR", "ANONYMOUS", "Account", "Identity"]


ADMINISTRATOR = "administrator"
"""The role that may read and do everything in an archive."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller.

    Attributes
    ----------
    name
        The login name; empty for a caller nobody knows.
    roles
        What the operator allows (`ADMINISTRATOR`, or words of the site).
    groups
        The groups the caller belongs to.
    """

    name: str
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    @property
    def is_anonymous(self) -> bool:
        """True for a caller nobody knows."""
        return not self.name

    def is_one_of(self, names: frozenset[str]) -> bool:
        """Return whether the caller's name, a role or a group is among `names`; an administrator always is."""
        return bool(names & ({self.name} | self.roles | self.groups)) or ADMINISTRATOR in self.roles


ANONYMOUS = Identity("")
"""The caller without a token."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account as the operator sees it."""

    name: str
    roles: tuple[str, ...]
    groups: tuple[str, ...]
    created: datetime
