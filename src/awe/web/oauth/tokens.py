"""What clients ask without a person: tokens, their end, what they are; and codes for programs without a browser."""

from collections.abc import Mapping
from typing import Any

from authlib.oauth2.rfc6749 import (
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    UnauthorizedClientError,
)
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc8628 import DEVICE_CODE_GRANT_TYPE, DeviceAuthorizationEndpoint
from starlette.responses import Response

from awe.services.identity import Allowed
from awe.web.http import Call
from awe.web.oauth._request import OAuthClient, OAuthRequest, in_body
from awe.web.oauth._server import OAuthServer

__all__ = ["device_authorization", "introspect", "revoke", "token"]

_METHODS = ("client_secret_basic", "client_secret_post", "none")


def token(call: Call) -> Response:
    """Exchange a code, a refresh token or a device code for tokens (RFC 6749 section 3.2)."""
    server = OAuthServer(call)
    try:
        answer: Response = server.create_token_response(server.request("POST", in_body(call)))
    except OAuth2Error as error:
        return server.failed(error)
    return answer


def revoke(call: Call) -> Response:
    """End a token, and all that belongs to it (RFC 7009)."""
    return _answered(call, _Revocation)


def introspect(call: Call) -> Response:
    """Say what a token is (RFC 7662)."""
    return _answered(call, _Introspection)


def device_authorization(call: Call) -> Response:
    """Give a program without a browser its codes (RFC 8628 section 3.1)."""
    return _answered(call, _DeviceAuthorization)


def _answered(call: Call, endpoint: type[Any]) -> Response:
    server = OAuthServer(call)
    server.register_endpoint(endpoint)
    try:
        request = server.request("POST", in_body(call))
        answer: Response = server.create_endpoint_response(endpoint.ENDPOINT_NAME, request)
    except OAuth2Error as error:
        return server.failed(error)
    return answer


class _Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = _METHODS

    def authenticate_token(self, request: OAuthRequest, client: OAuthClient) -> str:  # noqa: ARG002  # Authlib's
        return _token(request.form)

    def revoke_token(self, token: str, request: OAuthRequest) -> None:
        self.server.provider.revoke(token, request.client.client)


class _Introspection(IntrospectionEndpoint):
    CLIENT_AUTH_METHODS = _METHODS

    def authenticate_token(self, request: OAuthRequest, client: OAuthClient) -> Allowed | None:
        found: Allowed | None = self.server.provider.allowed(_token(request.form), client.client)
        return found

    def create_introspection_payload(self, token: Allowed | None) -> dict[str, Any]:
        if token is None:
            return {"active": False}
        told = {
            "active": True,
            "sub": token.user,
            "username": token.user,
            "scope": " ".join(sorted(token.scopes)),
            "iat": int(token.created.timestamp()),
            "exp": int(token.expires.timestamp()),
            "iss": self.server.issuer,
            "token_type": "Bearer",
        }
        return {**told, "client_id": token.client} if token.client else told


class _DeviceAuthorization(DeviceAuthorizationEndpoint):
    CLIENT_AUTH_METHODS = _METHODS

    def create_endpoint_response(
        self, request: OAuthRequest
    ) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        client: OAuthClient = self.authenticate_client(request)
        if not client.check_grant_type(DEVICE_CODE_GRANT_TYPE):
            raise UnauthorizedClientError
        scopes = client.client.granted(request.payload.scope or "")
        if not scopes:
            raise InvalidScopeError
        given = self.server.provider.begin_device(client.client, scopes)
        page = f"{self.server.issuer}/auth/device"
        told = {
            "device_code": given.device_code,
            "user_code": given.user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}#{given.user_code}",  # what stands behind # reaches no log
            "expires_in": given.expires_s,
            "interval": given.interval_s,
        }
        return 200, told, []


def _token(form: Mapping[str, str]) -> str:
    if not form.get("token"):
        raise InvalidRequestError("Missing 'token' in request.")
    return form["token"]
