"""Values of the provider: a client, what it asks for, what it is given.

Words, as OAuth 2.0 (RFC 6749) has them: a *client* is a tool that people log in to with their account here; an
*authorization* is that a person allowed a client some scopes, and ends as a whole; a *code* (or, for a program without
a browser, a *device code*) is what the client exchanges for it once.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from awe.services.identity.model import SCOPES

__all__ = [
    "CLAIM_SCOPES",
    "COMMAND_LINE",
    "EMAIL",
    "GROUPS",
    "OPENID",
    "PROFILE",
    "Allowed",
    "Authorization",
    "AuthorizationRequest",
    "Client",
    "Code",
    "Device",
    "DeviceCodes",
    "DeviceState",
    "Issued",
    "Refresh",
]

OPENID = "openid"
"""The scope to log a person in: to learn who it is."""
PROFILE = "profile"
"""The scope to learn the person's name."""
EMAIL = "email"
"""The scope to learn the person's address for electronic mail."""
GROUPS = "groups"
"""The scope to learn the person's groups and roles."""
CLAIM_SCOPES = frozenset({OPENID, PROFILE, EMAIL, GROUPS})
"""The scopes that let a client learn something (OpenID Connect Core 1.0 section 5.4) instead of doing something."""


@dataclass(frozen=True, slots=True)
class Client:
    """A tool that people log in to.

    Attributes
    ----------
    id
        Its name among machines.
    secret_hash
        SHA-256 of its secret; None for a public client, which has none.
    trusted
        Whether people are not asked if they allow it.
    resource_server
        Whether it may ask whose any token is.
    device
        Whether it may run where there is no browser (RFC 8628).
    """

    id: str
    title: str
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    scopes: frozenset[str] = CLAIM_SCOPES
    secret_hash: str | None = None
    trusted: bool = False
    resource_server: bool = False
    device: bool = False

    @property
    def is_public(self) -> bool:
        """True for a client that cannot keep a secret."""
        return self.secret_hash is None

    def granted(self, asked: str) -> frozenset[str]:
        """Return which of the scopes that it asks for it may have; without asking, what it may learn."""
        return frozenset(asked.split() or CLAIM_SCOPES) & self.scopes


COMMAND_LINE = Client("awe", "awe on the command line", scopes=CLAIM_SCOPES | SCOPES, device=True)
"""The client that is always there: ``awe login``, which has no secret and no address."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What a client asks of a person (RFC 6749 section 4.1.1, RFC 7636 section 4.3).

    Attributes
    ----------
    challenge
        SHA-256 of a secret of the client, as S256 has it; empty without PKCE.
    """

    client: str
    redirect_uri: str
    scopes: frozenset[str]
    nonce: str = ""
    challenge: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """A code that a client may exchange.

    Attributes
    ----------
    hash
        What is kept of it.
    authorization
        What was made of it; empty while it was not exchanged.
    """

    hash: str
    request: AuthorizationRequest
    user: str
    auth_time: datetime
    authorization: str = ""


class DeviceState(StrEnum):
    """What became of a device code."""

    PENDING = "pending"
    ALLOWED = "allowed"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Device:
    """What a program without a browser asks of a person (RFC 8628)."""

    hash: str
    user_code_hash: str
    client: str
    scopes: frozenset[str]
    created: datetime
    expires: datetime
    state: DeviceState = DeviceState.PENDING
    user: str = ""
    auth_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeviceCodes:
    """What a program is told: its own code, and the one that a person enters."""

    device_code: str
    user_code: str
    expires_s: int
    interval_s: int


@dataclass(frozen=True, slots=True)
class Authorization:
    """That a person allowed a client some scopes.

    Attributes
    ----------
    auth_time
        When the person logged in.
    expires
        When it ends unless the client comes again.
    """

    id: str
    user: str
    client: str
    scopes: frozenset[str]
    auth_time: datetime
    created: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class Refresh:
    """A refresh token as it was found."""

    hash: str
    authorization: Authorization
    expires: datetime


@dataclass(frozen=True, slots=True)
class Issued:
    """What a client is given; the secrets are shown this once."""

    access_token: str
    refresh_token: str
    scopes: frozenset[str]
    expires_s: int
    user: str
    auth_time: datetime


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a token that a client got is, as a resource server is told (RFC 7662)."""

    user: str
    client: str
    scopes: frozenset[str]
    created: datetime
    expires: datetime
