"""What a client needs to know to begin: the addresses and what is supported, and the public keys."""

from starlette.responses import JSONResponse, Response

from awe.services.identity import ALGORITHM, CLAIM_SCOPES, SCOPES
from awe.web.http import Call

__all__ = ["configuration", "keys"]

_METHODS = ["client_secret_basic", "client_secret_post", "none"]


def configuration(call: Call) -> Response:
    """Say where everything is (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2)."""
    here = call.base_url
    return JSONResponse(
        {
            "issuer": here,
            "authorization_endpoint": f"{here}/oauth/authorize",
            "token_endpoint": f"{here}/oauth/token",
            "userinfo_endpoint": f"{here}/oauth/userinfo",
            "jwks_uri": f"{here}/oauth/jwks",
            "revocation_endpoint": f"{here}/oauth/revoke",
            "introspection_endpoint": f"{here}/oauth/introspect",
            "device_authorization_endpoint": f"{here}/oauth/device_authorization",
            "end_session_endpoint": f"{here}/oauth/logout",
            "scopes_supported": sorted(CLAIM_SCOPES | SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": [
                "authorization_code",
                "refresh_token",
                "urn:ietf:params:oauth:grant-type:device_code",
            ],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": _METHODS,
            "revocation_endpoint_auth_methods_supported": _METHODS,
            "introspection_endpoint_auth_methods_supported": _METHODS[:2],
            "code_challenge_methods_supported": ["S256"],
            "prompt_values_supported": ["none", "login", "consent", "select_account"],
            "claims_supported": [
                "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash",
                "preferred_username", "name", "email", "groups", "roles",
            ],
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
            "authorization_response_iss_parameter_supported": True,
        }
    )  # fmt: skip


def keys(call: Call) -> Response:
    """Return the public keys that logins are signed with (RFC 7517)."""
    return JSONResponse(call.platform.provider.keys.public(), headers={"Cache-Control": "max-age=300"})
