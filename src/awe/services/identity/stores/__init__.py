"""What identity keeps in the system database, one store for each kind of thing."""

from awe.services.identity.stores.accounts import AccountStore
from awe.services.identity.stores.audit import AuditStore
from awe.services.identity.stores.external import Brought, ExternalStore
from awe.services.identity.stores.failures import FailureStore
from awe.services.identity.stores.grants import GrantStore
from awe.services.identity.stores.groups import GroupStore
from awe.services.identity.stores.provider import ProviderStore
from awe.services.identity.stores.quotas import LimitStore
from awe.services.identity.stores.tokens import TokenStore
from awe.services.identity.stores.usage import Amounts, UsageStore

__all__ = [
    "AccountStore",
    "Amounts",
    "AuditStore",
    "Brought",
    "ExternalStore",
    "FailureStore",
    "GrantStore",
    "GroupStore",
    "LimitStore",
    "ProviderStore",
    "TokenStore",
    "UsageStore",
]
