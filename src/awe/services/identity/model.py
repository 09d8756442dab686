"""Values of identity: who a caller is, what an account and a token show of themselves, a line of the audit log.

Words: a *role* is what the operator of the archive allows a person; a *scope* is what a person allows a token. A
request may do what both allow.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from awe.services.identity.principals import EVERYBODY, GROUP, LINK, ROLE, USER

__all__ = [
    "ADMIN",
    "ADMINISTRATOR",
    "ANONYMOUS",
    "DEVELOPER",
    "MACHINE",
    "OPERATOR",
    "OUTREACH",
    "PUBLISH",
    "READ",
    "ROLES",
    "RUN",
    "SCIENTIST",
    "SCOPES",
    "SHARE",
    "WRITE",
    "Account",
    "AccountState",
    "AuditEntry",
    "Group",
    "GroupRole",
    "GroupState",
    "Identity",
    "Invitation",
    "Member",
    "Token",
    "TokenKind",
]


ADMINISTRATOR = "administrator"
"""The role that may read and do everything in an archive."""
OPERATOR = "operator"
"""The role that keeps the service running: sees its state and figures, not what belongs to people."""
DEVELOPER = "developer"
"""The role that brings applications and tools."""
OUTREACH = "outreach"
"""The role that shows the archive to the public."""
SCIENTIST = "scientist"
"""The role that works with the data."""
ROLES = frozenset({ADMINISTRATOR, OPERATOR, DEVELOPER, OUTREACH, SCIENTIST})
"""The roles that awe itself knows; a site may use words of its own besides."""

READ = "read"
"""The scope to see what its owner may see, and to query it."""
WRITE = "write"
"""The scope to add, change and remove what its owner may change."""
SHARE = "share"
"""The scope to give others access, and to look after groups."""
RUN = "run"
"""The scope to start jobs and programs, and to stop them."""
PUBLISH = "publish"
"""The scope to offer things to everybody."""
ADMIN = "admin"
"""The scope to use the role of an administrator, and to look after one's account and tokens."""
SCOPES = frozenset({READ, WRITE, SHARE, RUN, PUBLISH, ADMIN})
"""Every scope of a token."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller.

    Attributes
    ----------
    name
        The login name; empty for a caller nobody knows.
    roles
        What the operator allows (`ROLES`, or words of the site). Who comes with a token without the scope `ADMIN`
        is no administrator.
    groups
        The groups the caller belongs to.
    scopes
        What the token allows; everything after a login, and for a caller nobody knows, whom no token restricts.
    link
        The grant by whose link somebody comes whom nobody knows; empty for all others.
    """

    name: str
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    scopes: frozenset[str] = SCOPES
    link: str = ""

    @property
    def is_anonymous(self) -> bool:
        """True for a caller nobody knows."""
        return not self.name

    @property
    def is_nobody(self) -> bool:
        """True for a caller of whom nothing is known, not even a link: what is answered may be kept for everybody."""
        return not (self.name or self.link)

    @property
    def is_administrator(self) -> bool:
        """True for an administrator whose token allows to act as one."""
        return ADMINISTRATOR in self.roles and ADMIN in self.scopes

    def restricted(self, scopes: frozenset[str]) -> "Identity":
        """Return the same caller with no more than these scopes, as by a token that has them."""
        roles = self.roles if ADMIN in scopes else self.roles - {ADMINISTRATOR}
        return replace(self, roles=roles, scopes=self.scopes & scopes)

    @property
    def finding(self) -> "Identity":
        """The same caller as who may find what he changes or shares: a token that lets write need not let read.

        For what changes something, and tells what it finds to nobody else.
        """
        return replace(self, scopes=self.scopes | {READ})

    @property
    def principals(self) -> frozenset[str]:
        """Whom a grant has to name to mean this caller (`awe.services.identity.principals`)."""
        own = {f"{USER}:{self.name}"} if self.name else set()
        of_groups = {f"{GROUP}:{name}" for name in self.groups}
        of_roles = {f"{ROLE}:{name}" for name in self.roles}
        links = {f"{LINK}:{self.link}"} if self.link else set()
        return frozenset({EVERYBODY, *own, *of_groups, *of_roles, *links})


ANONYMOUS = Identity("")
"""The caller without a token."""
MACHINE = Identity("", roles=frozenset({ADMINISTRATOR}))
"""Who commands the machine itself: may do everything, by no account."""


