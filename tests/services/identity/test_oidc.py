"""OpenID Connect: against a real provider, and against one that lies."""

import base64
import hmac
import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from tests.systems.openid import OpenIdProvider
from tests.systems.programs import free_port, listening

from awe.errors import AuthenticationError, AweError, UnavailableError
from awe.services.identity.backends.oidc import OidcLogin
from awe.settings.login import OidcSettings

HERE = Path()
BACK = "http://127.0.0.1/auth/oidc/institute/callback"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


class Clock:
    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Liar:
    """A provider whose every answer a test can change.

    Attributes
    ----------
    told
        What the id_token says besides or instead of what it has to; None leaves a claim out.
    sign
        Makes a token of a header and claims.
    """

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self.issuer = ""
        self.configuration: dict[str, Any] = {}
        self.told: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {"sub": "4711"}
        self.token: dict[str, Any] = {}
        self.status = 200
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "one"}
        self.sign: Callable[[dict[str, Any], dict[str, Any]], str] = self.signed
        self.nonce = ""
        self.asked: list[str] = []
        self.form: dict[str, str] = {}
        self.authorization = ""

    def signed(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        return jwt.encode(header, claims, self.key, algorithms=[header["alg"]])

    def claims(self, **others: Any) -> dict[str, Any]:
        now = int(time.time())
        said = {
            "iss": self.issuer,
            "aud": "awe",
            "sub": "4711",
            "iat": now,
            "exp": now + 60,
            "nonce": self.nonce,
        }
        return {name: value for name, value in (said | self.told | others).items() if value is not None}

    def __call__(self, request: BaseHTTPRequestHandler) -> None:
        path = urlsplit(request.path).path
        self.asked.append(path)
        status = 200
        if path == "/.well-known/openid-configuration":
            body: Any = {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/auth",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/me",
                "jwks_uri": f"{self.issuer}/jwks",
                **self.configuration,
            }
        elif path == "/jwks":
            body = {"keys": [self.key.as_dict(private=False)]}
        elif path == "/token":
            length = int(request.headers["Content-Length"])
            fields = parse_qs(request.rfile.read(length).decode())
            self.form = {name: values[0] for name, values in fields.items()}
            self.authorization = request.headers.get("Authorization", "")
            status = self.status
            body = {"access_token": "a", "id_token": self.sign(self.header, self.claims()), **self.token}
        else:
            body = self.userinfo
        sent = json.dumps(body).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(sent)))
        if 300 <= status < 400:
            request.send_header("Location", f"{self.issuer}/me")
        request.end_headers()
        request.wfile.write(sent)


@pytest.fixture(scope="module")
def lying() -> Iterator[Liar]:
    found = Liar()
    with listening(found) as address:
        found.issuer = address
        yield found


@pytest.fixture
def liar(lying: Liar) -> Liar:
    key, issuer = lying.key, lying.issuer
    lying.__init__()  # type: ignore[misc]  # making a key takes its time, listening too
    lying.key, lying.issuer = key, issuer
    return lying


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def login(liar: Liar, clock: Clock) -> OidcLogin:
    return of(liar, clock)


def of(liar: Liar, clock: Callable[[], float] = time.time, **settings: Any) -> OidcLogin:
    given = {"kind": "oidc", "issuer": liar.issuer, "client_id": "awe", "secret": "s e", **settings}
    return OidcLogin("institute", OidcSettings.model_validate(given), HERE, clock)


def come_back(login: OidcLogin, liar: Liar, **others: str) -> tuple[str, dict[str, str]]:
    """Begin a login; return the browser's key, and what the browser comes back with."""
    begun = login.begin(BACK)
    asked = parse_qs(urlsplit(begun.url).query)
    liar.nonce = asked["nonce"][0]
    return begun.key, {"state": asked["state"][0], "code": "c", **others}


def test_who_comes_back_is_who_the_id_token_names(liar: Liar, login: OidcLogin) -> None:
    liar.userinfo |= {
        "preferred_username": "ann",
        "name": "Ann Example",
        "email": "ann@example.org",
        "email_verified": True,
        "groups": ["hst", 3, "jwst"],
    }
    liar.told = {"sid": "s1", "department": "x"}
    key, answer = come_back(login, liar)
    found = login.complete(key, BACK, answer)
    assert (found.provider, found.subject, found.name) == ("institute", "4711", "ann")
    assert (found.display_name, found.email, found.session) == ("Ann Example", "ann@example.org", "s1")
    assert found.groups == {"hst", "jwst"}
    assert found.attributes["department"] == ("x",)


