"""Who is asking: accounts, login tokens, and the seam to other account systems.

`IdentityService` answers two questions for everybody else: is this password right (`login`), and
whose token is this (`identify`). The answer is an `Identity`; a caller without a token is `ANONYMOUS`.
"""

from awe.services.identity._secrets import is_token, long_form
from awe.services.identity.administration import AccountService
from awe.services.identity.audit import ORIGIN, AuditLog, Origin
from awe.services.identity.backends.local import LocalAuthenticator
from awe.services.identity.interface import Authenticator
from awe.services.identity.model import (
    ADMIN,
    ADMINISTRATOR,
    ANONYMOUS,
    DEVELOPER,
    OPERATOR,
    OUTREACH,
    PUBLISH,
    READ,
    ROLES,
    RUN,
    SCIENTIST,
    SCOPES,
    SHARE,
    WRITE,
    Account,
    AccountState,
    AuditEntry,
    Group,
    GroupRole,
    GroupState,
    Identity,
    Invitation,
    Member,
    Token,
    TokenKind,
)
from awe.services.identity.service import IdentityService
from awe.services.identity.stores import AccountStore, AuditStore, GroupStore, TokenStore

__all__ = [
    "ADMIN",
    "ADMINISTRATOR",
    "ANONYMOUS",
    "DEVELOPER",
    "OPERATOR",
    "ORIGIN",
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
    "AccountService",
    "AccountState",
    "AccountStore",
    "AuditEntry",
    "AuditLog",
    "AuditStore",
    "Authenticator",
    "Group",
    "GroupRole",
    "GroupState",
    "GroupStore",
    "Identity",
    "IdentityService",
    "Invitation",
    "LocalAuthenticator",
    "Member",
    "Origin",
    "Token",
    "TokenKind",
    "TokenStore",
    "is_token",
    "long_form",
]
