"""OpenID Connect: a provider finds out in the person's browser who it is.

Authorization code flow (OpenID Connect Core 1.0 section 3.1) with PKCE (RFC 7636), `state` and `nonce`; the issuer in
the answer (RFC 9207) is checked where the provider sends it. Nothing is kept here while the person is away: `state`,
`nonce` and the verifier are made of a key that the browser keeps, so an answer is good in that browser alone. The
provider's tokens are read and forgotten: what they say is what counts, until the login here ends.
"""

import base64
import hashlib
import hmac
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from awe.errors import AuthenticationError, UnavailableError
from awe.services.identity.backends._http import Answer, Http, is_safe
from awe.services.identity.claims import Claims
from awe.services.identity.interface import Begun, Ended
from awe.settings.login import OidcSettings

__all__ = ["OidcLogin"]

_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a key of the provider: neither ``none`` nor those with the client's secret."""
_LEEWAY_S = 60
_KEY_LIFE_S = 600
_CONFIGURATION_LIFE_S = 3600.0
_NEW_KEYS_EVERY_S = 60.0
_LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_LOGOUT_LIFE_S = 600
_ERROR = re.compile(r"[a-z_]{1,60}")


class OidcLogin:
    """Log people in at one OpenID provider.

    Parameters
    ----------
    name
        The provider, as the settings call it.
    settings
        What the operator says of it.
    folder
        Where the file of the client's secret is looked for.
    now
        Seconds since 1970.
    """

    def __init__(
        self, name: str, settings: OidcSettings, folder: Path, now: Callable[[], float] = time.time
    ) -> None:
        self._name = name
        self._title = settings.title or name
        self._settings = settings
        self._secret = settings.secret_from(folder)
        self._http = Http(self._title, settings.timeout_s, settings.ca_file, insecure=settings.insecure)
        self._now = now
        self._lock = threading.Lock()
        self._configuration: tuple[float, Mapping[str, Any]] = (0.0, {})
        self._keys: tuple[float, KeySet | None] = (0.0, None)

    def begin(self, redirect_uri: str, *, purpose: str = "login") -> Begun:
        """Begin a login, as `BrowserLogin.begin`."""
        key = f"{int(self._now())}.{secrets.token_urlsafe(32)}"
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self._settings.scopes),
            "state": self._derived(key, "state", purpose),
            "nonce": self._derived(key, "nonce", purpose),
            "code_challenge": create_s256_code_challenge(self._derived(key, "verifier", purpose)),
            "code_challenge_method": "S256",
        }
        return Begun(_with(self._endpoint("authorization_endpoint"), asked), key)

    def complete(
        self, key: str, redirect_uri: str, answer: Mapping[str, str], *, purpose: str = "login"
    ) -> Claims:
        """Return who it was that came back, as `BrowserLogin.complete`."""
        state = answer.get("state", "")
        begun = key.partition(".")[0]
        if not hmac.compare_digest(state.encode(), self._derived(key, "state", purpose).encode()):
            raise AuthenticationError("this browser did not begin this login", hint="log in again")
        if not begun.isdecimal() or not 0 <= self._now() - int(begun) <= _KEY_LIFE_S:
            raise AuthenticationError("the login took too long", hint="log in again")
        if answer.get("iss", self._settings.issuer) != self._settings.issuer:
            raise self._wrong("the answer is another provider's")
        if "error" in answer:
            code = answer["error"] if _ERROR.fullmatch(answer["error"]) else "error"
            raise AuthenticationError(f"{self._title} did not log you in ({code})", hint="log in again")
        tokens = self._tokens(answer.get("code", ""), redirect_uri, self._derived(key, "verifier", purpose))
        access_token = tokens.get("access_token")
        told = self._id_token(
            tokens.get("id_token"), self._derived(key, "nonce", purpose), str(access_token or "")
        )
        if access_token and self._configured("userinfo_endpoint"):
            told = {**self._userinfo(str(access_token), told["sub"]), **told}
        return self._claims(told)

    def leave_url(self, return_to: str) -> str | None:
        """Return where a login ends at the provider (RP-Initiated Logout 1.0 section 2), as `BrowserLogin.leave_url`.

        The client's id stands for the id_token, which is not kept: the provider asks the person first.
        """
        try:
            endpoint = self._configured("end_session_endpoint")
        except UnavailableError:
            return None
        if not endpoint or not is_safe(endpoint, insecure=self._settings.insecure):
            return None
        return _with(endpoint, {"client_id": self._settings.client_id, "post_logout_redirect_uri": return_to})

    def ended(self, logout_token: str) -> Ended:
        """Return what ended (Back-Channel Logout 1.0 section 2.6), as `BrowserLogin.ended`."""
        told = self._signed(logout_token).claims
        issued = told.get("iat")
        events = told.get("events")
        audience = told.get("aud")
        good = (
            told.get("iss") == self._settings.issuer
            and self._settings.client_id in (audience if isinstance(audience, list) else [audience])
            and isinstance(issued, int | float)
            and abs(self._now() - issued) <= _LOGOUT_LIFE_S
            and isinstance(told.get("exp", issued), int | float)
            and told.get("exp", issued) >= self._now() - _LOGOUT_LIFE_S
            and isinstance(told.get("jti"), str)
            and isinstance(events, dict)
            and isinstance(events.get(_LOGOUT_EVENT), dict)
            and "nonce" not in told
        )
        subject, session = told.get("sub", ""), told.get("sid", "")
        if not good or not isinstance(subject, str) or not isinstance(session, str) or not subject + session:
            raise self._wrong("the token tells of no logout")
        return Ended(subject, session)

    def _tokens(self, code: str, redirect_uri: str, verifier: str) -> Mapping[str, Any]:
        """Exchange the code (RFC 6749 section 4.1.3)."""
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers: dict[str, str] = {}
        client = self._settings.client_id
        known = self._settings_of_client()
        if not self._secret:
            fields["client_id"] = client
        elif "client_secret_basic" not in known and "client_secret_post" in known:
            fields |= {"client_id": client, "client_secret": self._secret}
        else:
            pair = f"{quote_plus(client)}:{quote_plus(self._secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        answer = self._http.post_form(self._endpoint("token_endpoint"), fields, headers)
        if answer.status == 401 or answer.json.get("error") in {"invalid_client", "unauthorized_client"}:
            raise UnavailableError(
                f"{self._title} does not know this archive",
                hint=f"client_id and secret of login.providers.{self._name} are to be set right",
            )
        if answer.status != 200:
            raise self._wrong("the code is not good, or no longer")
        return answer.json

    def _settings_of_client(self) -> tuple[str, ...]:
        known = self._get_configuration().get("token_endpoint_auth_methods_supported")
        return tuple(map(str, known)) if isinstance(known, list) else ("client_secret_basic",)

    def _id_token(self, token: object, nonce: str, access_token: str) -> Mapping[str, Any]:
        """Return what an id_token says (OpenID Connect Core 1.0 section 3.1.3.7)."""
        if not isinstance(token, str):
            raise self._wrong("there is no id_token")
        signed = self._signed(token)
        told = CodeIDToken(
            signed.claims,
            signed.header,
            options={
                "iss": {"essential": True, "value": self._settings.issuer},
                "aud": {"essential": True, "value": self._settings.client_id},
            },
            params={
                "nonce": nonce,
                "client_id": self._settings.client_id,
                "access_token": access_token,
            },
        )
        try:
            told.validate(now=int(self._now()), leeway=_LEEWAY_S)
        except (JoseError, TypeError, ValueError):
            raise self._wrong("its id_token is not good") from None
        if not isinstance(told["sub"], str) or not told["sub"]:
            raise self._wrong("its id_token names nobody")
        return dict(told)

    def _signed(self, token: str) -> jwt.Token:
        """Return a token that the provider signed; its keys are asked for anew when one is not known."""
        for anew in (False, True):
            try:
                return jwt.decode(token, self._get_keys(anew=anew), algorithms=list(self._algorithms()))
            except InvalidKeyIdError:
                continue
            except (JoseError, ValueError, TypeError, KeyError):
                break
        raise self._wrong("its token is not signed by it")

    def _algorithms(self) -> tuple[str, ...]:
        offered = self._get_configuration().get("id_token_signing_alg_values_supported")
        return tuple(a for a in _ALGORITHMS if not isinstance(offered, list) or a in offered)

    def _userinfo(self, access_token: str, subject: str) -> Mapping[str, Any]:
        answer = self._http.get(
            self._endpoint("userinfo_endpoint"), {"Authorization": f"Bearer {access_token}"}
        )
        # OpenID Connect Core 1.0 section 5.3.2: what is said of another subject must not be used
        if answer.status != 200 or answer.json.get("sub") != subject:
            raise self._wrong("it tells of somebody else")
        return answer.json

    def _claims(self, told: Mapping[str, Any]) -> Claims:
        verified = self._settings.trust_email or told.get("email_verified") is True
        email = told.get("email")
        names = {
            name: value
            for name in (self._settings.name_claim, "name", "sid")
            if isinstance(value := _at(told, name), str)
        }
        return Claims(
            provider=self._name,
            subject=told["sub"],
            name=names.get(self._settings.name_claim, ""),
            display_name=names.get("name", ""),
            email=email if verified and isinstance(email, str) else "",
            groups=frozenset(_texts(_at(told, self._settings.groups_claim))),
            attributes={name: found for name, value in told.items() if (found := tuple(_texts(value)))},
            session=names.get("sid", "")[:255],
        )

    def _endpoint(self, name: str) -> str:
        found = self._configured(name)
        if not found or not is_safe(found, insecure=self._settings.insecure):
            raise UnavailableError(f"{self._title} names no {name} that can be used")
        return found

    def _configured(self, name: str) -> str:
        found = self._get_configuration().get(name)
        return found if isinstance(found, str) else ""

    def _get_configuration(self) -> Mapping[str, Any]:
        """Return the provider's configuration (OpenID Connect Discovery 1.0 section 4)."""
        with self._lock:
            asked, found = self._configuration
            if found and self._now() - asked < _CONFIGURATION_LIFE_S:
                return found
        issuer = self._settings.issuer
        answer = self._json(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if answer.json.get("issuer") != issuer:
            raise UnavailableError(
                f"{self._title} calls itself something else than {issuer}",
                hint=f"issuer of login.providers.{self._name} is to be set right",
            )
        with self._lock:
            self._configuration = (self._now(), answer.json)
        return answer.json

    def _get_keys(self, *, anew: bool) -> KeySet:
        with self._lock:
            asked, found = self._keys
        age = self._now() - asked
        if found is not None and age < (_NEW_KEYS_EVERY_S if anew else _CONFIGURATION_LIFE_S):
            return found
        answer = self._json(self._endpoint("jwks_uri"))
        keys = answer.json.get("keys")
        usable = (
            [key for key in keys if isinstance(key, dict) and key.get("use", "sig") == "sig"]
            if (isinstance(keys, list))
            else []
        )
        try:
            found = KeySet.import_key_set({"keys": usable})
        except (JoseError, ValueError, TypeError, KeyError):
            raise UnavailableError(f"the keys of {self._title} cannot be read") from None
        with self._lock:
            self._keys = (self._now(), found)
        return found

    def _json(self, url: str) -> Answer:
        answer = self._http.get(url)
        if answer.status != 200 or not answer.json:
            raise UnavailableError(f"{self._title} does not tell how it is used (status {answer.status})")
        return answer

    def _derived(self, key: str, what: str, purpose: str) -> str:
        """Return a value that only this browser's key gives, for one provider and one purpose."""
        text = f"{self._name}\n{what}\n{purpose}"
        made = hmac.digest(key.encode(), text.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(made).decode().rstrip("=")

    def _wrong(self, why: str) -> AuthenticationError:
        return AuthenticationError(f"the login at {self._title} is not taken: {why}", hint="log in again")


def _with(url: str, parameters: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"


def _at(told: Mapping[str, Any], path: str) -> object:
    """Return a claim: by its whole name, or by a way through objects."""
    if path in told:
        return told[path]
    found: object = told
    for step in path.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (one for one in value if isinstance(one, str))