def test_what_is_asked_is_bound_to_this_browser(liar: Liar, login: OidcLogin) -> None:
    begun = login.begin(BACK)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(begun.url).query).items()}
    assert begun.url.startswith(f"{liar.issuer}/auth?")
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert (asked["client_id"], asked["redirect_uri"], asked["scope"]) == (
        "awe",
        BACK,
        "openid profile email",
    )
    assert begun.key not in begun.url
    assert len({asked["state"], asked["nonce"], asked["code_challenge"], login.begin(BACK).key}) == 4
    liar.nonce = asked["nonce"]
    login.complete(begun.key, BACK, {"state": asked["state"], "code": "c"})
    assert create_s256_code_challenge(liar.form["code_verifier"]) == asked["code_challenge"]
    assert liar.form["code_verifier"] not in begun.url


@pytest.mark.parametrize(
    "answer",
    [
        {"state": ""},
        {"state": "x"},
        {"state": "é"},
        {"iss": "https://elsewhere.example.org"},
        {"error": "access_denied"},
        {"error": "<script>alert(1)</script>"},
    ],
)
def test_an_answer_that_is_not_to_this_question_is_not_taken(
    liar: Liar, login: OidcLogin, answer: dict[str, str]
) -> None:
    key, good = come_back(login, liar)
    with pytest.raises(AuthenticationError) as caught:
        login.complete(key, BACK, good | answer)
    assert "<" not in str(caught.value)
    assert "/token" not in liar.asked


def test_an_answer_is_good_in_one_browser_for_one_purpose_at_one_provider(
    liar: Liar, login: OidcLogin
) -> None:
    key, answer = come_back(login, liar)
    mine, _ = come_back(login, liar)
    other = OidcLogin("survey", OidcSettings(kind="oidc", issuer=liar.issuer, client_id="awe"), HERE)
    attempts: tuple[Callable[[], object], ...] = (
        lambda: login.complete(mine, BACK, answer),
        lambda: login.complete("", BACK, answer),
        lambda: login.complete(key, BACK, answer, purpose="link:ann"),
        lambda: other.complete(key, BACK, answer),
    )
    for attempt in attempts:
        with pytest.raises(AuthenticationError, match="did not begin"):
            attempt()


def test_a_login_that_took_too_long_is_not_taken(liar: Liar, login: OidcLogin, clock: Clock) -> None:
    key, answer = come_back(login, liar)
    for ahead in (601, -10):
        clock.ahead = ahead
        with pytest.raises(AuthenticationError, match="too long"):
            login.complete(key, BACK, answer)


