"""Who is asking: accounts, login tokens, and the seam to other account systems.

`IdentityService` answers two questions for everybody else: is this password right (`login`), and
whose token is this (`identify`). The answer is an `Identity`; a caller without a token is `ANONYMOUS`.
"""

from awe.services.identity._secrets import is_token, long_form
from awe.services.identity.administration import AccountService
from awe.services.identity.audit import ORIGIN, AuditLog, Origin
from awe.services.identity.authorization import (
    CLAIM_SCOPES,
    COMMAND_LINE,
    EMAIL,
    GROUPS,
    OPENID,
    PROFILE,
    Allowed,
    Authorization,
    AuthorizationRequest,
    Client,
    Code,
    Device,
    DeviceCodes,
    DeviceState,
    Issued,
    Refresh,
)
from awe.services.identity.backends.local import LocalAuthenticator
from awe.services.identity.claims import LOCAL, Claims, ExternalIdentity, Way
from awe.services.identity.clients import provider_clients
from awe.services.identity.federation import AccountSystem, FederationService
from awe.services.identity.figures import Day, FigureService
from awe.services.identity.grants import ShareService
from awe.services.identity.groups import GroupService
from awe.services.identity.helping import HelpLog
from awe.services.identity.interface import Authenticator, Begun, BrowserLogin, Ended, TokenAuthenticator
from awe.services.identity.limits import MEASURES, Limit, Measure, Usage, principal_of
from awe.services.identity.model import (
    ADMIN,
    ADMINISTRATOR,
    ANONYMOUS,
    DEVELOPER,
    MACHINE,
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
from awe.services.identity.policy import Names, Policy, permits
from awe.services.identity.principals import EVERYBODY
from awe.services.identity.provider import ProviderService
from awe.services.identity.quotas import QuotaService, RunningQuery, subject_of
from awe.services.identity.registration import RegistrationMode, RegistrationService
from awe.services.identity.remembered import Remembered
from awe.services.identity.service import IdentityService
from awe.services.identity.signing import ALGORITHM, SigningKeys
from awe.services.identity.stores import (
    AccountStore,
    Amounts,
    AuditStore,
    ExternalStore,
    GrantStore,
    GroupStore,
    LimitStore,
    ProviderStore,
    TokenStore,
    UsageStore,
)
from awe.services.identity.stores.grants import Grant, Resource
from awe.services.identity.tickets import TicketService

__all__ = [
    "ADMIN",
    "ADMINISTRATOR",
    "ALGORITHM",
    "ANONYMOUS",
    "CLAIM_SCOPES",
    "COMMAND_LINE",
    "DEVELOPER",
    "EMAIL",
    "EVERYBODY",
    "GROUPS",
    "LOCAL",
    "MACHINE",
    "MEASURES",
    "OPENID",
    "OPERATOR",
    "ORIGIN",
    "OUTREACH",
    "PROFILE",
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
    "AccountSystem",
    "Allowed",
    "Amounts",
    "AuditEntry",
    "AuditLog",
    "AuditStore",
    "Authenticator",
    "Authorization",
    "AuthorizationRequest",
    "Begun",
    "BrowserLogin",
    "Claims",
    "Client",
    "Code",
    "Day",
    "Device",
    "DeviceCodes",
    "DeviceState",
    "Ended",
    "ExternalIdentity",
    "ExternalStore",
    "FederationService",
    "FigureService",
    "Grant",
    "GrantStore",
    "Group",
    "GroupRole",
    "GroupService",
    "GroupState",
    "GroupStore",
    "HelpLog",
    "Identity",
    "IdentityService",
    "Invitation",
    "Issued",
    "Limit",
    "LimitStore",
    "LocalAuthenticator",
    "Measure",
    "Member",
    "Names",
    "Origin",
    "Policy",
    "ProviderService",
    "ProviderStore",
    "QuotaService",
    "Refresh",
    "RegistrationMode",
    "RegistrationService",
    "Remembered",
    "Resource",
    "RunningQuery",
    "ShareService",
    "SigningKeys",
    "TicketService",
    "Token",
    "TokenAuthenticator",
    "TokenKind",
    "TokenStore",
    "Usage",
    "UsageStore",
    "Way",
    "is_token",
    "long_form",
    "permits",
    "principal_of",
    "provider_clients",
    "subject_of",
]
