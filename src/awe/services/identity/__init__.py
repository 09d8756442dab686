"""Who is asking: accounts, login tokens, and the seam to other account systems.

`IdentityService` answers two questions for everybody else: is this password right (`login`), and
whose token is this (`identify`). The answer is an `Identity`; a caller without a token is `ANONYMOUS`.
"""

from awe.services.identity.backends.local import LocalAuthenticator
from awe.services.identity.interface import Authenticator
from awe.services.identity.model import ADMINISTRATOR, ANONYMOUS, Account, Identity
from awe.services.identity.service import IdentityService, is_token
from awe.services.identity.store import IdentityStore

__all__ = [
    "ADMINISTRATOR",
    "ANONYMOUS",
    "Account",
    "Authenticator",
    "Identity",
    "IdentityService",
    "IdentityStore",
    "LocalAuthenticator",
    "is_token",
]
