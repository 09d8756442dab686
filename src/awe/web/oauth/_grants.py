"""What a client may exchange for tokens, as Authlib calls it a grant: a code, a refresh token, a device code.

Authlib checks the requests. The exchange itself is one step of `ProviderService`, so that nothing is given twice: it
happens where Authlib asks for the token.
"""

import time
from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc6749.errors import AccessDeniedError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc8628 import DeviceCodeGrant, ExpiredTokenError
from authlib.oauth2.rfc8628.errors import AuthorizationPendingError, SlowDownError
from authlib.oidc.core.grants import OpenIDCode
from authlib.oidc.core.util import create_half_hash

from awe.services.identity import (
    ALGORITHM,
    AuthorizationRequest,
    Code,
    Device,
    DeviceState,
    Identity,
    Issued,
    ProviderService,
    Refresh,
)

__all__ = ["CodeGrant", "DeviceGrant", "LoginToken", "Pkce", "RefreshGrant"]

_METHODS = ("client_secret_basic", "client_secret_post", "none")
_USED = "It is not known, has ended, or was used already."


def _answer(issued: Issued) -> dict[str, Any]:
    return {
        "token_type": "Bearer",
        "access_token": issued.access_token,
        "refresh_token": issued.refresh_token,
        "expires_in": issued.expires_s,
        "scope": " ".join(sorted(issued.scopes)),
    }


class _Exchange:
    """What the three have in common: they give what was issued, which is kept already."""

    issued: Issued | None = None
    nonce = ""
    server: Any

    @property
    def provider(self) -> ProviderService:
        provider: ProviderService = self.server.provider
        return provider

    def generate_token(self, **_: object) -> dict[str, Any]:
        if self.issued is None:
            raise InvalidGrantError(_USED)
        return _answer(self.issued)

    def save_token(self, token: dict[str, Any]) -> None:
        """Do nothing: it was kept when it was issued."""


class _FoundCode:
    """A code, as Authlib asks about it."""

    code_challenge_method = "S256"

    def __init__(self, code: Code) -> None:
        self.code = code
        self.code_challenge = code.request.challenge

    def get_redirect_uri(self) -> str:
        return self.code.request.redirect_uri

    def get_scope(self) -> str:
        return " ".join(sorted(self.code.request.scopes))


class CodeGrant(_Exchange, AuthorizationCodeGrant):
    """Give a code to who is sent back, and tokens for a code (RFC 6749 section 4.1)."""

    TOKEN_ENDPOINT_AUTH_METHODS = _METHODS

    def generate_authorization_code(self) -> str:
        """Return a code, since the person allows it."""
        given = self.request.payload.data
        asked = AuthorizationRequest(
            self.request.client.client.id,
            self.redirect_uri,
            frozenset(self.request.scope.split()),
            given.get("nonce", ""),
            given.get("code_challenge", ""),
        )
        identity, auth_time = self.request.user
        assert isinstance(identity, Identity)  # noqa: S101  # `authorize` gives it
        return self.provider.allow(identity, asked, auth_time)

    def save_authorization_code(self, code: str, request: Any) -> None:
        """Do nothing: it was kept when it was made."""

    def query_authorization_code(self, code: str, client: Any) -> _FoundCode | None:
        """Return a code that is good."""
        found = self.provider.code(code, client.client)
        return _FoundCode(found) if found else None

    def authenticate_user(self, authorization_code: _FoundCode) -> str | None:
        """Exchange the code; return whose it was."""
        self.nonce = authorization_code.code.request.nonce
        self.issued = self.provider.redeem(authorization_code.code)
        return self.issued.user if self.issued else None

    def delete_authorization_code(self, authorization_code: _FoundCode) -> None:
        """Do nothing: used codes are remembered."""