@pytest.mark.parametrize(
    "told",
    [
        {"iss": "https://elsewhere.example.org"},
        {"iss": None},
        {"aud": "another client"},
        {"aud": ["another client"]},
        {"aud": ["awe", "another client"], "azp": "another client"},
        {"azp": "another client"},
        {"aud": None},
        {"nonce": "x"},
        {"nonce": None},
        {"exp": timedelta(seconds=-300)},
        {"exp": None},
        {"exp": "never"},
        {"iat": timedelta(hours=1)},
        {"iat": None},
        {"nbf": timedelta(hours=1)},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
    ids=str,
)
def test_an_id_token_that_is_not_for_this_login_is_not_taken(
    liar: Liar, login: OidcLogin, told: dict[str, Any]
) -> None:
    key, answer = come_back(login, liar)
    liar.told = {
        claim: int(time.time() + value.total_seconds()) if isinstance(value, timedelta) else value
        for claim, value in told.items()
    }
    with pytest.raises(AuthenticationError, match="is not taken"):
        login.complete(key, BACK, answer)


def unsigned(_: dict[str, Any], claims: dict[str, Any]) -> str:
    return f"{_packed({'alg': 'none', 'kid': 'one'})}.{_packed(claims)}."


def _packed(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def by_another_key(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return jwt.encode(header, claims, RSAKey.generate_key(2048, {"kid": "one"}))


def by_the_secret(_: dict[str, Any], claims: dict[str, Any]) -> str:
    secret = OctKey.import_key("the client's secret, long enough for this")
    return jwt.encode({"alg": "HS256", "kid": "one"}, claims, secret)


@pytest.mark.parametrize("sign", [unsigned, by_another_key, by_the_secret, lambda *_: "a.b.c", lambda *_: ""])
def test_an_id_token_that_the_provider_did_not_sign_is_not_taken(
    liar: Liar, login: OidcLogin, sign: Callable[..., str]
) -> None:
    key, answer = come_back(login, liar)
    liar.sign = sign
    with pytest.raises(AuthenticationError, match="not signed"):
        login.complete(key, BACK, answer)


def test_the_public_key_is_no_secret_to_sign_with(liar: Liar, login: OidcLogin) -> None:
    def confused(_: dict[str, Any], claims: dict[str, Any]) -> str:
        text = f"{_packed({'alg': 'HS256', 'kid': 'one'})}.{_packed(claims)}"
        made = hmac.digest(liar.key.as_pem(private=False), text.encode(), "sha256")
        return f"{text}.{base64.urlsafe_b64encode(made).decode().rstrip('=')}"

    key, answer = come_back(login, liar)
    liar.sign = confused
    with pytest.raises(AuthenticationError, match="not signed"):
        login.complete(key, BACK, answer)


@pytest.mark.parametrize("token", [{"id_token": None}, {"id_token": ["x"]}])
def test_an_answer_without_an_id_token_logs_nobody_in(
    liar: Liar, login: OidcLogin, token: dict[str, Any]
) -> None:
    key, answer = come_back(login, liar)
    liar.token = token
    with pytest.raises(AuthenticationError, match="no id_token"):
        login.complete(key, BACK, answer)


@pytest.mark.parametrize("userinfo", [{"sub": "4712", "preferred_username": "chief"}, {}, []])
def test_what_is_said_of_somebody_else_is_not_used(liar: Liar, login: OidcLogin, userinfo: Any) -> None:
    key, answer = come_back(login, liar)
    liar.userinfo = userinfo
    with pytest.raises(AuthenticationError, match="somebody else"):
        login.complete(key, BACK, answer)


def test_what_is_signed_counts_more_than_what_is_not(liar: Liar, login: OidcLogin) -> None:
    key, answer = come_back(login, liar)
    liar.told = {"groups": ["users"], "preferred_username": "ann"}
    liar.userinfo |= {"groups": ["admins"], "preferred_username": "chief"}
    found = login.complete(key, BACK, answer)
    assert found.name == "ann"
    assert found.groups == {"users"}


@pytest.mark.parametrize("verified", [False, None, "true"])
def test_an_address_that_is_not_verified_is_none(liar: Liar, verified: object) -> None:
    liar.userinfo |= {"email": "ann@example.org", "email_verified": verified}
    for trust, email in ((False, ""), (True, "ann@example.org")):
        login = of(liar, trust_email=trust)
        key, answer = come_back(login, liar)
        assert login.complete(key, BACK, answer).email == email


def test_claims_lie_where_the_operator_says(liar: Liar) -> None:
    login = of(liar, name_claim="email", groups_claim="realm_access.roles")
    liar.told = {"email": "ann@example.org", "realm_access": {"roles": ["hst"]}}
    key, answer = come_back(login, liar)
    found = login.complete(key, BACK, answer)
    assert found.name == "ann@example.org"
    assert found.groups == {"hst"}


def test_new_keys_are_asked_for_when_one_is_not_known(liar: Liar, login: OidcLogin, clock: Clock) -> None:
    old = liar.key
    try:
        login.complete(*_args(login, liar))
        liar.key = RSAKey.generate_key(2048, {"kid": "two", "use": "sig", "alg": "RS256"})
        liar.header = {"alg": "RS256", "kid": "two"}
        with pytest.raises(AuthenticationError):  # not more often than each minute, whoever asks
            login.complete(*_args(login, liar))
        clock.ahead = 61
        liar.told = {"iat": int(clock()), "exp": int(clock()) + 60}
        assert login.complete(*_args(login, liar)).subject == "4711"
        assert liar.asked.count("/jwks") == 2
    finally:
        liar.key = old


def _args(login: OidcLogin, liar: Liar) -> tuple[str, str, dict[str, str]]:
    key, answer = come_back(login, liar)
    return key, BACK, answer


@pytest.mark.parametrize(
    ("settings", "methods", "sent"),
    [
        ({}, ["client_secret_basic"], "header"),
        ({}, ["client_secret_post"], "form"),
        ({"secret": ""}, ["none"], "nowhere"),
    ],
)
def test_the_secret_goes_where_the_provider_wants_it(
    liar: Liar, settings: dict[str, Any], methods: list[str], sent: str
) -> None:
    liar.configuration = {"token_endpoint_auth_methods_supported": methods}
    login = of(liar, **settings)
    login.complete(*_args(login, liar))
    assert (liar.authorization.startswith("Basic ")) == (sent == "header")
    assert ("client_secret" in liar.form) == (sent == "form")
    assert ("client_id" in liar.form) == (sent != "header")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, AuthenticationError), (401, UnavailableError), (302, UnavailableError), (500, UnavailableError)],
)
def test_a_code_that_is_refused(liar: Liar, login: OidcLogin, status: int, kind: type[AweError]) -> None:
    liar.status = status
    with pytest.raises(kind):
        login.complete(*_args(login, liar))
    assert "/me" not in liar.asked  # no redirect is followed: the secret stays where it belongs


