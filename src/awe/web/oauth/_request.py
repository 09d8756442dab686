"""A request and a client as Authlib sees them."""

from collections.abc import Iterable, Mapping
from typing import Any

from authlib.oauth2.rfc6749 import ClientMixin, InvalidRequestError, OAuth2Payload, OAuth2Request
from starlette.datastructures import Headers

from awe.services.identity import Client, ProviderService
from awe.web.http import Call

__all__ = ["OAuthClient", "OAuthRequest", "in_address", "in_body"]

_ECHOED = ("client_id", "redirect_uri", "response_type", "grant_type")
_PRINTABLE = frozenset(map(chr, range(0x20, 0x7F))) - {'"', "\\"}


def in_address(call: Call) -> tuple[tuple[str, str], ...]:
    """Return the parameters in the address."""
    return call.pairs[: len(call.request.query_params.multi_items())]


def in_body(call: Call) -> tuple[tuple[str, str], ...]:
    """Return the parameters in the form: those in the address do not count, secrets do not belong there."""
    return call.pairs[len(call.request.query_params.multi_items()) :]


class _Payload(OAuth2Payload):
    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given

    @property
    def data(self) -> Mapping[str, str]:
        return self._given

    @property
    def datalist(self) -> Mapping[str, list[str]]:
        return {name: [value] for name, value in self._given.items()}


class OAuthRequest(OAuth2Request):
    """A request with its parameters.

    Raises
    ------
    InvalidRequestError
        If a parameter comes twice (RFC 6749 section 3.1), or one that errors repeat has characters that no error can
        have (section 5.2).
    """

    def __init__(self, method: str, pairs: Iterable[tuple[str, str]], headers: Headers) -> None:
        # what Authlib asks of the address is that it is https; whether it has to be is the operator's to decide
        super().__init__(method, "https://provider/", headers=headers)
        given: dict[str, str] = {}
        for name, value in pairs:
            if name in given:
                raise InvalidRequestError("A parameter is there twice.")
            given[name] = value
        for name in _ECHOED:
            if not set(given.get(name, "")) <= _PRINTABLE:
                raise InvalidRequestError(f"Invalid '{name}' in request.")
        self.payload = _Payload(given)

    @property
    def form(self) -> Mapping[str, str]:
        """The parameters."""
        data: Mapping[str, str] = self.payload.data
        return data


class OAuthClient(ClientMixin):
    """A client, as Authlib asks about it."""

    def __init__(self, client: Client, provider: ProviderService) -> None:
        self.client = client
        self.provider = provider

    @property
    def client_metadata(self) -> dict[str, Any]:
        """What the logout asks for."""
        return {"post_logout_redirect_uris": self.client.post_logout_redirect_uris}

    def get_client_id(self) -> str:
        """Return its id."""
        return self.client.id

    def get_default_redirect_uri(self) -> None:
        """Return none: every request has to name the address."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """Return which of the scopes it may have; others are left out (OpenID Connect Core 1.0 section 3.1.2.1)."""
        return " ".join(sorted(self.client.granted(scope or ""))) or None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Return whether people may be sent there: letter by letter (RFC 9700 section 2.1)."""
        return redirect_uri in self.client.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """Return whether this is its secret."""
        return self.provider.is_secret(self.client, client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Return whether it may show in this way who it is: without a secret if it has none, and only then."""
        return (method == "none") is self.client.is_public and (
            endpoint != "introspection" or method != "none"
        )

    def check_response_type(self, response_type: str) -> bool:
        """Return whether it may ask for this."""
        return response_type == "code" and bool(self.client.redirect_uris)

    def check_grant_type(self, grant_type: str) -> bool:
        """Return whether it may exchange this."""
        if grant_type == "authorization_code":
            return bool(self.client.redirect_uris)
        return grant_type == "refresh_token" or self.client.device
