"""What an account system says of a person who has proved to it who they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

__all__ = ["LOCAL", "Claims", "ExternalIdentity", "Way"]

LOCAL = "local"
"""The provider that awe's own accounts are of."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Who somebody is at a provider, and what it says of them. Nothing of it is true here before it was admitted.

    Attributes
    ----------
    provider
        The provider, as the settings call it; `LOCAL` for awe's own accounts.
    subject
        What the provider calls this person for good, and nobody else ever.
    name
        The user name there; somebody else may have had it before.
    email
        An address that the provider vouches for; empty otherwise.
    groups
        The person's groups, as the provider calls them.
    attributes
        What else the provider says, each with all its values.
    session
        The login there, where the provider tells: it names what ends when that login ends.
    """

    provider: str
    subject: str
    name: str
    display_name: str = ""
    email: str = ""
    groups: frozenset[str] = frozenset()
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    session: str = ""


@dataclass(frozen=True, slots=True)
class ExternalIdentity:
    """Who a user is at a provider.

    Attributes
    ----------
    provider, subject
        As in `Claims`.
    name
        The user name there, as it was at the last login.
    created, last_login
        Since when it is the user's; when it last logged in.
    """

    provider: str
    subject: str
    name: str
    created: datetime
    last_login: datetime | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """A way to log in.

    Attributes
    ----------
    name
        The provider.
    title
        What people call it.
    browser
        Whether a browser is sent there; else it takes a name and a password here.
    """

    name: str
    title: str
    browser: bool