@pytest.mark.parametrize(
    "configuration",
    [
        {"issuer": "https://elsewhere.example.org"},
        {"authorization_endpoint": "http://elsewhere.example.org/auth"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": 3},
    ],
)
def test_a_configuration_that_leads_elsewhere_is_not_used(liar: Liar, configuration: dict[str, Any]) -> None:
    liar.configuration = configuration
    with pytest.raises(UnavailableError):
        of(liar).begin(BACK)


def test_secrets_go_to_no_address_without_tls(liar: Liar) -> None:
    liar.configuration = {"token_endpoint": "http://192.0.2.1/token"}
    login = of(liar)
    key, answer = come_back(login, liar)
    with pytest.raises(UnavailableError, match="token_endpoint"):
        login.complete(key, BACK, answer)


def test_a_provider_that_is_down_is_not_there_now(liar: Liar) -> None:
    with pytest.raises(UnavailableError, match="does not answer"):
        of(liar, issuer=f"http://127.0.0.1:{free_port()}").begin(BACK)
    assert of(liar, issuer=f"http://127.0.0.1:{free_port()}").leave_url("http://127.0.0.1/") is None


def logout_token(liar: Liar, **others: Any) -> str:
    told: dict[str, Any] = {"jti": "1", "events": {EVENT: {}}, "sid": "s1", "nonce": None}
    return liar.signed({"alg": "RS256", "kid": "one", "typ": "logout+jwt"}, liar.claims(**(told | others)))


def test_the_provider_says_what_ended(liar: Liar, login: OidcLogin) -> None:
    ended = login.ended(logout_token(liar))
    assert (ended.subject, ended.session) == ("4711", "s1")
    assert login.ended(logout_token(liar, sid=None)).session == ""


@pytest.mark.parametrize(
    "told",
    [
        {"iss": "https://elsewhere.example.org"},
        {"aud": "another client"},
        {"iat": int(time.time()) - 3600},
        {"iat": None},
        {"exp": 7},
        {"jti": None},
        {"events": None},
        {"events": {}},
        {"events": [EVENT]},
        {"nonce": "x"},
        {"sub": None, "sid": None},
        {"sub": 7},
    ],
    ids=",".join,  # not what they are: an hour ago is another one in each process
)
def test_a_token_that_tells_of_no_logout_ends_nothing(
    liar: Liar, login: OidcLogin, told: dict[str, Any]
) -> None:
    with pytest.raises(AuthenticationError):
        login.ended(logout_token(liar, **told))


def test_an_id_token_or_somebody_elses_token_ends_nothing(liar: Liar, login: OidcLogin) -> None:
    id_token = liar.signed({"alg": "RS256", "kid": "one"}, liar.claims())
    for token in (id_token, by_another_key({"alg": "RS256", "kid": "one"}, liar.claims()), "", "é", "a.b.c"):
        with pytest.raises(AuthenticationError):
            login.ended(token)


# A real provider


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    with httpx.Client() as found:
        yield found


@pytest.fixture
def real(openid_provider: OpenIdProvider) -> OidcLogin:
    return OidcLogin("institute", openid_provider.settings(), HERE)


@pytest.mark.slow
def test_somebody_logs_in_at_a_real_provider(
    openid_provider: OpenIdProvider, real: OidcLogin, browser: httpx.Client
) -> None:
    told: dict[str, Any] = {
        "name": "Maria Example",
        "email": "maria@example.org",
        "email_verified": True,
        "groups": ["hst"],
    }
    openid_provider.say("m-1", preferred_username="maria", **told)
    begun = real.begin(openid_provider.redirect_uri)
    answer = openid_provider.log_in(browser, begun.url, "m-1")
    assert answer["iss"] == openid_provider.issuer
    found = real.complete(begun.key, openid_provider.redirect_uri, answer)
    assert (found.subject, found.name, found.display_name) == ("m-1", "maria", "Maria Example")
    assert found.email == "maria@example.org"
    assert found.groups == {"hst"}
    assert found.session
    with pytest.raises(AuthenticationError):  # a code is good once
        real.complete(begun.key, openid_provider.redirect_uri, answer)


@pytest.mark.slow
def test_a_real_provider_takes_no_code_with_another_verifier(
    openid_provider: OpenIdProvider, real: OidcLogin, browser: httpx.Client
) -> None:
    openid_provider.say("m-2", preferred_username="moritz")
    theirs = real.begin(openid_provider.redirect_uri)
    stolen = openid_provider.log_in(browser, theirs.url, "m-2")["code"]
    mine = real.begin(openid_provider.redirect_uri)
    state = parse_qs(urlsplit(mine.url).query)["state"][0]
    with pytest.raises(AuthenticationError, match="code"):
        real.complete(mine.key, openid_provider.redirect_uri, {"state": state, "code": stolen})


@pytest.mark.slow
def test_a_real_provider_that_does_not_know_the_secret(
    openid_provider: OpenIdProvider, browser: httpx.Client
) -> None:
    openid_provider.say("m-3", preferred_username="mara")
    wrong = OidcLogin("institute", openid_provider.settings(secret="wrong"), HERE)
    begun = wrong.begin(openid_provider.redirect_uri)
    answer = openid_provider.log_in(browser, begun.url, "m-3")
    with pytest.raises(UnavailableError, match="does not know this archive"):
        wrong.complete(begun.key, openid_provider.redirect_uri, answer)


@pytest.mark.slow
def test_a_person_who_is_gone_at_a_real_provider_does_not_come_back(
    openid_provider: OpenIdProvider, real: OidcLogin, browser: httpx.Client
) -> None:
    openid_provider.say("m-4", preferred_username="mo")
    begun = real.begin(openid_provider.redirect_uri)
    answer = openid_provider.log_in(browser, begun.url, "m-4")
    openid_provider.forget("m-4")
    with pytest.raises(AuthenticationError):
        real.complete(begun.key, openid_provider.redirect_uri, answer)


@pytest.mark.slow
def test_a_logout_at_a_real_provider_ends_the_login_here(
    openid_provider: OpenIdProvider, real: OidcLogin, browser: httpx.Client
) -> None:
    openid_provider.say("m-5", preferred_username="mia")
    begun = real.begin(openid_provider.redirect_uri)
    found = real.complete(
        begun.key, openid_provider.redirect_uri, openid_provider.log_in(browser, begun.url, "m-5")
    )
    leave = real.leave_url("http://127.0.0.1/")
    assert leave is not None
    before = len(openid_provider.logout_tokens)  # of logins before, and perhaps old by now
    assert openid_provider.log_out(browser, leave) == "http://127.0.0.1/"
    ended = [real.ended(token) for token in openid_provider.logout_tokens[before:]]
    assert ("m-5", found.session) in {(one.subject, one.session) for one in ended}