class AccountState(StrEnum):
    """What an account may do now."""

    ACTIVE = "active"
    """Its owner may log in."""
    PENDING = "pending"
    """Somebody registered, and an administrator has not approved it yet."""
    DISABLED = "disabled"
    """An administrator closed it; everything of it is kept."""
    REMOVED = "removed"
    """It is gone for good. Its name stays taken, so that nobody inherits what belonged to it."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account as its owner and an administrator see it.

    Attributes
    ----------
    has_password
        Whether awe itself keeps a password of it.
    last_login
        When somebody last logged in to it; None for never.
    """

    name: str
    roles: tuple[str, ...]
    groups: tuple[str, ...]
    created: datetime
    state: AccountState = AccountState.ACTIVE
    display_name: str = ""
    email: str = ""
    has_password: bool = False
    last_login: datetime | None = None


class GroupState(StrEnum):
    """Whether a group gives its members anything."""

    ACTIVE = "active"
    """Its members may what the group may."""
    REMOVED = "removed"
    """It is gone for good. Its name stays taken, so that nobody inherits what was shared with it."""


class GroupRole(StrEnum):
    """What a member may do in a group; who may more comes first."""

    OWNER = "owner"
    """Everything, also give the group away or remove it. A group has one owner, or none: then administrators look
    after it."""
    ADMINISTRATOR = "administrator"
    """Invite, make others members or administrators, and end their membership."""
    MEMBER = "member"
    """See the group and who belongs to it, and leave it."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who belongs to a group.

    Attributes
    ----------
    source
        Empty where somebody here decided it; else the login provider that says so, at every login anew.
    """

    user: str
    role: GroupRole
    since: datetime
    source: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A group and who belongs to it.

    Attributes
    ----------
    members
        By name; somebody stands in it once for each way in which the membership came about.
    """

    name: str
    title: str
    state: GroupState
    created: datetime
    members: tuple[Member, ...] = ()

    @property
    def owner(self) -> str:
        """The owner's name; empty where administrators look after the group."""
        return next((one.user for one in self.members if one.role is GroupRole.OWNER), "")

    def role_of(self, user: str) -> GroupRole | None:
        """Return the most that a user may do in the group; None for somebody who does not belong to it."""
        roles = {one.role for one in self.members if one.user == user}
        return next((role for role in GroupRole if role in roles), None)


@dataclass(frozen=True, slots=True)
class Invitation:
    """A group that somebody may join.

    Attributes
    ----------
    id
        Names the invitation, and is no secret.
    user
        Who may; empty for whoever has the key, once.
    by
        Who invited.
    """

    id: str
    group: str
    user: str
    role: GroupRole
    by: str
    created: datetime
    expires: datetime


class TokenKind(StrEnum):
    """How a token came about."""

    LOGIN = "login"
    """By a login: it may do everything its owner may, and ends soon."""
    PERSONAL = "personal"
    """Made by its owner for a program: with a label, and the scopes that it was given."""
    CLIENT = "client"
    """Given to a tool that its owner logged in to, or to `awe login`, with the scopes that were allowed."""


@dataclass(frozen=True, slots=True)
class Token:
    """What can be told of a token; never the token itself.

    Attributes
    ----------
    id
        Names the token, and is no secret.
    last_used
        When it was last used, to a minute; None for never.
    client, authorization
        Which client got it, and by which authorization; empty for other tokens.
    """

    id: str
    user: str
    kind: TokenKind
    label: str
    scopes: frozenset[str]
    created: datetime
    expires: datetime
    last_used: datetime | None = None
    client: str = ""
    authorization: str = ""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit log.

    Attributes
    ----------
    number
        Grows from line to line.
    at
        When.
    user
        Who did it, or tried to; ``local:NAME`` for who commands the machine itself, empty for nobody known.
    address
        The address of the network it came from; empty on the machine itself.
    request
        The number of the request, as the log of the service has it.
    action
        What, in two words: ``login``, ``token.made``, ``user.removed``.
    target
        On what: a user, ``table:hsc.sumcat``; never a secret.
    outcome
        ``done``, ``refused`` or ``failed``.
    details
        What else is worth knowing; never a secret.
    """

    number: int
    at: datetime
    user: str
    address: str
    request: str
    action: str
    target: str
    outcome: str
    details: dict[str, str]
