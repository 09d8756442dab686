"""OpenStack's Keystone (Identity API v3): who gets a token with a password is that person.

The token that a password gives is used for one question, which groups the person is in, and forgotten.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from awe.errors import AuthenticationError, UnavailableError
from awe.services.identity.backends._http import Answer, Http
from awe.services.identity.claims import Claims
from awe.settings.login import KeystoneSettings

__all__ = ["KeystoneAuthenticator"]

_LONGEST = 4096
_TOKEN_HEADER, _SUBJECT_HEADER = "X-Auth-Token", "X-Subject-Token"


class KeystoneAuthenticator:
    """Check passwords, and tokens where the operator allows it, at one Keystone.

    Parameters
    ----------
    name
        The provider, as the settings call it.
    settings
        What the operator says of it.
    folder
        The data folder; nothing is kept in it.
    """

    def __init__(self, name: str, settings: KeystoneSettings, folder: Path) -> None:  # noqa: ARG002
        self._name = name
        self._title = settings.title or name
        self._settings = settings
        self._url = f"{settings.url.rstrip('/')}/v3"
        self._http = Http(self._title, settings.timeout_s, settings.ca_file, insecure=settings.insecure)

    def authenticate(self, user: str, password: str) -> Claims:
        """Return who this is, as `Authenticator.authenticate`."""
        if not _can_be(user) or not _can_be(password):
            raise AuthenticationError("the user name or the password is wrong")
        who = {"name": user, "domain": {"name": self._settings.domain}, "password": password}
        # a scope would give the token rights that nothing here needs
        asked = {
            "auth": {"identity": {"methods": ["password"], "password": {"user": who}}, "scope": "unscoped"}
        }
        answer = self._http.post_json(f"{self._url}/auth/tokens", asked)
        token = answer.headers.get(_SUBJECT_HEADER.lower(), "")
        if answer.status in {400, 401, 403, 413}:
            raise AuthenticationError("the user name or the password is wrong")
        if answer.status != 201 or not token:
            raise self._odd(answer)
        return self._claims(answer, token)

    @property
    def takes_tokens(self) -> bool:
        """Whether the operator takes its tokens, as `TokenAuthenticator.takes_tokens`."""
        return self._settings.tokens

    def authenticate_token(self, token: str) -> Claims:
        """Return whose token this is, as `TokenAuthenticator.authenticate_token`."""
        if not self.takes_tokens or not _can_be(token) or not token.isascii() or not token.isprintable():
            raise AuthenticationError("the token is not known or has expired", hint="log in again")
        headers = {_TOKEN_HEADER: token, _SUBJECT_HEADER: token}
        answer = self._http.get(f"{self._url}/auth/tokens", headers)
        if answer.status in {400, 401, 403, 404}:
            raise AuthenticationError("the token is not known or has expired", hint="log in again")
        if answer.status != 200:
            raise self._odd(answer)
        return self._claims(answer, token)

    def _claims(self, answer: Answer, token: str) -> Claims:
        user = _object(_object(answer.json, "token"), "user")
        domain = _object(user, "domain")
        subject, name = user.get("id"), user.get("name")
        if not isinstance(subject, str) or not isinstance(name, str):
            raise self._odd(answer)
        if domain.get("name") != self._settings.domain:
            # names are unique within a domain only
            raise AuthenticationError("the user name or the password is wrong")
        groups = {
            f"{one}" for one in self._names(f"/users/{quote(subject, safe='')}/groups", "groups", token)
        }
        projects = self._names("/auth/projects", "projects", token) if self._settings.projects else ()
        told = self._told(subject, token)
        email = told.get("email")
        return Claims(
            provider=self._name,
            subject=subject,
            name=name,
            display_name=str(told.get("description") or ""),
            email=email if isinstance(email, str) else "",
            groups=frozenset(groups | {f"project:{one}" for one in projects}),
            attributes={"project": tuple(projects)},
        )

    def _told(self, subject: str, token: str) -> Mapping[str, Any]:
        """Return what Keystone tells people of themselves; nothing where it does not."""
        answer = self._http.get(f"{self._url}/users/{quote(subject, safe='')}", {_TOKEN_HEADER: token})
        return _object(answer.json, "user") if answer.status == 200 else {}

    def _names(self, path: str, what: str, token: str) -> tuple[str, ...]:
        answer = self._http.get(self._url + path, {_TOKEN_HEADER: token})
        listed = answer.json.get(what)
        if answer.status != 200 or not isinstance(listed, list):
            # less than all is no answer: who is not in a group any more loses what the group has
            raise self._odd(answer)
        return tuple(
            one["name"] for one in listed if isinstance(one, dict) and isinstance(one.get("name"), str)
        )

    def _odd(self, answer: Answer) -> UnavailableError:
        return UnavailableError(
            f"{self._title} does not answer as Keystone does (status {answer.status})",
            hint=f"is url of login.providers.{self._name} right?",
        )


def _can_be(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and "\0" not in text


def _object(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = told.get(name)
    return found if isinstance(found, dict) else {}
