"""Authlib's authorization server for one request."""

from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Error, OAuth2Request
from starlette.responses import JSONResponse, Response

from awe.services.identity import ProviderService
from awe.web.http import Call, request_number
from awe.web.oauth._errors import NO_STORE
from awe.web.oauth._grants import CodeGrant, DeviceGrant, LoginToken, Pkce, RefreshGrant
from awe.web.oauth._request import OAuthClient, OAuthRequest

__all__ = ["OAuthServer"]


class OAuthServer(AuthorizationServer):
    """Authlib's authorization server, on awe's provider; it answers with Starlette's responses."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self.provider: ProviderService = call.platform.provider
        self.issuer = call.base_url
        self._headers = call.request.headers
        self.register_grant(CodeGrant, [Pkce(), LoginToken()])
        self.register_grant(RefreshGrant, [LoginToken()])
        self.register_grant(DeviceGrant, [LoginToken()])

    def request(self, method: str, pairs: tuple[tuple[str, str], ...]) -> OAuthRequest:
        """Return a request with these parameters; `InvalidRequestError` if they cannot be read."""
        return OAuthRequest(method, pairs, self._headers)

    def query_client(self, client_id: str) -> OAuthClient | None:
        """Return a client."""
        found = self.provider.client(client_id)
        return OAuthClient(found, self.provider) if found else None

    def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:
        """Return the request, which is one already."""
        return request

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Do nothing: nobody listens."""

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Response:
        """Return the answer."""
        told = {**dict(headers), **NO_STORE}
        if isinstance(body, dict):
            told.pop("Content-Type", None)
            if "error" in body:  # RFC 6749 section 5.2 lets an error say more
                body = {**body, "request": request_number()}
            return JSONResponse(body, status, told)
        return Response(body, status, told)

    def failed(self, error: OAuth2Error) -> Response:
        """Return the answer that tells an error: to the client's address where that is known to be the client's."""
        answer: Response = self.handle_response(*error())
        return answer
