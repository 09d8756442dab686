"""A tool logs Ada in with Authlib's own client; what it is given is checked with other libraries than gave it."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.jwk import KeySet
from starlette.testclient import TestClient

from awe.platform import Platform

pytestmark = pytest.mark.slow

ADA = {"username": "ada", "password": "correct horse"}
BACK = "http://127.0.0.1:9999/callback"
SCOPE = "openid profile email groups"
VERIFIER = "a verifier that is long enough for everybody, 48"


@pytest.fixture
def browser(provider_url: str) -> Any:
    """Return a browser in which Ada is logged in."""
    with requests.Session() as session:
        assert session.post(f"{provider_url}/auth/login", data=ADA, timeout=30).status_code == 200
        yield session


def configuration(address: str) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(f"{address}/.well-known/openid-configuration", timeout=30).json()
    return found


def test_the_configuration_is_what_the_standards_ask_for(provider_url: str) -> None:
    told = configuration(provider_url)
    OpenIDProviderMetadata(told).validate()
    AuthorizationServerMetadata(told).validate()
    required = {  # OpenID Connect Discovery 1.0 section 3
        "issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported",
        "subject_types_supported", "id_token_signing_alg_values_supported",
    }  # fmt: skip
    assert required <= told.keys()
    assert told["issuer"] == provider_url
    assert "RS256" in told["id_token_signing_alg_values_supported"]
    other = requests.get(f"{provider_url}/.well-known/oauth-authorization-server", timeout=30)
    assert other.json() == told
    asked_with_get = ("authorization_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint")
    for name, address in told.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            method = "GET" if name in asked_with_get else "POST"
            assert requests.request(method, address, timeout=30, allow_redirects=False).status_code != 404, (
                name
            )


def test_the_keys_are_public_ones(provider_url: str) -> None:
    keys = requests.get(configuration(provider_url)["jwks_uri"], timeout=30).json()["keys"]
    assert keys
    for key in keys:
        assert {"kty", "n", "e", "kid", "use", "alg"} == key.keys()
        assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_tool_logs_ada_in(provider_url: str, browser: requests.Session, method: str) -> None:
    told = configuration(provider_url)
    tool = OAuth2Session(
        "hub", "secret of the hub", scope=SCOPE, redirect_uri=BACK, token_endpoint_auth_method=method,
        code_challenge_method="S256",
    )  # fmt: skip
    address, state = tool.create_authorization_url(
        told["authorization_endpoint"],
        nonce="n-0S6",
        code_verifier=VERIFIER.replace(" ", "-").replace(",", ""),
    )
    answer = browser.get(address, allow_redirects=False, timeout=30)
    assert answer.status_code == 302, answer.text
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert answer.headers["location"].startswith(f"{BACK}?")
    assert (back["state"], back["iss"]) == ([state], [provider_url])
    token = tool.fetch_token(
        told["token_endpoint"],
        authorization_response=answer.headers["location"],
        code_verifier=VERIFIER.replace(" ", "-").replace(",", ""),
    )
    assert token["token_type"] == "Bearer"
    assert set(token["scope"].split()) == set(SCOPE.split())
    keys = KeySet.import_key_set(requests.get(told["jwks_uri"], timeout=30).json())
    read = jwt.decode(token["id_token"], keys, algorithms=["RS256"])
    assert read.header["kid"] in {key.kid for key in keys}
    claims = CodeIDToken(
        read.claims,
        read.header,
        {"iss": {"values": [provider_url]}, "aud": {"values": ["hub"]}},
        {"nonce": "n-0S6", "client_id": "hub", "access_token": token["access_token"]},
    )
    claims.validate()
    assert claims["sub"] == "ada"
    assert 0 <= claims["iat"] - claims["auth_time"] < 3600
    assert tool.get(told["userinfo_endpoint"], timeout=30).json() == {
        "sub": "ada",
        "preferred_username": "ada",
        "name": "Ada L.",
        "email": "ada@example.org",
        "groups": [],
        "roles": ["scientist"],
    }
    tool.close()


def test_who_is_not_logged_in_is_sent_to_log_in_first(web: TestClient) -> None:
    asked = f"/oauth/authorize?response_type=code&client_id=hub&redirect_uri={BACK}&scope=openid&state=x"
    answer = web.get(asked)
    assert answer.status_code == 303
    page, _, query = answer.headers["location"].partition("?")
    assert page == "/auth"
    assert parse_qs(query)["next"] == [asked]
    silent = web.get(f"{asked}&prompt=none")
    assert parse_qs(urlsplit(silent.headers["location"]).query)["error"] == ["login_required"]
    posted = web.post("/oauth/authorize", data={"response_type": "code", "client_id": "hub"})
    assert (posted.status_code, posted.headers["location"]) == (
        303,
        "/oauth/authorize?response_type=code&client_id=hub",
    )


def test_a_tool_that_is_not_trusted_is_asked_for(ada: TestClient, site: Platform) -> None:
    asked = {
        "response_type": "code",
        "client_id": "viewer",
        "redirect_uri": BACK,
        "scope": "openid read email",
    }
    answer = ada.get("/oauth/authorize", params={**asked, "state": "s t"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/auth/consent?")
    told = ada.get("/oauth/consent", params=asked).json()
    assert (told["title"], told["user"], told["site"]) == ("Viewer <b>", "ada", "127.0.0.1:9999")
    assert [one["scope"] for one in told["scopes"]] == ["openid", "read"]  # email is not for this one
    denied = ada.post("/oauth/consent", data={**asked, "state": "s t", "decision": "deny"}).json()
    back = parse_qs(urlsplit(denied["location"]).query)
    assert (back["error"], back["state"]) == (["access_denied"], ["s t"])
    allowed = ada.post("/oauth/consent", data={**asked, "decision": "allow"}).json()
    code = parse_qs(urlsplit(allowed["location"]).query)["code"][0]
    given = ada.post(
        "/oauth/token",
        data={"grant_type": "authorization_code", "code": code, "redirect_uri": BACK},
        auth=("viewer", "secret of the viewer"),
    ).json()
    assert given["scope"] == "openid read"
    # every service takes what it was given, as far as it was allowed
    headers = {"Authorization": f"Bearer {given['access_token']}"}
    ada.cookies.clear()
    assert ada.get("/api/whoami", headers=headers).json()["name"] == "ada"
    assert ada.post("/api/tokens", json={"label": "x"}, headers=headers).status_code == 403
    lines = site.audit.entries(action="client", user="ada")
    assert [(line.action, line.outcome) for line in lines[:3]] == [
        ("client.login", "done"),
        ("client.allowed", "done"),
        ("client.allowed", "refused"),
    ]


def test_who_allowed_it_is_not_asked_again_until_it_ends(ada: TestClient, site: Platform) -> None:
    asked = {"response_type": "code", "client_id": "viewer", "redirect_uri": BACK, "scope": "openid read"}
    allowed = ada.post("/oauth/consent", data={**asked, "decision": "allow"}).json()
    code = parse_qs(urlsplit(allowed["location"]).query)["code"][0]
    given = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    assert ada.post("/oauth/token", data=given, auth=("viewer", "secret of the viewer")).status_code == 200
    assert ada.get("/oauth/authorize", params=asked).headers["location"].startswith(BACK)
    assert (
        ada.get("/oauth/authorize", params={**asked, "prompt": "consent"})
        .headers["location"]
        .startswith("/auth/")
    )
    assert ada.get("/oauth/authorize", params={**asked, "scope": "read write"}).status_code == 303
    ada_ = site.identity.known("ada")
    for one in site.identity.tokens("ada"):
        if one.client == "viewer":
            site.identity.revoke_token(ada_, one.id)
    assert ada.get("/oauth/authorize", params=asked).headers["location"].startswith("/auth/consent?")


def test_a_token_is_no_login(web: TestClient, site: Platform) -> None:
    """Whoever has a token that may read only must not make one of it that may do more."""
    caller = site.identity.known("ada")
    secret, _ = site.identity.new_token(caller, "all", frozenset(caller.scopes), days=1)
    less, _ = site.identity.new_token(caller, "some", frozenset({"read"}), days=1)
    asked = {"response_type": "code", "client_id": "hub", "redirect_uri": BACK, "scope": "openid"}
    for token in (secret, less):
        headers = {"Authorization": f"Bearer {token}"}
        assert (
            web.get("/oauth/authorize", params=asked, headers=headers)
            .headers["location"]
            .startswith("/auth?")
        )
        decided = web.post("/oauth/consent", data={**asked, "decision": "allow"}, headers=headers)
        assert decided.status_code in {401, 403}


def test_another_library_reads_what_was_signed(hub: Any) -> None:
    """PyJWT checks the signature with the public key alone, and the claims as any client would."""
    peer = pytest.importorskip("jwt")
    given = hub.exchange(hub.code(nonce="n")).json()
    keys = {key["kid"]: peer.PyJWK(key) for key in hub.web.get("/oauth/jwks").json()["keys"]}
    header = peer.get_unverified_header(given["id_token"])
    options = {"require": ["iss", "sub", "aud", "exp", "iat"]}
    claims = peer.decode(
        given["id_token"], keys[header["kid"]], algorithms=["RS256"], audience="hub",
        issuer="http://testserver", options=options,
    )  # fmt: skip
    assert (claims["sub"], claims["nonce"]) == ("ada", "n")
    half = hashlib.sha256(given["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    with pytest.raises(peer.InvalidAudienceError):
        peer.decode(given["id_token"], keys[header["kid"]], algorithms=["RS256"], audience="viewer")
    head, body, signature = given["id_token"].split(".")
    other = base64.urlsafe_b64encode(base64.urlsafe_b64decode(body + "==").replace(b'"ada"', b'"eve"'))
    with pytest.raises(peer.InvalidSignatureError):
        peer.decode(
            f"{head}.{other.rstrip(b'=').decode()}.{signature}", keys[header["kid"]], algorithms=["RS256"],
            audience="hub",
        )  # fmt: skip


def test_a_tool_asks_for_a_new_login(hub: Any, site: Platform) -> None:
    """The person logs in again if the login is older than the tool takes, or it asks for a new one."""
    assert hub.ask(prompt="login").status_code == 302  # she logged in just now
    assert hub.ask(max_age="3600").status_code == 302
    assert hub.ask(max_age="soon").status_code == 400
    with site.system.transaction() as connection:
        connection.exec_driver_sql("UPDATE tokens SET created = '2026-01-01 00:00:00' WHERE kind = 'login'")
    assert hub.ask().status_code == 302
    for asked in ({"prompt": "login"}, {"max_age": "3600"}, {"prompt": "select_account"}):
        assert hub.ask(**asked).headers["location"].startswith("/auth?next="), asked
    silent = hub.ask(prompt="none", max_age="3600")
    assert parse_qs(urlsplit(silent.headers["location"]).query)["error"] == ["login_required"]