class Pkce(CodeChallenge):
    """A code is good for who asked for it (RFC 7636): S256 only, and not to be left out by public clients."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)
    DEFAULT_CODE_CHALLENGE_METHOD = "S256"

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Refuse what Authlib would let pass: no challenge of a public client, and a challenge that is no hash."""
        given = grant.request.payload.data
        if given.get("code_challenge"):
            if given.get("code_challenge_method") != "S256":
                raise InvalidRequestError("'code_challenge_method' has to be S256")
        elif grant.request.client.client.is_public:
            raise InvalidRequestError("Missing 'code_challenge'")
        super().validate_code_challenge(grant, redirect_uri)


class LoginToken(OpenIDCode):
    """Say in a signed token who logged in (OpenID Connect Core 1.0 section 2)."""

    def exists_nonce(self, nonce: str, request: Any) -> bool:  # noqa: ARG002  # Authlib's signature
        """Return False: the client compares it, and a code is good once."""
        return False

    def process_token(self, grant: Any, response: Any) -> Any:
        """Add the token, where it was asked for."""
        _, answer, _ = response
        issued: Issued = grant.issued
        if "openid" not in issued.scopes:
            return response
        now = int(time.time())
        half = create_half_hash(issued.access_token, ALGORITHM)
        claims: dict[str, object] = {
            "iss": grant.server.issuer,
            "sub": issued.user,
            "aud": grant.request.client.client.id,
            "iat": now,
            "exp": now + issued.expires_s,
            "auth_time": int(issued.auth_time.timestamp()),
            "at_hash": half.decode() if half else "",
        }
        if grant.nonce:
            claims["nonce"] = grant.nonce
        answer["id_token"] = grant.provider.keys.sign(claims)
        return response


class _FoundRefresh:
    """A refresh token, as Authlib asks about it."""

    def __init__(self, refresh: Refresh) -> None:
        self.refresh = refresh

    def check_client(self, _client: Any) -> bool:
        return True  # it was looked up for this client

    def get_scope(self) -> str:
        return " ".join(sorted(self.refresh.authorization.scopes))


class RefreshGrant(_Exchange, RefreshTokenGrant):
    """Give tokens for a refresh token, once (RFC 6749 section 6, RFC 9700 section 4.14.2)."""

    TOKEN_ENDPOINT_AUTH_METHODS = _METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> _FoundRefresh | None:
        """Return a refresh token that is good."""
        found = self.provider.refresh(refresh_token, self.request.client.client)
        return _FoundRefresh(found) if found else None

    def authenticate_user(self, refresh_token: _FoundRefresh) -> str:
        """Exchange the refresh token; return whose it was."""
        asked = (self.request.payload.scope or refresh_token.get_scope()).split()
        self.issued = self.provider.rotate(refresh_token.refresh, frozenset(asked))
        if self.issued is None:
            raise InvalidGrantError(_USED)
        return self.issued.user

    def revoke_old_credential(self, refresh_token: _FoundRefresh) -> None:
        """Do nothing: it is used now."""


class _FoundDevice:
    """A device code, as Authlib asks about it."""

    def __init__(self, device: Device) -> None:
        self.device = device

    def get_client_id(self) -> str:
        return self.device.client

    def get_scope(self) -> str:
        return " ".join(sorted(self.device.scopes))


class DeviceGrant(_Exchange, DeviceCodeGrant):
    """Give tokens for a device code, when a person allowed it (RFC 8628 section 3.4)."""

    TOKEN_ENDPOINT_AUTH_METHODS = _METHODS

    def query_device_credential(self, device_code: str) -> _FoundDevice:
        """Return a device code, also one that has ended."""
        found = self.provider.device(device_code)
        if found is None:
            raise InvalidGrantError(_USED)
        return _FoundDevice(found)

    def validate_device_credential(self, credential: _FoundDevice) -> str:
        """Exchange the device code; return who allowed it."""
        device = credential.device
        if self.provider.has_ended(device):
            raise ExpiredTokenError
        if device.state is DeviceState.DENIED:
            raise AccessDeniedError
        if device.state is DeviceState.PENDING:
            raise SlowDownError if self.provider.too_early(device) else AuthorizationPendingError
        self.issued = self.provider.redeem_device(device)
        if self.issued is None:
            raise InvalidGrantError(_USED)
        return self.issued.user
